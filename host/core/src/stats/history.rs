//! Reading the history: lists, single entries, full-text search, conversations.

mod rows;
mod search;

use std::path::Path;

use futures_util::TryStreamExt as _;
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::filter::{choose, restrict};
use super::summary::{Grouping, Summary, Tallies};
use super::{Database, Filter, StatsError, text_index};
use crate::chat::ChatMessage;
pub use rows::Entry;
use rows::{conversation, cost_of, entry, talk};

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

/// A stored conversation in a list: what it is about, and not what was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Talk {
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
    /// How many questions were asked.
    pub turns: u64,
}

/// Reads and tidies the history.
pub struct History {
    database: Database,
}

impl History {
    /// Opens the database, only to read where it may not be written.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub async fn open(path: &Path) -> Result<Self, StatsError> {
        Ok(History {
            database: Database::open_to_read(path).await?,
        })
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
        self.complete(filter).await?;
        // What was said is not needed, and is most of the file.
        let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
        if grouping == Grouping::Caller {
            query.push("caller, ");
        }
        query.push(
            "id, at_ms, request_id, conversation_id, model, provider, plugin, plugin_digest,
                route, vendor_model, vendor_id, attempt, final, streamed, outcome, finish_reason,
                error_kind, error_message, status, prompt_tokens, completion_tokens, total_tokens,
                cached_tokens, cache_write_tokens, reasoning_tokens, cost, latency_ms, ttft_ms,
                cached, NULL AS prompt, NULL AS answer
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

    /// How many entries a filter lets through, its limit aside. Counting ends at `most`.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn count(&mut self, filter: &Filter, most: u64) -> Result<u64, StatsError> {
        let filter = Filter {
            limit: None,
            ..filter.clone()
        };
        if filter.text.is_some() {
            let most = u32::try_from(most).unwrap_or(u32::MAX);
            let filter = Filter {
                limit: Some(most),
                ..filter
            };
            return self.each(&filter, |_| Ok::<_, StatsError>(())).await;
        }
        let mut query = QueryBuilder::<Sqlite>::new("SELECT count(*) FROM exchanges WHERE 1");
        restrict(&mut query, &filter);
        let row = query
            .build()
            .fetch_one(&mut self.database.connection)
            .await?;
        let count: i64 = row.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0).min(most))
    }

    /// Removes the entries that a filter lets through, and says how many they were. With a filter
    /// that lets everything through, stored conversations are removed too. What was removed is
    /// overwritten in the file.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn clear(&mut self, filter: &Filter) -> Result<u64, StatsError> {
        self.complete(filter).await?;
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
            "INSERT INTO exchanges_pairs (exchanges_pairs) VALUES ('optimize')",
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
        self.complete(filter).await?;
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
    async fn complete(&mut self, filter: &Filter) -> Result<(), StatsError> {
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
             ORDER BY updated_ms DESC, id DESC LIMIT 1",
        )
        .bind(id.unwrap_or(""))
        .fetch_optional(&mut self.database.connection)
        .await?;
        row.as_ref().map(conversation).transpose()
    }

    /// The newest conversations, in few words.
    ///
    /// # Errors
    ///
    /// As [`History::conversation`].
    pub async fn talks(&mut self, limit: u32) -> Result<Vec<Talk>, StatsError> {
        sqlx::query(
            "SELECT id, title, model, created_ms, updated_ms, CASE WHEN json_valid(messages) THEN
                (SELECT count(*) FROM json_each(conversations.messages)
                 WHERE json_extract(value, '$.role') = 'user') ELSE 0 END AS turns
             FROM conversations ORDER BY updated_ms DESC, id DESC LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&mut self.database.connection)
        .await?
        .iter()
        .map(talk)
        .collect()
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

#[cfg(test)]
pub(super) mod tests;
