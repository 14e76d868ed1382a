//! When a crowd of requests has gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What is done then.
pub(crate) type Relieved = Arc<dyn Fn() + Send + Sync>;

/// Requests at one time below which nothing is worth the trouble.
const CROWD: i64 = 64;

/// The most requests at one time since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Peak(AtomicI64);

impl Peak {
    pub(crate) fn reached(&self, active: i64) {
        self.0.fetch_max(active, Ordering::Relaxed);
    }

    fn take(&self) -> i64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Looks from time to time.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The most since the last relief.
    high: i64,
    due: bool,
}

impl Watch {
    /// Whether most of a crowd had gone when it looked the last time, so that what it held is free by now.
    pub(crate) fn look(&mut self, peak: &Peak, active: i64) -> bool {
        let due = std::mem::take(&mut self.due);
        self.high = self.high.max(peak.take()).max(active);
        if self.high >= CROWD && active <= self.high / 4 {
            self.high = active;
            self.due = true;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_that_has_gone_is_told_once() {
        let (peak, mut watch) = (Peak::default(), Watch::default());
        assert!(!watch.look(&peak, 0));
        // Came and went between two looks.
        peak.reached(1_000);
        assert!(!watch.look(&peak, 600));
        assert!(!watch.look(&peak, 251));
        assert!(!watch.look(&peak, 250));
        assert!(watch.look(&peak, 180));
        assert!(!watch.look(&peak, 62));
        assert!(watch.look(&peak, 0));
        assert!(!watch.look(&peak, 0));
    }

    #[test]
    fn a_few_are_no_crowd_and_a_crowd_that_stays_is_left_alone() {
        let (peak, mut watch) = (Peak::default(), Watch::default());
        for active in [63, 0, 63, 0, 1, 0] {
            peak.reached(active);
            assert!(!watch.look(&peak, active));
        }
        for active in [100, 99, 60, 100, 26] {
            peak.reached(active);
            assert!(!watch.look(&peak, active));
        }
    }
}
