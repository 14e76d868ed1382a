//! A plugin's request, checked and completed.
//!
//! A plugin names path segments, not a host; says where a secret goes, not what it is; and says
//! where a picture goes, not what it holds. What it may not do is refused here, by name, before
//! anything is sent.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use url::Url;

use super::base_url::BaseUrl;
use super::body::{Piece, RequestBody};
use super::error::{Oversize, Rule, TransportError};
use super::headers;
use super::redact::Redactor;
use super::secrets::Secrets;
use crate::described::{BodyPart, Framing, Method, Request};

/// Bytes that the host holds for a plugin.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Names the blob within the exchange.
    pub id: u32,
    /// The bytes. Shared, not copied.
    pub bytes: Bytes,
}

/// What the host adds to a request.
#[derive(Debug, Clone, Copy)]
pub struct Host<'a> {
    /// Where the request goes.
    pub base_url: &'a BaseUrl,
    /// The secrets that this plugin may place here, and no others, by name.
    pub secrets: &'a Secrets,
    /// The blobs of this exchange.
    pub blobs: &'a [Blob],
    /// The most bytes of the body as it is sent.
    pub max_body: u64,
}

/// A request that is ready to be sent, and how to keep its secrets out of the answer's head. Its
/// `Debug` shows no secret and no query value.
pub struct Prepared {
    pub(super) method: http::Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: RequestBody,
    pub(super) framing: Framing,
    pub(super) origin: String,
    pub(super) redactor: Redactor,
}

impl Prepared {
    /// How the body of a success is to be cut.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Who is asked, such as `https://api.openai.com`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path as it is sent, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// All of it, secrets included: only for requests in which references stand in their place.
    pub(crate) fn into_parts(self) -> (http::Method, Url, HeaderMap, Bytes) {
        (self.method, self.url, self.headers, self.body.collect())
    }

    /// How many bytes the body has as it is sent.
    #[must_use]
    pub fn body_len(&self) -> u64 {
        self.body.len()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query: Vec<_> = self
            .url
            .query_pairs()
            .map(|(name, _)| name.into_owned())
            .collect();
        f.debug_struct("Prepared")
            .field("method", &self.method)
            .field("origin", &self.origin)
            .field("path", &self.url.path())
            .field("query", &query)
            .field("headers", &self.headers)
            .field("body_len", &self.body.len())
            .field("framing", &self.framing)
            .finish()
    }
}

/// Checks a plugin's request and completes it with what the host has.
///
/// # Errors
///
/// - [`TransportError::Refused`]: it breaks a rule, and which
/// - [`TransportError::MissingSecret`], [`TransportError::UnusableSecret`]
/// - [`TransportError::TooLarge`]: the body exceeds [`Host::max_body`]
pub fn assemble(request: Request, host: &Host<'_>) -> Result<Prepared, TransportError> {
    let url = host.base_url.join(&request.path, &request.query)?;
    let body = splice(request.body, host)?;
    let method = match request.method {
        Method::Post => http::Method::POST,
        Method::Get if body.len() == 0 => http::Method::GET,
        Method::Get => {
            let detail = "a GET has no body".to_owned();
            return Err(TransportError::Refused {
                rule: Rule::Body,
                detail,
            });
        }
    };
    let has_body = body.len() > 0;
    let headers = headers::build(request.headers, host.secrets, has_body, request.framing)?;
    let origin = host.base_url.origin().to_owned();
    let redactor = host.secrets.redactor().clone();
    Ok(Prepared {
        method,
        url,
        headers,
        body,
        framing: request.framing,
        origin,
        redactor,
    })
}

fn splice(parts: Vec<BodyPart>, host: &Host<'_>) -> Result<RequestBody, TransportError> {
    let mut pieces = Vec::with_capacity(parts.len());
    for part in parts {
        pieces.push(match part {
            BodyPart::Text(text) => Piece::Text(Bytes::from(text)),
            BodyPart::Bytes(bytes) => Piece::Text(bytes),
            BodyPart::BlobBase64(id) => match host.blobs.iter().find(|blob| blob.id == id) {
                Some(blob) => Piece::Base64(blob.bytes.clone()),
                None => {
                    let detail = format!("its body names the blob {id}, which does not exist");
                    return Err(TransportError::Refused {
                        rule: Rule::Blob,
                        detail,
                    });
                }
            },
        });
    }
    let body = RequestBody::new(pieces);
    if body.len() > host.max_body {
        return Err(TransportError::TooLarge {
            what: Oversize::Request,
            origin: host.base_url.origin().to_owned(),
            limit: host.max_body,
        });
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
