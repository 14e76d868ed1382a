//! A stream under way: bytes to frames to what they mean.

use bytes::Bytes;

use super::super::failure;
use super::super::hidden::{Hidden, Screen};
use super::relaying::Fed;
use super::{Peer, refuse_page, shown};
use crate::chat::{Delta, Part};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::{Decoder, wire};
use crate::transport::{
    BodyStream, Frame, Framer, Framing, Response, Tail, TransportError, kind_of,
};

/// A stream that is being read.
pub(in crate::service) struct Streaming {
    /// Absent once the body turned out to be no stream and was read whole.
    decoder: Option<Decoder>,
    framer: Framer,
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    target: wire::Target,
    hidden: Hidden,
    screen: Screen,
    /// Only what a whole answer took is wanted: it answers a body that the caller wrote.
    only_end: bool,
}

/// Where the bytes come from.
pub(super) enum Body {
    /// The connection.
    Live(Box<BodyStream>),
    /// A body that was read whole and turned out to be a stream.
    Read(Option<Bytes>),
    /// A copy of what is handed on to somebody else.
    Fed(Fed),
}

impl Body {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        match self {
            Body::Live(body) => Ok(body.next_chunk().await?),
            Body::Read(bytes) => Ok(bytes.take()),
            Body::Fed(fed) => fed.next().await,
        }
    }

    fn origin(&self) -> &str {
        match self {
            Body::Live(body) => body.origin(),
            Body::Read(_) | Body::Fed(_) => "the server",
        }
    }
}

impl Streaming {
    /// The body of a response.
    pub(super) fn new(peer: &Peer, decoder: Decoder, framing: Framing, response: Response) -> Self {
        let body = Body::Live(Box::new(response.body));
        Self::begin(
            peer,
            decoder,
            framing,
            (response.status, response.headers, body),
        )
    }

    /// A body that was read already.
    pub(super) fn of_text(
        peer: &Peer,
        decoder: Decoder,
        framing: Framing,
        response: wire::Response,
    ) -> Self {
        let body = Body::Read(Some(response.body.into()));
        Self::begin(
            peer,
            decoder,
            framing,
            (response.status, response.headers, body),
        )
    }

    pub(super) fn begin(
        peer: &Peer,
        decoder: Decoder,
        framing: Framing,
        (status, headers, body): (u16, Vec<(String, String)>, Body),
    ) -> Self {
        Streaming {
            decoder: Some(decoder),
            framer: Framer::new(framing),
            status,
            headers,
            body,
            target: peer.target.clone(),
            hidden: peer.hidden.clone(),
            screen: Screen::new(peer.hidden.clone()),
            only_end: false,
        }
    }

    /// The same for an answer to a body that the caller wrote, in this target's wire.
    pub(super) fn of_relay(self, target: wire::Target, said: bool) -> Self {
        Streaming {
            target,
            only_end: !said,
            ..self
        }
    }

    /// What comes next; true if the answer is complete with it. No secret is in it, nor in the error.
    pub(in crate::service) async fn advance(&mut self, deltas: &mut Vec<Delta>) -> Result<bool> {
        let mut raw = vec![];
        let outcome = self.read(&mut raw).await;
        for delta in raw {
            self.screen.push(delta, deltas);
        }
        if !matches!(outcome, Ok(false)) {
            self.screen.finish(deltas);
        }
        outcome.map_err(|error| self.hidden.error(error))
    }

    async fn read(&mut self, deltas: &mut Vec<Delta>) -> Result<bool> {
        let mut frames = vec![];
        loop {
            let Some(chunk) = self.body.next_chunk().await? else {
                return Box::pin(self.end(deltas)).await;
            };
            let cut = self.framer.push(&chunk, &mut frames);
            if !frames.is_empty() {
                let complete = self.push(std::mem::take(&mut frames), deltas).await?;
                if complete {
                    return Ok(true);
                }
            }
            cut?;
            if !deltas.is_empty() {
                return Ok(false);
            }
        }
    }

    /// The body ended.
    async fn end(&mut self, deltas: &mut Vec<Delta>) -> Result<bool> {
        let framer = std::mem::replace(&mut self.framer, Framer::new(Framing::Whole));
        match framer.finish() {
            Tail::Whole(body) => match kind_of(&body) {
                // Lines where events were expected, or the other way round.
                Some(framing) => {
                    let mut framer = Framer::new(framing);
                    let mut frames = vec![];
                    framer.push(body.as_bytes(), &mut frames)?;
                    if self.push(frames, deltas).await? {
                        return Ok(true);
                    }
                    self.last(framer.finish(), deltas).await
                }
                None => self.whole(body, deltas).await,
            },
            tail => self.last(tail, deltas).await,
        }
    }

