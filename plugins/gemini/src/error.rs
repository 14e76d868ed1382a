//! What the vendor means by its errors.
//!
//! They are `google.rpc.Status` in JSON: <https://ai.google.dev/gemini-api/docs/troubleshooting>.
//! A stream that was asked for as an array wraps them in one; an event stream
//! answers with a bare body although it is labelled `text/event-stream`.

use multillm_plugin_sdk::error::{classify, kind_of_status, seconds_to_ms};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, ErrorKind, Response};

/// Classifies a response with a status of 400 or above.
pub(crate) fn failure(response: &Response) -> Error {
    let body = parse(&response.body).unwrap_or_default();
    let error = find(&body);
    let mut failure = classify(response, message(error).map(str::to_owned));
    refine(&mut failure, error);
    failure
}

/// Classifies an error that came inside a success: the value of its `error` field.
pub(crate) fn in_band(error: &Json<'_>) -> Error {
    let status = error
        .get("code")
        .and_then(Json::count)
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code));
    let known = status.or_else(|| error.text("status").and_then(http_status));
    let (kind, retryable) = known.map_or((ErrorKind::Server, true), kind_of_status);
    let message = message(error).unwrap_or("the vendor reported an error without a message");
    let mut failure = Error {
        status,
        retryable,
        ..Error::new(kind, message)
    };
    refine(&mut failure, error);
    failure
}

fn message<'v>(error: &'v Json<'_>) -> Option<&'v str> {
    error.str().or_else(|| error.text("message"))
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
fn parse(body: &str) -> Option<Json<'_>> {
    let body = body.trim_start_matches('\u{feff}').trim();
    Json::parse(body.strip_prefix("data:").unwrap_or(body)).ok()
}

/// The error within a body: the field `error` of it or of the first item that has one.
fn find<'v, 'a>(body: &'v Json<'a>) -> &'v Json<'a> {
    body.get("error")
        .or_else(|| body.list().iter().find_map(|item| item.get("error")))
        .unwrap_or(body)
}

/// The items of `details` of a type, such as `QuotaFailure`.
fn details<'v, 'a>(error: &'v Json<'a>, kind: &'v str) -> impl Iterator<Item = &'v Json<'a>> {
    let details = error.get("details").map_or(&[][..], Json::list);
    details.iter().filter(move |detail| {
        detail
            .text("@type")
            .is_some_and(|name| name.ends_with(kind))
    })
}

/// Adds what status words, reasons, details and well-known messages tell.
fn refine(failure: &mut Error, error: &Json<'_>) {
    let reason = details(error, "ErrorInfo").find_map(|detail| detail.text("reason"));
    let word = error.text("status").unwrap_or_default();
    let message = failure.message.to_ascii_lowercase();
    let says = |phrase: &str| message.contains(phrase);

    let (kind, retryable) = match (reason, failure.kind) {
        (Some("API_KEY_INVALID" | "API_KEY_EXPIRED"), _) => (ErrorKind::Authentication, false),
        (Some("BILLING_DISABLED"), _) => (ErrorKind::Billing, false),
        (_, ErrorKind::InvalidRequest) if says("api key not valid") || says("api key expired") => {
            (ErrorKind::Authentication, false)
        }
        (_, ErrorKind::InvalidRequest)
            if says("input token count") || (says("token") && says("exceeds the maximum")) =>
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
fn is_daily(error: &Json<'_>) -> bool {
    details(error, "QuotaFailure")
        .flat_map(|detail| detail.get("violations").map_or(&[][..], Json::list))
        .flat_map(|violation| [violation.text("quotaId"), violation.text("quotaMetric")])
        .flatten()
        .any(|quota| {
            let quota = quota.to_ascii_lowercase();
            quota.contains("perday") || quota.contains("per_day")
        })
}

/// A `google.protobuf.Duration` in milliseconds: `"34.4s"`, or seconds and nanoseconds apart.
fn delay(value: &Json<'_>) -> Option<u64> {
    let seconds = match value {
        Json::Text(text) => text.trim().strip_suffix('s')?.parse().ok()?,
        Json::Object(_) => {
            let field = |name| value.get(name).and_then(Json::float).unwrap_or(0.0);
            field("seconds") + field("nanos") / 1e9
        }
        _ => value.float()?,
    };
    seconds_to_ms(seconds)
}

#[cfg(test)]
mod tests;
