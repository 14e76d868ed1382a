//! Failures: what the vendor means by its own words.
//!
//! The shape is `{"type":"error","error":{"type","message","details"?},"request_id"?}`, but what
//! stands between us and the vendor answers too, with anything.

use multillm_plugin_sdk::error::{classify, kind_of_status};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, ErrorKind, Response};

/// What a body says.
#[derive(Default)]
struct Said {
    /// The broad category: `rate_limit_error`.
    category: Option<String>,
    /// The narrow one: `enforced_spend_limit_reached`.
    code: Option<String>,
    message: Option<String>,
}

/// Classifies a response of status 400 and above.
pub(crate) fn of_response(response: &Response) -> Error {
    let said = read(&response.body);
    let mut error = classify(response, said.message.clone());
    refine(&mut error, &said);
    error.with_code(said.code.or(said.category))
}

/// Classifies an error that came with status 200, as a body or as an event of a stream.
pub(crate) fn in_band(body: &str) -> Error {
    let said = read(body);
    let (kind, retryable) = kind_of_status(status_of(said.category.as_deref()));
    let message = said
        .message
        .clone()
        .filter(|text| !text.trim().is_empty())
        .unwrap_or_else(|| "the vendor reported an error without a message".to_owned());
    let mut error = Error {
        retryable,
        ..Error::new(kind, message)
    };
    refine(&mut error, &said);
    error.with_code(said.code.or(said.category))
}

fn read(body: &str) -> Said {
    let parsed = Json::parse(body).unwrap_or_default();
    // Some gateways wrap the object in a list.
    let outer = parsed.list().first().unwrap_or(&parsed);
    let word = |of: &Json<'_>, key: &str| of.text(key).map(str::to_owned);
    match outer.get("error") {
        Some(inner @ Json::Object(_)) => Said {
            category: word(inner, "type"),
            code: inner.get("details").and_then(|of| word(of, "error_code")),
            message: inner.get("message").map(words),
        },
        other => Said {
            category: word(outer, "type").filter(|kind| kind != "error"),
            code: None,
            message: (outer.get("message").or(outer.get("detail")).or(other)).map(words),
        },
    }
}

fn words(value: &Json<'_>) -> String {
    match value {
        Json::Text(text) => text.to_string(),
        other => other.to_string(),
    }
}

/// The status that goes with a category by the vendor's list of errors.
fn status_of(category: Option<&str>) -> u16 {
    match category {
        Some("invalid_request_error") => 400,
        Some("authentication_error") => 401,
        Some("billing_error") => 402,
        Some("permission_error") => 403,
        Some("not_found_error") => 404,
        Some("conflict_error") => 409,
        Some("request_too_large") => 413,
        Some("rate_limit_error") => 429,
        Some("timeout_error") => 504,
        Some("overloaded_error") => 529,
        _ => 500,
    }
}

fn refine(error: &mut Error, said: &Said) {
    let category = said.category.as_deref();
    let is_specific = !matches!(
        category,
        None | Some("invalid_request_error" | "api_error" | "conflict_error")
    );
    let status = status_of(category);
    // 500 is also what an unknown category gets: it says less than the status at hand.
    if is_specific && status != 500 {
        error.kind = kind_of_status(status).0;
    }
    if let Some(kind) = said.code.as_deref().and_then(kind_of_code) {
        (error.kind, error.retryable) = (kind, false);
    } else if matches!(
        error.kind,
        ErrorKind::InvalidRequest | ErrorKind::PayloadTooLarge
    ) && let Some(kind) = kind_of_message(&error.message)
    {
        (error.kind, error.retryable) = (kind, false);
    }
}

/// Codes of `error.details` that waiting does not cure.
fn kind_of_code(code: &str) -> Option<ErrorKind> {
    if code.ends_with("spend_limit_reached") {
        Some(ErrorKind::QuotaExhausted)
    } else if code.contains("billing") || code.ends_with("not_billable") {
        Some(ErrorKind::Billing)
    } else if code == "organization_on_hold" {
        Some(ErrorKind::Permission)
    } else {
        None
    }
}

/// Refusals that the vendor tells apart by words alone.
fn kind_of_message(message: &str) -> Option<ErrorKind> {
    const SIGNS: [(&str, ErrorKind); 8] = [
        ("prompt is too long", ErrorKind::ContextLength),
        ("exceed context limit", ErrorKind::ContextLength),
        ("exceeds the context window", ErrorKind::ContextLength),
        ("exceed the context window", ErrorKind::ContextLength),
        ("maximum context length", ErrorKind::ContextLength),
        ("credit balance is too low", ErrorKind::Billing),
        ("api usage limits", ErrorKind::QuotaExhausted),
        ("blocked by content filtering", ErrorKind::ContentFiltered),
    ];
    let message = message.to_ascii_lowercase();
    SIGNS
        .iter()
        .find(|(sign, _)| message.contains(sign))
        .map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests;
