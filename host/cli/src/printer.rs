//! The only place that prints. Data goes to stdout, everything else to stderr.
//!
//! Whatever is printed goes through [`foreign`], so that texts of others cannot steer a terminal, with one
//! exception: an answer that goes into a pipe or a file is data, and stays byte for byte as the
//! model wrote it. A program that shows it on a terminal has to see to that itself.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "the one place that may"
)]

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::foreign::{self, Flow};
use super::made::Screen;
use super::markdown::Links;
use super::sheet::{self, Sheet};
use multillm::error::{Error, ErrorKind};
use multillm::service::advice;

/// Writes to the two streams of the process.
pub(crate) struct Printer {
    quiet: bool,
    terminal: bool,
    color: bool,
    /// Stdout takes forms such as bold.
    forms: bool,
    /// Somebody may look at stderr, and it can be drawn on.
    drawable: bool,
    /// The answer on stdout, which comes in pieces.
    answer: Mutex<Flow>,
    /// The last data did not end its line.
    midline: AtomicBool,
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
            answer: Mutex::default(),
            midline: AtomicBool::new(false),
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

    /// Whether the terminal follows links (OSC 8), as far as it can be told.
    pub(crate) fn links(&self) -> Links {
        match self.forms && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout) {
            true => Links::Followed,
            false => Links::Written,
        }
    }

    /// How many columns stdout has, if it is a terminal that knows. One that says 0 does not.
    pub(crate) fn width(&self) -> Option<u16> {
        let width = comfy_table::Table::new().width();
        width.filter(|width| self.terminal && *width > 0)
    }

    /// A table, for the width of the terminal.
    pub(super) fn table(&self, table: &Sheet) -> io::Result<()> {
        self.line(&table.text(self.width().map(usize::from)))
    }

    /// Running text; on a terminal its words are not broken.
    pub(super) fn text(&self, text: &str) -> io::Result<()> {
        match self.width() {
            Some(width) => self.line(&sheet::wrapped(text, width.into()).join("\n")),
            None => self.line(text),
        }
    }

    /// What was drawn for a terminal: text that went through [`foreign`], in forms of our own.
    pub(crate) fn drawn(&self, text: &str) -> io::Result<()> {
        self.printed(text);
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// An empty screen, where there is one that takes forms; a pipe goes on.
    pub(crate) fn fresh_screen(&self) -> io::Result<()> {
        match self.forms {
            true => self.drawn("\x1b[2J\x1b[H"),
            false => Ok(()),
        }
    }

    /// Data that is shown faintly; only for a terminal that takes forms.
    pub(crate) fn dim(&self, text: &str) -> io::Result<()> {
        self.drawn(&format!("\x1b[2m{}\x1b[0m", self.in_flow(text)))
    }

    /// Something to know at the margin.
    pub(crate) fn dim_note(&self, text: &str) {
        match self.color && !self.quiet {
            true => {
                let _ = writeln!(io::stderr(), "\x1b[2m{}\x1b[0m", foreign::text(text));
            }
            false => self.note(text),
        }
    }

    /// Data, at once: as it is into a pipe or a file, fit to be shown on a terminal.
    pub(crate) fn data(&self, text: &str) -> io::Result<()> {
        match self.terminal {
            true => self.drawn(&self.in_flow(text)),
            false => self.drawn(text),
        }
    }

    /// A picture that a model made, where the terminal shows pictures.
    pub(crate) fn picture(&self, data: &[u8]) {
        let screen = Screen::of(|name| std::env::var(name).ok()).filter(|_| self.forms);
        if let Some(drawing) = screen.and_then(|screen| screen.drawing(data)) {
            // What cannot be shown is saved all the same.
            let _ = self.drawn(&drawing);
        }
    }

    /// Data that is no text, as it is.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    fn printed(&self, text: &str) {
        if !text.is_empty() {
            self.midline.store(!text.ends_with('\n'), Ordering::Relaxed);
        }
    }

    /// The prompt of an editor of lines is left as it stands: pastes are no longer marked, and what
    /// comes begins a line.
    pub(crate) fn leave_prompt(&self) {
        if self.terminal {
            let end = if self.midline.load(Ordering::Relaxed) {
                ""
            } else {
                "\n"
            };
            let mut out = io::stdout().lock();
            let _ = write!(out, "\x1b[?2004l{end}");
            let _ = out.flush();
        }
    }

    /// Nothing more comes, wherever the data ended: closes its line, unless it is `json`, and its
    /// forms.
    pub(crate) fn end_line(&self, json: bool) {
        if !json && self.midline.swap(false, Ordering::Relaxed) {
            let _ = self.drawn(if self.forms { "\x1b[0m\n" } else { "\n" });
        }
    }

    /// A line of ours, or several, wherever it goes. What others wrote must not break it: see
    /// [`foreign::line`].
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        self.drawn(&format!("{}\n", foreign::text(text)))
    }

    /// More of the answer, fit to be shown.
    fn in_flow(&self, text: &str) -> String {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer.push(text)
    }

    /// A JSON value on a line of its own. What a terminal would not be shown is escaped.
    pub(crate) fn json<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let text = foreign::json(&serde_json::to_string(value)?);
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Something to know, unless the user wants quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{}", foreign::text(text));
        }
    }

    /// A question; the answer is typed on the same line.
    pub(crate) fn ask(&self, text: &str) {
        let mut out = io::stderr().lock();
        let _ = write!(out, "{}", foreign::text(text));
        let _ = out.flush();
    }

    /// Something that went wrong.
    pub(crate) fn error(&self, text: &str) {
        let (on, off) = match self.color {
            true => ("\x1b[1;31m", "\x1b[0m"),
            false => ("", ""),
        };
        let _ = writeln!(io::stderr(), "{on}error{off}: {}", foreign::text(text));
    }

    /// A failed exchange, with what to do about it.
    pub(crate) fn failure(&self, error: &Error) {
        let text = match error.kind {
            // Ours, and of several lines where a configuration has several faults.
            ErrorKind::Configuration => error.message.clone(),
            _ => foreign::line(&error.to_string()),
        };
        self.error(&text);
        if let (Some(wait), Some(_)) = (error.retry_after_ms, error.status) {
            #[allow(clippy::cast_precision_loss, reason = "for people")]
            let seconds = wait as f64 / 1000.0;
            self.note(&format!("the vendor asks to wait {seconds:.1} s"));
        }
        if let Some(fix) = advice(error) {
            self.note(&format!("  fix: {}", foreign::line(&fix)));
        }
    }

    /// What the parser of arguments has to say: help, or a fault.
    pub(crate) fn of_parser(&self, said: &clap::Error) {
        let _ = said.print();
    }

    /// A failure as the last line of stderr.
    pub(crate) fn error_json(&self, error: &Error) {
        let mut line = serde_json::json!({ "error": **error });
        let told = line
            .get_mut("error")
            .and_then(serde_json::Value::as_object_mut);
        if let (Some(fix), Some(error)) = (advice(error), told) {
            error.insert("fix".to_owned(), fix.into());
        }
        let line = line.to_string();
        let _ = writeln!(io::stderr(), "{}", foreign::json(&line));
    }
}

/// Writes each event of the log as one line that is fit to be shown.
struct Log;

impl io::Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = foreign::line(&String::from_utf8_lossy(event));
        writeln!(io::stderr(), "{}", line.trim_end())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Compiles for another process of this program, by what stands behind the command's name.
pub(crate) fn compile(
    arguments: impl Iterator<Item = std::ffi::OsString>,
) -> std::process::ExitCode {
    multillm::plugin::compile_work(arguments, io::stdout().lock(), io::stderr())
}

/// Sends tracing to stderr, as far as it was asked for. Without colours: their escapes could not be told
/// from those that somebody else wrote.
pub(crate) fn start_tracing(verbose: u8, quiet: bool) {
    let default = match verbose {
        0 if quiet => "off",
        0 => "multillm=warn",
        1 => "multillm=debug",
        _ => "multillm=trace,wasmtime=info,reqwest=debug",
    };
    let asked = std::env::var("MULTILLM_LOG").ok();
    let filter = asked
        .and_then(|asked| asked.parse::<Targets>().ok())
        .unwrap_or_else(|| default.parse().unwrap_or_default());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Log)
        .with_ansi(false)
        .without_time();
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
}
