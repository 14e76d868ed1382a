//! Places in a text: vendors count bytes, UTF-16 units or characters, the contract Unicode scalar
//! values.

use std::ops::Range;

/// What a vendor counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of UTF-8.
    Byte,
    /// Unicode scalar values.
    Char,
    /// Units of UTF-16.
    Utf16,
}

impl Unit {
    /// How much of it a character is.
    fn of(self, c: char) -> usize {
        match self {
            Unit::Byte => c.len_utf8(),
            Unit::Char => 1,
            Unit::Utf16 => c.len_utf16(),
        }
    }

    /// A place in characters; nothing for one beyond the text or within a character.
    #[must_use]
    pub fn chars(self, text: &str, place: usize) -> Option<usize> {
        let mut passed = 0;
        for (at, c) in text.chars().enumerate() {
            if passed >= place {
                return (passed == place).then_some(at);
            }
            passed += self.of(c);
        }
        (passed == place).then(|| text.chars().count())
    }

    /// A range in characters, where the text has these `words` there.
    #[must_use]
    pub fn range(
        self,
        text: &str,
        place: &Range<usize>,
        words: Option<&str>,
    ) -> Option<Range<usize>> {
        let range = self.chars(text, place.start)?..self.chars(text, place.end)?;
        let holds = match words {
            None => range.start <= range.end,
            Some(words) => text
                .chars()
                .skip(range.start)
                .take(range.end.checked_sub(range.start)?)
                .eq(words.chars()),
        };
        holds.then_some(range)
    }
}

/// The place of the words in characters, by the first of these units in which they stand there, or
/// else where they stand once only. Without words the first unit counts.
#[must_use]
pub fn find(
    text: &str,
    place: &Range<usize>,
    words: Option<&str>,
    units: &[Unit],
) -> Option<Range<usize>> {
    let mut tried = units
        .iter()
        .take(if words.is_some() { units.len() } else { 1 });
    tried
        .find_map(|unit| unit.range(text, place, words))
        .or_else(|| only(text, words?))
}

/// Where the words stand in characters, if they stand there once only.
#[must_use]
pub fn only(text: &str, words: &str) -> Option<Range<usize>> {
    if words.is_empty() {
        return None;
    }
    let mut found = text.match_indices(words);
    let (at, _) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let start = text.get(..at)?.chars().count();
    Some(start..start + words.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_comes_to_the_same_characters() {
        // G r ö(2 bytes) ß(2) e : space 😀(4 bytes, 2 units) space 5
        let text = "Größe: \u{1f600} 5";
        for (unit, place) in [
            (Unit::Char, 7..10),
            (Unit::Byte, 9..15),
            (Unit::Utf16, 7..11),
        ] {
            assert_eq!(
                unit.range(text, &place, Some("\u{1f600} 5")),
                Some(7..10),
                "{unit:?}"
            );
        }
        assert_eq!(Unit::Byte.chars(text, 3), None);
        assert_eq!(Unit::Byte.chars(text, 15), Some(10));
        assert_eq!(Unit::Byte.chars(text, 16), None);
        assert_eq!(Unit::Char.range(text, &(0..3), Some("Gro")), None);
        assert_eq!(Unit::Char.chars("", 0), Some(0));
    }

    #[test]
    fn the_unit_is_that_in_which_the_words_stand() {
        let units = [Unit::Char, Unit::Byte];
        assert_eq!(find("ß no", &(3..5), Some("no"), &units), Some(2..4));
        assert_eq!(find("ß no", &(2..4), Some("no"), &units), Some(2..4));
        assert_eq!(find("ß no", &(0..9), Some("no"), &units), Some(2..4));
        assert_eq!(find("ß no", &(3..5), None, &units), None);
        assert_eq!(find("ß no", &(3..4), None, &units), Some(3..4));
    }

    #[test]
    fn words_are_found_where_they_stand_once() {
        assert_eq!(only("ä b ä c", "c"), Some(6..7));
        assert_eq!(only("ä b ä c", "ä"), None);
        assert_eq!(only("ä", "x"), None);
        assert_eq!(only("ä", ""), None);
    }
}
