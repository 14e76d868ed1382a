//! What failures of plugins, HTTP and configuration mean to a caller.

use crate::config::{BaseUrlError, ConfigError, SecretError};
use crate::error::{Error, ErrorKind};
use crate::plugin::{Excess, PluginError};
use crate::transport::{FramingError, RetryHints, TransportError};

impl From<PluginError> for Error {
    fn from(error: PluginError) -> Self {
        let kind = match &error {
            PluginError::Exchange {
                what: Excess::Events(_),
                ..
            } => ErrorKind::MalformedResponse,
            PluginError::Trap { .. }
            | PluginError::Memory { .. }
            | PluginError::Cpu { .. }
            | PluginError::Output { .. }
            | PluginError::Malformed { .. }
            | PluginError::Exchange { .. } => ErrorKind::Plugin,
            _ => ErrorKind::Configuration,
        };
        // What a plugin says of itself may be in it.
        Error::new(kind, error.to_string().replace(['\n', '\r'], " "))
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Error::configuration(error.to_string())
    }
}

impl From<SecretError> for Error {
    fn from(error: SecretError) -> Self {
        Error::configuration(error.to_string())
    }
}

impl From<BaseUrlError> for Error {
    fn from(error: BaseUrlError) -> Self {
        Error::configuration(error.to_string())
    }
}

impl From<FramingError> for Error {
    fn from(error: FramingError) -> Self {
        Error::new(ErrorKind::MalformedResponse, error.to_string())
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        use TransportError as T;
        let (kind, retryable) = match &error {
            T::BaseUrl { .. }
            | T::MissingSecret { .. }
            | T::UnusableSecret { .. }
            | T::Setup { .. }
            | T::ProxyVariable { .. } => (ErrorKind::Configuration, false),
            T::Refused { .. } => (ErrorKind::Plugin, false),
            T::TooLarge { what, .. } => match what {
                crate::transport::Oversize::Request => (ErrorKind::PayloadTooLarge, false),
                crate::transport::Oversize::Response => (ErrorKind::MalformedResponse, false),
            },
            T::Connect { cause, .. } => (
                ErrorKind::Unavailable,
                !matches!(cause, crate::transport::ConnectCause::Tls),
            ),
            T::Proxy { .. } => (ErrorKind::Unavailable, false),
            T::Timeout { .. } => (ErrorKind::Timeout, true),
            T::NoAnswer { .. } => (ErrorKind::Unavailable, true),
            T::Cut { .. } => (ErrorKind::Truncated, true),
            T::Malformed { .. } | T::WebPage { .. } | T::NoStream { .. } => {
                (ErrorKind::MalformedResponse, false)
            }
            T::Redirect { .. } => (ErrorKind::Unavailable, false),
            T::Picture { .. } | T::Transfer { .. } => (ErrorKind::InvalidRequest, false),
            _ => (ErrorKind::Other, true),
        };
        Error::new(kind, error.to_string()).retryable(retryable)
    }
}

/// A vendor's error, with what the response's headers say.
pub(super) fn vendor(mut error: Error, hints: Option<RetryHints>) -> Error {
    if let Some(hints) = hints
        && let Some(after) = hints.after
    {
        error.retry_after_ms = u64::try_from(after.as_millis()).ok();
    }
    error
}
