//! What an answer needs to know of the call that it belongs to, and what it owes afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::asked::Sending;
use super::budget::{Budgets, Reservation};
use super::cache::{Cache, Miss};
use super::caller::{Admitted, Caller};
use super::live::{Live, ModelLive, Use, lock};
use super::pricing::PriceList;
use crate::chat::{Billing, ChatResponse, Extra, FinishReason, Part, Usage};
use crate::config::{Model, RateLimits};
use crate::error::{Error, ErrorKind, Result};

/// What an answer needs to know of its call.
pub(super) struct Ticket {
    pub(super) model: Arc<Model>,
    pub(super) prices: Arc<PriceList>,
    pub(super) plugin: String,
    pub(super) begun: Instant,
    pub(super) attempts: u32,
    pub(super) failed_before: Vec<Error>,
    /// Numbers local ids of tool calls.
    pub(super) first_call: usize,
    pub(super) keep_content: bool,
    pub(super) admission: Admission,
    /// The caller's right to it.
    pub(super) caller: Option<Admitted>,
    pub(super) cache: Option<(Arc<Miss>, Arc<Cache>)>,
    /// What was left out of the request.
    pub(super) warnings: Vec<String>,
}

impl Ticket {
    /// The response to hand out.
    pub(super) fn response(
        &self,
        id: Option<String>,
        vendor_model: Option<String>,
        parts: Vec<Part>,
        (finish_reason, raw_finish_reason): (FinishReason, Option<String>),
        (usage, billing): (Usage, Billing),
    ) -> ChatResponse {
        let usage = usage.settled(&parts);
        let mut billing = billing;
        let priced = self
            .prices
            .cost(&self.model, vendor_model.as_deref(), &usage, &billing);
        billing.covered = priced.covered;
        if let Some(reason) = priced.reason {
            billing.remark(reason);
        }
        let cost = priced.cost;
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
            cost,
            billing,
            latency: self.begun.elapsed(),
            time_to_first_token: None,
            streaming_time: None,
            attempts: self.attempts,
            cached: false,
            extra: Extra::default(),
            warnings: self.warnings.clone(),
            failed_before: self.failed_before.clone(),
        }
    }

    /// The answer is complete: counts what it used, and keeps it if there is a cache.
    pub(super) async fn settle(&self, answer: &ChatResponse, first: Option<Duration>) {
        self.admission.settle(answer, first);
        if let Some(caller) = &self.caller {
            caller.used(answer.usage.total());
        }
        if let Some((miss, cache)) = &self.cache {
            cache.keep(miss, answer, None).await;
        }
    }
}

/// The right to one exchange: places among those at one time, and a share of limits and budgets.
pub(super) struct Admission {
    model: Arc<ModelLive>,
    provider: Arc<Use>,
    begun: Instant,
    reservation: Option<Arc<Reservation>>,
    _places: Vec<OwnedSemaphorePermit>,
}

impl Admission {
    /// Waits for a place, and refuses what exceeds a limit or a budget. What is asked is `sending`, on behalf of
    /// `caller`.
    pub(super) async fn obtain(
        live: &Live,
        model: &Model,
        (sending, caller): (&Sending<'_>, Option<&Caller>),
        budgets: &Budgets,
        prices: &PriceList,
    ) -> Result<Self> {
        let own = live.model(&model.name);
        let provider = live.provider(&model.provider.name);
        let mut places = vec![];
        for (usage, count) in [
            (&own.usage, model.max_concurrency),
            (&*provider, model.provider.max_concurrency),
        ] {
            if let Some(count) = count {
                let place = usage.places(count).acquire_owned();
                let patience = caller.and_then(|caller| caller.patience);
                let place = match patience {
                    None => place.await,
                    Some(patience) => timeout(patience, place)
                        .await
                        .map_err(|_| no_place(model))?,
                };
                places.extend(place.ok());
            }
        }
        let budgets = budgets.reserve(model, caller, || sending.most(), prices);
        let reservation = budgets.await?;
        let begun = Instant::now();
        let tokens = sending.tokens();
        let owner = format!("model {:?}", model.name);
        let admitted = admit(&own.usage, &model.limits, &owner, tokens, begun).and_then(|()| {
            let owner = format!("provider {:?}", model.provider.name);
            admit(&provider, &model.provider.limits, &owner, tokens, begun)
        });
        if let Err(error) = admitted {
            if let Some(reservation) = &reservation {
                reservation.release();
            }
            return Err(error);
        }
        Ok(Admission {
            model: own,
            provider,
            begun,
            reservation: reservation.map(Arc::new),
            _places: places,
        })
    }

    /// What it holds in budgets. Whoever knows how the exchange ended settles it.
    pub(super) fn reservation(&self) -> Option<Arc<Reservation>> {
        self.reservation.clone()
    }

    fn settle(&self, answer: &ChatResponse, first: Option<Duration>) {
        let tokens = answer.usage.total();
        for usage in [&self.model.usage, &*self.provider] {
            lock(&usage.window).used(self.begun, tokens);
        }
        if let Some(reservation) = &self.reservation {
            reservation.answered(answer.cost);
        }
        self.model
            .answered(first.unwrap_or_else(|| self.begun.elapsed()));
    }
}

fn admit(usage: &Use, limits: &RateLimits, owner: &str, tokens: u64, begun: Instant) -> Result<()> {
    match *limits == RateLimits::default() {
        true => Ok(()),
        false => lock(&usage.window).admit(limits, owner, tokens, begun),
    }
}

fn no_place(model: &Model) -> Error {
    let mut error = Error::new(
        ErrorKind::Overloaded,
        format!(
            "model {:?} and its provider answer as many at one time as max_concurrency allows: ask later, or raise it",
            model.name
        ),
    )
    .retryable(true);
    error.retry_after_ms = Some(1_000);
    error
}
