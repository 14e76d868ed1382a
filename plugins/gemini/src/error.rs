//! What the vendor means by its errors.
//!
//! They are `google.rpc.Status` in JSON: <https://ai.google.dev/gemini-api/docs/troubleshooting>.
//! A stream that was asked for as an array wraps them in one; an event stream
//! answers with a bare body although it is labelled `text/event-stream`.

use multillm_plugin_sdk::error::{Report, Sign, decode_error, kind_of_status};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, ErrorKind, Response};

/// A sign that waiting does not cure, but for a limit of the minute.
const fn sign(
    statuses: &'static [u16],
    codes: &'static [&'static str],
    messages: &'static [&'static str],
    kind: ErrorKind,
) -> Sign {
    let passes = matches!(kind, ErrorKind::RateLimited);
    Sign::new(statuses, codes, messages, kind, passes)
}

/// What is told by codes and words of this vendor's.
const SIGNS: &[Sign] = &[
    sign(&[], &["billing_disabled"], &[], ErrorKind::Billing),
    sign(
        &[400],
        &[],
        &["enable billing", "billing account"],
        ErrorKind::Billing,
    ),
    sign(
        &[400],
        &[],
        &["location is not supported"],
        ErrorKind::Permission,
    ),
    sign(
        &[400],
        &[],
        &["input token count", "token*exceeds the maximum"],
        ErrorKind::ContextLength,
    ),
    // A limit of the minute unless it says otherwise.
    sign(
        &[429],
        &["perday"],
        &["credits are depleted", "spending cap"],
        ErrorKind::QuotaExhausted,
    ),
    sign(
        &[429],
        &[],
        &["resource exhausted", "resource has been exhausted"],
        ErrorKind::RateLimited,
    ),
    sign(&[501], &["unimplemented"], &[], ErrorKind::Unsupported),
];

/// Classifies a response with a status of 400 or above.
pub(crate) fn failure(response: &Response) -> Error {
    let mut failure = decode_error(SIGNS, response);
    if let Some(reason) = parse(&response.body).as_ref().and_then(reason) {
        failure.vendor_code = Some(reason);
    }
    failure
}

/// The error that a success turns out to be, if it does.
pub(crate) fn inside(answer: &Json<'_>) -> Option<Error> {
    if let Some(failure) = answer.get("error") {
        return Some(in_band(failure));
    }
    Report::inside(answer).map(|report| report.into_error(SIGNS))
}

/// Classifies an error that came inside a success: the value of its `error` field.
fn in_band(error: &Json<'_>) -> Error {
    let report = match error.str() {
        Some(words) => Some(Report::said(words)),
        None => Report::of(error),
    };
    let report =
        report.unwrap_or_else(|| Report::said("the vendor reported an error without a message"));
    let word = error.text("status").and_then(http_status);
    let status = report.status.or(word);
    let (kind, retryable) = status.map_or((ErrorKind::Server, true), kind_of_status);
    let mut failure = Error {
        status: report.status,
        retryable,
        ..Error::new(kind, report.message.clone().unwrap_or_default())
    };
    report.refine(SIGNS, status.unwrap_or_default(), &mut failure);
    failure.vendor_code = reason(error).or(failure.vendor_code);
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
fn parse(body: &str) -> Option<Json<'_>> {
    let body = body.trim_start_matches('\u{feff}').trim();
    Json::parse(body.strip_prefix("data:").unwrap_or(body)).ok()
}

/// The narrowest code of an error: the reason of its `ErrorInfo`. The error is the field `error`
/// of a body, of the first item that has one, or what is given.
fn reason(body: &Json<'_>) -> Option<String> {
    let error = body
        .get("error")
        .or_else(|| body.list().iter().find_map(|item| item.get("error")))
        .unwrap_or(body);
    let details = error.get("details").map_or(&[][..], Json::list);
    let reason = details.iter().find_map(|detail| detail.text("reason"))?;
    Some(reason.to_owned())
}

#[cfg(test)]
mod tests;
