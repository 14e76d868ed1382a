//! What a body says of an error, whatever shape the server says it in.
//!
//! For every adapter: gateways answer on any vendor's wire in shapes of their own.

use super::sign::Sign;
use super::table::COMMON;
use super::wait::{wait, wait_in_words};
use super::words::{said, words};
use super::{classify, kind_of_status};
use crate::json::Json;
use crate::{Error, ErrorKind, Response, sse};

/// How much of what a model wrote amiss is repeated, in bytes.
const GENERATION_LIMIT: usize = 2048;

/// What a body says of an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The words, on as many lines as the server wrote.
    pub message: Option<String>,
    /// Code, type and inner codes, as far as there are any; the best to report first.
    pub codes: Vec<String>,
    /// The HTTP status that the error claims for itself.
    pub status: Option<u16>,
    /// How long to wait, from the body.
    pub retry_after_ms: Option<u64>,
}

/// Classifies a failure: its status, then the adapter's `own` signs, then those that all share.
///
/// Any body will do.
#[must_use]
pub fn decode_error(own: &[Sign], response: &Response) -> Error {
    let body = response.body.trim_start_matches('\u{feff}').trim();
    // An error over several lines behind a mere `data:` is no event.
    let unframed = body.strip_prefix("data:").and_then(Report::read);
    let frames = sse::frames(body).unwrap_or_default();
    let body = frames.first().map_or(body, |frame| frame.data.as_str());
    let mut report = unframed.or_else(|| Report::read(body)).unwrap_or_default();
    let mut error = classify(response, report.message.clone());
    if report.message.is_none() && !body.starts_with('<') {
        report.message = Some(error.message.clone());
    }
    report.refine(own, response.status, &mut error);
    // What the server says of it outright counts more than any sign.
    if response.header("x-should-retry") == Some("false") {
        error.retryable = false;
    }
    error
}

/// What the shared signs say of an error: its kind, and whether it may pass by waiting.
///
/// For adapters that read errors in a way of their own. A `status` of 0 is an error without
/// one. `Report::into_error` and [`decode_error`] have it built in.
#[must_use]
pub fn known(status: u16, codes: &[&str], message: &str) -> Option<(ErrorKind, bool)> {
    let codes = codes
        .iter()
        .map(|code| code.to_ascii_lowercase())
        .collect::<Vec<_>>();
    shown(&[], status, &codes, &message.to_ascii_lowercase())
}

fn shown(own: &[Sign], status: u16, codes: &[String], message: &str) -> Option<(ErrorKind, bool)> {
    own.iter()
        .chain(COMMON.into_iter().flatten())
        .find(|sign| sign.shows(status, codes, message))
        .map(|sign| (sign.kind, sign.retryable))
}

