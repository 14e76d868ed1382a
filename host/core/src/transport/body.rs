//! Request bodies: text with pictures spliced in.
//!
//! The length is known beforehand, so that it can be announced; the base64 is made piece by piece
//! while it is sent, so that a picture is never in memory twice.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::time::Instant;

/// Bodies up to this size are sent in one piece, in bytes.
const SMALL: u64 = 64 << 10;
/// Bytes sent at once of larger ones; in base64 from three quarters as many.
const CHUNK: usize = 64 << 10;

/// A piece of a body.
pub(super) enum Piece {
    /// Sent as it is.
    Text(Bytes),
    /// Sent in base64.
    Base64(Bytes),
}

impl Piece {
    fn sent_len(&self) -> u64 {
        match self {
            Piece::Text(bytes) => bytes.len() as u64,
            Piece::Base64(bytes) => (bytes.len() as u64).div_ceil(3).saturating_mul(4),
        }
    }

    /// Takes the next chunk off, encoded; empty when nothing is left.
    fn take(&mut self) -> Bytes {
        match self {
            Piece::Text(bytes) => bytes.split_to(bytes.len().min(CHUNK)),
            Piece::Base64(bytes) => {
                // A multiple of three, so that only the last chunk is padded.
                let raw = bytes.split_to(bytes.len().min(CHUNK / 4 * 3));
                Bytes::from(STANDARD.encode(raw))
            }
        }
    }
}

/// A body that is yet to be sent.
pub(super) struct RequestBody {
    pieces: VecDeque<Piece>,
    len: u64,
}

impl RequestBody {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        let len = pieces
            .iter()
            .fold(0_u64, |sum, piece| sum.saturating_add(piece.sent_len()));
        RequestBody {
            pieces: pieces.into(),
            len,
        }
    }

    /// How many bytes will be sent.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// All of it at once.
    pub(super) fn collect(mut self) -> Bytes {
        if let Some(Piece::Text(text)) = self.pieces.front()
            && self.pieces.len() == 1
        {
            return text.clone();
        }
        let mut all = BytesMut::with_capacity(usize::try_from(self.len).unwrap_or_default());
        while let Some(chunk) = self.next_chunk() {
            all.extend_from_slice(&chunk);
        }
        all.freeze()
    }

    /// For the client. The progress tells when the last piece was asked for.
    pub(super) fn into_reqwest(self) -> (reqwest::Body, Progress) {
        let progress = Progress::default();
        if self.len <= SMALL {
            return (reqwest::Body::from(self.collect()), progress);
        }
        let upload = Upload {
            body: self,
            progress: progress.clone(),
        };
        (reqwest::Body::wrap_stream(upload), progress)
    }

    fn next_chunk(&mut self) -> Option<Bytes> {
        loop {
            let chunk = self.pieces.front_mut()?.take();
            if !chunk.is_empty() {
                return Some(chunk);
            }
            self.pieces.pop_front();
        }
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// When a body that is being sent last moved.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    begun: Instant,
    /// Milliseconds from `begun` on.
    moved: Arc<AtomicU64>,
}

impl Default for Progress {
    fn default() -> Self {
        Progress {
            begun: Instant::now(),
            moved: Arc::default(),
        }
    }
}

impl Progress {
    /// When the last piece was taken, or when all began.
    pub(super) fn last(&self) -> Instant {
        self.begun + Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }

    fn touch(&self) {
        let since = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(since, Ordering::Relaxed);
    }
}

struct Upload {
    body: RequestBody,
    progress: Progress,
}

impl Stream for Upload {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let upload = self.get_mut();
        upload.progress.touch();
        Poll::Ready(upload.body.next_chunk().map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(pieces: Vec<Piece>) -> Vec<Bytes> {
        let mut body = RequestBody::new(pieces);
        std::iter::from_fn(|| body.next_chunk()).collect()
    }

    #[test]
    fn the_announced_length_is_the_sent_one() {
        for size in [0, 1, 2, 3, 4, 49_151, 49_152, 49_153, 200_000] {
            let raw = Bytes::from((0..size).map(|n| (n % 251) as u8).collect::<Vec<u8>>());
            let text = Bytes::from("x".repeat(size));
            let pieces = || vec![Piece::Text(text.clone()), Piece::Base64(raw.clone())];
            let sent = chunks(pieces()).concat();
            assert_eq!(
                RequestBody::new(pieces()).len(),
                sent.len() as u64,
                "{size}"
            );
            let (head, tail) = sent.split_at(size);
            assert_eq!(head, text);
            assert_eq!(STANDARD.decode(tail).unwrap(), raw, "{size}");
            assert_eq!(RequestBody::new(pieces()).collect(), sent);
        }
    }

    #[test]
    fn large_bodies_are_sent_in_chunks_and_text_is_not_copied() {
        let text = Bytes::from("x".repeat(3 * CHUNK));
        let sent = chunks(vec![Piece::Text(text.clone())]);
        assert_eq!(sent.len(), 3);
        assert_eq!(sent[1].as_ptr(), text[CHUNK..].as_ptr());
    }
}
