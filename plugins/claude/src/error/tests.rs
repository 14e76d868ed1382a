//! What failures mean.

use multillm_plugin_sdk::{ErrorKind, Response};

use multillm_plugin_sdk::Error;
use multillm_plugin_sdk::json::Json;

use super::{inside, of_response};

fn in_band(body: &str) -> Error {
    super::in_band(&Json::parse(body).unwrap())
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    Response {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

fn said(category: &str, message: &str, details: &str) -> String {
    format!(
        r#"{{"type":"error","error":{{"type":"{category}","message":"{message}","details":{details}}},"request_id":null}}"#
    )
}

#[test]
fn statuses_and_categories_agree() {
    for (status, category, kind, retryable) in [
        (
            400,
            "invalid_request_error",
            ErrorKind::InvalidRequest,
            false,
        ),
        (
            401,
            "authentication_error",
            ErrorKind::Authentication,
            false,
        ),
        (402, "billing_error", ErrorKind::Billing, false),
        (403, "permission_error", ErrorKind::Permission, false),
        (404, "not_found_error", ErrorKind::NotFound, false),
        (409, "conflict_error", ErrorKind::InvalidRequest, true),
        (413, "request_too_large", ErrorKind::PayloadTooLarge, false),
        (429, "rate_limit_error", ErrorKind::RateLimited, true),
        (500, "api_error", ErrorKind::Server, true),
        (504, "timeout_error", ErrorKind::Timeout, true),
        (529, "overloaded_error", ErrorKind::Overloaded, true),
        (500, "overloaded_error", ErrorKind::Overloaded, true),
        (503, "never_heard_of", ErrorKind::Overloaded, true),
    ] {
        let error = of_response(&response(status, &[], &said(category, "why", "null")));
        assert_eq!(
            (error.kind, error.retryable),
            (kind, retryable),
            "{status} {category}"
        );
        assert_eq!(error.message, "why");
        assert_eq!(error.status, Some(status));
        assert_eq!(error.vendor_code.as_deref(), Some(category));
    }
}

#[test]
fn words_tell_some_refusals_apart() {
    for (message, kind) in [
        (
            "prompt is too long: 210000 tokens > 200000 maximum",
            ErrorKind::ContextLength,
        ),
        (
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
            ErrorKind::ContextLength,
        ),
        (
            "Your credit balance is too low to access the Anthropic API.",
            ErrorKind::Billing,
        ),
        (
            "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
            ErrorKind::QuotaExhausted,
        ),
        (
            "Output blocked by content filtering policy",
            ErrorKind::ContentFiltered,
        ),
        ("max_tokens: Field required", ErrorKind::InvalidRequest),
    ] {
        let body = said("invalid_request_error", message, "null");
        let error = of_response(&response(400, &[], &body));
        assert_eq!((error.kind, error.retryable), (kind, false), "{message}");
    }
}

#[test]
fn limits_that_waiting_does_not_cure_are_not_retried() {
    let spent = said(
        "rate_limit_error",
        "m",
        r#"{"error_code":"enforced_spend_limit_reached"}"#,
    );
    let error = of_response(&response(429, &[("x-should-retry", "true")], &spent));
    assert_eq!(
        (error.kind, error.retryable),
        (ErrorKind::QuotaExhausted, false)
    );
    assert_eq!(
        error.vendor_code.as_deref(),
        Some("enforced_spend_limit_reached")
    );
    let unpaid = said(
        "permission_error",
        "m",
        r#"{"error_code":"user_profile_not_billable"}"#,
    );
    assert_eq!(
        of_response(&response(403, &[], &unpaid)).kind,
        ErrorKind::Billing
    );
    let ramp = said(
        "rate_limit_error",
        "m",
        r#"{"error_code":"ramp_limit_exceeded"}"#,
    );
    let error = of_response(&response(429, &[], &ramp));
    assert_eq!(
        (error.kind, error.retryable),
        (ErrorKind::RateLimited, true)
    );
}

#[test]
fn the_vendors_word_on_retrying_counts() {
    let refused = said(
        "rate_limit_error",
        "one request above the minute's limit",
        "null",
    );
    let error = of_response(&response(429, &[("x-should-retry", "false")], &refused));
    assert_eq!(
        (error.kind, error.retryable),
        (ErrorKind::RateLimited, false)
    );
    let failed = said("api_error", "Internal server error", "null");
    assert!(!of_response(&response(500, &[("x-should-retry", "false")], &failed)).retryable);
}

#[test]
fn any_body_makes_an_error() {
    for (status, body, kind, message) in [
        (
            503,
            "upstream connect error",
            ErrorKind::Overloaded,
            "upstream connect error",
        ),
        (
            502,
            "<html>\n<b>Bad</b></html>",
            ErrorKind::Server,
            "<html> <b>Bad</b></html>",
        ),
        (
            404,
            r#"{"detail":"Not Found"}"#,
            ErrorKind::NotFound,
            "Not Found",
        ),
        (
            400,
            r#"{"error":"no model"}"#,
            ErrorKind::InvalidRequest,
            "no model",
        ),
        (
            400,
            r#"[{"error":{"message":"listed"}}]"#,
            ErrorKind::InvalidRequest,
            "listed",
        ),
        (
            400,
            r#"{"message":"prompt is too long"}"#,
            ErrorKind::ContextLength,
            "prompt is too long",
        ),
        (
            401,
            "",
            ErrorKind::Authentication,
            "HTTP status 401 without a body",
        ),
        (
            400,
            r#"{"error":{"message":{"a":1}}}"#,
            ErrorKind::InvalidRequest,
            r#"{"message":{"a":1}}"#,
        ),
        (400, "[]", ErrorKind::InvalidRequest, "[]"),
    ] {
        let error = of_response(&response(status, &[], body));
        assert_eq!(
            (error.kind, error.message.as_str()),
            (kind, message),
            "{body}"
        );
        assert_eq!(error.status, Some(status));
    }
}

#[test]
fn errors_in_a_success_get_their_kind_from_the_category() {
    let error = in_band(&said("overloaded_error", "Overloaded", "null"));
    assert_eq!((error.kind, error.retryable), (ErrorKind::Overloaded, true));
    assert_eq!(
        (error.status, error.vendor_code.as_deref()),
        (None, Some("overloaded_error"))
    );
    let error = in_band(&said("invalid_request_error", "prompt is too long", "null"));
    assert_eq!(
        (error.kind, error.retryable),
        (ErrorKind::ContextLength, false)
    );
    let error = in_band("{}");
    assert_eq!((error.kind, error.retryable), (ErrorKind::Server, true));
    assert!(!error.message.is_empty());
}

#[test]
fn compatible_servers_have_words_of_their_own() {
    for (status, category, message, kind) in [
        (
            400,
            "bad_request_error",
            "invalid params, context window exceeds limit",
            ErrorKind::ContextLength,
        ),
        (
            400,
            "invalid_request_error",
            "Your request exceeded model token limit: 131072 (requested: 140000)",
            ErrorKind::ContextLength,
        ),
        (
            500,
            "api_error",
            "the request exceeds the available context size, try increasing it",
            ErrorKind::ContextLength,
        ),
        (
            400,
            "validation_error",
            "Input is too long for requested model.",
            ErrorKind::ContextLength,
        ),
        (
            400,
            "invalid_request_error",
            "Invalid model name passed in model=gone",
            ErrorKind::NotFound,
        ),
        (
            429,
            "exceeded_current_quota_error",
            "suspended",
            ErrorKind::QuotaExhausted,
        ),
        (
            400,
            "invalid_request_error",
            "invalid api key",
            ErrorKind::Authentication,
        ),
        (
            500,
            "api_error",
            "image input is not supported by this server",
            ErrorKind::Unsupported,
        ),
    ] {
        let error = of_response(&response(status, &[], &said(category, message, "null")));
        assert_eq!((error.kind, error.retryable), (kind, false), "{message}");
    }
    let coded = |code: &str| {
        let body = format!(
            r#"{{"type":"error","error":{{"type":"rate_limit_error","code":"{code}","message":"m"}}}}"#
        );
        of_response(&response(429, &[], &body))
    };
    let unpaid = coded("1113");
    assert_eq!((unpaid.kind, unpaid.retryable), (ErrorKind::Billing, false));
    assert_eq!(unpaid.vendor_code.as_deref(), Some("1113"));
    assert_eq!(coded("1302").kind, ErrorKind::RateLimited);
}

#[test]
fn a_success_may_hold_an_error_in_any_shape() {
    for (body, words) in [
        (
            r#"{"base_resp":{"status_code":1004,"status_msg":"login fail"}}"#,
            "login fail",
        ),
        (
            r#"{"code":500,"msg":"no route","success":false}"#,
            "no route",
        ),
        (
            r#"{"errors":[{"code":7009,"message":"cannot route"}],"success":false}"#,
            "cannot route",
        ),
        (
            r#"{"type":"error","error":{"type":"api_error"}}"#,
            "api_error",
        ),
        (r#"{"error":"gone"}"#, "gone"),
    ] {
        let error = inside(&Json::parse(body).unwrap()).unwrap();
        assert!(error.message.contains(words), "{error:?}");
    }
    for answer in [
        r#"{"type":"message","content":[],"base_resp":{"status_code":0,"status_msg":""}}"#,
        r#"{"type":"message","content":[],"error":null}"#,
    ] {
        assert_eq!(inside(&Json::parse(answer).unwrap()), None, "{answer}");
    }
}
