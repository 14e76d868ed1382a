//! The user's own keys: kept once, for every directory, by the names of the variables that would hold
//! them.
//!
//! A key stands in one private file of the user's, or, where the user wants that, in the system's
//! keyring; then the file says so. By its variable's name a key goes where that variable's value
//! would go and nowhere else: what decides that ([`super::endpoint`], [`super::requests`]) does not
//! know where a key was kept. An address or what leads this program is never taken from here.

mod file;
mod names;
mod ring;

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Serialize;

use super::secret::{bare, fault};
use file::{Entry, File};
pub use names::{KeyName, key_named, key_names};

/// Whether this program knows the system's keyring. See the feature `keyring`.
pub const HAS_KEYRING: bool = cfg!(feature = "keyring");

/// Far longer than any vendor's key.
const LONGEST: usize = 16 * 1024;

/// What a key is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Vault {
    /// The user's file of keys.
    File,
    /// The system's keyring: the Secret Service, the Keychain, the Credential Manager.
    Keyring,
}

/// Why keys cannot be read or kept. Holds no part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("your keys are not used: {reason}")]
pub struct KeyStoreError {
    /// The file that holds them, or says where they are.
    pub path: PathBuf,
    /// What stood in the way, and what to do.
    pub reason: String,
}

/// Where the user's own keys are kept.
#[derive(Debug, Clone)]
pub struct KeyStore {
    file: File,
}

impl KeyStore {
    /// The file `keys.json` in this directory, such as `~/.config/multillm`.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        KeyStore {
            file: File::at(dir.join("keys.json")),
        }
    }

    /// The file in the user's own configuration directory; nothing where there is no home.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "multillm")?;
        Some(Self::in_dir(dirs.config_dir()))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The key of this name, and what it is kept in. Reads the file anew; may ask the keyring, which
    /// may ask the user to open it.
    ///
    /// # Errors
    ///
    /// The file or the keyring cannot be read, or others may read the file.
    pub fn get(&self, name: &str) -> Result<Option<(SecretString, Vault)>, KeyStoreError> {
        match self.file.read()?.keys.remove(name) {
            None => Ok(None),
            Some(Entry::Key(key)) => Ok(Some((key, Vault::File))),
            Some(Entry::Keyring) => match ring::get(name) {
                Ok(Some(key)) => Ok(Some((key, Vault::Keyring))),
                Ok(None) => Err(self.file.failed(format!(
                    "{name} is no longer in the system's keyring: set it again with \"multillm keys \
                     set {name} --keyring\", or forget it with \"multillm keys remove {name}\""
                ))),
                Err(reason) => Err(self.file.failed(format!("{name}: {reason}"))),
            },
        }
    }

    /// The names of the keys that are kept, and what each is kept in.
    ///
    /// # Errors
    ///
    /// As [`KeyStore::get`]; the keyring is not asked.
    pub fn list(&self) -> Result<Vec<(String, Vault)>, KeyStoreError> {
        let keys = self.file.read()?.keys.into_iter();
        Ok(keys.map(|(name, entry)| (name, entry.vault())).collect())
    }

    /// Keeps a key, in place of one that was kept before.
    ///
    /// # Errors
    ///
    /// It cannot be kept.
    pub fn set(&self, name: &str, key: &SecretString, vault: Vault) -> Result<(), KeyStoreError> {
        let before = self.file.change(|content| {
            let entry = match vault {
                Vault::File => Entry::Key(key.clone()),
                Vault::Keyring => {
                    ring::set(name, key)?;
                    Entry::Keyring
                }
            };
            Ok(content.keys.insert(name.to_owned(), entry))
        })?;
        // What is no longer looked for there need not be kept there.
        if vault == Vault::File && matches!(before, Some(Entry::Keyring)) {
            let _ = ring::remove(name);
        }
        Ok(())
    }

    /// Forgets a key; says whether there was one.
    ///
    /// # Errors
    ///
    /// It cannot be taken out.
    pub fn remove(&self, name: &str) -> Result<bool, KeyStoreError> {
        self.file.change(|content| {
            if let Some(Entry::Keyring) = content.keys.get(name) {
                ring::remove(name)?;
            }
            Ok(content.keys.remove(name).is_some())
        })
    }
}

/// A key as it was typed or piped in: without the white space around it, if it can be one.
///
/// # Errors
///
/// What is wrong with it. No part of it is repeated.
pub fn typed_key(text: &str) -> Result<SecretString, String> {
    let key = bare(text);
    if key.is_empty() {
        return Err("no key was given: type it when asked, or pipe it in".to_owned());
    }
    if key.len() > LONGEST {
        return Err("this is too long to be a key: give only the key".to_owned());
    }
    let before_sign = key.split_once('=').map(|(name, _)| name);
    if before_sign.is_some_and(names::is_key_variable) {
        let message = "the key begins with a variable's name: give only what stands behind the =";
        return Err(message.to_owned());
    }
    if let Some(fault) = fault(key) {
        return Err(format!("the key {fault}"));
    }
    if key.contains(char::is_whitespace) {
        return Err("the key has a blank in it: copy it again".to_owned());
    }
    Ok(SecretString::from(key))
}

/// What of a key may be shown, so that its owner knows it: its last four characters, where that leaves
/// enough to be guessed.
#[must_use]
pub fn key_ending(key: &SecretString) -> Option<String> {
    use secrecy::ExposeSecret as _;
    const ENOUGH: usize = 20;
    let key = key.expose_secret();
    let shown = key.len().checked_sub(4).filter(|_| key.len() >= ENOUGH)?;
    key.get(shown..).map(str::to_owned)
}

#[cfg(test)]
mod tests;
