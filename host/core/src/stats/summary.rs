//! Sums over the history: by model, by provider or by day.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use super::Entry;

/// What a group of exchanges adds up to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Totals {
    /// Requests, however many attempts each took.
    pub total_requests: u64,
    /// Requests that ended with an answer.
    pub successes: u64,
    /// Requests that ended with an error.
    pub error_count: u64,
    /// Requests that the caller gave up.
    pub cancellations: u64,
    /// Attempts beyond the first of each request.
    pub retries: u64,
    /// Answers from the response cache.
    pub cache_hits: u64,
    /// Errors of all attempts by kind.
    pub errors: BTreeMap<String, u64>,
    /// Failed requests among all that were not cancelled, 0 to 1; absent if there were none.
    pub error_rate: Option<f64>,
    /// All input of the exchanges that reported it; absent if none did.
    pub prompt_tokens: Option<u64>,
    /// All output, likewise.
    pub completion_tokens: Option<u64>,
    /// Both, likewise.
    pub total_tokens: Option<u64>,
    /// Input from the vendors' caches, likewise.
    pub cached_tokens: Option<u64>,
    /// Input to the vendors' caches, likewise.
    pub cache_write_tokens: Option<u64>,
    /// Output that was thought, likewise.
    pub reasoning_tokens: Option<u64>,
    /// Exchanges that reported their tokens.
    pub counted_requests: u64,
    /// US dollars of the exchanges whose cost is known; absent if it is of none.
    #[serde(serialize_with = "exact")]
    pub total_cost: Option<Decimal>,
    /// Exchanges whose cost is known.
    pub priced_requests: u64,
    /// Milliseconds to a complete answer, on average.
    pub average_latency: Option<f64>,
    /// Half of the answers took no longer.
    pub p50_ms: Option<f64>,
    /// 95 of 100 answers took no longer.
    pub p95_ms: Option<f64>,
    /// 99 of 100 answers took no longer.
    pub p99_ms: Option<f64>,
    /// Milliseconds to the first piece of content of streams, on average.
    pub average_ttft_ms: Option<f64>,
    /// Output tokens by second of answering.
    pub tokens_per_second: Option<f64>,
}

#[allow(clippy::ref_option, reason = "serde's form")]
fn exact<S: serde::Serializer>(cost: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    let number: Option<Box<RawValue>> = cost.and_then(crate::chat::exact_number);
    number.serialize(serializer)
}

/// What entries are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// The configured model.
    #[default]
    Model,
    /// The provider.
    Provider,
    /// The day (UTC), such as `2026-11-23`.
    Day,
    /// On whose behalf; `-` where nobody in particular asked.
    Caller,
}

impl Grouping {
    fn key(self, entry: &Entry) -> String {
        match self {
            Grouping::Model => entry.model.clone(),
            Grouping::Provider => entry.provider.clone(),
            Grouping::Day => day(entry.at_ms),
            Grouping::Caller => entry.caller.clone().unwrap_or_else(|| "-".to_owned()),
        }
    }
}

/// The day (UTC) of a Unix time in milliseconds.
fn day(at_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// Sums by group.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// By the key that was asked for.
    pub groups: BTreeMap<String, Totals>,
    /// All groups together.
    pub total: Totals,
}

#[derive(Default)]
struct Tally {
    totals: Totals,
    exchanges: u64,
    latencies: Vec<f64>,
    ttfts: Vec<f64>,
    generated: u64,
    generating_ms: f64,
}

/// Entries that are being added up.
pub(super) struct Tallies {
    grouping: Grouping,
    groups: BTreeMap<String, Tally>,
    total: Tally,
}

impl Tallies {
    pub(super) fn new(grouping: Grouping) -> Self {
        Tallies {
            grouping,
            groups: BTreeMap::new(),
            total: Tally::default(),
        }
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        let key = self.grouping.key(entry);
        self.groups.entry(key).or_default().add(entry);
        self.total.add(entry);
    }

    pub(super) fn finish(self) -> Summary {
        Summary {
            groups: self
                .groups
                .into_iter()
                .map(|(name, tally)| (name, tally.finish()))
                .collect(),
            total: self.total.finish(),
        }
    }
}

/// Adds entries up.
pub fn summarise<'a>(entries: impl IntoIterator<Item = &'a Entry>, grouping: Grouping) -> Summary {
    let mut tallies = Tallies::new(grouping);
    for entry in entries {
        tallies.add(entry);
    }
    tallies.finish()
}

impl Tally {
    fn add(&mut self, entry: &Entry) {
        self.exchanges += 1;
        let totals = &mut self.totals;
        if entry.last {
            totals.total_requests += 1;
            match entry.outcome.as_str() {
                "success" => totals.successes += 1,
                "error" => totals.error_count += 1,
                _ => totals.cancellations += 1,
            }
        }
        if entry.attempt > 1 {
            totals.retries += 1;
        }
        if entry.cached {
            totals.cache_hits += 1;
        }
        if let Some(kind) = &entry.error_kind {
            *totals.errors.entry(kind.clone()).or_default() += 1;
        }
        let known = |sum: &mut Option<u64>, count: Option<u64>| {
            if let Some(count) = count {
                *sum = Some(sum.unwrap_or(0).saturating_add(count));
            }
        };
        known(&mut totals.prompt_tokens, entry.prompt_tokens);
        known(&mut totals.completion_tokens, entry.completion_tokens);
        known(&mut totals.total_tokens, entry.total_tokens);
        known(&mut totals.cached_tokens, entry.cached_tokens);
        known(&mut totals.cache_write_tokens, entry.cache_write_tokens);
        known(&mut totals.reasoning_tokens, entry.reasoning_tokens);
        if entry.prompt_tokens.is_some() || entry.completion_tokens.is_some() {
            totals.counted_requests += 1;
        }
        if let Some(cost) = entry.cost {
            let sum = totals.total_cost.unwrap_or_default();
            totals.total_cost = Some(sum.saturating_add(cost));
            totals.priced_requests += 1;
        }
        if entry.outcome == "success" && !entry.cached {
            self.latencies.push(entry.latency_ms);
            if let Some(tokens) = entry.completion_tokens {
                self.generated += tokens;
                self.generating_ms += entry.latency_ms;
            }
            self.ttfts.extend(entry.ttft_ms);
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "for people")]
    fn finish(mut self) -> Totals {
        self.latencies.sort_by(f64::total_cmp);
        let mean = |values: &[f64]| {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let mut totals = self.totals;
        if self.exchanges == 0 {
            // Nothing happened, and that is known.
            totals.total_cost = Some(Decimal::ZERO);
            totals.prompt_tokens = Some(0);
            totals.completion_tokens = Some(0);
            totals.total_tokens = Some(0);
        }
        let finished = totals.successes + totals.error_count;
        totals.error_rate = (finished > 0).then(|| totals.error_count as f64 / finished as f64);
        totals.average_latency = mean(&self.latencies);
        totals.p50_ms = percentile(&self.latencies, 50);
        totals.p95_ms = percentile(&self.latencies, 95);
        totals.p99_ms = percentile(&self.latencies, 99);
        totals.average_ttft_ms = mean(&self.ttfts);
        totals.tokens_per_second =
            (self.generating_ms > 0.0).then(|| self.generated as f64 * 1000.0 / self.generating_ms);
        totals
    }
}

/// The nearest-rank percentile of sorted values.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests;
