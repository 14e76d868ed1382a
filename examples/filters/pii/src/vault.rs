//! What was kept back, and by which placeholder.
#![allow(
    clippy::indexing_slicing,
    reason = "places were found in the same text just before"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use multillm_plugin_sdk::filter::pieces::{Change, Stream};

use crate::find::{Found, Kind, find};

/// Where characters of a text moved: from the first one behind a replaced passage, and by how many.
pub(crate) type Moves = Vec<(u32, i64)>;

/// What was kept back.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    /// Placeholders by what they stand for.
    by_value: BTreeMap<String, String>,
    /// How many of each kind there are.
    counts: [u32; Kind::ALL.len()],
    /// Placeholders that stand in the conversation already.
    reserved: BTreeSet<String>,
}

impl Vault {
    /// Notes what looks like a placeholder in a text. Says whether there is any.
    pub(crate) fn reserve(&mut self, text: &str) -> bool {
        let mut any = false;
        for (at, _) in text.match_indices('[') {
            let rest = &text[at..];
            let Some(end) = rest.bytes().take(24).position(|byte| byte == b']') else {
                continue;
            };
            let word = &rest[..=end];
            if Kind::ALL.iter().any(|kind| is_placeholder(word, *kind)) {
                self.reserved.insert(word.to_owned());
                any = true;
            }
        }
        any
    }

    /// The text without what is to be kept back; nothing if there is nothing in it.
    pub(crate) fn hide(&mut self, text: &str, kinds: &[Kind]) -> Option<String> {
        let found = find(text, kinds);
        if found.is_empty() {
            return None;
        }
        let mut hidden = String::with_capacity(text.len());
        let mut at = 0;
        for one in &found {
            hidden += &text[at..one.start];
            hidden += &self.placeholder(one, text);
            at = one.end;
        }
        hidden += &text[at..];
        Some(hidden)
    }

    /// Where characters move when these are hidden.
    pub(crate) fn moves(&mut self, text: &str, found: &[Found]) -> Moves {
        let moves = found.iter().map(|one| {
            let behind = text[..one.end].chars().count();
            let length = text[one.start..one.end].chars().count();
            let shown = self.placeholder(one, text).chars().count();
            (number(behind), signed(shown) - signed(length))
        });
        moves.collect()
    }

    fn placeholder(&mut self, found: &Found, text: &str) -> String {
        let value = &text[found.start..found.end];
        if let Some(known) = self.by_value.get(value) {
            return known.clone();
        }
        let count = &mut self.counts[found.kind as usize];
        let placeholder = loop {
            *count += 1;
            let next = format!("[{}_{count}]", found.kind.word());
            if !self.reserved.contains(&next) {
                break next;
            }
        };
        self.by_value.insert(value.to_owned(), placeholder.clone());
        placeholder
    }
}

fn is_placeholder(word: &str, kind: Kind) -> bool {
    let inner = word
        .strip_prefix('[')
        .and_then(|word| word.strip_suffix(']'));
    let number = inner
        .and_then(|inner| inner.strip_prefix(kind.word()))
        .and_then(|rest| rest.strip_prefix('_'));
    number.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Where a character is after the moves.
pub(crate) fn moved(at: u32, moves: &[(u32, i64)]) -> u32 {
    let by: i64 = moves
        .iter()
        .take_while(|(behind, _)| *behind <= at)
        .map(|(_, by)| by)
        .sum();
    u32::try_from((i64::from(at) + by).max(0)).unwrap_or(u32::MAX)
}

/// Puts back what was kept back, piece by piece.
#[derive(Debug)]
pub(crate) struct Restoring {
    /// What they stand for, by placeholder.
    values: BTreeMap<String, String>,
    longest: usize,
    /// Characters of the text so far, as the vendor wrote it.
    written: u32,
    moves: Moves,
}

impl Restoring {
    pub(crate) fn new(vault: Vault) -> Self {
        let values: BTreeMap<String, String> = vault
            .by_value
            .into_iter()
            .map(|(value, placeholder)| (placeholder, value))
            .collect();
        Restoring {
            longest: values.keys().map(String::len).max().unwrap_or(0),
            values,
            written: 0,
            moves: vec![],
        }
    }

    /// Where characters of the text part so far are now.
    pub(crate) fn moves(&self) -> &[(u32, i64)] {
        &self.moves
    }

    /// Text that follows is another part's.
    pub(crate) fn another_part(&mut self) {
        self.written = 0;
        self.moves.clear();
    }

    /// A whole text with everything put back.
    pub(crate) fn restored(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        self.walk(text, |piece, _| out.push_str(piece));
        out
    }

    /// Says each piece of a text: what stands there, and which placeholder it stands for.
    fn walk(&self, text: &str, mut say: impl FnMut(&str, Option<&str>)) {
        let mut rest = text;
        while let Some(at) = rest.find('[') {
            let (before, from) = rest.split_at(at);
            say(before, None);
            let end = from
                .bytes()
                .take(self.longest)
                .position(|byte| byte == b']');
            let word = end.map(|end| &from[..=end]);
            match word.and_then(|word| Some((word, self.values.get(word)?))) {
                Some((word, value)) => {
                    say(value, Some(word));
                    rest = &from[word.len()..];
                }
                None => {
                    say("[", None);
                    rest = &from[1..];
                }
            }
        }
        say(rest, None);
    }
}

impl Change for Restoring {
    /// All but what may become a placeholder.
    fn ready(&self, text: &str) -> usize {
        let Some(at) = text.rfind('[') else {
            return text.len();
        };
        let tail = &text[at..];
        let open = self
            .values
            .keys()
            .any(|word| word.len() > tail.len() && word.starts_with(tail));
        if open { at } else { text.len() }
    }

    fn change(&mut self, stream: Stream, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let (mut written, mut moves) = (self.written, vec![]);
        self.walk(text, |piece, word| {
            let piece = match stream {
                Stream::Arguments(_) if word.is_some() => in_json(piece),
                _ => Cow::Borrowed(piece),
            };
            out.push_str(&piece);
            let shown = piece.chars().count();
            match word {
                None => written += number(shown),
                Some(word) => {
                    let length = word.chars().count();
                    written += number(length);
                    moves.push((written, signed(shown) - signed(length)));
                }
            }
        });
        if stream == Stream::Text {
            self.written = written;
            self.moves.extend(moves);
        }
        out
    }
}

/// As it stands in a JSON text.
fn in_json(value: &str) -> Cow<'_, str> {
    if !value.contains(['"', '\\']) && !value.contains(char::is_control) {
        return Cow::Borrowed(value);
    }
    let quoted = serde_json::to_string(value).unwrap_or_default();
    Cow::Owned(quoted[1..quoted.len() - 1].to_owned())
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
