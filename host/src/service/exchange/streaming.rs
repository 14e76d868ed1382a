//! A stream under way: bytes to frames to what they mean.

use super::super::failure;
use super::super::hidden::Hidden;
use crate::chat::{Delta, Part};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::{Decoder, wire};
use crate::transport::{BodyStream, Frame, Framer, Framing, Tail};

/// A stream that is being read.
pub(in crate::service) struct Streaming {
    /// Absent once the body turned out to be no stream and was read whole.
    pub(super) decoder: Option<Decoder>,
    pub(super) framer: Framer,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: BodyStream,
    pub(super) target: wire::Target,
    pub(super) hidden: Hidden,
}

impl Streaming {
    /// What comes next; true if the answer is complete with it.
    pub(in crate::service) async fn advance(&mut self, deltas: &mut Vec<Delta>) -> Result<bool> {
        let mut frames = vec![];
        loop {
            let Some(chunk) = self.body.next_chunk().await? else {
                return self.end(deltas).await;
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
            Tail::Whole(body) => {
                let body = wire::Response {
                    status: self.status,
                    headers: std::mem::take(&mut self.headers),
                    body: self.hidden.clean_piece(body),
                };
                let Some(decoder) = self.decoder.take() else {
                    return Err(truncated());
                };
                let answer = decoder
                    .into_session()
                    .decode(&self.target, body)
                    .await?
                    .map_err(|error| failure::vendor(error, None, &self.hidden))?;
                deltas.extend(deltas_of(answer));
                Ok(true)
            }
            Tail::Frames(frames) => {
                if !frames.is_empty() && self.push(frames, deltas).await? {
                    return Ok(true);
                }
                let Some(decoder) = &mut self.decoder else {
                    return Err(truncated());
                };
                let events = decoder.finish().await?;
                match self.take(events, deltas)? {
                    true => Ok(true),
                    false => Err(truncated()),
                }
            }
        }
    }

    async fn push(&mut self, frames: Vec<Frame>, deltas: &mut Vec<Delta>) -> Result<bool> {
        let Some(decoder) = &mut self.decoder else {
            return Err(truncated());
        };
        let frames = frames
            .into_iter()
            .map(|frame| wire::Frame {
                event: frame.event,
                data: self.hidden.clean_piece(frame.data),
            })
            .collect();
        let events = decoder.push(frames).await?;
        self.take(events, deltas)
    }

    fn take(&self, events: Vec<wire::Event>, deltas: &mut Vec<Delta>) -> Result<bool> {
        for event in events {
            match event {
                wire::Event::Delta(delta) => deltas.push(delta),
                wire::Event::Done => return Ok(true),
                wire::Event::Failed(error) => {
                    return Err(failure::vendor(error, None, &self.hidden));
                }
            }
        }
        Ok(false)
    }
}

fn truncated() -> Error {
    Error::new(
        ErrorKind::Truncated,
        "the stream ended before the vendor's end marker",
    )
    .retryable(true)
}

/// A whole answer as if it had been streamed.
fn deltas_of(answer: wire::Answer) -> Vec<Delta> {
    let mut deltas = vec![Delta::Started {
        id: answer.id,
        model: answer.model,
    }];
    for (index, part) in (0..).zip(answer.parts) {
        match part {
            Part::Text(text) => {
                deltas.push(Delta::Text(text.text));
                deltas.extend(text.signature.map(Delta::TextSignature));
            }
            Part::Reasoning(reasoning) => {
                deltas.push(Delta::Reasoning(reasoning.text));
                deltas.extend(reasoning.redacted.map(Delta::RedactedReasoning));
                deltas.extend(reasoning.signature.map(Delta::ReasoningSignature));
            }
            Part::ToolCall(call) => {
                deltas.push(Delta::ToolCallStart {
                    index,
                    id: (!call.id.is_empty()).then_some(call.id),
                    name: call.name,
                    signature: call.signature,
                });
                deltas.push(Delta::ToolCallArguments {
                    index,
                    arguments: call.arguments,
                });
            }
            Part::Opaque(block) => deltas.push(Delta::Opaque(block)),
            Part::Image(_) | Part::ToolResult(_) => {}
        }
    }
    deltas.push(Delta::Billing(answer.billing));
    deltas.push(Delta::Usage(answer.usage));
    let (reason, raw) = answer.finish;
    deltas.push(Delta::Finished { reason, raw });
    deltas
}
