//! Frames of a stream that say the same as the one before, but for one text.
//!
//! Most of a stream is that: the same members, names and numbers over and over, around a few new letters. Who has read
//! one such frame as JSON knows the next ones by comparing bytes, which costs a fraction of it. What is not the same byte
//! for byte, but for the text and what is named as padding, is not known, and is read as JSON.

use std::borrow::Cow;

use crate::json::Json;

/// The longest number that is passed over, in digits.
const DIGITS: usize = 15;

/// What such frames have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// What stands before each hole, and what fills it.
    pieces: Vec<(String, Hole)>,
    /// What stands behind the last one.
    tail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hole {
    /// The text: a string's content, which may be escaped.
    Text,
    /// Another string's content, without escapes.
    Padding,
    /// An integer that is not negative.
    Number,
}

impl Again {
    /// What a frame has in common with its like. `text` is a string's whole content in it, borrowed from `data`;
    /// members named in `padding` may have any text or count in the next one. Nothing if the text was escaped, so that
    /// its place is not known.
    ///
    /// `data` is JSON: whoever calls this has read it, and knows that all in it but the text means the same again.
    #[must_use]
    pub fn of(data: &str, text: &str, padding: &[&str]) -> Option<Self> {
        let start = text.as_ptr().addr().checked_sub(data.as_ptr().addr())?;
        let end = start.checked_add(text.len())?;
        let (before, after) = (data.get(..start)?, data.get(end..)?);
        if !before.ends_with('"') || !after.starts_with('"') {
            return None;
        }
        let mut pieces = Vec::new();
        let last = holes(before, padding, &mut pieces);
        pieces.push((last.to_owned(), Hole::Text));
        let tail = holes(after, padding, &mut pieces).to_owned();
        Some(Again { pieces, tail })
    }

    /// The text of another one; nothing if it differs in more.
    #[must_use]
    pub fn text<'a>(&self, data: &'a str) -> Option<Cow<'a, str>> {
        let mut rest = data;
        let mut found = None;
        for (before, hole) in &self.pieces {
            let inside = rest.strip_prefix(before.as_str())?;
            let length = match hole {
                Hole::Number => number(inside)?,
                Hole::Padding | Hole::Text => {
                    let (length, escaped) = content(inside)?;
                    let text = inside.get(..length)?;
                    if *hole == Hole::Text {
                        found = Some(match escaped {
                            false => Cow::Borrowed(text),
                            true => unescaped(text)?,
                        });
                    } else if escaped {
                        return None;
                    }
                    length
                }
            };
            rest = inside.get(length..)?;
        }
        found.filter(|_| rest == self.tail)
    }
}

/// Puts down what may differ in a part of a frame that holds no text, and gives what stands behind.
fn holes<'a>(part: &'a str, padding: &[&str], pieces: &mut Vec<(String, Hole)>) -> &'a str {
    let mut rest = part;
    loop {
        let next = padding.iter().filter_map(|name| {
            // Within a string its quotation marks would be escaped: this is a member's name.
            let name = format!("\"{name}\":");
            let at = rest.find(&name)? + name.len();
            let value = rest.get(at..)?;
            let space = value.len() - value.trim_start_matches(' ').len();
            match value.trim_start_matches(' ').strip_prefix('"') {
                Some(inside) => {
                    let (length, escaped) = content(inside)?;
                    (!escaped).then_some((at + space + 1, length, Hole::Padding))
                }
                None => {
                    let length = number(value.get(space..)?)?;
                    Some((at + space, length, Hole::Number))
                }
            }
        });
        let Some((at, length, hole)) = next.min_by_key(|(at, ..)| *at) else {
            return rest;
        };
        let (before, after) = rest.split_at(at);
        pieces.push((before.to_owned(), hole));
        rest = after.get(length..).unwrap_or_default();
    }
}

/// What the frames of one stream have in common, as long as they have.
#[derive(Debug, Default)]
pub struct Learned {
    again: Option<Again>,
    /// How many frames were learned from and not met again.
    in_vain: u8,
}

/// So many frames in a row that are not met again are learned from, and no more: such a server says something else in
/// each.
const IN_VAIN: u8 = 8;

impl Learned {
    /// The text of a frame like the one before; nothing if it has to be read.
    #[must_use]
    pub fn text<'a>(&mut self, data: &'a str) -> Option<Cow<'a, str>> {
        let text = self.again.as_ref()?.text(data)?;
        self.in_vain = 0;
        Some(text)
    }

    /// A frame was read: with a text that was all it said, or with something else.
    pub fn read(&mut self, data: &str, text: Option<&str>, padding: &[&str]) {
        let text = text.filter(|_| self.in_vain < IN_VAIN);
        self.again = text.and_then(|text| Again::of(data, text, padding));
        self.in_vain += u8::from(self.again.is_some());
    }
}

