//! What a guest may use, and who keeps count.

use wasmtime::{ResourceLimiter, UpdateDeadline};

/// How long a tick of the engine's clock is, in milliseconds.
pub(super) const TICK_MS: u64 = 5;

/// Core instances of one component, and tables. Python's interpreter with the libraries that come with
/// it has 38.
pub(super) const INSTANCES: u32 = 64;
/// Memories of one component.
pub(super) const MEMORIES: u32 = 4;
/// Elements of one table. Python's interpreter has 6,000, a JavaScript engine 8,000.
pub(super) const TABLE_ELEMENTS: usize = 20_000;

/// What one call into a guest may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes, all of the guest's memories together.
    pub memory_bytes: usize,
    /// Computing time of one call, in milliseconds.
    pub cpu_ms: u64,
    /// Bytes that one call may hand to the host.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 64 << 20,
            cpu_ms: 1000,
            output_bytes: 64 << 20,
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
