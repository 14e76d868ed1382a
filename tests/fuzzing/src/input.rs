//! Taking an input apart: a few bytes that choose, then what is read.
//!
//! `@` always chooses the first of what there is, so that seeds can be written by hand.

/// The bytes that choose, and the rest. An input that is too short chooses nothing.
pub(crate) fn knobs<const N: usize>(input: &[u8]) -> ([u8; N], &[u8]) {
    match input.split_first_chunk() {
        Some((knobs, rest)) => (*knobs, rest),
        None => ([b'@'; N], input),
    }
}

/// What a byte chooses of a table, which must not be empty: `@` the first, `A` the second.
pub(crate) fn pick<T>(knob: u8, table: &[T]) -> &T {
    let at = usize::from(number(knob)) % table.len().max(1);
    table.get(at).expect("something to choose from")
}

/// Bytes as a network might deliver them: `@` in one piece, `A` one by one, anything else cut at
/// random, but always alike for the same byte. Pieces may be empty.
pub(crate) fn cut(knob: u8, bytes: &[u8]) -> Vec<&[u8]> {
    let seed = u32::from(number(knob));
    match seed {
        0 => return vec![bytes],
        1 => return bytes.chunks(1).collect(),
        _ => {}
    }
    let longest = 2 << (seed % 8);
    let mut random = seed;
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        // George Marsaglia, "Xorshift RNGs", 2003: never zero, if it was not at the beginning.
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let length = (random % longest) as usize;
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn number(knob: u8) -> u8 {
    knob & 0x3f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_at_sign_chooses_the_first() {
        assert_eq!(knobs(b"@Abody"), (*b"@A", &b"body"[..]));
        assert_eq!(knobs(b"@"), (*b"@@", &b"@"[..]));
        assert_eq!(pick(b'@', &[7, 8]), &7);
        assert_eq!(pick(b'A', &[7, 8]), &8);
        assert_eq!(cut(b'@', b"abc"), [b"abc"]);
        assert_eq!(cut(b'A', b"abc"), [b"a", b"b", b"c"]);
    }

    #[test]
    fn pieces_are_the_whole_whatever_chooses() {
        let bytes: Vec<u8> = (0..=255).collect();
        for knob in 0..=255 {
            assert_eq!(cut(knob, &bytes).concat(), bytes);
        }
    }
}
