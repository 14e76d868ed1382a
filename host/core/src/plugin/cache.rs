//! Compiled code on disk.
//!
//! A cache file is named by the digest of the component and of the engine's configuration, and has
//! a companion that holds its own digest. Anything that does not fit (owner, mode, digest, engine) is
//! rebuilt, never trusted; a cache that cannot be written is no error.

use std::hash::{Hash as _, Hasher};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::precompiled;
use crate::files;

/// The most bytes of compiled code that are read: many times those of the largest component.
const MOST: u64 = 1 << 30;

/// Lower-case hexadecimal SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Where this user's compiled code is kept, if the system says where such things are.
#[must_use]
pub fn code_directory() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "multillm").map(|dirs| dirs.cache_dir().join("compiled"))
}

/// The file for a component's code, where code is kept.
pub(super) fn file(directory: &Path, digest: &str, key: &str) -> PathBuf {
    directory.join(format!("{digest}-{key}.cwasm"))
}

/// Names the version and configuration of the compiler.
pub(super) fn engine_key(engine: &Engine) -> String {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hasher = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let mut key = hex::encode(hasher.0.finalize());
    key.truncate(16);
    key
}

fn digest_file(file: &Path) -> PathBuf {
    file.with_extension("sha256")
}

/// The component in a file, if the file is sound.
pub(super) fn read(engine: &Engine, directory: &Path, file: &Path) -> Option<Component> {
    if !directory.exists() {
        return None;
    }
    let sound = |path: &Path, most| match files::read_private(path, most) {
        Ok(content) => content,
        Err(error) => {
            tracing::warn!(%error, "compiled code is not trusted, and made again");
            None
        }
    };
    if let Some(fault) = files::directory_fault(directory) {
        tracing::warn!(fault, "compiled code is not trusted, and made again");
        return None;
    }
    let wanted = sound(&digest_file(file), 1 << 10)?;
    let code = sound(file, MOST)?;
    if sha256(&code).as_bytes() != wanted.trim_ascii() {
        tracing::warn!(path = %file.display(), "damaged compiled code is rebuilt");
        return None;
    }
    match precompiled::load(engine, &code) {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::debug!(%error, path = %file.display(), "foreign compiled code is rebuilt");
            None
        }
    }
}

/// Writes both files so that a reader finds either nothing or a matching pair.
pub(super) fn write(directory: &Path, file: &Path, code: &[u8]) {
    let written = files::make_private_directory(directory)
        .and_then(|()| match files::directory_fault(directory) {
            None => Ok(()),
            Some(fault) => Err(std::io::Error::other(fault)),
        })
        .and_then(|()| files::write_private(file, code))
        .and_then(|()| files::write_private(&digest_file(file), sha256(code).as_bytes()));
    if let Err(error) = written {
        tracing::debug!(%error, path = %file.display(), "compiled code is not kept");
    }
}
