//! Plugins that the user installed: components under their digests, and one list that says which name means which.
//!
//! The directory is the user's alone (0700), and so is each file in it (0600). `plugins.json` is the list; a
//! component stands in `store/` under its digest, so that a name moves from one to another at once, and what is in
//! place is what was agreed to: a file that no longer has the digest of its name is not compiled. A file `NAME.wasm`
//! that somebody put into the directory itself is a plugin too, without any of that.
//!
//! Nothing here fetches, checks or shows a component: whoever installs does.

mod list;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::built_in::built_in_of;
use super::mark::Mark;
use super::model::Wasi;
use super::names::is_plugin_name;
use crate::files;
use list::List;

/// The version of the list's format.
pub(super) const FORMAT: u32 = 1;

/// Where a component came from, and what it was when the user agreed to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// As it was named: a path, a URL, or `oci://registry/name:tag`, without a digest.
    pub source: String,
    /// SHA-256 of the component, in hexadecimal: what is loaded has it, or is refused.
    pub sha256: String,
    /// The component's length in bytes.
    pub size: u64,
    /// The digest of what the tag meant, such as `sha256:…`; only for a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Who signed it: a key that the user trusts. Absent: nobody that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The version of the contract, as it was released.
    pub contract: String,
    /// What it gets if it imports WASI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wasi: Option<Wasi>,
    /// When it was agreed to, such as `2026-11-27T14:00:00Z`.
    pub added: String,
}

/// What a name means in the user's own directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPlugin {
    /// The component's file.
    pub path: PathBuf,
    /// What is known of it; absent: somebody put the file there.
    pub installed: Option<Installed>,
}

/// Why the user's own plugins cannot be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("your plugins in {}: {reason}", path.display())]
pub struct InstalledError {
    /// The file or directory.
    pub path: PathBuf,
    /// What stood in the way, and what to do.
    pub reason: String,
}

impl From<InstalledError> for crate::error::Error {
    fn from(error: InstalledError) -> Self {
        crate::error::Error::configuration(error.to_string())
    }
}

/// The user's own plugin directory. Without a place there is none.
#[derive(Debug, Clone, Default)]
pub struct InstalledStore {
    list: Option<List>,
}

