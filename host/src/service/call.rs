//! A request from its arrival to its answer: models in order, attempts by policy, rows by attempt.

use std::sync::Arc;
use std::time::Instant;

use super::exchange::{Outcome, Peer};
use super::recording::{Recording, now_ms};
use super::state::State;
use super::stream::{ChatStream, Reader};
use super::{MultiLlmService, retry, router};
use crate::chat::{
    ChatMessage, ChatRequest, ChatResponse, Part, Role, Usage, FinishReason,
};
use crate::config::{Env, Model};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::wire;
use crate::stats::{self, Record, Recorder};

/// A request under way.
pub(super) struct Call {
    pub(super) state: Arc<State>,
    env: Env,
    recorder: Option<Recorder>,
    plan: router::Plan,
    request: ChatRequest,
    stream: bool,
    request_id: String,
    begun: Instant,
}

/// What a call came to.
pub(super) enum Opened {
    Whole(Box<ChatResponse>),
    Stream(ChatStream),
}

/// What the answer needs to know of the call that it belongs to.
pub(super) struct Ticket {
    pub(super) model: Arc<Model>,
    pub(super) plugin: String,
    pub(super) begun: Instant,
    pub(super) attempts: u32,
    pub(super) failed_before: Vec<Error>,
    /// Numbers local ids of tool calls.
    pub(super) first_call: usize,
    pub(super) keep_content: bool,
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
        let plan = router::plan(&state, model)?;
        check(&request, state.config.limits.request)?;
        Ok(Call {
            env: service.inner.env.clone(),
            recorder: service.inner.recorder.clone(),
            plan,
            request,
            stream,
            request_id: uuid::Uuid::now_v7().to_string(),
            begun: Instant::now(),
            state,
        })
    }

    /// Tries the models in order.
    pub(super) async fn run(self) -> Result<Opened> {
        let mut failed: Vec<Error> = vec![];
        let mut attempts = 0;
        let count = self.plan.models.len();
        for (at, model) in self.plan.models.iter().enumerate() {
            let more = at + 1 < count;
            match self.try_model(model, &mut attempts, &mut failed, more).await {
                Ok(opened) => return Ok(opened),
                Err(error) if more && another_may_do(&error) => {
                    tracing::debug!(model = model.name, %error, "trying the next model");
                    failed.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(failed
            .pop()
            .unwrap_or_else(|| Error::configuration("no model to ask")))
    }

    /// Tries one model as often as the policy allows.
    async fn try_model(
        &self,
        model: &Arc<Model>,
        attempts: &mut u32,
        failed: &mut Vec<Error>,
        more_models: bool,
    ) -> Result<Opened> {
        let names = |error: Error| error.of(&model.provider.name, &model.name);
        let config = &self.state.config;
        let breaker = self.state.breaker(&model.name);
        breaker
            .admit(&config.breaker, Instant::now())
            .map_err(|left| names(resting(left)))?;
        let peer = Peer::of_model(&self.state, &self.env, model)
            .await
            .map_err(names)?;
        let request = with_defaults(&self.request, model);
        let mut attempt = 0;
        loop {
            attempt += 1;
            *attempts += 1;
            let mut recording = Recording::begin(
                self.recorder.clone(),
                self.record(model, &peer, *attempts, &request),
            );
            let ticket = Ticket {
                model: model.clone(),
                plugin: peer.plugin.info().name.clone(),
                begun: self.begun,
                attempts: *attempts,
                failed_before: failed.clone(),
                first_call: tool_calls(&request.messages),
                keep_content: config.history.content,
            };
            let error = match self.attempt(&peer, &request, ticket, &mut recording).await {
                Ok(Answered::Whole(answer)) => {
                    breaker.succeeded();
                    return Ok(Opened::Whole(answer));
                }
                Ok(Answered::Stream(reader)) => {
                    breaker.succeeded();
                    return Ok(Opened::Stream(ChatStream::new(*reader, recording)));
                }
                Err(error) => names(error),
            };
            recording.failed(&error);
            breaker.failed(&config.breaker, &error, Instant::now());
            let wait = retry::pause(
                &config.retry,
                &error,
                attempt,
                self.begun.elapsed(),
                fastrand::f64(),
            );
            match wait {
                Some(wait) => {
                    tracing::debug!(model = model.name, %error, ?wait, attempt, "trying again");
                    tokio::time::sleep(wait).await;
                    recording.not_last();
                    failed.push(error);
                }
                None => {
                    if more_models && another_may_do(&error) {
                        recording.not_last();
                    }
                    let mut error = error;
                    error.attempts = (*attempts > 1).then_some(*attempts);
                    return Err(error);
                }
            }
        }
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
                recording.succeeded(&answer, ticket.keep_content);
                Ok(Answered::Whole(Box::new(answer)))
            }
            Outcome::Stream(streaming) => {
                let mut reader = Reader::new(*streaming, ticket);
                reader.until_first_event(recording).await?;
                Ok(Answered::Stream(Box::new(reader)))
            }
        }
    }

    fn record(&self, model: &Model, peer: &Peer, attempt: u32, request: &ChatRequest) -> Record {
        Record {
            at_ms: now_ms(),
            request_id: self.request_id.clone(),
            conversation_id: None,
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
            latency: std::time::Duration::ZERO,
            ttft: None,
            cached: false,
            prompt: self
                .state
                .config
                .history
                .content
                .then(|| last_question(&request.messages)),
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
    ticket.response(answer.id, answer.model, parts, answer.finish, answer.usage)
}

impl Ticket {
    /// The response to hand out.
    pub(super) fn response(
        &self,
        id: Option<String>,
        vendor_model: Option<String>,
        parts: Vec<Part>,
        (finish_reason, raw_finish_reason): (FinishReason, Option<String>),
        usage: Usage,
    ) -> ChatResponse {
        let prices = self.model.prices.as_ref();
        ChatResponse {
            model: self.model.name.clone(),
            provider: self.model.provider.name.clone(),
            plugin: self.plugin.clone(),
            vendor_model: vendor_model.or_else(|| Some(self.model.model_name.clone())),
            id,
            parts,
            finish_reason,
            raw_finish_reason,
            usage,
            cost: prices.and_then(|prices| stats::cost(prices, &usage)),
            latency: self.begun.elapsed(),
            time_to_first_token: None,
            attempts: self.attempts,
            cached: false,
            failed_before: self.failed_before.clone(),
        }
    }
}

/// What cannot be asked of anybody.
fn check(request: &ChatRequest, limit: u64) -> Result<()> {
    let empty = |message: &ChatMessage| message.role != Role::System && !message.content.is_empty();
    if !request.messages.iter().any(empty) {
        return Err(Error::new(
            ErrorKind::InvalidRequest,
            "there is nothing to ask: the conversation is empty",
        ));
    }
    let length: u64 = request
        .messages
        .iter()
        .flat_map(|message| &message.content)
        .map(|part| match part {
            Part::Text(text) => text.text.len() as u64,
            _ => 0,
        })
        .sum();
    if length > limit {
        return Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!(
                "the conversation has {:.1} MB of text, more than the {} MB of limits.request_mb: send less",
                length as f64 / f64::from(1 << 20),
                limit >> 20
            ),
        ));
    }
    Ok(())
}

