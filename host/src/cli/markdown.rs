//! Markdown drawn on a terminal while it comes in.
//!
//! Text appears as soon as its form is certain: a line's beginning is held until it is known what
//! kind of line it is, a span until it is closed, a table until it ends. What turns out to be no
//! markup is shown as it was written. Nothing is cut or wrapped here, so wide characters are as
//! safe as the terminal makes them.
//!
//! Whatever is drawn, each piece of the text is looked at a bounded number of times: a span, and the
//! beginning of a line, is looked for in so many bytes and no more.
//!
//! What could steer the terminal is taken out of the text first: only the forms made here reach it.

mod block;
mod inline;

use block::Block;
use comfy_table::{ContentArrangement, Table, presets};
use inline::Inline;

use super::foreign::Flow;

/// Beyond so many bytes a line's beginning tells no more of its kind.
const BEGINNING: usize = 1_024;

/// A table of more columns is no table for a terminal.
const COLUMNS: usize = 64;

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const TITLE: &str = "\x1b[1;4m";
const CODE: &str = "\x1b[36m";
const END: &str = "\x1b[0m";

/// Draws one document.
pub(super) struct Markdown {
    width: u16,
    flow: Flow,
    /// What came of the line and is not drawn yet.
    held: String,
    line: Line,
    /// The marks that end the code block, while one is open.
    fence: Option<String>,
    table: Vec<String>,
    out: String,
}

/// How far the line is.
enum Line {
    /// Its kind is not known yet.
    New,
    /// Its beginning is drawn.
    Text(Inline),
    /// It is code, and its beginning is drawn.
    Code,
}

impl Markdown {
    /// A document for a terminal of this width.
    pub(super) fn new(width: u16) -> Self {
        Markdown {
            width,
            flow: Flow::default(),
            held: String::new(),
            line: Line::New,
            fence: None,
            table: vec![],
            out: String::new(),
        }
    }

    /// More of the document; gives what can be drawn.
    pub(super) fn push(&mut self, text: &str) -> String {
        let text = self.flow.push(text);
        for piece in text.split_inclusive('\n') {
            let whole = piece.ends_with('\n');
            self.held.push_str(piece.trim_end_matches('\n'));
            self.draw(whole);
        }
        std::mem::take(&mut self.out)
    }

    /// The document is complete; gives what is still to be drawn, which ends a line.
    pub(super) fn finish(&mut self) -> String {
        if !self.held.is_empty() || !matches!(self.line, Line::New) {
            self.draw(true);
        }
        self.draw_table();
        self.fence = None;
        std::mem::take(&mut self.out)
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
                self.out += &format!("{DIM}──{END}\n");
                return;
            }
            self.out += CODE;
            self.line = Line::Code;
        }
        self.out += &std::mem::take(&mut self.held);
        if whole {
            self.out += END;
            self.out.push('\n');
            self.line = Line::New;
        }
    }

    fn draw_text(&mut self, whole: bool) {
        if matches!(self.line, Line::New) {
            if !whole && self.held.len() > BEGINNING && self.held.trim_start().starts_with('|') {
                // A row of a table is drawn with its table, however long it is.
                return;
            }
            let is_long = self.held.len() > BEGINNING;
            let block = match Block::of(&self.held, whole) {
                Some(block) => block,
                None if is_long => Block::Text,
                None => return,
            };
            if !matches!(block, Block::Row) {
                self.draw_table();
            }
            let (start, style) = match block {
                Block::Row => {
                    self.table.push(std::mem::take(&mut self.held));
                    return;
                }
                Block::Fence { marks, language } => {
                    self.out += &format!("{DIM}── {language}{END}\n");
                    self.held.clear();
                    self.fence = Some(marks);
                    return;
                }
                Block::Rule => {
                    let width = usize::from(self.width.clamp(3, 60));
                    self.out += &format!("{DIM}{}{END}\n", "─".repeat(width));
                    self.held.clear();
                    return;
                }
                Block::Heading { level, text } => (text, if level == 1 { TITLE } else { BOLD }),
                Block::Item { indent, mark, text } => {
                    self.out += &format!("{}{mark} ", " ".repeat(indent));
                    (text, "")
                }
                Block::Quote { text } => {
                    self.out += &format!("{DIM}│{END} ");
                    (text, "")
                }
                Block::Text => (0, ""),
            };
            self.held.drain(..start);
            self.out += style;
            self.line = Line::Text(Inline::new(style));
        }
        if let Line::Text(inline) = &mut self.line {
            let drawn = inline.draw(&self.held, whole, &mut self.out);
            self.held.drain(..drawn);
            if whole {
                inline.end(&mut self.out);
                self.out.push('\n');
                self.line = Line::New;
            }
        }
    }

    fn draw_table(&mut self) {
        let rows: Vec<_> = std::mem::take(&mut self.table)
            .iter()
            .map(|row| block::cells(row))
            .collect();
        if rows.is_empty() {
            return;
        }
        if rows.iter().any(|row| row.len() > COLUMNS) {
            for row in rows {
                self.out += &format!("| {} |\n", row.join(" | "));
            }
            return;
        }
        let is_line = |row: &[String]| {
            row.iter()
                .all(|cell| cell.contains('-') && cell.chars().all(|c| "-: ".contains(c)))
        };
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.width);
        let headed = rows.get(1).is_some_and(|row| is_line(row));
        for (place, row) in rows.iter().enumerate().filter(|(_, row)| !is_line(row)) {
            let cells: Vec<_> = row.iter().map(|cell| inline::plain(cell)).collect();
            match headed && place == 0 {
                true => table.set_header(cells),
                false => table.add_row(cells),
            };
        }
        self.out += &format!("{}\n", table.trim_fmt());
    }
}

#[cfg(test)]
mod tests;
