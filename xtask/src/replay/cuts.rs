//! Where a body is cut into the pieces in which it goes over the wire.

use std::ops::Range;

/// How bodies are cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chunking {
    /// In one piece.
    Whole,
    /// Byte by byte; a large body only at its beginning, and then in pieces of
    /// seven bytes, which is as unfriendly and much faster.
    Bytes,
    /// At random, with a liking for the worst places: between CR and LF, and
    /// within a UTF-8 sequence.
    Random,
}

/// From this size on a body is large.
const LARGE: usize = 20_000;
/// So many bytes of a large body are sent one by one.
const LARGE_HEAD: usize = 4_096;
/// Longest pieces of a random cut; one of these is drawn for each piece.
const LONGEST: [usize; 4] = [2, 9, 60, 700];

impl Chunking {
    pub(super) const ALL: [Chunking; 3] = [Chunking::Whole, Chunking::Bytes, Chunking::Random];

    pub(super) fn name(self) -> &'static str {
        match self {
            Chunking::Whole => "whole",
            Chunking::Bytes => "bytes",
            Chunking::Random => "random",
        }
    }

    /// The pieces of a body, which together are the body.
    pub(super) fn pieces(self, body: &[u8], seed: u64) -> Vec<Range<usize>> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < body.len() {
            let rest = body.len() - start;
            let length = match self {
                Chunking::Whole => rest,
                Chunking::Bytes if body.len() > LARGE && start >= LARGE_HEAD => 7,
                Chunking::Bytes => 1,
                Chunking::Random => random_length(body, start, &mut random),
            };
            let end = start + length.clamp(1, rest);
            pieces.push(start..end);
            start = end;
        }
        pieces
    }
}

/// A random length that ends at a bad place, if there is one within it, two times in three.
fn random_length(body: &[u8], start: usize, random: &mut fastrand::Rng) -> usize {
    let longest = random.choice(LONGEST).unwrap_or(1);
    let length = random.usize(1..=longest);
    let is_bad = |at: &usize| is_bad_place(body, start + at);
    let bad = (1..=length).find(is_bad);
    match bad {
        Some(at) if random.u8(0..3) > 0 => at,
        _ => length,
    }
}

/// Whether a cut before this byte splits a line end or a character.
fn is_bad_place(body: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| body.get(before));
    match body.get(at) {
        Some(b'\n') => before == Some(&b'\r'),
        Some(byte) => byte & 0b1100_0000 == 0b1000_0000,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Vec<u8> {
        "data: {\"t\":\"Grüße 😊\"}\r\n\r\n".repeat(40).into_bytes()
    }

    #[test]
    fn the_pieces_are_the_body() {
        let body = body();
        for chunking in Chunking::ALL {
            let joined: Vec<u8> = chunking
                .pieces(&body, 7)
                .into_iter()
                .flat_map(|piece| body[piece].to_vec())
                .collect();
            assert_eq!(joined, body, "{chunking:?}");
            assert!(chunking.pieces(b"", 7).is_empty());
        }
    }

    #[test]
    fn a_small_body_is_cut_at_every_byte() {
        assert_eq!(Chunking::Bytes.pieces(&body(), 0).len(), body().len());
    }

    #[test]
    fn a_large_body_is_cut_into_sevens_after_its_head() {
        let pieces = Chunking::Bytes.pieces(&vec![b'x'; 30_000], 0);
        assert_eq!(pieces.first(), Some(&(0..1)));
        assert_eq!(pieces.get(LARGE_HEAD), Some(&(LARGE_HEAD..LARGE_HEAD + 7)));
    }

    #[test]
    fn random_cuts_repeat_and_find_the_bad_places() {
        let body = body();
        let pieces = Chunking::Random.pieces(&body, 42);
        assert_eq!(pieces, Chunking::Random.pieces(&body, 42));
        assert_ne!(pieces, Chunking::Random.pieces(&body, 43));
        let starts = |wanted: &dyn Fn(u8) -> bool| {
            pieces
                .iter()
                .any(|piece| is_bad_place(&body, piece.start) && wanted(body[piece.start]))
        };
        assert!(starts(&|byte| byte == b'\n'), "no line end was split");
        assert!(starts(&|byte| byte > 127), "no character was split");
    }
}
