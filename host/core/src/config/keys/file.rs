//! The private file of keys: read whole, checked for whose it is, and replaced whole under a lock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{KeyStoreError, Vault};
use crate::files;

/// Far more than the keys of every vendor.
const LARGEST: u64 = 1024 * 1024;

/// What stands in the file.
#[derive(Default)]
pub(super) struct Content {
    /// By the names of variables.
    pub(super) keys: BTreeMap<String, Entry>,
}

/// A key, or where it is.
pub(super) enum Entry {
    Key(SecretString),
    /// In the system's keyring, under the same name.
    Keyring,
}

impl Entry {
    pub(super) fn vault(&self) -> Vault {
        match self {
            Entry::Key(_) => Vault::File,
            Entry::Keyring => Vault::Keyring,
        }
    }
}

/// The file's form.
#[derive(Default, Serialize, Deserialize)]
struct Written {
    #[serde(default)]
    keys: BTreeMap<String, WrittenEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenEntry {
    Key(String),
    Keyring(bool),
}

/// The file, which need not be there.
#[derive(Debug, Clone)]
pub(super) struct File {
    path: PathBuf,
}

impl File {
    pub(super) fn at(path: PathBuf) -> Self {
        File { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn failed(&self, reason: impl ToString) -> KeyStoreError {
        KeyStoreError {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }

    /// What stands in it; nothing where it is not there.
    pub(super) fn read(&self) -> Result<Content, KeyStoreError> {
        let shown = self.path.display();
        let refused = |error: std::io::Error| match error.kind() {
            // Whose it is and who may read it: said with the file's name already.
            std::io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
                self.failed(error)
            }
            std::io::ErrorKind::PermissionDenied => self.failed(format!(
                "{shown} cannot be read: make it your own with chown, and run chmod 600 on it"
            )),
            _ => self.failed(format!("{shown}: {error}")),
        };
        let Some(bytes) = files::read_secret(&self.path, LARGEST).map_err(refused)? else {
            return Ok(Content::default());
        };
        // What a parser says of it may hold a part of a key.
        let written: Written = serde_json::from_slice(&bytes).map_err(|_| {
            self.failed(format!(
                "{shown} is damaged: remove it, and set your keys again with \"multillm keys set\""
            ))
        })?;
        let entry = |entry| match entry {
            WrittenEntry::Key(key) => Entry::Key(SecretString::from(key)),
            WrittenEntry::Keyring(_) => Entry::Keyring,
        };
        let keys = written.keys.into_iter();
        Ok(Content {
            keys: keys.map(|(name, written)| (name, entry(written))).collect(),
        })
    }

    /// Changes what stands in it; gives what `change` gives. A failure leaves it as it is.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut Content) -> Result<T, String>,
    ) -> Result<T, KeyStoreError> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let failed = |error: std::io::Error| self.failed(format!("{}: {error}", dir.display()));
        files::make_private_directory(dir).map_err(failed)?;
        // The folder itself may be a link, as some keep their settings elsewhere.
        let real = std::fs::canonicalize(dir).map_err(failed)?;
        if let Some(fault) = files::directory_fault(&real) {
            return Err(self.failed(fault));
        }
        let _lock = files::lock(&self.path.with_extension("lock")).map_err(failed)?;
        let mut content = self.read()?;
        let changed = change(&mut content).map_err(|reason| self.failed(reason))?;
        self.replace(content).map_err(failed)?;
        Ok(changed)
    }

    fn replace(&self, content: Content) -> std::io::Result<()> {
        let entry = |entry| match entry {
            Entry::Key(key) => WrittenEntry::Key(key.expose_secret().to_owned()),
            Entry::Keyring => WrittenEntry::Keyring(true),
        };
        let keys = content.keys.into_iter();
        let written = Written {
            keys: keys.map(|(name, kept)| (name, entry(kept))).collect(),
        };
        let text = serde_json::to_string_pretty(&written)? + "\n";
        files::write_lasting(&self.path, text.as_bytes())
    }
}
