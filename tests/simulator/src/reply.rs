//! An answer on its way out: status, headers, a whole body or events, and how it is to be delivered.
//! [`Reply::script`] turns that into the exact bytes and pieces; writing them is `server::connection`'s.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// An HTTP answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Without framing headers; names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) delivery: Box<Delivery>,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Sent with its length.
    Whole(Bytes),
    /// Sent chunked, each event in a write of its own.
    Events(Vec<Event>),
}

/// A piece of a streamed answer.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) bytes: Bytes,
    pub(crate) kind: EventKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// Anything before the end.
    Part,
    /// Carries the reason why the answer ended, or comes after it.
    Finish,
    /// The marker after the last event, e.g. `[DONE]`.
    Done,
}

impl Event {
    pub(crate) fn part(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            kind: EventKind::Part,
        }
    }

    pub(crate) fn finish(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            kind: EventKind::Finish,
        }
    }

    pub(crate) fn done(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            kind: EventKind::Done,
        }
    }
}

/// How an answer is sent; the default is at once and completely.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delivery {
    /// Silence before the status line.
    pub(crate) before_head: Duration,
    /// Silence between pieces.
    pub(crate) gap: Duration,
    /// Bytes per write; none: one event, or the whole body.
    pub(crate) piece: Option<usize>,
    pub(crate) gzip: bool,
    pub(crate) ending: Ending,
}

/// How the exchange ends.
#[derive(Debug, Clone, Default)]
pub(crate) enum Ending {
    #[default]
    Complete,
    /// A proper end of the body, but too early (with a declared length: a close).
    Cut(Point),
    /// The connection is closed without the end of the body.
    Drop(Point),
    /// A TCP reset.
    Reset(Point),
    /// Silence, or this filler again and again, until the client leaves.
    Stall(Point, Option<Bytes>),
    /// Nothing is sent at all.
    CloseBeforeHead,
}

/// Where in a body something happens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Point {
    /// After so many events; an unstreamed body counts as eight of them.
    Events(usize),
    /// After so many bytes of the body.
    Bytes(usize),
}

