//! The configuration: what the file says, checked once and never again.
//!
//! [`Config`] is complete: every name stands for what it names, every default is filled in, every
//! URL and price is read. Keys are not in it, only where they come from; they are fetched when
//! they are needed. Nothing here knows of WebAssembly, of HTTP clients or of databases.
//!
//! What is wrong with a file is reported all at once, each fault with file, line, column, JSON
//! path and fix: see [`ConfigError`].
//!
//! ```
//! # use std::path::Path;
//! use multillm::config::{Config, Env};
//!
//! let text = r#"{ "models": { "gpt-4": { "provider": "opnai" } } }"#;
//! let error = Config::from_json_str(text, Path::new("."), &Env::process()).unwrap_err();
//! assert!(error.to_string().ends_with(r#"no provider "opnai": did you mean "openai"?"#));
//! ```

mod base_url;
mod check;
mod diagnose;
mod document;
mod dotenv;
mod endpoint;
mod env;
mod load;
mod model;
mod names;
mod policy;
mod price;
mod provenance;
mod requests;
mod resolve;
mod schema;
mod secret;
mod starter;
#[cfg(test)]
mod tests;
mod trust;
mod vendors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use resolve::Refusal;

pub use base_url::normalise_base_url;
pub use diagnose::{ConfigError, Position, Problem};
pub(crate) use diagnose::{advice, nearest};
pub use endpoint::{BaseUrlError, Endpoint, Header, Proxy, Standing};
pub use env::{Env, EnvFile};
pub use model::{
    Capabilities, MissingPlugin, Model, Plugin, Provider, Route, RouteModel, Strategy, Wasi,
};
pub use policy::{Breaker, Cache, Health, History, Limits, RateLimits, Retry, Timeouts};
pub(crate) use price::Amount;
pub use price::Prices;
pub use provenance::{ConfigFile, Provenance, Untrusted};
pub(crate) use requests::only_words;
pub(crate) use secret::end_key_programs;
pub use secret::{SecretCause, SecretCommand, SecretError, SecretSource};
pub use starter::Starter;
pub use trust::{FileGrant, PluginGrant, TrustError, TrustStore};

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from; absent if a program gave it.
    pub path: Option<PathBuf>,
    /// How that file was come by.
    pub provenance: Provenance,
    /// What its relative paths are relative to.
    pub dir: PathBuf,
    /// The model or route that is asked when none is named.
    pub default_model: Option<String>,
    /// Every plugin that is listed or that a provider needs, by name.
    pub plugins: BTreeMap<String, Arc<Plugin>>,
    /// Where plugins stand that are not listed.
    pub plugin_dir: PathBuf,
    /// Every provider that is listed or that a model names, by name.
    pub providers: BTreeMap<String, Arc<Provider>>,
    /// Models by name, in the order of the file; those that are switched off too.
    pub models: IndexMap<String, Arc<Model>>,
    /// Routes by name, in the order of the file. No route has the name of a model.
    pub routes: IndexMap<String, Arc<Route>>,
    /// When and how often a failed request is sent again.
    pub retry: Retry,
    /// How long to wait where no provider or model says otherwise.
    pub timeouts: Timeouts,
    /// Answers kept for identical requests.
    pub cache: Cache,
    /// What one exchange and one plugin may take.
    pub limits: Limits,
    /// The record of exchanges.
    pub history: History,
    /// When a failing model is left alone.
    pub breaker: Breaker,
    /// Health checks.
    pub health: Health,
    /// Where prompt templates stand; need not be there.
    pub templates_dir: PathBuf,
    /// A table of prices for models that have none in the configuration.
    pub prices: Option<PathBuf>,
    /// What is allowed and yet looks like a mistake.
    pub warnings: Vec<Problem>,
    files: Vec<NeededFile>,
}

/// A file that the configuration names, and what to say when it is not there.
#[derive(Debug, Clone)]
struct NeededFile {
    path: PathBuf,
    problem: Problem,
}

