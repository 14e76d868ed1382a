//! HTTP: what a plugin described becomes a request, and bytes come back.
//!
//! This module alone knows the HTTP client, and it knows no plugin. One exchange goes through it
//! in this order:
//!
//! 1. [`assemble()`] checks an [`Request`], puts it below the [`BaseUrl`], splices in blobs and,
//!    last, secrets. What comes out, a [`Prepared`], shows no secret in its `Debug`.
//! 2. [`HttpClient::send`] performs it: no redirects, four timeouts, a bound on the answer.
//! 3. The [`Response`] has the headers that a plugin may see, [`RetryHints`] and a [`BodyStream`],
//!    which is read whole or piece by piece through a [`Framer`]. Dropping it closes the connection.
//!
//! Texts of a server that go to a person or a plugin go through a [`Redactor`] first: some servers
//! repeat the key they were sent. Heads are seen to here, bodies by who reads them.
//!
//! # Layout
//!
//! - `assemble` with `base_url`, `headers` and `body`: the way out
//! - `client` with `proxy`, `tls`, `image` and `failure`: the exchange; `transfer`: one with a server that is no vendor's
//! - `response` with `hints`, `framing` and `web_page`: the way back; `redact` goes along

mod assemble;
mod base_url;
mod body;
mod client;
mod error;
mod failure;
mod framing;
mod headers;
mod hints;
mod image;
mod proxy;
mod redact;
mod response;
mod secrets;
#[cfg(test)]
mod testing;
mod tls;
mod transfer;
mod web_page;

pub use crate::described::{BodyPart, HeaderValue, Method, Request};
pub use assemble::{Blob, Host, Prepared, assemble};
pub use base_url::BaseUrl;
pub use client::{ClientOptions, ExchangeLimits, HttpClient};
pub use error::{ConnectCause, Oversize, Phase, Rule, TransportError};
pub use framing::{Frame, Framer, Framing, FramingError, MAX_FRAME, Tail, kind_of, text_of};
pub use hints::RetryHints;
pub use image::Image;
pub use proxy::ProxyChoice;
pub use redact::{ByteScreen, Pieces, Redactor, is_telling};
pub use response::{BodyStream, Partial, Response};
pub use secrets::Secrets;
pub use transfer::{Transfer, Transferred, Verb};
pub use web_page::{WebPage, web_page};
