//! A program that prints a key, run without a shell.

use std::fmt;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::{LONGEST, SecretCause};

/// How long the program may take. Long enough for a person to touch a security key.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long what it printed is used again.
const KEPT: Duration = Duration::from_secs(60);

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
        let mut child = Command::new(self.program())
            .args(self.arguments.iter().skip(1))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| {
                format!("cannot be started ({error}): install it or correct api_key_command")
            })?;
        let output = self.read_until(&mut child, deadline);
        if output.is_err() {
            // It may have ended by itself meanwhile, which is just as well.
            let _ = child.kill();
            let _ = child.wait();
        }
        let output = output?;
        if output.trim().is_empty() {
            return Err("printed nothing: run it by hand to see why".to_owned());
        }
        Ok(output)
    }

    /// Reads on a thread of its own, for the program may keep its output open for ever.
    fn read_until(&self, child: &mut Child, deadline: Instant) -> Result<String, String> {
        let too_slow = || {
            let seconds = self.patience.as_secs_f32();
            format!("did not end within {seconds} s: run it by hand to see why")
        };
        let Some(stdout) = child.stdout.take() else {
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
            match child.try_wait() {
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
        command.forget();
        assert_eq!(key(), "sk-2");
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
