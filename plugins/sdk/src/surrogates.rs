//! Halves of UTF-16 pairs, as some servers write them into JSON: `"\ud83d"` and then no other half.
//!
//! RFC 8259 lets them pass as grammar, section 8.2, and says that readers differ; ours refuses the
//! whole text for one. A server writes such a half where it cut a text between the two. As text
//! it means nothing, so U+FFFD takes its place, as Unicode advises.
//!
//! [`export_provider!`](crate::export_provider) has it done to every body and frame before an
//! adapter reads it.

/// Replaces each escape of half a pair, in place.
pub fn mend(json: &mut String) {
    let mut from = 0;
    while let Some(at) = half(json, from) {
        json.replace_range(at + 2..at + 6, "fffd");
        from = at + 6;
    }
}

/// Where, from here on, the next half of a pair stands without its other half.
fn half(json: &str, mut from: usize) -> Option<usize> {
    loop {
        let at = from + json.get(from..)?.find('\\')?;
        from = match unit(json, at) {
            Some(0xD800..=0xDBFF) => match unit(json, at + 6) {
                Some(0xDC00..=0xDFFF) => at + 12,
                _ => return Some(at),
            },
            Some(0xDC00..=0xDFFF) => return Some(at),
            Some(_) => at + 6,
            // Another escape, or none.
            None => at + 1 + json.get(at + 1..)?.chars().next()?.len_utf8(),
        };
    }
}

/// The UTF-16 unit whose escape begins here.
fn unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::mend;

    fn mended(json: &str) -> String {
        let mut text = json.to_owned();
        mend(&mut text);
        text
    }

    #[test]
    fn a_half_becomes_a_replacement_character() {
        assert_eq!(mended(r#""\ud83d""#), r#""\ufffd""#);
        assert_eq!(mended(r#""\uDE00!""#), r#""\ufffd!""#);
        assert_eq!(mended(r#""\ud83d\ud83d\ude00""#), r#""\ufffd\ud83d\ude00""#);
        assert_eq!(mended(r#""\ude00\ud83d""#), r#""\ufffd\ufffd""#);
        assert_eq!(mended(r#""\ud83dé\ud83d\n""#), r#""\ufffdé\ufffd\n""#);
    }

    #[test]
    fn everything_else_stays() {
        for json in [
            "",
            "\\",
            "\\u",
            r#"{"a":"\ud83d\ude00","b":"\u00e9"}"#,
            r#""C:\\ud83d\\""#,
            r#""{\"text\":\"\\ud83d\"}""#,
            r#""\u+83d""#,
            r#""\ué€\é""#,
            r#""\ud83"#,
        ] {
            assert_eq!(mended(json), json);
        }
    }

    #[test]
    fn what_was_mended_is_json() {
        let text: String = serde_json::from_str(&mended(r#""a \ud83d b""#)).unwrap();
        assert_eq!(text, "a \u{fffd} b");
    }
}
