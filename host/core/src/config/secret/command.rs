//! A program that prints a key, run without a shell.

use std::fmt;
use std::io::Read as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};

use super::{LONGEST, SecretCause};

/// How long the program may take. Long enough for a person to touch a security key.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long what it printed is used again.
const KEPT: Duration = Duration::from_secs(60);

/// How long a program that is told to end may take to do so.
const FAREWELL: Duration = Duration::from_millis(200);

/// The programs that run now.
static RUNNING: Mutex<Vec<Arc<Running>>> = Mutex::new(Vec::new());

/// Ends the programs that run now, and what they have started: nobody waits for their keys any more.
pub fn end_key_programs() {
    let running = std::mem::take(&mut *lock(&RUNNING));
    for program in &running {
        program.end(false);
    }
    let deadline = Instant::now() + FAREWELL;
    for program in &running {
        while !program.has_ended() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        program.end(true);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program that runs.
struct Running {
    child: Mutex<Child>,
    /// It leads a group of processes of its own.
    #[cfg(unix)]
    leads: bool,
}

impl Running {
    /// Tells it, and what it has started, to end. `at_once`: it is not asked.
    #[cfg(unix)]
    fn end(&self, at_once: bool) {
        use rustix::process::{Pid, Signal, kill_process, kill_process_group};
        let mut child = lock(&self.child);
        let signal = if at_once { Signal::KILL } else { Signal::TERM };
        let pid = Pid::from_child(&child);
        if self.leads {
            // Also where it has ended itself: what it started may go on.
            let _ = kill_process_group(pid, signal);
        } else if matches!(child.try_wait(), Ok(None)) {
            let _ = kill_process(pid, signal);
        }
    }

    #[cfg(not(unix))]
    fn end(&self, _: bool) {
        let _ = lock(&self.child).kill();
    }

    fn has_ended(&self) -> bool {
        !matches!(lock(&self.child).try_wait(), Ok(None))
    }
}

/// A program and its arguments. What it prints is used for a minute; its standard error is the
/// caller's, so that it can say what it misses.
pub struct SecretCommand {
    arguments: Vec<String>,
    patience: Duration,
    /// Held while the program runs: callers at the same time wait for one run.
    printed: Mutex<Option<(Instant, SecretString)>>,
}

impl SecretCommand {
    /// A program and its arguments; the first is the program.
    #[must_use]
    pub fn new(arguments: Vec<String>) -> Self {
        Self {
            arguments,
            patience: PATIENCE,
            printed: Mutex::new(None),
        }
    }

    /// The program, and what it is given.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    pub(super) fn forget(&self) {
        *self.printed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether it printed this a short while ago, and nobody refused it since.
    pub(super) fn still_prints(&self, secret: &SecretString) -> bool {
        // Where it runs at this moment, it may print something else.
        let Ok(printed) = self.printed.try_lock() else {
            return false;
        };
        printed.as_ref().is_some_and(|(when, kept)| {
            when.elapsed() < KEPT && kept.expose_secret() == secret.expose_secret()
        })
    }

    /// What the program prints, or has printed a short while ago, as `usable` reads it.
    pub(super) fn run(
        &self,
        usable: impl Fn(&str, &str) -> Result<SecretString, SecretCause>,
    ) -> Result<SecretString, SecretCause> {
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, secret)) = &*printed
            && when.elapsed() < KEPT
        {
            return Ok(secret.clone());
        }
        let output = self.output().map_err(|reason| SecretCause::Command {
            program: self.program().to_owned(),
            reason,
        })?;
        let secret = usable(&format!("what {} prints", self.program()), &output)?;
        *printed = Some((Instant::now(), secret.clone()));
        Ok(secret)
    }

    fn program(&self) -> &str {
        self.arguments.first().map_or("", String::as_str)
    }

    fn output(&self) -> Result<String, String> {
        let deadline = Instant::now() + self.patience;
        let mut command = Command::new(self.program());
        command
            .args(self.arguments.iter().skip(1))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        // On a terminal it stays among those that may ask the user there; Ctrl-C reaches it too.
        #[cfg(unix)]
        let leads = std::fs::File::open("/dev/tty").is_err();
        #[cfg(unix)]
        if leads {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let mut child = command.spawn().map_err(|error| {
            format!("cannot be started ({error}): install it or correct api_key_command")
        })?;
        let stdout = child.stdout.take();
        let running = Arc::new(Running {
            child: Mutex::new(child),
            #[cfg(unix)]
            leads,
        });
        lock(&RUNNING).push(running.clone());
        let output = self.read_until(&running, stdout, deadline);
        if output.is_err() {
            // It may have ended by itself meanwhile, which is just as well.
            running.end(true);
            let _ = lock(&running.child).wait();
        }
        lock(&RUNNING).retain(|other| !Arc::ptr_eq(other, &running));
        let output = output?;
        if output.trim().is_empty() {
            return Err("printed nothing: run it by hand to see why".to_owned());
        }
        Ok(output)
    }

    /// Reads on a thread of its own, for the program may keep its output open for ever.
    fn read_until(
        &self,
        running: &Running,
        stdout: Option<ChildStdout>,
        deadline: Instant,
    ) -> Result<String, String> {
        let too_slow = || {
            let seconds = self.patience.as_secs_f32();
            format!("did not end within {seconds} s: run it by hand to see why")
        };
        let Some(stdout) = stdout else {
            return Err("has no output".to_owned());
        };
        let (sender, receiver) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(LONGEST).read_to_end(&mut bytes).map(|_| bytes);
            // Nobody listens any more when it took too long.
            let _ = sender.send(read);
        });
        let left = deadline.saturating_duration_since(Instant::now());
        let bytes = match receiver.recv_timeout(left) {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Err(format!("cannot be read from: {error}")),
            Err(RecvTimeoutError::Timeout) => return Err(too_slow()),
            Err(RecvTimeoutError::Disconnected) => return Err("cannot be read from".to_owned()),
        };
        let status = loop {
            match lock(&running.child).try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() >= deadline => return Err(too_slow()),
                Ok(None) => thread::sleep(Duration::from_millis(2)),
                Err(error) => return Err(format!("cannot be waited for: {error}")),
            }
        };
        if !status.success() {
            return Err(format!("failed ({status}): run it by hand to see why"));
        }
        String::from_utf8(bytes).map_err(|_| "printed no text: it must print the key".to_owned())
    }
}

