//! The arguments as they were typed, before they are read: which of them are texts that begin with
//! a dash, whether failures are wanted as JSON, and what a shell is about to complete. What
//! they mean is said by the commands, and no argument is judged here.

mod former;

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

/// How like a known option an unknown one must be to be its misspelling, and no text.
const LIKE: f64 = 0.8;

/// Typed words, ready to be read.
pub(super) struct Typed {
    /// The program's name and its arguments; texts that begin with a dash stand behind `--`.
    pub(super) words: Vec<OsString>,
    /// `--json` is among them.
    pub(super) json: bool,
    /// `-c` is, and goes on with the last conversation.
    pub(super) continues: bool,
}

/// The words with options by their present names.
pub(super) fn present(command: &Command, words: Vec<OsString>) -> Vec<OsString> {
    former::renamed(Walk::new(command), words)
}

/// Reads what was typed, the program's name first. A word that begins with a dash and can be no
/// option, such as `- a list` or `--find me`, is a text like any other.
pub(super) fn typed(command: &Command, words: Vec<OsString>) -> Typed {
    let mut walk = Walk::new(command);
    let mut words = words.into_iter();
    let (mut before, mut behind) = (Vec::from_iter(words.next()), vec![]);
    let (mut json, mut continues) = (false, false);
    for word in present(command, words.collect()) {
        match walk.step(&word) {
            Role::Dashes => {}
            Role::Text | Role::Behind => behind.push(word),
            role => {
                json |= role == Role::Json;
                continues |= word == "-c";
                before.push(word);
            }
        }
    }
    if walk.escaped || !behind.is_empty() {
        before.push("--".into());
        before.append(&mut behind);
    }
    Typed {
        words: before,
        json,
        continues,
    }
}

/// What the parser has to say of a fault, on one line, without colours and the way to use the command.
pub(super) fn in_words(fault: &clap::Error) -> String {
    if fault.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "no command is given: \"multillm --help\" lists them".to_owned();
    }
    let text = fault.render().to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty());
    let words: Vec<&str> = lines
        .map(|line| line.trim_start_matches("error: "))
        .collect();
    words.join("; ").replace(":; ", ": ")
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `--json`.
    Json,
    /// A text that begins with a dash.
    Text,
    /// The `--` behind which nothing is an option.
    Dashes,
    /// Behind it.
    Behind,
    /// Anything else.
    Other,
}

/// What stands at a place where something is to be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot<'a> {
    /// The value of this option.
    Value(&'a str),
    /// This argument of the command.
    Argument(&'a str),
}

/// Goes through words from left to right.
pub(super) struct Walk<'a> {
    command: &'a Command,
    /// The names of the subcommands so far.
    pub(super) path: Vec<&'a str>,
    /// An option whose value comes next.
    pending: Option<&'a Arg>,
    /// An option that may have more values.
    more: Option<&'a Arg>,
    arguments: usize,
    escaped: bool,
}

impl<'a> Walk<'a> {
    /// `command` has to be built, so that global options are in its subcommands.
    pub(super) fn new(command: &'a Command) -> Self {
        Walk {
            command,
            path: vec![],
            pending: None,
            more: None,
            arguments: 0,
            escaped: false,
        }
    }

