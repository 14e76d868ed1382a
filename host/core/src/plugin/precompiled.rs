//! One of two places with `unsafe` (the other is [`super::calls`]): handing compiled code to wasmtime.
//!
//! `Component::deserialize` trusts its input: bytes that wasmtime did not write could make
//! the process do anything. Why it is sound to call here:
//!
//! - Either a compiler of this program has just made the bytes ([`super::compiler`]), or they were
//!   read from a directory that only this user may change, from a file that belongs to this user and
//!   that nobody else may write ([`super::cache`] checks both before every read), or they are part of the
//!   program's own file, and whoever built it vouches for them ([`bring_code`]).
//! - Then their SHA-256 equals the one that was written when this program compiled the code, so
//!   a damaged or half-written file never gets here. These very bytes were checked, not a file
//!   that might change afterwards. What is part of the program is as sound as the program.
//! - wasmtime itself refuses code of another version or configuration.
//!
//! Somebody who can write this user's private files can run code as this user anyway.
#![allow(unsafe_code)]

use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::{Inspection, names, prepare};
use crate::packed;

/// Machine code of a component that is part of a program, as [`precompile`](super::precompile) made it.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedCode {
    /// SHA-256 of the component's file, in hexadecimal.
    pub component: &'static str,
    /// The code, as [`pack`](crate::plugin::pack) packed it.
    pub code: &'static [u8],
    /// Another component's code that it was packed against, packed by itself. Empty if there is none.
    pub like: &'static [u8],
    /// What [`about`] says of the component, so that it need not be unpacked and read. Empty if that is not known.
    pub about: &'static str,
}

/// What is known of a component once it was read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct About {
    /// Bytes, with versions in names written out.
    pub(super) size: usize,
    /// The engine's permits that an instance takes.
    pub(super) permits: u32,
    pub(super) inspection: Inspection,
}

/// What a host has to know of a component beside its code, in a text for [`EmbeddedCode::about`].
///
/// # Errors
///
/// A text that says why it is none.
pub fn about(component: &[u8]) -> Result<String, String> {
    let bytes = names::written_out(component.to_vec());
    let inspection = prepare::inspect("it", Path::new("component"), &bytes);
    let about = About {
        size: bytes.len(),
        permits: prepare::permits(&bytes),
        inspection: inspection.map_err(|error| error.to_string())?,
    };
    serde_json::to_string(&about).map_err(|error| error.to_string())
}

static BROUGHT: OnceLock<&'static [EmbeddedCode]> = OnceLock::new();

/// Brings machine code along, so that components of these digests need not be compiled. The first
/// call counts. Code that does not fit this machine or this engine is passed over.
///
/// # Safety
///
/// Each code is what [`precompile`](super::precompile) of this version of the library returned,
/// unchanged but for being packed: wasmtime runs whatever looks like it.
pub unsafe fn bring_code(code: &'static [EmbeddedCode]) {
    let _ = BROUGHT.set(code);
}

/// Whether the program brings code along for the component of this digest.
#[must_use]
pub fn brings_code(component: &str) -> bool {
    find(component).is_some()
}

fn find(component: &str) -> Option<&'static EmbeddedCode> {
    let all = BROUGHT.get().copied().unwrap_or_default();
    all.iter().find(|brought| brought.component == component)
}

/// What the program says of the component of this digest, if it brings its code along.
pub(super) fn known(component: &str) -> Option<About> {
    serde_json::from_str(find(component)?.about).ok()
}

/// The component of this digest from the code that was brought along, if there is some that fits.
pub(super) fn brought(engine: &Engine, component: &str) -> Option<Component> {
    let found = find(component)?;
    let code = packed::unpack(found.code, found.like);
    let loaded = code
        .map_err(wasmtime::Error::from)
        .and_then(|code| load(engine, &code));
    match loaded {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::debug!(%error, "the code that is part of the program does not fit here");
            None
        }
    }
}

/// Loads compiled code that was just made, or that [`super::cache`] has verified.
pub(super) fn load(engine: &Engine, verified: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: see the module's documentation; the caller made it, has verified owner, mode and digest,
    // or found it in the program itself.
    unsafe { Component::deserialize(engine, verified) }
}
