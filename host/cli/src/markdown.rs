//! Markdown drawn on a terminal while it comes in.
//!
//! Text appears as soon as its form is certain: a line's beginning is held until it is known what
//! kind of line it is, a span until it is closed, a word until it is whole, a table until it ends. What turns
//! out to be no markup is shown as it was written. What is drawn stays: nothing is erased, so that nothing
//! flickers and nothing is lost, whatever becomes of the window. Code is not wrapped: who copies it wants its lines.
//!
//! Whatever is drawn, each piece of the text is looked at a bounded number of times: a span, and the
//! beginning of a line, is looked for in so many bytes and no more.
//!
//! What could steer the terminal is taken out of the text first: only the forms made here reach it.

mod block;
mod form;
mod inline;
mod link;
mod table;
mod wrap;

use block::Block;
use form::{CODE, FAINT, Form, PLAIN};
use inline::Inline;
pub(super) use link::Links;
use wrap::Wrap;

use super::foreign::Flow;

/// Beyond so many bytes a line's beginning tells no more of its kind.
const BEGINNING: usize = 1_024;
/// The widest rule, in columns.
const RULE: usize = 60;

const HEADING: Form = Form {
    bold: true,
    ..PLAIN
};
const TITLE: Form = Form {
    underlined: true,
    ..HEADING
};

/// Draws one document.
pub(super) struct Markdown {
    links: Links,
    flow: Flow,
    /// What came of the line and is not drawn yet.
    held: String,
    line: Line,
    /// The marks that end the code block, while one is open.
    fence: Option<String>,
    table: Vec<String>,
    page: Wrap,
}

/// How far the line is.
enum Line {
    /// Its kind is not known yet.
    New,
    /// It is quoted, and what is quoted is not known yet.
    Quoted,
    /// Its beginning is drawn.
    Text(Inline),
    /// It is code, and its beginning is drawn.
    Code,
}

impl Markdown {
    /// A document for a terminal of this width.
    pub(super) fn new(width: u16, links: Links) -> Self {
        Markdown {
            links,
            flow: Flow::default(),
            held: String::new(),
            line: Line::New,
            fence: None,
            table: vec![],
            page: Wrap::new(width.into()),
        }
    }

    /// The terminal has this width from now on.
    pub(super) fn resize(&mut self, width: u16) {
        self.page.resize(width.into());
    }

    /// More of the document; gives what can be drawn.
    pub(super) fn push(&mut self, text: &str) -> String {
        let text = self.flow.push(text);
        for piece in text.split_inclusive('\n') {
            let whole = piece.ends_with('\n');
            self.held.push_str(piece.trim_end_matches('\n'));
            self.draw(whole);
        }
        self.page.take()
    }

    /// The document is complete; gives what is still to be drawn, which ends a line.
    pub(super) fn finish(&mut self) -> String {
        if !self.held.is_empty() || !matches!(self.line, Line::New) {
            self.draw(true);
        }
        self.draw_table();
        self.fence = None;
        self.page.take()
    }

    fn draw(&mut self, whole: bool) {
        match self.fence.clone() {
            Some(marks) => self.draw_code(&marks, whole),
            None => self.draw_text(whole),
        }
    }

    fn draw_code(&mut self, marks: &str, whole: bool) {
        if matches!(self.line, Line::New) {
            let is_long = self.held.len() > BEGINNING;
            let held = self.held.trim();
            let mark = marks.chars().next().unwrap_or('`');
            if !is_long && !whole && held.chars().all(|c| c == mark) {
                return;
            }
            if whole && held.starts_with(marks) && held.chars().all(|c| c == mark) {
                self.held.clear();
                self.fence = None;
                self.page.aside("──");
                return;
            }
            self.line = Line::Code;
        }
        let code = std::mem::take(&mut self.held);
        self.page.write(&code, &CODE);
        if whole {
            self.page.end_line();
            self.line = Line::New;
        }
    }

    fn draw_text(&mut self, whole: bool) {
        while matches!(self.line, Line::New | Line::Quoted) {
            match self.begin(whole) {
                Some(line) => self.line = line,
                None => return,
            }
        }
        if let Line::Text(inline) = &mut self.line {
            let drawn = inline.draw(&self.held, whole, &mut self.page);
            self.held.drain(..drawn);
            if whole {
                self.page.end_line();
                self.line = Line::New;
            }
        }
    }

    /// Draws the beginning of a line, once it is known what it is; nothing if it is not yet, or if the line is
    /// done with.
    fn begin(&mut self, whole: bool) -> Option<Line> {
        let quoted = matches!(self.line, Line::Quoted);
        let is_long = self.held.len() > BEGINNING;
        if is_long && !whole && !quoted && self.held.trim_start().starts_with('|') {
            // A row of a table is drawn with its table, however long it is.
            return None;
        }
        let block = match Block::of(&self.held, whole) {
            Some(Block::Row | Block::Rule | Block::Fence { .. }) if quoted => Block::Text,
            Some(block) => block,
            None if is_long => Block::Text,
            None => return None,
        };
        if !matches!(block, Block::Row) {
            self.draw_table();
        }
        let (start, line) = match block {
            Block::Row => {
                self.table.push(std::mem::take(&mut self.held));
                return None;
            }
            Block::Fence { marks, language } => {
                self.page.aside(&format!("── {language}"));
                self.held.clear();
                self.fence = Some(marks);
                return None;
            }
            Block::Rule => {
                self.page.aside(&"─".repeat(self.page.width().min(RULE)));
                self.held.clear();
                return None;
            }
            Block::Quote { text } => {
                self.page.lead("│ ", "│ ", &FAINT);
                (text, Line::Quoted)
            }
            Block::Heading { level, text } => {
                let form = if level == 1 { TITLE } else { HEADING };
                (text, Line::Text(Inline::new(form, self.links)))
            }
            Block::Item { indent, mark, text } => {
                let mark = format!("{}{mark} ", " ".repeat(indent));
                let next = " ".repeat(mark.chars().count());
                self.page.lead(&mark, &next, &PLAIN);
                (text, Line::Text(Inline::new(PLAIN, self.links)))
            }
            Block::Text => {
                let blank = self.held.chars().take_while(|c| *c == ' ').count();
                let indent = " ".repeat(blank);
                self.page.lead(&indent, &indent, &PLAIN);
                (blank, Line::Text(Inline::new(PLAIN, self.links)))
            }
        };
        self.held.drain(..start.min(self.held.len()));
        Some(line)
    }

    fn draw_table(&mut self) {
        let rows = std::mem::take(&mut self.table);
        if !rows.is_empty() {
            let drawn = table::drawn(&rows, self.page.width());
            self.page.write(&drawn, &PLAIN);
        }
    }
}

#[cfg(test)]
mod tests;
