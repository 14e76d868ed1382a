//! Running other programs: inherited, captured, or bounded in time.

use std::env;
use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What a bounded program left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// Runs a command whose output goes straight to the terminal.
///
/// # Errors
///
/// The command cannot be started, or ends with another status than success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a command and returns its standard output; standard error goes to the terminal.
///
/// # Errors
///
/// As [`run`], or the output is no UTF-8.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed no UTF-8", shown(command)))
}

/// Runs a command with both outputs captured, and kills it when `limit` has passed.
///
/// # Errors
///
/// The command cannot be started, or did not end in time.
pub(crate) fn finish_within(command: &mut Command, limit: Duration) -> Result<Finished> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let stdout = read_aside(child.stdout.take());
    let stderr = read_aside(child.stderr.take());

    let deadline = started + limit;
    let left = || deadline.saturating_duration_since(Instant::now());
    let outputs = stdout
        .recv_timeout(left())
        .and_then(|out| stderr.recv_timeout(left()).map(|err| (out, err)));
    let Ok((stdout, stderr)) = outputs else {
        // It may have ended by itself in this very moment: then there is nothing to kill.
        let _ = child.kill();
        let _ = child.wait();
        bail!("did not end within {} s and was killed", limit.as_secs());
    };
    let status = child.wait().context("cannot wait for the program")?;
    Ok(Finished {
        status,
        stdout,
        stderr,
        took: started.elapsed(),
    })
}

/// Reads a pipe to its end on a thread of its own.
fn read_aside(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        // The receiver is gone when the time is up.
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// What a process needs to run at all, on any platform.
const INHERITED: [&str; 8] = [
    "HOME",
    "LANG",
    "LOCALAPPDATA",
    "PATH",
    "SystemRoot",
    "TEMP",
    "TMPDIR",
    "USERPROFILE",
];

/// A command that sees nothing of the caller's environment that could configure it:
/// no keys, no base URLs, no proxies.
pub(crate) fn in_clean_environment(program: &Path) -> Command {
    let mut command = Command::new(program);
    let kept = INHERITED
        .iter()
        .filter_map(|name| Some((name, env::var_os(name)?)));
    command.env_clear().envs(kept);
    command
}

/// Takes out of a command's environment what `cargo run` put there about this program. Build scripts ask cargo to watch some of
/// it (ring's do), so that everything above them would be built anew whenever cargo is called in turn by hand and from here.
pub(crate) fn as_by_hand(command: &mut Command) {
    let ours = |name: &str| {
        let mut beginnings = ["CARGO_PKG_", "CARGO_MANIFEST_"].iter();
        beginnings.any(|beginning| name.starts_with(beginning))
    };
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(ours) {
            command.env_remove(name);
        }
    }
}

/// A pool for work that waits for programs, so many at a time; by default as many as there are cores.
///
/// # Errors
///
/// There are no threads to be had.
pub(crate) fn pool(jobs: Option<usize>) -> Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0));
    pool.build().context("cannot start threads")
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let quoted = |text: &std::ffi::OsStr| {
        let text = text.to_string_lossy().into_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
        if !text.is_empty() && text.chars().all(plain) {
            text
        } else {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
    };
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_so_that_it_can_be_pasted() {
        let mut command = Command::new("multillm");
        command.args(["query", "it's me", "--model=gpt-4", ""]);
        assert_eq!(
            shown(&command),
            r"multillm query 'it'\''s me' --model=gpt-4 ''"
        );
    }

    #[test]
    fn what_cargo_says_of_this_program_is_not_passed_on() {
        // Cargo runs tests as it runs programs.
        assert!(env::var_os("CARGO_PKG_NAME").is_some());
        let mut command = Command::new("cargo");
        as_by_hand(&mut command);
        for name in [
            "CARGO_PKG_NAME",
            "CARGO_PKG_VERSION_PRE",
            "CARGO_MANIFEST_DIR",
        ] {
            let removed = command
                .get_envs()
                .any(|(other, value)| other == name && value.is_none());
            assert!(removed, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let limit = Duration::from_millis(200);
        let error = finish_within(Command::new("sleep").arg("20"), limit)
            .expect_err("sleep ended early")
            .to_string();
        assert!(error.contains("did not end within"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn both_outputs_and_the_status_are_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let finished = finish_within(&mut command, Duration::from_secs(20)).expect("sh runs");
        assert_eq!(finished.status.code(), Some(3));
        assert_eq!(finished.stdout, "out\n");
        assert_eq!(finished.stderr, "err\n");
    }
}