    /// The end of a stream.
    async fn last(&mut self, tail: Tail, deltas: &mut Vec<Delta>) -> Result<bool> {
        let (frames, cut) = match tail {
            Tail::Frames(frames) => (frames, false),
            Tail::Cut(frames) => (frames, true),
            Tail::Whole(_) => return Err(truncated("before the vendor's end marker")),
            Tail::Foreign(begins) => {
                let origin = self.body.origin().to_owned();
                return Err(TransportError::NoStream { origin, begins }.into());
            }
        };
        if !frames.is_empty() && self.push(frames, deltas).await? {
            return Ok(true);
        }
        // What stood in the rest is lost: whatever came before cannot be complete.
        if cut {
            return Err(truncated("in the middle of an event"));
        }
        let Some(decoder) = &mut self.decoder else {
            return Err(truncated("before the vendor's end marker"));
        };
        let events = decoder.finish().await?;
        match take(events, deltas)? {
            true => Ok(true),
            false => Err(truncated("before the vendor's end marker")),
        }
    }

    /// The body was no stream.
    async fn whole(&mut self, body: String, deltas: &mut Vec<Delta>) -> Result<bool> {
        refuse_page(&body, self.body.origin())?;
        let body = wire::Response {
            status: self.status,
            headers: std::mem::take(&mut self.headers),
            body: self.hidden.raw(body),
        };
        shown::body(&self.hidden, &body.body);
        let Some(decoder) = self.decoder.take() else {
            return Err(truncated("before the vendor's end marker"));
        };
        let mut session = decoder.into_session();
        let answer = match self.only_end {
            true => session.read(&self.target, &body).await?,
            false => session.decode(&self.target, body).await?,
        };
        let answer = answer.map_err(|error| failure::vendor(error, None))?;
        deltas.extend(all_of(answer));
        Ok(true)
    }

    async fn push(&mut self, frames: Vec<Frame>, deltas: &mut Vec<Delta>) -> Result<bool> {
        let Some(decoder) = &mut self.decoder else {
            return Err(truncated("before the vendor's end marker"));
        };
        let frames: Vec<_> = frames
            .into_iter()
            .map(|frame| Frame {
                event: frame.event,
                data: self.hidden.raw(frame.data),
            })
            .collect();
        shown::frames(&self.hidden, &frames);
        let events = decoder.push(frames).await?;
        take(events, deltas)
    }
}

fn take(events: Vec<wire::Event>, deltas: &mut Vec<Delta>) -> Result<bool> {
    for event in events {
        match event {
            wire::Event::Delta(delta) => deltas.push(delta),
            wire::Event::Done => return Ok(true),
            wire::Event::Failed(error) => return Err(failure::vendor(error, None)),
        }
    }
    Ok(false)
}

fn truncated(place: &str) -> Error {
    Error::new(ErrorKind::Truncated, format!("the stream ended {place}")).retryable(true)
}

/// A whole answer as if it had been streamed.
fn all_of(answer: wire::Answer) -> Vec<Delta> {
    let mut deltas = vec![Delta::Started {
        id: answer.id,
        model: answer.model,
    }];
    deltas.extend(deltas_of(answer.parts));
    deltas.push(Delta::Billing(answer.billing));
    deltas.push(Delta::Usage(answer.usage));
    deltas.push(Delta::Extra(answer.extra));
    let (reason, raw) = answer.finish;
    deltas.push(Delta::Finished { reason, raw });
    deltas
}

/// The parts of a whole answer as if they had been streamed. Ids that were made here are left out: whoever puts the
/// pieces together makes them again.
pub(in crate::service) fn deltas_of(parts: Vec<Part>) -> Vec<Delta> {
    let mut deltas = vec![];
    for (index, part) in (0..).zip(parts) {
        match part {
            Part::Text(text) => {
                // Other text may stand before it that is another part.
                let apart = !text.citations.is_empty() || !text.extra.is_empty();
                deltas.extend(apart.then_some(Delta::TextEnd));
                deltas.push(Delta::Text(text.text));
                deltas.extend(text.citations.into_iter().map(Delta::Citation));
                deltas.extend(text.signature.map(Delta::TextSignature));
                deltas.extend(
                    Some(text.extra)
                        .filter(|tail| !tail.is_empty())
                        .map(Delta::PartExtra),
                );
                deltas.extend(apart.then_some(Delta::TextEnd));
            }
            Part::Reasoning(reasoning) => {
                deltas.push(Delta::Reasoning(reasoning.text));
                deltas.extend(reasoning.redacted.map(Delta::RedactedReasoning));
                deltas.extend(reasoning.signature.map(Delta::ReasoningSignature));
                let tail = Some(reasoning.extra).filter(|tail| !tail.is_empty());
                deltas.extend(tail.map(Delta::PartExtra));
            }
            Part::ToolCall(call) => {
                deltas.push(Delta::ToolCallStart {
                    index,
                    id: (!call.id.is_empty() && !call.local).then_some(call.id),
                    name: call.name,
                    signature: call.signature,
                    extra: call.extra,
                });
                deltas.push(Delta::ToolCallArguments {
                    index,
                    arguments: call.arguments,
                });
            }
            Part::Opaque(block) => deltas.push(Delta::Opaque(block)),
            Part::Media(media) => deltas.push(Delta::Media(media)),
            Part::ServerToolCall(call) => deltas.push(Delta::ServerToolCall(call)),
            Part::ServerToolResult(result) => deltas.push(Delta::ServerToolResult(result)),
            Part::ToolResult(_) => {}
        }
    }
    deltas
}
