//! Validated policies: retry, time, limits, cache, history, breaker, health. Every default of
//! the configuration stands here.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use rust_decimal::Decimal;

use super::schema;

/// When and how often a failed request is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, at least 1.
    pub max_attempts: u32,
    /// The pause before the second attempt; it doubles each time.
    pub base: Duration,
    /// The longest pause that is not asked for by the vendor.
    pub max: Duration,
    /// No attempt begins later than this after the first.
    pub max_total: Duration,
}

/// How long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// From the request to the first byte of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// For the whole exchange.
    pub total: Duration,
}

/// Answers kept for identical requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Is anything kept.
    pub enabled: bool,
    /// For how long.
    pub ttl: Duration,
    /// Most answers that are kept.
    pub max_entries: u64,
    /// Where they outlast the process; absent: they do not.
    pub path: Option<PathBuf>,
}

/// What one exchange and one plugin may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of an instance, in bytes.
    pub plugin_memory: u64,
    /// Computing time of one call into a plugin.
    pub plugin_cpu: Duration,
    /// What one call into a plugin may return, in bytes.
    pub plugin_output: u64,
    /// Computing time of a plugin in one exchange.
    pub exchange_cpu: Duration,
    /// Events of one streamed answer.
    pub exchange_events: u64,
    /// What a plugin may return in one exchange, in bytes.
    pub exchange_output: u64,
    /// A request's body, in bytes.
    pub request: u64,
    /// A response's body, in bytes.
    pub response: u64,
    /// Exchanges at one time.
    pub max_concurrency: u32,
}

/// What may be sent and spent. Absent: no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests in a minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens in a minute, input and output together.
    pub tokens_per_minute: Option<u64>,
    /// US dollars in a day (UTC).
    pub cost_per_day: Option<Decimal>,
}

/// The record of exchanges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Is anything recorded.
    pub enabled: bool,
    /// The database file; absent: in the user's data directory.
    pub path: Option<PathBuf>,
    /// Is what was said recorded too.
    pub content: bool,
    /// Days after which exchanges are removed; absent: never.
    pub keep_days: Option<u32>,
}

/// When a failing model is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// Is it ever.
    pub enabled: bool,
    /// Failures in a row before it is.
    pub failures: u32,
    /// For how long.
    pub open: Duration,
    /// Requests that try it after that time.
    pub probes: u32,
}

/// Health checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// How long a model may take to answer.
    pub timeout: Duration,
}

/// How answers are shown on a terminal. The library shows nothing; this is for programs that do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Are they shown while they are produced.
    pub stream: bool,
    /// Is their Markdown drawn.
    pub markdown: bool,
    /// Are pictures that a model made shown in terminals that can.
    pub pictures: bool,
}

impl From<Option<&schema::Retry>> for Retry {
    fn from(raw: Option<&schema::Retry>) -> Self {
        Self {
            max_attempts: count(raw.and_then(|raw| raw.max_attempts), 3),
            base: millis(raw.and_then(|raw| raw.base_ms), 500),
            max: millis(raw.and_then(|raw| raw.max_ms), 8_000),
            max_total: millis(raw.and_then(|raw| raw.max_total_ms), 120_000),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(600),
        }
    }
}

impl Timeouts {
    /// These with whatever a more specific entry says instead.
    pub(super) fn with(&self, raw: Option<&schema::Timeouts>) -> Self {
        let or = |value: Option<NonZeroU64>, otherwise: Duration| {
            value.map_or(otherwise, |value| Duration::from_millis(value.get()))
        };
        raw.map_or_else(
            || self.clone(),
            |raw| Self {
                connect: or(raw.connect_ms, self.connect),
                first_byte: or(raw.first_byte_ms, self.first_byte),
                idle: or(raw.idle_ms, self.idle),
                total: or(raw.total_ms, self.total),
            },
        )
    }
}