/// The request with what the model's configuration says where the caller says nothing.
fn with_defaults(request: &ChatRequest, model: &Model) -> ChatRequest {
    let mut request = request.clone();
    request.sampling = request.sampling.or(&model.sampling);
    request.reasoning_effort = request.reasoning_effort.or(model.reasoning_effort);
    if let Some(system) = &model.system
        && !request
            .messages
            .iter()
            .any(|message| message.role == Role::System)
    {
        request.messages.insert(0, ChatMessage::system(system));
    }
    if !model.extra.is_empty() {
        let mut extra = model.extra.clone();
        extra.append(&mut request.extra);
        request.extra = extra;
    }
    request
}

/// Whether another model might answer what this one could not.
fn another_may_do(error: &Error) -> bool {
    !matches!(
        error.kind,
        ErrorKind::InvalidRequest | ErrorKind::ContentFiltered | ErrorKind::Cancelled
    )
}

fn resting(left: std::time::Duration) -> Error {
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

fn tool_calls(messages: &[ChatMessage]) -> usize {
    messages
        .iter()
        .flat_map(|message| &message.content)
        .filter(|part| matches!(part, Part::ToolCall(_)))
        .count()
}

/// What was asked last, for the history.
fn last_question(messages: &[ChatMessage]) -> String {
    messages
        .iter()
        .rev()
        .find(|message| message.role == Role::User)
        .map(ChatMessage::text)
        .unwrap_or_default()
}
