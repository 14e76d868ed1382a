//! Taking times.

use std::time::{Duration, Instant};

/// How long each figure is measured.
const TIME: Duration = Duration::from_millis(300);
/// Samples below this would say nothing.
const LEAST: usize = 30;

/// What things cost, in microseconds.
#[derive(Default)]
pub(crate) struct Costs {
    pub(crate) instantiate: f64,
    pub(crate) encode: f64,
    pub(crate) decode: f64,
    /// The end of an instance that encoded and decoded; nothing for native code.
    pub(crate) end: f64,
    /// One event, by batch size.
    pub(crate) event: Vec<f64>,
}

/// Takes samples until the time is over.
pub(crate) struct Clock {
    begun: Instant,
    samples: Vec<f64>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Clock {
            begun: Instant::now(),
            samples: vec![],
        }
    }

    pub(crate) fn goes_on(&self) -> bool {
        self.begun.elapsed() < TIME || self.samples.len() < LEAST
    }

    /// A sample: what began then took until now, for so many things.
    pub(crate) fn sample(&mut self, begun: Instant, things: usize) {
        #[allow(clippy::cast_precision_loss, reason = "small counts")]
        let each = begun.elapsed().as_secs_f64() * 1e6 / things as f64;
        self.samples.push(each);
    }

    pub(crate) fn median(mut self) -> f64 {
        self.samples.sort_by(f64::total_cmp);
        let middle = self.samples.len() / 2;
        self.samples.get(middle).copied().unwrap_or(f64::NAN)
    }
}
