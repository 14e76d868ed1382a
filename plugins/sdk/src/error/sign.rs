//! Signs by which an error is known for what it is, and how they are looked for.
//!
//! Which signs there are is data: see the table in `common`, and those of the adapters.

use crate::ErrorKind;

/// The longest run that a gap of a pattern may stand for, in bytes.
const GAP_BYTES: usize = 240;
/// The most words that `*` may stand for.
const GAP_WORDS: usize = 8;

/// By which an error is known for what it is, beyond its status.
#[derive(Clone, Copy, Debug)]
pub struct Sign {
    /// The statuses it counts for; empty for all. 0 is an error without one, inside a success.
    pub statuses: &'static [u16],
    /// Codes or types in lower case, of which one must be the error's. Case does not count.
    pub codes: &'static [&'static str],
    /// Lower-case texts, of which one may be in the message instead. `*` stands for a few
    /// words or none, `#` for one word at most, `^` for the beginning.
    pub messages: &'static [&'static str],
    /// What it is then.
    pub kind: ErrorKind,
    /// Whether it may pass by waiting.
    pub retryable: bool,
}

impl Sign {
    /// A sign of this meaning; the fields in their order.
    #[must_use]
    pub const fn new(
        statuses: &'static [u16],
        codes: &'static [&'static str],
        messages: &'static [&'static str],
        kind: ErrorKind,
        retryable: bool,
    ) -> Self {
        Sign {
            statuses,
            codes,
            messages,
            kind,
            retryable,
        }
    }

    /// Whether an error of this status shows it; `codes` and `message` in lower case.
    pub(super) fn shows(&self, status: u16, codes: &[String], message: &str) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&status))
            && (codes.iter().any(|code| self.codes.contains(&code.as_str()))
                || self.messages.iter().any(|text| says(message, text)))
    }
}

/// Whether a text holds a pattern; see [`Sign::messages`].
#[must_use]
pub fn says(text: &str, pattern: &str) -> bool {
    let (anchored, pattern) = match pattern.strip_prefix('^') {
        Some(pattern) => (true, pattern),
        None => (false, pattern),
    };
    let end = pattern.find(['*', '#']).unwrap_or(pattern.len());
    let (first, rest) = pattern.split_at(end);
    text.match_indices(first).any(|(at, _)| {
        let after = text.get(at + first.len()..).unwrap_or_default();
        (at == 0 || !anchored) && (rest.is_empty() || follows(after, rest))
    })
}

/// Whether a text begins with a gap and what comes after it.
fn follows(text: &str, pattern: &str) -> bool {
    let most = if pattern.starts_with('#') {
        1
    } else {
        GAP_WORDS
    };
    let pattern = pattern.get(1..).unwrap_or_default();
    let end = pattern.find(['*', '#']).unwrap_or(pattern.len());
    let (next, rest) = pattern.split_at(end);
    text.match_indices(next)
        .take_while(|(at, _)| *at <= GAP_BYTES)
        .any(|(at, _)| {
            let gap = text.get(..at).unwrap_or_default();
            let after = text.get(at + next.len()..).unwrap_or_default();
            gap.split([' ', ':'])
                .filter(|word| !word.is_empty())
                .count()
                <= most
                && (rest.is_empty() || follows(after, rest))
        })
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn a_gap_stands_for_few_words_and_a_narrow_one_for_one() {
        for (text, pattern, found) in [
            ("the model 'x' does not exist", "model#does not exist", true),
            ("model: x does not exist", "model#does not exist", true),
            ("model does not exist", "model#does not exist", true),
            (
                "a model, that file does not exist",
                "model#does not exist",
                false,
            ),
            (
                "prompt of 9 tokens exceeds the limit",
                "prompt*exceeds the limit",
                true,
            ),
            (
                "exceeds the limit of the prompt",
                "prompt*exceeds the limit",
                false,
            ),
            ("prompt a b c d e f g h i exceeds", "prompt*exceeds", false),
            ("a b, a c", "a*c", true),
            ("model m is off", "^model#is off", true),
            ("x for this model is off", "^model#is off", false),
            ("model m model n is gone", "model#is gone", true),
            ("x", "", true),
            ("é…", "é*…", true),
        ] {
            assert_eq!(says(text, pattern), found, "{text:?} {pattern:?}");
        }
    }
}
