//! The body of an answer on its way to the caller, with what is told when it is over.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;
use multillm::Error;
use multillm::service::RelayStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;

use crate::access::Entry;

/// How long what came before a cut has to be written.
const FLUSH: Duration = Duration::from_millis(20);

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// A body under way. Dropping it gives its place back and tells of the request.
struct Outgoing {
    pieces: Pieces,
    /// What cut the answer, told once what came before is on its way: a body that fails at once takes with
    /// it what the connection still holds.
    cut: Option<(Error, Pin<Box<Sleep>>)>,
    entry: Entry,
    _places: Vec<OwnedSemaphorePermit>,
}

impl Stream for Outgoing {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some((_, pause)) = &mut self.cut {
            std::task::ready!(pause.as_mut().poll(cx));
            return Poll::Ready(self.cut.take().map(|(error, _)| Err(error)));
        }
        let polled = self.pieces.as_mut().poll_next(cx);
        match &polled {
            Poll::Ready(Some(Ok(piece))) => self.entry.line.bytes_out += piece.len() as u64,
            Poll::Ready(Some(Err(error))) => {
                // The connection is closed without an end: what came is not taken for all.
                self.entry.line.end = "cut";
                self.entry.line.error = Some(error.kind.as_str());
                self.cut = Some((error.clone(), Box::pin(tokio::time::sleep(FLUSH))));
                return self.poll_next(cx);
            }
            Poll::Ready(None) if self.entry.line.end == "left" => self.entry.line.end = "complete",
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }
}

/// A stream as the body of an answer.
pub(crate) fn streamed(
    pieces: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    entry: Entry,
    places: Vec<OwnedSemaphorePermit>,
) -> Body {
    Body::from_stream(Outgoing {
        pieces: Box::pin(pieces),
        cut: None,
        entry,
        _places: places,
    })
}

/// The vendor's bytes, as they come.
pub(crate) fn relayed(stream: Box<RelayStream>) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::unfold(stream, |mut stream| async move {
        let next = stream.next().await?;
        Some((next, stream))
    })
}
