//! Lines of a width: each word is put on the line as soon as it is whole, or begins the next one. Nothing
//! that is drawn is touched again, so that nothing flickers, and a change of the width holds from the
//! next word on.
//!
//! A line may end at a blank, and where scripts without blanks let it (UAX #14); words of Latin
//! letters, addresses and paths stay in one piece. What is longer than a line is cut at its end.

use unicode_linebreak::linebreaks;
use unicode_width::UnicodeWidthStr as _;

use super::form::{FAINT, Form, PLAIN};

/// Narrower than this, nothing can be laid out.
const NARROWEST: usize = 4;
/// A word of more bytes is taken for whole: characters without width may be many.
const WORD: usize = 4_096;
/// Columns of a tab within a line.
const TAB: usize = 4;

/// Takes texts in forms.
pub(super) trait Page {
    /// More of the line.
    fn put(&mut self, text: &str, form: &Form);

    /// The number of one more link.
    fn link(&mut self) -> u32;
}

/// The text alone.
impl Page for String {
    fn put(&mut self, text: &str, _: &Form) {
        *self += text;
    }

    fn link(&mut self) -> u32 {
        0
    }
}

/// Draws lines of a width.
pub(super) struct Wrap {
    width: usize,
    /// Columns of the line that are taken.
    column: usize,
    /// Nothing of the text stands on the line yet.
    fresh: bool,
    /// What begins each further line of this one, and how wide it is.
    margin: String,
    indent: usize,
    /// Blanks that are drawn only if a word follows on the same line.
    gap: usize,
    gap_form: Form,
    /// The word that is not whole yet, in its forms.
    pieces: Vec<(String, Form)>,
    word: String,
    /// The form that the terminal has.
    form: Form,
    links: u32,
    out: String,
}

