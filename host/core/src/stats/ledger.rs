//! Budgets across processes: what was spent today, and what exchanges under way may still cost.
//!
//! The ledger is a small database beside the history's. Whoever wants to ask reserves first and settles
//! afterwards, each in one transaction, so that however many processes ask at one time, what is
//! spent and held together stays within the budget. What an answer cost is never taken for
//! nothing because it is not known: then the estimate stays. Without the feature `history` it is kept in memory, and
//! knows of this process alone.

#[cfg(feature = "history")]
mod book;
#[cfg(any(test, not(feature = "history")))]
#[cfg_attr(feature = "history", allow(dead_code, reason = "for its own tests"))]
mod memory;
mod period;
mod policy;

use std::collections::HashSet;
#[cfg(feature = "history")]
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::sync::{mpsc, oneshot};

use super::{Filter, StatsError};
#[cfg(feature = "history")]
use book::{Book, Source};
#[cfg(not(feature = "history"))]
use memory::{Book, Source};
pub use period::Period;
pub use policy::Estimate;

/// A budget that an exchange needs room in.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Whose it is, such as `model "gpt-4"`.
    pub account: String,
    /// US dollars in the period.
    pub limit: Decimal,
    /// How long they have to last.
    pub period: Period,
    /// Which exchanges of the history belong to it.
    pub filter: Filter,
}

/// An exchange that is to begin.
#[derive(Debug, Clone)]
pub struct Order {
    /// Tells it apart from all others.
    pub id: String,
    /// The configured model.
    pub model: String,
    /// All budgets that it needs room in.
    pub budgets: Vec<Budget>,
    /// What it may cost.
    pub estimate: Estimate,
    /// The day (UTC, since 1970).
    pub day: i64,
    /// Unix time in milliseconds.
    pub now_ms: i64,
}

/// What the ledger says to it.
#[derive(Debug)]
pub enum Answer {
    /// It may begin.
    Begin(Held),
    /// It may fit when others are done.
    Wait,
    /// It does not fit.
    Refused {
        /// Into whose budget.
        account: String,
        /// What was spent in its period.
        spent: Decimal,
        /// What exchanges under way hold.
        held: Decimal,
        /// What it may cost.
        needs: Decimal,
    },
}

/// What an exchange holds until it is settled.
#[derive(Debug, Clone)]
pub struct Held {
    id: String,
    model: String,
    day: i64,
    /// What it counts as in each account, under its day there, if nobody learns what it cost.
    expected: Vec<(String, i64, Decimal)>,
}

/// What an exchange cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// Nothing: it was not sent, or refused.
    Nothing,
    /// This.
    Known(Decimal),
    /// Nobody knows: it counts as expected.
    Unknown,
}

enum Message {
    Reserve(Box<Order>, oneshot::Sender<Result<Answer, Arc<StatsError>>>),
    Settle(Held, Paid),
    Flush(oneshot::Sender<()>),
}

/// How long a process that is not heard of keeps what it holds. It is heard of every third of this.
const LEASE_MS: i64 = 30_000;
/// How long the dearest exchange of a model is remembered.
const DAYS: i64 = 7;

/// Keeps budgets. Cloning is cheap.
#[derive(Clone)]
pub struct Ledger {
    sender: mpsc::UnboundedSender<Message>,
}

impl Ledger {
    /// The ledger's file for a history's file.
    #[cfg(feature = "history")]
    #[must_use]
    pub fn beside(history: &Path) -> PathBuf {
        history.with_extension("budgets.db")
    }

    /// Keeps budgets in a file, which is opened when it is first needed. What `history` says was spent
    /// today before counts too.
    #[cfg(feature = "history")]
    #[must_use]
    pub fn start(path: PathBuf, history: Option<PathBuf>) -> Self {
        Self::of(Source { path, history })
    }

    /// Keeps budgets in memory: what other processes spend is not known, and a process begins with nothing spent.
    #[cfg(not(feature = "history"))]
    #[must_use]
    pub fn start() -> Self {
        Self::of(Source)
    }

