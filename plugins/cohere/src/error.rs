//! Cohere's failures: flat objects, and ends of answers that are errors.
//!
//! Statuses and messages: <https://docs.cohere.com/reference/errors>.

use multillm_plugin_sdk::error::classify;
use multillm_plugin_sdk::{Error, ErrorKind, Response};
use serde_json::value::RawValue;

use crate::wire::{Answer, Failure};

pub(crate) fn failure(response: &Response) -> Error {
    let body: Failure<'_> = serde_json::from_str(&response.body).unwrap_or_default();
    let mut error = classify(response, message(&body)).with_code(body.error_type);
    let said = error.message.to_ascii_lowercase();
    let (kind, retryable) = match response.status {
        400 | 422 if exceeds_context(error.vendor_code.as_deref(), &said) => {
            (ErrorKind::ContextLength, false)
        }
        // A trial key's calls of the month; its calls of the minute come back soon.
        429 if said.contains("month") => (ErrorKind::QuotaExhausted, false),
        498 if said.contains("deny") || said.contains("blocked") => {
            (ErrorKind::ContentFiltered, false)
        }
        498 => (ErrorKind::Authentication, false),
        // Whoever asked hung up, which is no failure of Cohere's.
        499 => (ErrorKind::Other, false),
        501 => (ErrorKind::Unsupported, false),
        _ => (error.kind, error.retryable),
    };
    error.kind = kind;
    error.retryable = retryable;
    error
}

/// The first text there is.
fn message(body: &Failure<'_>) -> Option<String> {
    let places = [body.message, body.error, body.detail];
    places.into_iter().flatten().find_map(told)
}

/// A text, or the message of an object in its place.
fn told(value: &RawValue) -> Option<String> {
    let text = |value: &RawValue| serde_json::from_str(value.get()).ok();
    let inner = || {
        serde_json::from_str::<Failure<'_>>(value.get())
            .ok()?
            .message
    };
    let told: Option<String> = text(value).or_else(|| text(inner()?));
    told.filter(|told| !told.is_empty())
}

fn exceeds_context(code: Option<&str>, message: &str) -> bool {
    code.is_some_and(|code| code.eq_ignore_ascii_case("TOO_MANY_TOKENS"))
        || message.starts_with("too many tokens")
}

/// The error that an answer of a success's status may turn out to be.
pub(crate) fn inside(answer: &Answer<'_>) -> Option<Error> {
    let said = answer.message.map(|message| message.get());
    let said = said.and_then(|message| serde_json::from_str::<String>(message).ok());
    let code = answer.error_type.clone();
    let message = answer.error.and_then(told).or(said);
    let message = message.or_else(|| code.clone())?;
    let kind = match code.as_deref().map(str::to_ascii_uppercase).as_deref() {
        code if exceeds_context(code, &message.to_ascii_lowercase()) => ErrorKind::ContextLength,
        Some(code) if code.contains("TIMEOUT") => ErrorKind::Timeout,
        _ => ErrorKind::Server,
    };
    Some(Error {
        retryable: kind != ErrorKind::ContextLength,
        ..Error::new(kind, message).with_code(code)
    })
}

#[cfg(test)]
mod tests;
