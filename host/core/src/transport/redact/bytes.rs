//! A body that passes through as it comes: the same bytes, unless a secret is among them.

use bytes::Bytes;

use super::matching::Extent;
use super::{Pieces, Redactor};

/// Keeps secrets out of a body that is handed on piece by piece. What it gives is what it got, byte for byte and
/// at once, but for secrets: in their place stands a mark, and only an end that one may begin with waits for the next
/// piece. Bytes that are no UTF-8 pass: every secret that can be sent is ASCII.
#[derive(Debug)]
pub struct ByteScreen {
    redactor: Redactor,
    pieces: Pieces,
}

impl ByteScreen {
    /// Keeps these out.
    #[must_use]
    pub fn new(redactor: Redactor) -> Self {
        ByteScreen {
            redactor,
            pieces: Pieces::default(),
        }
    }

    /// Takes a piece and gives what can be handed on.
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        if self.redactor.is_idle() {
            return piece;
        }
        if self.pieces.is_empty()
            && let Ok(text) = std::str::from_utf8(&piece)
        {
            let look = self.redactor.look(text, Extent::Begun);
            if look.found.is_empty() && look.open == text.len() {
                return piece;
            }
        }
        let mut out = Vec::with_capacity(piece.len());
        for part in piece.utf8_chunks() {
            if !part.valid().is_empty() {
                let text = self.pieces.push(&self.redactor, part.valid().to_owned());
                out.extend_from_slice(text.as_bytes());
            }
            if !part.invalid().is_empty() {
                out.extend_from_slice(self.pieces.finish(&self.redactor).as_bytes());
                out.extend_from_slice(part.invalid());
            }
        }
        out.into()
    }

    /// The body has ended: gives what was held back.
    pub fn finish(&mut self) -> Bytes {
        self.pieces.finish(&self.redactor).into()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    const KEY: &str = "sk-proj-4f9a8b7c6d5e4f3a2b1c";

    fn screened(body: &[u8], size: usize) -> Vec<u8> {
        let mut screen = ByteScreen::new(Redactor::new([&SecretString::from(KEY)]));
        let mut out = vec![];
        for piece in body.chunks(size) {
            out.extend_from_slice(&screen.push(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&screen.finish());
        out
    }

    #[test]
    fn bytes_without_a_secret_are_the_same_however_they_come() {
        let mut body = "data: {\"a\":\"skønt sk-pro, 天気 \u{2028}\"}\n\n"
            .repeat(20)
            .into_bytes();
        body.extend_from_slice(&[0xff, 0xfe, b's', 0xe5, 0xa4]);
        for size in [1, 2, 3, 7, 64, 10_000] {
            assert_eq!(screened(&body, size), body, "{size}");
        }
    }

    #[test]
    fn a_secret_is_found_across_pieces() {
        let body = format!("{{\"error\":\"no key {KEY} here\"}}").into_bytes();
        for size in [1, 2, 5, 16, 1000] {
            let shown = String::from_utf8(screened(&body, size)).unwrap();
            assert_eq!(shown, "{\"error\":\"no key [redacted] here\"}", "{size}");
        }
    }

    #[test]
    fn what_cannot_begin_a_secret_does_not_wait() {
        let mut screen = ByteScreen::new(Redactor::new([&SecretString::from(KEY)]));
        let piece = Bytes::from_static(b"data: {}\n\n");
        let out = screen.push(piece.clone());
        assert_eq!(out.as_ptr(), piece.as_ptr(), "nothing is copied");
    }
}
