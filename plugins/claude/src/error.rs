//! Failures: what the vendor means by its own words.
//!
//! The shape is `{"type":"error","error":{"type","message","details"?},"request_id"?}`, but what
//! stands between us and the vendor answers too, with anything, and compatible servers have words of
//! their own.

use multillm_plugin_sdk::error::{Report, decode_error, kind_of_status, known};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, ErrorKind, Response};

/// What a body says.
#[derive(Default)]
struct Said {
    report: Report,
    /// The broad category: `rate_limit_error`.
    category: Option<String>,
    /// The narrow one: `enforced_spend_limit_reached`.
    code: Option<String>,
}

/// Classifies a response of status 400 and above.
pub(crate) fn of_response(response: &Response) -> Error {
    let said = read(&Json::parse(&response.body).unwrap_or_default());
    let error = decode_error(&[], response);
    said.refine(error)
}

/// The error that a success turns out to be, if it does: a body, or an event of a stream.
pub(crate) fn inside(answer: &Json<'_>) -> Option<Error> {
    let failed = answer.text("type") == Some("error") || answer.get("error").is_some();
    (failed || Report::inside(answer).is_some()).then(|| in_band(answer))
}

/// Classifies an error that came with status 200.
pub(crate) fn in_band(body: &Json<'_>) -> Error {
    let said = read(body);
    let status = match said.report.status {
        Some(_) => said.report.clone().into_error(&[]),
        None => {
            let (kind, retryable) = kind_of_status(status_of(said.category.as_deref()));
            let mut error = Error {
                retryable,
                ..Error::new(kind, said.report.message.clone().unwrap_or_default())
            };
            said.report.refine(&[], 0, &mut error);
            error
        }
    };
    let mut error = said.refine(status);
    if error.message.trim().is_empty() {
        "the vendor reported an error without a message".clone_into(&mut error.message);
    }
    error
}

fn read(body: &Json<'_>) -> Said {
    // Some gateways wrap the object in a list.
    let outer = body.list().first().unwrap_or(body);
    let word = |of: &Json<'_>, key: &str| of.text(key).map(str::to_owned);
    let report = Report::of(body).unwrap_or_default();
    match outer.get("error") {
        Some(inner @ Json::Object(_)) => Said {
            report,
            category: word(inner, "type"),
            code: inner.get("details").and_then(|of| word(of, "error_code")),
        },
        _ => Said {
            report,
            category: word(outer, "type").filter(|kind| kind != "error"),
            code: None,
        },
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

impl Said {
    /// Adds what this vendor's codes and categories tell. Words that all servers share, which tell
    /// more than a category, count already.
    fn refine(self, mut error: Error) -> Error {
        let category = self.category.as_deref();
        let codes: Vec<&str> = self.report.codes.iter().map(String::as_str).collect();
        let status = error.status.unwrap_or_default();
        if let Some(kind) = self.code.as_deref().and_then(kind_of_code) {
            (error.kind, error.retryable) = (kind, false);
        } else if known(status, &codes, &error.message).is_none() {
            let is_specific = !matches!(
                category,
                None | Some("invalid_request_error" | "api_error" | "conflict_error")
            );
            // 500 is also what an unknown category gets: it says less than the status at hand.
            let of_category = status_of(category);
            if is_specific && of_category != 500 {
                error.kind = kind_of_status(of_category).0;
            }
        }
        error.vendor_code = self.code.or(error.vendor_code).or(self.category);
        error
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

#[cfg(test)]
mod tests;
