//! Reading HTTP/1.1 requests. A server library would hide the very things the simulator must show and
//! break (single writes, resets, a close before the head), so the small part needed stands here.

use std::io;

use crate::seal;
use bytes::{Buf as _, Bytes, BytesMut};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const HEAD_LIMIT: usize = 64 * 1024;
const BODY_LIMIT: usize = 256 * 1024 * 1024;

/// A request that was read completely.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// As sent, without the query.
    pub(crate) path: String,
    /// As sent, without `?`.
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) keep_alive: bool,
    pub(crate) http_1_1: bool,
}

impl Request {
    /// The first header of that name (lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The path's segments, percent-decoded; `//` gives an empty one.
    pub(crate) fn segments(&self) -> Vec<String> {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        path.split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect()
    }

    /// A query parameter, decoded.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The token of `authorization: Bearer …`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    }

    /// What ids of the answer to this request are made of.
    pub(crate) fn seed(&self) -> u64 {
        seal::digest(&["request", &self.path, &String::from_utf8_lossy(&self.body)])
    }

    /// Whether the body is declared to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.header("content-type").is_some_and(|kind| {
            kind.trim_start()
                .to_lowercase()
                .starts_with("application/json")
        })
    }
}

/// The next request of a connection; none when the client closed it between requests. `buffer` keeps what
/// was read too far.
pub(super) async fn read<R, W>(
    reader: &mut R,
    writer: &mut W,
    buffer: &mut BytesMut,
) -> io::Result<Option<Request>>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut request = loop {
        if let Some(request) = parse_head(buffer)? {
            break request;
        }
        if buffer.len() > HEAD_LIMIT {
            return Err(invalid("request head too large"));
        }
        if reader.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    };
    if request
        .header("expect")
        .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let chunked = request
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    let length = request
        .header("content-length")
        .map(|length| length.trim().parse::<usize>());
    request.body = match length {
        _ if chunked => read_chunks(reader, buffer).await?,
        Some(length) => {
            read_exactly(
                reader,
                buffer,
                length.map_err(|_| invalid("content-length"))?,
            )
            .await?
        }
        None => Bytes::new(),
    };
    Ok(Some(request))
}

fn parse_head(buffer: &mut BytesMut) -> io::Result<Option<Request>> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(buffer).map_err(io::Error::other)?;
    let httparse::Status::Complete(size) = status else {
        return Ok(None);
    };
    let target = parsed.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        http_1_1: parsed.version == Some(1),
        ..Request::default()
    };
    for header in parsed.headers.iter() {
        let value = String::from_utf8_lossy(header.value).into_owned();
        request
            .headers
            .push((header.name.to_ascii_lowercase(), value));
    }
    let connection = request
        .header("connection")
        .unwrap_or_default()
        .to_ascii_lowercase();
    request.keep_alive = request.http_1_1 && !connection.contains("close");
    buffer.advance(size);
    Ok(Some(request))
}

async fn read_exactly<R: AsyncRead + Unpin>(
    reader: &mut R,
    buffer: &mut BytesMut,
    length: usize,
) -> io::Result<Bytes> {
    if length > BODY_LIMIT {
        return Err(invalid("request body too large"));
    }
    buffer.reserve(length.saturating_sub(buffer.len()));
    while buffer.len() < length {
        if reader.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(buffer.split_to(length).freeze())
}

async fn read_chunks<R: AsyncRead + Unpin>(
    reader: &mut R,
    buffer: &mut BytesMut,
) -> io::Result<Bytes> {
    let mut body = BytesMut::new();
    loop {
        let line = read_line(reader, buffer).await?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).map_err(|_| invalid("chunk size"))?;
        if size == 0 {
            // Trailers, up to the empty line.
            while !read_line(reader, buffer).await?.is_empty() {}
            return Ok(body.freeze());
        }
        if body.len() + size > BODY_LIMIT {
            return Err(invalid("request body too large"));
        }
        body.extend_from_slice(&read_exactly(reader, buffer, size).await?);
        read_line(reader, buffer).await?;
    }
}

async fn read_line<R: AsyncRead + Unpin>(
    reader: &mut R,
    buffer: &mut BytesMut,
) -> io::Result<String> {
    loop {
        if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line = buffer.split_to(end + 1);
            return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        if reader.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parse(bytes: &[u8]) -> io::Result<Option<Request>> {
        read(&mut &*bytes, &mut Vec::new(), &mut BytesMut::new()).await
    }

    #[tokio::test]
    async fn reads_lengths_and_chunks() {
        let sized = parse(b"POST /a/b%20c?x=1%2B1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (sized.segments(), sized.param("x")),
            (
                vec!["a".to_owned(), "b c".to_owned()],
                Some("1+1".to_owned())
            )
        );
        assert_eq!(&sized.body[..], b"hi");
        let chunked = parse(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1;x=y\r\n!\r\n0\r\n\r\n").await;
        assert_eq!(&chunked.unwrap().unwrap().body[..], b"hi!");
    }

    #[tokio::test]
    async fn an_early_end_is_an_error_and_a_clean_close_is_none() {
        assert!(
            parse(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhi")
                .await
                .is_err()
        );
        assert!(parse(b"").await.unwrap().is_none());
    }
}
