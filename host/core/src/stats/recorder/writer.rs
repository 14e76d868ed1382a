//! The thread that writes what is recorded.
//!
//! It must keep up with whoever records at full speed on a machine with nothing to spare. So it does no
//! more than that: many rows are one round trip to SQLite, [`Checkpoints`] are made elsewhere, and
//! the text index waits until there is nothing to write.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::insert::{BATCH, write};
use super::retention::Retention;
use super::{PATIENCE, Shared};
use crate::stats::checkpoint::Checkpoints;
use crate::stats::{Database, Record, StatsError, text_index};

/// How long a record may wait for others to be written with.
const BATCH_WINDOW: Duration = Duration::from_millis(5);
/// Where so many came within the window, others are waited for: what many rows are written with is the same pages of
/// the file again and again, and the same statement.
const CROWD: usize = 4;
const CROWD_WINDOW: Duration = Duration::from_millis(25);
/// After so long without a record the text index is seen to.
const IDLE: Duration = Duration::from_millis(250);
/// Rows that are indexed at one time when there is nothing to write: who comes meanwhile waits for
/// some ten milliseconds.
const WHEN_IDLE: i64 = 32;
/// How long to wait before a file is tried again that could not be written.
const AGAIN: Duration = Duration::from_millis(100);
/// Rows that a program which is about to end brings into the text index, if many are not in it:
/// some milliseconds. Programs that ask once never have time for it otherwise.
const AT_END: i64 = 16;

/// Writes until nobody records any more and everything is written or lost.
pub(super) async fn run(
    (path, days): (PathBuf, Option<u32>),
    receiver: mpsc::Receiver<Record>,
    shared: &Shared,
) {
    let mut writer = Writer {
        path,
        shared,
        open: None,
        failing: None,
        told: false,
        unindexed: true,
        flushing: false,
        retention: days.map(Retention::of),
    };
    writer.run(receiver).await;
    if let Some((database, _)) = writer.open {
        database.close().await;
    }
}

struct Writer<'a> {
    path: PathBuf,
    shared: &'a Shared,
    open: Option<(Database, Checkpoints)>,
    /// Since when nothing can be written.
    failing: Option<Instant>,
    /// It was said.
    told: bool,
    unindexed: bool,
    /// Somebody waits for what is being written, and may be about to end.
    flushing: bool,
    /// What is removed by its age.
    retention: Option<Retention>,
}