impl Wrap {
    pub(super) fn new(width: usize) -> Self {
        Wrap {
            width: width.max(NARROWEST),
            column: 0,
            fresh: true,
            margin: String::new(),
            indent: 0,
            gap: 0,
            gap_form: PLAIN,
            pieces: vec![],
            word: String::new(),
            form: PLAIN,
            links: 0,
            out: String::new(),
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The width from now on.
    pub(super) fn resize(&mut self, width: usize) {
        self.width = width.max(NARROWEST);
    }

    /// What can be drawn.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Begins the line with a mark, and its further lines with `next`, which is as wide.
    pub(super) fn lead(&mut self, mark: &str, next: &str, form: &Form) {
        self.write(mark, form);
        self.column += mark.width();
        // Where half of the line is margin, the margin is of no use.
        if self.indent + next.width() > self.width / 2 {
            self.margin.clear();
            self.indent = 0;
            return;
        }
        let mut margin = String::new();
        PLAIN.change(form, &mut margin);
        margin += next;
        form.change(&PLAIN, &mut margin);
        self.margin += &margin;
        self.indent += next.width();
    }

    /// More of the line as it is: nothing in it is looked at.
    pub(super) fn write(&mut self, text: &str, form: &Form) {
        self.form.change(form, &mut self.out);
        self.form = form.clone();
        self.out += text;
    }

    /// The line is complete.
    pub(super) fn end_line(&mut self) {
        self.end_word();
        self.write("\n", &PLAIN);
        self.column = 0;
        self.fresh = true;
        self.gap = 0;
        self.margin.clear();
        self.indent = 0;
    }

    /// A line at the margin of things.
    pub(super) fn aside(&mut self, text: &str) {
        self.write(text, &FAINT);
        self.end_line();
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let width = self.word.width();
        if !self.fresh && self.column + self.gap + width > self.width {
            self.write("\n", &PLAIN);
            self.out += &self.margin;
            self.column = self.indent;
        } else if self.gap > 0 {
            let (gap, form) = (" ".repeat(self.gap), self.gap_form.clone());
            self.write(&gap, &form);
            self.column += self.gap;
        }
        self.gap = 0;
        for (text, form) in std::mem::take(&mut self.pieces) {
            self.write(&text, &form);
        }
        self.word.clear();
        self.column += width;
        self.fresh = false;
    }

    fn put_char(&mut self, c: char, form: &Form) {
        if c == ' ' || c == '\t' {
            self.end_word();
            self.gap += if c == '\t' { TAB } else { 1 };
            self.gap_form = form.clone();
            return;
        }
        if may_end(&self.word, c) {
            self.end_word();
        }
        self.word.push(c);
        let is_long = self.word.len() > WORD || self.word.width() > self.width - self.indent;
        if is_long && self.word.len() > c.len_utf8() {
            self.word.pop();
            self.end_word();
            self.word.push(c);
        }
        match self.pieces.last_mut() {
            Some((text, last)) if last == form => text.push(c),
            _ => self.pieces.push((c.to_string(), form.clone())),
        }
    }
}

impl Page for Wrap {
    fn put(&mut self, text: &str, form: &Form) {
        for c in text.chars() {
            self.put_char(c, form);
        }
    }

    fn link(&mut self) -> u32 {
        self.links += 1;
        self.links
    }
}

/// Whether a line may end between a word and a character, although no blank is there.
fn may_end(word: &str, next: char) -> bool {
    let Some(last) = word.chars().next_back() else {
        return false;
    };
    if last.is_ascii() && next.is_ascii() {
        return false;
    }
    let text = format!("{word}{next}");
    linebreaks(&text).any(|(at, _)| at == word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a text at a width, with a margin of so many columns.
    fn lines(text: &str, width: usize, margin: usize) -> Vec<String> {
        let mut wrap = Wrap::new(width);
        let lead = " ".repeat(margin);
        wrap.lead(&lead, &lead, &PLAIN);
        wrap.put(text, &PLAIN);
        wrap.end_line();
        wrap.take().lines().map(str::to_owned).collect()
    }

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(
            lines("one two three  four", 9, 0),
            ["one two", "three", "four"]
        );
        assert_eq!(lines("a b c", 40, 2), ["  a b c"]);
        assert_eq!(lines("aaa bbb ccc", 9, 2), ["  aaa bbb", "  ccc"]);
        assert_eq!(lines("  x  y", 40, 0), ["  x  y"]);
    }

    #[test]
    fn scripts_without_blanks_end_where_they_may() {
        assert_eq!(lines("你好，世界。", 7, 0), ["你好，", "世界。"]);
        assert_eq!(lines("ab你好cd", 4, 0), ["ab你", "好cd"]);
        assert_eq!(
            lines("👨\u{200d}👩\u{200d}👧👍🏽", 4, 0).concat(),
            "👨\u{200d}👩\u{200d}👧👍🏽"
        );
    }

    #[test]
    fn nothing_is_lost_at_any_width() {
        let text = "a longer-than-usual/path_with.no.blank 这是一段没有空格的文字， and e\u{301}nd";
        let bare = |text: &str| text.replace([' ', '\n'], "");
        for width in 0..60 {
            for margin in 0..20 {
                let drawn = lines(text, width, margin);
                assert_eq!(bare(&drawn.concat()), bare(text), "{width} {margin}");
                let most = drawn.iter().map(|line| line.width()).max().unwrap();
                assert!(
                    most <= width.max(NARROWEST) || most <= margin + 4,
                    "{width} {margin}: {drawn:?}"
                );
            }
        }
    }

    #[test]
    fn a_width_that_changes_holds_from_the_next_word() {
        let mut wrap = Wrap::new(20);
        wrap.put("one two three ", &PLAIN);
        wrap.resize(8);
        wrap.put("four five ", &PLAIN);
        wrap.resize(30);
        wrap.put("six seven", &PLAIN);
        wrap.end_line();
        assert_eq!(wrap.take(), "one two three\nfour\nfive six seven\n");
    }

    #[test]
    fn characters_without_width_have_an_end() {
        let mut wrap = Wrap::new(20);
        for _ in 0..10_000 {
            wrap.put("\u{301}", &PLAIN);
            assert!(wrap.word.len() <= WORD);
        }
    }
}
