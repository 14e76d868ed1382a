//! Writing records without delaying anybody.
//!
//! A record goes through a channel to a thread of its own, which writes what has come meanwhile in
//! one statement, at the latest after [`BATCH_WINDOW`]. A process that is killed loses at most
//! what came within that window; [`Recorder::flush`] loses nothing.
//!
//! The thread must keep up with whoever records at full speed on a machine with nothing to spare.
//! So it does no more than that: many rows are one round trip to SQLite, [`Checkpoints`] are made
//! elsewhere, and the text index waits until there is nothing to write.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::query_builder::{QueryBuilder, Separated};
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpoints;
use super::{Database, Outcome, Record, StatsError, text_index};
use crate::chat::Billing;

/// How long a record may wait for others to be written with.
const BATCH_WINDOW: Duration = Duration::from_millis(5);
/// The most records of one statement. SQLite allows 32,766 values, of which each takes thirty-two.
const BATCH: usize = 128;
/// After so long without a record the text index is seen to.
const IDLE: Duration = Duration::from_millis(250);

enum Message {
    Record(Box<Record>),
    Flush(oneshot::Sender<()>),
}

/// Takes records. Cloning is cheap.
#[derive(Clone)]
pub struct Recorder {
    sender: mpsc::UnboundedSender<Message>,
}

impl Recorder {
    /// Starts to write to a file. It is opened in the background; a failure is logged once and the
    /// records are dropped.
    #[must_use]
    pub fn start(path: PathBuf) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let started = std::thread::Builder::new()
            .name("multillm-history".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build();
                match runtime {
                    Ok(runtime) => runtime.block_on(write_all(path, receiver)),
                    Err(error) => tracing::error!(%error, "history is not written"),
                }
            });
        if let Err(error) = started {
            tracing::error!(%error, "history is not written");
        }
        Recorder { sender }
    }

    /// Takes a record; never waits.
    pub fn record(&self, record: Record) {
        let _ = self.sender.send(Message::Record(Box::new(record)));
    }

    /// Returns when everything that was recorded before is in the file.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.sender.send(Message::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }
}

async fn write_all(path: PathBuf, mut receiver: mpsc::UnboundedReceiver<Message>) {
    let opened = async {
        let mut database = Database::open(&path).await?;
        let checkpoints = Checkpoints::beside(&mut database, &path).await?;
        Ok::<_, StatsError>((database, checkpoints))
    };
    let (mut database, mut checkpoints) = match opened.await {
        Ok(opened) => opened,
        Err(error) => {
            tracing::warn!("{error}");
            // Whoever waits for a flush must not wait for ever.
            while let Some(message) = receiver.recv().await {
                drop(message);
            }
            return;
        }
    };
    let mut messages = Vec::with_capacity(BATCH);
    let mut unindexed = true;
    loop {
        let came = receiver.recv_many(&mut messages, BATCH);
        let came = if unindexed {
            tokio::time::timeout(IDLE, came).await
        } else {
            Ok(came.await)
        };
        match came {
            Ok(0) => break,
            Ok(_) => {}
            Err(_) => {
                let extended = text_index::extend(&mut database.connection).await;
                unindexed = extended.unwrap_or_else(|error| {
                    tracing::debug!(%error, "history: the text index is left as it is");
                    false
                });
                continue;
            }
        }
        // Nobody waits for a flush: see what else comes within the window.
        let deadline = tokio::time::Instant::now() + BATCH_WINDOW;
        while messages.len() < BATCH && !messages.iter().any(is_flush) {
            match tokio::time::timeout_at(deadline, receiver.recv()).await {
                Ok(Some(message)) => messages.push(message),
                Ok(None) | Err(_) => break,
            }
        }
        match write(&mut database, &messages).await {
            Ok(()) => {
                checkpoints.wrote(messages.len());
                unindexed = true;
            }
            Err(error) => tracing::error!(%error, "history: a batch of records is lost"),
        }
        for message in messages.drain(..) {
            if let Message::Flush(done) = message {
                let _ = done.send(());
            }
        }
    }
    database.close().await;
}

fn is_flush(message: &Message) -> bool {
    matches!(message, Message::Flush(_))
}

/// Writes all records or none, in a statement that is its own transaction.
async fn write(database: &mut Database, messages: &[Message]) -> Result<(), StatsError> {
    let records: Vec<&Record> = messages
        .iter()
        .filter_map(|message| match message {
            Message::Record(record) => Some(&**record),
            Message::Flush(_) => None,
        })
        .collect();
    if records.is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO exchanges (
            at_ms, request_id, conversation_id, model, provider, plugin, plugin_digest, route,
            vendor_model, vendor_id, attempt, final, streamed, outcome, finish_reason, error_kind,
            error_message, status, prompt_tokens, completion_tokens, total_tokens, cached_tokens,
            cache_write_tokens, reasoning_tokens, cost, tier, unpriced, latency_ms, ttft_ms, cached,
            prompt, answer
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
        .push_bind(unpriced(&record.billing))
        .push_bind(millis(record.latency))
        .push_bind(record.ttft.map(millis))
        .push_bind(record.cached)
        .push_bind(&record.prompt)
        .push_bind(&record.answer);
}

/// The reasons not to know a cost, as a JSON list.
fn unpriced(billing: &Billing) -> Option<String> {
    (!billing.unpriced.is_empty())
        .then(|| serde_json::to_string(&billing.unpriced).ok())
        .flatten()
}
