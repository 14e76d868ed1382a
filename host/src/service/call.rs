//! A request from its arrival to its answer: models in order, attempts by policy, rows by attempt.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::budget::Budgets;
use super::exchange::{Outcome, Peer};
use super::live::Live;
use super::recording::{Recording, now_ms};
use super::state::State;
use super::stream::{ChatStream, Reader};
use super::ticket::{Admission, Ticket};
use super::{MultiLlmService, cache, conversation, request, retry, router};
use crate::chat::{Billing, ChatRequest, ChatResponse, Usage};
use crate::config::{Env, Model};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::wire;
use crate::stats::{self, Record, Recorder};

/// A request under way.
pub(super) struct Call {
    state: Arc<State>,
    live: Arc<Live>,
    env: Env,
    recorder: Option<Recorder>,
    budgets: Arc<Budgets>,
    plan: router::Plan,
    request: ChatRequest,
    stream: bool,
    /// One attempt only, whatever is kept or was before.
    probe: bool,
    request_id: String,
    begun: Instant,
}

/// What a call came to.
pub(super) enum Opened {
    Whole(Box<ChatResponse>),
    Stream(ChatStream),
}

/// What came of the models so far.
#[derive(Default)]
struct Progress {
    attempts: u32,
    /// What making plugins ready took: no vendor's time.
    loading: Duration,
    failed: Vec<Error>,
}

impl Call {
    /// Checks a request and chooses the models for it.
    pub(super) fn begin(
        service: &MultiLlmService,
        request: ChatRequest,
        model: &str,
        stream: bool,
    ) -> Result<Self> {
        let state = service.state();
        let live = service.inner.live.clone();
        let plan = router::plan(&state.config, &live, model)?;
        request::check(&request, state.config.limits.request)?;
        Ok(Call {
            env: service.inner.env.clone(),
            recorder: service.inner.recorder.clone(),
            budgets: service.inner.budgets.clone(),
            plan,
            request,
            stream,
            probe: false,
            request_id: uuid::Uuid::now_v7().to_string(),
            begun: Instant::now(),
            live,
            state,
        })
    }

    /// Asks the first model once: no kept answer, no retry, however often it failed before.
    pub(super) async fn probe(mut self) -> Result<ChatResponse> {
        self.probe = true;
        self.plan.models.truncate(1);
        match self.run().await? {
            Opened::Whole(answer) => Ok(*answer),
            Opened::Stream(stream) => stream.collect().await,
        }
    }

