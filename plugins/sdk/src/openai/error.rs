//! What went wrong. Shapes and signs are those that all adapters share.

use super::dialect::Dialect;
use crate::error;
use crate::{Error, Response};

/// Classifies a failure; any body will do.
#[must_use]
pub fn decode_error(dialect: &Dialect, response: &Response) -> Error {
    error::decode_error(dialect.errors, response)
}

#[cfg(test)]
mod tests;
