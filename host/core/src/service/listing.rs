//! What can be asked: configured models and vendors' own lists.

use std::sync::Arc;

use serde::Serialize;

use super::exchange::Peer;
use super::{MultiLlmService, router};
use crate::config::{BuiltIn, Env, Model, Provider, Standing, built_in};
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
    /// Nothing is known to be missing: it is switched on, and its key and address are at hand. Of a
    /// route: one of its models is ready.
    pub ready: bool,
    /// What is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
}

/// A provider that has no entry in the configuration: it comes with the program, or a plugin of its name is there.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ProviderInfo {
    /// Its name: its models are asked for as `name/model`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The plugin that speaks its wire.
    pub plugin: String,
    /// Where it is, as far as that is known.
    pub base_url: Option<String>,
    /// It runs on the user's own machine.
    pub local: bool,
    /// The model that is asked where none is named.
    pub model: Option<String>,
    /// Nothing is known to be missing. Whether a server on this machine runs is not known.
    pub ready: bool,
    /// What is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
}

impl ProviderInfo {
    fn of(provider: &Provider, env: &Env) -> Self {
        let endpoint = &provider.endpoint;
        let lacks = match provider.plugin.source() {
            Err(missing) => Some(missing.to_string()),
            Ok(_) => endpoint.lacks(env),
        };
        let standing = Standing::of(env, &endpoint.plugin, "", None);
        let url = endpoint.base_url(env, &standing).ok();
        ProviderInfo {
            name: provider.name.clone(),
            title: provider.name.clone(),
            plugin: provider.plugin.name.clone(),
            base_url: url.map(|url| url.as_str().trim_end_matches('/').to_owned()),
            local: false,
            model: None,
            ready: lacks.is_none() && provider.enabled,
            lacks,
        }
    }
}

impl ModelInfo {
    /// A model of a provider that has no entry; without a name, any model of it.
    #[must_use]
    pub fn of_provider(
        provider: &ProviderInfo,
        model: Option<&str>,
        lacks: Option<String>,
    ) -> Self {
        ModelInfo {
            name: format!("{}/{}", provider.name, model.unwrap_or("MODEL")),
            provider: Some(provider.name.clone()),
            model_name: model.map(str::to_owned),
            enabled: true,
            default: false,
            models: vec![],
            description: None,
            ready: lacks.is_none(),
            lacks,
        }
    }
}

impl MultiLlmService {
    /// The configured models, then the routes, each by name.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        let config = self.config();
        let is_default = |name: &str| config.default_model.as_deref() == Some(name);
        let env = &self.inner.env;
        let lacks = |model: &Model| match model.provider.plugin.source() {
            Err(missing) => Some(missing.to_string()),
            Ok(_) => model.endpoint.lacks(env),
        };
        let is_ready = |model: &Model| model.enabled && lacks(model).is_none();
        let models = config.models.values().map(|model| ModelInfo {
            name: model.name.clone(),
            provider: Some(model.provider.name.clone()),
            model_name: Some(model.model_name.clone()),
            enabled: model.enabled,
            default: is_default(&model.name),
            models: vec![],
            description: model.description.clone(),
            ready: is_ready(model),
            lacks: lacks(model),
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
            ready: route.enabled && route.models.iter().any(|entry| is_ready(&entry.model)),
            lacks: None,
        });
        models.chain(routes).collect()
    }

    /// The providers that come with the program and have no entry in the configuration.
    #[must_use]
    pub fn built_in_providers(&self) -> Vec<ProviderInfo> {
        let config = self.config();
        let env = &self.inner.env;
        let info = |known: BuiltIn| {
            let mut listed = config.built_in_providers();
            let provider = listed.find(|provider| provider.name == known.name)?;
            Some(ProviderInfo {
                title: known.title.to_owned(),
                local: known.local,
                model: known.model.map(|model| format!("{}/{model}", known.name)),
                ..ProviderInfo::of(provider, env)
            })
        };
        built_in().into_iter().filter_map(info).collect()
    }

    /// The providers that are there because a plugin of their name lies in a plugin directory or was installed, by
    /// name. What such a plugin needs is known once it is loaded, which this does not do.
    #[must_use]
    pub fn dropped_in_providers(&self) -> Vec<ProviderInfo> {
        let providers = self.config().dropped_in_providers();
        let info = |provider: &Arc<Provider>| ProviderInfo::of(provider, &self.inner.env);
        providers.iter().map(info).collect()
    }

    /// Whether a model or route answers piece by piece, as far as the configuration tells.
    #[must_use]
    pub fn streams(&self, model: &str) -> bool {
        let plan = router::plan(&self.config(), &self.inner.live, model);
        let models = plan.map(|plan| plan.models).unwrap_or_default();
        let mut models = models.iter();
        models.all(|model| model.capabilities.streaming != Some(false))
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
        let (peer, name) = self.lister(provider).await?;
        let named = |error| of_provider(error, &name);
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

    /// Whether a vendor takes the key of a provider: asks for the first page of its list of models, once, which
    /// costs nothing. What it does not say is whether the key may ask every model.
    ///
    /// # Errors
    ///
    /// `authentication`: it does not take it. Any other: it could not be told.
    pub async fn check_key(&self, provider: &str) -> Result<()> {
        let (peer, name) = self.lister(provider).await?;
        let page = peer.list(None).await;
        page.map(drop).map_err(|error| of_provider(error, &name))
    }

    /// Who is asked for a provider's list, and the provider's name.
    async fn lister(&self, provider: &str) -> Result<(Peer, String)> {
        let state = self.state();
        let provider = state.provider(provider)?;
        let made = async {
            let plugin = state.plugin(&provider.plugin).await?;
            if !plugin.lists_models() {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("the plugin {:?} cannot list models", plugin.name()),
                ));
            }
            Peer::new(&state, &self.inner.env, plugin, &provider.endpoint, "").await
        };
        match made.await {
            Ok(peer) => Ok((peer, provider.name.clone())),
            Err(error) => Err(of_provider(error, &provider.name)),
        }
    }
}

fn of_provider(mut error: Error, name: &str) -> Error {
    error.provider.get_or_insert_with(|| name.to_owned());
    error
}
