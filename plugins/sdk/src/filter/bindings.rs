//! The contract of filters as Rust types, made of `wit/filter` by `cargo xtask wit`. Everything of use is re-exported from the
//! module above.
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

mod filter;

pub use filter::*;
