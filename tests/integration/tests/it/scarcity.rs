//! Systems that give little: address space, processes and threads. The answer comes, or the message
//! names what is short; nothing hangs, and no plugin is blamed.

#![cfg(target_os = "linux")]

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::stage::{Stage, program};

/// A user without processes.
const NOBODY: u32 = 65_534;

/// Runs the program under a limit of the shell's, with a cache of its own.
fn limited(stage: &Stage, limit: &str, user: Option<u32>, arguments: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")])
        .arg(program())
        .args(arguments)
        .arg("--config")
        .arg(stage.config_file())
        .current_dir(stage.folder.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", stage.folder.path())
        .envs(stage.variables.iter().cloned())
        .stdin(Stdio::null());
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn two_gigabytes_of_address_space_are_enough() {
    let stage = Stage::new();
    for round in ["compiled", "kept"] {
        let done = limited(&stage, "-v 2097152", None, &["query", "hi"]);
        let (out, err) = said(&done);
        assert!(
            done.status.success() && out.contains("You said: hi"),
            "{round}: {out}{err}"
        );
    }
}

#[test]
fn little_address_space_is_said_to_be_little() {
    let stage = Stage::new();
    for megabytes in [120, 250, 500] {
        let done = limited(
            &stage,
            &format!("-v {}", megabytes << 10),
            None,
            &["query", "hi"],
        );
        let (out, err) = said(&done);
        assert!(
            !err.contains("is no WebAssembly component"),
            "{megabytes}: {err}"
        );
        assert!(
            out.contains("You said: hi") || !err.is_empty(),
            "{megabytes}: {done:?}"
        );
    }
}

#[test]
fn few_threads_are_enough_or_said_to_be_few() {
    let stage = Stage::new();
    if chown(stage.folder.path(), Some(NOBODY), Some(NOBODY)).is_err() {
        return; // Only root may become somebody without processes.
    }
    let usable = limited(&stage, "-u 4000", Some(NOBODY), &["config", "path"]);
    if !usable.status.success() {
        return; // The program lies where nobody else may read.
    }
    let mut answered = 0;
    for processes in [1, 2, 3, 5, 7, 8, 9, 10, 12, 16, 24, 64] {
        let begun = Instant::now();
        let limit = format!("-u {processes}");
        let done = limited(&stage, &limit, Some(NOBODY), &["query", "hi"]);
        let (out, err) = said(&done);
        assert!(!err.contains("panicked"), "{processes}: {err}");
        match done.status.success() {
            true => {
                assert!(out.contains("You said: hi"), "{processes}: {out}");
                answered += 1;
            }
            false => assert!(err.contains("ulimit -u"), "{processes}: {err}"),
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{processes} hung"
        );
    }
    assert!(answered >= 3, "only {answered} limits were enough");
}
