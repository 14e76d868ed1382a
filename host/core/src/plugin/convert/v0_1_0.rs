//! Contract 0.1.0.

mod incoming;
mod outgoing;

pub(in crate::plugin) use incoming::{answer, error, events, info, page, request};
pub(in crate::plugin) use outgoing::{chat_request, frames, mode, response, target};
