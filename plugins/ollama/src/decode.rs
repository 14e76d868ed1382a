//! From a whole reply to a unified answer, and what replies and lines have in common.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::outcome::finish_reason;
use multillm_plugin_sdk::{
    ChatResponse, Error, Finish, FinishReason, Frame, Media, MediaSource, Part, Reasoning,
    Response, Target, ToolCall, Usage, sse,
};
use serde_json::value::RawValue;

use crate::error;
use crate::stream::Lines;
use crate::wire::{Call, Called, Chunk, NO_COUNT, Said};

pub(crate) fn answer(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
    let body = response.body.trim();
    if body.starts_with('{') && body.lines().count() > 1 && chunk(body).is_err() {
        // A server that streams whatever it is asked.
        let lines = body.lines().map(|line| Frame {
            event: None,
            data: line.to_owned(),
        });
        return sse::answer::<Lines>(target, lines);
    }
    let mut chunk = chunk(body)?;
    let said = chunk.take_said();
    match (&said, chunk.done) {
        (_, Some(false)) => return Err(Error::truncated()),
        (None, None) => return Err(Error::malformed("the reply has no message")),
        _ => {}
    }
    let extra = beyond(body).map(|extra| extra.to_string());
    let content = said.map(parts).unwrap_or_default();
    let usage = usage(&chunk, !content.is_empty());
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
        extra,
    })
}

/// Reads a reply or a line; one that says what went wrong is that error.
pub(crate) fn chunk(text: &str) -> Result<Chunk<'_>, Error> {
    let chunk: Chunk<'_> = serde_json::from_str(text).map_err(|unread| {
        let unread = || Error::malformed(format!("ollama's answer cannot be read: {unread}"));
        error::inside(text).unwrap_or_else(unread)
    })?;
    // A message without an error needs no second look.
    let said = chunk.message.is_some() || chunk.response.is_some();
    if chunk.error.is_none() && said {
        return Ok(chunk);
    }
    let wordless = || chunk.error.and_then(error::wordless);
    match error::inside(text).or_else(wordless) {
        Some(failure) => Err(failure),
        None => Ok(chunk),
    }
}

fn parts(said: Said<'_>) -> Vec<Part> {
    let thinking = said.thinking.filter(|text| !text.is_empty()).map(|text| {
        Part::Reasoning(Reasoning {
            text,
            ..Reasoning::default()
        })
    });
    let content = said.content.filter(|text| !text.is_empty());
    let content = content.map(Part::text);
    let pictures = pictures(said.images, said.image)
        .into_iter()
        .map(Part::Media);
    let calls = said.tool_calls.unwrap_or_default().into_iter();
    let calls = calls.filter_map(tool_call).map(Part::ToolCall);
    thinking
        .into_iter()
        .chain(content)
        .chain(pictures)
        .chain(calls)
        .collect()
}

/// Pictures that the model made: base64 of which nobody says what it is but its first bytes.
pub(crate) fn pictures(images: Option<&RawValue>, image: Option<String>) -> Vec<Media> {
    let list = images.map_or("[]", RawValue::get);
    let list: Vec<String> = serde_json::from_str(list).unwrap_or_default();
    let all = list
        .into_iter()
        .chain(image)
        .filter(|data| !data.is_empty());
    all.map(|data| {
        let begins = |with: &str| data.starts_with(with);
        let media_type = match () {
            () if begins("/9j/") => "image/jpeg",
            () if begins("UklGR") => "image/webp",
            () if begins("R0lGOD") => "image/gif",
            () => "image/png",
        };
        Media::from_source(MediaSource::Base64(data), Some(media_type.to_owned()))
    })
    .filter_map(Media::readable)
    .collect()
}

/// What a reply, or the last line of a stream, says beyond the contract: durations in nanoseconds, the
/// context of a prompt, probabilities.
pub(crate) fn beyond(text: &str) -> Option<Json<'static>> {
    const KNOWN: [&str; 10] = [
        "model",
        "message",
        "response",
        "thinking",
        "image",
        "done",
        "done_reason",
        "prompt_eval_count",
        "eval_count",
        "error",
    ];
    let extra = Json::parse(text).ok()?.beside(&KNOWN)?;
    Some(extra.into_owned())
}

/// A call; nothing for one without a name.
pub(crate) fn tool_call(call: Call<'_>) -> Option<ToolCall> {
    let Called { name, arguments } = call.function.unwrap_or_default();
    let name = name.filter(|name| !name.is_empty());
    name.is_some()
        .then(|| ToolCall::received(call.id, name, arguments))
}

/// Ollama says `stop` with tool calls too, and old servers say nothing.
pub(crate) fn finish(raw: Option<String>, has_calls: bool) -> Finish {
    let raw = raw.filter(|reason| !reason.is_empty());
    let reason = match raw.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("stop") => FinishReason::Stop,
        Some("length" | "model_context_window_exceeded") => FinishReason::Length,
        Some("sensitive" | "content_filter" | "refusal") => FinishReason::ContentFilter,
        Some("error") => FinishReason::Error,
        Some(_) => FinishReason::Other,
    };
    Finish {
        reason: finish_reason(reason, has_calls),
        raw,
    }
}

/// Where there are metrics, one that is missing is zero: Ollama leaves zeros out. Something that
/// was `said` took tokens, so that two zeros were not counted, and neither was one of output.
pub(crate) fn usage(chunk: &Chunk<'_>, said: bool) -> Usage {
    let metrics = [
        chunk.prompt_eval_count,
        chunk.eval_count,
        chunk.total_duration,
    ];
    let measured = metrics.iter().any(Option::is_some);
    let count = |tokens: Option<u64>| {
        let tokens = measured.then(|| tokens.unwrap_or(0));
        tokens.filter(|tokens| *tokens != NO_COUNT)
    };
    let output = count(chunk.eval_count).filter(|output| *output > 0 || !said);
    let input = count(chunk.prompt_eval_count);
    Usage {
        prompt_tokens: input.filter(|input| *input > 0 || output.is_some()),
        completion_tokens: output,
        ..Usage::UNKNOWN
    }
}

#[cfg(test)]
mod tests;
