//! Tokens, simplified: a token is one word together with the white space before it. Counting and cutting
//! use the same rule, so that limits and usage agree to the token.

/// The tokens of a text in order; joined they give the text again. White space at the end belongs to the
/// last token.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut in_word = false;
    for (at, char) in text.char_indices() {
        if char.is_whitespace() {
            if in_word && !text.get(at..).unwrap_or_default().trim_start().is_empty() {
                pieces.extend(text.get(start..at));
                start = at;
            }
            in_word = false;
        } else {
            in_word = true;
        }
    }
    pieces.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    pieces
}

/// How many tokens a text has.
pub(crate) fn count(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// The first `limit` tokens of a text.
pub(crate) fn cut(text: &str, limit: u64) -> String {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    pieces(text).into_iter().take(limit).collect()
}

/// A text in pieces of at most `size` bytes that never split a character: how arguments are streamed.
pub(crate) fn slices(text: &str, size: usize) -> Vec<&str> {
    let mut slices = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = size.max(1).min(rest.len());
        while !rest.is_char_boundary(end) {
            end += 1;
        }
        let (head, tail) = rest.split_at(end);
        slices.push(head);
        rest = tail;
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_text_and_are_as_many_as_counted() {
        for text in ["", "a", " a  b\nc ", "é ü", "one two three"] {
            assert_eq!(pieces(text).concat(), text);
            assert_eq!(pieces(text).len() as u64, count(text), "{text:?}");
        }
    }

    #[test]
    fn cutting_keeps_whole_words() {
        assert_eq!(cut("one two three", 2), "one two");
        assert_eq!(cut("one two", 9), "one two");
        assert_eq!(cut("one two", 0), "");
    }

    #[test]
    fn slices_respect_characters() {
        assert_eq!(slices("aéb", 2), ["aé", "b"]);
        assert_eq!(slices("", 2), Vec::<&str>::new());
    }
}
