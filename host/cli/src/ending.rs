//! Signals that end the program: who is at work hears of the first, the second ends at once.
//!
//! What is under way is given up, recorded as far as it came, and told; see `cli::main`. Where
//! nothing is under way yet and something is waited for, the first ends at once too. A signal
//! that was ignored when the program began (`nohup`, a job in the background of a script) stays
//! ignored.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Waker, Poll};
use std::time::Duration;

use tokio::sync::watch;

use multillm::config::end_key_programs;

/// How long giving up may take before it is cut short: a few seconds for the history.
const PATIENCE: Duration = Duration::from_secs(6);

/// A signal that ends the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// Whoever runs the program wants it to end.
    Terminate,
    /// The terminal was closed.
    HangUp,
}

impl Signal {
    /// The exit code: 128 and the signal's number, as shells have it.
    pub(crate) fn code(self) -> u8 {
        match self {
            Signal::HangUp => 129,
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
            Signal::HangUp => "SIGHUP",
        })
    }
}

/// Tells of the signal that ends the program.
#[derive(Clone)]
pub(crate) struct Ending {
    told: watch::Receiver<Option<Signal>>,
    kept: Arc<Kept>,
}

/// What is known of the terminal.
#[derive(Default)]
struct Kept {
    /// Ctrl-C means something else to whoever is at work.
    interrupts: AtomicBool,
    /// Nothing is under way that could be lost.
    idle: AtomicBool,
    /// How long ending may take, if longer than is usual.
    patience_ms: AtomicU64,
    /// How the terminal was before anybody changed it.
    terminal: Mutex<Option<Terminal>>,
}

impl Ending {
    /// Listens from now on. Needs a runtime. `parting` is what is said where nobody else can.
    pub(crate) fn listen(parting: impl Fn(Signal) + Send + 'static) -> Self {
        let (tell, told) = watch::channel(None);
        let kept = Arc::new(Kept::default());
        let leave = {
            let kept = kept.clone();
            move |signal: Signal| {
                kept.tidy();
                parting(signal);
                #[allow(
                    clippy::exit,
                    reason = "who is at work had its time, and there is nobody to return to"
                )]
                std::process::exit(i32::from(signal.code()));
            }
        };
        tokio::spawn(watch_over(Sources::open(), tell, kept.clone(), leave));
        Ending { told, kept }
    }

    /// Returns once the program is to end, and never without.
    pub(crate) async fn told(&self) -> Signal {
        let mut told = self.told.clone();
        match told.wait_for(Option::is_some).await.map(|signal| *signal) {
            Ok(Some(signal)) => signal,
            _ => std::future::pending().await,
        }
    }

    /// From now on Ctrl-C is somebody else's, and the terminal is changed for reading lines.
    pub(crate) fn leave_interrupts(&self) {
        self.kept.interrupts.store(true, Ordering::Relaxed);
        self.mind_terminal();
    }

    /// The terminal is about to be changed: it is made what it is now when the program ends.
    pub(crate) fn mind_terminal(&self) {
        *self.kept.lock() = Terminal::now();
    }

    /// Whether Ctrl-C is somebody else's.
    pub(crate) fn leaves_interrupts(&self) -> bool {
        self.kept.interrupts.load(Ordering::Relaxed)
    }

    /// Whoever is at work needs so long to end, once told.
    pub(crate) fn allow(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.kept.patience_ms.fetch_max(millis, Ordering::Relaxed);
    }

    /// While this is kept, a signal ends the program at once.
    pub(crate) fn at_once(&self) -> impl Drop {
        self.kept.idle.store(true, Ordering::Relaxed);
        AtOnce(self.kept.clone())
    }

    /// Ends the programs that were started, and makes the terminal what it was.
    pub(crate) fn tidy(&self) {
        self.kept.tidy();
    }
}

struct AtOnce(Arc<Kept>);

impl Drop for AtOnce {
    fn drop(&mut self) {
        self.0.idle.store(false, Ordering::Relaxed);
    }
}

