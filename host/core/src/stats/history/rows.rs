//! From rows of the database to what they say.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Conversation, StatsError, Talk};

/// An exchange as it was recorded.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the columns are described in the migration")]
pub struct Entry {
    pub id: i64,
    pub at_ms: i64,
    pub request_id: String,
    pub conversation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    pub model: String,
    pub provider: String,
    pub plugin: String,
    pub plugin_digest: String,
    pub route: Option<String>,
    pub vendor_model: Option<String>,
    pub vendor_id: Option<String>,
    pub attempt: u32,
    #[serde(rename = "final")]
    pub last: bool,
    pub streamed: bool,
    pub outcome: String,
    pub finish_reason: Option<String>,
    pub error_kind: Option<String>,
    pub error_message: Option<String>,
    pub status: Option<u16>,
    pub prompt_tokens: Option<u64>,
    pub completion_tokens: Option<u64>,
    pub total_tokens: Option<u64>,
    pub cached_tokens: Option<u64>,
    pub cache_write_tokens: Option<u64>,
    pub reasoning_tokens: Option<u64>,
    #[serde(serialize_with = "exact")]
    pub cost: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unpriced: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    pub latency_ms: f64,
    pub ttft_ms: Option<f64>,
    pub cached: bool,
    pub prompt: Option<String>,
    pub answer: Option<String>,
}

impl Entry {
    /// When it began: RFC 3339, UTC.
    #[must_use]
    pub fn at(&self) -> String {
        jiff::Timestamp::from_millisecond(self.at_ms)
            .unwrap_or_default()
            .to_string()
    }
}

#[allow(clippy::ref_option, reason = "serde's form")]
fn exact<S: serde::Serializer>(cost: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    let number: Option<Box<RawValue>> = cost.and_then(crate::chat::exact_number);
    number.serialize(serializer)
}

pub(super) fn conversation(row: &SqliteRow) -> Result<Conversation, StatsError> {
    let messages: String = row.try_get("messages")?;
    Ok(Conversation {
        id: row.try_get("id")?,
        title: row.try_get("title")?,
        model: row.try_get("model")?,
        created_ms: row.try_get("created_ms")?,
        updated_ms: row.try_get("updated_ms")?,
        messages: serde_json::from_str(&messages).map_err(|error| StatsError::Damaged {
            row: 0,
            reason: format!("a conversation: {error}"),
        })?,
    })
}

pub(super) fn talk(row: &SqliteRow) -> Result<Talk, StatsError> {
    let turns: i64 = row.try_get("turns")?;
    Ok(Talk {
        id: row.try_get("id")?,
        title: row.try_get("title")?,
        model: row.try_get("model")?,
        created_ms: row.try_get("created_ms")?,
        updated_ms: row.try_get("updated_ms")?,
        turns: u64::try_from(turns).unwrap_or(0),
    })
}

pub(super) fn entry(row: &SqliteRow) -> Result<Entry, StatsError> {
    let id: i64 = row.try_get("id")?;
    let count = |name: &str| -> Result<Option<u64>, sqlx::Error> {
        Ok(row
            .try_get::<Option<i64>, _>(name)?
            .and_then(|count| u64::try_from(count).ok()))
    };
    let cost = cost_of(row)?;
    Ok(Entry {
        id,
        at_ms: row.try_get("at_ms")?,
        request_id: row.try_get("request_id")?,
        conversation_id: row.try_get("conversation_id")?,
        caller: newer(row, "caller")?,
        session: newer(row, "session")?,
        agent: newer(row, "agent")?,
        model: row.try_get("model")?,
        provider: row.try_get("provider")?,
        plugin: row.try_get("plugin")?,
        plugin_digest: row.try_get("plugin_digest")?,
        route: row.try_get("route")?,
        vendor_model: row.try_get("vendor_model")?,
        vendor_id: row.try_get("vendor_id")?,
        attempt: row.try_get("attempt")?,
        last: row.try_get("final")?,
        streamed: row.try_get("streamed")?,
        outcome: row.try_get("outcome")?,
        finish_reason: row.try_get("finish_reason")?,
        error_kind: row.try_get("error_kind")?,
        error_message: row.try_get("error_message")?,
        status: row.try_get("status")?,
        prompt_tokens: count("prompt_tokens")?,
        completion_tokens: count("completion_tokens")?,
        total_tokens: count("total_tokens")?,
        cached_tokens: count("cached_tokens")?,
        cache_write_tokens: count("cache_write_tokens")?,
        reasoning_tokens: count("reasoning_tokens")?,
        cost,
        tier: newer(row, "tier")?,
        unpriced: list(id, "unpriced", newer(row, "unpriced")?)?,
        warnings: list(id, "warnings", newer(row, "warnings")?)?,
        latency_ms: row.try_get("latency_ms")?,
        ttft_ms: row.try_get("ttft_ms")?,
        cached: row.try_get("cached")?,
        prompt: row.try_get("prompt")?,
        answer: row.try_get("answer")?,
    })
}

/// A JSON list of texts, such as the reasons not to know a cost.
fn list(row: i64, column: &str, text: Option<String>) -> Result<Vec<String>, StatsError> {
    text.map_or_else(
        || Ok(vec![]),
        |text| {
            serde_json::from_str(&text).map_err(|error| StatsError::Damaged {
                row,
                reason: format!("{column}: {error}"),
            })
        },
    )
}

pub(super) fn cost_of(row: &SqliteRow) -> Result<Option<Decimal>, StatsError> {
    let id: i64 = row.try_get("id")?;
    let cost: Option<String> = row.try_get("cost")?;
    cost.map(|text| {
        text.parse::<Decimal>().map_err(|_| StatsError::Damaged {
            row: id,
            reason: format!("cost {text:?} is no decimal"),
        })
    })
    .transpose()
}

/// A column that a file of an older form does not have, if it may only be read.
fn newer(row: &SqliteRow, name: &str) -> Result<Option<String>, StatsError> {
    match row.try_get(name) {
        Err(sqlx::Error::ColumnNotFound(_)) => Ok(None),
        other => Ok(other?),
    }
}
