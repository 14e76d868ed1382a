//! From a whole reply to a unified answer, and what stream and reply have in common.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::outcome::finish_reason;
use multillm_plugin_sdk::{
    ChatResponse, Count, Error, ErrorKind, Finish, FinishReason, Opaque, Part, Reasoning, Response,
    Target, ToolCall, Usage, sse,
};
use serde_json::value::RawValue;

use crate::citations::Run;
use crate::error;
use crate::extra::Extra;
use crate::former;
use crate::stream::ChatStream;
use crate::wire::{self, Answer, ContentBlock, Counts, Message, items};

/// The mark that tells a block of thinking from a tool plan, kept where other vendors keep a
/// signature: both are reasoning to the caller, and each goes back where it came from.
pub(crate) const THINKING: &str = "thinking";

pub(crate) fn reply(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
    if let Some(frames) = sse::frames(&response.body) {
        // A server that streams whatever it is asked.
        return sse::answer::<ChatStream>(target, frames);
    }
    let unread = |error| error::told(&response.body).unwrap_or_else(|| unreadable(error));
    let answer: Answer<'_> = serde_json::from_str(&response.body).map_err(unread)?;
    let failed = || failed(answer.finish_reason.as_deref());
    if let Some(failure) = error::inside(&answer).or_else(failed) {
        return Err(failure);
    }
    let message: Message<'_> = match answer.message {
        Some(message) => serde_json::from_str(message.get()).map_err(unreadable)?,
        None => {
            let former = Json::parse(&response.body).ok();
            if let Some(former) = former.as_ref().and_then(former::answered) {
                return Err(former);
            }
            return Err(error::told(&response.body)
                .unwrap_or_else(|| Error::malformed("the reply has no message")));
        }
    };
    let content = parts(&message).map_err(unreadable)?;
    let has_calls = content.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let usage = billed(answer.usage.as_ref(), !content.is_empty());
    let mut extra = Extra::default();
    extra.answer(&Json::parse(&response.body).unwrap_or_default());
    Ok(ChatResponse {
        id: answer.id.filter(|id| !id.is_empty()),
        model: model(target),
        content,
        finish: finish(answer.finish_reason, has_calls),
        usage,
        extra: extra.text(),
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
    let mut run = Run::default();
    for (index, raw) in (0..).zip(blocks(message)?) {
        let block = block(raw)?;
        if !matches!(parts.last(), Some(Part::Text(_))) {
            run.end();
        }
        run.block(index);
        run.text(
            block
                .text
                .as_deref()
                .filter(|_| says(&block))
                .unwrap_or_default(),
        );
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
            Some(kind) => parts.push(Part::Opaque(foreign(kind, raw))),
        }
    }
    cite(&mut parts, &run, message);
    let plan = message.tool_plan.clone().unwrap_or_default();
    parts.extend(reasoning(plan, None));
    if let Some(calls) = message.tool_calls {
        let calls = items(calls)?.into_iter().map(tool_call);
        // A call without a name is none.
        let named = calls.filter(|call| !call.name.is_empty());
        parts.extend(named.map(Part::ToolCall));
    }
    Ok(parts)
}

/// Whether a block is one of text.
fn says(block: &ContentBlock) -> bool {
    matches!(block.kind.as_deref(), None | Some("text"))
}

/// Puts the citations to the last text, which is by rule the only one.
fn cite(parts: &mut [Part], run: &Run, message: &Message<'_>) {
    let list = message.citations.map_or("", |list| list.get());
    let list = Json::parse(list).unwrap_or_default();
    let cited = list.list().iter().flat_map(|one| run.citations(one));
    let texts = parts.iter_mut().rev().find_map(|part| match part {
        Part::Text(text) => Some(text),
        _ => None,
    });
    if let Some(text) = texts {
        text.citations.extend(cited);
    }
}

/// A block of a kind that is not known here, as it came.
pub(crate) fn foreign(kind: &str, raw: &RawValue) -> Opaque {
    Opaque {
        kind: kind.to_owned(),
        data: raw.get().to_owned(),
    }
}

/// The content blocks: of a list, of a lone block, of a mere string.
pub(crate) fn blocks<'a>(message: &Message<'a>) -> serde_json::Result<Vec<&'a RawValue>> {
    match message.content {
        None => Ok(vec![]),
        Some(content) => items(content),
    }
}

