//! What stands for the history in a library that is built without one.

use super::Record;

/// Takes records. Without the feature `history` there is none.
#[derive(Debug, Clone)]
pub enum Recorder {}

impl Recorder {
    /// Says that a record will come.
    pub fn expect(&self) {
        match *self {}
    }

    /// Takes a record; never waits.
    pub fn record(&self, _: Record) {
        match *self {}
    }

    /// Returns when everything that was recorded before is written.
    #[allow(clippy::unused_async, reason = "as where there is a history")]
    pub async fn flush(&self) {
        match *self {}
    }
}