impl InstalledStore {
    /// Plugins are kept in this directory, such as `~/.local/share/multillm/plugins`.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        InstalledStore {
            list: Some(List::in_dir(dir)),
        }
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> Option<&Path> {
        self.list.as_ref().map(List::dir)
    }

    /// Everything that was installed, by name.
    ///
    /// # Errors
    ///
    /// The list cannot be read, or others may write it.
    pub fn list(&self) -> Result<BTreeMap<String, Installed>, InstalledError> {
        match &self.list {
            Some(list) => Ok(list.read()?.as_ref().clone()),
            None => Ok(BTreeMap::new()),
        }
    }

    /// Where the component of this digest stands.
    ///
    /// # Errors
    ///
    /// There is no directory.
    pub fn component(&self, sha256: &str) -> Result<PathBuf, InstalledError> {
        Ok(self.place()?.store().join(format!("{sha256}.wasm")))
    }

    /// Where its signature stands, if it has one.
    ///
    /// # Errors
    ///
    /// There is no directory.
    pub fn signature(&self, sha256: &str) -> Result<PathBuf, InstalledError> {
        Ok(self.component(sha256)?.with_extension("minisig"))
    }

    /// The plugin of this name in the directory. Names of what comes with the program mean nothing here, and
    /// nothing counts in a directory or under a list that somebody else may write.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<OwnPlugin> {
        let list = self.list.as_ref()?;
        if !is_plugin_name(name) || built_in_of(name).is_some() {
            return None;
        }
        if fs::symlink_metadata(list.dir())
            .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        {
            return None;
        }
        let known = match list.read() {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!("none of them is used: {error}");
                return None;
            }
        };
        if let Some(installed) = known.get(name) {
            return Some(OwnPlugin {
                path: self.component(&installed.sha256).ok()?,
                installed: Some(installed.clone()),
            });
        }
        let path = list.dir().join(format!("{name}.wasm"));
        if !path.is_file() {
            return None;
        }
        if let Some(fault) = files::file_fault(&path) {
            tracing::warn!("the plugin is not used: {fault}");
            return None;
        }
        let installed = None;
        Some(OwnPlugin { path, installed })
    }

    /// The names that mean something, installed ones and files.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let Some(list) = &self.list else {
            return vec![];
        };
        let mut names: Vec<String> = self.list().unwrap_or_default().into_keys().collect();
        names.extend(components_in(list.dir()));
        names.sort();
        names.dedup();
        names.retain(|name| self.find(name).is_some());
        names
    }

    /// Puts a component under a name: into the store, and then into the list. Whatever the name meant before is
    /// left to [`InstalledStore::tidy`].
    ///
    /// `old` is what it may take the place of: nothing, or exactly what is there.
    ///
    /// # Errors
    ///
    /// It cannot be kept, or the name means something else by now.
    pub fn put(
        &self,
        name: &str,
        old: Option<&Installed>,
        new: &Installed,
        component: &[u8],
        signature: Option<&str>,
    ) -> Result<(), InstalledError> {
        let list = self.place()?;
        if !is_plugin_name(name) || built_in_of(name).is_some() {
            return Err(list.failed(format!("{name:?} cannot be the name of a plugin here")));
        }
        let failed = |error: io::Error| list.failed(error);
        files::make_private_directory(&list.store()).map_err(failed)?;
        list.change(|known| {
            if known.get(name) != old {
                return Err(format!(
                    "{name} means something else by now: see \"multillm plugin list\", and try again"
                ));
            }
            let file = self.component(&new.sha256).map_err(|error| error.reason)?;
            let told = |error: io::Error| format!("{}: {error}", file.display());
            files::write_lasting(&file, component).map_err(told)?;
            let beside = file.with_extension("minisig");
            match signature {
                Some(text) => files::write_lasting(&beside, text.as_bytes()).map_err(told)?,
                None => remove_file(&beside).map_err(told)?,
            }
            known.insert(name.to_owned(), new.clone());
            Ok(())
        })
    }

    /// Forgets a name, and what no other name means. Says what it meant.
    ///
    /// # Errors
    ///
    /// It cannot be changed.
    pub fn remove(&self, name: &str) -> Result<Option<Installed>, InstalledError> {
        let mut gone = None;
        self.place()?.change(|known| {
            gone = known.remove(name);
            Ok(())
        })?;
        self.tidy()?;
        Ok(gone)
    }

    /// Removes components that no name means any more.
    ///
    /// # Errors
    ///
    /// The list cannot be read.
    pub fn tidy(&self) -> Result<(), InstalledError> {
        self.place()?.change(|known| {
            let entries = fs::read_dir(self.place().map_err(|error| error.reason)?.store());
            for path in entries
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
            {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                let digest = stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
                if digest && !known.values().any(|installed| installed.sha256 == *stem) {
                    let _ = fs::remove_file(&path);
                }
            }
            Ok(())
        })
    }

    fn place(&self) -> Result<&List, InstalledError> {
        self.list.as_ref().ok_or_else(|| InstalledError {
            path: PathBuf::from("plugins"),
            reason: "cannot be kept: there is no home directory".to_owned(),
        })
    }
}

impl OwnPlugin {
    /// What tells this file from another one in its place.
    pub(super) fn mark(&self) -> Option<Mark> {
        Mark::of(&self.path)
    }
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The names of the components that lie in a directory.
pub(super) fn components_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let components = entries.filter_map(|entry| {
        let path = entry.path();
        let name = path
            .file_name()?
            .to_str()?
            .strip_suffix(".wasm")?
            .to_owned();
        (is_plugin_name(&name) && path.is_file()).then_some(name)
    });
    components.collect()
}

#[cfg(test)]
mod tests;
