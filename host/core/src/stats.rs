//! What happened and what it cost: records, the history database, summaries, prices.
//!
//! SQL stands only here. A [`Record`] is one exchange; the [`Recorder`] takes records without
//! delay and writes them in the background; `History` reads them back. Without the feature
//! `history` there is no database: nothing is recorded, and budgets hold within the process.

#[cfg(feature = "history")]
mod checkpoint;
#[cfg(feature = "history")]
mod database;
mod error;
#[cfg(feature = "history")]
mod export;
mod filter;
#[cfg(feature = "history")]
mod history;
mod ledger;
#[cfg(feature = "history")]
mod owner;
mod price;
mod price_table;
mod record;
#[cfg(feature = "history")]
mod recorder;
#[cfg(not(feature = "history"))]
#[path = "stats/unrecorded.rs"]
mod recorder;
#[cfg(feature = "history")]
mod summary;
#[cfg(feature = "history")]
mod text_index;

#[cfg(feature = "history")]
pub use database::{Database, default_path};
pub use error::StatsError;
#[cfg(feature = "history")]
pub use export::{CsvTable, write_csv};
pub use filter::{Filter, since};
#[cfg(feature = "history")]
pub use history::{Conversation, Entry, History, Talk};
pub use ledger::{Answer, Budget, Estimate, Held, Ledger, Order, Paid, Period};
pub use price::{Absent, Unpriced, bill, cost};
pub use price_table::{Change, Changes, Imported, PriceTable, PriceTableError};
pub use record::{Outcome, Record};
pub use recorder::Recorder;
#[cfg(feature = "history")]
pub use summary::{Grouping, Summary, Totals, summarise};
