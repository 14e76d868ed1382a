//! What the user says: from an edited line, or from a pipe.
//!
//! A message may take several lines: one that ends with `\` goes on, and so does a block that was
//! opened with ` ``` ` until it is closed.

use std::path::PathBuf;

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Editor, Helper, Highlighter, Hinter};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Stdin};

use super::super::ending::Ending;
use super::super::{Context, Failure};
use super::command;
use multillm::error::{Error, ErrorKind};

/// The longest message that is read from a pipe, in bytes.
const MAX_MESSAGE: u64 = 32 << 20;

/// A message of the user.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    Interrupted,
    End,
}

/// Where messages come from.
pub(super) enum Input {
    Terminal {
        /// Absent only while it reads.
        editor: Option<Box<Editor<Assistant, FileHistory>>>,
        lines: Option<PathBuf>,
    },
    Plain(BufReader<Stdin>),
}

/// Knows when a message is complete, and the commands' names.
#[derive(Helper, Hinter, Highlighter)]
pub(super) struct Assistant {
    models: Vec<String>,
    templates: Vec<String>,
    files: FilenameCompleter,
}

impl Assistant {
    /// Knows these names of models and templates.
    pub(super) fn new(models: Vec<String>, templates: Vec<String>) -> Self {
        Assistant {
            models,
            templates,
            files: FilenameCompleter::new(),
        }
    }
}

impl Input {
    /// The terminal with its history, if this is one; else standard input as it comes.
    pub(super) fn new(context: &Context, lines: Option<PathBuf>, assistant: Assistant) -> Self {
        let edited =
            context.printer.is_terminal() && std::io::IsTerminal::is_terminal(&std::io::stdin());
        let config = rustyline::Config::builder()
            .auto_add_history(true)
            .history_ignore_space(true)
            .completion_type(rustyline::CompletionType::List)
            .build();
        match Editor::with_config(config) {
            Ok(mut editor) if edited => {
                editor.set_helper(Some(assistant));
                if let Some(lines) = &lines {
                    let _ = editor.load_history(lines);
                }
                Input::Terminal {
                    editor: Some(Box::new(editor)),
                    lines,
                }
            }
            _ => Input::Plain(BufReader::new(tokio::io::stdin())),
        }
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Input::Terminal { .. })
    }

    /// The next message.
    pub(super) async fn next(&mut self, prompt: &str, ending: &Ending) -> Result<Line, Failure> {
        match self {
            Input::Plain(input) => tokio::select! {
                biased;
                signal = ending.told() => Err(Failure::Stopped(signal)),
                () = interrupt(ending) => Ok(Line::Interrupted),
                line = plain(input) => line,
            },
            Input::Terminal { editor, lines } => {
                let Some(mut taken) = editor.take() else {
                    return Ok(Line::End);
                };
                let (prompt, lines) = (prompt.to_owned(), lines.clone());
                let read = tokio::task::spawn_blocking(move || {
                    let line = taken.readline(&prompt);
                    if let (Ok(_), Some(lines)) = (&line, lines) {
                        let _ = taken.append_history(&lines);
                    }
                    (taken, line)
                });
                let (taken, line) = tokio::select! {
                    biased;
                    signal = ending.told() => return Err(Failure::Stopped(signal)),
                    read = read => read.map_err(unreadable)?,
                };
                *editor = Some(taken);
                match line {
                    Ok(text) => Ok(Line::Text(message(&text))),
                    Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
                    Err(ReadlineError::Eof) => Ok(Line::End),
                    Err(error) => Err(unreadable(error).into()),
                }
            }
        }
    }
}

/// Ctrl-C, where it means that an answer is to stop and not the program.
pub(super) async fn interrupt(ending: &Ending) {
    if !ending.leaves_interrupts() || tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Other,
        format!("the terminal cannot be read: {error}"),
    )
}

