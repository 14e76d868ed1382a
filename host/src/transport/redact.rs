//! Takes secrets out of texts that come from a server.
//!
//! Some servers repeat the key they were sent, whole, cut short or escaped. What they have masked
//! themselves (`sk-ab****`) is kept: it helps to see which key it was.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use memchr::memmem;
use secrecy::{ExposeSecret, SecretString};

/// What stands in a secret's place.
const MARK: &str = "[redacted]";
/// Shorter beginnings of a secret tell nothing, and are shared by all keys of a vendor.
const LONG: usize = 8;
/// A beginning of this length is taken out unless a mask follows.
const LONG_PREFIX: usize = 12;
/// Shorter secrets are no secrets, and would make texts unreadable.
const SHORTEST: usize = 4;

/// The text without the secrets. Found are a secret of at least eight characters anywhere, a
/// shorter one where it stands alone, each also percent-encoded or escaped as in JSON, and the
/// beginning of a secret if it is long: at least eight characters and more than half of it, or
/// twelve and not masked behind.
#[must_use]
pub fn redact<'t, 's>(
    text: &'t str,
    secrets: impl IntoIterator<Item = &'s SecretString>,
) -> Cow<'t, str> {
    let mut found = Vec::new();
    for secret in secrets {
        let secret = secret.expose_secret().trim();
        if secret.len() >= SHORTEST {
            for form in forms(secret) {
                find(text, &form, &mut found);
            }
        }
    }
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_unstable_by_key(|range| (range.start, range.end));
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for range in found {
        if range.start >= done {
            clean.push_str(text.get(done..range.start).unwrap_or_default());
            clean.push_str(MARK);
        }
        done = done.max(range.end);
    }
    clean.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(clean)
}

/// The secret as it may be written.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_owned(),
        percent(secret, false),
        percent(secret, true),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
    ];
    if let Ok(json) = serde_json::to_string(secret) {
        let inner = json
            .trim_start_matches('"')
            .strip_suffix('"')
            .unwrap_or_default();
        forms.extend([inner.to_owned(), inner.replace('/', "\\/")]);
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Percent-encoded but for what is never encoded (RFC 3986, section 2.3).
fn percent(secret: &str, lower: bool) -> String {
    let mut text = String::with_capacity(secret.len());
    for byte in secret.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        // Writing to a string cannot fail.
        let _ = match (plain, lower) {
            (true, _) => write!(text, "{}", char::from(byte)),
            (false, true) => write!(text, "%{byte:02x}"),
            (false, false) => write!(text, "%{byte:02X}"),
        };
    }
    text
}

fn find(text: &str, form: &str, found: &mut Vec<Range<usize>>) {
    let head_len = form
        .char_indices()
        .nth(LONG)
        .map_or(form.len(), |(at, _)| at);
    let Some(head) = form.get(..head_len) else {
        return;
    };
    for start in memmem::find_iter(text.as_bytes(), head) {
        let Some(tail) = text.get(start..) else {
            continue;
        };
        let len = common_prefix(tail, form);
        let rest = tail.get(len..).unwrap_or_default();
        let taken = if len == form.len() {
            len >= LONG || stands_alone(text.get(..start).unwrap_or_default(), rest)
        } else {
            let most = len * 2 > form.len();
            most || (len >= LONG_PREFIX && !is_masked(rest))
        };
        if taken {
            found.push(start..start + len);
        }
    }
}

/// How many bytes both begin with, in whole characters.
fn common_prefix(one: &str, other: &str) -> usize {
    one.chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum()
}

fn stands_alone(before: &str, after: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    !before.ends_with(part_of_word) && !after.starts_with(part_of_word)
}

fn is_masked(rest: &str) -> bool {
    rest.starts_with(['*', '\u{2022}', '\u{2026}']) || rest.starts_with("...")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str, secret: &str) -> String {
        redact(text, [&SecretString::from(secret)]).into_owned()
    }

    const KEY: &str = "sk-proj-AbCdEf0123456789XyZ";

    #[test]
    fn a_secret_is_taken_out_wherever_it_stands() {
        assert_eq!(
            clean(&format!("bad key {KEY}."), KEY),
            "bad key [redacted]."
        );
        assert_eq!(clean(&format!("{KEY}{KEY}"), KEY), "[redacted][redacted]");
        assert_eq!(
            clean(&format!("x{KEY}y"), &format!(" {KEY}\n")),
            "x[redacted]y"
        );
        assert!(matches!(
            redact("nothing", [&SecretString::from(KEY)]),
            Cow::Borrowed("nothing")
        ));
    }

    #[test]
    fn escaped_forms_are_found() {
        let secret = "ab+cd/ef\"gh\\ij kl";
        for form in [
            "ab%2Bcd%2Fef%22gh%5Cij%20kl",
            "ab%2bcd%2fef%22gh%5cij%20kl",
            "ab%2Bcd%2Fef%22gh%5Cij+kl",
            r#"ab+cd/ef\"gh\\ij kl"#,
            r#"ab+cd\/ef\"gh\\ij kl"#,
        ] {
            assert_eq!(
                clean(&format!("<{form}>"), secret),
                "<[redacted]>",
                "{form}"
            );
        }
    }

    #[test]
    fn cut_secrets_are_taken_out_and_masked_ones_kept() {
        assert_eq!(clean("key sk-proj-AbCdEf01234", KEY), "key [redacted]");
        assert_eq!(clean("key sk-proj-AbCdEf01...", KEY), "key [redacted]...");
        assert_eq!(clean("key sk-proj-****9XyZ", KEY), "key sk-proj-****9XyZ");
        assert_eq!(clean("key sk-proj-AbCdE***", KEY), "key sk-proj-AbCdE***");
        assert_eq!(
            clean("keys begin with sk-proj-", KEY),
            "keys begin with sk-proj-"
        );
        assert_eq!(
            clean("short abcdefgh is cut", "abcdefghij"),
            "short [redacted] is cut"
        );
        assert_eq!(clean("short abcde*****", "abcdefghij"), "short abcde*****");
    }

    #[test]
    fn short_secrets_go_only_where_they_stand_alone() {
        assert_eq!(clean("key abc12 is bad", "abc12"), "key [redacted] is bad");
        assert_eq!(
            clean("xabc12 abc12x abc12-x", "abc12"),
            "xabc12 abc12x abc12-x"
        );
        assert_eq!(clean("abc", "abc"), "abc");
        assert_eq!(clean("", ""), "");
    }

    #[test]
    fn several_secrets_and_overlaps() {
        let secrets = [
            SecretString::from("abcdefgh12"),
            SecretString::from("gh12345678"),
        ];
        assert_eq!(redact("-abcdefgh12345678-", &secrets), "-[redacted]-");
        assert_eq!(
            clean("\u{e9}schl\u{fc}ssel-lang\u{e9}", "schl\u{fc}ssel-lang"),
            "\u{e9}[redacted]\u{e9}"
        );
    }
}
