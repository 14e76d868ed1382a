//! The filters of a configuration: loaded when they are first needed, kept over reloads while their files are the
//! same.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::{State, lock};
use crate::config::{self, FilterUse, PluginSource};
use crate::error::{Error, Result};
use crate::plugin::{Filter, LoadOptions, PluginEngine, PluginError};

/// Chains longer than this share what is there with others: room for instances is address space.
const LONGEST: u32 = 4;

/// Whether loading a filter again would give what is loaded.
fn is_as_loaded(plugin: &config::Plugin, loaded: &Filter) -> bool {
    let pinned = plugin
        .sha256
        .as_deref()
        .is_none_or(|pin| pin.eq_ignore_ascii_case(loaded.digest()));
    let same_place = match plugin.source() {
        Ok(PluginSource::File(path)) => loaded.path() == Some(path),
        Ok(PluginSource::Embedded(_)) => loaded.path().is_none(),
        Err(_) => false,
    };
    pinned && same_place && loaded.is_current()
}

impl State {
    /// Every filter that something enabled uses.
    fn filters_in_use(&self) -> impl Iterator<Item = &FilterUse> {
        let of_models = self.config.models.values();
        let of_models = of_models.filter(|model| model.enabled);
        let of_models = of_models.flat_map(|model| &model.filters);
        let of_providers = self.config.providers.values();
        let of_providers = of_providers.filter(|provider| provider.enabled);
        of_models.chain(of_providers.flat_map(|provider| &provider.filters))
    }

    /// How many instances there may be: as many exchanges as may run at one time, each with its chain.
    fn filter_instances(&self) -> u32 {
        let chains = self.config.models.values().map(|model| model.filters.len());
        let longest = chains.max().unwrap_or(1).max(1);
        let longest = u32::try_from(longest).unwrap_or(LONGEST).min(LONGEST);
        let most = u32::try_from(config::MOST_FILTERS).unwrap_or(LONGEST);
        let exchanges = self.config.limits.max_concurrency;
        exchanges.saturating_mul(longest).max(most)
    }

    pub(in crate::service) fn filter_engine(&self) -> Result<PluginEngine> {
        let made = self
            .filter_engine
            .get_or_init(|| self.new_engine(self.filter_instances()));
        made.clone()
    }

    /// Takes over what the state before has and this one would make alike. Gives the names of those that changed.
    pub(super) async fn succeed_filters(
        &self,
        old: &State,
        same_limits: bool,
    ) -> Result<Vec<String>> {
        let same_engine = same_limits && self.filter_instances() == old.filter_instances();
        if let (true, Some(Ok(engine))) = (same_engine, old.filter_engine.get()) {
            let _ = self.filter_engine.set(Ok(engine.clone()));
        }
        let needed: BTreeMap<_, _> = self
            .filters_in_use()
            .map(|used| (used.plugin.name.clone(), used.plugin.clone()))
            .collect();
        let mut changed = vec![];
        for (name, plugin) in needed {
            let loaded = lock(&old.filters)
                .get(&name)
                .and_then(|cell| cell.get().cloned());
            match loaded {
                Some(loaded) if same_engine && is_as_loaded(&plugin, &loaded) => {
                    let cell = Arc::new(OnceCell::new_with(Some(loaded)));
                    lock(&self.filters).insert(name, cell);
                }
                None if plugin.source().is_err() => {}
                loaded => {
                    let now = self.filter(&plugin).await?;
                    if loaded.is_some_and(|loaded| loaded.digest() != now.digest()) {
                        changed.push(name);
                    }
                }
            }
        }
        Ok(changed)
    }

    /// A filter, loaded when it is first needed. Those who come meanwhile wait for the same.
    pub(in crate::service) async fn filter(&self, plugin: &config::Plugin) -> Result<Filter> {
        let cell = lock(&self.filters)
            .entry(plugin.name.clone())
            .or_default()
            .clone();
        cell.get_or_try_init(|| async {
            let source = plugin.source();
            let source = source.map_err(|missing| Error::configuration(missing.to_string()))?;
            let (file, embedded) = match source {
                PluginSource::File(path) => (Some(path.to_owned()), None),
                PluginSource::Embedded(embedded) => (None, Some(embedded)),
            };
            let options = LoadOptions {
                sha256: plugin.sha256.clone(),
                wasi_deny_all: plugin.wasi.is_some(),
            };
            let (engine, name) = (self.filter_engine()?, plugin.name.clone());
            // Compiling takes most of a second: not on a thread that serves others.
            let handle = tokio::runtime::Handle::current();
            let loading = tokio::task::spawn_blocking(move || {
                handle.block_on(async {
                    match (file, embedded) {
                        (Some(file), _) => engine.load_filter(&name, &file, &options).await,
                        (None, Some(plugin)) => engine.load_embedded_filter(plugin, &options).await,
                        (None, None) => Err(PluginError::Engine("no component".to_owned())),
                    }
                })
            });
            let loaded = loading
                .await
                .map_err(|error| Error::configuration(format!("loading failed: {error}")))?;
            let loaded: Filter =
                loaded.map_err(|error| Error::configuration(Error::from(error).message.clone()))?;
            if loaded.info().name != loaded.name() {
                tracing::warn!(
                    "the filter {:?} ({}) calls itself {:?}: is it the right file?",
                    loaded.name(),
                    loaded
                        .path()
                        .unwrap_or(Path::new("of this program"))
                        .display(),
                    loaded.info().name
                );
            }
            Ok(loaded)
        })
        .await
        .cloned()
    }
}
