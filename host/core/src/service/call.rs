//! A request from its arrival to its answer: models in order, attempts by policy, rows by attempt.

mod kept;
mod nothing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::task::TaskTracker;

use super::asked::{Asked, Sending, Through};
use super::budget::Budgets;
use super::caller::{Admitted, Caller};
use super::exchange::{Outcome, Passed, Peer};
use super::filtering::Screen;
use super::live::Live;
use super::recording::{Recording, now_ms};
use super::relay::{self, RelayRequest, Relayed, Verbatim, Weighed};
use super::rows::Rows;
use super::state::State;
use super::stream::{ChatStream, Reader};
use super::ticket::{Admission, Ticket};
use super::{MultiLlmService, request, retry, router};
use crate::chat::{Billing, ChatRequest, ChatResponse, Usage};
use crate::config::{Env, Model};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::wire;
use crate::stats::{self, Record};
pub(super) use nothing::{another, resting};
use nothing::{another_may_do, is_accounts, still_loading};

/// A request under way.
pub(super) struct Call {
    state: Arc<State>,
    live: Arc<Live>,
    env: Arc<Env>,
    rows: Rows,
    tasks: TaskTracker,
    budgets: Arc<Budgets>,
    caller: Option<Arc<Caller>>,
    plan: router::Plan,
    asked: Asked,
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
    /// The answer to a body that the caller wrote.
    Relayed(Box<Relayed>),
}

