//! How much time and memory compiling may take, and who sees to it.

use std::time::Duration;

use super::Failed;

/// Bounds of one component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugin) struct Bounds {
    /// Computing time, all threads together, in seconds.
    pub(super) seconds: u64,
    /// Memory in bytes.
    pub(super) memory: u64,
    size: u64,
}

impl Bounds {
    /// Both grow with the size of the file, as compiling honest components does. Measured on one
    /// core: our own plugins of 0.2 MB take 0.3 s and 35 MB, a JavaScript engine of 10 MB takes 16 s
    /// and 340 MB, Python's interpreter of 18 MB 14 s and 330 MB. The bounds leave a machine that is
    /// several times slower enough.
    pub(super) fn of(size: usize) -> Self {
        let size = size as u64;
        let whole = size.div_ceil(1 << 20);
        Bounds {
            seconds: 6 + 4 * whole,
            memory: (256 + 48 * whole) << 20,
            size,
        }
    }

    pub(super) fn new(seconds: u64, memory: u64, size: u64) -> Self {
        Bounds {
            seconds,
            memory,
            size,
        }
    }

    /// How long anybody waits: others compute too.
    pub(super) fn wall(&self) -> Duration {
        Duration::from_secs(5 + 3 * self.seconds)
    }

    pub(super) fn too_long(&self) -> String {
        format!(
            "compiling it takes longer than the {} s that a component of {} has",
            self.seconds,
            self.shown_size()
        )
    }

    /// Memory is short: the component's fault, unless the system gives less than the bound.
    pub(super) fn too_much(&self) -> Failed {
        match given() {
            Some(given) if given < self.memory + OWN => Failed::System(format!(
                "the system gives this program {} MB of address space (ulimit -v), and compiling \
                 may need {} MB: raise it, or compile once without it",
                given >> 20,
                (self.memory + OWN) >> 20
            )),
            _ => Failed::Exceeded(format!(
                "compiling it takes more than the {} MB of memory that a component of {} has",
                self.memory >> 20,
                self.shown_size()
            )),
        }
    }

    fn shown_size(&self) -> String {
        match self.size {
            0..1_000_000 => format!("{} KB", self.size.div_ceil(1000)),
            size => format!("{} MB", size / 1_000_000),
        }
    }

    /// Binds this process. What the system does not know is left out: then the other side's watch
    /// is the only bound.
    #[cfg(unix)]
    pub(super) fn bind(&self) {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let bind = |resource: Resource, soft: u64, hard: u64| {
            let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
            let limit = Rlimit {
                current: Some(soft.min(most)),
                maximum: Some(hard.min(most)),
            };
            let _ = setrlimit(resource, limit);
        };
        bind(Resource::Core, 0, 0);
        bind(Resource::Cpu, self.seconds, self.seconds + 1);
        bind(Resource::Data, self.memory, self.memory);
        bind(Resource::As, self.memory + OWN, self.memory + OWN);
    }

    #[cfg(not(unix))]
    pub(super) fn bind(&self) {}
}

/// Address space that counts although nothing is in it: the program itself, stacks, and 64 MB for
/// each thread of what glibc allocates from.
const OWN: u64 = 1 << 30;

/// What the system gives this process.
#[cfg(unix)]
fn given() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    let of = |resource| getrlimit(resource).current;
    let (space, data) = (of(Resource::As), of(Resource::Data));
    match (space, data) {
        (Some(space), Some(data)) => Some(space.min(data)),
        (space, data) => space.or(data),
    }
}

#[cfg(not(unix))]
fn given() -> Option<u64> {
    None
}
