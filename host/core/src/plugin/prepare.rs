//! From a component's bytes to machine code that can be linked: counted, inspected, compiled or taken
//! from the program or the cache. Nothing here reads the component's file or runs it.

use std::path::Path;

use wasmtime::component::Component;

use super::engine::{POOLED, POOLED_MEMORIES};
use super::limits::INSTANCES;
use super::{Inspection, PluginEngine, PluginError, cache, compiler, precompiled, survey};

impl PluginEngine {
    /// The compiled component: from the program itself if it brings the code along, from the cache if
    /// there is a sound copy, else compiled and kept.
    pub(super) async fn component(
        &self,
        name: &str,
        path: &Path,
        bytes: &[u8],
        digest: &str,
    ) -> Result<Component, PluginError> {
        let inner = &self.inner;
        if let Some(component) = precompiled::brought(&inner.engine, digest) {
            return Ok(component);
        }
        let directory = inner.cache_dir.as_deref();
        let kept = directory.map(|directory| cache::file(directory, digest, &inner.key));
        if let (Some(directory), Some(file)) = (directory, &kept)
            && let Some(component) = cache::read(&inner.engine, directory, file)
        {
            return Ok(component);
        }
        let place = || (name.to_owned(), path.display().to_string());
        survey::of_all(bytes).map_err(|refusal| refused(name, path, refusal))?;
        let code = compiler::compile(bytes, inner.room, &inner.key).await;
        let code = code.map_err(|failed| {
            let (plugin, path) = place();
            match failed {
                compiler::Failed::Component(reason) => PluginError::NotAComponent {
                    plugin,
                    path,
                    reason,
                },
                compiler::Failed::Exceeded(reason) => PluginError::TooMuch {
                    plugin,
                    path,
                    reason,
                },
                compiler::Failed::Defect(reason) => PluginError::Uncompilable {
                    plugin,
                    path,
                    reason,
                },
                compiler::Failed::System(reason) => PluginError::Engine(reason),
            }
        })?;
        let component = precompiled::load(&inner.engine, &code).map_err(|error| {
            if forbidden(&error) {
                return PluginError::Forbidden;
            }
            let reason = format!("{error:#}");
            if compiler::is_memory(&error) {
                return PluginError::Engine(reason);
            }
            // The code is sound, so what it needs exceeds what an instance may have.
            let (plugin, path) = place();
            PluginError::TooMuch {
                plugin,
                path,
                reason,
            }
        })?;
        if let (Some(directory), Some(file)) = (directory, &kept) {
            cache::write(directory, file, &code);
        }
        Ok(component)
    }
}

/// The system does not let memory be made executable.
#[cfg(unix)]
fn forbidden(error: &wasmtime::Error) -> bool {
    use rustix::io::Errno;
    let number = error.downcast_ref::<Errno>().copied().or_else(|| {
        let error = error.downcast_ref::<std::io::Error>()?;
        Errno::from_io_error(error)
    });
    matches!(number, Some(Errno::ACCESS | Errno::PERM))
}

#[cfg(not(unix))]
fn forbidden(error: &wasmtime::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

fn refused(name: &str, path: &Path, refusal: survey::Refusal) -> PluginError {
    let (plugin, path) = (name.to_owned(), path.display().to_string());
    match refusal {
        survey::Refusal::Excess(excess) => PluginError::TooMuch {
            plugin,
            path,
            reason: excess.to_string(),
        },
        survey::Refusal::Malformed(reason) => PluginError::NotAComponent {
            plugin,
            path,
            reason,
        },
    }
}

/// How many of the engine's permits an instance of a component takes: as many as it has core instances or tables, and in
/// proportion for its memories; one that is small as many as any.
pub(super) fn permits(bytes: &[u8]) -> u32 {
    let counted = survey::of_sections(bytes).unwrap_or_default();
    let memories = counted
        .memories
        .saturating_mul(u64::from(POOLED / POOLED_MEMORIES));
    let most = counted.core_instances.max(counted.tables).max(memories);
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    most.clamp(POOLED, INSTANCES)
}

/// What a component imports and exports, if it is one and its parts can be counted.
pub(super) fn inspect(name: &str, path: &Path, bytes: &[u8]) -> Result<Inspection, PluginError> {
    let not_a_component = |reason: String| PluginError::NotAComponent {
        plugin: name.to_owned(),
        path: path.display().to_string(),
        reason,
    };
    match bytes.get(..8) {
        Some(b"\0asm\x01\0\0\0") => Err(not_a_component(
            "it is a core module: turn it into a component (wasm-tools component new)".into(),
        )),
        Some(header) if header.starts_with(b"\0asm") => {
            let inspection = survey::of_sections(bytes).and_then(|_| Inspection::of(bytes));
            inspection.map_err(|refusal| refused(name, path, refusal))
        }
        _ => Err(not_a_component(
            "it does not begin as WebAssembly does".into(),
        )),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use rustix::io::Errno;

    use super::forbidden;

    #[test]
    fn a_system_that_forbids_machine_code_is_told_from_a_bad_component() {
        let of = |number: Errno| wasmtime::Error::new(number).context("cannot make it executable");
        assert!(forbidden(&of(Errno::ACCESS)));
        assert!(forbidden(&of(Errno::PERM)));
        assert!(!forbidden(&of(Errno::NOMEM)));
        let said = std::io::Error::from_raw_os_error(Errno::ACCESS.raw_os_error());
        assert!(forbidden(&wasmtime::Error::new(said)));
        assert!(!forbidden(&wasmtime::Error::msg(
            "Permission denied, says the component"
        )));
    }
}
