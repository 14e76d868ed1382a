//! What an answer needs to know of the call that it belongs to, and what it owes afterwards.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::cache::{Cache, Miss};
use super::limits;
use super::live::{Live, ModelLive, Use, lock};
use super::pricing::PriceList;
use super::recording::now_ms;
use crate::chat::{Billing, ChatResponse, FinishReason, Part, Usage};
use crate::config::{Model, RateLimits};
use crate::error::{Error, Result};
use crate::stats::{Filter, History};

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
    pub(super) cache: Option<(Arc<Miss>, Arc<Cache>)>,
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
        let cost = self
            .prices
            .cost(&self.model, vendor_model.as_deref(), &usage, &billing);
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
            attempts: self.attempts,
            cached: false,
            failed_before: self.failed_before.clone(),
        }
    }

    /// The answer is complete: counts what it used, and keeps it if there is a cache.
    pub(super) async fn settle(&self, answer: &ChatResponse, first: Option<Duration>) {
        self.admission.settle(answer, first);
        if let Some((miss, cache)) = &self.cache {
            cache.keep(miss, answer).await;
        }
    }
}

/// The right to one exchange: places among those at one time, and a share of the limits.
pub(super) struct Admission {
    model: Arc<ModelLive>,
    provider: Arc<Use>,
    begun: Instant,
    _places: Vec<OwnedSemaphorePermit>,
}

impl Admission {
    /// Waits for a place, and refuses what exceeds a limit.
    pub(super) async fn obtain(
        live: &Live,
        model: &Model,
        tokens: u64,
        history: Option<&Path>,
    ) -> Result<Self> {
        let own = live.model(&model.name);
        let provider = live.provider(&model.provider.name);
        let mut places = vec![];
        for (usage, count) in [
            (&own.usage, model.max_concurrency),
            (&*provider, model.provider.max_concurrency),
        ] {
            if let Some(count) = count {
                let place = usage.places(count).acquire_owned().await;
                places.extend(place.ok());
            }
        }
        let begun = Instant::now();
        let filter = Filter {
            model: Some(model.name.clone()),
            ..Filter::default()
        };
        let owner = format!("model {:?}", model.name);
        admit(
            &own.usage,
            &model.limits,
            &owner,
            tokens,
            begun,
            filter,
            history,
        )
        .await?;
        let filter = Filter {
            provider: Some(model.provider.name.clone()),
            ..Filter::default()
        };
        let owner = format!("provider {:?}", model.provider.name);
        let limits = &model.provider.limits;
        admit(&provider, limits, &owner, tokens, begun, filter, history).await?;
        Ok(Admission {
            model: own,
            provider,
            begun,
            _places: places,
        })
    }

    fn settle(&self, answer: &ChatResponse, first: Option<Duration>) {
        let tokens = answer.usage.total();
        for usage in [&self.model.usage, &*self.provider] {
            lock(&usage.window).used(self.begun, tokens, answer.cost, now_ms());
        }
        self.model
            .answered(first.unwrap_or_else(|| self.begun.elapsed()));
    }
}

async fn admit(
    usage: &Use,
    limits: &RateLimits,
    owner: &str,
    tokens: u64,
    begun: Instant,
    filter: Filter,
    history: Option<&Path>,
) -> Result<()> {
    if *limits == RateLimits::default() {
        return Ok(());
    }
    let now = now_ms();
    if limits.cost_per_day.is_some() && lock(&usage.window).needs_history(now) {
        let filter = Filter {
            since_ms: Some(limits::midnight(now)),
            ..filter
        };
        let spent = spent(history, &filter).await;
        lock(&usage.window).load(spent);
    }
    lock(&usage.window).admit(limits, owner, tokens, begun, now)
}

/// What the history knows to have been spent. A history that cannot be read knows nothing.
async fn spent(history: Option<&Path>, filter: &Filter) -> rust_decimal::Decimal {
    let Some(path) = history else {
        return rust_decimal::Decimal::ZERO;
    };
    let read = async {
        let mut history = History::open(path).await?;
        let spent = history.spent(filter).await;
        history.close().await;
        spent
    };
    read.await.unwrap_or_else(|error| {
        tracing::warn!("{error}");
        rust_decimal::Decimal::ZERO
    })
}
