//! Finding personal data in text, by rules that say what it is and not only what it looks like: numbers of cards have
//! a valid check digit (ISO/IEC 7812, Luhn), IBANs the length of their country and valid check digits (ISO 13616).
#![allow(
    clippy::indexing_slicing,
    reason = "places were found in the same bytes just before"
)]

use serde::Deserialize;

/// What is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Email,
    Phone,
    Card,
    Iban,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::Email, Kind::Phone, Kind::Card, Kind::Iban];

    /// In placeholders.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Email => "EMAIL",
            Kind::Phone => "PHONE",
            Kind::Card => "CARD",
            Kind::Iban => "IBAN",
        }
    }
}

/// Where something stands, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Everything in a text, in order, none over another.
pub(crate) fn find(text: &str, kinds: &[Kind]) -> Vec<Found> {
    let bytes = text.as_bytes();
    let wanted = |kind: Kind| kinds.contains(&kind);
    let mut found: Vec<Found> = vec![];
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let one = match byte {
            b'@' if wanted(Kind::Email) => {
                let free = found.last().map_or(0, |last| last.end);
                email(bytes, at, free)
            }
            b'A'..=b'Z' | b'a'..=b'z' => {
                let is_wanted = wanted(Kind::Iban) && begins_word(bytes, at);
                let one = is_wanted.then(|| iban(bytes, at)).flatten();
                if one.is_none() {
                    // Nothing begins at a letter within a word.
                    let letters = bytes[at..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_alphabetic());
                    at += letters.count();
                    continue;
                }
                one
            }
            b'0'..=b'9' | b'+' | b'(' if begins_number(bytes, at) => {
                let card = wanted(Kind::Card).then(|| card(bytes, at)).flatten();
                let number = wanted(Kind::Phone) && !continues(bytes, at);
                let phone = || number.then(|| phone(bytes, at)).flatten();
                card.or_else(phone)
            }
            _ => None,
        };
        match one {
            Some(one) => {
                at = one.end;
                found.push(one);
            }
            None => at += 1,
        }
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn before(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at.checked_sub(1)?).copied()
}

fn begins_word(bytes: &[u8], at: usize) -> bool {
    !before(bytes, at).is_some_and(is_word)
}

/// A number that is part of another word, of a version or of a date is none.
fn begins_number(bytes: &[u8], at: usize) -> bool {
    !before(bytes, at).is_some_and(|byte| is_word(byte) || b".-/:+#".contains(&byte))
}

/// A group of digits behind another one is no number of its own.
fn continues(bytes: &[u8], at: usize) -> bool {
    let digit = |back: usize| {
        let place = at.checked_sub(back).and_then(|place| bytes.get(place));
        place.is_some_and(u8::is_ascii_digit)
    };
    bytes[at].is_ascii_digit() && before(bytes, at) == Some(b' ') && digit(2)
}

fn ends_word(bytes: &[u8], end: usize) -> bool {
    !bytes.get(end).copied().is_some_and(is_word)
}

/// An address around an `@` (RFC 5322's dot-atom, RFC 1035's domain).
fn email(bytes: &[u8], at: usize, free: usize) -> Option<Found> {
    let local =
        |byte: u8| byte.is_ascii_alphanumeric() || b"._%+-'".contains(&byte) || byte >= 0x80;
    let mut start = at;
    while start > free && local(bytes[start - 1]) {
        start -= 1;
    }
    while start < at && b".'-%+".contains(&bytes[start]) {
        start += 1;
    }
    let domain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte) || byte >= 0x80;
    let mut end = at + 1;
    while end < bytes.len() && domain(bytes[end]) {
        end += 1;
    }
    while end > at + 1 && b".-".contains(&bytes[end - 1]) {
        end -= 1;
    }
    let name = bytes.get(at + 1..end)?;
    let last = name.iter().rposition(|byte| *byte == b'.')?;
    let labels = name.split(|byte| *byte == b'.');
    let is_label = |label: &[u8]| !label.is_empty() && label.len() <= 63;
    let top = &name[last + 1..];
    let fits = start < at
        && at - start <= 64
        && labels.into_iter().all(is_label)
        && top.len() >= 2
        && !top.iter().any(u8::is_ascii_digit);
    fits.then_some(Found {
        kind: Kind::Email,
        start,
        end,
    })
}

/// Lengths of IBANs by country, of the registry that SWIFT keeps (ISO 13616).
const IBANS: &str = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18\
    FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21MC27MD24ME22MK19\
    MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20";

