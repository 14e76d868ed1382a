//! Reads JSON without losing a digit: a number that is no 64-bit integer stays the text it is.
//!
//! What is wrong with a text is left to `serde_json` to say.

use std::borrow::Cow;

use super::Json;

/// How deep values may be nested, as in `serde_json`.
pub(super) const DEPTH: usize = 127;

/// The value that a text holds; nothing if it is not certainly well formed.
pub(super) fn read(text: &str) -> Option<Json<'_>> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(DEPTH)?;
    reader.space();
    (reader.at == text.len()).then_some(value)
}

/// The members of an object by name, or the items of a list, each as its text; nothing for
/// anything else.
pub(super) fn pieces(text: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let mut reader = Reader { text, at: 0 };
    let end = match reader.peek()? {
        b'{' => b'}',
        b'[' => b']',
        _ => return None,
    };
    reader.at += 1;
    let mut pieces = Vec::new();
    if reader.takes(end) {
        return Some(pieces);
    }
    loop {
        reader.space();
        let mut name = Cow::Borrowed("");
        if end == b'}' {
            name = reader.string()?;
            if !reader.takes(b':') {
                return None;
            }
            reader.space();
        }
        let start = reader.at;
        reader.value(DEPTH)?;
        pieces.push((name, text.get(start..reader.at)?));
        if reader.takes(end) {
            return Some(pieces);
        }
        if !reader.takes(b',') {
            return None;
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        match self.peek()? {
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.list(depth.checked_sub(1)?),
            b'"' => self.string().map(Json::Text),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json<'a>> {
        self.at += 1;
        let mut members = Vec::new();
        if self.takes(b'}') {
            return Some(Json::Object(members));
        }
        loop {
            self.space();
            let key = self.string()?;
            if !self.takes(b':') {
                return None;
            }
            members.push((key, self.value(depth)?));
            if self.takes(b'}') {
                return Some(Json::Object(members));
            }
            if !self.takes(b',') {
                return None;
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json<'a>> {
        self.at += 1;
        let mut list = Vec::new();
        if self.takes(b']') {
            return Some(Json::List(list));
        }
        loop {
            list.push(self.value(depth)?);
            if self.takes(b']') {
                return Some(Json::List(list));
            }
            if !self.takes(b',') {
                return None;
            }
        }
    }

    /// A string, borrowed where nothing in it is escaped.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at;
        let rest = self.text.get(start..)?.strip_prefix('"')?;
        let bytes = rest.as_bytes();
        let (mut end, mut escaped) = (0, false);
        loop {
            end += plain(bytes.get(end..)?);
            match bytes.get(end)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    end += 2;
                }
                0..0x20 => return None,
                _ => end += 1,
            }
        }
        self.at = start + end + 2;
        let text = rest.get(..end)?;
        if escaped {
            return unescaped(text).map(Cow::Owned);
        }
        Some(Cow::Borrowed(text))
    }

    fn number(&mut self) -> Option<Json<'a>> {
        let rest = self.text.get(self.at..)?;
        let end = rest
            .find(|next: char| !matches!(next, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let text = rest.get(..end)?;
        if !is_number(text) {
            return None;
        }
        self.at += end;
        if let Ok(number) = text.parse() {
            return Some(Json::Unsigned(number));
        }
        Some(match text.parse() {
            Ok(number) if text != "-0" => Json::Signed(number),
            _ => Json::Number(Cow::Borrowed(text)),
        })
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Option<Json<'a>> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn space(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if rest.first().is_some_and(|byte| *byte > b' ') {
            return;
        }
        let space = |byte: &&u8| matches!(**byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += rest.iter().take_while(space).count();
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.text.as_bytes().get(self.at).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }
}

/// How many bytes, by eights, certainly hold no quotation mark, no escape and no control character. Most of
/// an answer is text, and a component has no vector instructions to look for its end with.
fn plain(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    const TOP: u64 = u64::from_ne_bytes([0x80; 8]);
    // The top bit of each byte that is below a bound, of those below 0x80; perhaps of others behind such a one.
    let below = |word: u64, bound: u64| word.wrapping_sub(EACH * bound) & !word & TOP;
    let (words, _) = bytes.as_chunks::<8>();
    let plain = words.iter().take_while(|word| {
        let word = u64::from_le_bytes(**word);
        let quote = below(word ^ (EACH * u64::from(b'"')), 1);
        let escape = below(word ^ (EACH * u64::from(b'\\')), 1);
        quote | escape | below(word, 0x20) == 0
    });
    plain.count() * 8
}

/// What a string with escapes says; nothing for an escape that there is not, such as half a pair.
fn unescaped(text: &str) -> Option<String> {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        said.push_str(plain);
        let mut after = escape.chars();
        said.push(match after.next()? {
            sign @ ('"' | '\\' | '/') => sign,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = unit(&mut after)?;
                match char::from_u32(high.into()) {
                    Some(char) => char,
                    None => {
                        let low = after.as_str().strip_prefix("\\u")?;
                        after = low.chars();
                        let low = unit(&mut after)?;
                        char::decode_utf16([high, low]).next()?.ok()?
                    }
                }
            }
            _ => return None,
        });
        rest = after.as_str();
    }
    said.push_str(rest);
    Some(said)
}

