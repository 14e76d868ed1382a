//! The one place with `unsafe`: handing compiled code to wasmtime.
//!
//! `Component::deserialize` trusts its input: bytes that wasmtime did not write could make
//! the process do anything. Why it is sound to call here:
//!
//! - Either a compiler of this program has just made the bytes ([`super::compiler`]), or they were
//!   read from a directory that only this user may change, from a file that belongs to this user and
//!   that nobody else may write ([`super::cache`] checks both before every read).
//! - Then their SHA-256 equals the one that was written when this program compiled the code, so
//!   a damaged or half-written file never gets here. These very bytes were checked, not a file
//!   that might change afterwards.
//! - wasmtime itself refuses code of another version or configuration.
//!
//! Somebody who can write this user's private files can run code as this user anyway.
#![allow(unsafe_code)]

use wasmtime::Engine;
use wasmtime::component::Component;

/// Loads compiled code that was just made, or that [`super::cache`] has verified.
pub(super) fn load(engine: &Engine, verified: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: see the module's documentation; the caller made it, or has verified owner, mode and digest.
    unsafe { Component::deserialize(engine, verified) }
}