/// A message from a pipe.
async fn plain(input: &mut BufReader<Stdin>) -> Result<Line, Failure> {
    let mut bytes = vec![];
    loop {
        let left = MAX_MESSAGE.saturating_sub(bytes.len() as u64) + 1;
        let more = (&mut *input).take(left).read_until(b'\n', &mut bytes).await;
        let more =
            more.map_err(|error| Failure::Usage(format!("cannot read standard input: {error}")))?;
        if bytes.len() as u64 > MAX_MESSAGE {
            return Err(Failure::Usage(format!(
                "a line of standard input has more than {} MiB: send less",
                MAX_MESSAGE >> 20
            )));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            Failure::Usage("standard input is no UTF-8 text: convert it".to_owned())
        })?;
        match (more, is_complete(text.trim_end_matches(['\n', '\r']))) {
            (0, _) if bytes.is_empty() => return Ok(Line::End),
            (0, _) | (_, true) => return Ok(Line::Text(message(text))),
            (_, false) => {}
        }
    }
}

/// Whether nothing more belongs to the message.
fn is_complete(text: &str) -> bool {
    let fences = text
        .lines()
        .filter(|line| line.trim_start().starts_with("```"))
        .count();
    fences % 2 == 0 && !text.ends_with('\\')
}

/// The message without what only tells that it goes on.
fn message(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let text = text.trim_end_matches('\n');
    let bare = text
        .strip_prefix("```\n")
        .and_then(|rest| rest.strip_suffix("\n```"));
    let text = bare.filter(|inner| !inner.contains("```")).unwrap_or(text);
    text.strip_suffix('\\')
        .unwrap_or(text)
        .replace("\\\n", "\n")
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_complete(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        context: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = line.get(..at).unwrap_or_default();
        if !typed.starts_with('/') {
            return Ok((at, vec![]));
        }
        let (start, names) = match typed.split_once(' ') {
            None => (0, command::names().map(str::to_owned).collect()),
            Some((command, rest)) => {
                let word = rest.trim_start();
                let names = match command {
                    "/model" => self.models.clone(),
                    "/template" if !word.contains(' ') => self.templates.clone(),
                    "/image" | "/file" | "/load" | "/save" => {
                        return self.files.complete(line, at, context);
                    }
                    _ => vec![],
                };
                (at - word.len(), names)
            }
        };
        let begun = typed.get(start..).unwrap_or_default();
        let pairs = names
            .into_iter()
            .filter(|name| name.starts_with(begun))
            .map(|name| Pair {
                display: name.clone(),
                replacement: name,
            });
        Ok((start, pairs.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_files_are_completed_behind_their_commands() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("notes.md"), "x").unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let models = names(&["gpt-4", "gpt-5 mini", "claude"]);
        let assistant = Assistant::new(models, names(&["greet", "review"]));
        let history = rustyline::history::MemHistory::new();
        let context = rustyline::Context::new(&history);
        let completed = |line: &str| {
            let (start, pairs) = assistant.complete(line, line.len(), &context).unwrap();
            let begun = &line[..start];
            let words = pairs
                .iter()
                .map(|pair| format!("{begun}{}", pair.replacement));
            words.collect::<Vec<_>>()
        };
        assert_eq!(completed("/mo"), ["/model"]);
        assert_eq!(
            completed("/model gp"),
            ["/model gpt-4", "/model gpt-5 mini"]
        );
        assert_eq!(completed("/model gpt-5 m"), ["/model gpt-5 mini"]);
        assert_eq!(completed("/model  cl"), ["/model  claude"]);
        assert_eq!(completed("/template gr"), ["/template greet"]);
        assert!(completed("/template greet gr").is_empty());
        assert!(completed("/system gp").is_empty());
        assert!(completed("what is /mo").is_empty());
        for command in ["/file", "/image", "/load", "/save"] {
            let begun = format!("{command} {}/no", folder.path().display());
            assert_eq!(completed(&begun), [format!("{begun}tes.md")]);
        }
    }

    #[test]
    fn messages_of_several_lines() {
        assert!(is_complete("one"));
        assert!(!is_complete("one \\"));
        assert!(!is_complete("look:\n```rust\nfn a() {}"));
        assert!(is_complete("look:\n```rust\nfn a() {}\n```"));
        assert_eq!(message("one \\\ntwo\n"), "one \ntwo");
        assert_eq!(message("```\none\n\ntwo\n```\r\n"), "one\n\ntwo");
        assert_eq!(message("```rust\nx\n```"), "```rust\nx\n```");
        assert_eq!(message("end\\"), "end");
    }
}