impl Config {
    /// The file to read: `named`, or what `MULTILLM_CONFIG` names, or else the first that is there
    /// of `configs/multi_llm_config.json`, `multi_llm_config.json` and `config.json` in the
    /// user's configuration directory (such as `~/.config/multillm`).
    ///
    /// # Errors
    ///
    /// [`ConfigError::NotFound`] lists where it was looked for.
    pub fn find(named: Option<&Path>, env: &Env) -> Result<ConfigFile, ConfigError> {
        load::find(named, env)
    }

    /// Reads a file that somebody named. Relative paths in it are relative to the file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is wrong: then every fault of it.
    pub fn load(path: &Path, env: &Env) -> Result<Self, ConfigError> {
        let file = ConfigFile {
            path: path.to_owned(),
            provenance: Provenance::Named,
        };
        Self::read(&file, env)
    }

    /// Reads a file as [`Config::find`] gives it.
    ///
    /// # Errors
    ///
    /// As [`Config::load`]; and [`ConfigError::Untrusted`] if it was merely found, asks for more
    /// than models, and the user has not allowed exactly this content.
    pub fn read(file: &ConfigFile, env: &Env) -> Result<Self, ConfigError> {
        let path = env.working_dir().join(&file.path);
        let content = load::read(file, env)?;
        let dir = match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        let name = file.path.display().to_string();
        let allowed =
            || file.provenance != Provenance::Found || env.trust().allows(&path, &content.sha256);
        let config = resolve::config(Some(name), &content.text, dir, env, allowed);
        let mut config = config.map_err(|refusal| match refusal {
            Refusal::Faults(problems) => ConfigError::Invalid { problems },
            Refusal::Requests(requests) => ConfigError::Untrusted(Untrusted {
                path: file.path.clone(),
                sha256: content.sha256.clone(),
                requests,
            }),
        })?;
        config.path = Some(path);
        config.provenance = file.provenance;
        Ok(config)
    }

    /// Reads its file again, as it was come by.
    ///
    /// # Errors
    ///
    /// As [`Config::read`]. `None`: it came from no file.
    pub fn read_again(&self, env: &Env) -> Option<Result<Self, ConfigError>> {
        let file = ConfigFile {
            path: self.path.clone()?,
            provenance: self.provenance,
        };
        Some(Self::read(&file, env))
    }

    /// Reads a text, for programs that keep their configuration elsewhere. Relative paths in it
    /// are relative to `dir`.
    ///
    /// # Errors
    ///
    /// Every fault of the text.
    pub fn from_json_str(text: &str, dir: &Path, env: &Env) -> Result<Self, ConfigError> {
        resolve::config(None, text, dir, env, || true).map_err(|refusal| match refusal {
            Refusal::Faults(problems) | Refusal::Requests(problems) => {
                ConfigError::Invalid { problems }
            }
        })
    }

    /// Reads a value, for programs that build their configuration. Prices in it have passed
    /// through floating point; where their last digit counts, use [`Config::from_json_str`].
    ///
    /// # Errors
    ///
    /// Every fault of the value.
    pub fn from_value(
        value: &serde_json::Value,
        dir: &Path,
        env: &Env,
    ) -> Result<Self, ConfigError> {
        Self::from_json_str(&value.to_string(), dir, env)
    }

    /// The JSON Schema (draft 2020-12) of the file, for editors.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schema::json_schema().clone()
    }

    /// The model of this name, which may be switched off.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&Arc<Model>> {
        self.models.get(name)
    }

    /// What to say to somebody who asks for a model or route that there is none of:
    /// `no model "gpt4": did you mean "gpt-4"?`.
    #[must_use]
    pub fn unknown_model(&self, name: &str) -> String {
        let names = self.models.keys().chain(self.routes.keys());
        let advice = advice(name, names.map(String::as_str), "see \"multillm list\"");
        format!("no model {}: {advice}", diagnose::quoted(name))
    }

    /// Files that the configuration names or needs and that are not there: plugins, key files,
    /// certificates, the price table, the directory of templates.
    #[must_use]
    pub fn missing_files(&self) -> Vec<Problem> {
        self.files
            .iter()
            .filter(|file| !file.path.exists())
            .map(|file| file.problem.clone())
            .collect()
    }
}