    fn of(source: Source) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let clerk = Clerk {
            source,
            book: None,
            open: HashSet::new(),
        };
        let started = std::thread::Builder::new()
            .name("multillm-ledger".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build();
                match runtime {
                    Ok(runtime) => runtime.block_on(clerk.serve(receiver)),
                    Err(error) => tracing::warn!(%error, "budgets are not kept"),
                }
            });
        if let Err(error) = started {
            tracing::warn!(%error, "budgets are not kept");
        }
        Ledger { sender }
    }

    /// Asks for room for an exchange.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read or written, or the history cannot be read: nobody knows what was
    /// spent.
    pub async fn reserve(&self, order: Order) -> Result<Answer, Arc<StatsError>> {
        let gone = || {
            Arc::new(StatsError::Place {
                path: "the ledger of budgets".to_owned(),
                reason: "its thread could not be started".to_owned(),
            })
        };
        let (reply, answer) = oneshot::channel();
        self.sender
            .send(Message::Reserve(Box::new(order), reply))
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// The exchange is over; never waits.
    pub fn settle(&self, held: Held, paid: Paid) {
        let _ = self.sender.send(Message::Settle(held, paid));
    }

    /// Returns when everything that was settled before is in the file.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.sender.send(Message::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }
}

/// Whoever has the book open: one thread a process.
struct Clerk {
    source: Source,
    book: Option<Book>,
    /// What this process holds.
    open: HashSet<String>,
}

impl Clerk {
    async fn serve(mut self, mut receiver: mpsc::UnboundedReceiver<Message>) {
        let third = Duration::from_millis(LEASE_MS.unsigned_abs() / 3);
        let mut renewed = tokio::time::Instant::now();
        loop {
            let message = match self.open.is_empty() {
                true => receiver.recv().await,
                false => match tokio::time::timeout_at(renewed + third, receiver.recv()).await {
                    Ok(message) => message,
                    Err(_) => {
                        renewed = tokio::time::Instant::now();
                        self.renew().await;
                        continue;
                    }
                },
            };
            match message {
                None => break,
                Some(Message::Reserve(order, reply)) => {
                    if self.open.is_empty() {
                        renewed = tokio::time::Instant::now();
                    }
                    self.answer(&order, reply).await;
                }
                Some(Message::Settle(held, paid)) => self.settle(&held, paid).await,
                Some(Message::Flush(done)) => drop(done.send(())),
            }
        }
        if let Some(book) = self.book {
            book.close().await;
        }
    }

    async fn answer(
        &mut self,
        order: &Order,
        reply: oneshot::Sender<Result<Answer, Arc<StatsError>>>,
    ) {
        let answer = self.reserve(order).await;
        if answer.is_err() {
            self.book = None;
        }
        let begun = match &answer {
            Ok(Answer::Begin(held)) => Some(held.clone()),
            _ => None,
        };
        if let Some(held) = &begun {
            self.open.insert(held.id.clone());
        }
        let answer = answer.map_err(|error| Arc::new(self.source.named(error)));
        if let (Err(_), Some(held)) = (reply.send(answer), begun) {
            // Whoever asked has gone away, and sent nothing.
            self.settle(&held, Paid::Nothing).await;
        }
    }

    async fn reserve(&mut self, order: &Order) -> Result<Answer, StatsError> {
        let book = match &mut self.book {
            Some(book) => book,
            empty => empty.insert(self.source.open().await?),
        };
        let mut seeds = vec![];
        for budget in &order.budgets {
            let day = budget.period.day(order.now_ms);
            if !book.knows(&budget.account, day).await? {
                let spent = self.source.spent_before(&budget.filter).await?;
                seeds.push((budget.account.clone(), day, spent));
            }
        }
        book.reserve(order, &seeds).await
    }

    async fn settle(&mut self, held: &Held, paid: Paid) {
        self.open.remove(&held.id);
        let mut settled = self.try_settle(held, paid).await;
        if settled.as_ref().is_err_and(StatsError::passes) {
            settled = self.try_settle(held, paid).await;
        }
        if let Err(error) = settled {
            // What it holds counts as expected when its time is up.
            self.book = None;
            let error = self.source.named(error);
            tracing::warn!("{error}: the cost of an answer is estimated for limits.cost_per_day");
        }
    }

    async fn try_settle(&mut self, held: &Held, paid: Paid) -> Result<(), StatsError> {
        let book = match &mut self.book {
            Some(book) => book,
            empty => empty.insert(self.source.open().await?),
        };
        book.settle(held, paid).await
    }

    async fn renew(&mut self) {
        let Some(book) = &mut self.book else { return };
        let now_ms = jiff::Timestamp::now().as_millisecond();
        if let Err(error) = book.renew(self.open.iter(), now_ms).await {
            tracing::debug!(%error, "what is held in the ledger is not renewed");
        }
    }
}

#[cfg(feature = "history")]
#[cfg(test)]
mod tests;
