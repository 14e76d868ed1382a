//! The private file that the gateway's keys are kept in: read whole, checked for whose it is, replaced whole under a
//! lock.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use multillm::files;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Closed;
use super::key::{KeyEntry, NewKey, offered};

/// Far more than a hundred thousand keys take.
const LARGEST: u64 = 64 << 20;
/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why keys cannot be read or changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no place for the file.
    #[error("there is no home directory for the gateway's keys: set gateway.keys to a file")]
    NoPlace,
    /// The file cannot be used.
    #[error("the gateway's keys in {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// There is a key of this name already.
    #[error("there is a key {0:?} already: \"multillm key rotate {0}\" gives it a new secret")]
    Exists(String),
    /// There is none.
    #[error("there is no key {0:?}: \"multillm key list\" shows those that there are")]
    Unknown(String),
    /// It was revoked, and stays so.
    #[error("the key {0:?} was revoked: make another one")]
    Revoked(String),
    /// This is no name for one.
    #[error(
        "{0:?} is no name for a key: write up to 64 letters, digits, dots, dashes and underscores"
    )]
    Name(String),
    /// The system has no randomness.
    #[error("no key can be made: {0}")]
    Random(String),
}

/// Keys, as they stand in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// In the order in which they were made.
    #[serde(default)]
    pub keys: Vec<KeyEntry>,
}

impl Keys {
    /// Whether there was never any key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&KeyEntry> {
        self.keys.iter().find(|entry| entry.name == name)
    }

    /// Whose key somebody offers. All are compared, whichever it is.
    pub(crate) fn admit(&self, texts: &[&str], now_ms: i64) -> Result<&KeyEntry, Closed> {
        if texts.is_empty() {
            return Err(Closed::NoKey);
        }
        let mut found = None;
        for text in texts {
            let Some(digest) = offered(text) else {
                continue;
            };
            for entry in &self.keys {
                if entry.is(&digest) {
                    found = Some(entry);
                }
            }
        }
        match found {
            None => Err(Closed::BadKey),
            Some(entry) if entry.revoked_ms.is_some() => Err(Closed::Revoked),
            Some(entry) if entry.expires_ms.is_some_and(|end| end <= now_ms) => {
                Err(Closed::Expired)
            }
            Some(entry) => Ok(entry),
        }
    }
}

/// The file.
#[derive(Debug, Clone)]
pub struct KeyStore {
    path: PathBuf,
}

impl KeyStore {
    /// The file at this path; absent: in the user's configuration directory.
    ///
    /// # Errors
    ///
    /// There is no such directory.
    pub fn at(path: Option<PathBuf>, directory: Option<PathBuf>) -> Result<Self, KeyError> {
        let usual = || directory.map(|directory| directory.join("gateway-keys.json"));
        let path = path.or_else(usual).ok_or(KeyError::NoPlace)?;
        Ok(KeyStore { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, reason: impl ToString) -> KeyError {
        KeyError::File {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }

    /// The keys; none where there is no file.
    ///
    /// # Errors
    ///
    /// It cannot be read, is damaged, or somebody else may read or write it.
    pub fn read(&self) -> Result<Keys, KeyError> {
        let text = files::read_private(&self.path, LARGEST).map_err(|error| self.failed(error))?;
        let Some(text) = text else {
            return Ok(Keys::default());
        };
        serde_json::from_slice(&text).map_err(|error| {
            self.failed(format!(
                "is damaged ({error}): restore it, or remove it and make new keys"
            ))
        })
    }

    /// Makes a key and keeps what it allows under its name.
    ///
    /// # Errors
    ///
    /// [`KeyError`]
    pub fn create(&self, mut entry: KeyEntry) -> Result<NewKey, KeyError> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if entry.name.is_empty() || entry.name.len() > 64 || !entry.name.chars().all(is_plain) {
            return Err(KeyError::Name(entry.name));
        }
        let key = new_key()?;
        entry.sha256 = key.digest();
        self.change(|keys| {
            if keys.named(&entry.name).is_some() {
                return Err(KeyError::Exists(entry.name.clone()));
            }
            keys.keys.push(entry);
            Ok(())
        })?;
        Ok(key)
    }

    /// Gives a key a new secret. What it allows and what was spent stays.
    ///
    /// # Errors
    ///
    /// [`KeyError`]
    pub fn rotate(&self, name: &str) -> Result<NewKey, KeyError> {
        let key = new_key()?;
        self.change_one(name, |entry| match entry.revoked_ms {
            Some(_) => Err(KeyError::Revoked(name.to_owned())),
            None => {
                entry.sha256 = key.digest();
                Ok(())
            }
        })?;
        Ok(key)
    }

    /// Takes a key out of use for good. Its name stays taken, so that no other key gets what is recorded under it.
    ///
    /// # Errors
    ///
    /// [`KeyError`]
    pub fn revoke(&self, name: &str, now_ms: i64) -> Result<(), KeyError> {
        self.change_one(name, |entry| {
            entry.revoked_ms.get_or_insert(now_ms);
            Ok(())
        })
    }

    fn change_one(
        &self,
        name: &str,
        change: impl FnOnce(&mut KeyEntry) -> Result<(), KeyError>,
    ) -> Result<(), KeyError> {
        self.change(|keys| {
            let mut entries = keys.keys.iter_mut();
            let found = entries.find(|entry| entry.name == name);
            change(found.ok_or_else(|| KeyError::Unknown(name.to_owned()))?)
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Keys) -> Result<(), KeyError>,
    ) -> Result<(), KeyError> {
        let directory = self
            .path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        if let Some(directory) = directory {
            files::make_private_directory(directory).map_err(|error| self.failed(error))?;
        }
        let _lock = self.lock()?;
        let mut keys = self.read()?;
        change(&mut keys)?;
        let mut text = serde_json::to_vec_pretty(&keys).map_err(|error| self.failed(error))?;
        text.push(b'\n');
        files::write_private(&self.path, &text).map_err(|error| self.failed(error))
    }

    /// Held until it is dropped.
    fn lock(&self) -> Result<fs::File, KeyError> {
        let path = self.path.with_extension("lock");
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = options.open(&path).map_err(|error| self.failed(error))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(self.failed("another process holds it: try again"));
                }
                Err(fs::TryLockError::Error(error))
                    if error.kind() == io::ErrorKind::Unsupported =>
                {
                    return Ok(file);
                }
                Err(fs::TryLockError::Error(error)) => return Err(self.failed(error)),
            }
        }
    }
}

