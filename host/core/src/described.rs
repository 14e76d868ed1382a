//! HTTP as data: what a plugin describes, and what is sent for it.
//!
//! The one vocabulary of the plugins' side and the network's. It knows neither WebAssembly nor an
//! HTTP client: [`plugin`](crate::plugin) makes it of what a component returns, and
//! [`transport`](crate::transport) checks it, completes it and sends it.

use bytes::Bytes;

/// What is done at the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Asks; has no body.
    Get,
    /// Sends the body.
    Post,
}

/// A request, without the part that the host owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is done.
    pub method: Method,
    /// Segments after the base URL's path, not encoded.
    pub path: Vec<String>,
    /// Query pairs, not encoded.
    pub query: Vec<(String, String)>,
    /// Names and values, in order.
    pub headers: Vec<(String, HeaderValue)>,
    /// Pieces, sent one after the other; empty for none.
    pub body: Vec<BodyPart>,
    /// How the body of a success is to be cut.
    pub framing: Framing,
}

/// What stands in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// The value itself.
    Plain(String),
    /// A secret, which the host knows.
    Secret {
        /// Which one, such as `api_key`.
        name: String,
        /// Goes before it, such as `Bearer `.
        prefix: String,
        /// No such secret, no such header; otherwise the request fails without it.
        optional: bool,
    },
}

/// A piece of a request body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyPart {
    /// UTF-8 text, normally JSON.
    Text(String),
    /// Bytes that somebody else wrote: sent as they are. No plugin names one.
    Bytes(Bytes),
    /// The blob of this id, in base64 (standard alphabet, padded).
    BlobBase64(u32),
}

/// How the body of a success is to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Not at all.
    Whole,
    /// Server-sent events.
    Sse,
    /// One JSON value a line.
    Ndjson,
}

/// A complete response, as a plugin gets to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Those headers that a plugin may see; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, content coding undone, invalid UTF-8 replaced by U+FFFD.
    pub body: String,
}

/// A piece of a streamed body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The event name (server-sent events only, where one was sent).
    pub event: Option<String>,
    /// Server-sent events: the data lines joined by line feeds. NDJSON: the line.
    pub data: String,
}
