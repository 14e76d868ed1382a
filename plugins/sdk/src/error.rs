//! Making and classifying errors.
//!
//! [`classify`] knows what an HTTP status means everywhere, [`Report`] reads what a body says of a
//! failure whatever its shape, and one table of signs knows the codes and words that mean the same
//! on every wire. What a vendor alone means by a code is the adapter's part: a [`Sign`] of its own.

mod report;
mod sign;
mod table;
mod wait;
mod words;

pub use report::{Report, decode_error, known};
pub use sign::{Sign, says};
pub use wait::delay;

use crate::{Error, ErrorKind, Response};

/// How much of a body that is no known error goes into the message, in bytes.
const MESSAGE_LIMIT: usize = 2048;

impl Error {
    /// An error of the adapter's own, without a status.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            status: None,
            vendor_code: None,
            retry_after_ms: None,
            retryable: false,
        }
    }

    /// What was asked for cannot be done with this vendor.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// What was asked for cannot be expressed.
    #[must_use]
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    /// A success that cannot be read.
    #[must_use]
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::MalformedResponse, message)
    }

    /// A stream that ended before the vendor's end marker.
    #[must_use]
    pub fn truncated() -> Self {
        Error {
            retryable: true,
            ..Self::new(
                ErrorKind::Truncated,
                "the stream ended before the vendor's end marker",
            )
        }
    }

    /// The same error with the vendor's code.
    #[must_use]
    pub fn with_code(mut self, code: Option<impl Into<String>>) -> Self {
        self.vendor_code = code.map(Into::into);
        self
    }
}

/// The kind that a status has by itself, and whether it may pass by waiting.
///
/// Statuses that vendors' own clients retry: 408, 409, 429 and everything from 500.
#[must_use]
pub fn kind_of_status(status: u16) -> (ErrorKind, bool) {
    match status {
        401 => (ErrorKind::Authentication, false),
        402 => (ErrorKind::Billing, false),
        403 => (ErrorKind::Permission, false),
        404 => (ErrorKind::NotFound, false),
        408 => (ErrorKind::Timeout, true),
        409 => (ErrorKind::InvalidRequest, true),
        413 => (ErrorKind::PayloadTooLarge, false),
        429 => (ErrorKind::RateLimited, true),
        400..=499 => (ErrorKind::InvalidRequest, false),
        503 | 529 => (ErrorKind::Overloaded, true),
        504 => (ErrorKind::Timeout, true),
        500..=599 => (ErrorKind::Server, true),
        _ => (ErrorKind::Other, false),
    }
}

/// An error from its status and a message, with `x-should-retry` applied.
///
/// Where `message` is absent the beginning of the body stands in.
#[must_use]
pub fn classify(response: &Response, message: Option<String>) -> Error {
    let (kind, mut retryable) = kind_of_status(response.status);
    match response.header("x-should-retry") {
        Some("true") => retryable = true,
        Some("false") => retryable = false,
        _ => {}
    }
    Error {
        kind,
        message: message
            .filter(|text| !text.trim().is_empty())
            .unwrap_or_else(|| excerpt(response)),
        status: Some(response.status),
        vendor_code: None,
        retry_after_ms: None,
        retryable,
    }
}

/// The beginning of a body that is no known error, on one line.
fn excerpt(response: &Response) -> String {
    let body = response.body.trim();
    if body.is_empty() {
        return format!("HTTP status {} without a body", response.status);
    }
    let end = (0..=MESSAGE_LIMIT.min(body.len()))
        .rev()
        .find(|&at| body.is_char_boundary(at))
        .unwrap_or(0);
    body.get(..end)
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

impl Response {
    /// The value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Milliseconds from a number of seconds; nothing for what is no positive number.
#[must_use]
pub fn seconds_to_ms(seconds: f64) -> Option<u64> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite, positive and capped"
    )]
    (seconds.is_finite() && seconds > 0.0).then(|| (seconds.min(1e9) * 1000.0).round() as u64)
}