/// Four hexadecimal digits.
fn unit(text: &mut std::str::Chars<'_>) -> Option<u16> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = text.next()?.to_digit(16)?;
        unit = (unit << 4) | u16::try_from(digit).ok()?;
    }
    Some(unit)
}

/// The value of a number that is well written: exact up to 15 digits, and near it beyond.
pub(super) fn float(text: &str) -> f64 {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (digits, sign) = digits
        .strip_prefix('-')
        .map_or((digits, 1.0), |digits| (digits, -1.0));
    let (mut value, mut scale, mut fraction) = (0.0, 0_i32, false);
    for byte in digits.bytes() {
        match byte {
            b'.' => fraction = true,
            digit => {
                value = value * 10.0 + f64::from(digit.saturating_sub(b'0'));
                scale += i32::from(fraction);
            }
        }
    }
    let exponent: i32 = exponent.parse().unwrap_or(i32::MAX / 2);
    let power = exponent.saturating_sub(scale);
    // A power of ten is exact as far as it can be; one over it is not.
    let scaled = if power < 0 {
        value / 10_f64.powi(power.saturating_neg())
    } else {
        value * 10_f64.powi(power)
    };
    sign * scaled
}

/// Whether a text is a number as RFC 8259 writes them, section 6.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (text, exponent) = match text.split_once(['e', 'E']) {
        Some((text, exponent)) => (text, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let exponent = exponent.map(|text| text.strip_prefix(['-', '+']).unwrap_or(text));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_wherever_it_ends() {
        for length in 0..40 {
            for filler in ["a", "é", "\u{1f600}", "~", "\u{7f}"] {
                let text = filler.repeat(length);
                let json = format!("\"{text}\"");
                assert_eq!(read(&json), Some(Json::Text(text.clone().into())), "{json}");
                let escaped = format!("\"{text}\\n{text}\"");
                let says = format!("{text}\n{text}");
                assert_eq!(read(&escaped), Some(Json::Text(says.into())), "{escaped}");
                for control in ["\n", "\u{1f}", "\0"] {
                    assert_eq!(read(&format!("\"{text}{control}{text}\"")), None);
                }
                assert_eq!(read(&format!("\"{text}")), None);
                assert_eq!(read(&format!("\"{text}\\")), None);
            }
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in [
            "12345678901234567890123",
            "-98765432109876543210",
            "18446744073709551616",
            "0.10",
            "1.0",
            "1e5",
            "-0",
            "1E+2",
            r#"{"id":36893488147419103232,"price":1.50}"#,
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        assert_eq!(read("18446744073709551615"), Some(Json::Unsigned(u64::MAX)));
        assert_eq!(read("-5"), Some(Json::Signed(-5)));
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "these are exact")]
    fn the_value_of_a_number_is_near() {
        for (text, value) in [
            ("34.4", 34.4),
            ("-0.25", -0.25),
            ("1e3", 1000.0),
            ("12.5E-1", 1.25),
            ("0", 0.0),
            ("20.0", 20.0),
        ] {
            assert_eq!(float(text), value, "{text}");
        }
        assert!(float("1e999").is_infinite());
        assert!(
            (float("123456789012345678901234567890") / 1.234_567_890_123_456_8e29 - 1.0).abs()
                < 1e-12
        );
    }

    /// What it takes `serde_json` takes too, and as the same.
    #[test]
    fn it_agrees_with_serde() {
        for text in [
            "",
            " ",
            "{",
            "[",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "--1",
            "nul",
            "true false",
            "\"a",
            "\"a\n\"",
            r#""\x""#,
            r#""\ud83d""#,
            "[1 2]",
            "{\"a\":1 \"b\":2}",
            "]",
            "\u{a0}1",
            "1\u{0}",
            "\u{feff}1",
            "NaN",
        ] {
            assert_eq!(read(text), None, "{text:?}");
            assert!(Json::parse(text).is_err(), "{text:?}");
        }
        for text in [
            " { \"a\" : [ 1 , -2 , true , null , \"x\\n\\u00e9\\ud83d\\ude00\" , { } , [ ] ] , \"\" : \"\u{7f}é\" } ",
            "0",
            "\"\"",
            "[[],[]]",
        ] {
            let own = read(text).unwrap();
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            let again: serde_json::Value = serde_json::from_str(&own.to_string()).unwrap();
            assert_eq!(again, value, "{text}");
            assert_eq!(
                serde_json::from_str::<Json<'_>>(text).unwrap(),
                own,
                "{text}"
            );
        }
    }
}