/// Without its arguments, which may be nobody's business.
impl fmt::Debug for SecretCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretCommand")
            .field(&self.program())
            .finish()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::usable;
    use super::*;

    fn command(arguments: &[&str]) -> SecretCommand {
        SecretCommand::new(arguments.iter().map(ToString::to_string).collect())
    }

    fn reason(command: &SecretCommand) -> String {
        match command.run(usable) {
            Err(SecretCause::Command { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_it_prints_is_kept_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "sk-1\n").unwrap();
        let command = command(&["cat", path.to_str().unwrap()]);
        let key = || command.run(usable).unwrap().expose_secret().to_owned();
        assert_eq!(key(), "sk-1");
        std::fs::write(&path, "sk-2\n").unwrap();
        assert_eq!(key(), "sk-1");
        let still = |key: &str| command.still_prints(&SecretString::from(key));
        assert!(still("sk-1") && !still("sk-2"));
        command.forget();
        assert!(!still("sk-1"));
        assert_eq!(key(), "sk-2");
        assert!(still("sk-2") && !still("sk-1"));
    }

    #[test]
    fn no_shell_reads_the_arguments() {
        let command = command(&["echo", "$HOME;true"]);
        assert_eq!(command.run(usable).unwrap().expose_secret(), "$HOME;true");
    }

    #[test]
    fn failures_are_told_apart() {
        assert!(reason(&command(&["false"])).starts_with("failed (exit status: 1)"));
        assert!(reason(&command(&["true"])).starts_with("printed nothing"));
        assert!(reason(&command(&["/no/such/program"])).starts_with("cannot be started"));
        let mut slow = command(&["sleep", "20"]);
        slow.patience = Duration::from_millis(50);
        let start = Instant::now();
        assert!(reason(&slow).starts_with("did not end within 0.05 s"));
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn debug_shows_no_argument() {
        assert_eq!(
            format!("{:?}", command(&["vault", "sk-1"])),
            "SecretCommand(\"vault\")"
        );
    }
}
