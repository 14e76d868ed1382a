//! Contract 0.2.0.

pub(in crate::plugin) mod asked;
pub(in crate::plugin) mod filtered;
mod incoming;
mod outgoing;

pub(in crate::plugin) use incoming::{
    answer, encoded, error, events, info, page, request, route, vectors,
};
pub(in crate::plugin) use outgoing::{chat_request, embed_request, frames, mode, operation};

/// What filters are asked and say, in the types of this version.
pub(in crate::plugin) use filtered::{Blobs, deltas, request_of, said};
