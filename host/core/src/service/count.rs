//! How many tokens a request has, by the vendor's own count where there is one.

use std::borrow::Cow;
use std::time::Instant;

use super::exchange::Peer;
use super::{MultiLlmService, request, retry};
use crate::chat::{ChatRequest, TokenCount};
use crate::error::{Error, ErrorKind, Result};

impl MultiLlmService {
    /// The tokens of input that a request has for a model, with what the configuration adds to it.
    ///
    /// Where the vendor has no way to count, it is estimated, and [`TokenCount::estimated`] says so.
    /// Counting is free with every vendor that has it, so no row of the history is written.
    ///
    /// # Errors
    ///
    /// `configuration`: no such model; a route has to be one of its models. `invalid_request`: there is
    /// nothing to count. Else as any exchange.
    pub async fn count_tokens(&self, request: &ChatRequest, model: &str) -> Result<TokenCount> {
        let (state, model) = self.one_model(model)?;
        let names = |error: Error| error.of(&model.provider.name, &model.name);
        request::check(request, state.config.limits.request)?;
        state.plugin(&model.provider.plugin).await.map_err(names)?;
        let peer = Peer::of_model(&state, &self.inner.env, &model, self.caller.as_deref())
            .await
            .map_err(names)?;
        let request = request::with_defaults(request, &model);
        let passed = peer.filter(&request).await.map_err(names)?.request;
        let request = passed.map_or(request, |passed| Cow::Owned(*passed));
        let count = |tokens, estimated| TokenCount {
            model: model.name.clone(),
            provider: model.provider.name.clone(),
            tokens,
            estimated,
        };
        let begun = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match peer.count(&request).await {
                Ok(Some(tokens)) => return Ok(count(tokens, false)),
                Ok(None) => return Ok(count(request::estimate(&request), true)),
                Err(error) => error,
            };
            let policy = &state.config.retry;
            let elapsed = begun.elapsed();
            let wait = retry::pause(policy, &error, attempt, elapsed, fastrand::f64());
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                // A server that speaks the wire and does not count is no failure of the question.
                None if error.kind == ErrorKind::NotFound && error.status == Some(404) => {
                    tracing::debug!(%error, "the server does not count");
                    return Ok(count(request::estimate(&request), true));
                }
                None => return Err(names(error)),
            }
        }
    }
}
