//! Failures as Cohere and what stands before it send them.

use multillm_plugin_sdk::{Error, ErrorKind, Provider};

use crate::Cohere;
use crate::tests::{response, target};

fn error(status: u16, body: &str) -> Error {
    Cohere::decode_error(&target("{}"), &response(status, body))
}

#[test]
fn kinds_by_status_code_and_words() {
    for (status, body, kind, retryable) in [
        (
            400,
            r#"{"id":"a","message":"invalid request"}"#,
            ErrorKind::InvalidRequest,
            false,
        ),
        (
            400,
            r#"{"message":"too much","error_type":"TOO_MANY_TOKENS"}"#,
            ErrorKind::ContextLength,
            false,
        ),
        (
            400,
            r#"{"message":"too many tokens: total 9 exceeds 8"}"#,
            ErrorKind::ContextLength,
            false,
        ),
        (
            401,
            r#"{"id":"a","message":"invalid api token"}"#,
            ErrorKind::Authentication,
            false,
        ),
        (
            402,
            r#"{"message":"add a payment method"}"#,
            ErrorKind::Billing,
            false,
        ),
        (403, "{}", ErrorKind::Permission, false),
        (
            404,
            r#"{"id":"a","message":"model 'x' not found"}"#,
            ErrorKind::NotFound,
            false,
        ),
        (422, r#"{"message":"no"}"#, ErrorKind::InvalidRequest, false),
        (
            429,
            r#"{"message":"limited to 20 API calls / minute"}"#,
            ErrorKind::RateLimited,
            true,
        ),
        (
            429,
            r#"{"message":"limited to 1000 API calls / month"}"#,
            ErrorKind::QuotaExhausted,
            false,
        ),
        (
            498,
            r#"{"message":"invalid token"}"#,
            ErrorKind::Authentication,
            false,
        ),
        (
            498,
            r#"{"message":"a deny-listed token"}"#,
            ErrorKind::ContentFiltered,
            false,
        ),
        (
            499,
            r#"{"message":"request cancelled"}"#,
            ErrorKind::Other,
            false,
        ),
        (500, r#"{"message":"internal"}"#, ErrorKind::Server, true),
        (
            501,
            r#"{"message":"not implemented"}"#,
            ErrorKind::Unsupported,
            false,
        ),
        (503, "upstream connect error", ErrorKind::Overloaded, true),
        (504, "", ErrorKind::Timeout, true),
    ] {
        let error = error(status, body);
        assert_eq!(
            (error.kind, error.retryable),
            (kind, retryable),
            "{status} {body}"
        );
        assert_eq!(error.status, Some(status));
    }
}

#[test]
fn the_message_is_the_vendor_s_own() {
    let own = error(
        400,
        r#"{"id":"a","message":"no such thing","error_type":"X"}"#,
    );
    assert_eq!(own.message, "no such thing");
    assert_eq!(own.vendor_code.as_deref(), Some("X"));
    for (body, message) in [
        (r#"{"error":{"message":"proxy"}}"#, "proxy"),
        (r#"{"error":"plain"}"#, "plain"),
        (r#"{"message":"","detail":{"message":"inner"}}"#, "inner"),
        (r#"{"message":["a"]}"#, "a"),
        ("<html>\n<b>no</b>", "<html> <b>no</b>"),
    ] {
        assert_eq!(error(400, body).message, message);
    }
    assert!(error(400, "").message.contains("400"));
}

#[test]
fn gateways_have_words_of_their_own() {
    for (status, body, kind) in [
        (
            500,
            r#"{"error":{"message":"the request exceeds the available context size"}}"#,
            ErrorKind::ContextLength,
        ),
        (
            400,
            r#"{"error":{"message":"Invalid model name passed in model=gone"}}"#,
            ErrorKind::NotFound,
        ),
        (
            429,
            r#"{"error":{"type":"exceeded_current_quota_error","message":"suspended"}}"#,
            ErrorKind::QuotaExhausted,
        ),
        (
            400,
            r#"{"message":"invalid api key"}"#,
            ErrorKind::Authentication,
        ),
    ] {
        let error = error(status, body);
        assert_eq!((error.kind, error.retryable), (kind, false), "{body}");
    }
}
