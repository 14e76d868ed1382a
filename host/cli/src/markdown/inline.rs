//! Spans within a line: code, bold, italic, links. A span is drawn when it is closed; one that is not closed
//! within [`LONGEST`] bytes is none.

use super::form::{Form, Link, PLAIN};
use super::link::{self, Found, Links, Look, Target};
use super::wrap::Page;

/// The longest span, in bytes with its marks.
const LONGEST: usize = 2_000;

/// Draws the text of one line.
pub(super) struct Inline {
    /// The form that holds for the whole line.
    base: Form,
    /// What stands before the text still to be drawn.
    before: Option<char>,
    links: Links,
}

/// The text without its marks; a link is its text and where it leads.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    Inline::new(PLAIN, Links::Written).draw(text, true, &mut out);
    out
}

/// What stands at a mark.
enum Span {
    /// So many bytes, that mean nothing.
    Literal(usize),
    /// A span of this kind: marks of so many bytes around so many bytes of text.
    Of(Kind, usize, usize),
    Link(Found),
    /// What comes next decides.
    Open,
}

/// Kinds of spans.
#[derive(Clone, Copy)]
enum Kind {
    Code,
    Italic,
    Bold,
    Both,
    Struck,
}

impl Inline {
    pub(super) fn new(base: Form, links: Links) -> Self {
        Inline {
            base,
            before: None,
            links,
        }
    }

    /// Draws as much of the text as is certain, and gives its length in bytes. `whole`: nothing
    /// more comes, so that all is certain.
    pub(super) fn draw(&mut self, text: &str, whole: bool, page: &mut impl Page) -> usize {
        let mut rest = text;
        while let Some(at) = next_mark(rest, self.before) {
            let (clear, marked) = rest.split_at(at);
            self.put(clear, page);
            rest = marked;
            let (near, all) = within_reach(marked, whole);
            let span = match near.chars().next() {
                Some('\\') => escape(near, all),
                Some('`') => code(near, all),
                Some('[' | '!') => link::bracketed(near, all).into(),
                Some('<') => link::angled(near, all).into(),
                Some('h') => link::bare(near, all).into(),
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
                    self.put(shown, page);
                    literal.len()
                }
                Span::Of(kind, marks, length) => {
                    let inner = marked.get(marks..marks + length).unwrap_or_default();
                    self.span(kind, inner, page);
                    marks + length + marks
                }
                Span::Link(found) => {
                    let is_bare = found.text == found.target;
                    let text = marked.get(found.text).unwrap_or_default();
                    let target = marked.get(found.target).unwrap_or_default();
                    self.link(text, target, is_bare, page);
                    found.length
                }
            };
            rest = marked.get(taken..).unwrap_or_default();
        }
        self.put(rest, page);
        text.len()
    }

    fn put(&mut self, text: &str, page: &mut impl Page) {
        page.put(text, &self.base);
        self.before = text.chars().next_back().or(self.before);
    }

    fn span(&mut self, kind: Kind, inner: &str, page: &mut impl Page) {
        let mut form = self.base.clone();
        match kind {
            Kind::Code => form.code = true,
            Kind::Italic => form.italic = true,
            Kind::Bold => form.bold = true,
            Kind::Both => (form.bold, form.italic) = (true, true),
            Kind::Struck => form.struck = true,
        }
        match kind {
            Kind::Code => page.put(inner, &form),
            _ => {
                Inline::new(form, self.links).draw(inner, true, page);
            }
        }
        self.before = Some('x');
    }

    /// The text of a link, and behind it where it leads.
    fn link(&mut self, text: &str, target: &str, is_bare: bool, page: &mut impl Page) {
        let said = match is_bare {
            true => text.to_owned(),
            false => plain(text),
        };
        // A picture may have no text.
        let empty = said.trim().is_empty();
        let leads = Target::of(if empty { target } else { &said }, target, self.links);
        let form = Form {
            underlined: true,
            link: leads.address.map(|address| Link {
                number: page.link(),
                address: address.into(),
            }),
            ..self.base.clone()
        };
        // A link within the text of a link is none.
        let nested = text.contains('[') || text.contains("://");
        match (is_bare || nested, empty) {
            (_, true) => page.put(target, &form),
            (true, false) => page.put(&said, &form),
            (false, false) => {
                Inline::new(form, self.links).draw(text, true, page);
            }
        }
        if let Some(shown) = leads.shown {
            let form = Form {
                faint: true,
                ..self.base.clone()
            };
            page.put(&format!(" ({shown})"), &form);
        }
        self.before = Some('x');
    }
}

impl From<Look> for Span {
    fn from(look: Look) -> Self {
        match look {
            Look::Link(found) => Span::Link(found),
            Look::Open => Span::Open,
            Look::Nothing(bytes) => Span::Literal(bytes),
        }
    }
}

/// Where a span may begin.
fn next_mark(text: &str, before: Option<char>) -> Option<usize> {
    let mut before = before;
    text.char_indices().find_map(|(at, c)| {
        let is_mark = match c {
            '`' | '*' | '_' | '~' | '\\' | '[' | '<' => true,
            '!' => {
                let rest = text.get(at + 1..).unwrap_or_default();
                rest.is_empty() || rest.starts_with('[')
            }
            'h' => link::may_begin(text.get(at..).unwrap_or_default(), before),
            _ => false,
        };
        before = Some(c);
        is_mark.then_some(at)
    })
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
            return Span::Of(Kind::Code, marks, at);
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
    let kind = match (mark, marks) {
        ('~', 2) => Kind::Struck,
        ('~', _) => return Span::Literal(marks),
        (_, 1) => Kind::Italic,
        (_, 2) => Kind::Bold,
        (_, 3) => Kind::Both,
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
            return Span::Of(kind, marks, at);
        }
        from = at + closing;
    }
    match whole {
        true => Span::Literal(marks),
        false => Span::Open,
    }
}
