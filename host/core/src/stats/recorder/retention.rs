//! Rows that are older than the history is kept: removed a few at a time, while others are written.

use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use tokio::time::Instant;

use crate::stats::StatsError;

/// Rows that are removed at one time: some milliseconds, their texts in the index included.
const FEW: u64 = 64;
/// How often it is looked whether there are more, once all are gone.
const LOOK: Duration = Duration::from_secs(600);

/// What is removed, and when it is looked for next.
pub(super) struct Retention {
    days: u32,
    next: Instant,
}

impl Retention {
    pub(super) fn of(days: u32) -> Self {
        Retention {
            days,
            next: Instant::now(),
        }
    }

    /// Removes some, where it is time.
    pub(super) async fn forget(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), StatsError> {
        if Instant::now() < self.next {
            return Ok(());
        }
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let before = now_ms.saturating_sub(i64::from(self.days).saturating_mul(86_400_000));
        let done = sqlx::query(
            "DELETE FROM exchanges WHERE id IN (SELECT id FROM exchanges WHERE at_ms < ? LIMIT ?)",
        )
        .bind(before)
        .bind(i64::try_from(FEW).unwrap_or(i64::MAX))
        .execute(connection)
        .await?;
        if done.rows_affected() < FEW {
            self.next = Instant::now() + LOOK;
        }
        Ok(())
    }
}
