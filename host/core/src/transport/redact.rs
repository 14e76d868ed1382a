//! Takes secrets out of what a server sent, before anybody else gets it.
//!
//! Some servers repeat the key they were sent: whole, cut short, escaped, encoded, in another case, or
//! in pieces. Found are a secret as it is, with any of its characters escaped as in JSON (`\u0073`) or
//! percent-encoded, in upper or lower case, and in base64 (either alphabet, at any of the three
//! places in a group); and the beginning of one that gives it away: at least eight characters and more
//! than half of it, or twelve and not masked behind. What a server has masked itself (`sk-ab****`) is
//! kept: it helps to see which key it was. Not found are other codings, such as hexadecimal or a
//! cipher: who encodes a key so means to hide it, and has it already.
//!
//! A secret that cannot be told from words (`test`, `content`) is not looked for, as good answers
//! would lose them; [`is_telling`] decides. In JSON only values are looked at: names of members and
//! types of events are never touched.

mod bytes;
mod json;
mod matching;
mod pieces;
mod telling;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

pub use bytes::ByteScreen;
use matching::{Extent, Found, Pattern};
pub use pieces::Pieces;
pub use telling::is_telling;

/// What stands in a secret's place.
const MARK: &str = "[redacted]";

/// Finds the secrets of an exchange. Cloning is cheap; its `Debug` shows none.
#[derive(Clone, Default)]
pub struct Redactor(Option<Arc<Patterns>>);

struct Patterns {
    all: Vec<Pattern>,
    /// By the byte that something worth a closer look begins with: the bytes that may stand behind it, a bit each.
    pairs: Box<[[u64; 4]; 256]>,
}

/// How far a text was looked through.
struct Look {
    /// What has to go, in order, none overlapping another.
    found: Vec<Range<usize>>,
    /// From here on more text must come before anything can be told.
    open: usize,
}

impl Redactor {
    /// Finds these secrets, as far as they can be told from words.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s SecretString>) -> Self {
        let mut all: Vec<Pattern> = vec![];
        for secret in secrets {
            let secret = secret.expose_secret().trim();
            if is_telling(secret) {
                all.extend(Pattern::forms(secret));
            }
        }
        if all.is_empty() {
            return Redactor(None);
        }
        let mut pairs = Box::new([[0; 4]; 256]);
        for pattern in &all {
            for first in pattern.beginnings() {
                let Some(behind) = pairs.get_mut(usize::from(first)) else {
                    continue;
                };
                match pattern.second(first) {
                    Some(seconds) => seconds.into_iter().for_each(|second| {
                        if let Some(word) = behind.get_mut(usize::from(second >> 6)) {
                            *word |= 1 << (second & 63);
                        }
                    }),
                    None => *behind = [u64::MAX; 4],
                }
            }
        }
        Redactor(Some(Arc::new(Patterns { all, pairs })))
    }

    /// Whether there is nothing to find.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// The text without the secrets.
    #[must_use]
    pub fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.look(text, Extent::Whole).found;
        match found.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(without(text, &found)),
        }
    }

    /// The same for a text that may be JSON, in which only values are looked at. Beginnings of secrets stay: the
    /// rest may come with the next event, and [`Pieces`] finds both together.
    #[must_use]
    pub fn clean_json<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found = self.look(text, Extent::Encoded).found;
        if !found.is_empty() && text.trim_ascii_start().starts_with(['{', '[']) {
            found = json::within_values(text, &found);
        }
        match found.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(without(text, &found)),
        }
    }

    /// Looks a text through.
    fn look(&self, text: &str, extent: Extent) -> Look {
        let mut look = Look {
            found: vec![],
            open: text.len(),
        };
        let Some(patterns) = &self.0 else {
            return look;
        };
        let mut at = 0;
        while let Some(next) = patterns.candidate(text.as_bytes(), at) {
            match patterns.at(text, next, extent) {
                Found::No => at = next + 1,
                Found::Open => {
                    look.open = next;
                    break;
                }
                Found::Secret(end) => {
                    let Some(end) = patterns.with_overlaps(text, next, end, extent) else {
                        look.open = next;
                        break;
                    };
                    look.found.push(next..end);
                    at = end;
                }
            }
        }
        look
    }
}

impl Patterns {
    /// The next place that is worth a closer look.
    fn candidate(&self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        let may_begin = |byte: u8, next: Option<&u8>| {
            let Some(behind) = self.pairs.get(usize::from(byte)) else {
                return false;
            };
            match next {
                // Of several backslashes the last one escapes.
                Some(b'\\') if byte == b'\\' => false,
                Some(next) => behind
                    .get(usize::from(next >> 6))
                    .is_some_and(|word| word >> (next & 63) & 1 == 1),
                None => behind.iter().any(|word| *word != 0),
            }
        };
        let mut next = rest.iter().skip(1);
        let found = rest.iter().position(|byte| may_begin(*byte, next.next()));
        found.map(|at| from + at)
    }

    fn at(&self, text: &str, start: usize, extent: Extent) -> Found {
        if !text.is_char_boundary(start) {
            return Found::No;
        }
        self.all
            .iter()
            .map(|pattern| pattern.at(text, start, extent))
            .fold(Found::No, Found::longer)
    }

    /// Where the secrets end of which the first stands here and the next begin within it. Nothing if
    /// more text decides.
    fn with_overlaps(
        &self,
        text: &str,
        start: usize,
        mut end: usize,
        extent: Extent,
    ) -> Option<usize> {
        let mut at = start + 1;
        while let Some(next) = self
            .candidate(text.as_bytes(), at)
            .filter(|next| *next < end)
        {
            match self.at(text, next, extent) {
                Found::No => {}
                Found::Secret(later) => end = end.max(later),
                Found::Open => return None,
            }
            at = next + 1;
        }
        Some(end)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

fn without(text: &str, found: &[Range<usize>]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for range in found {
        clean.push_str(text.get(done..range.start).unwrap_or_default());
        clean.push_str(MARK);
        done = range.end;
    }
    clean.push_str(text.get(done..).unwrap_or_default());
    clean
}

#[cfg(test)]
mod tests;
