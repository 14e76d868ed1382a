//! `cargo xtask plugins`: builds every plugin as a component, and puts it where
//! the host's default configuration (`configs/plugins`) or the tests
//! (`guests` in cargo's target folder) look for it.
//!
//! Plugins are found, not listed: every package below `plugins/`, `tests/guests/` and
//! `examples/` that is a `cdylib`. They are built for `wasm32-unknown-unknown`
//! with the same profile and flags, so that their dependencies are compiled once.

mod toolchain;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use wit_component::ComponentEncoder;

use crate::process;
use crate::workspace::{Package, Workspace};

pub(crate) use toolchain::{TARGET, ensure_target};

/// Build the plugins and the guests of the tests as components.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these, by the names of their folders.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
}

/// A component that stands where it belongs.
pub(crate) struct Built {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// In bytes.
    pub(crate) size: usize,
    /// Part of the product, as opposed to a guest of the tests or the template.
    pub(crate) first_party: bool,
    changed: bool,
}

/// A line of cargo's JSON output.
#[derive(Deserialize)]
struct CargoMessage {
    reason: String,
    manifest_path: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Builds and prints what was built.
///
/// # Errors
///
/// An unknown name, no WebAssembly target, or something that does not build.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    for built in build(workspace, &args.only)? {
        println!(
            "{:<16} {:>7.1} KB  {}{}",
            built.name,
            kilobytes(built.size),
            workspace.shown(&built.path),
            if built.changed { "" } else { " (unchanged)" },
        );
    }
    Ok(())
}

/// Builds the packages of these names, or all where there is no name.
///
/// # Errors
///
/// As [`exec`].
pub(crate) fn build(workspace: &Workspace, only: &[String]) -> Result<Vec<Built>> {
    build_packages(workspace, selected(workspace, only)?)
}

/// Builds what is part of the product.
///
/// # Errors
///
/// As [`exec`].
pub(crate) fn build_first_party(workspace: &Workspace) -> Result<Vec<Built>> {
    build_packages(workspace, first_party(workspace)?)
}

/// The packages of the components that are part of the product.
///
/// # Errors
///
/// None today.
pub(crate) fn first_party(workspace: &Workspace) -> Result<Vec<&Package>> {
    let mut packages = selected(workspace, &[])?;
    packages.retain(|package| is_first_party(workspace, package));
    Ok(packages)
}

fn build_packages(workspace: &Workspace, packages: Vec<&Package>) -> Result<Vec<Built>> {
    ensure_target(TARGET)?;
    let flags = path_remaps(workspace, TARGET)?;

    let mut all_built = Vec::new();
    for package in packages {
        let name = name_of(package);
        let module = compile(workspace, package, &flags)?;
        let core =
            fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
        let first_party = is_first_party(workspace, package);
        let bytes = encode(&core).with_context(|| format!("cannot make a component of {name}"))?;
        let folder = if first_party {
            workspace.plugin_dir()
        } else {
            workspace.guest_dir()
        };
        let path = folder.join(format!("{name}.wasm"));
        all_built.push(Built {
            changed: write_if_changed(&path, &bytes)?,
            size: bytes.len(),
            name,
            path,
            first_party,
        });
    }
    Ok(all_built)
}

/// A size as it is shown and limited: 1 KB is 1,000 bytes.
#[allow(
    clippy::cast_precision_loss,
    reason = "a component has far fewer than 2^52 bytes"
)]
pub(crate) fn kilobytes(size: usize) -> f64 {
    size as f64 / 1000.0
}

fn selected<'ws>(workspace: &'ws Workspace, only: &[String]) -> Result<Vec<&'ws Package>> {
    let homes = [
        workspace.root.join("plugins"),
        workspace.root.join("tests").join("guests"),
        workspace.root.join("examples"),
    ];
    let lives_there =
        |package: &Package| homes.iter().any(|home| package.folder().starts_with(home));
    let mut packages: Vec<&Package> = workspace
        .members
        .iter()
        .filter(|package| package.is_cdylib() && lives_there(package))
        .collect();
    for name in only {
        if !packages.iter().any(|package| name_of(package) == *name) {
            let known: Vec<String> = packages.iter().map(|package| name_of(package)).collect();
            bail!(
                "there is no plugin {name:?}; there are: {}",
                known.join(", ")
            );
        }
    }
    packages.retain(|package| only.is_empty() || only.contains(&name_of(package)));
    Ok(packages)
}

