//! What a guest may use, and who keeps count.

use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, UpdateDeadline};

use super::Excess;
use super::wire::Event;

/// How long a tick of the engine's clock is, in milliseconds.
pub(super) const TICK_MS: u64 = 5;

/// Core instances of one component, and tables. Python's interpreter with the libraries that come with
/// it has 38.
pub(super) const INSTANCES: u32 = 64;
/// Memories of one component.
pub(super) const MEMORIES: u32 = 4;
/// Elements of one table. Python's interpreter has 6,000, a JavaScript engine 8,000.
pub(super) const TABLE_ELEMENTS: usize = 20_000;

/// What a guest may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes, all of the guest's memories together.
    pub memory_bytes: usize,
    /// Computing time of one call, in milliseconds.
    pub cpu_ms: u64,
    /// Bytes that one call may hand to the host.
    pub output_bytes: usize,
    /// What all calls of one exchange may use together.
    pub exchange: ExchangeLimits,
}

/// What one exchange may use of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeLimits {
    /// Computing time, in milliseconds.
    pub cpu_ms: u64,
    /// Events of a stream.
    pub events: u64,
    /// Bytes handed to the host.
    pub output_bytes: u64,
}

impl Default for ExchangeLimits {
    fn default() -> Self {
        ExchangeLimits {
            cpu_ms: 30_000,
            events: 1_000_000,
            output_bytes: 128 << 20,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 64 << 20,
            cpu_ms: 1000,
            output_bytes: 64 << 20,
            exchange: ExchangeLimits::default(),
        }
    }
}

/// What an exchange has used so far.
#[derive(Debug, Default)]
pub(super) struct Used {
    cpu: Duration,
    events: u64,
    output_bytes: u64,
}

impl Used {
    /// Waits for a call, and counts the time in which the guest was computing.
    pub(super) async fn computing<T>(&mut self, call: impl Future<Output = T>) -> T {
        let mut call = std::pin::pin!(call);
        std::future::poll_fn(|cx| {
            let begun = Instant::now();
            let polled = call.as_mut().poll(cx);
            self.cpu += begun.elapsed();
            polled
        })
        .await
    }

    /// Counts what a call gave; says what there was too much of, and which setting bounds it.
    pub(super) fn gave(&mut self, events: &[Event], limits: &ExchangeLimits) -> Option<Excess> {
        self.events = self.events.saturating_add(events.len() as u64);
        let bytes: usize = events.iter().map(Event::size).sum();
        self.output_bytes = self.output_bytes.saturating_add(bytes as u64);
        if self.events > limits.events {
            Some(Excess::Events(limits.events))
        } else if self.output_bytes > limits.output_bytes {
            Some(Excess::Output(limits.output_bytes >> 20))
        } else if self.cpu.as_millis() > u128::from(limits.cpu_ms) {
            Some(Excess::Computing(limits.cpu_ms))
        } else {
            None
        }
    }
}

/// Keeps count for one instance.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Limits,
    memory: usize,
    ticks: u64,
    /// Memory was refused.
    pub(super) out_of_memory: bool,
    /// Time ran out.
    pub(super) out_of_time: bool,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Meter {
            limits,
            memory: 0,
            ticks: 0,
            out_of_memory: false,
            out_of_time: false,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A new call begins: its time starts anew.
    pub(super) fn begin_call(&mut self) {
        self.ticks = 0;
    }

    /// The clock ticked while the guest was computing.
    pub(super) fn tick(&mut self) -> UpdateDeadline {
        self.ticks += 1;
        if self.ticks * TICK_MS > self.limits.cpu_ms {
            self.out_of_time = true;
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
        }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory_bytes || maximum.is_some_and(|maximum| desired > maximum) {
            self.out_of_memory = true;
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        INSTANCES as usize
    }

    fn tables(&self) -> usize {
        INSTANCES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Delta;

    #[test]
    fn memory_is_counted_over_all_memories() {
        let mut meter = Meter::new(Limits {
            memory_bytes: 100,
            ..Limits::default()
        });
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert!(!meter.out_of_memory);
        assert!(!meter.memory_growing(60, 61, None).unwrap());
        assert!(meter.out_of_memory);
    }

    #[tokio::test]
    async fn an_exchange_is_bounded_as_a_whole() {
        let limits = ExchangeLimits {
            cpu_ms: 20,
            events: 3,
            output_bytes: 1 << 20,
        };
        let text = |length: usize| Event::Delta(Delta::Text("x".repeat(length)));
        let mut used = Used::default();
        assert_eq!(used.gave(&[text(1), text(1)], &limits), None);
        assert_eq!(
            used.gave(&[text(1), text(1)], &limits),
            Some(Excess::Events(3))
        );
        let mut used = Used::default();
        assert_eq!(used.gave(&[text(1 << 19)], &limits), None);
        assert_eq!(
            used.gave(&[text(1 << 20)], &limits),
            Some(Excess::Output(1))
        );
        let mut used = Used::default();
        // Waiting is no computing.
        used.computing(tokio::time::sleep(Duration::from_millis(50)))
            .await;
        assert_eq!(used.gave(&[], &limits), None);
        used.computing(async { std::thread::sleep(Duration::from_millis(30)) })
            .await;
        assert_eq!(used.gave(&[], &limits), Some(Excess::Computing(20)));
    }

    #[test]
    fn time_is_counted_by_call() {
        let mut meter = Meter::new(Limits {
            cpu_ms: 2 * TICK_MS,
            ..Limits::default()
        });
        for _ in 0..2 {
            meter.begin_call();
            assert!(!matches!(meter.tick(), UpdateDeadline::Interrupt));
            assert!(!matches!(meter.tick(), UpdateDeadline::Interrupt));
        }
        assert!(matches!(meter.tick(), UpdateDeadline::Interrupt));
        assert!(meter.out_of_time);
    }
}
