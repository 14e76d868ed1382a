//! A window of `tmux`: what a person sees in it, what is typed into it, and its size. Whatever is waited for is
//! looked for until it is there, so that no machine is too slow.

#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::stage::{Stage, program};

/// Longer than anything takes on a machine that does much besides.
const PATIENCE: Duration = Duration::from_secs(90);

/// A window; it is closed with this.
pub(crate) struct Window {
    socket: String,
}

impl Window {
    /// A window in which the program runs; nothing where `tmux` is not installed.
    pub(crate) fn asking(stage: &Stage, columns: u16, arguments: &str) -> Option<Self> {
        let program = program().display().to_string();
        let config = stage.config_file().display().to_string();
        // Ctrl-C is for the program; the window stays open behind it.
        let line = format!("trap : INT; {program} --config {config} {arguments}; sleep 600");
        Self::running(stage, columns, &line, &[])
    }

    /// A window in which a shell's line runs, with more variables.
    pub(crate) fn running(
        stage: &Stage,
        columns: u16,
        line: &str,
        variables: &[(&str, String)],
    ) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: tmux is not installed (apt-get install tmux)");
            return None;
        }
        let socket = stage.folder.path().join("tmux").display().to_string();
        let window = Window { socket };
        let size = columns.to_string();
        let start = || {
            Command::new("tmux")
                .args(["-S", &window.socket, "-f", "/dev/null", "new-session", "-d"])
                .args(["-x", &size, "-y", "60", line])
                .current_dir(stage.folder.path())
                .env("HOME", stage.folder.path())
                .env("SHELL", "/bin/sh")
                .env("TERM", "xterm-256color")
                .env("LC_ALL", "C.UTF-8")
                .env_remove("NO_COLOR")
                .env_remove("TMUX")
                .envs(stage.variables.iter().cloned())
                .envs(variables.iter().cloned())
                .stdin(Stdio::null())
                .status()
                .unwrap()
                .success()
        };
        // On a busy machine its two processes now and then miss each other.
        let started = (0..5_u64).any(|tries| {
            std::thread::sleep(Duration::from_millis(100 * tries));
            start()
        });
        assert!(started, "tmux does not start");
        Some(window)
    }

    /// What `tmux` says to a command of its own.
    pub(crate) fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-u", "-S", &self.socket]).args(arguments);
        let output = command.env("LC_ALL", "C.UTF-8").output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What stands in the window.
    pub(crate) fn seen(&self) -> String {
        let lines = self.tmux(&["capture-pane", "-p"]);
        let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// What stands in it once these words do.
    pub(crate) fn until(&self, words: &str) -> String {
        let begun = Instant::now();
        loop {
            let seen = self.seen();
            if seen.contains(words) {
                return seen;
            }
            assert!(begun.elapsed() < PATIENCE, "no {words:?} in\n{seen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Types keys, by the names that `tmux` has for them.
    pub(crate) fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys", "--"][..], keys].concat());
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