    /// Tries the models in order.
    pub(super) async fn run(self) -> Result<Opened> {
        let mut progress = Progress::default();
        let mut left = self.plan.models.clone();
        while !left.is_empty() {
            let model = left.remove(0);
            let error = match self
                .try_model(&model, &mut progress, !left.is_empty())
                .await
            {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            if error.kind == ErrorKind::ContextLength {
                let window = model.context_window.unwrap_or(0);
                left.retain(|other| other.context_window.is_none_or(|other| other > window));
            }
            if left.is_empty() || !another_may_do(&error) {
                return Err(error);
            }
            tracing::debug!(model = model.name, %error, "trying the next model");
            progress.failed.push(error);
        }
        Err(Error::configuration("no model to ask"))
    }

    /// Tries one model as often as the policy allows.
    async fn try_model(
        &self,
        model: &Arc<Model>,
        progress: &mut Progress,
        more_models: bool,
    ) -> Result<Opened> {
        let names = |error: Error| error.of(&model.provider.name, &model.name);
        let config = &self.state.config;
        let live = self.live.model(&model.name);
        let loading = Instant::now();
        let loaded = self.load(model).await;
        progress.loading += loading.elapsed();
        loaded.map_err(names)?;
        let begun = self.begun + progress.loading;
        let peer = Peer::of_model(&self.state, &self.env, model)
            .await
            .map_err(names)?;
        let mut request = request::with_defaults(&self.request, model);
        if let Cow::Owned(messages) = conversation::sendable(&request.messages) {
            request.messages = messages;
        }
        if self.probe {
            // Few tokens leave no room for thoughts.
            request.reasoning_effort = None;
        }
        let miss = match self.look_up(&peer, &request).await {
            Some(Ok(kept)) => {
                return Ok(self.answer_from_cache(model, &peer, &request, progress, &kept));
            }
            Some(Err(miss)) => Some(Arc::new(miss)),
            None => None,
        };
        if !self.probe {
            live.breaker
                .admit(&config.breaker, Instant::now())
                .map_err(|left| names(resting(left)))?;
        }
        let prices = self.state.prices();
        let mut attempt = 0;
        loop {
            let admission = Admission::obtain(&self.live, model, &request, &self.budgets, &prices)
                .await
                .map_err(names)?;
            let reservation = admission.reservation();
            attempt += 1;
            progress.attempts += 1;
            let mut recording = Recording::begin(
                self.recorder.clone(),
                self.record(model, &peer, progress.attempts, &request),
            );
            let ticket = Ticket {
                model: model.clone(),
                prices: prices.clone(),
                plugin: peer.plugin.name().to_owned(),
                begun,
                attempts: progress.attempts,
                failed_before: progress.failed.clone(),
                first_call: request::next_call(&self.request.messages),
                keep_content: config.history.content,
                admission,
                cache: miss.clone().zip(self.state.cache()),
            };
            let error = match self.attempt(&peer, &request, ticket, &mut recording).await {
                Ok(Answered::Whole(answer)) => {
                    live.breaker.succeeded();
                    return Ok(Opened::Whole(answer));
                }
                Ok(Answered::Stream(reader)) => {
                    live.breaker.succeeded();
                    return Ok(Opened::Stream(ChatStream::new(*reader, recording)));
                }
                Err(error) => names(error),
            };
            recording.failed(&error);
            if let Some(reservation) = reservation {
                reservation.failed(&error);
            }
            live.breaker.failed(&config.breaker, &error, Instant::now());
            let wait = retry::pause(
                &config.retry,
                &error,
                attempt,
                begun.elapsed(),
                fastrand::f64(),
            );
            let Some(wait) = wait.filter(|_| !self.probe) else {
                if more_models && another_may_do(&error) {
                    recording.not_last();
                }
                let mut error = error;
                error.attempts = (progress.attempts > 1).then_some(progress.attempts);
                return Err(error);
            };
            tracing::debug!(model = model.name, %error, ?wait, attempt, "trying again");
            tokio::time::sleep(wait).await;
            recording.not_last();
            progress.failed.push(error);
        }
    }

    /// Makes a model's plugin ready. It has as long as the whole exchange may take.
    async fn load(&self, model: &Model) -> Result<()> {
        let total = model.endpoint.timeouts.total;
        let loaded = tokio::time::timeout(total, self.state.plugin(&model.provider.plugin)).await;
        loaded.map_or_else(
            |_| Err(still_loading(model, total)),
            |loaded| loaded.map(drop),
        )
    }

    /// One attempt: to the whole answer, or to the first piece of a stream.
    async fn attempt(
        &self,
        peer: &Peer,
        request: &ChatRequest,
        ticket: Ticket,
        recording: &mut Recording,
    ) -> Result<Answered> {
        match peer.ask(request, self.stream).await? {
            Outcome::Whole(answer) => {
                let answer = finish_whole(*answer, &ticket);
                ticket.settle(&answer, None).await;
                recording.succeeded(&answer, ticket.keep_content);
                Ok(Answered::Whole(Box::new(answer)))
            }
            Outcome::Stream(streaming) => {
                let mut reader = Reader::new(*streaming, ticket);
                if !self.stream {
                    let answer = reader.into_whole(recording).await?;
                    return Ok(Answered::Whole(Box::new(answer)));
                }
                reader.until_first_event(recording).await?;
                Ok(Answered::Stream(Box::new(reader)))
            }
        }
    }

    /// The kept answer to this request, or the turn to make one; nothing without a cache.
    async fn look_up(
        &self,
        peer: &Peer,
        request: &ChatRequest,
    ) -> Option<std::result::Result<Arc<cache::Kept>, cache::Miss>> {
        let cache = self.state.cache().filter(|_| !self.probe)?;
        let key = cache::key(&peer.identity(), request)?;
        Some(cache.look_up(key, peer.patience()).await)
    }

    fn answer_from_cache(
        &self,
        model: &Arc<Model>,
        peer: &Peer,
        request: &ChatRequest,
        progress: &Progress,
        kept: &cache::Kept,
    ) -> Opened {
        let mut recording = Recording::begin(
            self.recorder.clone(),
            Record {
                cached: true,
                ..self.record(model, peer, 0, request)
            },
        );
        let answer = ChatResponse {
            model: model.name.clone(),
            provider: model.provider.name.clone(),
            plugin: peer.plugin.name().to_owned(),
            vendor_model: kept.vendor_model.clone(),
            id: kept.id.clone(),
            parts: kept.parts.clone(),
            finish_reason: kept.finish,
            raw_finish_reason: kept.raw_finish.clone(),
            usage: Usage::NOTHING,
            cost: Some(rust_decimal::Decimal::ZERO),
            billing: kept.billing(),
            latency: self.begun.elapsed().saturating_sub(progress.loading),
            time_to_first_token: None,
            streaming_time: None,
            attempts: progress.attempts,
            cached: true,
            failed_before: progress.failed.clone(),
        };
        recording.succeeded(&answer, self.state.config.history.content);
        match self.stream {
            true => Opened::Stream(ChatStream::of_whole(answer)),
            false => Opened::Whole(Box::new(answer)),
        }
    }

    fn record(&self, model: &Model, peer: &Peer, attempt: u32, request: &ChatRequest) -> Record {
        Record {
            at_ms: now_ms(),
            request_id: self.request_id.clone(),
            conversation_id: self.request.conversation_id.clone(),
            model: model.name.clone(),
            provider: model.provider.name.clone(),
            plugin: peer.plugin.name().to_owned(),
            plugin_digest: peer.plugin.digest().to_owned(),
            route: self.plan.route.clone(),
            vendor_model: None,
            vendor_id: None,
            attempt,
            last: true,
            streamed: self.stream,
            outcome: stats::Outcome::Cancelled,
            usage: Usage::default(),
            cost: None,
            billing: Billing::default(),
            latency: Duration::ZERO,
            ttft: None,
            cached: false,
            prompt: self
                .state
                .config
                .history
                .content
                .then(|| request::last_question(&request.messages)),
            answer: None,
        }
    }
}

enum Answered {
    Whole(Box<ChatResponse>),
    Stream(Box<Reader>),
}

/// The response to hand out for a whole answer.
fn finish_whole(answer: wire::Answer, ticket: &Ticket) -> ChatResponse {
    let parts = crate::chat::normalise(answer.parts, ticket.first_call);
    let price = (answer.usage, answer.billing);
    ticket.response(answer.id, answer.model, parts, answer.finish, price)
}

/// Whether another model might answer what this one could not.
fn another_may_do(error: &Error) -> bool {
    !matches!(
        error.kind,
        ErrorKind::InvalidRequest | ErrorKind::ContentFiltered | ErrorKind::Cancelled
    )
}

fn still_loading(model: &Model, total: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "the plugin {:?} was not ready after {} ms: it is compiled when it is first used; raise \
             timeouts.total_ms, or have it compiled before with \"multillm config check\"",
            model.provider.plugin.name,
            total.as_millis()
        ),
    )
}

fn resting(left: Duration) -> Error {
    let mut error = Error::new(
        ErrorKind::Unavailable,
        format!(
            "it failed too often just now and is left alone for {:.0} s more",
            left.as_secs_f64().ceil()
        ),
    )
    .retryable(true);
    error.retry_after_ms = u64::try_from(left.as_millis()).ok();
    error
}
