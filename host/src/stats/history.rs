//! Reading the history: lists, single entries, full-text search, conversations.

use std::path::Path;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::{Database, StatsError};
use crate::chat::ChatMessage;

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this model only.
    pub model: Option<String>,
    /// Of this provider only.
    pub provider: Option<String>,
    /// Begun at or after this Unix time in milliseconds.
    pub since_ms: Option<i64>,
    /// Begun before this Unix time in milliseconds.
    pub until_ms: Option<i64>,
    /// Only those that failed or were cancelled.
    pub failed: bool,
    /// Only those whose prompt or answer contains this text.
    pub text: Option<String>,
    /// At most so many, the newest first.
    pub limit: Option<u32>,
}

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
    pub latency_ms: f64,
    pub ttft_ms: Option<f64>,
    pub cached: bool,
    pub prompt: Option<String>,
    pub answer: Option<String>,
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
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM exchanges WHERE 1");
        restrict(&mut query, filter);
        query.push(" ORDER BY at_ms DESC, id DESC");
        if let Some(limit) = filter.limit {
            query.push(" LIMIT ").push_bind(limit);
        }
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

    /// Removes the entries that a filter lets through, and says how many they were.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn clear(&mut self, filter: &Filter) -> Result<u64, StatsError> {
        let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM exchanges WHERE 1");
        restrict(&mut query, filter);
        let done = query.build().execute(&mut self.database.connection).await?;
        Ok(done.rows_affected())
    }

    /// What the entries that a filter lets through cost, as far as it is known.
    ///
    /// # Errors
    ///
    /// The database failed, or holds what it should not.
    pub async fn spent(&mut self, filter: &Filter) -> Result<Decimal, StatsError> {
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

    /// Closes the database.
    pub async fn close(self) {
        self.database.close().await;
    }
}

fn restrict(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    if let Some(model) = &filter.model {
        query.push(" AND model = ").push_bind(model.clone());
    }
    if let Some(provider) = &filter.provider {
        query.push(" AND provider = ").push_bind(provider.clone());
    }
    if let Some(since) = filter.since_ms {
        query.push(" AND at_ms >= ").push_bind(since);
    }
    if let Some(until) = filter.until_ms {
        query.push(" AND at_ms < ").push_bind(until);
    }
    if filter.failed {
        query.push(" AND outcome <> 'success'");
    }
    match &filter.text {
        // The index knows runs of three letters and more; shorter texts are looked for in the rows.
        Some(text) if text.chars().count() >= 3 => {
            let phrase = format!("\"{}\"", text.replace('"', "\"\""));
            query
                .push(" AND id IN (SELECT rowid FROM exchanges_text WHERE exchanges_text MATCH ")
                .push_bind(phrase)
                .push(")");
        }
        Some(text) => {
            query
                .push(" AND (instr(lower(prompt), lower(")
                .push_bind(text.clone())
                .push(")) > 0 OR instr(lower(answer), lower(")
                .push_bind(text.clone())
                .push(")) > 0)");
        }
        None => {}
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
        latency_ms: row.try_get("latency_ms")?,
        ttft_ms: row.try_get("ttft_ms")?,
        cached: row.try_get("cached")?,
        prompt: row.try_get("prompt")?,
        answer: row.try_get("answer")?,
    })
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
