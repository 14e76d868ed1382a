//! One form of a secret at one place of a text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Shorter beginnings of a secret tell nothing, and are shared by all keys of a vendor.
const LONG: usize = 8;
/// A beginning of this length is taken out unless a mask follows.
const LONG_PREFIX: usize = 12;
/// Shorter secrets are not looked for in base64: too little is left of them.
const BASE64_LEAST: usize = 12;
/// An escape that was escaped again, and again, has two, four, eight backslashes; more are none.
const MOST_BACKSLASHES: usize = 16;

/// How much of a text is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it: a beginning of a secret was cut off.
    Whole,
    /// Its beginning: more may come.
    Begun,
    /// All of a coded text, such as JSON, within which other texts begin and end: of secrets only whole
    /// ones can be told.
    Encoded,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    No,
    /// A secret, or a beginning that gives it away, up to here.
    Secret(usize),
    /// What may become one: more text decides.
    Open,
}

impl Found {
    /// What is to be believed of two that stand at the same place.
    pub(super) fn longer(self, other: Found) -> Found {
        match (self, other) {
            (Found::Open, _) | (_, Found::Open) => Found::Open,
            (Found::Secret(one), Found::Secret(other)) => Found::Secret(one.max(other)),
            (Found::No, found) | (found, Found::No) => found,
        }
    }
}

/// A secret in one of its forms.
pub(super) struct Pattern(Vec<u8>);

/// A character of a text, escapes undone.
struct Unit {
    bytes: [u8; 4],
    len: usize,
    /// Where the next one begins.
    next: usize,
}

/// How far a pattern goes along with a text.
struct Common {
    /// Bytes of the pattern.
    matched: usize,
    /// Where the text stops going along.
    end: usize,
    /// The text ended.
    ran_out: bool,
}

impl Pattern {
    /// The secret as it is and in base64. Escapes and case are seen to while matching.
    pub(super) fn forms(secret: &str) -> Vec<Pattern> {
        let mut forms = vec![Pattern(secret.as_bytes().to_vec())];
        if secret.len() < BASE64_LEAST {
            return forms;
        }
        for before in 0..3_usize {
            let text = [&vec![0; before], secret.as_bytes()].concat();
            let coded = STANDARD_NO_PAD.encode(&text);
            // Without the letters that depend on what stands around it.
            let from = [0, 2, 3].get(before).copied().unwrap_or(0);
            let to = coded.len() - usize::from(text.len() % 3 != 0);
            let Some(inner) = coded.get(from..to) else {
                continue;
            };
            if inner.contains(['+', '/']) {
                let other = inner.replace('+', "-").replace('/', "_");
                forms.push(Pattern(other.into_bytes()));
            }
            forms.push(Pattern(inner.as_bytes().to_vec()));
        }
        forms
    }

    /// The bytes that it may begin with in a text.
    pub(super) fn beginnings(&self) -> [u8; 4] {
        let first = self.0.first().copied().unwrap_or(b'\\');
        [
            first.to_ascii_lowercase(),
            first.to_ascii_uppercase(),
            b'\\',
            b'%',
        ]
    }

    /// The bytes that may stand behind one that it begins with; nothing if any may.
    pub(super) fn second(&self, first: u8) -> Option<[u8; 5]> {
        let second = match (first, self.0.get(1)) {
            // What an escape stands for is not known by its sign.
            (b'\\' | b'%', _) | (_, None) => return None,
            (_, Some(second)) => *second,
        };
        Some([
            second.to_ascii_lowercase(),
            second.to_ascii_uppercase(),
            if second == b' ' { b'+' } else { second },
            b'\\',
            b'%',
        ])
    }

