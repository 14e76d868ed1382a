//! Tables for people. On a terminal no word is broken: what is too wide is wrapped between words,
//! then cut into several tables with the same first column, then written as a list.

use unicode_width::UnicodeWidthStr as _;

use super::foreign;

/// Columns between two cells.
const GAP: usize = 2;
/// The least that is left of a text which is wrapped.
const NARROW: usize = 16;

/// A table.
pub(super) struct Sheet {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// Columns of running text, wrapped first.
    texts: Vec<usize>,
    cut: bool,
}

impl Sheet {
    /// A table without rows.
    pub(super) fn new(header: &[&'static str]) -> Self {
        Sheet {
            header: header.to_vec(),
            rows: vec![],
            texts: vec![],
            cut: false,
        }
    }

    /// These columns hold running text, and are wrapped before others are.
    pub(super) fn texts(mut self, columns: &[usize]) -> Self {
        self.texts = columns.to_vec();
        self
    }

    /// The columns are figures that belong to the first one: they are spread over several tables
    /// before any is wrapped.
    pub(super) fn figures(mut self) -> Self {
        self.cut = true;
        self
    }

    /// Adds a row. Cells may hold texts of others, and stay on their lines.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows
            .push(cells.iter().map(|cell| foreign::line(cell)).collect());
    }

    /// The table for so many columns; as wide as it is where they are unknown.
    pub(super) fn text(&self, width: Option<usize>) -> String {
        let natural: Vec<usize> = (0..self.header.len()).map(|at| self.widest(at)).collect();
        let Some(width) = width.filter(|width| *width > 0) else {
            return self.table(&natural);
        };
        if self.cut && taken(&natural) > width && self.header.contains(&"") {
            return self.without_charts().text(Some(width));
        }
        let all: Vec<usize> = (0..natural.len()).collect();
        let fitted = self.fitted(&natural, &self.texts, width);
        let wrapped = || self.fitted(&natural, &all, width);
        match fitted {
            Some(widths) => self.table(&widths),
            None if self.cut => self.pieces(&natural, width),
            None => match wrapped() {
                Some(widths) => self.table(&widths),
                None => self.list(width),
            },
        }
    }

    /// The same without the columns that have no name: charts, which say nothing that figures do not.
    fn without_charts(&self) -> Sheet {
        let keep: Vec<usize> = self
            .header
            .iter()
            .enumerate()
            .filter(|(_, name)| !name.is_empty())
            .map(|(at, _)| at)
            .collect();
        Sheet {
            texts: keep
                .iter()
                .enumerate()
                .filter(|(_, old)| self.texts.contains(old))
                .map(|(at, _)| at)
                .collect(),
            cut: self.cut,
            ..self.part(&keep)
        }
    }

    /// Some of the columns.
    fn part(&self, columns: &[usize]) -> Sheet {
        let header = columns.iter().filter_map(|at| self.header.get(*at));
        let rows = self.rows.iter().map(|row| {
            let cells = columns.iter().filter_map(|at| row.get(*at));
            cells.cloned().collect()
        });
        Sheet {
            header: header.copied().collect(),
            rows: rows.collect(),
            texts: vec![],
            cut: false,
        }
    }

    /// Widths that fit, with some columns narrower than they would be.
    fn fitted(&self, natural: &[usize], soft: &[usize], width: usize) -> Option<Vec<usize>> {
        let mut widths = natural.to_vec();
        while taken(&widths) > width {
            let above = taken(&widths) - width;
            let can = |at: usize| {
                let now = widths.get(at).copied().unwrap_or(0);
                now.saturating_sub(self.least(at))
            };
            // The widest gives first.
            let widest = soft
                .iter()
                .copied()
                .filter(|at| can(*at) > 0)
                .max_by_key(|at| widths.get(*at).copied())?;
            let give = can(widest).min(above.div_ceil(2));
            if let Some(column) = widths.get_mut(widest) {
                *column -= give;
            }
        }
        Some(widths)
    }

    /// Several tables, each with the first column and as many others as fit.
    fn pieces(&self, natural: &[usize], width: usize) -> String {
        let first = natural.first().copied().unwrap_or(0);
        let mut tables: Vec<Vec<usize>> = vec![];
        let mut room = 0;
        for (at, column) in natural.iter().enumerate().skip(1) {
            let needs = column + GAP;
            match tables.last_mut() {
                Some(columns) if needs <= room => columns.push(at),
                _ => {
                    let Some(left) = width.checked_sub(1 + first + needs) else {
                        return self.list(width);
                    };
                    room = left + needs;
                    tables.push(vec![0, at]);
                }
            }
            room -= needs;
        }
        let tables = tables.iter().map(|columns| {
            let sheet = self.part(columns);
            let widths: Vec<_> = columns
                .iter()
                .filter_map(|at| natural.get(*at))
                .copied()
                .collect();
            sheet.table(&widths)
        });
        tables.collect::<Vec<_>>().join("\n\n")
    }

