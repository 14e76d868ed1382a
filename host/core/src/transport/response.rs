//! Answers: the head as a plugin may see it, and the body, bounded while it is read.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, LOCATION};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::client::ExchangeLimits;
use super::error::{Oversize, Phase, TransportError};
use super::failure::Peer;
use super::hints::RetryHints;
use super::redact::Redactor;

/// The most bytes of one header's value that are kept.
const MAX_VALUE: usize = 4 << 10;
/// The most time for the body of an error, whatever the limits say.
const ERROR_BODY: Duration = Duration::from_secs(5);

/// The head of an answer, with the body behind it.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What a plugin may see: `content-type`, `retry-after*`, `x-ratelimit-*`, `x-should-retry` and
    /// request ids. Names in lower case. The secrets of the request are taken out.
    pub headers: Vec<(String, String)>,
    /// When and whether to try again, as the headers say.
    pub retry: RetryHints,
    /// The body.
    pub body: BodyStream,
    /// The proxy that passed the answer on and may have written it itself, as it could read it.
    pub proxy: Option<String>,
    /// Where a redirect leads.
    pub(super) location: Option<Url>,
    /// All of them, as they came.
    all: Unseen,
    redactor: Redactor,
}

/// Headers as they came, with whatever secret a server repeats in them: no `Debug` shows them.
struct Unseen(HeaderMap);

impl fmt::Debug for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unseen")
    }
}

impl Response {
    pub(super) fn new(
        mut response: reqwest::Response,
        url: &Url,
        peer: &Peer<'_>,
        deadline: Option<Instant>,
        limits: &ExchangeLimits,
        redactor: &Redactor,
    ) -> Result<Self, TransportError> {
        let status = response.status().as_u16();
        let origin = peer.origin.to_owned();
        if status == 407 {
            return Err(TransportError::Proxy {
                proxy: peer.proxy.map_or(peer.origin, |via| &via.origin).to_owned(),
                origin,
                reason: "wants a user name and password (http://user:password@host:port)"
                    .to_owned(),
            });
        }
        let headers = visible(response.headers(), redactor);
        tracing::debug!(status, ?headers, origin, "answered");
        let retry = RetryHints::read(response.headers(), SystemTime::now());
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        let location = location.and_then(|value| url.join(value).ok());
        let coding = unreadable_coding(response.headers());
        let all = Unseen(std::mem::take(response.headers_mut()));
        let body = BodyStream {
            response: Some(response),
            origin,
            coding,
            received: 0,
            deadline,
            limits: *limits,
        };
        Ok(Response {
            status,
            headers,
            retry,
            body,
            proxy: peer
                .proxy
                .filter(|via| via.answers)
                .map(|via| via.origin.clone()),
            location,
            all,
            redactor: redactor.clone(),
        })
    }

    /// What whoever asked by way of a relay gets to see: the type, hints to wait, limits, and what a
    /// support request needs. Nothing that frames or codes a body that was read here. Names in lower case.
    #[must_use]
    pub fn passed_headers(&self) -> Vec<(String, String)> {
        chosen(&self.all.0, &self.redactor, is_passed)
    }

    /// The value of a header that a plugin may see. `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of any header, without the secrets of the request. `name` in lower case.
    pub(super) fn any_header(&self, name: &str) -> Option<String> {
        let value = self.all.0.get(name)?.as_bytes();
        let value = String::from_utf8_lossy(value.get(..MAX_VALUE).unwrap_or(value));
        Some(self.redactor.clean(&value).into_owned())
    }

    /// The body, which is then no longer here.
    pub(super) fn take_body(&mut self) -> BodyStream {
        let none = BodyStream {
            response: None,
            origin: self.body.origin.clone(),
            coding: None,
            received: 0,
            deadline: None,
            limits: self.body.limits,
        };
        std::mem::replace(&mut self.body, none)
    }

    /// The vendor's id of the exchange, for a support request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.headers
            .iter()
            .find(|(name, _)| is_request_id(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A body under way. Dropping it closes the connection unless the body has been read to its end.
pub struct BodyStream {
    /// Gone once the end or a failure has been reached.
    response: Option<reqwest::Response>,
    origin: String,
    /// A content coding that the client does not undo.
    coding: Option<String>,
    received: u64,
    deadline: Option<Instant>,
    limits: ExchangeLimits,
}

/// As much of a body as could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// The beginning of the body.
    pub bytes: Bytes,
    /// Whether that is all of it.
    pub complete: bool,
}

impl BodyStream {
    /// Who answers.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many bytes have been read so far, content coding undone.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The next piece, or `None` at the end. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`TransportError::Timeout`] (idle or total), [`TransportError::Cut`],
    /// [`TransportError::TooLarge`], [`TransportError::Malformed`]. The connection is closed then,
    /// and the next call returns `None`.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        let result = self.read().await;
        if !matches!(result, Ok(Some(_))) {
            self.response = None;
        }
        result
    }

    async fn read(&mut self) -> Result<Option<Bytes>, TransportError> {
        let Some(response) = &mut self.response else {
            return Ok(None);
        };
        if let Some(coding) = &self.coding {
            let reason = format!("its content coding {coding:?} was not asked for");
            return Err(TransportError::Malformed {
                origin: self.origin.clone(),
                reason,
            });
        }
        let idle_due = Instant::now().checked_add(self.limits.idle);
        let chunk = loop {
            let next = response.chunk();
            let due = [idle_due, self.deadline].into_iter().flatten().min();
            let result = match due {
                Some(due) => timeout_at(due, next).await,
                None => Ok(next.await),
            };
            match result {
                Ok(Ok(Some(chunk))) if chunk.is_empty() => {}
                Ok(Ok(Some(chunk))) => break chunk,
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(error)) => {
                    return Err(Peer::body_failure(&error, &self.origin, self.received));
                }
                Err(_) => return Err(self.timed_out(due)),
            }
        };
        self.received = self.received.saturating_add(chunk.len() as u64);
        if self.received > self.limits.response_bytes {
            return Err(self.too_large());
        }
        Ok(Some(chunk))
    }

