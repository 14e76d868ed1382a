//! A text that comes in pieces: what may be the beginning of a secret is held back until it is known.

use super::matching::Extent;
use super::{MARK, Redactor};

/// One text in pieces. However it is cut, the same comes out.
#[derive(Debug, Default)]
pub struct Pieces {
    /// What was handed out already and may yet turn out to begin a secret.
    shown: String,
    /// What is held back, for the same reason.
    held: String,
}

impl Pieces {
    /// Whether nothing is held back and nothing that was shown may yet turn out to begin a secret.
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.held.is_empty()
    }

    /// Takes a piece and gives what can be shown. Held back is only an end that a secret may begin
    /// with.
    pub fn push(&mut self, redactor: &Redactor, piece: String) -> String {
        if self.is_empty() {
            let look = redactor.look(&piece, Extent::Begun);
            if look.found.is_empty() && look.open == piece.len() {
                return piece;
            }
        }
        self.held.push_str(&piece);
        self.take(redactor, Extent::Begun)
    }

    /// Gives what is held back, because something else comes in between. If the text goes on
    /// afterwards, the rest of a secret that had begun is still found.
    pub fn pause(&mut self, redactor: &Redactor) -> String {
        if self.held.is_empty() {
            return String::new();
        }
        let begun = [&*self.shown, &*self.held].concat();
        let shown = self.take(redactor, Extent::Whole);
        self.shown = begun;
        shown
    }

    /// The text is complete: gives what is held back.
    pub fn finish(&mut self, redactor: &Redactor) -> String {
        let shown = self.take(redactor, Extent::Whole);
        self.shown.clear();
        shown
    }

    #[cfg(test)]
    pub(super) fn held_len(&self) -> usize {
        self.held.len()
    }

    /// Looks through everything that is not settled.
    fn take(&mut self, redactor: &Redactor, extent: Extent) -> String {
        let text = [&*self.shown, &*self.held].concat();
        let from = self.shown.len();
        let look = redactor.look(&text, extent);
        let between = |start: usize, end: usize| text.get(start..end).unwrap_or_default();
        let mut out = String::new();
        let mut done = from;
        for range in look.found {
            // What lies before was shown, and cannot be taken back.
            if range.end <= from {
                continue;
            }
            out.push_str(between(done, range.start.max(from)));
            out.push_str(MARK);
            done = range.end;
        }
        let open = look.open.max(done);
        out.push_str(between(done, open));
        self.held = between(open, text.len()).to_owned();
        self.shown = between(look.open.min(from), from).to_owned();
        out
    }
}
