//! A markdown table of measurements.

use std::fmt;
use std::time::Duration;

/// The first column is left, the others are right.
pub(super) struct Table<const COLUMNS: usize> {
    head: [String; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(super) fn new(head: [&str; COLUMNS]) -> Self {
        Table {
            head: head.map(str::to_owned),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: [&str; COLUMNS]) {
        self.rows.push(cells.map(str::to_owned));
    }
}

impl Table<3> {
    /// Median and ninth decile of a series, which it sorts.
    pub(super) fn times(&mut self, what: &str, series: &mut [Duration]) {
        series.sort();
        self.row([
            what,
            &shown(quantile(series, 5)),
            &shown(quantile(series, 9)),
        ]);
    }

    /// By how much the median of a sorted series lies above another's.
    pub(super) fn difference(&mut self, what: &str, sorted: &[Duration], other: &[Duration]) {
        let both = quantile(sorted, 5).zip(quantile(other, 5));
        let more = both.map(|(one, other)| (one.as_secs_f64() - other.as_secs_f64()) * 1000.0);
        self.row([
            what,
            &more.map_or("unknown".to_owned(), |more| format!("{more:.1} ms")),
            "",
        ]);
    }
}

impl<const COLUMNS: usize> fmt::Display for Table<COLUMNS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} |", self.head.join(" | "))?;
        writeln!(f, "|---|{}", "---:|".repeat(COLUMNS.saturating_sub(1)))?;
        for row in &self.rows {
            writeln!(f, "| {} |", row.join(" | "))?;
        }
        Ok(())
    }
}

/// The element of a sorted series below which so many tenths lie.
fn quantile(sorted: &[Duration], tenths: usize) -> Option<Duration> {
    sorted.get(sorted.len() * tenths / 10).copied()
}

fn shown(time: Option<Duration>) -> String {
    time.map_or("unknown".to_owned(), |time| {
        format!("{:.1} ms", time.as_secs_f64() * 1000.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut series: Vec<Duration> = (1..=10).rev().map(Duration::from_millis).collect();
        let mut table = Table::new(["what", "median", "p90"]);
        table.times("a", &mut series);
        table.difference("b", &series, &[Duration::from_millis(8)]);
        table.times("c", &mut []);
        assert_eq!(
            table.to_string(),
            "| what | median | p90 |\n|---|---:|---:|\n| a | 6.0 ms | 10.0 ms |\n| b | -2.0 ms |  |\n| c | unknown | unknown |\n"
        );
    }
}
