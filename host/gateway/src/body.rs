//! The body of a request, read whole, in time and within a bound.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use multillm::{Error, ErrorKind, Result};

/// Room that is made before a body comes, whatever length it says it has.
const ROOM: usize = 64 << 10;

/// Reads it.
///
/// # Errors
///
/// `payload_too_large`, `timeout`, `invalid_request`
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    most: u64,
    within: Duration,
) -> Result<Bytes> {
    let coding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes());
    if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return Err(wrong(415, "the body is compressed: send it as it is"));
    }
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let room = announced.map_or(0, |length| {
        usize::try_from(length).unwrap_or(usize::MAX).min(ROOM)
    });
    let read = tokio::time::timeout(within, collect(body, most, room));
    read.await.unwrap_or_else(|_| {
        let message = format!("the body did not come within {} ms", within.as_millis());
        let mut error = Error::new(ErrorKind::Timeout, message);
        error.status = Some(408);
        Err(error)
    })
}

async fn collect(body: Body, most: u64, room: usize) -> Result<Bytes> {
    let mut pieces = body.into_data_stream();
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| wrong(400, "the body broke off"))?;
        if (first.len() + all.len() + piece.len()) as u64 > most {
            return Err(too_large(most));
        }
        if first.is_empty() && all.is_empty() {
            // Most bodies come in one piece, which is not copied.
            first = piece;
            continue;
        }
        if all.is_empty() {
            all.reserve(room.max(first.len() + piece.len()));
            all.extend_from_slice(&first);
            first = Bytes::new();
        }
        all.extend_from_slice(&piece);
    }
    Ok(match first.is_empty() {
        true => all.freeze(),
        false => first,
    })
}

fn wrong(status: u16, message: &str) -> Error {
    let mut error = Error::new(ErrorKind::InvalidRequest, message);
    error.status = Some(status);
    error
}

fn too_large(most: u64) -> Error {
    let message = format!(
        "the body has more than the {} MB of limits.request_mb: send less",
        most >> 20
    );
    let mut error = Error::new(ErrorKind::PayloadTooLarge, message);
    error.status = Some(413);
    error
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    async fn read_pieces(pieces: &[&'static str], most: u64) -> Result<Bytes> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|&piece| Ok::<_, Infallible>(piece))
            .collect();
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        read(&HeaderMap::new(), body, most, Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn a_body_is_read_whole_and_within_its_bound() {
        assert_eq!(
            read_pieces(&["ab", "", "cd", "e"], 5).await.unwrap(),
            "abcde"
        );
        assert_eq!(read_pieces(&["abc"], 5).await.unwrap(), "abc");
        assert_eq!(read_pieces(&[], 5).await.unwrap(), "");
        let error = read_pieces(&["abc", "def"], 5).await.unwrap_err();
        assert_eq!(error.status, Some(413));
    }

    #[tokio::test]
    async fn what_says_that_it_is_too_large_or_coded_is_not_read() {
        let read = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            async move { read(&headers, Body::empty(), 5, Duration::from_secs(5)).await }
        };
        assert_eq!(
            read("content-length", "6").await.unwrap_err().status,
            Some(413)
        );
        assert_eq!(
            read("content-encoding", "gzip").await.unwrap_err().status,
            Some(415)
        );
        assert!(read("content-encoding", "Identity").await.is_ok());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let body = Body::from_stream(futures_util::stream::pending::<Result<Bytes, Infallible>>());
        let error = read(&HeaderMap::new(), body, 5, Duration::from_millis(10)).await;
        assert_eq!(error.unwrap_err().status, Some(408));
    }
}
