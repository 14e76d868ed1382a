//! What the vendor means by its errors.
//!
//! They are `google.rpc.Status` in JSON: <https://ai.google.dev/gemini-api/docs/troubleshooting>.
//! A stream that was asked for as an array wraps them in one; an event stream
//! answers with a bare body although it is labelled `text/event-stream`.

use multillm_plugin_sdk::error::{classify, kind_of_status, seconds_to_ms};
use multillm_plugin_sdk::{Error, ErrorKind, Response};
use serde_json::Value;

/// Classifies a response with a status of 400 or above.
pub(crate) fn failure(response: &Response) -> Error {
    let body = parse(&response.body);
    let error = body.as_ref().map(find).unwrap_or(&Value::Null);
    let message = error.as_str().or_else(|| text(error, "message"));
    let mut failure = classify(response, message.map(str::to_owned));
    refine(&mut failure, error);
    failure
}

/// Classifies an error that came inside a success: the value of its `error` field.
pub(crate) fn in_band(json: &str) -> Error {
    let error = serde_json::from_str(json).unwrap_or(Value::Null);
    let message = error.as_str().or_else(|| text(&error, "message"));
    let status = error
        .get("code")
        .and_then(Value::as_u64)
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code));
    let known = status.or_else(|| text(&error, "status").and_then(http_status));
    let (kind, retryable) = known.map_or((ErrorKind::Server, true), kind_of_status);
    let mut failure = Error {
        status,
        retryable,
        ..Error::new(
            kind,
            message.unwrap_or("the vendor reported an error without a message"),
        )
    };
    refine(&mut failure, &error);
    failure
}

/// The HTTP status of a status word, by `google/rpc/code.proto`.
fn http_status(word: &str) -> Option<u16> {
    Some(match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ALREADY_EXISTS" | "ABORTED" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" => 500,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => return None,
    })
}

/// The body as JSON, also behind a byte order mark or a `data:`.
fn parse(body: &str) -> Option<Value> {
    let body = body.trim_start_matches('\u{feff}').trim();
    let body = body.strip_prefix("data:").unwrap_or(body);
    serde_json::from_str(body).ok()
}

/// The error within a body: the field `error` of it or of the first item that has one.
fn find(body: &Value) -> &Value {
    let items = match body {
        Value::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(body),
    };
    items
        .iter()
        .find_map(|item| item.get("error"))
        .unwrap_or(body)
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

/// The items of `details` of a type, such as `QuotaFailure`.
fn details<'a>(error: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    error
        .get("details")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(move |detail| text(detail, "@type").is_some_and(|name| name.ends_with(kind)))
}

/// Adds what status words, reasons, details and well-known messages tell.
fn refine(failure: &mut Error, error: &Value) {
    let reason = details(error, "ErrorInfo").find_map(|detail| text(detail, "reason"));
    let word = text(error, "status").unwrap_or_default();
    let message = failure.message.to_ascii_lowercase();
    let says = |phrase: &str| message.contains(phrase);

    let (kind, retryable) = match (reason, failure.kind) {
        (Some("API_KEY_INVALID" | "API_KEY_EXPIRED"), _) => (ErrorKind::Authentication, false),
        (Some("BILLING_DISABLED"), _) => (ErrorKind::Billing, false),
        (_, ErrorKind::InvalidRequest) if says("api key not valid") || says("api key expired") => {
            (ErrorKind::Authentication, false)
        }
        (_, ErrorKind::InvalidRequest)
            if says("token") && (says("exceeds the maximum") || says("exceed the maximum")) =>
        {
            (ErrorKind::ContextLength, false)
        }
        (_, ErrorKind::InvalidRequest) if says("payload size exceeds") => {
            (ErrorKind::PayloadTooLarge, false)
        }
        (_, ErrorKind::InvalidRequest) if word == "FAILED_PRECONDITION" && says("billing") => {
            (ErrorKind::Billing, false)
        }
        (_, ErrorKind::InvalidRequest) if word == "FAILED_PRECONDITION" && says("location") => {
            (ErrorKind::Permission, false)
        }
        (_, ErrorKind::RateLimited)
            if is_daily(error) || says("credits are depleted") || says("spending cap") =>
        {
            (ErrorKind::QuotaExhausted, false)
        }
        (_, ErrorKind::Server) if word == "UNIMPLEMENTED" => (ErrorKind::Unsupported, false),
        (_, kind) => (kind, failure.retryable),
    };
    failure.kind = kind;
    failure.retryable = retryable;
    failure.vendor_code = reason
        .or(Some(word))
        .filter(|code| !code.is_empty())
        .map(str::to_owned);
    failure.retry_after_ms =
        details(error, "RetryInfo").find_map(|detail| delay(detail.get("retryDelay")?));
}

/// Whether a quota of a day is used up, which no short wait helps.
fn is_daily(error: &Value) -> bool {
    details(error, "QuotaFailure")
        .filter_map(|detail| detail.get("violations")?.as_array())
        .flatten()
        .flat_map(|violation| [text(violation, "quotaId"), text(violation, "quotaMetric")])
        .flatten()
        .any(|quota| {
            let quota = quota.to_ascii_lowercase();
            quota.contains("perday") || quota.contains("per_day")
        })
}

/// A `google.protobuf.Duration` in milliseconds: `"34.4s"`, or seconds and nanoseconds apart.
fn delay(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::String(text) => text.trim().strip_suffix('s')?.parse().ok()?,
        Value::Object(_) => {
            let field = |name| value.get(name).and_then(Value::as_f64).unwrap_or(0.0);
            field("seconds") + field("nanos") / 1e9
        }
        _ => value.as_f64()?,
    };
    seconds_to_ms(seconds)
}

#[cfg(test)]
mod tests;
