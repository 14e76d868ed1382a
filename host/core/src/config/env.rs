//! The environment as the configuration sees it: variables, `.env` files, and the usual directories.
//!
//! Nothing here changes the process environment, and nothing else in the configuration reads it,
//! so that a test can put any environment in its place. Which variables of a `.env` count is
//! decided by who put it there: see [`EnvFile`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use file::EnvFile;
pub(super) use file::leads_the_program;
pub use key::{FoundKey, KeyPlace};

use super::diagnose::{ConfigError, Problem};
use super::embedded::EmbeddedPlugin;
use super::installed::InstalledStore;
use super::keys::KeyStore;
use super::provenance::{Provenance, Untrusted};
use super::trust::TrustStore;

mod file;
mod key;

/// Where variables and directories come from.
#[derive(Clone, Default)]
pub struct Env {
    process: bool,
    variables: BTreeMap<String, String>,
    /// The first that has a variable wins.
    files: Vec<Arc<EnvFile>>,
    /// So many of them were named, and come before the user's keys.
    named: usize,
    keys: Option<KeyStore>,
    working_dir: PathBuf,
    home: Option<PathBuf>,
    config_dir: Option<PathBuf>,
    trust: TrustStore,
    installed: InstalledStore,
    plugins: &'static [EmbeddedPlugin],
    warnings: Vec<Problem>,
}

impl Env {
    /// The environment of this process; behind it the `.env` file of its working directory, and
    /// behind that the one beside the user's own configuration.
    ///
    /// Variables of the process are read when they are asked for; files are read now. What of them
    /// cannot be read is kept as [`Env::warnings`].
    #[must_use]
    pub fn process() -> Self {
        let dirs = directories::ProjectDirs::from("", "", "multillm");
        let env = Self {
            process: true,
            home: directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
            config_dir: dirs.as_ref().map(|dirs| dirs.config_dir().to_owned()),
            trust: dirs.as_ref().map_or_else(TrustStore::default, |dirs| {
                TrustStore::in_dir(dirs.data_dir())
            }),
            installed: dirs.map_or_else(InstalledStore::default, |dirs| {
                InstalledStore::in_dir(&dirs.data_dir().join("plugins"))
            }),
            ..Self::default()
        };
        env.with_usual_files()
    }