    /// What stands at this place.
    pub(super) fn at(&self, text: &str, start: usize, extent: Extent) -> Found {
        let whole = extent != Extent::Begun;
        let common = self.common(text.as_bytes(), start, whole);
        if common.matched == self.0.len() {
            return Found::Secret(common.end);
        }
        if common.ran_out && !whole {
            return Found::Open;
        }
        if common.matched < LONG || extent == Extent::Encoded {
            return Found::No;
        }
        let end = text.floor_char_boundary(common.end);
        let rest = text.get(end..).unwrap_or_default();
        if common.matched * 2 > self.0.len() {
            return Found::Secret(end);
        }
        if common.matched < LONG_PREFIX {
            return Found::No;
        }
        match is_masked(rest) {
            false if "..".starts_with(rest) && !rest.is_empty() && !whole => Found::Open,
            false => Found::Secret(end),
            true => Found::No,
        }
    }

    fn common(&self, text: &[u8], start: usize, whole: bool) -> Common {
        let (mut matched, mut at) = (0, start);
        while let Some(wanted) = self.0.get(matched..).filter(|rest| !rest.is_empty()) {
            let Some(&byte) = text.get(at) else {
                return Common {
                    matched,
                    end: at,
                    ran_out: true,
                };
            };
            let unit = match byte {
                b'\\' | b'%' => match unescape(text, at) {
                    Some(unit) => unit,
                    None if whole => None,
                    None => {
                        return Common {
                            matched,
                            end: at,
                            ran_out: true,
                        };
                    }
                },
                _ => None,
            };
            let escaped = unit.filter(|unit| {
                let same = |(one, other): (&u8, &u8)| one.eq_ignore_ascii_case(other);
                unit.len <= wanted.len() && unit.bytes.iter().take(unit.len).zip(wanted).all(same)
            });
            let first = wanted.first().copied().unwrap_or_default();
            match escaped {
                Some(unit) => {
                    matched += unit.len;
                    at = unit.next;
                }
                // A form writes a space as a plus.
                None if byte.eq_ignore_ascii_case(&first) || (first == b' ' && byte == b'+') => {
                    matched += 1;
                    at += 1;
                }
                None => break,
            }
        }
        Common {
            matched,
            end: at,
            ran_out: false,
        }
    }
}

/// The escaped character at this place: `Some(None)` if there is none, nothing if the text ends in it.
#[allow(clippy::option_option, reason = "three cases of one question")]
fn unescape(text: &[u8], at: usize) -> Option<Option<Unit>> {
    let rest = text.get(at..).unwrap_or_default();
    let run = rest.iter().take(MOST_BACKSLASHES);
    let backslashes = run.take_while(|byte| **byte == b'\\').count();
    let behind = at + backslashes;
    let (digits, long) = match (text.get(behind), backslashes) {
        (Some(b'%'), 0) => (at + 1, 2),
        (_, MOST_BACKSLASHES..) => return Some(None),
        (None, _) => return None,
        (Some(b'u'), _) => (behind + 1, 4),
        (Some(&byte @ (b'"' | b'/')), _) => {
            return Some(Some(Unit {
                bytes: [byte, 0, 0, 0],
                len: 1,
                next: behind + 1,
            }));
        }
        (_, 2..) => {
            return Some(Some(Unit {
                bytes: [b'\\', 0, 0, 0],
                len: 1,
                next: at + 2,
            }));
        }
        _ => return Some(None),
    };
    let mut value = 0_u32;
    for place in digits..digits + long {
        let byte = *text.get(place)?;
        let Some(digit) = char::from(byte).to_digit(16) else {
            return Some(None);
        };
        value = value * 16 + digit;
    }
    let mut unit = Unit {
        bytes: [0; 4],
        len: 1,
        next: digits + long,
    };
    match (long, u8::try_from(value), char::from_u32(value)) {
        (2, Ok(byte), _) => unit.bytes = [byte, 0, 0, 0],
        (_, _, Some(c)) => unit.len = c.encode_utf8(&mut unit.bytes).len(),
        _ => return Some(None),
    }
    Some(Some(unit))
}

fn is_masked(rest: &str) -> bool {
    rest.starts_with(['*', '\u{2022}', '\u{2026}']) || rest.starts_with("..")
}