    /// What the next word would be the value of; `begun` is what is typed of it.
    pub(super) fn slot(&self, begun: &str) -> Option<Slot<'a>> {
        if let Some((name, _)) = begun.strip_prefix("--").and_then(|it| it.split_once('=')) {
            return self
                .long(name)
                .map(|option| Slot::Value(option.get_id().as_str()));
        }
        if let Some(option) = self.pending {
            return Some(Slot::Value(option.get_id().as_str()));
        }
        if begun.starts_with('-') && !self.escaped {
            return None;
        }
        if let Some(option) = self.more {
            return Some(Slot::Value(option.get_id().as_str()));
        }
        let mut arguments = self.command.get_positionals();
        let argument = arguments
            .nth(self.arguments)
            .or_else(|| self.command.get_positionals().last().filter(|it| many(it)))?;
        Some(Slot::Argument(argument.get_id().as_str()))
    }

    /// Whether the next word may be an option, and not the value of one.
    fn is_at_option(&self) -> bool {
        self.pending.is_none() && !self.escaped
    }

    /// Whether this letter is an option that takes no value.
    fn is_flag(&self, letter: char) -> bool {
        self.short(letter)
            .is_some_and(|option| !option.get_action().takes_values())
    }

    /// Goes over a word, for what stands behind it.
    pub(super) fn pass(&mut self, word: &OsStr) {
        self.step(word);
    }

    fn step(&mut self, word: &OsStr) -> Role {
        if self.escaped {
            self.arguments += 1;
            return Role::Behind;
        }
        let word = &*word.to_string_lossy();
        if let Some(option) = self.pending.take() {
            let dash = word.starts_with('-') && word != "-";
            if !dash || option.is_allow_hyphen_values_set() || is_number(word) {
                self.more = Some(option).filter(|option| many(option));
                return Role::Other;
            }
        }
        if word == "--" {
            self.escaped = true;
            return Role::Dashes;
        }
        if word.starts_with('-') && word != "-" {
            self.more = None;
            return self.dashed(word);
        }
        if self.more.is_some() {
            return Role::Other;
        }
        match self.command.find_subcommand(word) {
            Some(inner) if self.arguments == 0 => {
                self.command = inner;
                self.path.push(inner.get_name());
            }
            _ => self.arguments += 1,
        }
        Role::Other
    }

    /// A word that begins with a dash: options, or a text.
    fn dashed(&mut self, word: &str) -> Role {
        let blank = word.contains(char::is_whitespace);
        if let Some(rest) = word.strip_prefix("--") {
            let end = rest.find(|c: char| c == '=' || c.is_whitespace());
            let (name, behind) = rest.split_at(end.unwrap_or(rest.len()));
            return match self.long(name) {
                Some(option) if behind.is_empty() => {
                    if option.get_action().takes_values() {
                        self.pending = Some(option);
                    }
                    match option.get_id() == "json" {
                        true => Role::Json,
                        false => Role::Other,
                    }
                }
                Some(_) => Role::Other,
                None if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) => self.text(),
                None if blank && !self.misspelt(name) => self.text(),
                None => Role::Other,
            };
        }
        let letters = word.get(1..).unwrap_or_default();
        for (at, letter) in letters.char_indices() {
            let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            match self.short(letter) {
                Some(option) if option.get_action().takes_values() => {
                    if rest.starts_with(char::is_whitespace) {
                        return self.text();
                    }
                    if rest.is_empty() {
                        self.pending = Some(option);
                    }
                    return Role::Other;
                }
                Some(_) => {}
                None if is_number(word) => return self.text(),
                None if blank || !letter.is_ascii_alphanumeric() => return self.text(),
                None => return Role::Other,
            }
        }
        Role::Other
    }

    /// A text, where the command takes one.
    fn text(&mut self) -> Role {
        if self.command.get_positionals().next().is_none() {
            return Role::Other;
        }
        self.arguments += 1;
        Role::Text
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        let mut all = self.command.get_arguments();
        all.find(|option| option.get_long() == Some(name))
    }

    fn short(&self, letter: char) -> Option<&'a Arg> {
        let mut all = self.command.get_arguments();
        all.find(|option| option.get_short() == Some(letter))
    }

    fn misspelt(&self, name: &str) -> bool {
        let longs = self.command.get_arguments().filter_map(Arg::get_long);
        longs
            .into_iter()
            .any(|known| strsim::jaro(known, name) > LIKE)
    }
}

fn many(argument: &Arg) -> bool {
    let values = argument.get_num_args();
    values.is_some_and(|values| values.max_values() > 1)
        || argument.is_positional() && matches!(argument.get_action(), clap::ArgAction::Append)
}

fn is_number(word: &str) -> bool {
    word.len() > 1 && word.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests;
