//! Texts as vectors, in as many requests as the vendor's bound asks for; each is an exchange like any
//! other: it waits its turn, is retried, priced, counted and recorded.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asked::Sending;
use super::call::resting;
use super::caller::Admitted;
use super::exchange::Peer;
use super::recording::{Recording, now_ms};
use super::state::State;
use super::ticket::{Admission, Ticket};
use super::{MultiLlmService, retry};
use crate::chat::{
    Billing, ChatMessage, ChatRequest, EmbedRequest, Embeddings, Extra, FinishReason, Usage,
};
use crate::config::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::wire;
use crate::stats::{self, Record};

/// A request for vectors under way.
struct Embedding<'a> {
    service: &'a MultiLlmService,
    state: Arc<State>,
    model: Arc<Model>,
    request_id: String,
    attempts: u32,
    /// The caller's right to all of it.
    admitted: Option<Admitted>,
}

impl MultiLlmService {
    /// The vectors of texts.
    ///
    /// A route is refused: vectors of different models cannot be compared. Nothing is given where any of
    /// the requests fails; what the others cost is recorded all the same.
    ///
    /// # Errors
    ///
    /// `configuration`: no such model. `unsupported`: the plugin or the vendor has no embeddings.
    /// `invalid_request`: there is nothing to embed. Else as any exchange.
    pub async fn embed(&self, request: &EmbedRequest, model: &str) -> Result<Embeddings> {
        let begun = Instant::now();
        let (state, model) = self.one_model(model)?;
        let names = |error: Error| error.of(&model.provider.name, &model.name);
        if request.inputs.is_empty() {
            let nothing = Error::new(ErrorKind::InvalidRequest, "there is nothing to embed");
            return Err(names(nothing));
        }
        if let Some(at) = request
            .inputs
            .iter()
            .position(|text| text.trim().is_empty())
        {
            let empty = format!("input {} is empty: vendors refuse that", at + 1);
            return Err(names(Error::new(ErrorKind::InvalidRequest, empty)));
        }
        state.plugin(&model.provider.plugin).await.map_err(names)?;
        let peer = Peer::of_model(&state, &self.inner.env, &model, self.caller.as_deref())
            .await
            .map_err(names)?;
        let passed = peer.filter_texts(&request.inputs).await.map_err(names)?;
        let texts = passed.as_ref().unwrap_or(&request.inputs);
        let most = peer.batch_limit().await.map_err(names)?;
        let caller = self.caller.as_deref();
        let own_id = caller.and_then(|caller| caller.request_id.clone());
        let length: usize = request.inputs.iter().map(String::len).sum();
        let admitted = match caller {
            Some(caller) => caller.admit(&self.inner.live, (length as u64).div_ceil(4))?,
            None => None,
        };
        let mut way = Embedding {
            service: self,
            state,
            model: model.clone(),
            request_id: own_id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
            attempts: 0,
            admitted,
        };
        let mut all = Embeddings {
            model: model.name.clone(),
            provider: model.provider.name.clone(),
            plugin: peer.plugin.name().to_owned(),
            vendor_model: None,
            vectors: Vec::with_capacity(request.inputs.len()),
            usage: Usage::NOTHING,
            cost: Some(rust_decimal::Decimal::ZERO),
            billing: Billing::default(),
            latency: Duration::ZERO,
            requests: 0,
            extra: Extra::default(),
        };
        for inputs in texts.chunks(most) {
            let part = EmbedRequest {
                inputs: inputs.to_vec(),
                dimensions: request.dimensions,
                purpose: request.purpose.clone(),
                extra: request.extra.clone(),
            };
            let (vectors, answer) = way.batch(&peer, &part).await.map_err(names)?;
            fit(&vectors, inputs.len(), all.vectors.first()).map_err(names)?;
            all.vectors.extend(vectors.vectors);
            all.vendor_model = answer.vendor_model;
            all.usage = all.usage.and(&answer.usage);
            all.cost = all.cost.zip(answer.cost).map(|(sum, cost)| sum + cost);
            all.billing = answer.billing;
            all.extra = vectors.extra;
        }
        all.requests = way.attempts;
        all.latency = begun.elapsed();
        Ok(all)
    }

    /// The model of this name, which must be one: no route.
    pub(super) fn one_model(&self, name: &str) -> Result<(Arc<State>, Arc<Model>)> {
        let state = self.state();
        if state.config.routes.contains_key(name) {
            return Err(Error::configuration(format!(
                "{name:?} is a route: name one of its models, since another one's answer is not the same"
            )));
        }
        let plan = super::router::plan(&state.config, &self.inner.live, name)?;
        let model = plan.models.into_iter().next();
        let model = model.ok_or_else(|| Error::configuration("no model to ask"))?;
        Ok((state, model))
    }
}