/// What came of the models so far.
#[derive(Default)]
struct Progress {
    /// What the last vendor said that refused a body.
    refusal: Option<Verbatim>,
    /// The caller's right to ask.
    admitted: Option<Admitted>,
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
        request::check(&request, service.state().config.limits.request)?;
        Self::new(service, Asked::Chat(Box::new(request)), model, stream)
    }

    /// The same for a body that the caller wrote.
    pub(super) fn relay(
        service: &MultiLlmService,
        body: RelayRequest,
        model: &str,
    ) -> Result<Self> {
        let stream = body.stream;
        Self::new(
            service,
            Asked::Body(Box::new(Weighed::new(body))),
            model,
            stream,
        )
    }

    fn new(service: &MultiLlmService, asked: Asked, model: &str, stream: bool) -> Result<Self> {
        let state = service.state();
        let live = service.inner.live.clone();
        let plan = router::plan(&state.config, &live, model)?;
        let caller = service.caller.clone();
        let own_id = caller.as_ref().and_then(|caller| caller.request_id.clone());
        Ok(Call {
            env: service.inner.env.clone(),
            rows: service.rows(),
            tasks: service.inner.tasks.clone(),
            budgets: service.inner.budgets.clone(),
            caller,
            plan,
            asked,
            stream,
            probe: false,
            request_id: own_id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
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
            Opened::Relayed(_) => Err(another()),
        }
    }

    /// Tries the models in order.
    pub(super) async fn run(self) -> Result<Opened> {
        let mut progress = Progress {
            admitted: self.admit_caller()?,
            ..Progress::default()
        };
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
                return match progress.refusal.take() {
                    // What a vendor says to whoever wrote the body goes back as it is.
                    Some(refusal) => Ok(Opened::Relayed(Box::new(Relayed::refused(
                        refusal, error, &model,
                    )))),
                    None => Err(error),
                };
            }
            tracing::debug!(model = model.name, %error, "trying the next model");
            progress.failed.push(error);
        }
        Err(Error::configuration("no model to ask"))
    }

    /// A caller's place and share, for all attempts together.
    fn admit_caller(&self) -> Result<Option<Admitted>> {
        match &self.caller {
            Some(caller) => caller.admit(&self.live, self.asked.tokens()),
            None => Ok(None),
        }
    }

    /// Tries one model as often as the policy allows.
    async fn try_model(
        &self,
        model: &Arc<Model>,
        progress: &mut Progress,
        more_models: bool,
    ) -> Result<Opened> {
        progress.refusal = None;
        let names = |error: Error| error.of(&model.provider.name, &model.name);
        let config = &self.state.config;
        let live = self.live.model(&model.name);
        let loading = Instant::now();
        let loaded = self.load(model).await;
        progress.loading += loading.elapsed();
        loaded.map_err(names)?;
        let begun = self.begun + progress.loading;
        let peer = Peer::of_model(&self.state, &self.env, model, self.caller.as_deref())
            .await
            .map_err(names)?;
        let sending = self.asked.to_model(model, self.probe);
        sending.fits(&peer, model).map_err(names)?;
        let whose = (model, &*peer);
        let miss = match self.look_up(whose, &sending).await? {
            Some(Ok(kept)) => {
                return self
                    .answer_from_cache(whose, &sending, progress, &kept)
                    .await;
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
            let asked = (&sending, self.caller.as_deref());
            let admission = Admission::obtain(&self.live, model, asked, &self.budgets, &prices)
                .await
                .map_err(names)?;
            let reservation = admission.reservation();
            let Through { sending, screen } = match sending.through(&peer).await {
                Ok(through) => through,
                Err(error) => {
                    // Nothing was sent, and nothing will be.
                    if let Some(reservation) = reservation {
                        reservation.release();
                    }
                    live.breaker.failed(&config.breaker, &error, Instant::now());
                    return Err(self.stopped(whose, error));
                }
            };
            attempt += 1;
            progress.attempts += 1;
            let mut recording = Recording::begin(
                self.rows.clone(),
                self.record(model, &peer, progress.attempts, Some(&sending)),
            );
            let ticket = Ticket {
                model: model.clone(),
                prices: prices.clone(),
                plugin: peer.plugin.name().to_owned(),
                begun,
                attempts: progress.attempts,
                failed_before: progress.failed.clone(),
                first_call: self.asked.first_call(),
                keep_content: config.history.content,
                admission,
                caller: progress.admitted.clone(),
                cache: miss.clone().zip(self.state.cache()),
                warnings: vec![],
            };
            progress.refusal = None;
            let asked = (&*peer, &sending, screen);
            let error = match self
                .attempt(asked, ticket, &mut recording, &mut progress.refusal)
                .await
            {
                Ok(Answered::Whole(answer)) => {
                    live.breaker.succeeded();
                    return Ok(Opened::Whole(answer));
                }
                Ok(Answered::Stream(reader)) => {
                    live.breaker.succeeded();
                    return Ok(Opened::Stream(ChatStream::new(*reader, recording)));
                }
                Ok(Answered::Passed(passed, ticket)) => {
                    live.breaker.succeeded();
                    let owed = relay::stream::Owed {
                        peer,
                        ticket: *ticket,
                        recording,
                        tasks: self.tasks.clone(),
                    };
                    return Ok(Opened::Relayed(Box::new(owed.hand_on(*passed).await)));
                }
                Err(error) => names(error),
            };
            recording.failed(&error);
            if let Some(reservation) = reservation {
                reservation.failed(&error);
            }
            if !(peer.is_callers() && is_accounts(&error)) {
                live.breaker.failed(&config.breaker, &error, Instant::now());
            }
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

    /// One attempt: to the whole answer, to the first piece of a stream, or to the head of what is handed on.
    async fn attempt(
        &self,
        (peer, sending, screen): (&Peer, &Sending<'_>, Option<Screen>),
        mut ticket: Ticket,
        recording: &mut Recording,
        refusal: &mut Option<Verbatim>,
    ) -> Result<Answered> {
        let request = match sending {
            Sending::Chat(request) => request,
            Sending::Body(body) => {
                let said = self.rows.recorder.is_some() && ticket.keep_content;
                return match peer.relay(&body.request, said).await {
                    Ok(passed) => Ok(Answered::Passed(Box::new(passed), Box::new(ticket))),
                    Err(refused) => {
                        *refusal = refused.answer;
                        Err(refused.error)
                    }
                };
            }
        };
        let asked = peer.ask(request, self.stream, &mut ticket.warnings).await;
        recording.left_out(&ticket.warnings);
        match asked? {
            Outcome::Whole(answer) => {
                let answer = finish_whole(*answer, &ticket);
                ticket.settle(&answer, None).await;
                recording.succeeded(&answer, ticket.keep_content);
                let answer = match screen {
                    Some(screen) => screen.whole(answer, ticket.first_call).await?,
                    None => answer,
                };
                Ok(Answered::Whole(Box::new(answer)))
            }
            Outcome::Stream(streaming) => {
                let mut reader = Reader::new(*streaming, ticket).through(screen);
                if !self.stream {
                    let answer = reader.into_whole(recording).await?;
                    return Ok(Answered::Whole(Box::new(answer)));
                }
                reader.until_first_event(recording).await?;
                Ok(Answered::Stream(Box::new(reader)))
            }
        }
    }

    /// The row of an attempt. Without what is sent there is no prompt in it: it did not pass the filters.
    fn record(
        &self,
        model: &Model,
        peer: &Peer,
        attempt: u32,
        sending: Option<&Sending<'_>>,
    ) -> Record {
        let caller = self.caller.as_deref();
        Record {
            at_ms: now_ms(),
            request_id: self.request_id.clone(),
            conversation_id: self.asked.conversation_id(),
            caller: caller.and_then(|caller| caller.name.clone()),
            session: caller.and_then(|caller| caller.session.clone()),
            agent: caller.and_then(|caller| caller.agent.clone()),
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
            warnings: vec![],
            latency: Duration::ZERO,
            ttft: None,
            cached: false,
            prompt: sending
                .filter(|_| self.rows.recorder.is_some() && self.state.config.history.content)
                .and_then(Sending::question),
            answer: None,
        }
    }
}

enum Answered {
    Whole(Box<ChatResponse>),
    Stream(Box<Reader>),
    Passed(Box<Passed>, Box<Ticket>),
}

/// The response to hand out for a whole answer.
fn finish_whole(answer: wire::Answer, ticket: &Ticket) -> ChatResponse {
    let parts = crate::chat::normalise(answer.parts, ticket.first_call);
    let price = (answer.usage, answer.billing);
    let mut response = ticket.response(answer.id, answer.model, parts, answer.finish, price);
    response.extra = answer.extra;
    response
}
