//! The history as a table for other programs.

use std::io::Write;

use super::Entry;

/// Entries as CSV (RFC 4180, UTF-8), a header first. What is unknown is empty; money has all its
/// digits; the time stands as Unix milliseconds and as RFC 3339 (UTC). A text that a spreadsheet
/// would take for a formula has an apostrophe before it, which such programs hide.
pub struct CsvTable<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> CsvTable<W> {
    /// Begins a table with its header.
    ///
    /// # Errors
    ///
    /// The output cannot be written.
    pub fn begin(out: W) -> std::io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS)?;
        Ok(CsvTable { writer })
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// The output cannot be written.
    pub fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        Ok(self.writer.write_record(row(entry))?)
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// The output cannot be written.
    pub fn end(mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

/// Writes entries as [`CsvTable`] does.
///
/// # Errors
///
/// The output cannot be written.
pub fn write_csv<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    out: impl Write,
) -> std::io::Result<()> {
    let mut table = CsvTable::begin(out)?;
    for entry in entries {
        table.entry(entry)?;
    }
    table.end()
}

const COLUMNS: [&str; 38] = [
    "id",
    "at",
    "at_ms",
    "request_id",
    "conversation_id",
    "model",
    "provider",
    "plugin",
    "plugin_digest",
    "route",
    "vendor_model",
    "vendor_id",
    "attempt",
    "final",
    "streamed",
    "outcome",
    "finish_reason",
    "error_kind",
    "error_message",
    "status",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost",
    "latency_ms",
    "ttft_ms",
    "cached",
    "prompt",
    "answer",
    "tier",
    "unpriced",
    "caller",
    "session",
    "agent",
    "warnings",
];

fn row(entry: &Entry) -> [String; 38] {
    fn shown<T: ToString>(value: Option<T>) -> String {
        value.map_or_else(String::new, |value| value.to_string())
    }
    fn text(value: Option<&String>) -> String {
        value.map_or_else(String::new, |value| defused(value))
    }
    [
        entry.id.to_string(),
        entry.at(),
        entry.at_ms.to_string(),
        defused(&entry.request_id),
        text(entry.conversation_id.as_ref()),
        defused(&entry.model),
        defused(&entry.provider),
        defused(&entry.plugin),
        defused(&entry.plugin_digest),
        text(entry.route.as_ref()),
        text(entry.vendor_model.as_ref()),
        text(entry.vendor_id.as_ref()),
        entry.attempt.to_string(),
        entry.last.to_string(),
        entry.streamed.to_string(),
        defused(&entry.outcome),
        text(entry.finish_reason.as_ref()),
        text(entry.error_kind.as_ref()),
        text(entry.error_message.as_ref()),
        shown(entry.status),
        shown(entry.prompt_tokens),
        shown(entry.completion_tokens),
        shown(entry.total_tokens),
        shown(entry.cached_tokens),
        shown(entry.cache_write_tokens),
        shown(entry.reasoning_tokens),
        shown(entry.cost.map(|cost| cost.normalize())),
        entry.latency_ms.to_string(),
        shown(entry.ttft_ms),
        entry.cached.to_string(),
        text(entry.prompt.as_ref()),
        text(entry.answer.as_ref()),
        text(entry.tier.as_ref()),
        defused(&entry.unpriced.join("; ")),
        text(entry.caller.as_ref()),
        text(entry.session.as_ref()),
        text(entry.agent.as_ref()),
        defused(&entry.warnings.join("; ")),
    ]
}

/// Text that no spreadsheet runs: <https://owasp.org/www-community/attacks/CSV_Injection>.
fn defused(text: &str) -> String {
    // Some programs skip blanks and line ends before they look, and take full-width signs too.
    let first = text
        .trim_start_matches([' ', '\n', '\u{a0}', '\u{feff}'])
        .chars()
        .next();
    match first {
        Some(
            '=' | '+' | '-' | '@' | '\t' | '\r' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}',
        ) => {
            format!("'{text}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::defused;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            " =cmd|' /C calc'!A0",
            "\n=1",
            "\u{ff1d}1",
        ] {
            assert_eq!(defused(text), format!("'{text}"));
        }
        for text in ["", "a=1", "1-1", "'=1", "天", "\"=1\""] {
            assert_eq!(defused(text), text);
        }
    }
}
