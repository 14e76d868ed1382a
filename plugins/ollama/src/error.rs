//! Ollama's failures: `{"error": "text"}` as a reply with a status or as a line of a stream.
//!
//! Ollama has no codes, so the text tells: <https://docs.ollama.com/api/errors>.

use multillm_plugin_sdk::error::{Report, Sign, decode_error};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, ErrorKind, Response};
use serde_json::value::RawValue;

const fn sign(messages: &'static [&'static str], kind: ErrorKind, retryable: bool) -> Sign {
    Sign::new(&[], &[], messages, kind, retryable)
}

/// What Ollama's own texts say, by pieces of them, and whether waiting helps.
const SIGNS: &[Sign] = &[
    sign(
        &[
            "does not support",
            "is not supported for this model",
            "missing data required for image input",
        ],
        ErrorKind::Unsupported,
        false,
    ),
    sign(&["usage limit"], ErrorKind::QuotaExhausted, false),
    sign(&["server busy"], ErrorKind::Overloaded, true),
    sign(&["request canceled"], ErrorKind::Other, false),
];

/// A reply whose status says that it failed.
pub(crate) fn refusal(response: &Response) -> Error {
    decode_error(SIGNS, response)
}

/// The error that a success or a line holds, in any server's shape.
pub(crate) fn inside(text: &str) -> Option<Error> {
    let told = Report::inside(&Json::parse(text).ok()?)?;
    Some(told.into_error(SIGNS))
}

/// An error that says nothing, as it stands; nothing for the values that mean there is none.
pub(crate) fn wordless(error: &RawValue) -> Option<Error> {
    let none = matches!(error.get(), "\"\"" | "false" | "0" | "{}" | "[]");
    (!none).then(|| Report::said(error.get()).into_error(SIGNS))
}

#[cfg(test)]
mod tests;
