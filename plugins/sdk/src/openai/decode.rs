//! Reads an answer that came whole.

use super::dialect::Dialect;
use super::error::Report;
use super::stream::Stream;
use super::wire::{index, one_or_many};
use crate::events::Events;
use crate::json::Json;
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
    let reply = Json::parse(&response.body)
        .map_err(|error| Error::malformed(format!("the answer is no JSON: {error}")))?;
    let choices = one_or_many(reply.get("choices"));
    if (reply.get("error").is_some() || choices.is_empty())
        && let Some(report) = Report::of(&reply)
    {
        return Err(report.into_error(dialect));
    }
    let choice = choices
        .iter()
        .find(|choice| index(choice) == Some(0))
        .or_else(|| choices.first())
        .ok_or_else(|| Error::malformed("the answer has no choices"))?;
    let says = |key: &&str| choice.get(key).is_some();
    if !["message", "delta", "text", "finish_reason"]
        .iter()
        .any(says)
    {
        return Err(Error::malformed("the answer has no message"));
    }
    let mut stream = Stream::new(dialect.clone());
    let mut events = Events::new();
    stream.shell(&reply, &mut events);
    stream.choice(choice, &mut events);
    stream.close(&mut events);
    Ok(assemble(events.into_inner()))
}

/// Puts the pieces of an answer together: a run of text is one part.
pub(super) fn assemble(events: Vec<ChatEvent>) -> ChatResponse {
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
    for event in events {
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
