//! Reading the history: lists, single entries, full-text search, conversations.

use std::path::Path;

use futures_util::TryStreamExt as _;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::filter::{choose, restrict};
use super::summary::{Grouping, Summary, Tallies};
use super::{Database, Filter, StatsError, text_index};
use crate::chat::ChatMessage;

/// An exchange as it was recorded.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the columns are described in the migration")]
pub struct Entry {
    pub id: i64,
    pub at_ms: i64,
    pub request_id: String,
    pub conversation_id: Option<String>,
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

/// A stored conversation.
#[derive(Debug, Clone, Serialize)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// The beginning of the first question.
    pub title: String,
    /// The model last used.
    pub model: String,
    /// Unix time in milliseconds.
    pub created_ms: i64,
    /// Unix time in milliseconds.
    pub updated_ms: i64,
    /// The messages so far.
    pub messages: Vec<ChatMessage>,
}

/// Reads and tidies the history.
pub struct History {
    database: Database,
}

impl History {
    /// Opens the database.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub async fn open(path: &Path) -> Result<Self, StatsError> {
        Ok(History {
            database: Database::open(path).await?,
        })
    }

    /// The entries that a filter lets through, the newest first.
    ///
    /// # Errors
    ///
    /// The database failed, or holds what it should not.
    pub async fn list(&mut self, filter: &Filter) -> Result<Vec<Entry>, StatsError> {
        self.prepare(filter).await?;
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM exchanges WHERE 1");
        choose(&mut query, filter);
        query
            .build()
            .fetch_all(&mut self.database.connection)
            .await?
            .iter()
            .map(entry)
            .collect()
    }

    /// The entry of this id.
    ///
    /// # Errors
    ///
    /// As [`History::list`].
    pub async fn get(&mut self, id: i64) -> Result<Option<Entry>, StatsError> {
        sqlx::query("SELECT * FROM exchanges WHERE id = ?")
            .bind(id)
            .fetch_optional(&mut self.database.connection)
            .await?
            .as_ref()
            .map(entry)
            .transpose()
    }

    /// What the entries that a filter lets through add up to, however many they are.
    ///
    /// # Errors
    ///
    /// As [`History::list`].
    pub async fn summary(
        &mut self,
        filter: &Filter,
        grouping: Grouping,
    ) -> Result<Summary, StatsError> {
        self.prepare(filter).await?;
        // What was said is not needed, and is most of the file.
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT id, at_ms, request_id, conversation_id, model, provider, plugin, plugin_digest,
                route, vendor_model, vendor_id, attempt, final, streamed, outcome, finish_reason,
                error_kind, error_message, status, prompt_tokens, completion_tokens, total_tokens,
                cached_tokens, cache_write_tokens, reasoning_tokens, cost, tier, unpriced, latency_ms,
                ttft_ms, cached, NULL AS prompt, NULL AS answer
             FROM exchanges WHERE 1",
        );
        choose(&mut query, filter);
        let query = query.build();
        let mut rows = query.fetch(&mut self.database.connection);
        let mut tallies = Tallies::new(grouping);
        while let Some(row) = rows.try_next().await? {
            tallies.add(&entry(&row)?);
        }
        Ok(tallies.finish())
    }

    /// How many entries a filter lets through, its limit aside.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn count(&mut self, filter: &Filter) -> Result<u64, StatsError> {
        self.prepare(filter).await?;
        let mut query = QueryBuilder::<Sqlite>::new("SELECT count(*) FROM exchanges WHERE 1");
        restrict(&mut query, filter);
        let row = query
            .build()
            .fetch_one(&mut self.database.connection)
            .await?;
        let count: i64 = row.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Removes the entries that a filter lets through, and says how many they were. With a filter
    /// that lets everything through, stored conversations are removed too. What was removed is
    /// overwritten in the file.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn clear(&mut self, filter: &Filter) -> Result<u64, StatsError> {
        self.prepare(filter).await?;
        let connection = &mut self.database.connection;
        sqlx::query("PRAGMA secure_delete = ON")
            .execute(&mut *connection)
            .await?;
        let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM exchanges WHERE 1");
        restrict(&mut query, filter);
        let done = query.build().execute(&mut *connection).await?;
        if filter.is_open() {
            sqlx::query("DELETE FROM conversations")
                .execute(&mut *connection)
                .await?;
        }
        for step in [
            "INSERT INTO exchanges_text (exchanges_text) VALUES ('optimize')",
            "VACUUM",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ] {
            if let Err(error) = sqlx::query(step).execute(&mut *connection).await {
                // Somebody else uses the file: the rows are gone, the space comes back later.
                tracing::debug!(%error, step, "history is not tidied up");
            }
        }
        Ok(done.rows_affected())
    }

    /// What the entries that a filter lets through cost, as far as it is known.
    ///
    /// # Errors
    ///
    /// The database failed, or holds what it should not.
    pub async fn spent(&mut self, filter: &Filter) -> Result<Decimal, StatsError> {
        self.prepare(filter).await?;
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT id, cost FROM exchanges WHERE cost IS NOT NULL");
        restrict(&mut query, filter);
        let rows = query
            .build()
            .fetch_all(&mut self.database.connection)
            .await?;
        rows.iter().try_fold(Decimal::ZERO, |sum, row| {
            Ok(sum.saturating_add(cost_of(row)?.unwrap_or_default()))
        })
    }

    /// Makes sure that the text index has all rows where a filter needs it.
    async fn prepare(&mut self, filter: &Filter) -> Result<(), StatsError> {
        if filter.text.is_some() {
            text_index::complete(&mut self.database.connection).await?;
        }
        Ok(())
    }

    /// Keeps a conversation, in place of its former state.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn save_conversation(&mut self, chat: &Conversation) -> Result<(), StatsError> {
        let messages = serde_json::to_string(&chat.messages).unwrap_or_else(|_| "[]".to_owned());
        sqlx::query(
            "INSERT INTO conversations (id, title, model, created_ms, updated_ms, messages)
             VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET title = excluded.title, model = excluded.model,
                updated_ms = excluded.updated_ms, messages = excluded.messages",
        )
        .bind(&chat.id)
        .bind(&chat.title)
        .bind(&chat.model)
        .bind(chat.created_ms)
        .bind(chat.updated_ms)
        .bind(messages)
        .execute(&mut self.database.connection)
        .await?;
        Ok(())
    }

    /// The conversation whose id begins so, or the last one.
    ///
    /// # Errors
    ///
    /// The database failed, or holds what it should not.
    pub async fn conversation(
        &mut self,
        id: Option<&str>,
    ) -> Result<Option<Conversation>, StatsError> {
        let row = sqlx::query(
            "SELECT * FROM conversations WHERE substr(id, 1, length(?1)) = ?1
             ORDER BY updated_ms DESC LIMIT 1",
        )
        .bind(id.unwrap_or(""))
        .fetch_optional(&mut self.database.connection)
        .await?;
        row.as_ref().map(conversation).transpose()
    }

    /// The newest conversations.
    ///
    /// # Errors
    ///
    /// As [`History::conversation`].
    pub async fn conversations(&mut self, limit: u32) -> Result<Vec<Conversation>, StatsError> {
        sqlx::query("SELECT * FROM conversations ORDER BY updated_ms DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&mut self.database.connection)
            .await?
            .iter()
            .map(conversation)
            .collect()
    }

    /// Whether the file is whole: SQLite's own integrity check, and that of the text index.
    ///
    /// # Errors
    ///
    /// It is not, with what is wrong.
    pub async fn check(&mut self) -> Result<(), StatsError> {
        let connection = &mut self.database.connection;
        let found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_all(&mut *connection)
            .await?;
        if found != ["ok"] {
            return Err(StatsError::Damaged {
                row: 0,
                reason: found.join("; "),
            });
        }
        sqlx::query("INSERT INTO exchanges_text (exchanges_text) VALUES ('integrity-check')")
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Closes the database.
    pub async fn close(self) {
        self.database.close().await;
    }
}

fn conversation(row: &SqliteRow) -> Result<Conversation, StatsError> {
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

fn entry(row: &SqliteRow) -> Result<Entry, StatsError> {
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
        tier: row.try_get("tier")?,
        unpriced: unpriced(id, row.try_get("unpriced")?)?,
        latency_ms: row.try_get("latency_ms")?,
        ttft_ms: row.try_get("ttft_ms")?,
        cached: row.try_get("cached")?,
        prompt: row.try_get("prompt")?,
        answer: row.try_get("answer")?,
    })
}

/// The JSON list of reasons not to know a cost.
fn unpriced(row: i64, text: Option<String>) -> Result<Vec<String>, StatsError> {
    text.map_or_else(
        || Ok(vec![]),
        |text| {
            serde_json::from_str(&text).map_err(|error| StatsError::Damaged {
                row,
                reason: format!("unpriced: {error}"),
            })
        },
    )
}

fn cost_of(row: &SqliteRow) -> Result<Option<Decimal>, StatsError> {
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

#[cfg(test)]
pub(super) mod tests;
