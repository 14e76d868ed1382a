//! The bytes of a component, and whether they are those that are wanted.

use std::path::{Path, PathBuf};

use super::{PluginError, cache, names};
use crate::config::EmbeddedPlugin;

/// The largest component file, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// A component that was read, and where from, for messages.
pub(super) struct File<'a> {
    pub(super) place: &'a Path,
    /// With versions in names written out.
    pub(super) bytes: &'a [u8],
    /// Of what was read.
    pub(super) digest: String,
}

/// Where a component is that is in no file of its own.
pub(super) fn place_of(plugin: EmbeddedPlugin) -> PathBuf {
    PathBuf::from(format!("{}.wasm in this program", plugin.name))
}

/// The file's bytes, with versions in names written out, and the digest of the file.
pub(super) fn read(
    name: &str,
    path: &Path,
    pin: Option<&str>,
) -> Result<(Vec<u8>, String), PluginError> {
    let unreadable = |reason: String| PluginError::Unreadable {
        plugin: name.to_owned(),
        path: path.display().to_string(),
        reason,
    };
    let there = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => unreadable(
            "no such file: build it with `cargo xtask plugins`, or correct the path".into(),
        ),
        _ => unreadable(error.to_string()),
    })?;
    if !there.is_file() {
        return Err(unreadable("it is no file: correct the path".into()));
    }
    let length = there.len();
    if length > MAX_FILE {
        return Err(unreadable(format!(
            "{length} bytes are more than the {MAX_FILE} that a plugin may have"
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let digest = pinned(name, path, pin, cache::sha256(&bytes))?;
    Ok((names::written_out(bytes), digest))
}

/// The digest, if it is the one that is demanded.
pub(super) fn pinned(
    name: &str,
    path: &Path,
    pin: Option<&str>,
    digest: String,
) -> Result<String, PluginError> {
    match pin {
        Some(pin) if !pin.eq_ignore_ascii_case(&digest) => Err(PluginError::PinMismatch {
            plugin: name.to_owned(),
            path: path.display().to_string(),
            found: digest,
            pinned: pin.to_owned(),
        }),
        _ => Ok(digest),
    }
}