impl Writer<'_> {
    async fn run(&mut self, mut receiver: mpsc::Receiver<Record>) {
        let mut records = Vec::with_capacity(BATCH);
        loop {
            if records.is_empty() && !self.next(&mut receiver, &mut records).await {
                return;
            }
            match self.write(&records).await {
                Ok(()) => self.written(&mut records).await,
                Err(error) => self.failed(error, &mut records, &receiver).await,
            }
        }
    }

    /// Waits for records; false if there will be none.
    async fn next(
        &mut self,
        receiver: &mut mpsc::Receiver<Record>,
        records: &mut Vec<Record>,
    ) -> bool {
        loop {
            let came = receiver.recv_many(records, BATCH);
            let came = match (self.unindexed, &self.open) {
                (true, Some(_)) => timeout(IDLE, came).await,
                (false, Some(_)) => Ok(came.await),
                (_, None) => tokio::select! {
                    biased;
                    came = came => Ok(came),
                    () = self.shared.coming.notified() => {
                        // It is told when there is something to write.
                        if let Err(error) = self.open().await {
                            *self.shared.lock() = Some(error.at(&self.path).to_string());
                        }
                        continue;
                    }
                },
            };
            match came {
                Ok(0) => return false,
                Ok(_) => break,
                Err(_) => self.index(WHEN_IDLE).await,
            }
        }
        // Unless somebody waits for a flush: what else comes within the window. Nobody listens meanwhile, so that
        // whoever records need not wake this thread.
        for window in [BATCH_WINDOW, CROWD_WINDOW] {
            if records.len() < BATCH && !self.flushing {
                tokio::select! {
                    () = sleep(window) => {}
                    () = self.shared.hurry.notified() => self.flushing = true,
                }
            }
            while records.len() < BATCH {
                let Ok(record) = receiver.try_recv() else {
                    break;
                };
                records.push(record);
            }
            if records.len() < CROWD {
                break;
            }
        }
        true
    }

    async fn open(&mut self) -> Result<(), StatsError> {
        if self.open.is_none() {
            let mut database = Database::open(&self.path).await?;
            let checkpoints = Checkpoints::beside(&mut database, &self.path).await?;
            self.open = Some((database, checkpoints));
            *self.shared.lock() = None;
        }
        Ok(())
    }

    async fn write(&mut self, records: &[Record]) -> Result<(), StatsError> {
        self.open().await?;
        let Some((database, checkpoints)) = &mut self.open else {
            return Ok(());
        };
        match write(database, records).await {
            // One row may be the cause: the others need not be lost with it.
            Err(StatsError::Database(error)) if records.len() > 1 => {
                tracing::debug!(%error, "history: rows are written one by one");
                for record in records {
                    let one = write(database, std::slice::from_ref(record)).await;
                    if let Err(StatsError::Database(error)) = one {
                        tracing::warn!("history: an exchange is not recorded: {error}");
                        self.shared.lost.fetch_add(1, Ordering::Relaxed);
                    } else {
                        one?;
                    }
                }
            }
            done => done?,
        }
        checkpoints.wrote(records.len());
        Ok(())
    }

    async fn written(&mut self, records: &mut Vec<Record>) {
        if self.failing.take().is_some() {
            *self.shared.lock() = None;
            if std::mem::take(&mut self.told) {
                let lost = self.shared.lost.load(Ordering::Relaxed);
                let path = self.path.display();
                tracing::warn!("history: {path} is written again, {lost} exchanges are lost");
            }
        }
        self.unindexed = true;
        if std::mem::take(&mut self.flushing) {
            self.index_if_far_behind().await;
        }
        self.shared.finish(records);
        records.clear();
        self.forget().await;
        let bare = self.shared.bare.swap(0, Ordering::Relaxed);
        if bare > 0 {
            tracing::warn!(
                "history: {bare} exchanges are recorded without what was said: \
                 more came than could be written"
            );
        }
    }

    /// Removes some rows that are too old, where it is time to look for them.
    async fn forget(&mut self) {
        let (Some(retention), Some((database, _))) = (&mut self.retention, &mut self.open) else {
            return;
        };
        if let Err(error) = retention.forget(&mut database.connection).await {
            tracing::debug!(%error, "history: old rows are left for now");
        }
    }

    /// Nothing could be written: keeps the records for another try if there is hope.
    async fn failed(
        &mut self,
        error: StatsError,
        records: &mut Vec<Record>,
        receiver: &mpsc::Receiver<Record>,
    ) {
        let error = error.at(&self.path);
        let since = *self.failing.get_or_insert_with(Instant::now);
        let long = since.elapsed() > PATIENCE;
        *self.shared.lock() = Some(error.to_string());
        if error.passes() && !(long && receiver.is_closed()) {
            if long && !std::mem::replace(&mut self.told, true) {
                tracing::warn!("{error}: exchanges wait to be recorded");
            }
            sleep(AGAIN).await;
            return;
        }
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!("{error}: what is asked is not recorded");
        }
        self.open = None;
        self.shared.lose(records);
        records.clear();
    }

    /// Brings some rows into the text index.
    async fn index(&mut self, rows: i64) {
        let Some((database, _)) = &mut self.open else {
            return;
        };
        let extended = text_index::extend(&mut database.connection, rows).await;
        self.unindexed = extended.unwrap_or_else(|error| {
            tracing::debug!(%error, "history: the text index is left as it is");
            false
        });
    }

    async fn index_if_far_behind(&mut self) {
        let Some((database, _)) = &mut self.open else {
            return;
        };
        let behind = text_index::behind(&mut database.connection).await;
        if behind.is_ok_and(|behind| behind > text_index::TAIL) {
            self.index(AT_END).await;
        }
    }
}
