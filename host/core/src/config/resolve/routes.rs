//! Routes and the default model.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use indexmap::IndexMap;

use super::super::diagnose::{advice, quoted};
use super::super::document::Place;
use super::super::model::{Model, Route, RouteModel, Strategy};
use super::super::names::is_model_name;
use super::super::schema::{self, File};
use super::Resolver;

impl Resolver<'_> {
    pub(super) fn routes(&mut self, raw: &File) -> IndexMap<String, Arc<Route>> {
        let place = Place::default().key("routes");
        let empty = BTreeMap::new();
        let listed = raw.routes.as_ref().unwrap_or(&empty);
        let mut routes = IndexMap::new();
        for key in self.document.keys(&place) {
            let at = place.key(key);
            if self.is_model(key) {
                let message = "is the name of a model too: give the route another name";
                self.fault_of_key(&at, message);
            } else if !is_model_name(key) {
                let message = "is no name for a route: write one without spaces at its ends";
                self.fault_of_key(&at, message);
            }
            // What is not in the raw map was reported when it was left out.
            if let Some(entry) = listed.get(key) {
                let route = self.route(&at, key, entry);
                routes.insert(key.to_owned(), Arc::new(route));
            }
        }
        routes
    }

    fn route(&mut self, place: &Place, name: &str, raw: &schema::Route) -> Route {
        let strategy = raw.strategy.unwrap_or_default();
        let at = place.key("models");
        let listed = raw.models.as_deref().unwrap_or_default();
        if listed.is_empty() && !self.is_faulty(&at) {
            self.fault_of_key(place, "names no models: add \"models\": [\"…\"]");
        }
        let mut models: Vec<RouteModel> = Vec::new();
        for (index, entry) in listed.iter().enumerate() {
            let at = at.index(index);
            let (name, weight) = match entry {
                schema::RouteModel::Name(name) => (Some(name.as_str()), None),
                schema::RouteModel::Weighted(entry) => (entry.model.as_deref(), entry.weight),
            };
            if weight.is_some() && strategy != Strategy::Weighted {
                let message = "has a meaning for the strategy \"weighted\" only: remove it";
                self.fault(&at.key("weight"), message);
            }
            let Some(name) = name else {
                self.fault(&at, "names no model: add \"model\": \"…\"");
                continue;
            };
            if models.iter().any(|other| other.model.name == name) {
                self.fault(
                    &at,
                    format!("{} stands here already: remove it", quoted(name)),
                );
            } else if let Some(model) = self.named_model(&at, name) {
                let weight = weight.map_or(1, NonZeroU32::get);
                models.push(RouteModel { model, weight });
            }
        }
        self.one_taker(&at, &models);
        let enabled = raw.enabled.unwrap_or(true);
        if enabled && !models.is_empty() && models.iter().all(|entry| !entry.model.enabled) {
            self.warn(place, "all its models are switched off: enable one of them");
        }
        Route {
            name: name.to_owned(),
            strategy,
            models,
            enabled,
            description: raw.description.clone(),
        }
    }

    /// A caller's key is one vendor's: no route shows it to a second.
    fn one_taker(&mut self, place: &Place, models: &[RouteModel]) {
        let takers = models.iter().map(|entry| &entry.model.provider);
        let mut takers = takers.filter(|provider| provider.endpoint.caller_key);
        let Some(first) = takers.next() else { return };
        if let Some(other) = takers.find(|provider| provider.name != first.name) {
            let message = format!(
                "a caller's key for one of {} and {} would be sent to the other: of a route's providers one may have caller_key",
                quoted(&first.name),
                quoted(&other.name)
            );
            self.fault(place, message);
        }
    }

    /// The model of this name. `None` if there is none, or none that could be read; it was reported.
    fn named_model(&mut self, place: &Place, name: &str) -> Option<Arc<Model>> {
        if let Some(model) = self.models.get(name) {
            return Some(model.clone());
        }
        if self.is_model(name) {
            return None;
        }
        if let Some(model) = self.implied_model(place, name) {
            return Some(model);
        }
        if self.is_route(name) {
            let message = format!("{} is a route: a route holds models only", quoted(name));
            self.fault(place, message);
            return None;
        }
        let models = self.document.keys(&Place::default().key("models"));
        let advice = advice(name, models, "add it under models");
        self.fault(place, format!("no model {}: {advice}", quoted(name)));
        None
    }

    pub(super) fn default_model(
        &mut self,
        raw: &File,
        routes: &IndexMap<String, Arc<Route>>,
    ) -> Option<String> {
        let place = Place::default().key("default_model");
        let name = self.filled(&place, raw.default_model.as_deref())?;
        let written = self.is_model(name) || self.is_route(name);
        let implied = match written {
            true => None,
            false => self.implied_model(&place, name),
        };
        let enabled = match (self.models.get(name), routes.get(name)) {
            (Some(model), _) => model.enabled,
            (None, Some(route)) => route.enabled,
            // It was reported where it stands.
            (None, None) if written => true,
            (None, None) if implied.is_some() => implied.is_some_and(|model| model.enabled),
            (None, None) => {
                let root = Place::default();
                let names: Vec<&str> = ["models", "routes"]
                    .into_iter()
                    .flat_map(|section| self.document.keys(&root.key(section)))
                    .collect();
                let advice = advice(name, names.iter().copied(), "add it under models");
                self.fault(&place, format!("no model {}: {advice}", quoted(name)));
                true
            }
        };
        if !enabled {
            let message = format!(
                "{} is switched off: enable it or name another",
                quoted(name)
            );
            self.fault(&place, message);
        }
        Some(name.to_owned())
    }

    fn is_model(&self, name: &str) -> bool {
        self.is_in("models", name)
    }

    fn is_route(&self, name: &str) -> bool {
        self.is_in("routes", name)
    }

    fn is_in(&self, section: &str, name: &str) -> bool {
        self.document
            .keys(&Place::default().key(section))
            .contains(&name)
    }
}