/// Exactly what is written.
pub(crate) struct Script {
    pub(crate) head: Vec<u8>,
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) chunked: bool,
    pub(crate) finale: Finale,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finale {
    Complete,
    /// Ends properly, though not everything was sent.
    Cut,
    Close,
    Reset,
    Stall(Option<Bytes>),
    /// Nothing at all, not even the head.
    Nothing,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self {
            status,
            headers,
            body: Body::Whole(body.into()),
            delivery: Box::default(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(crate) fn events(content_type: &str, events: Vec<Event>) -> Self {
        Self {
            body: Body::Events(events),
            ..Self::new(200, content_type, Bytes::new())
        }
    }

    /// An answer of the simulator itself, not of a vendor: the test asked for something impossible.
    pub(crate) fn simulator_error(message: &str) -> Self {
        let body = serde_json::json!({ "error": format!("simulator: {message}") });
        Self::json(400, &body).header("x-simulator-error", "true")
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_header(name, value);
        self
    }

    #[must_use]
    pub(crate) fn with_headers(mut self, headers: Vec<(String, String)>) -> Self {
        self.headers.extend(headers);
        self
    }

    pub(crate) fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(key, _)| key != name);
        self.headers.push((name.to_owned(), value.into()));
    }

    pub(crate) fn is_streamed(&self) -> bool {
        matches!(self.body, Body::Events(_))
    }

    /// The bytes to write for a request of HTTP/1.1 (or 1.0, which knows no chunks).
    pub(crate) fn script(mut self, http_1_1: bool, keep_alive: bool, no_body: bool) -> Script {
        if matches!(self.delivery.ending, Ending::CloseBeforeHead) {
            return Script {
                head: Vec::new(),
                pieces: Vec::new(),
                chunked: false,
                finale: Finale::Nothing,
            };
        }
        if self.delivery.gzip {
            self.compress();
        }
        let chunked = self.is_streamed() && http_1_1;
        let head = self.head(chunked, keep_alive);
        let in_parts =
            self.delivery.gap > Duration::ZERO || !matches!(self.delivery.ending, Ending::Complete);
        let events: Vec<Bytes> = match self.body {
            Body::Events(events) => events.into_iter().map(|event| event.bytes).collect(),
            Body::Whole(body) if in_parts => slices(&body, body.len().div_ceil(8)),
            Body::Whole(body) => vec![body],
        };
        let (point, finale) = match self.delivery.ending {
            Ending::Complete => (None, Finale::Complete),
            Ending::Cut(point) if chunked => (Some(point), Finale::Cut),
            Ending::Cut(point) | Ending::Drop(point) => (Some(point), Finale::Close),
            Ending::Reset(point) => (Some(point), Finale::Reset),
            Ending::Stall(point, filler) => (Some(point), Finale::Stall(filler)),
            Ending::CloseBeforeHead => (None, Finale::Nothing),
        };
        let mut pieces = match point {
            None => events,
            Some(Point::Events(count)) => events.into_iter().take(count).collect(),
            Some(Point::Bytes(count)) => first_bytes(events, count),
        };
        if let Some(size) = self.delivery.piece {
            pieces = pieces
                .iter()
                .flat_map(|piece| slices(piece, size))
                .collect();
        }
        pieces.retain(|piece| !piece.is_empty());
        if no_body {
            pieces.clear();
        }
        Script {
            head,
            pieces,
            chunked,
            finale,
        }
    }

    fn head(&self, chunked: bool, keep_alive: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match &self.body {
            Body::Whole(body) => head.push_str(&format!("content-length: {}\r\n", body.len())),
            Body::Events(_) if chunked => head.push_str("transfer-encoding: chunked\r\n"),
            Body::Events(_) => {}
        }
        let date = httpdate::fmt_http_date(std::time::SystemTime::now());
        let connection = if keep_alive { "keep-alive" } else { "close" };
        head.push_str(&format!("date: {date}\r\nconnection: {connection}\r\n\r\n"));
        head.into_bytes()
    }

    /// Compresses the body, each event flushed for itself.
    fn compress(&mut self) {
        self.set_header("content-encoding", "gzip");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        match &mut self.body {
            Body::Whole(body) => {
                // Writing to memory cannot fail.
                let _ = encoder.write_all(body);
                *body = encoder.finish().unwrap_or_default().into();
            }
            Body::Events(events) => {
                for event in events.iter_mut() {
                    let _ = encoder
                        .write_all(&event.bytes)
                        .and_then(|()| encoder.flush());
                    event.bytes = std::mem::take(encoder.get_mut()).into();
                }
                events.push(Event::done(encoder.finish().unwrap_or_default()));
            }
        }
    }
}

/// Cuts bytes into slices of at most `size`.
fn slices(bytes: &Bytes, size: usize) -> Vec<Bytes> {
    let size = size.max(1);
    let starts = (0..bytes.len()).step_by(size);
    starts
        .map(|start| bytes.slice(start..(start + size).min(bytes.len())))
        .collect()
}

fn first_bytes(events: Vec<Bytes>, count: usize) -> Vec<Bytes> {
    let mut left = count;
    let mut kept = Vec::new();
    for event in events {
        let taken = left.min(event.len());
        kept.push(event.slice(..taken));
        left -= taken;
    }
    kept
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        529 => "Site Overloaded",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(ending: Ending) -> Script {
        let events = vec![Event::part("abc"), Event::part("def"), Event::done("ghi")];
        let mut reply = Reply::events("text/event-stream", events);
        reply.delivery.ending = ending;
        reply.script(true, true, false)
    }

    #[test]
    fn a_cut_stream_ends_properly_but_early() {
        let script = events(Ending::Cut(Point::Events(2)));
        assert_eq!(script.pieces.concat(), b"abcdef");
        assert_eq!(script.finale, Finale::Cut);
        let script = events(Ending::Drop(Point::Bytes(4)));
        assert_eq!(
            (script.pieces.concat().as_slice(), script.finale),
            (b"abcd".as_slice(), Finale::Close)
        );
    }

    #[test]
    fn pieces_of_one_byte_join_to_the_body() {
        let mut reply = Reply::new(200, "text/plain", "hello");
        reply.delivery.piece = Some(1);
        let script = reply.script(true, false, false);
        assert_eq!(script.pieces.len(), 5);
        let head = String::from_utf8(script.head).unwrap();
        assert!(
            head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-length: 5\r\n"),
            "{head}"
        );
    }
}