/// A component's name: its folder's, but that of an example, whose folder is called like its language.
fn name_of(package: &Package) -> String {
    match package.name.strip_prefix("multillm-example-") {
        Some(name) => name.to_owned(),
        None => package.folder_name(),
    }
}

/// Everything below `plugins/` but the template, which is an example.
fn is_first_party(workspace: &Workspace, package: &Package) -> bool {
    let plugins = workspace.root.join("plugins");
    package.folder().starts_with(&plugins) && package.folder() != plugins.join("template")
}

/// Compiles a package and returns its module.
///
/// Plugins are a `cdylib` and, for native tests, an `rlib`. Cargo gives up on
/// link-time optimisation where it builds both at once, which costs a quarter of
/// the size: so this asks for the one kind, and that works for one package at a time.
fn compile(workspace: &Workspace, package: &Package, flags: &str) -> Result<PathBuf> {
    let mut command = workspace.cargo();
    command
        .args(["rustc", "--lib", "--crate-type", "cdylib"])
        .args(["--package", &package.name, "--profile", "plugin"])
        .args(["--target", TARGET])
        .args(["--message-format", "json-render-diagnostics"])
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .stdin(Stdio::null());
    let printed = process::capture(&mut command)?;
    let is_module = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "wasm");
    printed
        .lines()
        .filter_map(|line| serde_json::from_str::<CargoMessage>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| message.manifest_path.as_ref() == Some(&package.manifest_path))
        .find_map(|message| message.filenames.into_iter().find(is_module))
        .with_context(|| format!("cargo built no module for {}", package.name))
}

/// The component of a core module, checked against the world that it describes.
fn encode(core: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(core)?.encode()
}

/// Flags that keep the paths of this machine out of what is built for a target, so that
/// everybody who builds a version gets the same bytes.
///
/// # Errors
///
/// Cargo or the compiler cannot be asked.
pub(crate) fn path_remaps(workspace: &Workspace, target: &str) -> Result<String> {
    let registries: BTreeSet<PathBuf> = workspace
        .all_packages(Some(target))?
        .iter()
        .filter(|package| package.source.is_some())
        .filter_map(|package| package.folder().parent().map(Path::to_path_buf))
        .collect();
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    // The target folder may lie in the root: what comes later is tried first.
    let mut flags = vec![
        remap(&workspace.root, "/multillm"),
        remap(&workspace.target, "/target"),
    ];
    flags.extend(registries.iter().map(|folder| remap(folder, "/registry")));
    let (rust_sources, rust_commit) = toolchain::rust_sources()?;
    flags.push(remap(&rust_sources, &format!("/rustc/{rust_commit}")));
    Ok(flags.join("\u{1f}"))
}

/// Writes a file in one step, and only where its content differs. Says whether it did.
fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    let folder = path.parent().context("a component needs a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let fresh = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    fs::write(fresh.path(), bytes)?;
    make_readable(fresh.path())?;
    fresh
        .persist(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

/// Temporary files are private; a component may be read by everybody.
#[cfg(unix)]
fn make_readable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))?;
    Ok(())
}

#[cfg(not(unix))]
fn make_readable(_path: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_component_is_not_written_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep").join("a.wasm");
        assert!(write_if_changed(&path, b"one").expect("written"));
        assert!(!write_if_changed(&path, b"one").expect("compared"));
        assert!(write_if_changed(&path, b"two").expect("written again"));
        assert_eq!(fs::read(&path).expect("there"), b"two");
        let left_over = fs::read_dir(folder.path().join("deep")).expect("listed");
        assert_eq!(left_over.count(), 1, "a temporary file stayed");
    }
}
