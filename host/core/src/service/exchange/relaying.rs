//! A body that the caller wrote: on its way to the vendor, and what comes back before anybody reads it.
//!
//! No instance is needed for the way there: where a body goes is the same for all that ask a model alike, and is asked
//! once. What comes back is read by [`Peer::follow`], whenever whoever hands it on has time for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::streaming::{Body, Streaming};
use super::{Peer, framing_by_type};
use crate::error::{Error, Result};
use crate::plugin::wire;
use crate::service::relay::{Operation, RelayRequest, Verbatim, splice};
use crate::transport::{
    BodyPart, BodyStream, ByteScreen, Framing, HeaderValue, Response, TransportError, kind_of,
    text_of, web_page,
};

/// The most bytes of a refusal that are handed on.
const REFUSAL: usize = 1 << 20;
/// Headers in which keys travel, or that say for whom somebody speaks: they end here, whatever a plugin says.
const NEVER: [&str; 10] = [
    "api-key",
    "authorization",
    "cookie",
    "host",
    "openai-organization",
    "openai-project",
    "proxy-authorization",
    "x-api-key",
    "x-goog-api-key",
    "x-goog-user-project",
];

/// The way of bodies of one kind.
pub(in crate::service) type Ways =
    std::sync::Mutex<Vec<((String, Operation, bool), Arc<wire::Route>)>>;

/// What whoever reads an answer has to know of it.
pub(in crate::service) struct Passing {
    target: wire::Target,
    status: u16,
    headers: Vec<(String, String)>,
    framing: Framing,
    /// Everything that was said is wanted, and not only what it took.
    said: bool,
}

/// What came back.
pub(in crate::service) struct Passed {
    pub(in crate::service) answer: Verbatim,
    pub(in crate::service) body: PassedBody,
    pub(in crate::service) passing: Passing,
}

pub(in crate::service) enum PassedBody {
    /// The answer has it.
    Whole,
    /// It is still coming.
    Stream(Box<(BodyStream, ByteScreen)>),
}

/// Why nothing came, and what the vendor said if it was the vendor who said so.
pub(in crate::service) struct Refused {
    pub(in crate::service) error: Error,
    pub(in crate::service) answer: Option<Verbatim>,
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Refused {
            error: error.into(),
            answer: None,
        }
    }
}

/// Where a reader gets the bytes from.
pub(in crate::service) enum Fed {
    /// All there is, and how it failed if it did.
    Done(Option<Bytes>, Option<Error>),
    /// As they come.
    Live {
        fed: mpsc::UnboundedReceiver<Result<Bytes>>,
        behind: Arc<AtomicUsize>,
    },
}

impl Fed {
    pub(in crate::service) fn done(bytes: impl Into<Bytes>, failed: Option<Error>) -> Self {
        Fed::Done(Some(bytes.into()), failed)
    }

    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        match self {
            Fed::Done(bytes, failed) => match (
                bytes.take().filter(|bytes| !bytes.is_empty()),
                failed.take(),
            ) {
                (Some(bytes), error) => {
                    *failed = error;
                    Ok(Some(bytes))
                }
                (None, Some(error)) => Err(error),
                (None, None) => Ok(None),
            },
            Fed::Live { fed, behind } => match fed.recv().await {
                Some(Ok(bytes)) => {
                    behind.fetch_sub(bytes.len(), Ordering::Relaxed);
                    Ok(Some(bytes))
                }
                Some(Err(error)) => Err(error),
                None => Ok(None),
            },
        }
    }
}

impl Peer {
    /// Sends a body on its way, up to the whole answer or the head of a stream. `said`: the history wants what was
    /// said too.
    pub(in crate::service) async fn relay(
        &self,
        request: &RelayRequest,
        said: bool,
    ) -> std::result::Result<Passed, Refused> {
        let passed = self.pass(request, said).await;
        passed.map_err(|refused| Refused {
            error: self.hidden.error(refused.error),
            answer: refused.answer,
        })
    }

    async fn pass(
        &self,
        request: &RelayRequest,
        said: bool,
    ) -> std::result::Result<Passed, Refused> {
        self.warn_of_words();
        let target = wire::Target {
            wire: request.wire.clone(),
            ..self.target.clone()
        };
        let way = self.way(&target, request.operation, request.stream).await?;
        let body = splice(&request.body, &way.model, &way.name)?;
        let mut described = way.request.clone();
        described.body = body.into_iter().map(BodyPart::Bytes).collect();
        self.let_pass(&mut described.headers, &request.headers);
        let prepared = self.prepare(described, &[])?;
        let mut response = self.client.send(prepared, &self.limits).await?;
        let mut answer = Verbatim {
            status: response.status,
            headers: response.passed_headers(),
            body: Bytes::new(),
        };
        if response.status >= 400 {
            return Err(self.refused(&target, response, answer).await);
        }
        let framing = match way.request.framing {
            Framing::Whole => framing_by_type(&response),
            framing => framing,
        };
        let mut passing = Passing {
            target,
            status: response.status,
            headers: std::mem::take(&mut response.headers),
            framing,
            said: said && request.operation == Operation::Chat && self.is_own_wire(&request.wire),
        };
        let mut screen = ByteScreen::new(self.secrets.redactor().clone());
        if framing != Framing::Whole {
            let body = PassedBody::Stream(Box::new((response.body, screen)));
            return Ok(Passed {
                answer,
                body,
                passing,
            });
        }
        let bytes = response.body.read_to_end().await?;
        if bytes.trim_ascii_start().first() == Some(&b'<')
            && let Some(page) = web_page(&text_of(&bytes))
        {
            let origin = response.body.origin().to_owned();
            let title = page.title;
            return Err(TransportError::WebPage { origin, title }.into());
        }
        answer.body = whole(&mut screen, bytes);
        if !answer.body.trim_ascii_start().starts_with(b"{")
            && let Some(framing) = kind_of(&text_of(&answer.body))
        {
            passing.framing = framing;
        }
        Ok(Passed {
            answer,
            body: PassedBody::Whole,
            passing,
        })
    }

