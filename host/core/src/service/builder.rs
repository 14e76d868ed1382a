//! Making a service by hand, and the one of the process.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::MultiLlmService;
use crate::config::{Config, EmbeddedPlugin, Env, KeyStore};
use crate::error::Result;

static GLOBAL: OnceLock<MultiLlmService> = OnceLock::new();

/// Where the configuration comes from.
#[derive(Debug, Clone)]
enum Source {
    None,
    Default,
    File(PathBuf),
    Ready(Box<Config>),
    Text { text: String, dir: PathBuf },
}

/// Makes a [`MultiLlmService`] other than by a file alone.
///
/// ```
/// use multillm::MultiLlmService;
///
/// # fn main() -> multillm::Result<()> {
/// let service = MultiLlmService::builder()
///     .config_json(r#"{ "models": { "gpt-4": { "provider": "openai" } } }"#, ".")
///     .history(false)
///     .build()?;
/// assert_eq!(service.models().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    source: Source,
    env: Option<Env>,
    plugins: &'static [EmbeddedPlugin],
    keys: Option<KeyStore>,
    history: Option<bool>,
    history_path: Option<PathBuf>,
    max_concurrency: Option<u32>,
}

impl Builder {
    /// The configuration stands in this file.
    #[must_use]
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Source::File(path.into());
        self
    }

    /// The configuration is this one, read before in the environment that is given too.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.source = Source::Ready(Box::new(config));
        self
    }

    /// The configuration is this text; relative paths in it are relative to `dir`.
    #[must_use]
    pub fn config_json(mut self, text: impl Into<String>, dir: impl Into<PathBuf>) -> Self {
        self.source = Source::Text {
            text: text.into(),
            dir: dir.into(),
        };
        self
    }

    /// Variables come from here, and not from the process and `.env`.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = Some(env);
        self
    }

    /// Plugins that the program brings along, for a configuration that is read here. One that was read
    /// before knows those of its environment, see [`Env::with_plugins`].
    #[must_use]
    pub fn plugins(mut self, plugins: &'static [EmbeddedPlugin]) -> Self {
        self.plugins = plugins;
        self
    }

    /// There is no configuration: every provider that comes with the program is there by its name,
    /// and every model as `provider/model`.
    #[must_use]
    pub fn without_file(mut self) -> Self {
        self.source = Source::None;
        self
    }

    /// The user's own keys count too, behind the environment and before `.env` files. Without this they
    /// are not looked at: whose keys a program uses is its own decision.
    #[must_use]
    pub fn keys(mut self, keys: KeyStore) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Whether exchanges are recorded, whatever the configuration says.
    #[must_use]
    pub fn history(mut self, enabled: bool) -> Self {
        self.history = Some(enabled);
        self
    }

    /// Exchanges are recorded in this file, whatever the configuration says.
    #[cfg(feature = "history")]
    #[must_use]
    pub fn history_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.history = Some(true);
        self.history_path = Some(path.into());
        self
    }

    /// At most so many exchanges at one time, where the configuration allows more. Room for each is
    /// set up at the start, so that a program which asks once starts sooner with few.
    #[must_use]
    pub fn max_concurrency(mut self, exchanges: u32) -> Self {
        self.max_concurrency = Some(exchanges.max(1));
        self
    }

    /// The service.
    ///
    /// # Errors
    ///
    /// `configuration`, with everything that is wrong in it.
    pub fn build(self) -> Result<MultiLlmService> {
        let mut env = self.env.unwrap_or_else(Env::process);
        if !self.plugins.is_empty() {
            env = env.with_plugins(self.plugins);
        }
        if let Some(keys) = self.keys {
            env = env.with_keys(keys);
        }
        let mut config = match self.source {
            Source::None => Config::without_file(&env)?,
            Source::Default => Config::read(&Config::find(None, &env)?, &env)?,
            Source::File(path) => Config::load(&path, &env)?,
            Source::Ready(config) => *config,
            Source::Text { text, dir } => Config::from_json_str(&text, &dir, &env)?,
        };
        if let Some(enabled) = self.history {
            config.history.enabled = enabled;
        }
        if let Some(path) = self.history_path {
            config.history.path = Some(path);
        }
        if let Some(most) = self.max_concurrency {
            config.limits.max_concurrency = config.limits.max_concurrency.min(most);
        }
        Ok(MultiLlmService::new(config, env))
    }
}

impl MultiLlmService {
    /// A service with a configuration, an environment or a history of its own.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            source: Source::Default,
            env: None,
            plugins: &[],
            keys: None,
            history: None,
            history_path: None,
            max_concurrency: None,
        }
    }

    /// A service by a configuration file. `.env` in the working directory is read too.
    ///
    /// # Errors
    ///
    /// `configuration`, with everything that is wrong in the file.
    #[allow(clippy::unused_async, reason = "reading may come to wait")]
    pub async fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().config_file(path.as_ref()).build()
    }

    /// A service by the configuration file that is found in the usual places.
    ///
    /// # Errors
    ///
    /// `configuration`: none was found, or it is wrong.
    #[allow(clippy::unused_async, reason = "reading may come to wait")]
    pub async fn from_default_file() -> Result<Self> {
        Self::builder().build()
    }

    /// The service of this process. The first call makes it by the configuration file that is
    /// found in the usual places, unless [`MultiLlmService::make_global`] came before.
    ///
    /// # Errors
    ///
    /// As [`MultiLlmService::from_default_file`]; a later call tries again.
    pub fn global() -> Result<&'static MultiLlmService> {
        match GLOBAL.get() {
            Some(service) => Ok(service),
            None => Ok(Self::builder().build()?.make_global()),
        }
    }

    /// Makes this the service of the process. The first one stays.
    pub fn make_global(self) -> &'static MultiLlmService {
        GLOBAL.get_or_init(|| self)
    }
}