fn new_key() -> Result<NewKey, KeyError> {
    NewKey::make().map_err(|error| KeyError::Random(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, KeyStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = KeyStore::at(Some(dir.path().join("k/keys.json")), None).unwrap();
        (dir, store)
    }

    fn named(name: &str) -> KeyEntry {
        KeyEntry {
            name: name.to_owned(),
            ..KeyEntry::default()
        }
    }

    #[test]
    fn keys_are_made_found_rotated_and_revoked() {
        let (_dir, store) = store();
        assert!(store.read().unwrap().is_empty());
        let first = store.create(named("ci")).unwrap();
        let other = store.create(named("dev")).unwrap();
        assert!(matches!(
            store.create(named("ci")),
            Err(KeyError::Exists(_))
        ));
        let text = fs::read_to_string(store.path()).unwrap();
        assert!(
            !text.contains(first.reveal()) && !text.contains("mlk-"),
            "{text}"
        );
        let keys = store.read().unwrap();
        let admit =
            |keys: &Keys, texts: &[&str]| keys.admit(texts, 5).map(|entry| entry.name.clone());
        assert_eq!(admit(&keys, &[first.reveal()]), Ok("ci".to_owned()));
        assert_eq!(
            admit(&keys, &["sk-x", other.reveal()]),
            Ok("dev".to_owned())
        );
        assert_eq!(admit(&keys, &["sk-x"]), Err(Closed::BadKey));
        assert_eq!(admit(&keys, &[]), Err(Closed::NoKey));
        let second = store.rotate("ci").unwrap();
        let keys = store.read().unwrap();
        assert_eq!(admit(&keys, &[first.reveal()]), Err(Closed::BadKey));
        assert_eq!(admit(&keys, &[second.reveal()]), Ok("ci".to_owned()));
        store.revoke("ci", 3).unwrap();
        let keys = store.read().unwrap();
        assert_eq!(admit(&keys, &[second.reveal()]), Err(Closed::Revoked));
        assert!(matches!(store.rotate("ci"), Err(KeyError::Revoked(_))));
        assert!(matches!(
            store.revoke("nobody", 3),
            Err(KeyError::Unknown(_))
        ));
        assert!(
            !keys.is_empty(),
            "a door that had keys does not open when they are revoked"
        );
    }

    #[test]
    fn a_key_expires() {
        let (_dir, store) = store();
        let key = store
            .create(KeyEntry {
                expires_ms: Some(10),
                ..named("ci")
            })
            .unwrap();
        let keys = store.read().unwrap();
        assert!(keys.admit(&[key.reveal()], 9).is_ok());
        assert_eq!(keys.admit(&[key.reveal()], 10), Err(Closed::Expired));
    }

    #[test]
    fn names_are_plain_and_damage_is_told() {
        let (_dir, store) = store();
        for name in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(
                matches!(store.create(named(name)), Err(KeyError::Name(_))),
                "{name:?}"
            );
        }
        store.create(named("ci")).unwrap();
        files::write_private(store.path(), b"{").unwrap();
        assert!(store.read().unwrap_err().to_string().contains("is damaged"));
    }
}