impl Report {
    /// The error in a body or an event; nothing where it holds none.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        Self::of(&Json::parse(body).ok()?)
    }

    /// An error of which only its words are known.
    #[must_use]
    pub fn said(message: &str) -> Self {
        Report {
            message: Some(message.to_owned()),
            ..Report::default()
        }
    }

    /// The error inside what came as a success, in any of the shapes that servers have for it;
    /// nothing where it is not certainly one. An answer may say `"error": null`, `"code": 0`
    /// and the like.
    #[must_use]
    pub fn inside(answer: &Json<'_>) -> Option<Self> {
        let top = first(answer);
        let told = |key: &str| top.get(key).is_some_and(is_told);
        let failed = told("error")
            || told("errors")
            || top.get("success").and_then(Json::bool) == Some(false)
            || ["error", "failed", "fail"].iter().any(|word| {
                ["object", "type", "status"]
                    .iter()
                    .any(|key| top.text(key) == Some(word))
            })
            // Words and nothing else are no answer on any wire.
            || (matches!(top, Json::Object(members) if members.len() == 1)
                && (top.text("detail").is_some() || top.text("message").is_some()))
            || failing(top.at(&["base_resp", "status_code"]))
            || failing(top.at(&["header", "code"]))
            || ["error_code", "errorCode", "err_code", "errcode"]
                .iter()
                .any(|key| failing(top.get(key)))
            || (failing(top.get("code"))
                && top.text("msg").or(top.text("message")).is_some()
                && top.get("choices").is_none());
        failed.then(|| Self::of(answer)).flatten()
    }

    /// The error in the value of a member for one; nothing if there is none in it.
    #[must_use]
    pub fn told(error: &Json<'_>) -> Option<Self> {
        let member = is_told(error).then(|| ("error".into(), error.clone()))?;
        Self::of(&Json::Object(vec![member]))
    }

    /// The error in what was read as one; nothing where it holds no words.
    #[must_use]
    pub fn of(value: &Json<'_>) -> Option<Self> {
        let top = first(value);
        if !matches!(top, Json::Object(_)) {
            return None;
        }
        let place = ["error", "errors", "base_resp", "header", "message"]
            .into_iter()
            .filter_map(|key| top.get(key))
            .map(first)
            .find(|place| is_told(place) && !matches!(place, Json::Text(_)));
        let detail = top
            .get("error")
            .filter(|error| **error != Json::Bool(false));
        let mut message = match detail {
            // An error without words of its own may have them beside it.
            Some(detail) => words(detail)
                .or_else(|| words(top.get("message")?))
                .or_else(|| other_words(detail))?,
            None => words(top)?,
        };
        let detail = place.unwrap_or(top);
        for more in [
            detail.get("details"),
            detail.at(&["metadata", "raw"]),
            top.get("warnings"),
            top.get("message"),
        ] {
            if let Some(more) = more.and_then(words).filter(|more| !message.contains(more)) {
                message.push_str(": ");
                message.push_str(&more);
            }
        }
        for (key, limit) in [("param", 200), ("failed_generation", GENERATION_LIMIT)] {
            let more = detail.get(key).map(said).unwrap_or_default();
            if !more.is_empty() && !message.contains(&more) {
                message.push_str(&format!(" ({key}: {})", begin(&more, limit)));
            }
        }
        let (codes, status) = codes(top, detail);
        let retry_after_ms = wait(top, detail).or_else(|| wait_in_words(&message));
        Some(Report {
            message: Some(message),
            codes,
            status,
            retry_after_ms,
        })
    }

    /// The error inside an answer that began as a success.
    #[must_use]
    pub fn into_error(self, own: &[Sign]) -> Error {
        let (kind, retryable) = self
            .status
            .map_or((ErrorKind::Server, true), kind_of_status);
        let mut error = Error {
            status: self.status,
            retryable,
            ..Error::new(kind, self.message.clone().unwrap_or_default())
        };
        self.refine(own, self.status.unwrap_or_default(), &mut error);
        error
    }

    /// Says of an error what its status does not: kind, code, and how long to wait.
    pub fn refine(&self, own: &[Sign], status: u16, error: &mut Error) {
        let codes: Vec<String> = self
            .codes
            .iter()
            .map(|code| code.to_ascii_lowercase())
            .collect();
        let message = self
            .message
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if let Some((kind, retryable)) = shown(own, status, &codes, &message) {
            error.kind = kind;
            error.retryable = retryable;
        }
        error.vendor_code = self.codes.first().cloned();
        error.retry_after_ms = self.retry_after_ms;
    }
}

/// The first of a list, or the thing itself.
fn first<'v, 'a>(value: &'v Json<'a>) -> &'v Json<'a> {
    match value {
        Json::List(list) => list.first().unwrap_or(value),
        value => value,
    }
}

/// Whether there is an error in the place for one: `null`, `false`, 0, and what holds only
/// such things, is none.
fn is_told(error: &Json<'_>) -> bool {
    match error {
        Json::Null | Json::Bool(_) | Json::Unsigned(0) => *error == Json::Bool(true),
        Json::Text(text) => !text.trim().is_empty(),
        Json::List(list) => list.iter().any(is_told),
        Json::Object(members) => members.iter().any(|(_, value)| is_told(value)),
        _ => true,
    }
}

