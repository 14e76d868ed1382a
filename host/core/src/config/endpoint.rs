//! How a provider, or one model of it, is reached: base URL, secrets, headers, settings, patience.
//!
//! Where a key goes is decided here: to a vendor's own address as the program knows it, to one that
//! the user or a trusted file names, or to one that a plugin asked for and the user allowed. What a
//! component says of itself decides nothing.

mod standing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::base_url::normalise_base_url;
use super::built_in::built_in_of;
use super::env::Env;
use super::policy::Timeouts;
use super::secret::{SecretCause, SecretError, SecretSource};
use crate::chat::JsonObject;
pub use standing::Standing;

/// What plugins call their main secret.
pub(crate) const API_KEY: &str = "api_key";

/// How a provider or one of its models is reached. Complete: what a model leaves open is already
/// its provider's.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Whose it is, for messages: `model "gpt-4"`, `provider "groq"`.
    pub owner: String,
    /// The plugin that speaks its language.
    pub plugin: String,
    /// What stands before the vendor's path; absent: see [`Endpoint::base_url`].
    pub base_url: Option<Url>,
    /// Where the key comes from. See [`Endpoint::secret`].
    pub key: SecretSource,
    /// Whether a caller of the gateway may bring a key in its place. See [`Endpoint::may_have_callers`].
    pub caller_key: bool,
    /// Where the plugin's other secrets come from, by the plugin's names for them.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Headers to send beside the plugin's, names in lower case.
    pub headers: BTreeMap<String, Header>,
    /// For the plugin.
    pub settings: JsonObject,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// The proxy to use.
    pub proxy: Proxy,
    /// Certificates to trust beside the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// A certificate to show to a server that asks for one, in PEM.
    pub client_cert: Option<PathBuf>,
    /// Its private key, in PEM; absent: it stands in the same file.
    pub client_key: Option<PathBuf>,
    /// Is this the plugin's own vendor, so that the plugin's customs about variables hold. False
    /// for a provider of another name: its server is somebody else's.
    pub customary: bool,
}

/// Which proxy to use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Proxy {
    /// As the environment says.
    #[default]
    Environment,
    /// None.
    None,
    /// This one, by `http`, `https`, `socks5` or `socks5h`.
    Through(Url),
}

/// The value of a configured header.
#[derive(Debug, Clone)]
pub enum Header {
    /// As it stands.
    Plain(String),
    /// A secret with something before it, such as `Bearer `.
    Secret {
        /// Goes before it.
        prefix: String,
        /// Where it comes from.
        source: SecretSource,
    },
}

/// Whether a key is at hand, as far as that can be said without fetching it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyState {
    /// It is there, or a program is configured that prints it: what gives it.
    There(String),
    /// None of these variables is set, or the file is not there.
    Missing(Vec<String>),
    /// Requests go without one, or only the plugin knows.
    Unneeded,
}

/// Why there is no base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// Neither the configuration nor a variable nor the plugin names one.
    #[error(
        "{owner} needs a base_url: write it into the configuration{}",
        or_set(variables)
    )]
    Missing {
        /// Who needs it.
        owner: String,
        /// Variables that would do.
        variables: Vec<String>,
    },
    /// A variable is set to something else.
    #[error("{variable} is no base URL: write one such as http://localhost:11434")]
    Variable {
        /// Which.
        variable: String,
    },
    /// The plugin's own default is none.
    #[error(
        "the plugin {plugin:?} names no usable base URL of its own: write base_url for {owner}"
    )]
    Plugin {
        /// Which.
        plugin: String,
        /// Who needs it.
        owner: String,
    },
}

fn or_set(variables: &[String]) -> String {
    match variables {
        [] => String::new(),
        names => format!(" or set {}", names.join(" or ")),
    }
}

impl Endpoint {
    /// What stands before the vendor's path: the configuration's, or else the first customary
    /// variable that is set, or else the default. Variables and default are those of the plugin's
    /// `standing`; variables count only for the plugin's own vendor.
    ///
    /// # Errors
    ///
    /// There is none, or what a variable or the plugin says is none.
    pub fn base_url(&self, env: &Env, standing: &Standing) -> Result<Url, BaseUrlError> {
        if let Some(url) = &self.base_url {
            return Ok(url.clone());
        }
        let default = match standing.address() {
            Some(text) => Some(
                super::base_url::parse(text).map_err(|_| BaseUrlError::Plugin {
                    plugin: self.plugin.clone(),
                    owner: self.owner.clone(),
                })?,
            ),
            None => None,
        };
        let variables = match self.customary {
            true => standing.address_variables(),
            false => vec![],
        };
        for variable in &variables {
            if let Some(text) = env.var(variable) {
                return normalise_base_url(&text, default.as_ref()).ok_or_else(|| {
                    BaseUrlError::Variable {
                        variable: variable.clone(),
                    }
                });
            }
        }
        default.ok_or_else(|| BaseUrlError::Missing {
            owner: self.owner.clone(),
            variables,
        })
    }

