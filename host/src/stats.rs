//! What happened and what it cost: records, the history database, summaries, prices.
//!
//! SQL stands only here. A [`Record`] is one exchange; the [`Recorder`] takes records without
//! delay and writes them in the background; [`History`] reads them back.

mod checkpoint;
mod database;
mod export;
mod filter;
mod history;
mod price;
mod price_table;
mod record;
mod recorder;
mod summary;
mod text_index;

pub use database::{Database, default_path};
pub use export::write_csv;
pub use filter::{Filter, since};
pub use history::{Conversation, Entry, History};
pub use price::cost;
pub use price_table::{Imported, PriceTable, PriceTableError};
pub use record::{Outcome, Record};
pub use recorder::Recorder;
pub use summary::{Grouping, Summary, Totals, summarise};

use thiserror::Error;

/// Why the history cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StatsError {
    /// The place of the database is unknown or cannot be made.
    #[error("history: {path}: {reason}: set history.path, or history.enabled to false")]
    Place {
        /// The file or directory.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The file is no database, or no longer a whole one.
    #[error(
        "history: {path} is no history, or is damaged ({reason}): move it away and a new one is \
         made, or name another with history.path"
    )]
    File {
        /// The file.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// The database failed.
    #[error("history: {0}")]
    Database(#[from] sqlx::Error),
    /// The database is of another version and cannot be brought to this one.
    #[error(
        "history: {0}: a newer multillm may have made it; use that one, or another history.path"
    )]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A stored value is not what it should be.
    #[error("history: row {row}: {reason}")]
    Damaged {
        /// Its id.
        row: i64,
        /// What is wrong.
        reason: String,
    },
}