/// Whether a code is that of a failure: a number but 0 and the statuses of success, or a word
/// but the usual ones for success.
fn failing(code: Option<&Json<'_>>) -> bool {
    match code {
        Some(Json::Text(text)) => match text.parse::<u64>() {
            Ok(code) => fails(code),
            Err(_) => {
                !text.is_empty()
                    && !["success", "ok", "succeeded"].contains(&text.to_ascii_lowercase().as_str())
            }
        },
        Some(Json::Signed(_)) => true,
        Some(code) => code.count().is_some_and(fails),
        None => false,
    }
}

fn fails(code: u64) -> bool {
    code != 0 && !(200..300).contains(&code)
}

fn begin(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// An error without words as it stands; nothing if it says nothing at all.
fn other_words(error: &Json<'_>) -> Option<String> {
    (matches!(error, Json::Object(_) | Json::List(_)) && is_told(error)).then(|| error.to_string())
}

/// The codes in an error, names before mere statuses, and the status among them.
fn codes(top: &Json<'_>, detail: &Json<'_>) -> (Vec<String>, Option<u16>) {
    const WITHIN: [&str; 7] = [
        "code",
        "type",
        "status",
        "status_code",
        "http_status_code",
        "http_code",
        "reason",
    ];
    const BESIDE: [&str; 8] = [
        "error_type",
        "error_code",
        "errorCode",
        "err_code",
        "errcode",
        "code",
        "reason",
        "type",
    ];
    let mut found = Vec::new();
    for key in WITHIN {
        found.extend(detail.get(key));
    }
    found.extend(detail.at(&["innererror", "code"]));
    for about in details(detail) {
        found.extend(about.get("reason"));
    }
    for key in BESIDE {
        found.extend(top.get(key));
    }
    let (mut names, mut numbers, mut status) = (Vec::new(), Vec::new(), None);
    for code in found {
        let code = match code {
            Json::Text(text) => text.to_string(),
            Json::Unsigned(number) => number.to_string(),
            _ => continue,
        };
        let number = code.parse().unwrap_or(0_u16);
        // A sentence in the place of a code is none, and `error` says nothing.
        if code.is_empty() || code == "error" || code.contains(' ') {
            continue;
        }
        if status.is_none() && (400..600).contains(&number) {
            status = Some(number);
        }
        let is_status = (100..600).contains(&number);
        let list = if is_status { &mut numbers } else { &mut names };
        if !list.contains(&code) {
            list.push(code);
        }
    }
    if let Some(code) = top.at(&["base_resp", "status_code"]).and_then(Json::count) {
        status = status.or(base_status(code));
    }
    if is_daily(detail) {
        names.push("perday".to_owned());
    }
    names.append(&mut numbers);
    (names, status)
}

/// The status that MiniMax's numbers stand for: <https://platform.minimax.io/docs/api-reference/errorcode>.
fn base_status(code: u64) -> Option<u16> {
    Some(match code {
        1001 => 504,
        1002 | 1039 | 1041 => 429,
        1004 | 2049 => 401,
        1008 => 402,
        1026 | 1027 | 1042 | 2013 => 400,
        _ => return None,
    })
}

/// Google's remarks on an error.
pub(super) fn details<'v, 'a>(error: &'v Json<'a>) -> &'v [Json<'a>] {
    error.get("details").map_or(&[], Json::list)
}

/// Whether a quota is used up that is counted by the day.
fn is_daily(error: &Json<'_>) -> bool {
    for about in details(error) {
        for violation in about.get("violations").map_or(&[][..], Json::list) {
            for key in ["quotaId", "quotaMetric"] {
                let quota = violation.text(key).unwrap_or_default().to_ascii_lowercase();
                if quota.contains("perday") || quota.contains("per_day") {
                    return true;
                }
            }
        }
    }
    false
}

#[cfg(test)]
mod tests;
