//! Between the contract's types and the host's. The only file that knows both.

mod incoming;
mod outgoing;

pub(super) use incoming::{answer, error, events, info, page, request};
pub(super) use outgoing::{chat_request, frames, mode, response, target};
