//! Keys as the environment, the user's own keys and files of variables have them, in the order in which
//! they count: the environment, files that were named, the user's keys, files that lie somewhere.

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Serialize;

use super::Env;
use super::file::EnvFile;
use crate::config::keys::{KeyStore, KeyStoreError, Vault};

/// Where a key was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "place")]
pub enum KeyPlace {
    /// The environment.
    Environment,
    /// A file of variables.
    File {
        /// Which.
        path: PathBuf,
    },
    /// The user's own keys.
    Keys {
        /// What it is kept in.
        vault: Vault,
    },
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyPlace::Environment => f.write_str("the environment"),
            KeyPlace::File { path } => write!(f, "{}", path.display()),
            KeyPlace::Keys { vault: Vault::File } => f.write_str("your keys"),
            KeyPlace::Keys {
                vault: Vault::Keyring,
            } => f.write_str("your keys (keyring)"),
        }
    }
}

/// A key that was found. Its `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct FoundKey {
    /// The variable's name.
    pub name: String,
    /// Where.
    pub place: KeyPlace,
    /// The key, as it stands there.
    pub value: SecretString,
}

impl Env {
    /// The same with the user's own keys, behind the environment and the files that were named, before
    /// those that lie in directories.
    #[must_use]
    pub fn with_keys(mut self, keys: KeyStore) -> Self {
        self.keys = Some(keys);
        self
    }

    /// The same without the user's own keys.
    #[must_use]
    pub fn without_keys(mut self) -> Self {
        self.keys = None;
        self
    }

    /// The user's own keys, where they count.
    #[must_use]
    pub fn keys(&self) -> Option<&KeyStore> {
        self.keys.as_ref()
    }

    /// The same with this variable in the environment, before all others.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Every value that one of these variables has somewhere, the one that counts first. What is empty
    /// in the environment or in a file is looked for no further. `configured`: the configuration names
    /// them, so that any file may give them.
    ///
    /// # Errors
    ///
    /// The user's keys cannot be read; what was found before them is lost with them.
    pub fn found_keys(
        &self,
        names: &[String],
        configured: bool,
    ) -> Result<Vec<FoundKey>, KeyStoreError> {
        let mut all = vec![];
        self.visit(names, configured, &mut |found| {
            all.push(found);
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// Whether one of these variables has a key somewhere, as far as that can be said without asking a
    /// keyring. `configured`: the configuration names them, so that any file may give them. The user's
    /// keys that cannot be read are none.
    #[must_use]
    pub fn has_key(&self, names: &[String], configured: bool) -> bool {
        let kept = || match self.keys.as_ref().map(KeyStore::list) {
            Some(Ok(kept)) => kept
                .iter()
                .any(|(name, _)| names.contains(name) && self.set(name).is_none()),
            _ => false,
        };
        let elsewhere = self.clone().without_keys();
        matches!(elsewhere.key(names, configured), Ok(Some(_))) || kept()
    }

    /// The value that counts. `configured`: the configuration names these variables, so that any file
    /// may give them.
    pub(in crate::config) fn key(
        &self,
        names: &[String],
        configured: bool,
    ) -> Result<Option<FoundKey>, KeyStoreError> {
        let mut first = None;
        self.visit(names, configured, &mut |found| {
            first = Some(found);
            ControlFlow::Break(())
        })?;
        Ok(first)
    }

    /// Whether looking for a key may wait for somebody: a keyring may ask its user.
    pub(crate) fn may_wait(&self) -> bool {
        crate::config::keys::HAS_KEYRING && self.keys.is_some()
    }

    fn visit(
        &self,
        names: &[String],
        configured: bool,
        visit: &mut dyn FnMut(FoundKey) -> ControlFlow<()>,
    ) -> Result<(), KeyStoreError> {
        let mut search = Search {
            open: names.iter().map(String::as_str).collect(),
            visit,
        };
        match search.everywhere(self, configured) {
            Ok(()) | Err(Stop::Enough) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

/// Why to look no further.
enum Stop {
    Enough,
    Failed(KeyStoreError),
}

/// Going through the places.
struct Search<'a> {
    /// Names that no place has said to be empty.
    open: Vec<&'a str>,
    visit: &'a mut dyn FnMut(FoundKey) -> ControlFlow<()>,
}

impl Search<'_> {
    fn everywhere(&mut self, env: &Env, configured: bool) -> Result<(), Stop> {
        self.texts(&KeyPlace::Environment, |name| env.set(name))?;
        let (named, lying) = env.files.split_at(env.named.min(env.files.len()));
        for file in named {
            self.file(file, configured)?;
        }
        if let Some(keys) = &env.keys {
            self.kept(keys)?;
        }
        for file in lying {
            self.file(file, configured)?;
        }
        Ok(())
    }

    fn file(&mut self, file: &EnvFile, configured: bool) -> Result<(), Stop> {
        let path = file.path().to_owned();
        self.texts(&KeyPlace::File { path }, |name| {
            let may_give = configured || file.may_give(name);
            file.values.get(name).filter(|_| may_give).cloned()
        })
    }

    fn kept(&mut self, keys: &KeyStore) -> Result<(), Stop> {
        for name in self.open.clone() {
            if let Some((value, vault)) = keys.get(name).map_err(Stop::Failed)? {
                self.found(name, KeyPlace::Keys { vault }, value)?;
            }
        }
        Ok(())
    }

    /// What a place has as plain texts.
    fn texts(
        &mut self,
        place: &KeyPlace,
        value_of: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Stop> {
        for name in self.open.clone() {
            match value_of(name) {
                None => {}
                Some(value) if value.trim().is_empty() => self.open.retain(|open| *open != name),
                Some(value) => self.found(name, place.clone(), value.into())?,
            }
        }
        Ok(())
    }

    fn found(&mut self, name: &str, place: KeyPlace, value: SecretString) -> Result<(), Stop> {
        let found = FoundKey {
            name: name.to_owned(),
            place,
            value,
        };
        match (self.visit)(found) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Enough),
        }
    }
}
