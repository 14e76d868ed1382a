//! Cohere's failures: flat objects, and ends of answers that are errors.
//!
//! Statuses and messages: <https://docs.cohere.com/reference/errors>.

use multillm_plugin_sdk::error::{Report, Sign, decode_error, known};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, ErrorKind, Response};

use crate::wire::Answer;

const fn sign(
    statuses: &'static [u16],
    messages: &'static [&'static str],
    kind: ErrorKind,
) -> Sign {
    Sign::new(statuses, &[], messages, kind, false)
}

/// What Cohere means by its statuses and words. An empty text is in every message.
const SIGNS: &[Sign] = &[
    sign(
        &[0, 400, 422],
        &["too many tokens"],
        ErrorKind::ContextLength,
    ),
    // A trial key's calls of the month; its calls of the minute come back soon.
    sign(&[429], &["month"], ErrorKind::QuotaExhausted),
    sign(&[498], &["deny", "blocked"], ErrorKind::ContentFiltered),
    sign(&[498], &[""], ErrorKind::Authentication),
    // Whoever asked hung up, which is no failure of Cohere's.
    sign(&[499], &[""], ErrorKind::Other),
    sign(&[501], &[""], ErrorKind::Unsupported),
];

pub(crate) fn failure(response: &Response) -> Error {
    decode_error(SIGNS, response)
}

/// The error that a body or an event of a success's status holds, in any server's shape.
pub(crate) fn told(body: &str) -> Option<Error> {
    let body = Json::parse(body).ok()?;
    // Where an answer has what was said, an error of Cohere's has why nothing was.
    let refused = body.text("message").is_some();
    let report = Report::inside(&body).or_else(|| Report::of(&body).filter(|_| refused))?;
    Some(report.into_error(SIGNS))
}

/// The error that the end of an answer may turn out to be.
pub(crate) fn inside(answer: &Answer<'_>) -> Option<Error> {
    let said = answer.message.map(|message| message.get());
    let said = said.and_then(|message| serde_json::from_str::<String>(message).ok());
    let code = answer.error_type.clone();
    let told = answer.error.and_then(|error| {
        let error = Json::parse(error.get()).ok()?;
        let words = error.str().filter(|words| !words.is_empty());
        words.map_or_else(|| Report::of(&error), |words| Some(Report::said(words)))
    });
    let message = told.and_then(|report| report.message).or(said);
    let message = message.or_else(|| code.clone())?;
    let codes: Vec<&str> = code.iter().map(String::as_str).collect();
    let timed_out = code
        .as_ref()
        .is_some_and(|code| code.to_ascii_uppercase().contains("TIMEOUT"));
    let long = message.to_ascii_lowercase().starts_with("too many tokens");
    let (kind, retryable) = match known(0, &codes, &message) {
        _ if long => (ErrorKind::ContextLength, false),
        Some(known) => known,
        None if timed_out => (ErrorKind::Timeout, true),
        None => (ErrorKind::Server, true),
    };
    Some(Error {
        retryable,
        ..Error::new(kind, message).with_code(code)
    })
}

#[cfg(test)]
mod tests;
