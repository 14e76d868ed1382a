//! Models.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use super::super::diagnose::quoted;
use super::super::document::Place;
use super::super::model::{MOST_FILTERS, Model};
use super::super::names::is_model_name;
use super::super::schema::{self, File};
use super::Resolver;
use super::entry::endpoint;

impl Resolver<'_> {
    pub(super) fn read_models(&mut self, raw: &File) {
        let place = Place::default().key("models");
        let empty = BTreeMap::new();
        let listed = raw.models.as_ref().unwrap_or(&empty);
        for key in self.document.keys(&place) {
            // What is not in the raw map was reported when it was left out.
            let Some(entry) = listed.get(key) else {
                continue;
            };
            if let Some(model) = self.model(&place.key(key), key, entry) {
                self.models.insert(key.to_owned(), Arc::new(model));
            }
        }
    }

    fn model(&mut self, place: &Place, name: &str, raw: &schema::Model) -> Option<Model> {
        if !is_model_name(name) {
            let message = "is no name for a model: write one without spaces at its ends";
            self.fault_of_key(place, message);
        }
        let own = self.parts(place, raw);
        let model_name = self.filled(&place.key("model_name"), raw.model_name.as_deref());
        let at = place.key("provider");
        let found = match self.filled(&at, raw.provider.as_deref()) {
            Some(provider) => self.named_provider(&at, provider),
            None => {
                if raw.provider.is_none() && !self.is_faulty(&at) {
                    let message = "names no provider: add one, such as \"provider\": \"openai\"";
                    self.fault_of_key(place, message);
                }
                None
            }
        };
        let (provider, parts) = found?;
        let parts = own.over(&parts);
        if parts.filters.len() > MOST_FILTERS {
            let message = format!(
                "has {} filters with those of its provider, at most {MOST_FILTERS} are allowed",
                parts.filters.len()
            );
            self.fault(&place.key("filters"), message);
        }
        let owner = format!("model {}", quoted(name));
        let plugin = &provider.plugin.name;
        let endpoint = endpoint(&self.timeouts, owner, &provider.name, plugin, &parts);
        Some(Model {
            name: name.to_owned(),
            model_name: model_name.unwrap_or(name).to_owned(),
            endpoint,
            sampling: parts.sampling,
            reasoning_effort: parts.reasoning_effort,
            system: parts.system,
            unsupported: parts.unsupported,
            extra: parts.extra,
            prices: parts.prices,
            cost_source: parts.cost_source.unwrap_or_default(),
            context_window: raw.context_window.map(NonZeroU64::get),
            capabilities: raw.capabilities.clone().unwrap_or_default(),
            limits: raw.limits.as_ref().into(),
            max_concurrency: raw.max_concurrency.map(NonZeroU32::get),
            lane: raw.lane.or(provider.lane),
            enabled: raw.enabled.unwrap_or(true)
                && provider.enabled
                && parts.filters.iter().all(|filter| filter.plugin.enabled),
            filters: parts.filters,
            description: raw.description.clone(),
            provider,
        })
    }
}
