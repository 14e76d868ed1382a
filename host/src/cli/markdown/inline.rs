//! Spans within a line: code, bold, italic. A span is drawn when it is closed; one that is not closed
//! within [`LONGEST`] bytes is none.

use super::{CODE, END};

/// The longest span, in bytes with its marks.
const LONGEST: usize = 2_000;

/// Draws the text of one line.
pub(super) struct Inline {
    /// The form that holds for the whole line.
    base: &'static str,
    /// What stands before the text still to be drawn.
    before: Option<char>,
    /// Without forms: the marks are taken away only.
    plain: bool,
}

/// The text without its marks.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut inline = Inline::new("");
    inline.plain = true;
    inline.draw(text, true, &mut out);
    out
}

/// What stands at a mark.
enum Span {
    /// So many bytes, that mean nothing.
    Literal(usize),
    /// A span with this form: marks of so many bytes around so many bytes of text.
    Of(&'static str, usize, usize),
    /// What comes next decides.
    Open,
}

impl Inline {
    pub(super) fn new(base: &'static str) -> Self {
        Inline {
            base,
            before: None,
            plain: false,
        }
    }

    /// Draws as much of the text as is certain, and gives its length in bytes. `whole`: nothing
    /// more comes, so that all is certain.
    pub(super) fn draw(&mut self, text: &str, whole: bool, out: &mut String) -> usize {
        let mut rest = text;
        while let Some(at) = rest.find(['`', '*', '_', '\\']) {
            let (clear, marked) = rest.split_at(at);
            self.put(clear, out);
            rest = marked;
            let (near, all) = within_reach(marked, whole);
            let span = match near.chars().next() {
                Some('\\') => escape(near, all),
                Some('`') => code(near, all),
                _ => emphasis(near, self.before, all),
            };
            let taken = match span {
                Span::Open => return text.len() - rest.len(),
                Span::Literal(length) => {
                    let literal = marked.get(..length).unwrap_or(marked);
                    let shown = match literal.len() {
                        2 if literal.starts_with('\\') => literal.get(1..).unwrap_or_default(),
                        _ => literal,
                    };
                    self.put(shown, out);
                    literal.len()
                }
                Span::Of(form, marks, length) => {
                    let inner = marked.get(marks..marks + length).unwrap_or_default();
                    self.span(form, inner, out);
                    marks + length + marks
                }
            };
            rest = marked.get(taken..).unwrap_or_default();
        }
        self.put(rest, out);
        text.len()
    }

    /// Ends the line's form.
    pub(super) fn end(&self, out: &mut String) {
        if !self.base.is_empty() {
            *out += END;
        }
    }

    fn put(&mut self, text: &str, out: &mut String) {
        *out += text;
        self.before = text.chars().next_back().or(self.before);
    }

    fn span(&mut self, form: &'static str, inner: &str, out: &mut String) {
        let mut within = Inline {
            base: "",
            before: None,
            plain: self.plain,
        };
        if !self.plain {
            *out += form;
        }
        match form {
            CODE => *out += inner,
            _ => {
                within.draw(inner, true, out);
            }
        }
        if !self.plain {
            *out += off(form);
            *out += self.base;
        }
        self.before = Some('x');
    }
}

/// As much of the text as a span at its beginning may have, and whether nothing more of it counts.
fn within_reach(marked: &str, whole: bool) -> (&str, bool) {
    match marked.len() > LONGEST {
        true => (
            marked
                .get(..marked.floor_char_boundary(LONGEST))
                .unwrap_or(marked),
            true,
        ),
        false => (marked, whole),
    }
}

/// What ends a form and nothing else.
fn off(form: &str) -> &'static str {
    match form {
        CODE => "\x1b[39m",
        "\x1b[3m" => "\x1b[23m",
        "\x1b[1;3m" => "\x1b[22;23m",
        _ => "\x1b[22m",
    }
}

fn escape(marked: &str, whole: bool) -> Span {
    match marked.chars().nth(1) {
        Some(c) if c.is_ascii_punctuation() => Span::Literal(2),
        None if !whole => Span::Open,
        _ => Span::Literal(1),
    }
}

/// How many of its first character a text begins with, and the rest.
fn run(text: &str) -> (usize, &str) {
    let first = text.chars().next();
    let count = text.chars().take_while(|c| Some(*c) == first).count();
    (count, text.get(count..).unwrap_or_default())
}

fn code(marked: &str, whole: bool) -> Span {
    let (marks, rest) = run(marked);
    let mut from = 0;
    while let Some(at) = rest
        .get(from..)
        .and_then(|rest| rest.find('`'))
        .map(|at| from + at)
    {
        let (closing, after) = run(rest.get(at..).unwrap_or_default());
        if after.is_empty() && !whole {
            return Span::Open;
        }
        if closing == marks && at > 0 {
            return Span::Of(CODE, marks, at);
        }
        from = at + closing;
    }
    match whole {
        true => Span::Literal(marks),
        false => Span::Open,
    }
}

fn emphasis(marked: &str, before: Option<char>, whole: bool) -> Span {
    let (marks, rest) = run(marked);
    let mark = marked.chars().next().unwrap_or('*');
    let Some(next) = rest.chars().next() else {
        return match whole {
            true => Span::Literal(marks),
            false => Span::Open,
        };
    };
    let form = match marks {
        1 => "\x1b[3m",
        2 => "\x1b[1m",
        3 => "\x1b[1;3m",
        _ => return Span::Literal(marks),
    };
    // `2*3` and `snake_case` mean nothing; `这是**重点**` does.
    let within = match mark {
        '_' => before.is_some_and(char::is_alphanumeric),
        _ => before.is_some_and(|c| c.is_ascii_alphanumeric()),
    };
    if next.is_whitespace() || within {
        return Span::Literal(marks);
    }
    let mut from = 0;
    while let Some(at) = rest
        .get(from..)
        .and_then(|rest| rest.find(mark))
        .map(|at| from + at)
    {
        let (closing, after) = run(rest.get(at..).unwrap_or_default());
        if after.is_empty() && !whole {
            return Span::Open;
        }
        let inner = rest.get(..at).unwrap_or_default();
        let closes = !inner.is_empty()
            && !inner.ends_with(char::is_whitespace)
            && (mark != '_' || !after.starts_with(char::is_alphanumeric));
        if closing == marks && closes {
            return Span::Of(form, marks, at);
        }
        from = at + closing;
    }
    match whole {
        true => Span::Literal(marks),
        false => Span::Open,
    }
}
