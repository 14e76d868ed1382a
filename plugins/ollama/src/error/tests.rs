//! Failures as Ollama, its cloud and proxies before it send them.

use multillm_plugin_sdk::{ErrorKind, Provider};

use crate::Ollama;
use crate::tests::{response, target};

#[test]
fn kinds_by_status_and_text() {
    use ErrorKind as K;
    for (status, body, kind, retryable) in [
        (
            400,
            r#"{"error":"model is required"}"#,
            K::InvalidRequest,
            false,
        ),
        (
            400,
            r#"{"error":"registry.ollama.ai/library/llama2:latest does not support tools"}"#,
            K::Unsupported,
            false,
        ),
        (
            400,
            r#"{"error":"\"m\" does not support thinking"}"#,
            K::Unsupported,
            false,
        ),
        (
            400,
            r#"{"error":"think value \"low\" is not supported for this model"}"#,
            K::Unsupported,
            false,
        ),
        (
            400,
            r#"{"error":"prompt too long; exceeded max context length by 9 tokens"}"#,
            K::ContextLength,
            false,
        ),
        (
            400,
            r#"{"error":"the request exceeds the available context size, try increasing it"}"#,
            K::ContextLength,
            false,
        ),
        (
            500,
            r#"{"error":{"code":500,"message":"image input is not supported - hint: provide the mmproj"}}"#,
            K::Unsupported,
            false,
        ),
        (
            500,
            r#"{"error":"this model is missing data required for image input"}"#,
            K::Unsupported,
            false,
        ),
        (
            400,
            r#"{"error":{"message":"Invalid model name passed in model=gone"}}"#,
            K::NotFound,
            false,
        ),
        (
            500,
            r#"{"error":"the input length exceeds the context length"}"#,
            K::ContextLength,
            false,
        ),
        (
            401,
            r#"{"error":"unauthorized","signin_url":"https://ollama.com/connect"}"#,
            K::Authentication,
            false,
        ),
        (
            403,
            r#"{"error":"cloud is disabled"}"#,
            K::Permission,
            false,
        ),
        (
            404,
            r#"{"error":"model 'nope' not found"}"#,
            K::NotFound,
            false,
        ),
        (404, "404 page not found", K::NotFound, false),
        (
            429,
            r#"{"error":"too many concurrent requests"}"#,
            K::RateLimited,
            true,
        ),
        (
            429,
            r#"{"error":"you have reached your weekly usage limit"}"#,
            K::QuotaExhausted,
            false,
        ),
        (499, r#"{"error":"request canceled"}"#, K::Other, false),
        (
            500,
            r#"{"error":"model requires more system memory (9 GiB) than is available"}"#,
            K::Server,
            true,
        ),
        (502, "<html>Bad Gateway</html>", K::Server, true),
        (
            503,
            r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#,
            K::Overloaded,
            true,
        ),
    ] {
        let error = Ollama::decode_error(&target("{}"), &response(status, body));
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
    for (body, message) in [
        (
            r#"{"error":"model 'nope' not found"}"#,
            "model 'nope' not found",
        ),
        (
            r#"{"error":{"message":"by a proxy","code":9}}"#,
            "by a proxy",
        ),
        (r#"{"message":"by another"}"#, "by another"),
        ("plain\ntext", "plain text"),
        ("[]", "[]"),
    ] {
        let error = Ollama::decode_error(&target("{}"), &response(404, body));
        assert_eq!(error.message, message);
    }
}