/// How long the content of a string is that ends in this text, and whether anything is escaped in it.
fn content(text: &str) -> Option<(usize, bool)> {
    let bytes = text.as_bytes();
    let (mut at, mut escaped) = (0, false);
    loop {
        match bytes.get(at)? {
            b'"' => return Some((at, escaped)),
            b'\\' => {
                escaped = true;
                at += 2;
            }
            0..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// How long the count is that this text begins with.
fn number(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let written = digits == 1 || digits > 1 && !text.starts_with('0');
    // A fraction or an exponent would be another number.
    let ends = !text.get(digits..)?.starts_with(['.', 'e', 'E']);
    (written && ends && digits <= DIGITS).then_some(digits)
}

fn unescaped(content: &str) -> Option<Cow<'static, str>> {
    match Json::parse(&format!("\"{content}\"")) {
        Ok(Json::Text(text)) => Some(Cow::Owned(text.into_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(data: &str, text: &str) -> Option<Again> {
        let at = data.find(&format!("\"{text}\""))? + 1;
        Again::of(
            data,
            data.get(at..at + text.len())?,
            &["obfuscation", "number"],
        )
    }

    const FIRST: &str =
        r#"{"id":"a","number":9,"delta":{"content":"Hi"},"obfuscation":"x7","end":null}"#;

    #[test]
    fn what_differs_in_the_text_and_the_padding_alone_is_known() {
        let again = of(FIRST, "Hi").unwrap();
        let other = |number: &str, text: &str, padding: &str| {
            FIRST
                .replace("9", number)
                .replace("Hi", text)
                .replace("x7", padding)
        };
        for (number, text, padding, said) in [
            ("9", "Hi", "x7", "Hi"),
            ("10", " there", "", " there"),
            ("0", "", "abcdefghij", ""),
            ("123456789012345", "Grüße \u{1f600}", "é", "Grüße \u{1f600}"),
            (
                "1",
                r#"a\n\"b\"\\ \u00e9\ud83d\ude00"#,
                "x",
                "a\n\"b\"\\ é\u{1f600}",
            ),
        ] {
            let frame = other(number, text, padding);
            assert_eq!(again.text(&frame).as_deref(), Some(said), "{frame}");
            let Ok(Json::Object(_)) = Json::parse(&frame) else {
                panic!("{frame} is no JSON");
            };
        }
        for (number, text, padding) in [
            // No JSON at all.
            ("01", "Hi", "x7"),
            ("", "Hi", "x7"),
            ("9", "a\nb", "x7"),
            ("9", r"\x", "x7"),
            ("9", r"\ud83d", "x7"),
            ("9", r"Hi\", "x7"),
            ("9", "Hi", r"\q"),
            // Something else than it was.
            ("9.5", "Hi", "x7"),
            ("9e1", "Hi", "x7"),
            ("-9", "Hi", "x7"),
            ("1234567890123456", "Hi", "x7"),
            ("9", r#"Hi","role":"system"#, "x7"),
            ("9", "Hi", r#"x7","usage":"1"#),
        ] {
            let frame = other(number, text, padding);
            assert_eq!(again.text(&frame), None, "{frame}");
        }
        for frame in [
            FIRST.replace("\"a\"", "\"b\""),
            FIRST.replace("null", "1"),
            format!("{FIRST} "),
            FIRST[..FIRST.len() - 1].to_owned(),
            FIRST[..FIRST.find("Hi").unwrap()].to_owned(),
            String::new(),
        ] {
            assert_eq!(again.text(&frame), None, "{frame}");
        }
    }

    #[test]
    fn only_a_place_in_the_frame_is_a_place() {
        assert!(Again::of(FIRST, "Hi", &[]).is_none(), "another text");
        let at = FIRST.find("Hi").unwrap();
        assert!(
            Again::of(FIRST, &FIRST[at..=at], &[]).is_none(),
            "half of it"
        );
        // A name that stands in a text is none.
        let data = r#"{"note":"\"number\":5","content":"Hi"}"#;
        let again = of(data, "Hi").unwrap();
        assert_eq!(again.text(&data.replace('5', "6")), None);
        assert_eq!(again.text(&data.replace("Hi", "Ho")).as_deref(), Some("Ho"));
    }

    #[test]
    fn who_always_says_something_else_is_not_learned_from_for_ever() {
        let mut learned = Learned::default();
        for id in 0..20 {
            let data = FIRST.replace("\"a\"", &format!("\"{id}\""));
            assert_eq!(learned.text(&data), None);
            let at = data.find("Hi").unwrap();
            learned.read(&data, data.get(at..at + 2), &[]);
            let tried = learned.text(&data.replace("Hi", "Ho")).is_some();
            // One that is met again is learned from whenever it comes.
            assert!(tried, "{id}");
        }
        for id in 0..20 {
            let data = FIRST.replace("\"a\"", &format!("\"{id}\""));
            let at = data.find("Hi").unwrap();
            learned.read(&data, data.get(at..at + 2), &[]);
        }
        assert_eq!(learned.again, None);
        learned.read(FIRST, None, &[]);
        assert_eq!(learned.text(FIRST), None);
    }

    /// Any cut or changed byte: what is known is JSON that says the same.
    #[test]
    fn it_never_knows_what_is_no_json() {
        let again = of(FIRST, "Hi").unwrap();
        for at in 0..FIRST.len() {
            for byte in (0x20..0x7f).chain([b'\n', 0]) {
                let mut bytes = FIRST.as_bytes().to_vec();
                bytes[at] = byte;
                let Ok(frame) = String::from_utf8(bytes) else {
                    continue;
                };
                if let Some(text) = again.text(&frame) {
                    let read = Json::parse(&frame).unwrap();
                    assert_eq!(
                        read.at(&["delta", "content"]),
                        Some(&Json::from(text)),
                        "{frame}"
                    );
                    assert_eq!(read.get("id"), Some(&Json::from("a")), "{frame}");
                }
            }
        }
    }
}
