//! What is the same for all exchanges with a model, made once a configuration: where it is, its settings as
//! text, its keys and headers, and what finds the keys in answers.
//!
//! It is made anew with the next configuration, when a vendor refused the key, when a program that prints a key
//! has to be run again, when a plugin is allowed or forbidden something, and, where a key stands in a file, each
//! time: only reading the file tells whether it is still the same.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::Peer;
use super::dry::named;
use crate::config::{API_KEY, Endpoint, Env, Header, KeyState, Model, SecretSource, Standing};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::{Plugin, wire};
use crate::service::caller::Caller;
use crate::service::filtering::Chain;
use crate::service::hidden::Hidden;
use crate::service::state::State;
use crate::transport::{BaseUrl, ExchangeLimits, HeaderValue, Secrets, is_telling};

impl Peer {
    /// Everything for exchanges with a model: its plugin, where it is, the keys. What was prepared for one
    /// exchange serves the next, but what a caller's own key is in serves that caller's alone.
    pub(in crate::service) async fn of_model(
        state: &State,
        env: &Env,
        model: &Model,
        caller: Option<&Caller>,
    ) -> Result<Arc<Self>> {
        if let Some(caller) = caller.filter(|_| model.endpoint.caller_key) {
            if let Some(key) = &caller.key {
                return Self::of_caller(state, env, model, key).await;
            }
            if let KeyState::Missing(_) = model.endpoint.key_state(env) {
                return Err(keyless(&model.endpoint));
            }
        }
        let stands = |peer: &Arc<Self>| {
            peer.stands(env) && state.holds(&model.provider.plugin, &peer.plugin)
        };
        if let Some(peer) = state.peer(&model.name).filter(stands) {
            return Ok(peer);
        }
        let peer = Arc::new(Self::anew(state, env, model).await?);
        state.keep_peer(&model.name, peer.clone());
        Ok(peer)
    }

    /// With the key that a caller brought. It is kept nowhere.
    async fn of_caller(
        state: &State,
        env: &Env,
        model: &Model,
        key: &SecretString,
    ) -> Result<Arc<Self>> {
        let plugin = state.plugin(&model.provider.plugin).await?;
        let endpoint = &model.endpoint;
        endpoint.may_have_callers(&standing_of(env, endpoint, &plugin))?;
        let whom = (endpoint, model.model_name.as_str());
        let peer = Self::with_keys(state, env, plugin, whom, Keys::Callers(key)).await?;
        Ok(Arc::new(peer))
    }

    /// The same, with everything looked at again.
    pub(in crate::service) async fn anew(state: &State, env: &Env, model: &Model) -> Result<Self> {
        let plugin = state.plugin(&model.provider.plugin).await?;
        let filters = Chain::of(state, model).await?;
        let peer = Self::new(state, env, plugin, &model.endpoint, &model.model_name).await?;
        Ok(Peer { filters, ..peer })
    }

    /// The wire that a model is asked on.
    pub(in crate::service) async fn wire(
        state: &State,
        env: &Env,
        model: &Model,
    ) -> Result<String> {
        if let Some(peer) = state.peer(&model.name) {
            return Ok(peer.target.wire.clone());
        }
        let plugin = state.plugin(&model.provider.plugin).await?;
        let endpoint = &model.endpoint;
        let standing = standing_of(env, endpoint, &plugin);
        // Where it is not known where to ask, that is said when it is asked.
        let base_url = endpoint.base_url(env, &standing).ok();
        let known = base_url
            .as_ref()
            .and_then(|base_url| standing.wire(base_url));
        let api = api_of(endpoint);
        Ok(wire_of(api.as_deref(), known, &plugin.info().wires))
    }

    /// Something is about to be sent: tells of secrets that cannot be kept out of what comes back.
    pub(super) fn warn_of_words(&self) {
        // A caller's own are the caller's to choose, and any number of them come by.
        if !self.callers && !self.warned.swap(true, Ordering::Relaxed) {
            warn_of_words(&self.endpoint.owner, &self.secrets);
        }
    }

    /// Whether preparing it again would give the same.
    fn stands(&self, env: &Env) -> bool {
        let same_standing = || match &self.standing {
            // What the program knows of its vendors does not change.
            Standing::Vendor(_) => true,
            standing => *standing == standing_of(env, &self.endpoint, &self.plugin),
        };
        !self.refused.load(Ordering::Relaxed)
            && self
                .passing
                .iter()
                .all(|(source, secret)| source.still_gives(secret))
            && same_standing()
    }

