//! Writing records without delaying anybody.
//!
//! A record goes into a queue, and a thread of its own writes what has come meanwhile in one statement,
//! after some milliseconds, or after thirty where many come. The thread sleeps while they come: only the first row after a pause wakes it. A process that is killed loses at most what came within that
//! window; [`Recorder::flush`] loses nothing that can be written.
//!
//! Nobody ever waits for the history but who flushes, and that for [`PATIENCE`] at most. While the
//! file cannot be written, because another program holds it or the disk is full, rows wait in the
//! queue and are written later. The queue is bounded: beyond [`TEXT`] rows come without what was
//! said, beyond [`ROWS`] they are dropped. Both are counted and told.

mod insert;
mod retention;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

use super::Record;

/// How long a flush waits for a file that cannot be written.
const PATIENCE: Duration = Duration::from_secs(4);
/// Rows that wait to be written. Each takes about half a kilobyte besides what was said.
const ROWS: usize = 65_536;
/// Bytes of what was said in rows that wait.
const TEXT: usize = 64 << 20;

/// Takes records. Cloning is cheap.
#[derive(Clone)]
pub struct Recorder(Arc<Handle>);

/// The queue's end for those who record.
struct Handle {
    sender: mpsc::Sender<Record>,
    shared: Arc<Shared>,
}

impl Drop for Handle {
    /// Nobody records any more: there is nothing to wait for.
    fn drop(&mut self) {
        self.shared.hurry.notify_one();
    }
}

/// What the queue's two ends know of each other.
struct Shared {
    /// Rows that were taken.
    taken: AtomicU64,
    /// Bytes of text in rows that wait, and the most of them.
    text: AtomicUsize,
    room: usize,
    /// Rows that came without their text.
    bare: AtomicU64,
    /// Rows that are lost.
    lost: AtomicU64,
    /// Rows that need not be waited for any more: written or lost.
    done: watch::Sender<u64>,
    /// Somebody flushes: what there is is to be written now.
    hurry: Notify,
    /// A row will come, and that was said.
    expected: AtomicBool,
    /// It was said now: the file can be opened meanwhile.
    coming: Notify,
    /// Why nothing is written.
    problem: Mutex<Option<String>>,
}

impl Recorder {
    /// Starts to write to a file. It is opened in the background; what cannot be written is told by a
    /// warning that says why.
    #[must_use]
    pub fn start(path: PathBuf) -> Self {
        Self::keeping(path, None)
    }

    /// The same; rows that are older than so many days are removed, a few at a time.
    #[must_use]
    pub fn keeping(path: PathBuf, days: Option<u32>) -> Self {
        Self::with_room(path, days, (ROWS, TEXT))
    }

    fn with_room(path: PathBuf, days: Option<u32>, (rows, room): (usize, usize)) -> Self {
        let (sender, receiver) = mpsc::channel(rows);
        let shared = Arc::new(Shared {
            taken: AtomicU64::new(0),
            text: AtomicUsize::new(0),
            room,
            bare: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            done: watch::Sender::new(0),
            hurry: Notify::new(),
            expected: AtomicBool::new(false),
            coming: Notify::new(),
            problem: Mutex::default(),
        });
        let of_writer = shared.clone();
        let started = std::thread::Builder::new()
            .name("multillm-history".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build();
                match runtime {
                    Ok(runtime) => {
                        runtime.block_on(writer::run((path, days), receiver, &of_writer))
                    }
                    Err(error) => tracing::warn!(%error, "history: nothing is recorded"),
                }
            });
        if let Err(error) = started {
            tracing::warn!(%error, "history: nothing is recorded");
        }
        Recorder(Arc::new(Handle { sender, shared }))
    }

    /// Says that a record will come, so that the file is opened, or made, while the vendor is waited for. The first
    /// time counts; never waits.
    pub fn expect(&self) {
        let shared = &self.0.shared;
        if !shared.expected.load(Ordering::Relaxed)
            && !shared.expected.swap(true, Ordering::Relaxed)
        {
            shared.coming.notify_one();
        }
    }

    /// Takes a record; never waits.
    pub fn record(&self, mut record: Record) {
        let Handle { sender, shared } = &*self.0;
        let text = text_of(&record);
        if shared.text.fetch_add(text, Ordering::Relaxed) + text > shared.room {
            shared.text.fetch_sub(text, Ordering::Relaxed);
            shared.bare.fetch_add(1, Ordering::Relaxed);
            record.prompt = None;
            record.answer = None;
        }
        // Counted first: who flushes after this waits for it.
        shared.taken.fetch_add(1, Ordering::AcqRel);
        if let Err(error) = sender.try_send(record) {
            let (mpsc::error::TrySendError::Full(record)
            | mpsc::error::TrySendError::Closed(record)) = error;
            shared.lose(std::slice::from_ref(&record));
        }
    }

    /// Returns when everything that was recorded before is in the file, or lost, or after
    /// [`PATIENCE`]; a warning says what is not there.
    pub async fn flush(&self) {
        let shared = &self.0.shared;
        let taken = shared.taken.load(Ordering::Acquire);
        let mut done = shared.done.subscribe();
        shared.hurry.notify_one();
        let written = done.wait_for(|done| *done >= taken);
        if tokio::time::timeout(PATIENCE, written).await.is_err() {
            let problem = shared.problem().unwrap_or_else(|| {
                "history: the file takes longer than a few seconds to write".to_owned()
            });
            let left = taken.saturating_sub(*shared.done.borrow());
            tracing::warn!("{problem}: {left} exchanges are not recorded yet");
        }
    }

    /// How many rows are lost because they could not be written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.shared.lost.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// These rows are dealt with.
    fn finish(&self, records: &[Record]) {
        let text = records.iter().map(text_of).sum();
        self.text.fetch_sub(text, Ordering::Relaxed);
        let count = records.len() as u64;
        self.done.send_modify(|done| *done += count);
    }

    /// These rows will not be written.
    fn lose(&self, records: &[Record]) {
        self.lost.fetch_add(records.len() as u64, Ordering::Relaxed);
        self.finish(records);
    }

    fn problem(&self) -> Option<String> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.problem
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Bytes of what was said.
fn text_of(record: &Record) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    length(&record.prompt) + length(&record.answer)
}

#[cfg(test)]
mod tests;
