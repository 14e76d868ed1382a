//! Plugins in OCI registries: written in the layout that WebAssembly's own package tools use, read in every layout
//! that is met.
//!
//! Everything goes through the library's transport, with its proxies and certificates. What a registry sends is bounded,
//! and is what its digest says or an error. Nothing here knows what a component is.

mod access;
mod challenge;
mod layer;
mod manifest;
mod reference;
mod registry;

use std::collections::BTreeMap;
use std::time::Duration;

use multillm::transport::{ExchangeLimits, TransportError};
use sha2::{Digest as _, Sha256};

pub(crate) use access::Access;
pub(crate) use reference::Reference;
pub(crate) use registry::Registry;

/// The manifest's annotation with the text of a minisign signature over the component.
pub(crate) const SIGNATURE: &str = "multillm.plugin.minisig";

/// The largest component, in bytes; the host compiles no larger one.
pub(crate) const MAX_COMPONENT: u64 = 64 << 20;
/// The largest manifest. Registries allow 4 MiB.
const MAX_MANIFEST: u64 = 4 << 20;
/// The largest signature.
pub(crate) const MAX_SIGNATURE: u64 = 16 << 10;

/// What was read of a registry.
#[derive(Debug)]
pub(crate) struct Pulled {
    /// The component.
    pub(crate) component: Vec<u8>,
    /// The text of its signature.
    pub(crate) signature: Option<String>,
    /// The digest of what the name meant: of the index where there is one.
    pub(crate) manifest: String,
    /// How it is laid out, for people.
    pub(crate) layout: &'static str,
}

/// What is to be put into a registry.
#[derive(Debug)]
pub(crate) struct Push<'a> {
    /// The component.
    pub(crate) component: &'a [u8],
    /// What it exports and imports.
    pub(crate) exports: Vec<String>,
    pub(crate) imports: Vec<String>,
    /// Who wrote it.
    pub(crate) author: Option<String>,
    /// When that was, in RFC 3339.
    pub(crate) created: String,
    /// For the manifest.
    pub(crate) annotations: BTreeMap<String, String>,
}

/// `sha256:` and the digest in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Why something could not be fetched or put, without advice that is for vendors.
pub(crate) fn told(error: &TransportError) -> String {
    match error {
        TransportError::TooLarge { limit, .. } => format!("it has more than {limit} bytes"),
        error => error.to_string(),
    }
}

/// What bounds fetching or putting one thing of so many bytes at most.
pub(crate) fn limits(bytes: u64) -> ExchangeLimits {
    ExchangeLimits {
        first_byte: Duration::from_secs(60),
        idle: Duration::from_secs(30),
        total: Duration::from_secs(600),
        response_bytes: bytes,
    }
}
