//! Who hears of each exchange: the history, and whoever watches.

use std::sync::Arc;

use super::MultiLlmService;
use crate::stats::{Record, Recorder};

/// Hears of exchanges.
pub(super) type Observer = Arc<dyn Fn(&Record) + Send + Sync>;

/// Who hears of an exchange. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct Rows {
    pub(super) recorder: Option<Recorder>,
    pub(super) observer: Option<Observer>,
}

impl Rows {
    /// Whether anybody does.
    pub(super) fn is_heard(&self) -> bool {
        self.recorder.is_some() || self.observer.is_some()
    }

    /// A record will come.
    pub(super) fn expect(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.expect();
        }
    }

    /// Tells all of them.
    pub(super) fn tell(&self, record: Record) {
        if let Some(observer) = &self.observer {
            observer(&record);
        }
        if let Some(recorder) = &self.recorder {
            recorder.record(record);
        }
    }
}

impl MultiLlmService {
    /// Tells of every exchange that is over, each attempt by itself, whether or not a history is kept: for metrics and
    /// traces. What was said is in it only as far as the history keeps it. `observe` must not wait. The first one
    /// that is set stays.
    pub fn observe(&self, observe: impl Fn(&Record) + Send + Sync + 'static) {
        let _ = self.inner.observer.set(Arc::new(observe));
    }

    pub(super) fn rows(&self) -> Rows {
        Rows {
            recorder: self.inner.recorder.clone(),
            observer: self.inner.observer.get().cloned(),
        }
    }
}