impl Cache {
    pub(super) fn new(raw: Option<&schema::Cache>, path: Option<PathBuf>) -> Self {
        Self {
            enabled: raw.and_then(|raw| raw.enabled).unwrap_or(false),
            ttl: Duration::from_secs(
                raw.and_then(|raw| raw.ttl_seconds)
                    .map_or(3600, NonZeroU64::get),
            ),
            max_entries: raw
                .and_then(|raw| raw.max_entries)
                .map_or(1000, NonZeroU64::get),
            path,
        }
    }
}

impl From<Option<&schema::Limits>> for Limits {
    fn from(raw: Option<&schema::Limits>) -> Self {
        let mebibytes = |value: Option<NonZeroU32>, default: u32| {
            u64::from(count(value, default)) * 1024 * 1024
        };
        Self {
            plugin_memory: mebibytes(raw.and_then(|raw| raw.plugin_memory_mb), 64),
            plugin_cpu: millis(raw.and_then(|raw| raw.plugin_cpu_ms), 1_000),
            plugin_output: mebibytes(raw.and_then(|raw| raw.plugin_output_mb), 32),
            exchange_cpu: millis(raw.and_then(|raw| raw.exchange_cpu_ms), 30_000),
            exchange_events: raw
                .and_then(|raw| raw.exchange_events)
                .map_or(1_000_000, NonZeroU64::get),
            exchange_output: mebibytes(raw.and_then(|raw| raw.exchange_output_mb), 128),
            request: mebibytes(raw.and_then(|raw| raw.request_mb), 32),
            response: mebibytes(raw.and_then(|raw| raw.response_mb), 32),
            max_concurrency: count(raw.and_then(|raw| raw.max_concurrency), 1024),
        }
    }
}

impl From<Option<&schema::RateLimits>> for RateLimits {
    fn from(raw: Option<&schema::RateLimits>) -> Self {
        raw.map_or_else(Self::default, |raw| Self {
            requests_per_minute: raw.requests_per_minute.map(NonZeroU32::get),
            tokens_per_minute: raw.tokens_per_minute.map(NonZeroU64::get),
            cost_per_day: raw.cost_per_day.map(|amount| amount.0),
        })
    }
}

impl History {
    pub(super) fn new(raw: Option<&schema::History>, path: Option<PathBuf>) -> Self {
        Self {
            enabled: raw.and_then(|raw| raw.enabled).unwrap_or(true),
            path,
            content: raw.and_then(|raw| raw.content).unwrap_or(true),
            keep_days: raw.and_then(|raw| raw.keep_days).map(NonZeroU32::get),
        }
    }
}

impl From<Option<&schema::Breaker>> for Breaker {
    fn from(raw: Option<&schema::Breaker>) -> Self {
        Self {
            enabled: raw.and_then(|raw| raw.enabled).unwrap_or(true),
            failures: count(raw.and_then(|raw| raw.failures), 5),
            open: millis(raw.and_then(|raw| raw.open_ms), 30_000),
            probes: count(raw.and_then(|raw| raw.probes), 1),
        }
    }
}

impl From<Option<&schema::Terminal>> for Terminal {
    fn from(raw: Option<&schema::Terminal>) -> Self {
        Self {
            stream: raw.and_then(|raw| raw.stream).unwrap_or(true),
            markdown: raw.and_then(|raw| raw.markdown).unwrap_or(true),
            pictures: raw.and_then(|raw| raw.pictures).unwrap_or(true),
        }
    }
}

impl From<Option<&schema::Health>> for Health {
    fn from(raw: Option<&schema::Health>) -> Self {
        Self {
            timeout: millis(raw.and_then(|raw| raw.timeout_ms), 15_000),
        }
    }
}

fn millis(value: Option<NonZeroU64>, default: u64) -> Duration {
    Duration::from_millis(value.map_or(default, NonZeroU64::get))
}

fn count(value: Option<NonZeroU32>, default: u32) -> u32 {
    value.map_or(default, NonZeroU32::get)
}
