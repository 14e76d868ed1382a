//! Where things are: the workspace as cargo describes it. Nothing here builds.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;

/// The workspace that the current directory belongs to.
pub(crate) struct Workspace {
    /// The directory of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds to; honours `CARGO_TARGET_DIR`.
    pub(crate) target: PathBuf,
    /// Its member packages.
    pub(crate) members: Vec<Package>,
    cargo: OsString,
}

/// What `cargo metadata` prints, as far as it is needed.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

/// A package of the workspace or of a registry.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest_path: PathBuf,
    /// None for a package of the workspace.
    pub(crate) source: Option<String>,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    #[serde(default)]
    pub(crate) authors: Vec<String>,
    pub(crate) repository: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as the manifest names it.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None`, `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// The folder, for a dependency by path.
    pub(crate) path: Option<PathBuf>,
}

/// A build target of a package.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) crate_types: Vec<String>,
}

impl Package {
    /// The folder of the package.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }

    /// The name of that folder, by which plugins and guests are known.
    pub(crate) fn folder_name(&self) -> String {
        let name = self.folder().file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Whether the package can be built as a WebAssembly module.
    pub(crate) fn is_cdylib(&self) -> bool {
        let cdylib = |target: &Target| target.crate_types.iter().any(|kind| kind == "cdylib");
        self.targets.iter().any(cdylib)
    }
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    ///
    /// There is no cargo, or the current directory lies in no workspace.
    pub(crate) fn load() -> Result<Self> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(&cargo);
        let metadata = parse_metadata(command.args(["metadata", "--no-deps"]))?;
        Ok(Workspace {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            members: metadata.packages,
            cargo,
        })
    }

    /// A cargo command that runs in the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(&self.root);
        process::as_by_hand(&mut command);
        command
    }

    /// Every package of the lock file, those of other platforms too unless `platform` names one.
    ///
    /// # Errors
    ///
    /// The dependencies cannot be resolved or downloaded.
    pub(crate) fn all_packages(&self, platform: Option<&str>) -> Result<Vec<Package>> {
        let mut command = self.cargo();
        command.arg("metadata");
        if let Some(platform) = platform {
            command.args(["--filter-platform", platform]);
        }
        Ok(parse_metadata(&mut command)?.packages)
    }

    /// Where the host's default configuration looks for plugins.
    pub(crate) fn plugin_dir(&self) -> PathBuf {
        self.root.join("configs").join("plugins")
    }

    /// Where the tests look for their guests.
    pub(crate) fn guest_dir(&self) -> PathBuf {
        self.target.join("guests")
    }

    /// A built program of the given profile folder (`debug`, `release`).
    pub(crate) fn program(&self, profile: &str, name: &str) -> PathBuf {
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        self.target.join(profile).join(file)
    }

    /// A path as it is shown: relative to the root where it lies below it.
    pub(crate) fn shown<'path>(&self, path: &'path Path) -> std::path::Display<'path> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }

    /// The text files of the tree with their paths relative to the root, sorted.
    /// Build results and what git ignores by name are left out.
    ///
    /// # Errors
    ///
    /// A folder cannot be read.
    pub(crate) fn sources(&self) -> Result<Vec<Source>> {
        let mut found = Vec::new();
        self.collect(&self.root, &mut found)?;
        found.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(found)
    }

    fn collect(&self, folder: &Path, found: &mut Vec<Source>) -> Result<()> {
        for path in entries(folder)? {
            let relative = path.strip_prefix(&self.root).unwrap_or(&path);
            let shown = relative.to_string_lossy().replace('\\', "/");
            let left_out = matches!(shown.as_str(), ".git" | "target" | "configs/plugins")
                || path == self.target
                || shown.ends_with(".env");
            if left_out {
                continue;
            }
            if path.is_dir() {
                self.collect(&path, found)?;
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push(Source { path: shown, text });
            }
        }
        Ok(())
    }
}

/// A text file of the tree.
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// What is in a folder, sorted.
///
/// # Errors
///
/// The folder cannot be read; the message names it.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = listed.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn parse_metadata(command: &mut Command) -> Result<Metadata> {
    let text = process::capture(command.args(["--format-version", "1"]))?;
    serde_json::from_str(&text).context("cannot read what `cargo metadata` printed")
}
