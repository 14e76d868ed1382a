//! What can be asked: configured models and vendors' own lists.

use serde::Serialize;

use super::exchange::Peer;
use super::{MultiLlmService, router};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::wire::ListedModel;

/// The most pages of a vendor's list that are read.
const MAX_PAGES: usize = 200;

/// A configured model or route.
#[derive(Debug, Clone, Serialize)]
pub struct ModelInfo {
    /// The name to ask for.
    pub name: String,
    /// The provider; a route has none.
    pub provider: Option<String>,
    /// The vendor's name of it; a route has none.
    pub model_name: Option<String>,
    /// May it be used.
    pub enabled: bool,
    /// It is asked where no model is named.
    pub default: bool,
    /// The models of a route, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// For people.
    pub description: Option<String>,
}

impl MultiLlmService {
    /// The configured models, then the routes, each by name.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        let config = self.config();
        let is_default = |name: &str| config.default_model.as_deref() == Some(name);
        let models = config.models.values().map(|model| ModelInfo {
            name: model.name.clone(),
            provider: Some(model.provider.name.clone()),
            model_name: Some(model.model_name.clone()),
            enabled: model.enabled,
            default: is_default(&model.name),
            models: vec![],
            description: model.description.clone(),
        });
        let routes = config.routes.values().map(|route| ModelInfo {
            name: route.name.clone(),
            provider: None,
            model_name: None,
            enabled: route.enabled,
            default: is_default(&route.name),
            models: route
                .models
                .iter()
                .map(|entry| entry.model.name.clone())
                .collect(),
            description: route.description.clone(),
        });
        models.chain(routes).collect()
    }

    /// Whether a model or route can be asked.
    ///
    /// # Errors
    ///
    /// `configuration`: there is none of this name, or it is switched off.
    pub fn knows(&self, model: &str) -> Result<()> {
        router::plan(&self.config(), &self.inner.live, model).map(|_| ())
    }

    /// The models that a provider offers, as the vendor itself lists them.
    ///
    /// # Errors
    ///
    /// `unsupported` if the plugin has no list; else as any exchange.
    pub async fn vendor_models(&self, provider: &str) -> Result<Vec<ListedModel>> {
        let state = self.state();
        let provider = state.provider(provider)?;
        let named = |mut error: Error| {
            error.provider.get_or_insert_with(|| provider.name.clone());
            error
        };
        let plugin = state.plugin(&provider.plugin).await.map_err(named)?;
        if !plugin.lists_models() {
            return Err(named(Error::new(
                ErrorKind::Unsupported,
                format!("the plugin {:?} cannot list models", plugin.name()),
            )));
        }
        let peer = Peer::new(&state, &self.inner.env, plugin, &provider.endpoint, "")
            .await
            .map_err(named)?;
        let mut models = vec![];
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page = peer.list(cursor.as_deref()).await.map_err(named)?;
            models.extend(page.models);
            match page.next {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => return Ok(models),
            }
        }
        Ok(models)
    }
}
