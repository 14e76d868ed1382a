//! What happened and what it cost: records, the history database, summaries, prices.
//!
//! SQL stands only here. A [`Record`] is one exchange; the [`Recorder`] takes records without
//! delay and writes them in the background; [`History`] reads them back.

mod checkpoint;
mod database;
mod error;
mod export;
mod filter;
mod history;
mod ledger;
mod owner;
mod price;
mod price_table;
mod record;
mod recorder;
mod summary;
mod text_index;

pub use database::{Database, default_path};
pub use error::StatsError;
pub use export::{CsvTable, write_csv};
pub use filter::{Filter, since};
pub use history::{Conversation, Entry, History};
pub use ledger::{Answer, Budget, Estimate, Held, Ledger, Order, Paid};
pub use price::cost;
pub use price_table::{Imported, PriceTable, PriceTableError};
pub use record::{Outcome, Record};
pub use recorder::Recorder;
pub use summary::{Grouping, Summary, Totals, summarise};