    fn table(&self, widths: &[usize]) -> String {
        let header: Vec<String> = self.header.iter().map(|name| (*name).to_owned()).collect();
        let rows = std::iter::once(&header).chain(&self.rows);
        let lines = rows.flat_map(|row| {
            let cells: Vec<Vec<String>> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| wrapped(cell, *width))
                .collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or(0);
            (0..height).map(move |line| {
                let mut text = String::new();
                for (cell, width) in cells.iter().zip(widths) {
                    let part = cell.get(line).map_or("", String::as_str);
                    let gap = if text.is_empty() { 1 } else { GAP };
                    text += &" ".repeat(gap);
                    text += part;
                    text += &" ".repeat(width.saturating_sub(part.width()));
                }
                text.trim_end().to_owned()
            })
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Each row as lines of name and value.
    fn list(&self, width: usize) -> String {
        let names = self.header.iter().map(|name| name.width());
        let name_width = names.max().unwrap_or(0);
        let room = width.saturating_sub(1 + name_width + GAP).max(1);
        let rows = self.rows.iter().map(|row| {
            let fields = self.header.iter().zip(row);
            let fields = fields.filter(|(_, cell)| !cell.is_empty());
            let lines = fields.flat_map(|(name, cell)| {
                let parts = wrapped(cell, room);
                let lines: Vec<String> = parts
                    .into_iter()
                    .enumerate()
                    .map(|(at, part)| {
                        let name = if at == 0 { name } else { "" };
                        let pad = " ".repeat(name_width - name.width());
                        format!(" {name}{pad}{}{part}", " ".repeat(GAP))
                    })
                    .collect();
                lines
            });
            lines.collect::<Vec<_>>().join("\n")
        });
        rows.collect::<Vec<_>>().join("\n\n")
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        let rows = self.rows.iter().filter_map(move |row| row.get(column));
        self.header
            .get(column)
            .copied()
            .into_iter()
            .chain(rows.map(String::as_str))
    }

    fn widest(&self, column: usize) -> usize {
        let lines = self.cells(column).flat_map(str::lines);
        lines.map(|line| line.width()).max().unwrap_or(0)
    }

    /// The least width that breaks no word, and is worth reading where the column is a text.
    fn least(&self, column: usize) -> usize {
        let words = self.cells(column).flat_map(str::split_whitespace);
        let longest = words.map(|word| word.width()).max().unwrap_or(0);
        match self.texts.contains(&column) {
            true => longest.max(NARROW.min(self.widest(column))),
            false => longest,
        }
    }
}

/// How wide a table of such columns is.
fn taken(widths: &[usize]) -> usize {
    1 + widths
        .iter()
        .map(|width| width + GAP)
        .sum::<usize>()
        .saturating_sub(GAP)
}

/// The lines of a text for a width, cut between words only.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![];
    for line in text.lines() {
        if line.width() <= width {
            lines.push(line.to_owned());
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let mut begun = line.get(..indent).unwrap_or_default().to_owned();
        let mut gap = "";
        for word in line.split_whitespace() {
            if !gap.is_empty() && begun.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut begun));
                gap = "";
            }
            begun += gap;
            begun += word;
            gap = " ";
        }
        lines.push(begun);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let mut sheet = Sheet::new(&["MODEL", "REQUESTS", "COST", "REMARK"]).texts(&[3]);
        let row = |cells: [&str; 4]| cells.map(str::to_owned);
        sheet.row(row([
            "gpt-4o-mini-2024",
            "1,234",
            "$0.25 (1 of 2 priced)",
            "a longer remark of several words",
        ]));
        sheet.row(row(["模型", "1", "-", ""]));
        sheet
    }

    /// Every word of a table is in it whole, whatever the width.
    fn keeps_words(sheet: &Sheet, width: usize) {
        let text = sheet.text(Some(width));
        let words: Vec<&str> = text.split_whitespace().collect();
        let cells = sheet.rows.iter().flatten().map(String::as_str);
        for word in cells
            .chain(sheet.header.iter().copied())
            .flat_map(str::split_whitespace)
        {
            assert!(words.contains(&word), "{word} at {width}:\n{text}");
        }
        let longest = 1 + 8 + GAP + 16;
        let wide = text.lines().find(|line| line.width() > width.max(longest));
        assert_eq!(wide, None, "at {width}");
    }

    #[test]
    fn no_width_breaks_a_word() {
        for width in 1..130 {
            keeps_words(&sheet(), width);
            keeps_words(&sheet().figures(), width);
        }
    }

    #[test]
    fn an_unknown_width_is_wide_enough() {
        let whole = sheet().text(None);
        assert_eq!(whole, sheet().text(Some(0)));
        assert_eq!(whole.lines().count(), 3);
        assert_eq!(whole, sheet().text(Some(500)));
    }

    #[test]
    fn narrow_tables_are_wrapped_cut_or_listed() {
        insta::assert_snapshot!(
            [
                sheet().text(Some(64)),
                sheet().figures().text(Some(56)),
                sheet().text(Some(30)),
            ]
            .join("\n----\n")
        );
    }
}