impl Kept {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Terminal>> {
        self.terminal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tidy(&self) {
        end_key_programs();
        if let Some(terminal) = self.lock().take() {
            terminal.restore();
        }
    }
}

async fn watch_over(
    mut sources: Sources,
    tell: watch::Sender<Option<Signal>>,
    kept: Arc<Kept>,
    leave: impl Fn(Signal),
) {
    let first = loop {
        let signal = sources.next().await;
        if signal != Signal::Interrupt || !kept.interrupts.load(Ordering::Relaxed) {
            break signal;
        }
    };
    if kept.idle.load(Ordering::Relaxed) {
        leave(first);
    }
    let _ = tell.send(Some(first));
    // Whoever is at work may be stuck, or the user in a hurry.
    let patience = Duration::from_millis(kept.patience_ms.load(Ordering::Relaxed)).max(PATIENCE);
    let _ = tokio::time::timeout(patience, sources.next()).await;
    leave(first);
}

type Source = Box<dyn FnMut(&mut Waker<'_>) -> Poll<Option<()>> + Send>;

/// The system's signals.
struct Sources(Vec<(Signal, Source)>);

impl Sources {
    async fn next(&mut self) -> Signal {
        std::future::poll_fn(|cx| {
            let came = self
                .0
                .iter_mut()
                .find_map(|(signal, source)| source(cx).is_ready().then_some(*signal));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    #[cfg(unix)]
    fn open() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = ignored();
        let kinds = [
            (Signal::Interrupt, SignalKind::interrupt()),
            (Signal::Terminate, SignalKind::terminate()),
            (Signal::HangUp, SignalKind::hangup()),
        ];
        let heard = kinds
            .into_iter()
            .filter(|(_, kind)| ignored >> (kind.as_raw_value() - 1) & 1 == 0);
        let sources = heard.filter_map(|(name, kind)| {
            let mut stream = signal(kind).ok()?;
            let source: Source = Box::new(move |cx| stream.poll_recv(cx));
            Some((name, source))
        });
        Sources(sources.collect())
    }

    #[cfg(windows)]
    fn open() -> Self {
        use tokio::signal::windows;
        fn source<T: Send + 'static>(
            name: Signal,
            made: std::io::Result<T>,
            mut poll: impl FnMut(&mut T, &mut Waker<'_>) -> Poll<Option<()>> + Send + 'static,
        ) -> Option<(Signal, Source)> {
            let mut stream = made.ok()?;
            Some((name, Box::new(move |cx| poll(&mut stream, cx))))
        }
        let sources = [
            source(Signal::Interrupt, windows::ctrl_c(), |stream, cx| {
                stream.poll_recv(cx)
            }),
            source(Signal::Interrupt, windows::ctrl_break(), |stream, cx| {
                stream.poll_recv(cx)
            }),
            source(Signal::HangUp, windows::ctrl_close(), |stream, cx| {
                stream.poll_recv(cx)
            }),
            source(Signal::Terminate, windows::ctrl_logoff(), |stream, cx| {
                stream.poll_recv(cx)
            }),
            source(Signal::Terminate, windows::ctrl_shutdown(), |stream, cx| {
                stream.poll_recv(cx)
            }),
        ];
        Sources(sources.into_iter().flatten().collect())
    }
}

/// The signals that were ignored when the program began, a bit each; none where the system
/// does not tell.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0)
}

/// The settings of the terminal on standard input.
#[cfg(unix)]
struct Terminal(rustix::termios::Termios);

#[cfg(unix)]
impl Terminal {
    fn now() -> Option<Self> {
        rustix::termios::tcgetattr(std::io::stdin())
            .ok()
            .map(Terminal)
    }

    fn restore(&self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Elsewhere a console is not changed for reading lines beyond the program's end.
#[cfg(not(unix))]
struct Terminal;

#[cfg(not(unix))]
impl Terminal {
    fn now() -> Option<Self> {
        None
    }

    fn restore(&self) {}
}
