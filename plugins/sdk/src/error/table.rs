//! What servers call the failures that all of them know.
//!
//! Gateways pass the words of others on, so one table serves every adapter. It holds what a
//! status does not say by itself; the first sign that fits counts. Where the words are from is in
//! the remarks.

mod account;
mod input;
mod model;
mod passing;

use super::sign::Sign;
use crate::ErrorKind;

/// Where a refusal of the request itself may be found: gateways wrap it into statuses of servers.
const REFUSED: &[u16] = &[0, 400, 404, 410, 413, 415, 422, 500, 501, 502, 503];
/// Where want of money or quota may be found.
const UNPAID: &[u16] = &[0, 400, 402, 403, 412, 429];

const fn sign(
    statuses: &'static [u16],
    codes: &'static [&'static str],
    messages: &'static [&'static str],
    kind: ErrorKind,
    retryable: bool,
) -> Sign {
    Sign {
        statuses,
        codes,
        messages,
        kind,
        retryable,
    }
}

/// Signs that mean the same everywhere, in the order in which they count.
pub(super) const COMMON: [&[Sign]; 4] =
    [input::SIGNS, account::SIGNS, model::SIGNS, passing::SIGNS];
