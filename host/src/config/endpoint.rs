//! How a provider, or one model of it, is reached: base URL, secrets, headers, settings, patience.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::Url;

use super::base_url::normalise_base_url;
use super::env::Env;
use super::names::owns_variable;
use super::policy::Timeouts;
use super::secret::{SecretCause, SecretError, SecretSource};

/// What plugins call their main secret.
pub(super) const API_KEY: &str = "api_key";

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
    /// Where the plugin's other secrets come from, by the plugin's names for them.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Headers to send beside the plugin's, names in lower case.
    pub headers: BTreeMap<String, Header>,
    /// For the plugin.
    pub settings: Map<String, Value>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// The proxy to use.
    pub proxy: Proxy,
    /// Certificates to trust beside the system's, in PEM.
    pub ca_file: Option<PathBuf>,
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
    /// What stands before the vendor's path: the configuration's, or else the first of the
    /// `variables` that is set, or else the plugin's `default`.
    ///
    /// `variables` and `default` are what the plugin says of itself. Variables count only for
    /// the plugin's own vendor, and only those that bear its name.
    ///
    /// # Errors
    ///
    /// There is none, or what a variable or the plugin says is none.
    pub fn base_url(
        &self,
        env: &Env,
        variables: &[String],
        default: Option<&str>,
    ) -> Result<Url, BaseUrlError> {
        if let Some(url) = &self.base_url {
            return Ok(url.clone());
        }
        let default = match default {
            Some(text) => Some(
                super::base_url::parse(text).map_err(|_| BaseUrlError::Plugin {
                    plugin: self.plugin.clone(),
                    owner: self.owner.clone(),
                })?,
            ),
            None => None,
        };
        let variables = self.own(variables);
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
    /// `api_key`; `variables` are those that customarily hold it, as the plugin says; `required`
    /// says that the plugin cannot do without.
    ///
    /// `None` means that the request goes without it: it is not required, or the configuration
    /// says that there is none. May block, see [`SecretSource::blocks`].
    ///
    /// # Errors
    ///
    /// It is missing or cannot be used.
    pub fn secret(
        &self,
        env: &Env,
        name: &str,
        variables: &[String],
        required: bool,
    ) -> Result<Option<SecretString>, SecretError> {
        let source = self.source(name);
        let variables = self.own(variables);
        let failed = |cause| SecretError {
            who: self.owner.clone(),
            cause,
        };
        let secret = source.resolve(env, &variables).map_err(failed)?;
        if secret.is_none() && required && matches!(source, SecretSource::Customary) {
            return Err(failed(SecretCause::Missing { variables }));
        }
        Ok(secret)
    }

    /// Fetches the secret of a configured header.
    ///
    /// # Errors
    ///
    /// It is missing or cannot be used.
    pub fn header_secret(
        &self,
        env: &Env,
        source: &SecretSource,
    ) -> Result<Option<SecretString>, SecretError> {
        source.resolve(env, &[]).map_err(|cause| SecretError {
            who: self.owner.clone(),
            cause,
        })
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

    /// Of the variables that a plugin names, those that may be looked at for it.
    fn own(&self, variables: &[String]) -> Vec<String> {
        variables
            .iter()
            .filter(|name| self.customary && owns_variable(&self.plugin, name))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn endpoint(plugin: &str, customary: bool) -> Endpoint {
        Endpoint {
            owner: "model \"m\"".to_owned(),
            plugin: plugin.to_owned(),
            base_url: None,
            key: SecretSource::Customary,
            secrets: BTreeMap::new(),
            headers: BTreeMap::new(),
            settings: Map::new(),
            timeouts: Timeouts::default(),
            proxy: Proxy::Environment,
            ca_file: None,
            customary,
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_base_url_is_the_configured_one_or_the_variables_or_the_plugins() {
        let variables = names(&["OLLAMA_BASE_URL", "OLLAMA_HOST"]);
        let default = Some("http://localhost:11434");
        let mut ollama = endpoint("ollama", true);
        let set = Env::fixed("", [("OLLAMA_HOST", "0.0.0.0"), ("OPENAI_BASE_URL", "x")]);
        let url = |endpoint: &Endpoint, env: &Env, default| match endpoint
            .base_url(env, &variables, default)
        {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            url(&ollama, &Env::default(), default),
            "http://localhost:11434/"
        );
        assert_eq!(url(&ollama, &set, default), "http://127.0.0.1:11434/");
        assert_eq!(
            url(&ollama, &Env::default(), None),
            "model \"m\" needs a base_url: write it into the configuration or set \
             OLLAMA_BASE_URL or OLLAMA_HOST"
        );
        assert_eq!(
            url(
                &ollama,
                &Env::fixed("", [("OLLAMA_HOST", "not a host")]),
                default
            ),
            "OLLAMA_HOST is no base URL: write one such as http://localhost:11434"
        );
        assert_eq!(
            url(&ollama, &Env::default(), Some("javascript:1")),
            "the plugin \"ollama\" names no usable base URL of its own: write base_url for model \"m\""
        );
        assert_eq!(
            url(&endpoint("ollama", false), &set, default),
            "http://localhost:11434/"
        );
        ollama.base_url = Url::parse("http://gpu:1/").ok();
        assert_eq!(url(&ollama, &set, default), "http://gpu:1/");
    }

    #[test]
    fn a_plugin_cannot_ask_for_anothers_key() {
        let env = Env::fixed("", [("OPENAI_API_KEY", "sk-1"), ("ACME_KEY", "sk-2")]);
        let acme = endpoint("acme", true);
        let asked = |endpoint: &Endpoint, variables: &[&str], required| match endpoint.secret(
            &env,
            "api_key",
            &names(variables),
            required,
        ) {
            Ok(secret) => secret.map(|secret| secret.expose_secret().to_owned()),
            Err(error) => Some(error.to_string()),
        };
        assert_eq!(asked(&acme, &["OPENAI_API_KEY"], false), None);
        assert_eq!(
            asked(&acme, &["OPENAI_API_KEY", "ACME_KEY"], true).as_deref(),
            Some("sk-2")
        );
        assert_eq!(
            asked(&acme, &["ACME_TOKEN"], true).as_deref(),
            Some("model \"m\" needs ACME_TOKEN: set it or put it in .env")
        );
        assert_eq!(
            asked(&acme, &["OPENAI_API_KEY"], true).as_deref(),
            Some("model \"m\" needs a key: name its variable with api_key_env")
        );
        assert_eq!(
            asked(&endpoint("openai", true), &["OPENAI_API_KEY"], true).as_deref(),
            Some("sk-1")
        );
    }

    #[test]
    fn the_key_is_for_the_api_key_alone() {
        let env = Env::fixed("", [("KEY", "sk-1"), ("ORG", "org-1")]);
        let mut endpoint = endpoint("acme", false);
        endpoint.key = SecretSource::Env("KEY".to_owned());
        let secrets = |endpoint: &Endpoint, name: &str| {
            let secret = endpoint.secret(&env, name, &[], false).unwrap();
            secret.map(|secret| secret.expose_secret().to_owned())
        };
        assert_eq!(secrets(&endpoint, "api_key").as_deref(), Some("sk-1"));
        assert_eq!(secrets(&endpoint, "org"), None);
        assert!(!endpoint.goes_without("org"));
        let org = SecretSource::Env("ORG".to_owned());
        endpoint.secrets.insert("org".to_owned(), org);
        assert_eq!(secrets(&endpoint, "org").as_deref(), Some("org-1"));
        endpoint.key = SecretSource::None;
        assert_eq!(secrets(&endpoint, "api_key"), None);
        assert!(endpoint.goes_without("api_key") && !endpoint.goes_without("org"));
    }
}
