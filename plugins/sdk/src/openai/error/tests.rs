use super::*;
use crate::ErrorKind;
use crate::error::{Report, Sign};
use crate::testing::response;

fn read(status: u16, body: &str) -> Error {
    decode_error(&Dialect::default(), &response(status, body))
}

#[test]
fn every_shape_gives_its_words() {
    for (body, message, code) in [
        (
            r#"{"error":{"message":"m","type":"t","param":null,"code":"c"}}"#,
            "m",
            Some("c"),
        ),
        (
            r#"{"error":{"message":"m","type":"t","code":null}}"#,
            "m",
            Some("t"),
        ),
        (
            r#"{"error":{"code":"401","message":"m"}}"#,
            "m",
            Some("401"),
        ),
        (
            r#"{"error":{"code":400,"message":"m","type":"t"}}"#,
            "m",
            Some("t"),
        ),
        (r#"{"error":{"message":"m","details":"d"}}"#, "m: d", None),
        (
            r#"{"error":{"message":"m","metadata":{"raw":"upstream"}}}"#,
            "m: upstream",
            None,
        ),
        (r#"{"error":{"code":"c"}}"#, r#"{"code":"c"}"#, Some("c")),
        (r#"{"error":"m"}"#, "m", None),
        (r#"{"error":["a","b"]}"#, "a; b", None),
        (
            r#"{"error":"m","error_type":"validation"}"#,
            "m",
            Some("validation"),
        ),
        (r#"{"error":"m","warnings":["w"]}"#, "m: w", None),
        (
            r#"{"object":"error","message":"m","code":40003}"#,
            "m",
            Some("40003"),
        ),
        (r#"{"message":"m","request_id":"r"}"#, "m", None),
        (
            r#"{"detail":[{"loc":["body"],"msg":"a"},{"msg":"b"}]}"#,
            "a; b",
            None,
        ),
        (r#"[{"error":{"message":"m"}}]"#, "m", None),
        ("Not Found", "Not Found", None),
        ("<html>\n <p>no</p></html>", "<html> <p>no</p></html>", None),
        ("", "HTTP status 418 without a body", None),
        (r#"{"error":{}}"#, r#"{"error":{}}"#, None),
    ] {
        let error = read(418, body);
        assert_eq!(error.message, message, "{body}");
        assert_eq!(error.vendor_code.as_deref(), code, "{body}");
        assert_eq!(error.status, Some(418));
    }
}

#[test]
fn signs_say_more_than_the_status() {
    use ErrorKind::{
        Authentication, ContentFiltered, ContextLength, InvalidRequest, NotFound, Overloaded,
        QuotaExhausted, RateLimited, Server,
    };
    for (status, body, kind, retryable) in [
        (
            429,
            r#"{"error":{"message":"m","type":"insufficient_quota","code":null}}"#,
            QuotaExhausted,
            false,
        ),
        (
            429,
            r#"{"error":{"message":"m","code":"credit_balance_exhausted"}}"#,
            QuotaExhausted,
            false,
        ),
        (
            429,
            r#"{"error":{"message":"Request too large for m: Limit 1, Requested 2","type":"tokens","code":"rate_limit_exceeded"}}"#,
            RateLimited,
            false,
        ),
        (
            429,
            r#"{"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}}"#,
            RateLimited,
            true,
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#,
            ContextLength,
            false,
        ),
        (
            422,
            r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 9","error_type":"validation"}"#,
            ContextLength,
            false,
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            ContentFiltered,
            false,
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"unsupported_parameter","param":"stop"}}"#,
            InvalidRequest,
            false,
        ),
        (
            404,
            r#"{"error":{"message":"m","code":"DeploymentNotFound"}}"#,
            NotFound,
            false,
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"invalid_api_key"}}"#,
            Authentication,
            false,
        ),
        (
            500,
            r#"{"error":{"message":"m","type":"server_error"}}"#,
            Server,
            true,
        ),
        (503, "upstream connect error", Overloaded, true),
    ] {
        let error = read(status, body);
        assert_eq!((error.kind, error.retryable), (kind, retryable), "{body}");
    }
}

#[test]
fn a_waiting_time_in_the_body_is_kept() {
    let error = read(
        503,
        r#"{"error":"Model m is currently loading","estimated_time":20.5}"#,
    );
    assert_eq!(error.retry_after_ms, Some(20_500));
    assert!(error.retryable);
    let odd = read(503, r#"{"error":"m","estimated_time":-1}"#);
    assert_eq!(odd.retry_after_ms, None);
}

#[test]
fn a_vendors_own_signs_come_first() {
    const OWN: &[Sign] = &[Sign {
        statuses: &[],
        codes: &["insufficient_quota"],
        messages: &[],
        kind: ErrorKind::Billing,
        retryable: false,
    }];
    let dialect = Dialect {
        errors: OWN,
        ..Dialect::default()
    };
    let body = r#"{"error":{"message":"m","code":"insufficient_quota"}}"#;
    let error = decode_error(&dialect, &response(429, body));
    assert_eq!(error.kind, ErrorKind::Billing);
}

#[test]
fn an_error_inside_an_answer_goes_by_what_it_says() {
    let dialect = Dialect::default();
    for (body, kind, status) in [
        (
            r#"{"error":{"message":"m","type":"server_error"}}"#,
            ErrorKind::Server,
            None,
        ),
        (
            r#"{"error":{"message":"m","code":429}}"#,
            ErrorKind::RateLimited,
            Some(429),
        ),
        (
            r#"{"error":{"message":"m","http_status_code":422}}"#,
            ErrorKind::InvalidRequest,
            Some(422),
        ),
        (
            r#"{"error":"m","error_type":"validation"}"#,
            ErrorKind::InvalidRequest,
            None,
        ),
        (
            r#"{"error":"m","error_type":"overloaded"}"#,
            ErrorKind::Overloaded,
            None,
        ),
        (
            r#"{"error":{"message":"m","type":"invalid_request_error"}}"#,
            ErrorKind::InvalidRequest,
            None,
        ),
        (
            r#"{"error":{"message":"m","type":"authentication_error"}}"#,
            ErrorKind::Authentication,
            None,
        ),
        (
            r#"{"error":{"message":"m","type":"permission_error"}}"#,
            ErrorKind::Permission,
            None,
        ),
        (
            r#"{"error":{"message":"m","type":"NotFoundError"}}"#,
            ErrorKind::NotFound,
            None,
        ),
    ] {
        let error = Report::read(body).unwrap().into_error(dialect.errors);
        assert_eq!((error.kind, error.status), (kind, status), "{body}");
    }
}

#[test]
fn what_is_no_error_is_none() {
    for body in [
        r#"{"type":"ping"}"#,
        "{}",
        "[]",
        "7",
        r#"{"error":null}"#,
        r#"{"error":false}"#,
        r#"{"error":""}"#,
        r#"{"error":{}}"#,
    ] {
        assert_eq!(Report::read(body), None, "{body}");
    }
}

#[test]
fn the_servers_no_is_stronger_than_a_sign() {
    let body = r#"{"error":{"message":"m","code":"server_is_overloaded"}}"#;
    let mut answer = response(503, body);
    assert!(decode_error(&Dialect::default(), &answer).retryable);
    answer.headers = vec![("x-should-retry".into(), "false".into())];
    let error = decode_error(&Dialect::default(), &answer);
    assert_eq!(error.kind, ErrorKind::Overloaded);
    assert!(!error.retryable);
}

#[test]
fn words_beside_an_error_are_its_own() {
    for (body, message) in [
        (r#"{"error":true,"message":"m"}"#, "m"),
        (r#"{"error":{},"message":"m"}"#, "m"),
        (
            r#"{"error":"Unauthorized","message":"Invalid token"}"#,
            "Unauthorized: Invalid token",
        ),
        (r#"{"error":{"message":"m"},"message":"m"}"#, "m"),
    ] {
        let error = decode_error(&Dialect::default(), &response(401, body));
        assert_eq!(error.message, message, "{body}");
    }
}