    /// All that is left of the body.
    ///
    /// # Errors
    ///
    /// As [`next_chunk`](Self::next_chunk). A body whose announced length exceeds the bound is not
    /// read at all.
    pub async fn read_to_end(&mut self) -> Result<Bytes, TransportError> {
        let announced = self
            .response
            .as_ref()
            .and_then(reqwest::Response::content_length);
        if announced.is_some_and(|length| length > self.limits.response_bytes) {
            self.response = None;
            return Err(self.too_large());
        }
        let mut body = Collected::default();
        while let Some(chunk) = self.next_chunk().await? {
            body.push(chunk);
        }
        Ok(body.finish())
    }

    /// The beginning of the body, at most `limit` bytes of it, whatever happens: made for the body
    /// of an error, which is better cut than lost. Takes no longer than five seconds.
    pub async fn read_partial(&mut self, limit: usize) -> Partial {
        let soon = Instant::now() + ERROR_BODY;
        self.deadline = Some(self.deadline.map_or(soon, |deadline| deadline.min(soon)));
        let mut body = Collected::default();
        let complete = loop {
            match self.next_chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                    let room = limit.saturating_sub(body.len());
                    body.push(chunk.slice(..room.min(chunk.len())));
                    break false;
                }
                Ok(Some(chunk)) => body.push(chunk),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        self.response = None;
        Partial {
            bytes: body.finish(),
            complete,
        }
    }

    fn timed_out(&self, due: Option<Instant>) -> TransportError {
        let total = self.deadline.is_some() && self.deadline == due;
        let (phase, after) = match total {
            true => (Phase::Total, self.limits.total),
            false => (Phase::Idle, self.limits.idle),
        };
        TransportError::Timeout {
            phase,
            origin: self.origin.clone(),
            after,
        }
    }

    fn too_large(&self) -> TransportError {
        TransportError::TooLarge {
            what: Oversize::Response,
            origin: self.origin.clone(),
            limit: self.limits.response_bytes,
        }
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyStream")
            .field("origin", &self.origin)
            .field("received", &self.received)
            .field("ended", &self.response.is_none())
            .finish_non_exhaustive()
    }
}

/// Pieces put together; a single one is not copied.
#[derive(Default)]
struct Collected {
    first: Bytes,
    all: BytesMut,
}

impl Collected {
    fn len(&self) -> usize {
        self.first.len().max(self.all.len())
    }

    fn push(&mut self, chunk: Bytes) {
        if self.len() == 0 {
            self.first = chunk;
            return;
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&chunk);
    }

    fn finish(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}

fn visible(headers: &HeaderMap, redactor: &Redactor) -> Vec<(String, String)> {
    chosen(headers, redactor, is_visible)
}

fn chosen(
    headers: &HeaderMap,
    redactor: &Redactor,
    choose: fn(&str) -> bool,
) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| choose(name.as_str()))
        .map(|(name, value)| {
            let value = value.as_bytes();
            let value = String::from_utf8_lossy(value.get(..MAX_VALUE).unwrap_or(value));
            let clean = |text: &str| redactor.clean(text).into_owned();
            (clean(name.as_str()), clean(&value))
        })
        .collect()
}

fn is_visible(name: &str) -> bool {
    matches!(name, "content-type" | "x-should-retry")
        || name.starts_with("retry-after")
        || name.starts_with("x-ratelimit-")
        || is_request_id(name)
}

fn is_passed(name: &str) -> bool {
    is_visible(name)
        || name.contains("ratelimit")
        || matches!(
            name,
            "openai-processing-ms" | "openai-version" | "x-inference-provider"
        )
}

fn is_request_id(name: &str) -> bool {
    name.ends_with("request-id") || matches!(name, "x-amzn-requestid" | "cf-ray")
}

/// A content coding that is left although the client has undone those it knows. Values that are
/// no coding at all, such as `utf-8`, are met in the wild and mean nothing.
fn unreadable_coding(headers: &HeaderMap) -> Option<String> {
    if !headers.contains_key(CONTENT_ENCODING) {
        return None;
    }
    let text = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect::<Vec<_>>()
        .join(", ");
    let known = [
        "gzip",
        "x-gzip",
        "deflate",
        "compress",
        "x-compress",
        "br",
        "zstd",
    ];
    let is_coding = |part: &str| known.contains(&part.trim().to_ascii_lowercase().as_str());
    text.split(',').any(is_coding).then_some(text)
}
