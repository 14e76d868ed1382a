//! Rust source as the checks look at it: without comments, literals and tests.
//! No parser: it knows just enough of the language to leave those out.

/// The text with comments and the content of literals blanked; line ends stay.
pub(super) fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => quoted(rest, 1),
            'r' | 'b' | 'c' if !ends_in_word(&out) && literal_prefix(rest) > 0 => {
                let prefix = literal_prefix(rest);
                if rest
                    .get(..prefix)
                    .is_some_and(|prefix| prefix.contains('r'))
                {
                    raw_string(rest, prefix)
                } else {
                    quoted(rest, prefix + 1)
                }
            }
            '\'' => character(rest),
            _ => 0,
        };
        if length == 0 {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        } else {
            let (skipped, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            out.extend(skipped.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    out
}

/// [`blanked`], and cut where the unit tests begin.
pub(super) fn product(text: &str) -> String {
    let blanked = blanked(text);
    let mut kept = String::new();
    let mut lines = blanked.lines().peekable();
    while let Some(line) = lines.next() {
        let is_test = line.trim() == "#[cfg(test)]";
        if is_test
            && lines
                .peek()
                .is_some_and(|next| next.trim_start().starts_with("mod "))
        {
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

/// The identifiers and punctuation of [`blanked`] code; `::` is one token.
pub(super) fn tokens(blanked: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = blanked.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        found.push(token);
        rest = after.trim_start();
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn ends_in_word(text: &str) -> bool {
    text.chars().next_back().is_some_and(is_word)
}

/// The length of `r`, `b`, `br`, `c`, `cr` and their hashes where a string follows, otherwise 0.
fn literal_prefix(text: &str) -> usize {
    let letters = text.find(|c| !matches!(c, 'r' | 'b' | 'c')).unwrap_or(0);
    let after = text.get(letters..).unwrap_or_default();
    let hashes = after.find(|c| c != '#').unwrap_or(0);
    let opens = after
        .get(hashes..)
        .is_some_and(|rest| rest.starts_with('"'));
    if letters <= 2 && opens {
        letters + hashes
    } else {
        0
    }
}

/// The length of a string whose content begins at `from`.
fn quoted(text: &str, from: usize) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().filter(|(at, _)| *at >= from) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str, prefix: usize) -> usize {
    let hashes = text
        .get(..prefix)
        .map_or(0, |prefix| prefix.matches('#').count());
    let close = format!("\"{}", "#".repeat(hashes));
    let content = text.get(prefix + 1..).unwrap_or_default();
    content
        .find(&close)
        .map_or(text.len(), |at| prefix + 1 + at + close.len())
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a character literal, or 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            let _escaped = chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
        }
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_left_out() {
        let text = r####"
            /// wasmtime
            fn a<'x>(b: &'x str) -> char { /* reqwest /* deep */ */ '"' }
            const C: &str = "sqlx \" sqlx"; const D: &str = r#"print " ln"#; const E: char = '\'';
            const F: &[u8] = b"x"; let bar = cr#"y"#; end
        "####;
        let left = blanked(text);
        for word in [
            "wasmtime", "reqwest", "deep", "sqlx", "print", "ln", "\"", "y",
        ] {
            assert!(!tokens(&left).contains(&word), "{word} is left in {left}");
        }
        for word in ["fn", "x", "str", "const", "C", "D", "E", "F", "bar", "end"] {
            assert!(tokens(&left).contains(&word), "{word} is missing in {left}");
        }
        assert_eq!(left.lines().count(), text.lines().count());
    }

    #[test]
    fn a_test_module_ends_the_product() {
        let text =
            "use a::b;\n#[cfg(test)]\nuse c;\nfn d() {}\n#[cfg(test)]\nmod tests { fn e() {} }\n";
        let left = product(text);
        assert!(left.contains("fn d()") && left.contains("use c"));
        assert!(!left.contains("fn e()"));
    }

    #[test]
    fn paths_are_tokens() {
        assert_eq!(
            tokens("use crate::{a, b::c};"),
            [
                "use", "crate", "::", "{", "a", ",", "b", "::", "c", "}", ";"
            ]
        );
    }
}
