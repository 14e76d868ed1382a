//! Compiled code on disk.
//!
//! A cache file is named by the digest of the component and of the engine's configuration, and has
//! a companion that holds its own digest. Anything that does not fit (owner, mode, digest, engine) is
//! rebuilt, never trusted; a cache that cannot be written is no error.

use std::fs;
use std::hash::{Hash as _, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::precompiled;

/// Lower-case hexadecimal SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The compiled component: from the cache if there is a sound copy, else compiled and kept.
pub(super) fn compile(
    engine: &Engine,
    directory: Option<&Path>,
    digest: &str,
    bytes: &[u8],
) -> wasmtime::Result<Component> {
    let Some(directory) = directory else {
        return Component::from_binary(engine, bytes);
    };
    let file = directory.join(format!("{digest}-{}.cwasm", engine_key(engine)));
    if let Some(component) = read(engine, directory, &file) {
        return Ok(component);
    }
    let component = Component::from_binary(engine, bytes)?;
    match component.serialize() {
        Ok(code) => {
            if let Err(error) = write(directory, &file, &code) {
                tracing::debug!(%error, path = %file.display(), "compiled code is not kept");
            }
        }
        Err(error) => tracing::debug!(%error, "compiled code cannot be kept"),
    }
    Ok(component)
}

/// Names the version and configuration of the compiler.
fn engine_key(engine: &Engine) -> String {
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

fn read(engine: &Engine, directory: &Path, file: &Path) -> Option<Component> {
    if !private(directory) || !private(file) {
        return None;
    }
    let wanted = fs::read_to_string(digest_file(file)).ok()?;
    let code = fs::read(file).ok()?;
    if sha256(&code) != wanted.trim() {
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
fn write(directory: &Path, file: &Path, code: &[u8]) -> std::io::Result<()> {
    create_private(directory)?;
    if !private(directory) {
        return Err(std::io::Error::other(
            "others may write the cache directory: make it private (chmod 700)",
        ));
    }
    replace(directory, file, code)?;
    replace(directory, &digest_file(file), sha256(code).as_bytes())
}

fn replace(directory: &Path, file: &Path, content: &[u8]) -> std::io::Result<()> {
    let temporary = directory.join(format!(
        ".{}-{:016x}",
        std::process::id(),
        fastrand::u64(..)
    ));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&temporary)
        .and_then(|mut out| out.write_all(content))
        .and_then(|()| fs::rename(&temporary, file));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(unix)]
fn create_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if directory.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

#[cfg(not(unix))]
fn create_private(directory: &Path) -> std::io::Result<()> {
    fs::create_dir_all(directory)
}

/// Belongs to this user, and nobody else may write it.
#[cfg(unix)]
fn private(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // A file that this process just made belongs to whom this process runs as.
    let own = fs::metadata("/proc/self").map(|meta| meta.uid()).ok();
    fs::symlink_metadata(path).is_ok_and(|meta| {
        !meta.file_type().is_symlink()
            && meta.mode() & 0o022 == 0
            && own.is_none_or(|own| own == meta.uid())
    })
}

#[cfg(not(unix))]
fn private(path: &Path) -> bool {
    path.exists()
}
