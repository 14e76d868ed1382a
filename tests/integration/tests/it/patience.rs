//! How long a test may wait: a watch that ends a test which hangs, and a measure of what the
//! machine itself withheld.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Far more than any test takes, also on a slow and busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// Ends the process, saying which test it was, when it is kept for longer than it may be: a test
/// that hangs is to fail, not to keep everybody waiting.
#[derive(Debug)]
pub(crate) struct Watch(#[expect(dead_code, reason = "is waited for to go")] mpsc::Sender<()>);

impl Watch {
    /// For [`LIMIT`], and for what a test asks for beyond it.
    pub(crate) fn new(beyond: Duration) -> Self {
        let (sender, receiver) = mpsc::channel();
        let name = std::thread::current().name().map(str::to_owned);
        let limit = LIMIT + beyond;
        std::thread::spawn(move || {
            if receiver.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let name = name.as_deref().unwrap_or("a test");
                // Past what captures a test's output: nobody else will show it.
                let _ = std::io::Write::write_all(
                    &mut std::io::stderr(),
                    format!("{name} hangs: not done after {limit:?}\n").as_bytes(),
                );
                std::process::exit(101);
            }
        });
        Watch(sender)
    }
}

/// How long the machine lets a thread wait that only wants a millisecond of sleep: what it
/// withholds from this thread, it withholds from others as well.
#[derive(Debug)]
pub(crate) struct Stalls {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Stalls {
    /// From now on.
    pub(crate) fn watch() -> Self {
        const NAP: Duration = Duration::from_millis(1);
        let over = Arc::new(AtomicBool::new(false));
        let ended = over.clone();
        let thread = std::thread::spawn(move || {
            let mut longest = Duration::ZERO;
            // Whoever fails without asking for it is the only other holder of the flag.
            while !ended.load(Ordering::Relaxed) && Arc::strong_count(&ended) > 1 {
                let begun = Instant::now();
                std::thread::sleep(NAP);
                longest = longest.max(begun.elapsed() - NAP);
            }
            longest
        });
        Stalls { over, thread }
    }

    /// The longest until now.
    pub(crate) fn longest(self) -> Duration {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
