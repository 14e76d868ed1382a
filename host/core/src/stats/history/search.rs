//! Going through entries one by one, however many they are, and finding a text in them.
//!
//! What the indexes know comes from them in the order of their rows, so that the first hits of a word
//! which stands everywhere are found as soon as those of a rare one. The newest rows may not be
//! indexed yet; they are looked through.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use sqlx::{QueryBuilder, Sqlite};

use super::{Entry, History, entry};
use crate::stats::filter::{choose, restrict_columns};
use crate::stats::{Filter, StatsError, text_index};

/// Rows that are brought into the indexes at one time when somebody waits.
const STEP: i64 = 50;

impl History {
    /// The entries that a filter lets through, the newest first; those that hold a text in the order
    /// in which they were recorded, the last first.
    ///
    /// # Errors
    ///
    /// The database failed, or holds what it should not.
    pub async fn list(&mut self, filter: &Filter) -> Result<Vec<Entry>, StatsError> {
        let mut entries = vec![];
        self.each(filter, |entry| {
            entries.push(entry);
            Ok::<_, StatsError>(())
        })
        .await?;
        Ok(entries)
    }

    /// Hands out the entries that [`History::list`] gives one by one, without holding them all.
    /// Returns how many they were.
    ///
    /// # Errors
    ///
    /// As [`History::list`], and what `take` fails with, which ends it.
    pub async fn each<E: From<StatsError>>(
        &mut self,
        filter: &Filter,
        mut take: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<u64, E> {
        let Some(text) = &filter.text else {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM exchanges WHERE 1");
            choose(&mut query, filter);
            return self.hand_out(query, u64::MAX, |_| true, &mut take).await;
        };
        let most = filter.limit.map_or(u64::MAX, u64::from);
        let (index, phrase) = text_index::query(text);
        // What is not indexed yet is newer than what is. Others may index it meanwhile.
        let indexed = text_index::upto(&mut self.database.connection, index).await?;
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM exchanges WHERE id > ");
        query.push_bind(indexed);
        restrict_columns(&mut query, filter);
        if text_index::folds_simply(text) {
            query.push(" AND (instr(lower(prompt), lower(");
            query.push_bind(text.clone());
            query.push(")) > 0 OR instr(lower(answer), lower(");
            query.push_bind(text.clone());
            query.push(")) > 0)");
        }
        query.push(" ORDER BY id DESC");
        let holds = |entry: &Entry| {
            let texts = [&entry.prompt, &entry.answer];
            let mut texts = texts.into_iter().flatten();
            texts.any(|said| text_index::holds(said, text))
        };
        let found = self.hand_out(query, most, holds, &mut take).await?;
        if found >= most {
            return Ok(found);
        }
        let index = index.table;
        let mut query = QueryBuilder::<Sqlite>::new("SELECT exchanges.* FROM ");
        query
            .push(index)
            .push(" CROSS JOIN exchanges ON exchanges.id = ")
            .push(index)
            .push(".rowid WHERE ")
            .push(index)
            .push(" MATCH ")
            .push_bind(phrase)
            .push(" AND ")
            .push(index)
            .push(".rowid <= ")
            .push_bind(indexed);
        restrict_columns(&mut query, filter);
        query.push(" ORDER BY ").push(index).push(".rowid DESC");
        let more = self
            .hand_out(query, most - found, |_| true, &mut take)
            .await?;
        Ok(found + more)
    }

    /// Hands out at most so many of the rows of a query that pass.
    async fn hand_out<E: From<StatsError>>(
        &mut self,
        mut query: QueryBuilder<Sqlite>,
        most: u64,
        passes: impl Fn(&Entry) -> bool,
        take: &mut impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut count = 0;
        let query = query.build();
        let mut rows = query.fetch(&mut self.database.connection);
        while count < most
            && let Some(row) = rows.try_next().await.map_err(StatsError::from)?
        {
            let entry = entry(&row)?;
            if passes(&entry) {
                take(entry)?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Brings rows into the text indexes for at most so long, if many are missing. Whoever searches
    /// often finds faster from time to time, without ever waiting.
    pub async fn index_for(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        let connection = &mut self.database.connection;
        let behind = text_index::behind(connection).await;
        if !behind.is_ok_and(|behind| behind > text_index::TAIL) {
            return;
        }
        while Instant::now() < deadline {
            match text_index::extend(connection, STEP).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::debug!(%error, "history: the text index is left as it is");
                    return;
                }
            }
        }
    }
}
