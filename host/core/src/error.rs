//! What can go wrong with an exchange, in one type for every vendor.
//!
//! An [`Error`] never holds a secret: messages of vendors are redacted before
//! they get here.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

/// The result of everything that may fail with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong and would be wrong again.
    InvalidRequest,
    /// The vendor, model or adapter cannot do what was asked.
    Unsupported,
    /// No key, or one that is not accepted.
    Authentication,
    /// The key may not do this.
    Permission,
    /// Somebody has to pay first.
    Billing,
    /// No such model, deployment or path.
    NotFound,
    /// The conversation is longer than the model's context window.
    ContextLength,
    /// The vendor refused the input for its content.
    ContentFiltered,
    /// The request has too many bytes.
    PayloadTooLarge,
    /// Too many requests or tokens at this moment.
    RateLimited,
    /// A quota or budget is used up; waiting a little does not help.
    QuotaExhausted,
    /// Nothing came in time.
    Timeout,
    /// The vendor is too busy at this moment.
    Overloaded,
    /// The vendor failed.
    Server,
    /// The answer ended before the vendor's own end marker.
    Truncated,
    /// A success that cannot be read.
    MalformedResponse,
    /// The vendor cannot be reached.
    Unavailable,
    /// The plugin broke a rule or a limit, or failed.
    Plugin,
    /// The configuration does not allow it: an unknown model, a missing key, a missing file.
    Configuration,
    /// The caller went away.
    Cancelled,
    /// None of these.
    Other,
}

impl ErrorKind {
    /// The kind as it stands in output: snake case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Unsupported => "unsupported",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::Billing => "billing",
            Self::NotFound => "not_found",
            Self::ContextLength => "context_length",
            Self::ContentFiltered => "content_filtered",
            Self::PayloadTooLarge => "payload_too_large",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Server => "server",
            Self::Truncated => "truncated",
            Self::MalformedResponse => "malformed_response",
            Self::Unavailable => "unavailable",
            Self::Plugin => "plugin",
            Self::Configuration => "configuration",
            Self::Cancelled => "cancelled",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong, in detail.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// What kind of failure it was.
    pub kind: ErrorKind,
    /// For a person; the vendor's own words where there are any.
    pub message: String,
    /// HTTP status, where one came with it.
    pub status: Option<u16>,
    /// The vendor's own code, such as `context_length_exceeded`.
    pub vendor_code: Option<String>,
    /// How long the vendor asks to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The provider that was asked.
    pub provider: Option<String>,
    /// The configured model that was asked.
    pub model: Option<String>,
    /// How often the vendor was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The text that had been received before a stream failed.
    #[serde(skip)]
    pub partial: Option<String>,
}

/// A failed exchange. Small: the detail is boxed.
#[derive(Clone, PartialEq)]
pub struct Error(Box<ErrorDetail>);

impl Error {
    /// An error of this kind; not retryable.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(ErrorDetail {
            kind,
            message: message.into(),
            status: None,
            vendor_code: None,
            retry_after_ms: None,
            retryable: false,
            provider: None,
            model: None,
            attempts: None,
            partial: None,
        }))
    }

    /// A configuration error.
    #[must_use]
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// The same error, retryable or not.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The same error with the names of who was asked, where they are not set yet.
    #[must_use]
    pub fn of(mut self, provider: &str, model: &str) -> Self {
        self.0.provider.get_or_insert_with(|| provider.to_owned());
        self.0.model.get_or_insert_with(|| model.to_owned());
        self
    }

    /// Whether the fault lies with the caller's configuration or usage rather than with the
    /// vendor or the network.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self.kind, ErrorKind::Configuration)
    }
}

impl Deref for Error {
    type Target = ErrorDetail;

    fn deref(&self) -> &ErrorDetail {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut ErrorDetail {
        &mut self.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(model) = &self.model {
            write!(f, "{model}: ")?;
        }
        write!(
            f,
            "{}: {}",
            self.kind.as_str().replace('_', " "),
            self.message
        )?;
        match self.status {
            Some(status) => write!(f, " (HTTP {status})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
