//! The runtime that commands run on, by what threads the system allows.
//!
//! A runtime that cannot start its threads panics, or waits for ever for one that will never be
//! free. So it is tried first how many there may be: enough for all, enough for one after the
//! other, or too few to begin at all.

use std::io;
use std::sync::{Arc, RwLock};

use tokio::runtime::{Builder, Runtime};

/// Threads of a command that has all it can use: two that serve, and for files, names, keys, standard
/// input, plugins, their clock, the history and its checkpoints, with some to spare.
const ALL: usize = 16;
/// Threads without which a question cannot be asked: the clock, three for the history, three that
/// may wait for files, names and plugins, and the process that compiles.
const FEWEST: usize = 8;
/// Threads that may wait, where there are few.
const WAITING: usize = 3;

/// Threads that serve a command for a person.
pub(super) const FEW: usize = 2;

/// Threads that serve many callers: as many as run at one time.
pub(super) fn many() -> usize {
    std::thread::available_parallelism().map_or(FEW, std::num::NonZeroUsize::get)
}

/// A runtime with so many threads that serve.
///
/// # Errors
///
/// There are too few threads, with what to do, or the system refuses something else.
pub(super) fn runtime(workers: usize) -> io::Result<Runtime> {
    match possible(ALL) {
        ALL => Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build(),
        count if count >= FEWEST => {
            tracing::debug!(count, "few threads are allowed: one serves");
            Builder::new_current_thread()
                .max_blocking_threads(WAITING)
                .enable_all()
                .build()
        }
        count => Err(io::Error::other(format!(
            "the system lets this user start only {count} more threads and {FEWEST} are needed \
             (ulimit -u and -v, or the limits of the container): raise them, or end other programs"
        ))),
    }
}

/// How many threads can be at one time, up to `most`.
fn possible(most: usize) -> usize {
    let gate = Arc::new(RwLock::new(()));
    let Ok(closed) = gate.write() else {
        return most;
    };
    let mut started = vec![];
    for _ in 0..most {
        let gate = gate.clone();
        // Of the usual size: address space may be what is short.
        let thread = std::thread::Builder::new().spawn(move || drop(gate.read()));
        match thread {
            Ok(thread) => started.push(thread),
            Err(_) => break,
        }
    }
    let count = started.len();
    drop(closed);
    for thread in started {
        let _ = thread.join();
    }
    count
}

#[cfg(test)]
mod tests {
    #[test]
    fn threads_are_counted() {
        assert_eq!(super::possible(5), 5);
    }
}
