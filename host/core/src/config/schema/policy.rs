//! The parts of the configuration that are not about one model, as they are written.

use std::num::{NonZeroU32, NonZeroU64};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::price::Amount;

/// When and how often a failed request is sent again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Retry {
    /// Attempts in all; 1 is never again. Default: 3.
    pub(in crate::config) max_attempts: Option<NonZeroU32>,
    /// Pause before the second attempt in milliseconds; it doubles each time. Default: 500.
    pub(in crate::config) base_ms: Option<NonZeroU64>,
    /// The longest such pause in milliseconds. A vendor may ask for more. Default: 8000.
    pub(in crate::config) max_ms: Option<NonZeroU64>,
    /// No attempt begins later than this many milliseconds after the first. Default: 120000.
    pub(in crate::config) max_total_ms: Option<NonZeroU64>,
}

/// How long to wait, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Timeouts {
    /// To connect. Default: 5000.
    pub(in crate::config) connect_ms: Option<NonZeroU64>,
    /// From the request to the first byte of the answer. Default: 60000.
    pub(in crate::config) first_byte_ms: Option<NonZeroU64>,
    /// Between two pieces of the answer. Default: 30000.
    pub(in crate::config) idle_ms: Option<NonZeroU64>,
    /// For the whole exchange. Default: 600000.
    pub(in crate::config) total_ms: Option<NonZeroU64>,
}

/// Answers kept for identical requests.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Cache {
    /// Default: false.
    pub(in crate::config) enabled: Option<bool>,
    /// How long an answer is kept. Default: 3600.
    pub(in crate::config) ttl_seconds: Option<NonZeroU64>,
    /// Most answers that are kept. Default: 1000.
    pub(in crate::config) max_entries: Option<NonZeroU64>,
    /// A directory that keeps them over a restart. Default: memory only.
    pub(in crate::config) path: Option<String>,
}

/// What one exchange and one plugin may take.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Limits {
    /// Memory of a plugin's instance in MiB. Default: 64.
    #[schemars(range(min = 1, max = 4096))]
    pub(in crate::config) plugin_memory_mb: Option<NonZeroU32>,
    /// Computing time of a plugin for one call in milliseconds. Default: 1000.
    pub(in crate::config) plugin_cpu_ms: Option<NonZeroU64>,
    /// What a plugin may return from one call in MiB. Default: 32.
    #[schemars(range(min = 1, max = 4096))]
    pub(in crate::config) plugin_output_mb: Option<NonZeroU32>,
    /// Computing time of a plugin for a whole exchange in milliseconds. Default: 30000.
    pub(in crate::config) exchange_cpu_ms: Option<NonZeroU64>,
    /// Most events of a streamed answer. Default: 1000000.
    pub(in crate::config) exchange_events: Option<NonZeroU64>,
    /// What a plugin may return in a whole exchange in MiB. Default: 128.
    #[schemars(range(min = 1, max = 4096))]
    pub(in crate::config) exchange_output_mb: Option<NonZeroU32>,
    /// A request's body in MiB. Default: 32.
    #[schemars(range(min = 1, max = 4096))]
    pub(in crate::config) request_mb: Option<NonZeroU32>,
    /// A response's body in MiB. Default: 32.
    #[schemars(range(min = 1, max = 4096))]
    pub(in crate::config) response_mb: Option<NonZeroU32>,
    /// Most exchanges at one time; more wait. Default: 1024.
    #[schemars(range(min = 1, max = 65536))]
    pub(in crate::config) max_concurrency: Option<NonZeroU32>,
}

/// What may be sent and spent: refused before anything is sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RateLimits {
    /// Most requests in a minute.
    pub(in crate::config) requests_per_minute: Option<NonZeroU32>,
    /// Most tokens in a minute, input and output together.
    pub(in crate::config) tokens_per_minute: Option<NonZeroU64>,
    /// Most US dollars in a day (UTC).
    pub(in crate::config) cost_per_day: Option<Amount>,
}

/// The record of exchanges.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct History {
    /// Default: true.
    pub(in crate::config) enabled: Option<bool>,
    /// The database file. Default: in the user's data directory.
    pub(in crate::config) path: Option<String>,
    /// Keep what was said too, and not only the numbers. Default: true.
    pub(in crate::config) content: Option<bool>,
    /// Exchanges older than so many days are removed. Default: never.
    pub(in crate::config) keep_days: Option<NonZeroU32>,
}

/// When a failing model is left alone for a while.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Breaker {
    /// Default: true.
    pub(in crate::config) enabled: Option<bool>,
    /// Failures in a row before it is left alone. Default: 5.
    pub(in crate::config) failures: Option<NonZeroU32>,
    /// How long it is left alone, in milliseconds. Default: 30000.
    pub(in crate::config) open_ms: Option<NonZeroU64>,
    /// Requests that try it after that time; all must succeed. Default: 1.
    pub(in crate::config) probes: Option<NonZeroU32>,
}

/// How answers are shown where a person looks. What is piped is never touched.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Terminal {
    /// Show answers while they are produced. Default: true.
    pub(in crate::config) stream: Option<bool>,
    /// Draw Markdown: headings, lists, code, tables, links. Default: true.
    pub(in crate::config) markdown: Option<bool>,
    /// Show pictures that a model made, in terminals that can (kitty, iTerm2 and those like them). Default: true.
    pub(in crate::config) pictures: Option<bool>,
}

/// Health checks.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Health {
    /// How long a model may take to answer, in milliseconds. Default: 15000.
    pub(in crate::config) timeout_ms: Option<NonZeroU64>,
}
