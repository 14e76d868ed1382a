//! Providers that need no entry, and what a short entry of theirs leaves open.

use std::sync::Arc;

use super::super::built_in::built_in;
use super::super::diagnose::{folded, quoted};
use super::super::document::Place;
use super::super::dropped_in::DroppedIn;
use super::super::env::Env;
use super::super::implied::{Base, Implied};
use super::super::model::{Model, Plugin, Provider};
use super::super::names::canonical;
use super::super::policy::{RateLimits, Timeouts};
use super::super::price::Prices;
use super::super::schema;
use super::super::secret::SecretSource;
use super::super::vendors::{Compatible, Key, compatible};
use super::Resolver;
use super::entry::{Parts, endpoint};

impl Parts {
    /// What is known of a provider that speaks another vendor's wire.
    fn of(known: &Compatible, env: &Env) -> Self {
        let variable = known.vendor.keys.first();
        let key = match (known.key, variable) {
            (Key::Required, Some(name)) => SecretSource::Env((*name).to_owned()),
            (Key::Optional, Some(name)) if env.var(name).is_some() => {
                SecretSource::Env((*name).to_owned())
            }
            _ => SecretSource::None,
        };
        let mut parts = Parts::default();
        parts.base_url = known.vendor.default_url();
        parts.key = Some(key);
        parts.settings = serde_json::from_str(known.settings).unwrap_or_default();
        parts.prices = known.local.then(Prices::free);
        parts.timeouts = known.first_byte_ms.map(|ms| schema::Timeouts {
            first_byte_ms: std::num::NonZeroU64::new(ms),
            ..schema::Timeouts::default()
        });
        parts
    }
}

impl Resolver<'_> {
    /// The provider that an entry of this name is laid over: one that comes with the program, where
    /// the entry names no plugin of its own and none is listed under that name.
    pub(super) fn foundation(
        &self,
        name: &str,
        raw: &schema::Entry,
    ) -> Option<&'static Compatible> {
        let stands_alone = raw.plugin.is_some() || self.plugins.contains_key(canonical(name));
        compatible(name).filter(|_| !stands_alone)
    }

    /// What an entry says, and what is known of the provider where it says nothing.
    pub(super) fn laid_over(&self, own: &Parts, known: &Compatible) -> Parts {
        own.over(&Parts::of(known, self.env))
    }

    /// A provider that comes with the program.
    pub(super) fn built_in_provider(
        &mut self,
        place: &Place,
        known: &Compatible,
    ) -> Option<(Arc<Provider>, Parts)> {
        let plugin = self.named_plugin(place, Compatible::PLUGIN)?;
        Some(self.unlisted(known, plugin))
    }

    fn unlisted(&self, known: &Compatible, plugin: Arc<Plugin>) -> (Arc<Provider>, Parts) {
        let parts = Parts::of(known, self.env);
        let provider = plain_provider(&self.timeouts, known.vendor.name, plugin, &parts);
        let provider = Provider {
            max_concurrency: known.max_concurrency,
            ..provider
        };
        (Arc::new(provider), parts)
    }

    /// The model of a name such as `openai/gpt-5-mini`, whose provider needs no entry or has one.
    pub(super) fn implied_model(&mut self, place: &Place, name: &str) -> Option<Arc<Model>> {
        let model = self.implied().model(name)?;
        // Its plugin is needed from now on, and its file looked for.
        self.named_plugin(place, &model.provider.plugin.name)?;
        Some(Arc::new(model))
    }

    /// Every provider: those of the configuration, then those that come with the program and have no
    /// entry.
    pub(super) fn implied(&self) -> Implied {
        let configured = self.providers.values().map(|(provider, parts)| Base {
            provider: provider.clone(),
            parts: parts.clone(),
            built_in: false,
        });
        let mut bases: Vec<Base> = configured.collect();
        for known in built_in() {
            let mut listed = self.providers.keys();
            if listed.any(|name| folded(name) == known.name) {
                continue;
            }
            let plugin = self.plugins.get(known.plugin).cloned();
            let plugin = plugin.unwrap_or_else(|| Arc::new(self.unlisted_plugin(known.plugin)));
            let (provider, parts) = match compatible(known.name) {
                Some(compatible) => self.unlisted(compatible, plugin),
                None => {
                    let parts = Parts::default();
                    let provider = plain_provider(&self.timeouts, known.name, plugin, &parts);
                    (Arc::new(provider), parts)
                }
            };
            bases.push(Base {
                provider,
                parts,
                built_in: true,
            });
        }
        Implied {
            bases,
            timeouts: self.timeouts.clone(),
            dropped_in: self.dropped_in(),
        }
    }

    fn dropped_in(&self) -> DroppedIn {
        let listed = self.plugins.iter().filter(|(_, plugin)| plugin.listed);
        DroppedIn {
            listed: listed
                .map(|(name, plugin)| (name.clone(), plugin.clone()))
                .collect(),
            dir: (!self.found).then(|| self.plugin_dir.clone()),
            own: self.env.installed().clone(),
        }
    }
}

/// A provider of which nothing is written but what `parts` say.
pub(in crate::config) fn plain_provider(
    timeouts: &Timeouts,
    name: &str,
    plugin: Arc<Plugin>,
    parts: &Parts,
) -> Provider {
    let owner = format!("provider {}", quoted(name));
    Provider {
        name: name.to_owned(),
        endpoint: endpoint(timeouts, owner, name, &plugin.name, parts),
        limits: RateLimits::default(),
        max_concurrency: None,
        filters: parts.filters.clone(),
        lane: None,
        enabled: plugin.enabled,
        description: None,
        plugin,
    }
}
