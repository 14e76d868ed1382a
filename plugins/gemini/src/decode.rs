//! A whole answer: its events, put together.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::outcome::finish_reason;
use multillm_plugin_sdk::{
    ChatEvent, ChatResponse, Error, Finish, FinishReason, Part, Reasoning, Text, ToolCall, Usage,
};

use crate::stream::Reader;

/// Reads the body of a success: an answer, or an array of its pieces.
///
/// # Errors
///
/// The error that the body holds, `malformed-response` if it is no answer,
/// `truncated` for an array without the last piece.
pub(crate) fn answer(body: &str) -> Result<ChatResponse, Error> {
    let body = body.trim_start_matches('\u{feff}').trim();
    let mut reader = Reader::default();
    let mut events = Events::new();
    reader.read(body, &mut events)?;
    reader.close(&mut events);
    if !reader.is_recognised() {
        return Err(Error::malformed(
            "a JSON body without candidates, prompt feedback or usage",
        ));
    }
    if body.starts_with('[') && !reader.is_finished() {
        return Err(Error::truncated());
    }
    let mut answer = assemble(events.into_inner());
    if !reader.is_finished() {
        let reason = match reader.calls() {
            0 => FinishReason::Other,
            _ => FinishReason::Stop,
        };
        answer.finish.reason = finish_reason(reason, reader.calls() > 0);
    }
    Ok(answer)
}

/// The answer that the events describe, by the rules of the contract's `chat-event`.
pub(crate) fn assemble(events: Vec<ChatEvent>) -> ChatResponse {
    let unfinished = Finish {
        reason: FinishReason::Other,
        raw: None,
    };
    let mut answer = ChatResponse {
        usage: Usage::UNKNOWN,
        finish: unfinished,
        content: Vec::new(),
        model: None,
        id: None,
    };
    for event in events {
        match event {
            ChatEvent::Started(started) => {
                answer.id = started.id.or(answer.id);
                answer.model = started.model.or(answer.model);
            }
            // the reader's counts are complete each time
            ChatEvent::Usage(usage) => answer.usage = usage,
            ChatEvent::Finished(finish) => answer.finish = finish,
            event => append(&mut answer.content, event),
        }
    }
    answer
}

/// Adds to the last part, or begins another.
fn append(content: &mut Vec<Part>, event: ChatEvent) {
    match (content.last_mut(), event) {
        (Some(Part::Text(last)), ChatEvent::Text(more)) if last.signature.is_none() => {
            last.text.push_str(&more);
        }
        (Some(Part::Text(last)), ChatEvent::TextSignature(it)) if last.signature.is_none() => {
            last.signature = Some(it);
        }
        (Some(Part::Reasoning(last)), ChatEvent::Reasoning(more)) if last.signature.is_none() => {
            last.text.push_str(&more);
        }
        (Some(Part::Reasoning(last)), ChatEvent::ReasoningSignature(it))
            if last.signature.is_none() =>
        {
            last.signature = Some(it);
        }
        (Some(Part::ToolCall(last)), ChatEvent::ToolCallDelta(more)) => {
            last.arguments.push_str(&more.arguments);
        }
        (_, event) => content.extend(begin(event)),
    }
}

/// The part that an event begins.
fn begin(event: ChatEvent) -> Option<Part> {
    let text = |text, signature| Part::Text(Text { text, signature });
    let reasoning = |text, signature| {
        Part::Reasoning(Reasoning {
            text,
            signature,
            redacted: None,
        })
    };
    Some(match event {
        ChatEvent::Text(it) => text(it, None),
        ChatEvent::TextSignature(it) => text(String::new(), Some(it)),
        ChatEvent::Reasoning(it) => reasoning(it, None),
        ChatEvent::ReasoningSignature(it) => reasoning(String::new(), Some(it)),
        ChatEvent::ToolCallStart(start) => Part::ToolCall(ToolCall {
            id: start.id,
            local: false,
            name: start.name,
            arguments: String::new(),
            signature: start.signature,
        }),
        ChatEvent::Opaque(block) => Part::Opaque(block),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
