//! Error bodies in all their forms.

use super::*;
use crate::tests::response;

fn kind(status: u16, body: &str) -> (ErrorKind, bool) {
    let error = failure(&response(status, body));
    (error.kind, error.retryable)
}

#[test]
fn a_bad_key_is_authentication_although_the_status_is_400() {
    let body = r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT",
        "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#;
    for body in [
        body.to_owned(),
        format!("[{body}]"),
        format!("\u{feff}{body}\r\n"),
        format!("data: {body}"),
    ] {
        let error = failure(&response(400, &body));
        assert_eq!(
            (error.kind, error.retryable),
            (ErrorKind::Authentication, false)
        );
        assert_eq!(error.vendor_code.as_deref(), Some("API_KEY_INVALID"));
        assert_eq!(error.status, Some(400));
        assert!(error.message.starts_with("API key not valid"));
    }
    let bare = r#"{"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT"}}"#;
    assert_eq!(kind(400, bare), (ErrorKind::Authentication, false));
}

fn quota(id: &str, retry: &str) -> Error {
    let body = format!(
        r#"{{"error":{{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[
            {{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaMetric":"generativelanguage.googleapis.com/requests","quotaId":"{id}"}}]}},
            {{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":{retry}}}]}}}}"#
    );
    failure(&response(429, &body))
}

#[test]
fn quotas_of_a_minute_pass_and_quotas_of_a_day_do_not() {
    let minute = quota(
        "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        "\"34.4s\"",
    );
    assert_eq!(
        (minute.kind, minute.retryable),
        (ErrorKind::RateLimited, true)
    );
    assert_eq!(minute.retry_after_ms, Some(34_400));
    assert_eq!(minute.vendor_code.as_deref(), Some("RESOURCE_EXHAUSTED"));
    let day = quota(
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        "\"48s\"",
    );
    assert_eq!(
        (day.kind, day.retryable),
        (ErrorKind::QuotaExhausted, false)
    );
    assert_eq!(day.retry_after_ms, Some(48_000));
}

#[test]
fn a_delay_is_read_in_any_form_or_not_at_all() {
    let after = |retry: &str| quota("PerMinute", retry).retry_after_ms;
    assert_eq!(after(r#"{"seconds":2,"nanos":500000000}"#), Some(2500));
    for none in ["\"0s\"", "\"soon\"", "\"-3s\"", "null", "[]", "\"nans\""] {
        assert_eq!(after(none), None, "{none}");
    }
}

#[test]
fn messages_tell_what_the_status_does_not() {
    let error = |code: u16, status: &str, message: &str| {
        format!(r#"{{"error":{{"code":{code},"message":"{message}","status":"{status}"}}}}"#)
    };
    for (code, status, message, expected) in [
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
            ErrorKind::ContextLength,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "Request payload size exceeds the limit: 20971520 bytes.",
            ErrorKind::PayloadTooLarge,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "Please use a valid role: user, model.",
            ErrorKind::InvalidRequest,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
            ErrorKind::Permission,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "Please enable billing on your project.",
            ErrorKind::Billing,
        ),
        (
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials.",
            ErrorKind::Authentication,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers.",
            ErrorKind::Permission,
        ),
        (
            404,
            "NOT_FOUND",
            "models/x is not found for API version v1beta.",
            ErrorKind::NotFound,
        ),
        (
            429,
            "RESOURCE_EXHAUSTED",
            "Your prepayment credits are depleted.",
            ErrorKind::QuotaExhausted,
        ),
        (
            429,
            "RESOURCE_EXHAUSTED",
            "Resource exhausted. Please try again later.",
            ErrorKind::RateLimited,
        ),
        (
            500,
            "INTERNAL",
            "An internal error has occurred.",
            ErrorKind::Server,
        ),
        (
            501,
            "UNIMPLEMENTED",
            "Operation is not implemented.",
            ErrorKind::Unsupported,
        ),
        (
            503,
            "UNAVAILABLE",
            "The model is overloaded.",
            ErrorKind::Overloaded,
        ),
        (
            504,
            "DEADLINE_EXCEEDED",
            "Deadline expired.",
            ErrorKind::Timeout,
        ),
    ] {
        let retryable = matches!(code, 500 | 503 | 504) || expected == ErrorKind::RateLimited;
        assert_eq!(
            kind(code, &error(code, status, message)),
            (expected, retryable),
            "{message}"
        );
        // the same within a stream, where there is no status but the body's
        let inner = format!(r#"{{"message":"{message}","status":"{status}"}}"#);
        let failure = in_band(&Json::parse(&inner).unwrap());
        assert_eq!(
            (failure.kind, failure.retryable, failure.status),
            (expected, retryable, None),
            "{message}"
        );
    }
}

#[test]
fn bodies_of_any_kind_are_errors_too() {
    for body in [
        "",
        "<html>",
        "upstream connect error",
        "[]",
        "{}",
        "null",
        "7",
        "[[{}]]",
        r#"{"error":null}"#,
        r#"{"error":[]}"#,
        r#"{"error":{"code":"x","details":[1,{"@type":3}]}}"#,
    ] {
        assert_eq!(kind(503, body), (ErrorKind::Overloaded, true), "{body}");
    }
    let error = failure(&response(
        401,
        r#"{"error":"invalid_token","error_description":"gone"}"#,
    ));
    assert_eq!(error.message, "invalid_token");
    assert_eq!(in_band(&Json::Unsigned(7)).kind, ErrorKind::Server);
}

#[test]
fn gateways_have_words_of_their_own() {
    for (status, body, expected) in [
        (
            400,
            r#"{"error":{"message":"litellm.ContextWindowExceededError: the request is too large","code":"400"}}"#,
            ErrorKind::ContextLength,
        ),
        (
            500,
            r#"{"error":{"message":"the request exceeds the available context size (4096 tokens)"}}"#,
            ErrorKind::ContextLength,
        ),
        (
            400,
            r#"{"error":{"message":"/chat: Invalid model name passed in model=gone"}}"#,
            ErrorKind::NotFound,
        ),
        (
            500,
            r#"{"error":{"message":"image input is not supported by this model"}}"#,
            ErrorKind::Unsupported,
        ),
        (
            429,
            r#"{"error":{"message":"Insufficient balance, please recharge","code":"1113"}}"#,
            ErrorKind::Billing,
        ),
    ] {
        assert_eq!(kind(status, body), (expected, false), "{body}");
    }
}

#[test]
fn a_success_may_hold_an_error_in_any_shape() {
    for (body, words) in [
        (
            r#"{"code":500,"msg":"no route","success":false}"#,
            "no route",
        ),
        (
            r#"{"success":false,"errors":[{"code":7009,"message":"cannot route"}]}"#,
            "cannot route",
        ),
        (
            r#"{"base_resp":{"status_code":1008,"status_msg":"no balance"}}"#,
            "no balance",
        ),
        (
            r#"{"error_code":17,"error_msg":"limit of the day"}"#,
            "limit of the day",
        ),
    ] {
        let failure = inside(&Json::parse(body).unwrap()).unwrap();
        assert!(failure.message.contains(words), "{failure:?}");
    }
    for answer in [
        r#"{"candidates":[],"error":null}"#,
        r#"{"usageMetadata":{"promptTokenCount":1},"base_resp":{"status_code":0,"status_msg":""}}"#,
    ] {
        assert_eq!(inside(&Json::parse(answer).unwrap()), None, "{answer}");
    }
}
