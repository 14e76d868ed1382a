//! How much text a body holds, as far as budgets and limits go by it: everything but what is plainly a picture or
//! a file in base64. A policy without I/O.

use memchr::{memchr, memchr2};

/// Texts from this length on are looked at.
const LONG: usize = 2 << 10;
/// How much of one tells.
const SAMPLE: usize = 1 << 10;
/// What a picture or file counts as: about 2,000 tokens, as vendors charge for a large picture.
const PICTURE: u64 = 6_000;

/// Bytes of the body, where each text that can be no words counts as one picture.
pub(super) fn of(body: &[u8]) -> u64 {
    let mut weight = body.len() as u64;
    let mut rest = body;
    while let Some(open) = memchr(b'"', rest) {
        let text = rest.get(open + 1..).unwrap_or_default();
        let length = closing(text);
        if length >= LONG && is_encoded(text.get(..SAMPLE).unwrap_or(text)) {
            weight = weight.saturating_sub(length as u64) + PICTURE;
        }
        rest = text.get(length + 1..).unwrap_or_default();
    }
    weight
}

/// How long the text is that begins here.
fn closing(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        match text.get(at + found) {
            Some(b'\\') => at += found + 2,
            _ => return at + found,
        }
    }
    text.len()
}

/// No language is written without a space for so long in these letters.
fn is_encoded(sample: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_:;,.".contains(byte);
    sample.iter().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_by_their_length_and_files_as_one_picture() {
        let words = format!(r#"{{"text":"{}"}}"#, "many words, ".repeat(1000));
        assert_eq!(of(words.as_bytes()), words.len() as u64);
        let picture = format!(
            r#"{{"a":"b\"c","url":"data:image/png;base64,{}"}}"#,
            "iVBORw0K".repeat(90_000)
        );
        let weight = of(picture.as_bytes());
        assert!((PICTURE..PICTURE + 100).contains(&weight), "{weight}");
        for odd in ["", "\"", "\"\\", "{\"a\":\"\\\"}"] {
            assert_eq!(of(odd.as_bytes()), odd.len() as u64, "{odd:?}");
        }
    }
}
