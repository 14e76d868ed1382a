//! Other names of models and routes, in a file of the user's own: what a person types often, in every
//! directory and beside every configuration. An alias is one name for one model; a name for several, or one that
//! belongs to a project, is a route of its configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::env::Env;
use super::names::is_model_name;
use crate::files;

/// Far more than anybody can remember.
const LARGEST: u64 = 1 << 20;

/// Why aliases cannot be read or kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("your aliases in {}: {reason}", path.display())]
pub struct AliasError {
    /// The file.
    pub path: PathBuf,
    /// What stood in the way, and what to do.
    pub reason: String,
}

impl From<AliasError> for crate::error::Error {
    fn from(error: AliasError) -> Self {
        crate::error::Error::configuration(error.to_string())
    }
}

/// The user's aliases.
#[derive(Debug, Clone)]
pub struct AliasStore {
    path: PathBuf,
}

impl AliasStore {
    /// The file `aliases.json` in this directory, such as `~/.config/multillm`.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        AliasStore {
            path: dir.join("aliases.json"),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, reason: impl ToString) -> AliasError {
        AliasError {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }

    /// All of them; none where the file is not there.
    ///
    /// # Errors
    ///
    /// The file is not the user's alone to write, or is damaged.
    pub fn read(&self) -> Result<BTreeMap<String, String>, AliasError> {
        let content = files::read_private(&self.path, LARGEST).map_err(|it| self.failed(it))?;
        let Some(content) = content else {
            return Ok(BTreeMap::new());
        };
        serde_json::from_slice(&content)
            .map_err(|error| self.failed(format!("it is damaged, correct or remove it: {error}")))
    }

    /// Lets a name stand for a model or route from now on.
    ///
    /// # Errors
    ///
    /// It is no name for an alias, or the file cannot be read or written.
    pub fn set(&self, name: &str, model: &str) -> Result<(), AliasError> {
        if !is_model_name(name) || name.contains('/') {
            return Err(self.failed(format!(
                "{name:?} is no name for an alias: write one without a slash and without blanks at its ends"
            )));
        }
        self.change(|all| all.insert(name.to_owned(), model.to_owned()) != Some(model.to_owned()))
            .map(|_| ())
    }

    /// Forgets a name. False if there was none.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub fn remove(&self, name: &str) -> Result<bool, AliasError> {
        self.change(|all| all.remove(name).is_some())
    }

    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, String>) -> bool,
    ) -> Result<bool, AliasError> {
        if let Some(dir) = self.path.parent() {
            files::make_private_directory(dir).map_err(|it| self.failed(it))?;
        }
        let lock = self.path.with_extension("json.lock");
        let _held = files::lock(&lock).map_err(|it| self.failed(it))?;
        let mut all = self.read()?;
        let changed = change(&mut all);
        if changed {
            let text = serde_json::to_string_pretty(&all).map_err(|it| self.failed(it))? + "\n";
            files::write_private(&self.path, text.as_bytes()).map_err(|it| self.failed(it))?;
        }
        Ok(changed)
    }
}

/// The aliases of the user; none if they cannot be read, which is said.
pub(super) fn of_user(env: &Env) -> BTreeMap<String, String> {
    let Some(dir) = env.config_dir() else {
        return BTreeMap::new();
    };
    AliasStore::in_dir(dir).read().unwrap_or_else(|error| {
        tracing::warn!("{error}; they are not used");
        BTreeMap::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Env};

    #[test]
    fn names_are_kept_changed_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let store = AliasStore::in_dir(&dir.path().join("deep/multillm"));
        assert!(store.read().unwrap().is_empty());
        assert!(!store.remove("fast").unwrap());
        store.set("fast", "openai/gpt-5-mini").unwrap();
        store.set("fast", "gpt-4").unwrap();
        store.set("快", "b").unwrap();
        let all = store.read().unwrap();
        assert_eq!(all.get("fast").unwrap(), "gpt-4");
        assert_eq!(all.len(), 2);
        assert!(store.remove("快").unwrap());
        for bad in ["", " x", "a/b", "a\nb"] {
            assert!(store.set(bad, "gpt-4").is_err(), "{bad:?}");
        }
        assert_eq!(store.read().unwrap().len(), 1);
    }

    #[test]
    fn what_is_damaged_or_anothers_is_said_and_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let store = AliasStore::in_dir(dir.path());
        files::write_private(store.path(), b"[]").unwrap();
        let refused = store.set("a", "b").unwrap_err().to_string();
        assert!(refused.contains("aliases.json: it is damaged"), "{refused}");
        assert_eq!(std::fs::read(store.path()).unwrap(), b"[]");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::write(store.path(), "{}").unwrap();
            let open = std::fs::Permissions::from_mode(0o666);
            std::fs::set_permissions(store.path(), open).unwrap();
            assert!(store.read().is_err());
        }
    }

    #[test]
    fn a_model_or_route_of_that_name_goes_before() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::fixed(dir.path(), [("A", "")]);
        let env = env.with_dirs(None, Some(dir.path().to_owned()));
        let store = AliasStore::in_dir(dir.path());
        for name in ["m", "r", "fast"] {
            store.set(name, "other").unwrap();
        }
        let file = dir.path().join("c.json");
        let text = r#"{ "models": { "m": { "provider": "openai" } }, "routes": { "r": { "models": ["m"] } } }"#;
        std::fs::write(&file, text).unwrap();
        let config = Config::load(&file, &env).unwrap();
        assert_eq!(config.unaliased("m"), "m");
        assert_eq!(config.unaliased("r"), "r");
        assert_eq!(config.unaliased("fast"), "other");
        assert_eq!(config.unaliased("none"), "none");
        let said = config.unknown_model("fest");
        assert!(said.contains("did you mean \"fast\""), "{said}");
    }
}