fn iban(bytes: &[u8], start: usize) -> Option<Found> {
    // Most words end here: the countries of the others are looked up.
    let [_, _, b'0'..=b'9', b'0'..=b'9'] = bytes.get(start..start + 4)? else {
        return None;
    };
    let country = [bytes[start], bytes[start + 1]].map(|byte| byte.to_ascii_uppercase());
    let length = IBANS
        .as_bytes()
        .chunks(4)
        .find(|entry| entry.starts_with(&country))
        .map(|entry| usize::from(entry[2] - b'0') * 10 + usize::from(entry[3] - b'0'))?;
    let (mut end, mut count) = (start, 0);
    // The first four characters go to the end; letters count from 10 (A) to 35 (Z).
    let mut rotated = [0u8; 34];
    while count < length {
        let byte = *bytes.get(end)?;
        match byte {
            b' ' if count > 0 && count.is_multiple_of(4) => {}
            _ if byte.is_ascii_alphanumeric() => {
                let place = (count + length - 4) % length;
                *rotated.get_mut(place)? = byte.to_ascii_uppercase();
                count += 1;
            }
            _ => return None,
        }
        end += 1;
    }
    let rest = rotated[..length]
        .iter()
        .fold(0u32, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
        });
    (rest == 1 && ends_word(bytes, end)).then_some(Found {
        kind: Kind::Iban,
        start,
        end,
    })
}

/// The number of a card: 13 to 19 digits, alone or in groups, with a valid check digit.
fn card(bytes: &[u8], start: usize) -> Option<Found> {
    // Those that are issued to people: American Express, Visa, Mastercard and others.
    if !matches!(bytes.get(start)?, b'2'..=b'6') {
        return None;
    }
    let mut digits = [0u8; 19];
    let (mut count, mut end, mut at) = (0, start, start);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte - b'0';
                count += 1;
                end = at + 1;
            }
            b' ' | b'-' if end == at => {}
            _ => break,
        }
        at += 1;
    }
    let digits = digits.get(..count)?;
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    (count >= 13 && sum.is_multiple_of(10) && ends_word(bytes, end)).then_some(Found {
        kind: Kind::Card,
        start,
        end,
    })
}

/// A telephone number: international (`+49 30 1234567`, `0049…`), or national as people write it (`030 / 1234567`,
/// `(555) 123-4567`, `555-123-4567`). Dates and amounts are none.
fn phone(bytes: &[u8], start: usize) -> Option<Found> {
    let (mut groups, mut group) = (Vec::<usize>::new(), 0usize);
    let (mut at, mut end, mut digits) = (start, start, 0usize);
    let (mut slashes, mut dots, mut open) = (0, 0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {
                group += 1;
                digits += 1;
                end = at + 1;
            }
            b'+' if at == start => {}
            // One blank or sign between groups, or a bracket with a blank.
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' => {
                let gap = at - end;
                if digits > 0 && gap > 2 || *byte == b'(' && open {
                    break;
                }
                open |= *byte == b'(';
                slashes += usize::from(*byte == b'/');
                dots += usize::from(*byte == b'.');
                if group > 0 {
                    groups.push(group);
                    group = 0;
                }
            }
            _ => break,
        }
        at += 1;
    }
    if group > 0 {
        groups.push(group);
    }
    if !ends_word(bytes, end) {
        return None;
    }
    let first = bytes.get(start)?;
    let of_digits = bytes[start..end]
        .iter()
        .filter(|byte| byte.is_ascii_digit());
    let mut of_digits = of_digits.copied();
    let begin = [of_digits.next(), of_digits.next()];
    let international = *first == b'+' || begin == [Some(b'0'), Some(b'0')];
    let dates = matches!(groups.as_slice(), [1 | 2, 1 | 2, 2 | 4, ..]) && (dots > 0 || slashes > 1)
        || matches!(groups.as_slice(), [2, 2, 4, ..]);
    let national = begin[0] == Some(b'0')
        && begin[1] != Some(b'0')
        && (9..=13).contains(&digits)
        && !dates
        && slashes < 2;
    let american = groups == [3, 3, 4] && slashes == 0;
    let fits = match international {
        true => (8..=15).contains(&digits) && slashes < 2,
        false => national || american,
    };
    fits.then_some(Found {
        kind: Kind::Phone,
        start,
        end,
    })
}
