//! Errors, as each wire writes them.

use multillm::{Error, ErrorKind};
use serde_json::{Value, json};

use super::{Face, framing};

/// An error in place of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// Headers that SDKs look for: when and whether to try again.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// An error in place of an answer.
pub(super) fn refused(face: Face, error: &Error) -> Refused {
    let mut headers = vec![("x-should-retry", error.retryable.to_string())];
    if let Some(wait) = error.retry_after_ms {
        headers.push(("retry-after", wait.div_ceil(1000).to_string()));
        headers.push(("retry-after-ms", wait.to_string()));
    }
    Refused {
        status: status(face, error),
        headers,
        body: framing::body(&told(face, error)),
    }
}

/// The error as the wire's object, the same within a stream.
pub(super) fn told(face: Face, error: &Error) -> Value {
    let message = message(error);
    match face {
        Face::OpenAiChat | Face::OpenAiResponses => json!({ "error": openai(error) }),
        Face::AnthropicMessages => json!({
            "type": "error",
            "error": { "type": anthropic_type(error), "message": message },
        }),
        Face::OllamaChat | Face::OllamaGenerate => json!({ "error": message }),
        Face::Gemini => json!({ "error": {
            "code": status(face, error),
            "message": message,
            "status": google_status(error),
        }}),
        Face::CohereChat => match error.kind {
            ErrorKind::ContextLength => {
                json!({ "message": message, "error_type": "TOO_MANY_TOKENS" })
            }
            _ => json!({ "message": message }),
        },
    }
}

/// What stands under `error` in OpenAI's wires.
pub(super) fn openai(error: &Error) -> Value {
    json!({
        "message": message(error),
        "type": openai_type(error),
        "param": null,
        "code": openai_code(error),
    })
}

/// The words. Clients look for some of their vendor's: who asks for a shorter conversation finds them.
fn message(error: &Error) -> String {
    let message = error.message.as_str();
    match error.kind {
        ErrorKind::ContextLength
            if !message.contains("maximum") && !message.contains("too long") =>
        {
            format!("prompt is too long for the maximum context length of the model: {message}")
        }
        _ => message.to_owned(),
    }
}

/// The HTTP status. A failure of the vendor's keeps the status of its class in the caller's wire, not its number.
fn status(face: Face, error: &Error) -> u16 {
    match error.kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextLength
        | ErrorKind::ContentFiltered => match error.status {
            // What SDKs tell apart within the class.
            Some(status @ (409 | 422)) if error.kind == ErrorKind::InvalidRequest => status,
            _ => 400,
        },
        ErrorKind::Authentication => 401,
        ErrorKind::Billing => 402,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::PayloadTooLarge => 413,
        ErrorKind::RateLimited | ErrorKind::QuotaExhausted => 429,
        ErrorKind::Timeout => 504,
        ErrorKind::Overloaded if face == Face::AnthropicMessages => 529,
        ErrorKind::Overloaded => 503,
        ErrorKind::Truncated | ErrorKind::MalformedResponse | ErrorKind::Unavailable => 502,
        ErrorKind::Cancelled => 499,
        _ => 500,
    }
}

fn openai_type(error: &Error) -> &'static str {
    match error.kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextLength
        | ErrorKind::ContentFiltered
        | ErrorKind::NotFound
        | ErrorKind::PayloadTooLarge => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::Billing | ErrorKind::QuotaExhausted => "insufficient_quota",
        ErrorKind::RateLimited => "rate_limit_error",
        ErrorKind::Timeout => "timeout_error",
        _ => "server_error",
    }
}

/// The vendor's own code says more than the class; where it gave none, OpenAI's word for the kind.
fn openai_code(error: &Error) -> Option<&str> {
    let word = match error.kind {
        ErrorKind::ContextLength => Some("context_length_exceeded"),
        ErrorKind::ContentFiltered => Some("content_filter"),
        ErrorKind::Authentication => Some("invalid_api_key"),
        ErrorKind::NotFound => Some("model_not_found"),
        ErrorKind::RateLimited => Some("rate_limit_exceeded"),
        ErrorKind::QuotaExhausted | ErrorKind::Billing => Some("insufficient_quota"),
        ErrorKind::Overloaded => Some("server_is_overloaded"),
        ErrorKind::Unsupported => Some("unsupported_parameter"),
        _ => None,
    };
    word.or(error.vendor_code.as_deref())
        .or(Some(error.kind.as_str()))
}

fn anthropic_type(error: &Error) -> &'static str {
    match error.kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextLength
        | ErrorKind::ContentFiltered => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::Billing => "billing_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::PayloadTooLarge => "request_too_large",
        ErrorKind::RateLimited | ErrorKind::QuotaExhausted => "rate_limit_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::Overloaded => "overloaded_error",
        _ => "api_error",
    }
}

fn google_status(error: &Error) -> &'static str {
    match error.kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextLength
        | ErrorKind::ContentFiltered
        | ErrorKind::PayloadTooLarge => "INVALID_ARGUMENT",
        ErrorKind::Authentication => "UNAUTHENTICATED",
        ErrorKind::Permission | ErrorKind::Billing => "PERMISSION_DENIED",
        ErrorKind::NotFound => "NOT_FOUND",
        ErrorKind::RateLimited | ErrorKind::QuotaExhausted => "RESOURCE_EXHAUSTED",
        ErrorKind::Timeout => "DEADLINE_EXCEEDED",
        ErrorKind::Overloaded | ErrorKind::Unavailable => "UNAVAILABLE",
        ErrorKind::Cancelled => "CANCELLED",
        _ => "INTERNAL",
    }
}
