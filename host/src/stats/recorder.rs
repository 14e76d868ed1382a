//! Writing records without delaying anybody.
//!
//! A record goes through a channel to a thread of its own, which commits whatever has come in
//! one transaction, at the latest after [`BATCH_WINDOW`]. A process that is killed loses at most what came within that
//! window; [`Recorder::close`] loses nothing.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::Connection as _;
use tokio::sync::{mpsc, oneshot};

use super::{Database, Outcome, Record, StatsError};

/// How long a record may wait for others to be written with.
const BATCH_WINDOW: Duration = Duration::from_millis(20);
/// The most records of one transaction.
const BATCH: usize = 512;

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
    let mut database = match Database::open(&path).await {
        Ok(database) => database,
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
    loop {
        if receiver.recv_many(&mut messages, BATCH).await == 0 {
            break;
        }
        // Nobody waits for a flush: see what else comes within the window.
        let deadline = tokio::time::Instant::now() + BATCH_WINDOW;
        while messages.len() < BATCH && !messages.iter().any(is_flush) {
            match tokio::time::timeout_at(deadline, receiver.recv()).await {
                Ok(Some(message)) => messages.push(message),
                Ok(None) | Err(_) => break,
            }
        }
        if let Err(error) = write(&mut database, &messages).await {
            tracing::error!(%error, "history: a batch of records is lost");
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
    let mut transaction = database.connection.begin_with("BEGIN IMMEDIATE").await?;
    for record in records {
        insert(&mut transaction, record).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn insert(
    connection: &mut sqlx::SqliteConnection,
    record: &Record,
) -> Result<(), sqlx::Error> {
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
    sqlx::query(
        "INSERT INTO exchanges (
            at_ms, request_id, conversation_id, model, provider, plugin, plugin_digest, route,
            vendor_model, vendor_id, attempt, final, streamed, outcome, finish_reason, error_kind,
            error_message, status, prompt_tokens, completion_tokens, total_tokens, cached_tokens,
            cache_write_tokens, reasoning_tokens, cost, latency_ms, ttft_ms, cached, prompt, answer
        ) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )
    .bind(record.at_ms)
    .bind(&record.request_id)
    .bind(&record.conversation_id)
    .bind(&record.model)
    .bind(&record.provider)
    .bind(&record.plugin)
    .bind(&record.plugin_digest)
    .bind(&record.route)
    .bind(&record.vendor_model)
    .bind(&record.vendor_id)
    .bind(record.attempt)
    .bind(record.last)
    .bind(record.streamed)
    .bind(record.outcome.as_str())
    .bind(finish)
    .bind(kind)
    .bind(message)
    .bind(status)
    .bind(count(record.usage.prompt_tokens))
    .bind(count(record.usage.completion_tokens))
    .bind(count(record.usage.total()))
    .bind(count(record.usage.cached_tokens))
    .bind(count(record.usage.cache_write_tokens))
    .bind(count(record.usage.reasoning_tokens))
    .bind(record.cost.map(|cost| cost.normalize().to_string()))
    .bind(millis(record.latency))
    .bind(record.ttft.map(millis))
    .bind(record.cached)
    .bind(&record.prompt)
    .bind(&record.answer)
    .execute(connection)
    .await
    .map(drop)
}
