//! Rows of the history, as one statement.

use std::time::Duration;

use sqlx::Sqlite;
use sqlx::query_builder::{QueryBuilder, Separated};

use crate::stats::{Database, Outcome, Record, StatsError};

/// The most records of one statement. SQLite allows 32,766 values, of which each takes thirty-six.
pub(super) const BATCH: usize = 128;

/// Writes all records or none, in a statement that is its own transaction.
pub(super) async fn write(database: &mut Database, records: &[Record]) -> Result<(), StatsError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO exchanges (
            at_ms, request_id, conversation_id, caller, session, agent, model, provider, plugin, plugin_digest, route,
            vendor_model, vendor_id, attempt, final, streamed, outcome, finish_reason, error_kind,
            error_message, status, prompt_tokens, completion_tokens, total_tokens, cached_tokens,
            cache_write_tokens, reasoning_tokens, cost, tier, unpriced, latency_ms, ttft_ms, cached,
            prompt, answer, warnings
        ) ",
    );
    query.push_values(records, |mut row, record| bind(&mut row, record));
    query.build().execute(&mut database.connection).await?;
    Ok(())
}

/// Gives a record's values in the order of the columns.
fn bind(row: &mut Separated<'_, Sqlite, &'static str>, record: &Record) {
    let count = |tokens: Option<u64>| tokens.and_then(|tokens| i64::try_from(tokens).ok());
    let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let (finish, kind, message, status) = match &record.outcome {
        Outcome::Success(reason) => (Some(reason.as_str()), None, None, None),
        Outcome::Error {
            kind,
            message,
            status,
        } => (None, Some(kind.as_str()), Some(message.as_str()), *status),
        Outcome::Cancelled => (None, None, None, None),
    };
    row.push_bind(record.at_ms)
        .push_bind(&record.request_id)
        .push_bind(&record.conversation_id)
        .push_bind(&record.caller)
        .push_bind(&record.session)
        .push_bind(&record.agent)
        .push_bind(&record.model)
        .push_bind(&record.provider)
        .push_bind(&record.plugin)
        .push_bind(&record.plugin_digest)
        .push_bind(&record.route)
        .push_bind(&record.vendor_model)
        .push_bind(&record.vendor_id)
        .push_bind(record.attempt)
        .push_bind(record.last)
        .push_bind(record.streamed)
        .push_bind(record.outcome.as_str())
        .push_bind(finish)
        .push_bind(kind)
        .push_bind(message)
        .push_bind(status)
        .push_bind(count(record.usage.prompt_tokens))
        .push_bind(count(record.usage.completion_tokens))
        .push_bind(count(record.usage.total()))
        .push_bind(count(record.usage.cached_tokens))
        .push_bind(count(record.usage.cache_write_tokens))
        .push_bind(count(record.usage.reasoning_tokens))
        .push_bind(record.cost.map(|cost| cost.normalize().to_string()))
        .push_bind(&record.billing.tier)
        .push_bind(list(&record.billing.unpriced()))
        .push_bind(millis(record.latency))
        .push_bind(record.ttft.map(millis))
        .push_bind(record.cached)
        .push_bind(&record.prompt)
        .push_bind(&record.answer)
        .push_bind(list(&record.warnings));
}

/// Texts as a JSON list; nothing for none.
fn list<T: AsRef<str> + serde::Serialize>(texts: &[T]) -> Option<String> {
    (!texts.is_empty())
        .then(|| serde_json::to_string(texts).ok())
        .flatten()
}
