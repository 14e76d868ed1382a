//! Which parts of a JSON text are values of its own and no structure. The text may be broken.

use std::ops::Range;

/// Members whose values tell kinds of things apart: they are read by programs and no text.
const STRUCTURE: [&str; 6] = ["type", "object", "event", "role", "kind", "status"];

/// Those parts of what was found that lie within string values.
pub(super) fn within_values(text: &str, found: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut kept = vec![];
    let mut left = found.iter().peekable();
    for value in values(text) {
        while let Some(range) = left.next_if(|range| range.start < value.end) {
            // A secret that holds a quotation mark ends where the value does.
            let inner = range.start.max(value.start)..range.end.min(value.end);
            if !inner.is_empty() {
                kept.push(inner);
            }
        }
    }
    kept
}

/// The string values, without their quotation marks, in order.
fn values(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut values = vec![];
    let mut key = "";
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) {
        let start = at + open + 1;
        let end = closing(bytes, start);
        let after = bytes.get(end + 1..).unwrap_or_default().trim_ascii_start();
        match after.first() {
            Some(b':') => key = text.get(start..end).unwrap_or_default(),
            _ if STRUCTURE.contains(&key) => key = "",
            _ => values.push(start..end),
        }
        at = end + 1;
    }
    values
}

/// Where the string that begins here ends.
fn closing(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => return at,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}
