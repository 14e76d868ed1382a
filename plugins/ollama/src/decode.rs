//! From a whole reply to a unified answer, and what replies and lines have in common.

use multillm_plugin_sdk::outcome::finish_reason;
use multillm_plugin_sdk::{
    ChatResponse, Error, Finish, FinishReason, Part, Reasoning, Response, Text, ToolCall, Usage,
};

use crate::error::failure;
use crate::wire::{Call, Called, Chunk, Said};

pub(crate) fn answer(response: &Response) -> Result<ChatResponse, Error> {
    let chunk = chunk(&response.body)?;
    match (&chunk.message, chunk.done) {
        (_, Some(false)) => return Err(Error::truncated()),
        (None, None) => return Err(Error::malformed("the reply has no message")),
        _ => {}
    }
    let usage = usage(&chunk);
    let content = chunk.message.map(parts).unwrap_or_default();
    let has_calls = content.iter().any(|part| matches!(part, Part::ToolCall(_)));
    Ok(ChatResponse {
        id: None,
        model: chunk
            .model
            .map(Into::into)
            .filter(|model: &String| !model.is_empty()),
        content,
        finish: finish(chunk.done_reason, has_calls),
        usage,
    })
}

/// Reads a reply or a line; one that says what went wrong is that error.
pub(crate) fn chunk(text: &str) -> Result<Chunk<'_>, Error> {
    let chunk: Chunk<'_> = serde_json::from_str(text)
        .map_err(|error| Error::malformed(format!("ollama's answer cannot be read: {error}")))?;
    match chunk.error {
        Some(error) => Err(failure(error)),
        None => Ok(chunk),
    }
}

fn parts(said: Said<'_>) -> Vec<Part> {
    let thinking = said.thinking.filter(|text| !text.is_empty()).map(|text| {
        Part::Reasoning(Reasoning {
            text,
            signature: None,
            redacted: None,
        })
    });
    let content = said.content.filter(|text| !text.is_empty()).map(|text| {
        let signature = None;
        Part::Text(Text { text, signature })
    });
    let calls = said.tool_calls.unwrap_or_default().into_iter();
    let calls = calls.map(|call| Part::ToolCall(tool_call(call)));
    thinking.into_iter().chain(content).chain(calls).collect()
}

pub(crate) fn tool_call(call: Call<'_>) -> ToolCall {
    let Called { name, arguments } = call.function.unwrap_or_default();
    ToolCall::received(call.id, name, arguments)
}

/// Ollama says `stop` with tool calls too, and old servers say nothing.
pub(crate) fn finish(raw: Option<String>, has_calls: bool) -> Finish {
    let raw = raw.filter(|reason| !reason.is_empty());
    let reason = match raw.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("stop") => FinishReason::Stop,
        Some("length") => FinishReason::Length,
        Some(_) => FinishReason::Other,
    };
    Finish {
        reason: finish_reason(reason, has_calls),
        raw,
    }
}

/// Where there are metrics, one that is missing is zero: Ollama leaves zeros out.
pub(crate) fn usage(chunk: &Chunk<'_>) -> Usage {
    let metrics = [
        chunk.prompt_eval_count,
        chunk.eval_count,
        chunk.total_duration,
    ];
    let measured = metrics.iter().any(Option::is_some);
    let count = |tokens: Option<u64>| measured.then(|| tokens.unwrap_or(0));
    Usage {
        prompt_tokens: count(chunk.prompt_eval_count),
        completion_tokens: count(chunk.eval_count),
        ..Usage::UNKNOWN
    }
}

#[cfg(test)]
mod tests;
