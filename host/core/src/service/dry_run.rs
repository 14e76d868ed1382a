//! What would be sent, without sending it.
//!
//! Everything is as in an exchange: defaults, plugin, settings, rules of assembling. Only the secrets are not fetched:
//! where one belongs stands where it would come from, such as `${OPENAI_API_KEY}`. Nothing is recorded or counted.

use serde::Serialize;

use super::asked::{Asked, Sending};
use super::exchange::Peer;
use super::{MultiLlmService, request, router};
use crate::chat::{ChatRequest, EmbedRequest};
use crate::config::Model;
use crate::error::{Error, ErrorKind, Result};

/// A request as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DryRun {
    /// The model of the configuration; of a route the one that would be tried first.
    pub model: String,
    /// Its provider.
    pub provider: String,
    /// The plugin that described the request.
    pub plugin: String,
    /// `GET` or `POST`.
    pub method: String,
    /// All of it, encoded.
    pub url: String,
    /// Names in lower case, and values; a secret is a reference such as `Bearer ${OPENAI_API_KEY}`.
    pub headers: Vec<(String, String)>,
    /// As it goes over the wire, pictures and files in base64 in it; empty for none.
    pub body: String,
    /// What was asked and would be left out (`unsupported: drop`), a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl MultiLlmService {
    /// The request that [`MultiLlmService::chat`] or, if it is to be `streamed`, [`MultiLlmService::stream`] would send
    /// first. No key is needed.
    ///
    /// # Errors
    ///
    /// As those, as far as they come before anything is sent.
    pub async fn dry_run(
        &self,
        request: ChatRequest,
        model: &str,
        streamed: bool,
    ) -> Result<DryRun> {
        let state = self.state();
        request::check(&request, state.config.limits.request)?;
        let plan = router::plan(&state.config, &self.inner.live, model)?;
        let model = plan.models.into_iter().next();
        let model = model.ok_or_else(|| Error::configuration("no model to ask"))?;
        let names = |error: Error| error.of(&model.provider.name, &model.name);
        let peer = self.unkeyed(&model).await.map_err(names)?;
        let asked = Asked::Chat(Box::new(request));
        let sending = asked.to_model(&model, false);
        let through = sending.through(&peer).await.map_err(names)?;
        let Sending::Chat(request) = through.sending else {
            return Err(Error::configuration("only a chat is described"));
        };
        peer.dry_chat(&request, streamed)
            .await
            .map(|told| told.of(&model, &peer))
            .map_err(names)
    }

    /// The request for vectors of these texts that [`MultiLlmService::embed`] would send first.
    ///
    /// # Errors
    ///
    /// As those, as far as they come before anything is sent.
    pub async fn dry_run_embed(&self, request: &EmbedRequest, model: &str) -> Result<DryRun> {
        let (_, model) = self.one_model(model)?;
        let names = |error: Error| error.of(&model.provider.name, &model.name);
        if request.inputs.is_empty() {
            let nothing = Error::new(ErrorKind::InvalidRequest, "there is nothing to embed");
            return Err(names(nothing));
        }
        let peer = self.unkeyed(&model).await.map_err(names)?;
        peer.dry_embed(request)
            .await
            .map(|told| told.of(&model, &peer))
            .map_err(names)
    }

    /// The request that [`MultiLlmService::count_tokens`] would send.
    ///
    /// # Errors
    ///
    /// As those, as far as they come before anything is sent; `unsupported` where tokens are estimated and nothing is
    /// sent.
    pub async fn dry_run_count(&self, request: &ChatRequest, model: &str) -> Result<DryRun> {
        let (state, model) = self.one_model(model)?;
        let names = |error: Error| error.of(&model.provider.name, &model.name);
        request::check(request, state.config.limits.request)?;
        let peer = self.unkeyed(&model).await.map_err(names)?;
        let request = request::with_defaults(request, &model);
        peer.dry_count(&request)
            .await
            .map(|told| told.of(&model, &peer))
            .map_err(names)
    }

    /// Everything for exchanges with a model, but for its keys.
    async fn unkeyed(&self, model: &Model) -> Result<Peer> {
        Peer::unkeyed(&self.state(), &self.inner.env, model).await
    }
}

/// A request, and not yet whose.
pub(super) struct Told {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) warnings: Vec<String>,
}

impl Told {
    fn of(self, model: &Model, peer: &Peer) -> DryRun {
        DryRun {
            model: model.name.clone(),
            provider: model.provider.name.clone(),
            plugin: peer.plugin.name().to_owned(),
            method: self.method,
            url: self.url,
            headers: self.headers,
            body: self.body,
            warnings: self.warnings,
        }
    }
}
