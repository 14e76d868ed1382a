//! How the program came to a file: whether somebody named it, or it merely lay there.
//!
//! What merely lies in the working directory may have been put there by anybody, as in a cloned
//! repository. It chooses models; whatever else it asks for needs consent, see
//! [`TrustStore`](super::TrustStore).

use std::path::PathBuf;

use serde::Serialize;

use super::diagnose::{Position, Problem};

/// How a file was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// It was named: on the command line, in the environment, or by a program.
    Named,
    /// It stands in the user's own configuration directory.
    Own,
    /// It was found in the working directory.
    Found,
}

impl Provenance {
    /// Why the file is read, for people.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Provenance::Named => "it was named",
            Provenance::Own => "it is the user's own",
            Provenance::Found => "it was found in the working directory",
        }
    }
}

/// A configuration file that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Where it is; relative paths are relative to the working directory.
    pub path: PathBuf,
    /// How it was come by.
    pub provenance: Provenance,
}

/// A file that was found and asks for what needs consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the bytes that were read, in hexadecimal.
    pub sha256: String,
    /// Everything that it asks for, in its order. At least one.
    pub requests: Vec<Problem>,
}

/// More requests than these are not listed in an error.
const LISTED: usize = 20;

impl Untrusted {
    /// The requests, each once, with how many more places say the same: at most `most` lines, and
    /// how many were left out.
    #[must_use]
    pub fn lines(&self, most: usize) -> (Vec<String>, usize) {
        let mut lines: Vec<(&Problem, usize)> = vec![];
        for request in &self.requests {
            match lines
                .iter_mut()
                .find(|(known, _)| known.message == request.message)
            {
                Some((_, more)) => *more += 1,
                None => lines.push((request, 0)),
            }
        }
        let left_out = lines.len().saturating_sub(most);
        let lines = lines.into_iter().take(most).map(|(request, more)| {
            let line = match request.position {
                Some(Position { line, .. }) => format!("line {line}: "),
                None => String::new(),
            };
            let more = match more {
                0 => String::new(),
                more => format!(" (so do {more} more)"),
            };
            format!("{line}{}: {}{more}", request.path, request.message)
        });
        (lines.collect(), left_out)
    }

    /// The whole, as an error.
    pub(super) fn text(&self) -> String {
        let (lines, left_out) = self.lines(LISTED);
        let file = visible(&self.path.to_string_lossy());
        let mut text =
            format!("{file} was found in the working directory, and may not without your consent:");
        for line in lines {
            text.push_str("\n  ");
            text.push_str(&line);
        }
        if left_out > 0 {
            text.push_str(&format!("\n  and {left_out} more"));
        }
        text.push_str(&format!(
            "\nallow exactly this content with \"multillm config trust\", or name the file: \
             --config {file}"
        ));
        text
    }
}

/// A text of others in quotes, so that what is seen is what is there: whatever a terminal would
/// not show as itself stands as an escape, and nothing is cut.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => shown.extend(['\\', c]),
            _ => show(c, &mut shown),
        }
    }
    shown.push('"');
    shown
}

/// The same without the quotes.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| show(c, &mut shown));
    shown
}

fn show(c: char, shown: &mut String) {
    match is_plain(c) {
        true => shown.push(c),
        false => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
    }
}

/// Letters, digits and ASCII. Not marks, format characters and spaces of other scripts, which
/// could turn, hide or join what stands around them.
fn is_plain(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric() && !is_hidden(c))
}

/// Letters by name that show nothing: the Hangul fillers.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_in_what_is_shown() {
        assert_eq!(shown("sh -c \"x\""), r#""sh -c \"x\"""#);
        assert_eq!(shown("~/项目/é"), "\"~/项目/é\"");
        for hidden in [
            '\u{202e}',
            '\u{200b}',
            '\u{e0041}',
            '\u{1b}',
            '\u{9b}',
            '\n',
            '\u{3164}',
            '\u{a0}',
        ] {
            let text = shown(&format!("a{hidden}b"));
            assert!(text.is_ascii() && text.starts_with("\"a\\u{"), "{text}");
        }
    }

    #[test]
    fn the_same_request_in_many_places_is_one_line() {
        let request = |line, path: &str, message: &str| Problem {
            file: None,
            position: Some(Position { line, column: 1 }),
            path: path.to_owned(),
            message: message.to_owned(),
        };
        let untrusted = Untrusted {
            path: "configs/x.json".into(),
            sha256: String::new(),
            requests: vec![
                request(2, "models.a.base_url", "send to x"),
                request(3, "models.b.base_url", "send to x"),
                request(4, "prices", "read the file y"),
            ],
        };
        assert_eq!(
            untrusted.text(),
            "configs/x.json was found in the working directory, and may not without your consent:\n  \
             line 2: models.a.base_url: send to x (so do 1 more)\n  \
             line 4: prices: read the file y\n\
             allow exactly this content with \"multillm config trust\", or name the file: \
             --config configs/x.json"
        );
        assert_eq!(untrusted.lines(1).1, 1);
    }
}