    /// An environment of exactly these variables, seen from `working_dir`.
    pub fn fixed<K: Into<String>, V: Into<String>>(
        working_dir: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            working_dir: working_dir.into(),
            ..Self::default()
        }
    }

    /// The same with the `.env` of its working directory and that of the user's configuration
    /// directory behind its variables, those that are there.
    #[must_use]
    pub fn with_usual_files(mut self) -> Self {
        let name = Path::new(".env");
        let found = self.working_dir.join(name);
        let own = self.config_dir.as_ref().map(|dir| dir.join(name));
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        // Who works in that directory finds there what is their own.
        let is_own = own.as_deref().is_some_and(|own| {
            let real_own = real(own);
            real_own.is_some() && real_own == real(&found)
        });
        if !is_own {
            self = self.with_usual(name, &found, Provenance::Found);
        }
        match own {
            Some(own) => self.with_usual(&own, &own, Provenance::Own),
            None => self,
        }
    }

    fn with_usual(mut self, name: &Path, path: &Path, provenance: Provenance) -> Self {
        match EnvFile::read(name, path, provenance) {
            Ok(None) => self,
            Ok(Some(mut file)) => {
                let asks = !file.requests().is_empty();
                file.allowed = asks && self.trust.allows(path, file.sha256());
                self.with(file)
            }
            Err(reason) => {
                self.warnings.push(Problem {
                    file: Some(name.display().to_string()),
                    position: None,
                    path: String::new(),
                    message: reason,
                });
                self
            }
        }
    }

    /// The same with a file that somebody named, before other files and behind the variables. All
    /// that it says counts.
    ///
    /// # Errors
    ///
    /// It is not there or cannot be read.
    pub fn with_env_file(mut self, path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |reason: String| ConfigError::EnvFile {
            path: path.to_owned(),
            reason,
        };
        match EnvFile::read(path, &self.working_dir.join(path), Provenance::Named) {
            Ok(Some(file)) => {
                self.warnings.extend(file.faults());
                self.files.insert(0, Arc::new(file));
                self.named += 1;
                Ok(self)
            }
            Ok(None) => Err(unreadable(
                "no such file: correct the path given with --env-file".to_owned(),
            )),
            Err(reason) => Err(unreadable(reason)),
        }
    }

    /// The same with the text of a `.env` file behind everything; all that it says counts. The last
    /// of two lines for one variable counts.
    #[must_use]
    pub fn with_dotenv(self, text: &str) -> Self {
        self.with(EnvFile::of_text(text))
    }

    fn with(mut self, file: EnvFile) -> Self {
        self.warnings.extend(file.faults());
        self.files.push(Arc::new(file));
        self
    }

    /// The same with these directories in place of the user's own.
    #[must_use]
    pub fn with_dirs(mut self, home: Option<PathBuf>, config_dir: Option<PathBuf>) -> Self {
        self.home = home;
        self.config_dir = config_dir;
        self
    }

    /// The same with what the user has allowed kept in this directory.
    #[must_use]
    pub fn with_trust_in(mut self, dir: &Path) -> Self {
        self.trust = TrustStore::in_dir(dir);
        self
    }

    /// The same with the user's own plugins kept in this directory.
    #[must_use]
    pub fn with_installed_in(mut self, dir: &Path) -> Self {
        self.installed = InstalledStore::in_dir(dir);
        self
    }

    /// The plugins that the user installed.
    #[must_use]
    pub fn installed(&self) -> &InstalledStore {
        &self.installed
    }

    /// The same with plugins that the program brings along. Files of their names go before them.
    #[must_use]
    pub fn with_plugins(mut self, plugins: &'static [EmbeddedPlugin]) -> Self {
        self.plugins = plugins;
        self
    }

    /// The plugins that the program brings along.
    #[must_use]
    pub fn plugins(&self) -> &'static [EmbeddedPlugin] {
        self.plugins
    }

    /// The one of this name.
    pub(super) fn embedded(&self, name: &str) -> Option<EmbeddedPlugin> {
        let mut plugins = self.plugins.iter();
        plugins.find(|plugin| plugin.name == name).copied()
    }

    /// The value of a variable: the environment's, or else that of the first file that has it and
    /// may give it. Empty is absent, and a variable that is set to nothing is not looked up in files.
    /// The user's own keys are not asked: see [`Env::found_keys`].
    #[must_use]
    pub fn var(&self, name: &str) -> Option<String> {
        let of_files = || {
            let mut files = self.files.iter().filter(|file| file.may_give(name));
            files.find_map(|file| file.values.get(name).cloned())
        };
        self.set(name)
            .or_else(of_files)
            .filter(|value| !value.trim().is_empty())
    }

    /// The value of a variable of the environment itself.
    #[must_use]
    pub fn own_var(&self, name: &str) -> Option<String> {
        self.set(name).filter(|value| !value.trim().is_empty())
    }

    /// What the environment itself says, be it nothing.
    fn set(&self, name: &str) -> Option<String> {
        match self.variables.get(name) {
            Some(value) => Some(value.clone()),
            None if self.process && is_variable_name(name) => {
                std::env::var_os(name).map(|value| value.into_string().unwrap_or_default())
            }
            None => None,
        }
    }

    /// The directory that relative paths of the command line are relative to; empty for the
    /// process's own.
    #[must_use]
    pub fn working_dir(&self) -> &Path {
        &self.working_dir
    }

    /// Where the user's own configuration stands, such as `~/.config/multillm`.
    #[must_use]
    pub fn config_dir(&self) -> Option<&Path> {
        self.config_dir.as_deref()
    }

    /// Where the user's own table of prices stands, such as `~/.config/multillm/prices.json`.
    #[must_use]
    pub fn user_prices(&self) -> Option<PathBuf> {
        Some(self.config_dir()?.join("prices.json"))
    }

    /// What the user has allowed.
    #[must_use]
    pub fn trust(&self) -> &TrustStore {
        &self.trust
    }

    /// The `.env` files that were read.
    pub fn files(&self) -> impl Iterator<Item = &EnvFile> {
        self.files.iter().map(AsRef::as_ref)
    }

    /// What is wrong with `.env` files.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// A `.env` that was found and holds addresses that do not count, unless the environment has
    /// them too.
    #[must_use]
    pub fn untrusted(&self) -> Option<Untrusted> {
        let file = self.files().find(|file| file.asks())?;
        let mut requests = file.requests();
        requests.retain(|request| self.set(&request.path).is_none());
        (!requests.is_empty()).then(|| Untrusted {
            path: file.path().to_owned(),
            sha256: file.sha256().to_owned(),
            requests,
        })
    }

    /// What a `.env` file asks for, were it found; `None` if nothing of it needs consent.
    ///
    /// # Errors
    ///
    /// It is not there or cannot be read.
    pub fn requests_of(&self, path: &Path) -> Result<Option<Untrusted>, ConfigError> {
        let unreadable = |reason: String| ConfigError::EnvFile {
            path: path.to_owned(),
            reason,
        };
        let place = self.working_dir.join(path);
        let file = EnvFile::read(path, &place, Provenance::Found).map_err(unreadable)?;
        let file = file.ok_or_else(|| unreadable("no such file".to_owned()))?;
        let requests = file.requests();
        Ok((!requests.is_empty()).then(|| Untrusted {
            path: place,
            sha256: file.sha256().to_owned(),
            requests,
        }))
    }

    /// A path of the configuration: `~/` is the home directory, anything relative is relative to `base`.
    pub(super) fn path(&self, base: &Path, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => base.join(path),
        }
    }
}

/// Names only: the values may be keys.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("process", &self.process)
            .field("variables", &self.variables.keys())
            .field("files", &self.files)
            .field("working_dir", &self.working_dir)
            .finish_non_exhaustive()
    }
}

/// Letters, digits and `_`, no digit first: what every shell can set.
pub(super) fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests;
