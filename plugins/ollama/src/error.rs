//! Ollama's failures: `{"error": "text"}` as a reply with a status or as a line of a stream.
//!
//! Ollama has no codes, so the text tells: <https://docs.ollama.com/api/errors>.

use multillm_plugin_sdk::error::classify;
use multillm_plugin_sdk::{Error, ErrorKind, Response};
use serde_json::Value;
use serde_json::value::RawValue;

/// What a failure's text says, by pieces of it, and whether waiting helps.
const SIGNS: [(&str, ErrorKind, bool); 10] = [
    ("does not support", ErrorKind::Unsupported, false),
    (
        "is not supported for this model",
        ErrorKind::Unsupported,
        false,
    ),
    ("prompt too long", ErrorKind::ContextLength, false),
    ("prompt is too long", ErrorKind::ContextLength, false),
    ("max context length", ErrorKind::ContextLength, false),
    ("maximum context length", ErrorKind::ContextLength, false),
    ("exceeds the context", ErrorKind::ContextLength, false),
    ("usage limit", ErrorKind::QuotaExhausted, false),
    ("server busy", ErrorKind::Overloaded, true),
    ("request canceled", ErrorKind::Other, false),
];

/// A reply whose status says that it failed.
pub(crate) fn refusal(response: &Response) -> Error {
    let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
    let mut error = classify(response, text(&body));
    if let Some((kind, retryable)) = sign(&error.message) {
        error.kind = kind;
        error.retryable = retryable;
    }
    error
}

/// The value of `error` where there was no status to tell of it.
pub(crate) fn failure(error: &RawValue) -> Error {
    let value: Value = serde_json::from_str(error.get()).unwrap_or_default();
    let message = match &value {
        Value::String(message) => message.clone(),
        other => text(other).unwrap_or_else(|| error.get().to_owned()),
    };
    let lost = message.contains("model") && message.contains("not found");
    let (kind, retryable) = sign(&message).unwrap_or(if lost {
        (ErrorKind::NotFound, false)
    } else if message.eq_ignore_ascii_case("unauthorized") {
        (ErrorKind::Authentication, false)
    } else {
        (ErrorKind::Server, true)
    });
    Error {
        retryable,
        ..Error::new(kind, message)
    }
}

/// The message, also as the proxies before an Ollama write it.
fn text(body: &Value) -> Option<String> {
    ["/error", "/error/message", "/message"]
        .into_iter()
        .find_map(|pointer| body.pointer(pointer).and_then(Value::as_str))
        .map(str::to_owned)
}

fn sign(message: &str) -> Option<(ErrorKind, bool)> {
    let message = message.to_ascii_lowercase();
    let found = SIGNS.iter().find(|(sign, ..)| message.contains(sign));
    found.map(|(_, kind, retryable)| (*kind, *retryable))
}

#[cfg(test)]
mod tests;
