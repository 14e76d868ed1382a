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

mod aliases;
mod base_url;
mod built_in;
mod check;
mod chosen;
mod diagnose;
mod document;
mod dotenv;
mod dropped_in;
mod embedded;
mod endpoint;
mod env;
mod gateway;
mod implied;
mod installed;
mod keys;
mod load;
mod mark;
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

use implied::{Base, Implied, vendor_of};
use resolve::Refusal;

pub use aliases::{AliasError, AliasStore};
pub(crate) use base_url::is_loopback;
pub use base_url::normalise_base_url;
pub use built_in::{BuiltIn, built_in, built_in_names, built_in_of};
pub use chosen::{choose_model, chosen_model, chosen_model_file};
pub use diagnose::{ConfigError, Position, Problem};
pub use diagnose::{advice, nearest};
pub use embedded::EmbeddedPlugin;
pub(crate) use endpoint::API_KEY;
pub use endpoint::{BaseUrlError, Endpoint, Header, KeyState, Proxy, Standing};
pub use env::{Env, EnvFile, FoundKey, KeyPlace};
pub use gateway::{AccessLog, Gateway};
pub use installed::{Installed, InstalledError, InstalledStore, OwnPlugin};
pub use keys::{HAS_KEYRING, KeyName, KeyStore, KeyStoreError, Vault};
pub use keys::{key_ending, key_named, key_names, typed_key};
pub use mark::Mark;
pub use model::{
    Capabilities, CostSource, FilterUse, Lane, MOST_FILTERS, MissingPlugin, Model, Plugin,
    PluginSource, Provider, Route, RouteModel, Strategy, Wasi,
};
pub use names::is_plugin_name;
pub use policy::{Breaker, Cache, Health, History, Limits, RateLimits, Retry, Terminal, Timeouts};
pub(crate) use price::Amount;
pub use price::Prices;
pub use provenance::{ConfigFile, Provenance, Untrusted};
pub use requests::only_words;
pub use schema::Unsupported;
pub use secret::end_key_programs;
pub use secret::{SecretCause, SecretCommand, SecretError, SecretSource};
pub use starter::Starter;
pub use trust::{FileGrant, PluginGrant, Publisher, TrustError, TrustStore};

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
    /// What the gateway does.
    pub gateway: Gateway,
    /// When a failing model is left alone.
    pub breaker: Breaker,
    /// Health checks.
    pub health: Health,
    /// How answers are shown on a terminal.
    pub terminal: Terminal,
    /// Where prompt templates stand; need not be there.
    pub templates_dir: PathBuf,
    /// A table of prices for models that have none in the configuration.
    pub prices: Option<PathBuf>,
    /// The user's own table, which stands behind it: see `PriceTable::of_user`. Need not be there.
    pub user_prices: Option<PathBuf>,
    /// Other names of models and routes, as the user wants them: see [`AliasStore`]. A model or route
    /// of such a name goes before.
    pub aliases: BTreeMap<String, String>,
    /// What is allowed and yet looks like a mistake.
    pub warnings: Vec<Problem>,
    files: Vec<NeededFile>,
    implied: Arc<Implied>,
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
        let found = file.provenance == Provenance::Found;
        let config = resolve::config(Some(name), &content.text, dir, env, found, allowed);
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
        config.aliases = aliases::of_user(env);
        config.user_prices = env.user_prices();
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
        resolve::config(None, text, dir, env, false, || true).map_err(|refusal| match refusal {
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

    /// The configuration where there is no file: nothing but what comes with the program. Its
    /// paths are relative to the user's configuration directory, never to the working directory,
    /// where anybody may have put something.
    ///
    /// # Errors
    ///
    /// As [`Config::from_json_str`]; in practice none.
    pub fn without_file(env: &Env) -> Result<Self, ConfigError> {
        // Without a home directory: a place that has nothing.
        let dir = env.config_dir().unwrap_or(Path::new("/nonexistent"));
        let mut config = Self::from_json_str("{}", dir, env)?;
        config.provenance = Provenance::Own;
        config.aliases = aliases::of_user(env);
        config.user_prices = env.user_prices();
        Ok(config)
    }

    /// The model of this name, which may be switched off: one of [`Config::models`], or
    /// `provider/model` for any provider, with or without an entry: see [`Config::provider`].
    #[must_use]
    pub fn model(&self, name: &str) -> Option<Arc<Model>> {
        let listed = self.models.get(name).cloned();
        listed.or_else(|| self.implied.model(name).map(Arc::new))
    }

    /// The provider of this name, with or without an entry. A plugin that lies in the plugin directory or that the
    /// user installed is one, from the moment on when it is there.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<Arc<Provider>> {
        let base = self.implied.base(name)?;
        Some(base.provider.clone())
    }

    /// The providers that are there because a plugin of their name is, by name.
    #[must_use]
    pub fn dropped_in_providers(&self) -> Vec<Arc<Provider>> {
        let names = self.implied.dropped_in.names();
        let bases = names.iter().filter_map(|name| self.implied.base(name));
        let unwritten = |base: &Base| !self.providers.contains_key(&base.provider.name);
        let bases = bases.map(std::borrow::Cow::into_owned).filter(unwritten);
        bases.map(|base| base.provider).collect()
    }

    /// The providers that come with the program and have no entry, in the order of [`built_in`].
    pub fn built_in_providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        let bases = self.implied.bases.iter();
        bases
            .filter(|base| base.built_in)
            .map(|base| &base.provider)
    }

    /// The name that an alias stands for; any other name stands for itself.
    #[must_use]
    pub fn unaliased<'a>(&'a self, name: &'a str) -> &'a str {
        if self.models.contains_key(name) || self.routes.contains_key(name) {
            return name;
        }
        self.aliases.get(name).map_or(name, String::as_str)
    }

    /// What to say to somebody who asks for a model or route that there is none of:
    /// `no model "gpt4": did you mean "gpt-4"?`.
    #[must_use]
    pub fn unknown_model(&self, name: &str) -> String {
        let named = diagnose::quoted(name);
        if let Some((provider, rest)) = name.split_once('/')
            && !rest.is_empty()
            && self.provider(provider).is_none()
        {
            return format!("no model {named}: {}", self.unknown_provider(provider));
        }
        let names = self.models.keys().chain(self.routes.keys());
        let names = names.chain(self.aliases.keys());
        let advice = match (nearest(name, names.map(String::as_str)), vendor_of(name)) {
            (Some(name), _) => format!("did you mean {}?", diagnose::quoted(name)),
            (None, Some(vendor)) => {
                let name = format!("{vendor}/{name}");
                format!("did you mean {}?", diagnose::quoted(&name))
            }
            (None, None) => "see \"multillm list\", or name one as provider/model".to_owned(),
        };
        format!("no model {named}: {advice}")
    }

    /// What to say to somebody who asks for a provider that there is none of.
    #[must_use]
    pub fn unknown_provider(&self, name: &str) -> String {
        let names = self.implied.bases.iter();
        let names = names.map(|base| base.provider.name.as_str());
        let dropped_in = self.implied.dropped_in.names();
        let names = names.chain(dropped_in.iter().map(String::as_str));
        let advice = advice(name, names, "see \"multillm list --all\"");
        format!("no provider {}: {advice}", diagnose::quoted(name))
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
