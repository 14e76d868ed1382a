//! Reads an answer that came whole.

use super::dialect::Dialect;
use super::error::Report;
use super::stream::Stream;
use super::wire::{Choice, Reply};
use crate::events::Events;
use crate::{
    ChatEvent, ChatResponse, Error, Finish, FinishReason, Part, Reasoning, Response, Text,
    ToolCall, Usage,
};

/// Reads a whole answer, as if it had come in one piece of a stream.
///
/// # Errors
///
/// The server's error if the body holds one; `malformed-response` if it holds no answer.
pub fn decode(dialect: &Dialect, response: &Response) -> Result<ChatResponse, Error> {
    let failed = |why: &str| match Report::read(&response.body) {
        Some(report) => report.into_error(dialect),
        None => Error::malformed(why),
    };
    let mut reply = serde_json::from_str::<Reply<'_>>(&response.body)
        .map_err(|error| failed(&format!("the answer cannot be read: {error}")))?;
    if reply.error.is_some()
        && let Some(report) = Report::read(&response.body)
    {
        return Err(report.into_error(dialect));
    }
    let choice = first(&mut reply).ok_or_else(|| failed("the answer has no choices"))?;
    if choice.message.is_none()
        && choice.delta.is_none()
        && choice.text.is_none()
        && choice.finish_reason.is_none()
    {
        return Err(Error::malformed("the answer has no message"));
    }
    reply.choices = Some(vec![Choice {
        index: None,
        ..choice
    }]);
    let mut stream = Stream::new(dialect.clone());
    let mut events = Events::new();
    stream.chunk(reply, &mut events);
    stream.close(&mut events);
    Ok(assemble(events))
}

/// The choice numbered 0, or else the first.
fn first<'a>(reply: &mut Reply<'a>) -> Option<Choice<'a>> {
    let choices = reply.choices.take().filter(|choices| !choices.is_empty())?;
    let at = choices
        .iter()
        .position(|choice| choice.index == Some(0))
        .unwrap_or(0);
    choices.into_iter().nth(at)
}

/// Puts the pieces of an answer together: a run of text is one part.
fn assemble(events: Events) -> ChatResponse {
    let mut answer = ChatResponse {
        id: None,
        model: None,
        content: Vec::new(),
        finish: Finish {
            reason: FinishReason::Other,
            raw: None,
        },
        usage: Usage::UNKNOWN,
    };
    let mut calls: Vec<(u32, ToolCall)> = Vec::new();
    for event in events.into_inner() {
        match event {
            ChatEvent::Started(started) => {
                answer.id = started.id.or(answer.id);
                answer.model = started.model.or(answer.model);
            }
            ChatEvent::Text(more) => match answer.content.last_mut() {
                Some(Part::Text(part)) => part.text.push_str(&more),
                _ => answer.content.push(Part::Text(Text {
                    text: more,
                    signature: None,
                })),
            },
            ChatEvent::Reasoning(more) => match answer.content.last_mut() {
                Some(Part::Reasoning(part)) => part.text.push_str(&more),
                _ => answer.content.push(Part::Reasoning(Reasoning {
                    text: more,
                    signature: None,
                    redacted: None,
                })),
            },
            ChatEvent::ToolCallStart(start) => calls.push((
                start.index,
                ToolCall {
                    id: start.id,
                    local: false,
                    name: start.name,
                    arguments: String::new(),
                    signature: start.signature,
                },
            )),
            ChatEvent::ToolCallDelta(delta) => {
                let call = calls.iter_mut().find(|(index, _)| *index == delta.index);
                if let Some((_, call)) = call {
                    call.arguments.push_str(&delta.arguments);
                }
            }
            ChatEvent::Usage(usage) => answer.usage = usage,
            ChatEvent::Finished(finish) => answer.finish = finish,
            // None of these is ever said of a chunk of this wire.
            ChatEvent::TextSignature(_)
            | ChatEvent::ReasoningSignature(_)
            | ChatEvent::RedactedReasoning(_)
            | ChatEvent::Opaque(_)
            | ChatEvent::Done
            | ChatEvent::Failed(_) => {}
        }
    }
    let calls = calls.into_iter().map(|(_, call)| Part::ToolCall(call));
    answer.content.extend(calls);
    answer
}

#[cfg(test)]
mod tests;