    /// Fetches a secret that the plugin places. `name` is the plugin's name for it, by custom
    /// `api_key`; `required` says that the plugin cannot do without.
    ///
    /// `None` means that the request goes without it: it is not required, or the configuration
    /// says that there is none. May block, see [`SecretSource::blocks`].
    ///
    /// # Errors
    ///
    /// It is missing, cannot be used, or may not go where the plugin would send it.
    pub fn secret(
        &self,
        env: &Env,
        standing: &Standing,
        name: &str,
        required: bool,
    ) -> Result<Option<SecretString>, SecretError> {
        let source = self.source(name);
        let failed = |cause| SecretError {
            who: self.owner.clone(),
            cause,
        };
        let customary = matches!(source, SecretSource::Customary);
        let wanted = match source {
            SecretSource::None => false,
            SecretSource::Customary => required,
            _ => true,
        };
        if wanted && !self.may_have_secrets(standing) {
            return Err(failed(self.stranger()));
        }
        let variables = match self.customary && customary {
            true => standing.secret_variables(name),
            false => vec![],
        };
        let secret = source.resolve(env, &variables).map_err(failed)?;
        if secret.is_none() && required && customary {
            return Err(failed(match standing {
                Standing::Stranger { .. } => self.stranger(),
                _ => SecretCause::missing(env, variables),
            }));
        }
        Ok(secret)
    }

    /// Whether a caller's own key may be sent: the address must be one that a key may be sent to.
    ///
    /// # Errors
    ///
    /// It may not go where the plugin would send it.
    pub fn may_have_callers(&self, standing: &Standing) -> Result<(), SecretError> {
        match self.may_have_secrets(standing) {
            true => Ok(()),
            false => Err(SecretError {
                who: self.owner.clone(),
                cause: self.stranger(),
            }),
        }
    }

    /// Whether the key is at hand. Nothing is fetched, and no program run.
    #[must_use]
    pub fn key_state(&self, env: &Env) -> KeyState {
        let of = |names: Vec<String>, required: bool| {
            let is_there = |name: &&String| env.has_key(std::slice::from_ref(*name), true);
            let found = names.iter().find(is_there);
            match found.cloned() {
                Some(name) => KeyState::There(name),
                None if required => KeyState::Missing(names),
                None => KeyState::Unneeded,
            }
        };
        match &self.key {
            SecretSource::Env(name) => of(vec![name.clone()], true),
            SecretSource::Customary if self.customary => match built_in_of(&self.plugin) {
                Some(known) => {
                    let names = known.keys.iter().map(ToString::to_string).collect();
                    of(names, known.needs_key)
                }
                None => KeyState::Unneeded,
            },
            SecretSource::File(path) if !path.is_file() => {
                KeyState::Missing(vec![path.display().to_string()])
            }
            SecretSource::File(path) => KeyState::There(path.display().to_string()),
            SecretSource::Command(_) => KeyState::There("api_key_command".to_owned()),
            SecretSource::Customary | SecretSource::None => KeyState::Unneeded,
        }
    }

    /// What is missing before anybody can be asked, and what to do; nothing as far as can be said
    /// without loading the plugin.
    #[must_use]
    pub fn lacks(&self, env: &Env) -> Option<String> {
        if let KeyState::Missing(names) = self.key_state(env) {
            return Some(format!("needs {}", names.join(" or ")));
        }
        let standing = Standing::of(env, &self.plugin, "", None);
        let known = matches!(standing, Standing::Vendor(_));
        match self.base_url(env, &standing) {
            Err(BaseUrlError::Missing { variables, .. }) if known => {
                Some(format!("needs a base_url{}", or_set(&variables)))
            }
            Err(BaseUrlError::Variable { variable }) => Some(format!("{variable} is no base URL")),
            _ => None,
        }
    }

    /// Fetches the secret of a configured header.
    ///
    /// # Errors
    ///
    /// It is missing, cannot be used, or may not go where the plugin would send it.
    pub fn header_secret(
        &self,
        env: &Env,
        standing: &Standing,
        source: &SecretSource,
    ) -> Result<Option<SecretString>, SecretError> {
        let failed = |cause| SecretError {
            who: self.owner.clone(),
            cause,
        };
        if !self.may_have_secrets(standing) {
            return Err(failed(self.stranger()));
        }
        source.resolve(env, &[]).map_err(failed)
    }

    /// Is the address one that a key may be sent to: named by the configuration, the vendor's own, or
    /// allowed by the user.
    fn may_have_secrets(&self, standing: &Standing) -> bool {
        self.base_url.is_some() || !matches!(standing, Standing::Stranger { .. })
    }

    fn stranger(&self) -> SecretCause {
        SecretCause::Stranger {
            plugin: self.plugin.clone(),
            has_address: self.base_url.is_some(),
        }
    }

    /// Where the secret of this name comes from. What the configuration says of a key is said of
    /// `api_key` alone, so that no other secret of a plugin is filled in with it.
    #[must_use]
    pub fn source(&self, name: &str) -> &SecretSource {
        static CUSTOMARY: SecretSource = SecretSource::Customary;
        match self.secrets.get(name) {
            Some(source) => source,
            None if name == API_KEY => &self.key,
            None => &CUSTOMARY,
        }
    }

    /// Does the configuration say that there is no secret of this name. Requests then go without
    /// it, even where the plugin calls it required.
    #[must_use]
    pub fn goes_without(&self, name: &str) -> bool {
        matches!(self.source(name), SecretSource::None)
    }
}

#[cfg(test)]
mod tests;
