//! The contract as Rust types, made of `wit/` by `cargo xtask wit`. Everything of use is
//! re-exported from the crate root; nobody else names this module.
//!
//! What is made stands here, and the generator runs in nobody's build: it and what it needs would be most of a plugin's first one.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    elided_lifetimes_in_paths,
    clippy::all,
    clippy::unwrap_used,
    clippy::indexing_slicing
)]

mod provider;

pub use provider::*;

/// The optional counting, over the same types.
pub mod counting;
/// The optional embedding, over the same types.
pub mod embedding;
/// The optional listing, over the same types.
pub mod listing;
/// The optional relay, over the same types.
pub mod relaying;