    /// What the plugin's own decoder of a chat understands.
    fn is_own_wire(&self, wire: &str) -> bool {
        self.plugin
            .info()
            .wires
            .first()
            .is_some_and(|own| own == wire)
    }

    /// The vendor refused: what that means, and what it said.
    async fn refused(
        &self,
        target: &wire::Target,
        mut response: Response,
        mut answer: Verbatim,
    ) -> Refused {
        let partial = response.body.read_partial(REFUSAL).await;
        let mut screen = ByteScreen::new(self.secrets.redactor().clone());
        answer.body = whole(&mut screen, partial.bytes.clone());
        let error = match self.plugin.session().await {
            Ok(mut session) => {
                self.classify(target, response, &partial.bytes, &mut session)
                    .await
            }
            Err(error) => Err(error.into()),
        };
        Refused {
            error: error.unwrap_or_else(|error| error),
            answer: Some(answer),
        }
    }

    /// Where such bodies go. Asked of the plugin once.
    async fn way(
        &self,
        target: &wire::Target,
        operation: Operation,
        stream: bool,
    ) -> Result<Arc<wire::Route>> {
        let key = (target.wire.clone(), operation, stream);
        let known = {
            let ways = self
                .ways
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            ways.iter()
                .find(|(known, _)| *known == key)
                .map(|(_, way)| way.clone())
        };
        if let Some(way) = known {
            return Ok(way);
        }
        let mut session = self.plugin.session().await?;
        let way = Arc::new(session.route(target, operation, stream).await??);
        let mut ways = self
            .ways
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        ways.push((key, way.clone()));
        Ok(way)
    }

    /// Adds those of the caller's headers that may travel on. The caller's count where the plugin has the same, but
    /// lists are joined.
    fn let_pass(&self, headers: &mut Vec<(String, HeaderValue)>, callers: &[(String, String)]) {
        let passes = &self.plugin.info().passes;
        let may_pass =
            |name: &str| passes.iter().any(|known| known == name) && !NEVER.contains(&name);
        for (name, value) in callers.iter().filter(|(name, _)| may_pass(name)) {
            let own = headers.iter_mut().find(|(known, _)| known == name);
            match own {
                Some((_, HeaderValue::Plain(own))) if name.ends_with("-beta") => join(own, value),
                Some((_, HeaderValue::Plain(own))) => own.clone_from(value),
                Some((_, HeaderValue::Secret { .. })) => {}
                None => headers.push((name.clone(), HeaderValue::Plain(value.clone()))),
            }
        }
    }

    /// Reads an answer for what it took and how it ended.
    pub(in crate::service) async fn follow(&self, passing: Passing, fed: Fed) -> Result<Streaming> {
        let session = self.plugin.session().await?;
        let decoder = match passing.said {
            true => session.into_decoder(&passing.target).await?,
            false => session.into_reader(&passing.target).await??,
        };
        let head = (passing.status, passing.headers, Body::Fed(fed));
        let streaming = Streaming::begin(self, decoder, passing.framing, head);
        Ok(streaming.of_relay(passing.target, passing.said))
    }
}

/// A list with the names of another that it does not have yet.
fn join(own: &mut String, other: &str) {
    for name in other
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        if !own.split(',').any(|known| known.trim() == name) {
            if !own.is_empty() {
                own.push(',');
            }
            own.push_str(name);
        }
    }
}

/// A body that is there, without secrets.
fn whole(screen: &mut ByteScreen, bytes: Bytes) -> Bytes {
    let shown = screen.push(bytes);
    let held = screen.finish();
    match held.is_empty() {
        true => shown,
        false => [shown, held].concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_joined_without_saying_a_name_twice() {
        for (own, other, joined) in [
            ("a,b", "b, c", "a,b,c"),
            ("", "x", "x"),
            ("a", "", "a"),
            ("a , b", "b,a", "a , b"),
        ] {
            let mut text = own.to_owned();
            join(&mut text, other);
            assert_eq!(text, joined);
        }
    }
}