    /// The same for a provider without a model.
    pub(in crate::service) async fn new(
        state: &State,
        env: &Env,
        plugin: Plugin,
        endpoint: &Endpoint,
        model_name: &str,
    ) -> Result<Self> {
        Self::with_keys(state, env, plugin, (endpoint, model_name), Keys::Fetched).await
    }

    /// The same, with the keys a caller's, or without.
    pub(super) async fn with_keys(
        state: &State,
        env: &Env,
        plugin: Plugin,
        (endpoint, model_name): (&Endpoint, &str),
        keys: Keys<'_>,
    ) -> Result<Self> {
        let info = plugin.info();
        let standing = standing_of(env, endpoint, &plugin);
        let base_url = endpoint.base_url(env, &standing)?;
        check_settings(endpoint, info)?;
        let Fetched {
            secrets,
            passing,
            headers,
        } = match keys {
            Keys::Fetched => fetch(env, endpoint, (&standing, None), info).await?,
            Keys::Callers(key) => fetch(env, endpoint, (&standing, Some(key)), info).await?,
            Keys::Named => named(env, endpoint, &standing, info),
        };
        let limits = &state.config.limits;
        let api = api_of(endpoint);
        Ok(Peer {
            target: wire::Target {
                model: model_name.to_owned(),
                settings: endpoint.settings.to_string(),
                wire: wire_of(api.as_deref(), standing.wire(&base_url), &info.wires),
            },
            client: state.client(endpoint),
            base_url: BaseUrl::parse(base_url.as_str())?,
            hidden: Hidden::new(&secrets),
            secrets: Secrets::new(secrets),
            passing,
            refused: AtomicBool::new(false),
            callers: matches!(keys, Keys::Callers(_)),
            warned: AtomicBool::new(false),
            headers,
            limits: ExchangeLimits {
                first_byte: endpoint.timeouts.first_byte,
                idle: endpoint.timeouts.idle,
                total: endpoint.timeouts.total,
                response_bytes: limits.response,
            },
            max_request: limits.request,
            endpoint: endpoint.clone(),
            standing,
            plugin,
            ways: super::relaying::Ways::default(),
            filters: Chain::default(),
        })
    }
}

/// There is no key for everybody, and the caller brought none.
fn keyless(endpoint: &Endpoint) -> Error {
    Error::new(
        ErrorKind::Authentication,
        format!(
            "{} takes its callers' own keys, and none came: send the vendor's key as well, in another header than the gateway's",
            endpoint.owner
        ),
    )
}

/// What the setting `api` says.
fn api_of(endpoint: &Endpoint) -> Option<String> {
    let api = endpoint.settings.get("api")?;
    serde_json::from_str(api.as_str()).ok()
}

/// The wire that a model is asked on: the one whose name ends with what the setting `api` says, else what is known
/// of the address, else the plugin's first.
fn wire_of(api: Option<&str>, known: Option<&str>, wires: &[String]) -> String {
    let named = |wire: &&String| {
        let last = wire.rsplit_once('-').map(|(_, last)| last);
        last.is_some() && last == api
    };
    let spoken = |known: &str| wires.iter().find(|wire| *wire == known);
    let found = wires.iter().find(named).or_else(|| known.and_then(spoken));
    found.or(wires.first()).cloned().unwrap_or_default()
}

fn standing_of(env: &Env, endpoint: &Endpoint, plugin: &Plugin) -> Standing {
    let address = plugin.info().default_base_url.as_deref();
    Standing::of(env, &endpoint.plugin, plugin.digest(), address)
}

/// Tells once of each secret that nobody could keep out of answers without harming them.
fn warn_of_words(owner: &str, secrets: &Secrets) {
    static TOLD: Mutex<BTreeSet<Vec<u8>>> = Mutex::new(BTreeSet::new());
    for (name, secret) in secrets.iter() {
        if is_telling(secret.expose_secret().trim()) {
            continue;
        }
        let digest = Sha256::digest(secret.expose_secret()).to_vec();
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(digest) {
            tracing::warn!(
                "{owner}: the secret {name:?} is too short or too common to be told from words: where \
                 the server repeats it, it is not taken out"
            );
        }
    }
}

/// Settings that the plugin does not know are a mistake, not a wish.
fn check_settings(endpoint: &Endpoint, info: &wire::Info) -> Result<()> {
    let known: Vec<_> = info
        .settings
        .iter()
        .map(|known| known.name.as_str())
        .collect();
    for name in endpoint.settings.keys() {
        if !known.contains(&name) {
            let advice = crate::config::advice(name, known.iter().copied(), "");
            return Err(Error::configuration(format!(
                "{}: the plugin {:?} knows no setting {name:?}: {advice}",
                endpoint.owner, endpoint.plugin
            )));
        }
    }
    Ok(())
}

