//! One exchange, as it is recorded.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::chat::{Billing, FinishReason, Usage};
use crate::error::ErrorKind;

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With a complete answer.
    Success(FinishReason),
    /// With an error.
    Error {
        /// What kind.
        kind: ErrorKind,
        /// For a person; redacted.
        message: String,
        /// HTTP status.
        status: Option<u16>,
    },
    /// The caller went away.
    Cancelled,
}

impl Outcome {
    /// As it stands in the database.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Success(_) => "success",
            Outcome::Error { .. } => "error",
            Outcome::Cancelled => "cancelled",
        }
    }
}

/// One exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Unix time in milliseconds when it began.
    pub at_ms: i64,
    /// Ties the attempts of one request together.
    pub request_id: String,
    /// The conversation it belongs to.
    pub conversation_id: Option<String>,
    /// On whose behalf, where several ask by way of one program.
    pub caller: Option<String>,
    /// The session of the caller's program.
    pub session: Option<String>,
    /// The agent of that program.
    pub agent: Option<String>,
    /// The configured model.
    pub model: String,
    /// The provider.
    pub provider: String,
    /// The plugin.
    pub plugin: String,
    /// SHA-256 of the plugin.
    pub plugin_digest: String,
    /// The route by which the model was chosen.
    pub route: Option<String>,
    /// The model that answered, as the vendor names it.
    pub vendor_model: Option<String>,
    /// The vendor's id of the answer.
    pub vendor_id: Option<String>,
    /// From 1 within the request; 0 for an answer from the cache.
    pub attempt: u32,
    /// The last attempt of its request.
    pub last: bool,
    /// A stream was asked for.
    pub streamed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// Tokens.
    pub usage: Usage,
    /// US dollars.
    pub cost: Option<Decimal>,
    /// What the vendor says of the price beyond the counts.
    pub billing: Billing,
    /// What was asked and left out, a line each.
    pub warnings: Vec<String>,
    /// From the beginning of this attempt to its end.
    pub latency: Duration,
    /// To the first piece of content.
    pub ttft: Option<Duration>,
    /// The answer came from the response cache.
    pub cached: bool,
    /// What was asked, where the configuration allows to keep it.
    pub prompt: Option<String>,
    /// What was answered, likewise.
    pub answer: Option<String>,
}
