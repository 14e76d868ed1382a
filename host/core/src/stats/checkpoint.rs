//! Moving what was written from SQLite's log into the database, beside the writing.
//!
//! A checkpoint waits for the disk, which on a busy machine takes longer than a killed process may
//! lose. So the writer leaves it to a thread of its own, and does it itself only if the log grew
//! far beyond that: <https://www.sqlite.org/wal.html#ckpt>.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Database, StatsError};

/// After so many records the log is worth moving; each takes a few pages.
const RECORDS: usize = 1000;
/// Pages in the log at which the writer no longer waits for others to move it: 64 MB.
const PAGES: i64 = 16_000;
/// Bytes of a log that others left behind at which it is moved at once. Processes that end soon after
/// they began, or are killed, never come to a thousand records.
const LEFT: u64 = 4 << 20;

/// Sees to it that the log stays short.
pub(super) struct Checkpoints {
    path: PathBuf,
    written: usize,
    running: Arc<AtomicBool>,
}

impl Checkpoints {
    /// Tells the writer not to do it.
    pub(super) async fn beside(writer: &mut Database, path: &Path) -> Result<Self, StatsError> {
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "PRAGMA wal_autocheckpoint = {PAGES}"
        )))
        .execute(&mut writer.connection)
        .await?;
        Ok(Checkpoints {
            path: path.to_owned(),
            written: match log_length(path) >= LEFT {
                true => RECORDS,
                false => 0,
            },
            running: Arc::default(),
        })
    }

    /// So many records more are in the log.
    pub(super) fn wrote(&mut self, records: usize) {
        self.written += records;
        if self.written < RECORDS || self.running.swap(true, Ordering::AcqRel) {
            return;
        }
        self.written = 0;
        let (path, running) = (self.path.clone(), self.running.clone());
        let started = std::thread::Builder::new()
            .name("multillm-checkpoint".to_owned())
            .spawn(move || {
                if let Err(error) = checkpoint(&path) {
                    tracing::debug!(%error, "history: the log is not moved");
                }
                running.store(false, Ordering::Release);
            });
        if started.is_err() {
            self.running.store(false, Ordering::Release);
        }
    }
}

/// Bytes in the log beside a database.
fn log_length(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or(0, |about| about.len())
}

/// Moves as much as can be moved without stopping anybody.
fn checkpoint(path: &Path) -> Result<(), StatsError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| StatsError::Place {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
    runtime.block_on(async {
        let mut database = Database::open(path).await?;
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .execute(&mut database.connection)
            .await?;
        database.close().await;
        Ok(())
    })
}