impl Embedding<'_> {
    /// One request, as often as the policy allows.
    async fn batch(
        &mut self,
        peer: &Peer,
        request: &EmbedRequest,
    ) -> Result<(wire::Vectors, crate::chat::ChatResponse)> {
        let config = &self.state.config;
        let inner = &self.service.inner;
        let live = inner.live.model(&self.model.name);
        let prices = self.state.prices();
        let begun = Instant::now();
        // What limits and budgets have to know of it: text that is read, and nothing that is written.
        let texts = request.inputs.iter().map(ChatMessage::user);
        let as_chat = ChatRequest::new(texts.collect::<Vec<_>>()).max_tokens(0);
        let caller = self.service.caller.as_deref();
        let sending = Sending::Chat(Cow::Borrowed(&as_chat));
        let whose = (&sending, caller);
        live.breaker
            .admit(&config.breaker, Instant::now())
            .map_err(resting)?;
        let mut attempt = 0;
        loop {
            let admission =
                Admission::obtain(&inner.live, &self.model, whose, &inner.budgets, &prices).await?;
            let reservation = admission.reservation();
            attempt += 1;
            self.attempts += 1;
            let record = self.record(peer, request);
            let mut recording = Recording::begin(self.service.rows(), record);
            let error = match peer.embed(request).await {
                Ok(mut vectors) => {
                    live.breaker.succeeded();
                    let ticket = Ticket {
                        model: self.model.clone(),
                        prices,
                        plugin: peer.plugin.name().to_owned(),
                        begun,
                        attempts: attempt,
                        failed_before: vec![],
                        first_call: 0,
                        keep_content: false,
                        admission,
                        caller: self.admitted.clone(),
                        cache: None,
                        warnings: vec![],
                    };
                    // Nothing is written, whoever counts it.
                    vectors.usage.completion_tokens.get_or_insert(0);
                    let answer = ticket.response(
                        None,
                        vectors.model.take(),
                        vec![],
                        (FinishReason::Stop, None),
                        (vectors.usage, vectors.billing.clone()),
                    );
                    ticket.settle(&answer, None).await;
                    recording.succeeded(&answer, false);
                    return Ok((vectors, answer));
                }
                Err(error) => error,
            };
            recording.failed(&error);
            if let Some(reservation) = reservation {
                reservation.failed(&error);
            }
            live.breaker.failed(&config.breaker, &error, Instant::now());
            let elapsed = begun.elapsed();
            let Some(wait) = retry::pause(&config.retry, &error, attempt, elapsed, fastrand::f64())
            else {
                return Err(error);
            };
            tokio::time::sleep(wait).await;
            recording.not_last();
        }
    }

    fn record(&self, peer: &Peer, request: &EmbedRequest) -> Record {
        let keeps = self.service.inner.recorder.is_some() && self.state.config.history.content;
        let caller = self.service.caller.as_deref();
        Record {
            at_ms: now_ms(),
            request_id: self.request_id.clone(),
            conversation_id: None,
            caller: caller.and_then(|caller| caller.name.clone()),
            session: caller.and_then(|caller| caller.session.clone()),
            agent: caller.and_then(|caller| caller.agent.clone()),
            model: self.model.name.clone(),
            provider: self.model.provider.name.clone(),
            plugin: peer.plugin.name().to_owned(),
            plugin_digest: peer.plugin.digest().to_owned(),
            route: None,
            vendor_model: None,
            vendor_id: None,
            attempt: self.attempts,
            last: true,
            streamed: false,
            outcome: stats::Outcome::Cancelled,
            usage: Usage::default(),
            cost: None,
            billing: Billing::default(),
            warnings: vec![],
            latency: Duration::ZERO,
            ttft: None,
            cached: false,
            prompt: keeps.then(|| request.inputs.join("\n")),
            answer: None,
        }
    }
}

/// Refuses vectors that are not one for each input and of one length.
fn fit(vectors: &wire::Vectors, inputs: usize, first: Option<&Vec<f32>>) -> Result<()> {
    let malformed = |what: String| Err(Error::new(ErrorKind::MalformedResponse, what));
    if vectors.vectors.len() != inputs {
        let came = vectors.vectors.len();
        return malformed(format!("{came} vectors came for {inputs} inputs"));
    }
    let length = first.or(vectors.vectors.first()).map_or(0, Vec::len);
    if length == 0 || vectors.vectors.iter().any(|vector| vector.len() != length) {
        return malformed("the vectors are empty or not of one length".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(vectors: Vec<Vec<f32>>) -> wire::Vectors {
        wire::Vectors {
            model: None,
            vectors,
            usage: Usage::default(),
            billing: Billing::default(),
            extra: Extra::default(),
        }
    }

    #[test]
    fn vectors_are_one_for_each_input_and_of_one_length() {
        let two = vectors(vec![vec![1.0, 2.0], vec![3.0, 4.0]]);
        assert!(fit(&two, 2, None).is_ok());
        assert!(fit(&two, 2, Some(&vec![0.0, 0.0])).is_ok());
        assert!(fit(&two, 3, None).is_err());
        assert!(fit(&two, 2, Some(&vec![0.0])).is_err());
        assert!(fit(&vectors(vec![vec![1.0], vec![]]), 2, None).is_err());
        assert!(fit(&vectors(vec![vec![]]), 1, None).is_err());
    }
}