/// What stands in the place of keys.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keys<'key> {
    /// They.
    Fetched,
    /// The one that a caller brought, in place of the configured one.
    Callers(&'key SecretString),
    /// Where they would come from.
    Named,
}

/// What the configuration's sources gave.
#[derive(Default)]
pub(super) struct Fetched {
    /// By the plugin's names.
    pub(super) secrets: Vec<(String, SecretString)>,
    /// Those of files and programs, with where they come from.
    passing: Vec<(SecretSource, SecretString)>,
    /// The configured headers.
    pub(super) headers: Vec<(String, HeaderValue)>,
}

/// The plugin's secrets by its names, and the configured headers.
async fn fetch(
    env: &Env,
    endpoint: &Endpoint,
    (standing, callers): (&Standing, Option<&SecretString>),
    info: &wire::Info,
) -> Result<Fetched> {
    let blocks = env.may_wait()
        || info
            .secrets
            .iter()
            .any(|secret| endpoint.source(&secret.name).blocks())
        || endpoint.headers.values().any(|header| match header {
            Header::Secret { source, .. } => source.blocks(),
            Header::Plain(_) => false,
        });
    if !blocks {
        return fetch_now(env, endpoint, (standing, callers), info);
    }
    let (env, endpoint) = (env.clone(), endpoint.clone());
    let (standing, info, callers) = (standing.clone(), info.clone(), callers.cloned());
    tokio::task::spawn_blocking(move || {
        fetch_now(&env, &endpoint, (&standing, callers.as_ref()), &info)
    })
    .await
    .map_err(|error| Error::configuration(format!("fetching a key failed: {error}")))?
}

fn fetch_now(
    env: &Env,
    endpoint: &Endpoint,
    (standing, callers): (&Standing, Option<&SecretString>),
    info: &wire::Info,
) -> Result<Fetched> {
    let mut fetched = Fetched::default();
    for wanted in &info.secrets {
        if let Some(key) = callers.filter(|_| wanted.name == API_KEY) {
            fetched.secrets.push((wanted.name.clone(), key.clone()));
            continue;
        }
        let found = endpoint.secret(env, standing, &wanted.name, wanted.required)?;
        if found.is_none() && matches!(standing, Standing::Stranger { .. }) {
            let plugin = &endpoint.plugin;
            tracing::info!(
                "the plugin {plugin:?} goes without its {}: \"multillm plugin trust {plugin}\" shows \
                 what it asks for",
                wanted.name
            );
        }
        if let Some(secret) = found {
            fetched.from(endpoint.source(&wanted.name), &secret);
            fetched.secrets.push((wanted.name.clone(), secret));
        }
    }
    for (name, header) in &endpoint.headers {
        let value = match header {
            Header::Plain(value) => HeaderValue::Plain(value.clone()),
            Header::Secret { prefix, source } => {
                let Some(secret) = endpoint.header_secret(env, standing, source)? else {
                    continue;
                };
                // A name that no plugin can know, as it is no name.
                let reference = format!("header {name}");
                fetched.from(source, &secret);
                fetched.secrets.push((reference.clone(), secret));
                HeaderValue::Secret {
                    name: reference,
                    prefix: prefix.clone(),
                    optional: false,
                }
            }
        };
        fetched.headers.push((name.clone(), value));
    }
    let is_there = |(_, secret): &(String, SecretString)| !secret.expose_secret().is_empty();
    fetched.secrets.retain(is_there);
    Ok(fetched)
}

impl Fetched {
    /// Notes where a secret comes from, if it may be another one there later.
    fn from(&mut self, source: &SecretSource, secret: &SecretString) {
        if source.blocks() {
            self.passing.push((source.clone(), secret.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_decides_on_the_wire_then_the_address_then_the_plugin() {
        let wires = ["openai-chat", "openai-responses"].map(str::to_owned);
        let own = Some("openai-responses");
        for (api, known, wire) in [
            (None, None, "openai-chat"),
            (None, own, "openai-responses"),
            (Some("auto"), own, "openai-responses"),
            (Some("chat"), own, "openai-chat"),
            (Some("responses"), None, "openai-responses"),
            (Some("v1"), None, "openai-chat"),
            (None, Some("anthropic-messages"), "openai-chat"),
        ] {
            assert_eq!(wire_of(api, known, &wires), wire, "{api:?} {known:?}");
        }
        assert_eq!(wire_of(None, own, &[]), "");
    }
}
