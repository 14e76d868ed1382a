//! What a provider and a model have in common: read once for each, then laid one over the other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use url::Url;

use super::super::base_url::{self, is_loopback};
use super::super::diagnose::quoted;
use super::super::document::Place;
use super::super::endpoint::{Endpoint, Header, Proxy};
use super::super::model::{CostSource, FilterUse};
use super::super::policy::Timeouts;
use super::super::price::{Amount, Prices};
use super::super::schema::{self, Entry, OneOrMany, TextOrOff};
use super::super::secret::SecretSource;
use super::Resolver;
use crate::chat::{JsonObject, ReasoningEffort, Sampling, Unsupported};

/// By which a proxy is reached.
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// What an entry says, checked. Absent and empty: nothing.
#[derive(Debug, Clone, Default)]
pub(in crate::config) struct Parts {
    pub(in crate::config) base_url: Option<Url>,
    pub(in crate::config) key: Option<SecretSource>,
    caller_key: Option<bool>,
    secrets: BTreeMap<String, SecretSource>,
    headers: BTreeMap<String, Header>,
    pub(super) settings: JsonObject,
    pub(in crate::config) extra: JsonObject,
    pub(in crate::config) sampling: Sampling,
    pub(in crate::config) reasoning_effort: Option<ReasoningEffort>,
    pub(in crate::config) system: Option<String>,
    pub(in crate::config) unsupported: Option<Unsupported>,
    pub(in crate::config) filters: Vec<FilterUse>,
    pub(in crate::config) prices: Option<Prices>,
    pub(in crate::config) cost_source: Option<CostSource>,
    pub(super) timeouts: Option<schema::Timeouts>,
    proxy: Option<Proxy>,
    ca_file: Option<PathBuf>,
    client_cert: Option<PathBuf>,
    client_key: Option<PathBuf>,
}

impl Parts {
    /// These, and the provider's where these say nothing.
    pub(super) fn over(&self, provider: &Self) -> Self {
        Self {
            base_url: self.base_url.clone().or(provider.base_url.clone()),
            key: self.key.clone().or(provider.key.clone()),
            caller_key: self.caller_key.or(provider.caller_key),
            secrets: merged(&provider.secrets, &self.secrets),
            headers: merged(&provider.headers, &self.headers),
            settings: merged(&provider.settings, &self.settings),
            extra: merged(&provider.extra, &self.extra),
            sampling: self.sampling.or(&provider.sampling),
            reasoning_effort: self.reasoning_effort.or(provider.reasoning_effort),
            system: self.system.clone().or(provider.system.clone()),
            unsupported: self.unsupported.or(provider.unsupported),
            // What a provider's filters keep back, no model of it gives away.
            filters: [&*provider.filters, &*self.filters].concat(),
            prices: self.prices.clone().or(provider.prices.clone()),
            cost_source: self.cost_source.or(provider.cost_source),
            timeouts: both(provider.timeouts, self.timeouts),
            proxy: self.proxy.clone().or(provider.proxy.clone()),
            ca_file: self.ca_file.clone().or(provider.ca_file.clone()),
            // A certificate and its key belong together.
            client_key: match self.client_cert {
                Some(_) => self.client_key.clone(),
                None => provider.client_key.clone(),
            },
            client_cert: self.client_cert.clone().or(provider.client_cert.clone()),
        }
    }
}

/// The entries of both, those of `winner` where both have one.
fn merged<M, K, V>(general: &M, winner: &M) -> M
where
    M: Clone + Extend<(K, V)> + IntoIterator<Item = (K, V)>,
{
    let mut all = general.clone();
    all.extend(winner.clone());
    all
}

fn both(
    general: Option<schema::Timeouts>,
    winner: Option<schema::Timeouts>,
) -> Option<schema::Timeouts> {
    let (Some(general), Some(winner)) = (general, winner) else {
        return winner.or(general);
    };
    Some(schema::Timeouts {
        connect_ms: winner.connect_ms.or(general.connect_ms),
        first_byte_ms: winner.first_byte_ms.or(general.first_byte_ms),
        idle_ms: winner.idle_ms.or(general.idle_ms),
        total_ms: winner.total_ms.or(general.total_ms),
    })
}

/// How something with these parts is reached. `general` are the timeouts of everything.
pub(in crate::config) fn endpoint(
    general: &Timeouts,
    owner: String,
    provider: &str,
    plugin: &str,
    parts: &Parts,
) -> Endpoint {
    // A provider of another name with an address of its own is somebody else's server: the
    // key that customarily belongs to the plugin's vendor is none of its business.
    let customary = provider == plugin || parts.base_url.is_none();
    let otherwise = if customary {
        SecretSource::Customary
    } else {
        SecretSource::None
    };
    Endpoint {
        owner,
        plugin: plugin.to_owned(),
        base_url: parts.base_url.clone(),
        key: parts.key.clone().unwrap_or(otherwise),
        caller_key: parts.caller_key.unwrap_or(false),
        secrets: parts.secrets.clone(),
        headers: parts.headers.clone(),
        settings: parts.settings.clone(),
        timeouts: general.with(parts.timeouts.as_ref()),
        proxy: parts.proxy.clone().unwrap_or_default(),
        ca_file: parts.ca_file.clone(),
        client_cert: parts.client_cert.clone(),
        client_key: parts.client_key.clone(),
        customary,
    }
}

