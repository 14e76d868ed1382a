//! The only place that prints. Data goes to stdout, everything else to stderr.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the one place that may"
)]

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::error::Error;

/// Writes to the two streams of the process.
pub(crate) struct Printer {
    quiet: bool,
    terminal: bool,
    color: bool,
    /// Stdout takes forms such as bold.
    forms: bool,
    /// Somebody may look at stderr, and it can be drawn on.
    drawable: bool,
}

impl Printer {
    pub(crate) fn new(quiet: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let terminal = io::stdout().is_terminal();
        Printer {
            quiet,
            terminal,
            color: io::stderr().is_terminal() && !plain,
            forms: terminal && !plain && !dumb,
            drawable: io::stderr().is_terminal() && !dumb,
        }
    }

    /// Whether stdout is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether stdout is a terminal that takes forms such as bold, and may be given them.
    pub(crate) fn takes_forms(&self) -> bool {
        self.forms
    }

    /// Whether somebody sees what is asked.
    pub(crate) fn is_seen(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether to show that something is going on.
    pub(crate) fn shows_progress(&self) -> bool {
        self.drawable && !self.quiet
    }

    /// How many columns stdout has, if it is a terminal.
    pub(crate) fn width(&self) -> Option<u16> {
        comfy_table::Table::new().width().filter(|_| self.terminal)
    }

    /// What was drawn for a terminal: text without control characters, in forms of our own.
    pub(crate) fn drawn(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Data that is shown faintly; only for a terminal that takes forms.
    pub(crate) fn dim(&self, text: &str) -> io::Result<()> {
        self.drawn(&format!("\x1b[2m{}\x1b[0m", harmless(text)))
    }

    /// Something to know at the margin.
    pub(crate) fn dim_note(&self, text: &str) {
        match self.color && !self.quiet {
            true => {
                let _ = writeln!(io::stderr(), "\x1b[2m{}\x1b[0m", harmless(text));
            }
            false => self.note(text),
        }
    }

    /// Data, as it is, at once. On a terminal without control characters, which could steer it.
    pub(crate) fn data(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match self.terminal {
            true => out.write_all(harmless(text).as_bytes())?,
            false => out.write_all(text.as_bytes())?,
        }
        out.flush()
    }

    /// A line of data.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        self.data(&format!("{text}\n"))
    }

    /// A JSON value on a line of its own.
    pub(crate) fn json<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Something to know, unless the user wants quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{}", harmless(text));
        }
    }

    /// A question; the answer is typed on the same line.
    pub(crate) fn ask(&self, text: &str) {
        let mut out = io::stderr().lock();
        let _ = write!(out, "{}", harmless(text));
        let _ = out.flush();
    }

    /// Something that went wrong.
    pub(crate) fn error(&self, text: &str) {
        let (on, off) = match self.color {
            true => ("\x1b[1;31m", "\x1b[0m"),
            false => ("", ""),
        };
        let _ = writeln!(io::stderr(), "{on}error{off}: {}", harmless(text));
    }

    /// A failed exchange, with what to do about it.
    pub(crate) fn failure(&self, error: &Error) {
        let text = match error.is_usage() {
            true => error.message.clone(),
            false => error.to_string(),
        };
        self.error(&text);
        if let (Some(wait), Some(_)) = (error.retry_after_ms, error.status) {
            #[allow(clippy::cast_precision_loss, reason = "for people")]
            let seconds = wait as f64 / 1000.0;
            self.note(&format!("the vendor asks to wait {seconds:.1} s"));
        }
    }

    /// A failure as the last line of stderr.
    pub(crate) fn error_json(&self, error: &Error) {
        let line = serde_json::json!({ "error": **error });
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// The text without control characters besides line feed and tab.
fn harmless(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

/// Sends tracing to stderr, as far as it was asked for.
pub(crate) fn start_tracing(verbose: u8, quiet: bool) {
    let default = match verbose {
        0 if quiet => "off",
        0 => "multillm=warn",
        1 => "multillm=debug",
        _ => "multillm=trace,wasmtime=info,reqwest=debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("MULTILLM_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .without_time()
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn an_answer_cannot_steer_the_terminal() {
        assert_eq!(
            harmless("a\x1b]0;title\x07b\r\n\tc\u{9b}2J"),
            "a]0;titleb\n\tc2J"
        );
    }
}
