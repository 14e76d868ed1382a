//! The text of a `.env` file: `NAME=value` by lines, and every value as it stands.
//!
//! Nothing is expanded: a `$` is a `$`. Quotes around a value are taken off; a quoted value may run
//! over several lines. What cannot be read is told by its line, without its text, which may be a key.

use std::collections::BTreeMap;

use super::env::is_variable_name;

/// What a text says, and what is wrong with it.
#[derive(Default)]
pub(super) struct Parsed {
    /// The last of two lines for one variable counts.
    pub(super) values: BTreeMap<String, String>,
    /// Lines, from 1, and what is wrong with them.
    pub(super) faults: Vec<(Option<usize>, String)>,
}

/// Reads the bytes of a file.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    match text(bytes) {
        Ok(text) => parsed.read(text),
        Err(fault) => parsed.faults.push(fault),
    }
    parsed
}

fn text(bytes: &[u8]) -> Result<&str, (Option<usize>, String)> {
    let line = |at: usize| {
        let before = bytes.iter().take(at);
        Some(before.filter(|byte| **byte == b'\n').count() + 1)
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0) {
        let fault = "cannot be read: it is UTF-16 or no text: save it as UTF-8";
        return Err((None, fault.to_owned()));
    }
    std::str::from_utf8(bytes)
        .map(|text| text.strip_prefix('\u{feff}').unwrap_or(text))
        .map_err(|error| {
            let fault = "cannot be read: it is not UTF-8: save it as UTF-8";
            (line(error.valid_up_to()), fault.to_owned())
        })
}

impl Parsed {
    fn read(&mut self, text: &str) {
        let lines: Vec<&str> = lines(text);
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let number = at + 1;
            at += 1;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, value)) = assignment(line) else {
                let fault = "is not of the form NAME=value: correct it or put # before it";
                self.fault(number, fault);
                continue;
            };
            let Some(quote) = value.chars().next().filter(|c| "\"'`".contains(*c)) else {
                self.values.insert(name.to_owned(), bare(value).to_owned());
                continue;
            };
            let mut quoted = value.get(1..).unwrap_or_default().to_owned();
            let closed = loop {
                if let Some(end) = closing(&quoted, quote) {
                    break Some(end);
                }
                let Some(next) = lines.get(at) else {
                    break None;
                };
                at += 1;
                quoted.push('\n');
                quoted.push_str(next);
            };
            let Some((value, rest)) = closed.and_then(|end| quoted.split_at_checked(end)) else {
                let fault = "a quote is not closed, and nothing after it was read: close it";
                return self.fault(number, fault);
            };
            let rest = rest.get(1..).unwrap_or_default();
            if !rest.trim_start().is_empty() && !is_comment(rest) {
                let fault = "something follows the closing quote: put the whole value in quotes";
                self.fault(number, fault);
                continue;
            }
            let value = match quote {
                '"' => unescaped(value),
                _ => value.to_owned(),
            };
            self.values.insert(name.to_owned(), value);
        }
    }

    fn fault(&mut self, line: usize, fault: &str) {
        self.faults.push((Some(line), fault.to_owned()));
    }
}

/// Lines as editors count them: ended by LF, CR LF, or CR alone in files that have no LF.
fn lines(text: &str) -> Vec<&str> {
    match text.contains('\n') {
        true => text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .collect(),
        false => text.split('\r').collect(),
    }
}

/// The name and what follows the equals sign, without the blanks around both.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let name = match name.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => name,
    };
    let value = match value.trim_start() {
        comment if comment.starts_with('#') && comment.len() < value.len() => "",
        value => value,
    };
    is_variable_name(name).then_some((name, value))
}

/// A value without quotes: up to a `#` that stands after a blank.
fn bare(value: &str) -> &str {
    let comment = value
        .char_indices()
        .zip(value.chars().skip(1))
        .find(|((_, before), c)| before.is_whitespace() && *c == '#');
    let value = match comment {
        Some(((at, _), _)) => value.get(..at).unwrap_or(value),
        None => value,
    };
    value.trim_end()
}

fn is_comment(rest: &str) -> bool {
    rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with('#')
}

/// Where the quote is closed. Only between double quotes can one be escaped.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Between double quotes, `\n` is a line feed, and quotes, backslashes and dollars may be escaped.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some(c @ ('"' | '\\' | '$' | '\'' | '`')) => text.push(c),
            Some(c) => text.extend(['\\', c]),
            None => text.push('\\'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<String> {
        let parsed = parse(text.as_bytes());
        assert!(parsed.faults.is_empty(), "{text}: {:?}", parsed.faults);
        parsed.values.get("K").cloned()
    }

    fn faults(bytes: &[u8]) -> Vec<String> {
        let told = |(line, fault): (Option<usize>, String)| match line {
            Some(line) => format!("{line}: {fault}"),
            None => fault,
        };
        parse(bytes).faults.into_iter().map(told).collect()
    }

    #[test]
    fn values_are_what_stands_there() {
        let cases = [
            ("K=a", "a"),
            ("K = a ", "a"),
            ("export K=a", "a"),
            ("export\tK=a", "a"),
            ("exported=1\nK=a", "a"),
            ("\u{feff}K=a\r\nL=b\r\n", "a"),
            ("L=b\rK=a\r", "a"),
            ("K=a$b", "a$b"),
            ("K=a$$b${HOME}$(id)`id`", "a$$b${HOME}$(id)`id`"),
            ("K=\"a$b ${HOME}\"", "a$b ${HOME}"),
            ("K='a$b\\n'", "a$b\\n"),
            ("K=`a'\"b`", "a'\"b"),
            ("K=a\\$b", "a\\$b"),
            ("K=\"a\\$b\\\"c\\\\d\\ne\\x\"", "a$b\"c\\d\ne\\x"),
            ("K=a#b", "a#b"),
            ("K=#b", "#b"),
            ("K=a #b", "a"),
            ("K= # note", ""),
            ("K='a' # note", "a"),
            ("K=two words", "two words"),
            ("K=a=b==", "a=b=="),
            ("K=", ""),
            ("K=\"\"", ""),
            ("K=1\nK=2", "2"),
            ("K=\"1\n2\"\nL=3", "1\n2"),
            ("K=it's", "it's"),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_line() {
        assert_eq!(
            faults(b"A=1\nsk-secret here\n\nK: v\n1K=v\n"),
            [2, 4, 5].map(|line| format!(
                "{line}: is not of the form NAME=value: correct it or put # before it"
            ))
        );
        assert_eq!(
            faults(b"\nA=\"open\nB=2\n"),
            ["2: a quote is not closed, and nothing after it was read: close it"]
        );
        assert_eq!(
            faults(b"A=\"1\"2\n"),
            ["1: something follows the closing quote: put the whole value in quotes"]
        );
        assert_eq!(
            faults(b"A=1\nB=\xe4\n"),
            ["2: cannot be read: it is not UTF-8: save it as UTF-8"]
        );
        for utf16 in [&b"\xff\xfeA\0=\x001\0"[..], b"A\0=\x001\0", b"\xfe\xff\0A"] {
            assert_eq!(
                faults(utf16),
                ["cannot be read: it is UTF-16 or no text: save it as UTF-8"]
            );
        }
    }

    #[test]
    fn a_bad_line_takes_nothing_else_with_it() {
        let parsed = parse(b"A=1\nwhat is this\nB=2\nC=\"x\" y\nD=4\n");
        let names: Vec<&str> = parsed.values.keys().map(String::as_str).collect();
        assert_eq!(names, ["A", "B", "D"]);
        assert_eq!(parsed.faults.len(), 2);
    }
}