impl Resolver<'_> {
    /// Checks an entry by itself.
    pub(super) fn parts(&mut self, place: &Place, raw: &Entry) -> Parts {
        let key = self.key(place, raw);
        let base_url = self.base_url(&place.key("base_url"), raw.base_url.as_deref());
        if let Some(url) = &base_url
            && url.scheme() == "http"
            && !is_loopback(url)
            && key
                .as_ref()
                .is_some_and(|key| !matches!(key, SecretSource::None))
        {
            let message = "the key is sent over http, where others can read it: write https";
            self.warn(&place.key("base_url"), message);
        }
        let system = self.filled(&place.key("system"), raw.system.as_deref());
        Parts {
            base_url,
            key,
            caller_key: raw.caller_key,
            secrets: self.secrets(&place.key("secret_env"), raw.secret_env.as_ref()),
            headers: self.headers(&place.key("headers"), raw.headers.as_ref()),
            settings: raw.settings.clone().unwrap_or_default(),
            extra: raw.extra.clone().unwrap_or_default(),
            sampling: self.sampling(place, raw),
            reasoning_effort: raw.reasoning_effort,
            system: system.map(str::to_owned),
            unsupported: raw.unsupported,
            filters: self.filters(&place.key("filters"), raw.filters.as_deref()),
            prices: self.prices(place, raw),
            cost_source: raw.cost_source,
            timeouts: raw.timeouts,
            proxy: self.proxy(&place.key("proxy"), raw.proxy.as_ref()),
            ca_file: self.file(&place.key("ca_file"), raw.ca_file.as_deref()),
            client_cert: self.file(&place.key("client_cert"), raw.client_cert.as_deref()),
            client_key: self.client_key(place, raw),
        }
    }

    fn client_key(&mut self, place: &Place, raw: &Entry) -> Option<PathBuf> {
        let place = place.key("client_key");
        let path = self.file(&place, raw.client_key.as_deref())?;
        if raw.client_cert.is_none() {
            self.fault(&place, "belongs to a client_cert: name its file beside it");
        }
        Some(path)
    }

    fn base_url(&mut self, place: &Place, text: Option<&str>) -> Option<Url> {
        match base_url::parse(text?) {
            Ok(url) => {
                if let Some(end) = base_url::superfluous_path(&url) {
                    let message = format!(
                        "ends with {}, which the plugin adds itself: remove it",
                        quoted(end)
                    );
                    self.warn(place, message);
                }
                Some(url)
            }
            Err(message) => {
                self.fault(place, message);
                None
            }
        }
    }

    fn proxy(&mut self, place: &Place, raw: Option<&TextOrOff>) -> Option<Proxy> {
        let text = match raw? {
            TextOrOff::Off(false) => return Some(Proxy::None),
            TextOrOff::Off(true) => return Some(Proxy::Environment),
            TextOrOff::Text(text) => self.filled(place, Some(text))?,
        };
        match Url::parse(text) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                let message = "holds a user name or password: put such a proxy into HTTPS_PROXY";
                self.fault(place, message);
                None
            }
            Ok(url) if SCHEMES.contains(&url.scheme()) && url.has_host() => {
                Some(Proxy::Through(url))
            }
            _ => {
                self.fault(
                    place,
                    "is no proxy: write one such as \"http://proxy:3128\"",
                );
                None
            }
        }
    }

    fn sampling(&mut self, place: &Place, raw: &Entry) -> Sampling {
        let stop = match &raw.stop {
            None => Vec::new(),
            Some(OneOrMany::One(text)) => vec![text.clone()],
            Some(OneOrMany::Many(texts)) => texts.clone(),
        };
        if stop.iter().any(String::is_empty) {
            let message = "holds an empty text, which would end every answer: remove it";
            self.fault(&place.key("stop"), message);
        }
        Sampling {
            max_tokens: raw.max_tokens.map(std::num::NonZeroU32::get),
            temperature: raw.temperature,
            top_p: raw.top_p,
            top_k: raw.top_k,
            stop,
            seed: raw.seed,
            frequency_penalty: raw.frequency_penalty,
            presence_penalty: raw.presence_penalty,
        }
    }

    fn prices(&mut self, place: &Place, raw: &Entry) -> Option<Prices> {
        let mut prices = match raw.cost_per_1k_tokens {
            None => Prices::default(),
            Some(Amount(amount)) => Prices::single(amount).unwrap_or_else(|| {
                let message = "is more than can be reckoned with: write a sensible price";
                self.fault(&place.key("cost_per_1k_tokens"), message);
                Prices::default()
            }),
        };
        if let Some(cost) = &raw.cost {
            let lay = |price: &mut Option<_>, amount: Option<Amount>| {
                *price = amount.map(|amount| amount.0).or(*price);
            };
            lay(&mut prices.input_per_1m, cost.input_per_1m);
            lay(&mut prices.output_per_1m, cost.output_per_1m);
            lay(&mut prices.cached_input_per_1m, cost.cached_input_per_1m);
            lay(&mut prices.cache_write_per_1m, cost.cache_write_per_1m);
            lay(&mut prices.reasoning_per_1m, cost.reasoning_per_1m);
            lay(&mut prices.per_request, cost.per_request);
            lay(
                &mut prices.cache_write_1h_per_1m,
                cost.cache_write_1h_per_1m,
            );
            lay(&mut prices.audio_input_per_1m, cost.audio_input_per_1m);
            lay(&mut prices.audio_output_per_1m, cost.audio_output_per_1m);
            lay(&mut prices.image_output_per_1m, cost.image_output_per_1m);
            lay(&mut prices.per_web_search, cost.per_web_search);
            lay(&mut prices.per_searched_request, cost.per_searched_request);
            lay(&mut prices.per_web_fetch, cost.per_web_fetch);
            lay(&mut prices.per_file_search, cost.per_file_search);
        }
        if prices == Prices::default() {
            return None;
        }
        if prices.input_per_1m.is_some() != prices.output_per_1m.is_some() {
            let message = "only one of input_per_1m and output_per_1m is known, and so no cost \
                           will be: add the other";
            self.warn(&place.key("cost"), message);
        }
        Some(prices)
    }
}
