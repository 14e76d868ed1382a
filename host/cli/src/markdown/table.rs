//! Tables, which are drawn when they are complete.

use comfy_table::{ContentArrangement, Table, presets};

use super::{block, inline};

/// A table of more columns is no table for a terminal.
const COLUMNS: usize = 64;

/// The rows of a table as they were written, drawn for a width.
pub(super) fn drawn(rows: &[String], width: usize) -> String {
    let rows: Vec<_> = rows.iter().map(|row| block::cells(row)).collect();
    if rows.iter().any(|row| row.len() > COLUMNS) {
        let rows = rows.iter().map(|row| format!("| {} |\n", row.join(" | ")));
        return rows.collect();
    }
    let is_line = |row: &[String]| {
        row.iter()
            .all(|cell| cell.contains('-') && cell.chars().all(|c| "-: ".contains(c)))
    };
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    let headed = rows.get(1).is_some_and(|row| is_line(row));
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| !is_line(row)) {
        let cells: Vec<_> = row.iter().map(|cell| inline::plain(cell)).collect();
        match headed && place == 0 {
            true => table.set_header(cells),
            false => table.add_row(cells),
        };
    }
    format!("{}\n", table.trim_fmt())
}