/// A block; a mere string is one of text or thoughts.
pub(crate) fn block(raw: &RawValue) -> serde_json::Result<ContentBlock> {
    if !raw.get().starts_with('"') {
        return serde_json::from_str(raw.get());
    }
    Ok(ContentBlock {
        kind: None,
        text: serde_json::from_str(raw.get())?,
        thinking: None,
    })
}

fn reasoning(text: String, signature: Option<&str>) -> Option<Part> {
    (!text.is_empty()).then(|| {
        Part::Reasoning(Reasoning {
            text,
            signature: signature.map(str::to_owned),
            ..Reasoning::default()
        })
    })
}

/// Text that follows text belongs to it, as in a stream.
fn say(parts: &mut Vec<Part>, text: String) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(last)) => last.text.push_str(&text),
        _ => parts.push(Part::text(text)),
    }
}

fn tool_call(call: wire::ToolCall<'_>) -> ToolCall {
    let function = call.function.unwrap_or_default();
    ToolCall::received(call.id, function.name, function.arguments)
}

/// The failure that an end of an answer stands for, if it does, although nothing else says so.
pub(crate) fn failed(raw: Option<&str>) -> Option<Error> {
    let (kind, raw) = match raw? {
        raw if raw.eq_ignore_ascii_case("ERROR") => (ErrorKind::Server, raw),
        raw if raw.eq_ignore_ascii_case("TIMEOUT") => (ErrorKind::Timeout, raw),
        _ => return None,
    };
    let message = format!("the vendor could not finish the answer: {raw}");
    Some(Error {
        retryable: true,
        ..Error::new(kind, message).with_code(Some(raw))
    })
}

pub(crate) fn finish(raw: Option<String>, has_calls: bool) -> Finish {
    let raw = raw.filter(|reason| !reason.is_empty());
    let reason = match raw.as_deref().map(str::to_ascii_uppercase).as_deref() {
        None | Some("COMPLETE" | "STOP_SEQUENCE") => FinishReason::Stop,
        Some("MAX_TOKENS" | "ERROR_LIMIT" | "LENGTH" | "MODEL_CONTEXT_WINDOW_EXCEEDED") => {
            FinishReason::Length
        }
        Some("TOOL_CALL") if has_calls => FinishReason::ToolCalls,
        Some("TOOL_CALL" | "STOP") => FinishReason::Stop,
        Some("ERROR_TOXIC" | "CONTENT_FILTER" | "SENSITIVE" | "REFUSAL") => {
            FinishReason::ContentFilter
        }
        Some(_) => FinishReason::Other,
    };
    Finish {
        reason: finish_reason(reason, has_calls),
        raw,
    }
}

/// The counts. No prompt has no tokens, and nothing that was `said` either: then nobody counted.
pub(crate) fn usage(counts: Option<&Counts>, said: bool) -> Usage {
    let tokens = counts.and_then(|counts| counts.tokens.as_ref());
    let input = tokens.and_then(|tokens| tokens.input_tokens);
    let output = tokens.and_then(|tokens| tokens.output_tokens);
    if input.unwrap_or(0) == 0 && output.unwrap_or(0) == 0 {
        return Usage::UNKNOWN;
    }
    Usage {
        prompt_tokens: input.filter(|input| *input > 0),
        completion_tokens: output.filter(|output| *output > 0 || !said),
        cached_tokens: counts.and_then(|counts| counts.cached_tokens),
        reasoning_tokens: tokens.and_then(|tokens| tokens.reasoning_tokens),
        ..Usage::UNKNOWN
    }
}

/// The same with what is billed: tokens where they are not those that were counted, and what is
/// beside tokens. Nothing billed says no more than nothing counted.
pub(crate) fn billed(counts: Option<&Counts>, said: bool) -> Usage {
    let mut usage = usage(counts, said);
    let Some(billed) = counts.and_then(|counts| counts.billed_units.as_ref()) else {
        return usage;
    };
    let counted = self::usage(counts, true);
    let paid = billed
        .input_tokens
        .zip(billed.output_tokens)
        .filter(|paid| *paid != (0, 0))
        .filter(|paid| Some(*paid) != counted.prompt_tokens.zip(counted.completion_tokens));
    if let Some((input, output)) = paid {
        for (name, value) in [
            ("billed-input-tokens", input),
            ("billed-output-tokens", output),
        ] {
            let name = name.to_owned();
            usage.details.push(Count { name, value });
        }
    }
    for (count, name) in [
        (billed.search_units, "search-units"),
        (billed.classifications, "classifications"),
    ] {
        usage.count(name, count.unwrap_or(0));
    }
    usage
}

#[cfg(test)]
mod tests;
