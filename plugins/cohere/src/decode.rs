//! From a whole reply to a unified answer, and what stream and reply have in common.

use multillm_plugin_sdk::outcome::finish_reason;
use multillm_plugin_sdk::{
    ChatResponse, Error, Finish, FinishReason, Part, Reasoning, Response, Target, Text, ToolCall,
    Usage,
};

use crate::error;
use crate::wire::{self, Answer, ContentBlock, Counts, Message, items};

/// The mark that tells a block of thinking from a tool plan, kept where other vendors keep a
/// signature: both are reasoning to the caller, and each goes back where it came from.
pub(crate) const THINKING: &str = "thinking";

pub(crate) fn reply(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
    let answer: Answer<'_> = serde_json::from_str(&response.body).map_err(unreadable)?;
    if let Some(failure) = error::inside(&answer) {
        return Err(failure);
    }
    let message: Message<'_> = match answer.message {
        Some(message) => serde_json::from_str(message.get()).map_err(unreadable)?,
        None => return Err(Error::malformed("the reply has no message")),
    };
    let content = parts(&message).map_err(unreadable)?;
    let has_calls = content.iter().any(|part| matches!(part, Part::ToolCall(_)));
    Ok(ChatResponse {
        id: answer.id.filter(|id| !id.is_empty()),
        model: model(target),
        content,
        finish: finish(answer.finish_reason, has_calls),
        usage: usage(answer.usage.as_ref()),
    })
}

/// Cohere does not say which model answered, so it is the one that was asked.
pub(crate) fn model(target: &Target) -> Option<String> {
    (!target.model.is_empty()).then(|| target.model.clone())
}

pub(crate) fn unreadable(error: serde_json::Error) -> Error {
    Error::malformed(format!("cohere's answer cannot be read: {error}"))
}

/// Content blocks first, then the tool plan, then the calls that it plans.
fn parts(message: &Message<'_>) -> serde_json::Result<Vec<Part>> {
    let mut parts = Vec::new();
    for block in blocks(message)? {
        match block.kind.as_deref() {
            Some("thinking") => {
                let thought = block.thinking.unwrap_or_default();
                parts.extend(reasoning(thought, Some(THINKING)));
            }
            Some("text") => say(&mut parts, block.text.unwrap_or_default()),
            // As in a stream, where the text's name tells what it is.
            None => {
                let thought = block.thinking.unwrap_or_default();
                parts.extend(reasoning(thought, Some(THINKING)));
                say(&mut parts, block.text.unwrap_or_default());
            }
            Some(_) => {}
        }
    }
    let plan = message.tool_plan.clone().unwrap_or_default();
    parts.extend(reasoning(plan, None));
    if let Some(calls) = message.tool_calls {
        parts.extend(items(calls)?.into_iter().map(tool_call));
    }
    Ok(parts)
}

/// The content blocks: of a list, of a lone block, of a mere string.
pub(crate) fn blocks(message: &Message<'_>) -> serde_json::Result<Vec<ContentBlock>> {
    match message.content {
        None => Ok(vec![]),
        Some(text) if text.get().starts_with('"') => Ok(vec![ContentBlock {
            kind: None,
            text: serde_json::from_str(text.get())?,
            thinking: None,
        }]),
        Some(content) => items(content),
    }
}

fn reasoning(text: String, signature: Option<&str>) -> Option<Part> {
    (!text.is_empty()).then(|| {
        Part::Reasoning(Reasoning {
            text,
            signature: signature.map(str::to_owned),
            redacted: None,
        })
    })
}

/// Text that follows text belongs to it, as in a stream.
fn say(parts: &mut Vec<Part>, text: String) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(last)) => last.text.push_str(&text),
        _ => parts.push(Part::Text(Text {
            text,
            signature: None,
        })),
    }
}

fn tool_call(call: wire::ToolCall<'_>) -> Part {
    let function = call.function.unwrap_or_default();
    Part::ToolCall(ToolCall::received(
        call.id,
        function.name,
        function.arguments,
    ))
}

pub(crate) fn finish(raw: Option<String>, has_calls: bool) -> Finish {
    let raw = raw.filter(|reason| !reason.is_empty());
    let reason = match raw.as_deref().map(str::to_ascii_uppercase).as_deref() {
        None | Some("COMPLETE" | "STOP_SEQUENCE") => FinishReason::Stop,
        Some("MAX_TOKENS") => FinishReason::Length,
        Some("TOOL_CALL") => FinishReason::ToolCalls,
        Some("ERROR" | "TIMEOUT") => FinishReason::Error,
        Some(_) => FinishReason::Other,
    };
    Finish {
        reason: finish_reason(reason, has_calls),
        raw,
    }
}

pub(crate) fn usage(counts: Option<&Counts>) -> Usage {
    let tokens = counts.and_then(|counts| counts.tokens.as_ref());
    Usage {
        prompt_tokens: tokens.and_then(|tokens| tokens.input_tokens),
        completion_tokens: tokens.and_then(|tokens| tokens.output_tokens),
        cached_tokens: counts.and_then(|counts| counts.cached_tokens),
        ..Usage::UNKNOWN
    }
}

#[cfg(test)]
mod tests;
