//! Calls that come to nothing: whether another model may do better, and what is said.

use std::time::Duration;

use crate::config::Model;
use crate::error::{Error, ErrorKind};

/// Nobody asked in this way.
pub(in crate::service) fn another() -> Error {
    Error::configuration("what was asked is answered in another way")
}

/// Whether another model might answer what this one could not.
pub(super) fn another_may_do(error: &Error) -> bool {
    !matches!(
        error.kind,
        ErrorKind::InvalidRequest | ErrorKind::ContentFiltered | ErrorKind::Cancelled
    )
}

/// What is said of an account, and not of the model.
pub(super) fn is_accounts(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::RateLimited | ErrorKind::QuotaExhausted
    )
}

pub(super) fn still_loading(model: &Model, total: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "the plugin {:?} was not ready after {} ms: it is compiled when it is first used; raise \
             timeouts.total_ms, or have it compiled before with \"multillm config check\"",
            model.provider.plugin.name,
            total.as_millis()
        ),
    )
}

pub(in crate::service) fn resting(left: Duration) -> Error {
    let mut error = Error::new(
        ErrorKind::Unavailable,
        format!(
            "it failed too often just now and is left alone for {:.0} s more",
            left.as_secs_f64().ceil()
        ),
    )
    .retryable(true);
    error.retry_after_ms = u64::try_from(left.as_millis()).ok();
    error
}
