//! Whole answers, and what they have in common with the pieces of streamed ones.

use multillm::chat::{
    ChatResponse, Citation, CitationSource, FinishReason, JsonObject, Part, ToolCall, Usage,
};
use serde_json::{Map, Value, json};

use super::super::asked::Reply;
use super::super::framing::put;
use super::super::{calls, framing};
use super::WIRE;

/// The body of a whole answer.
pub(in super::super) fn whole(reply: &Reply, answer: &ChatResponse) -> Vec<u8> {
    let (mut content, mut tools, mut cited) = (vec![], vec![], vec![]);
    for part in &answer.parts {
        match part {
            Part::Text(text) => {
                cited.extend(
                    text.citations
                        .iter()
                        .map(|one| citation(one, content.len())),
                );
                content.push(json!({ "type": "text", "text": text.text }));
            }
            Part::Reasoning(thought) if !thought.text.is_empty() => {
                content.push(json!({ "type": "thinking", "thinking": thought.text }));
            }
            Part::ToolCall(call) => tools.push(called(reply, call, tools.len(), &answer.plugin)),
            _ => {}
        }
    }
    let mut message = json!({ "role": "assistant" });
    if !content.is_empty() || tools.is_empty() {
        put(&mut message, "content", Value::Array(content));
    }
    if !tools.is_empty() {
        put(&mut message, "tool_calls", Value::Array(tools));
    }
    if !cited.is_empty() {
        put(&mut message, "citations", Value::Array(cited));
    }
    let mut told = JsonObject::new();
    told.insert("id", reply.stamp.id.as_str());
    told.insert("message", message);
    told.insert("finish_reason", finish(answer.finish_reason));
    told.insert("usage", usage(&answer.usage));
    if let Some(own) = answer.extra.get(WIRE) {
        told.complete(own);
    }
    framing::body(&told)
}

/// A call, whose arguments are a text here.
pub(super) fn called(reply: &Reply, call: &ToolCall, place: usize, plugin: &str) -> Value {
    let given = (!call.local).then_some(call.id.as_str());
    let id = calls::id(
        given,
        place,
        &reply.stamp.id,
        plugin,
        call.signature.as_deref(),
    );
    json!({ "id": id, "type": "function",
        "function": { "name": call.name, "arguments": calls::arguments(&call.arguments) } })
}

/// A citation, with its place in a part of the content.
pub(super) fn citation(citation: &Citation, part: usize) -> Value {
    let title = citation.title.as_deref().unwrap_or_default();
    let source = match &citation.source {
        Some(CitationSource::Url(url)) => {
            json!({ "type": "document", "id": url, "document": { "url": url, "title": title } })
        }
        Some(CitationSource::Document(id) | CitationSource::File(id)) => {
            json!({ "type": "document", "id": id, "document": { "id": id, "title": title } })
        }
        None => json!({ "type": "document", "id": "", "document": { "title": title } }),
    };
    json!({
        "start": citation.start.unwrap_or(0),
        "end": citation.end.unwrap_or(0),
        "text": citation.cited_text.as_deref().unwrap_or_default(),
        "sources": [source],
        "type": "TEXT_CONTENT",
        "content_index": part,
    })
}

pub(super) fn finish(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ToolCalls => "TOOL_CALL",
        FinishReason::Error | FinishReason::ContentFilter => "ERROR",
        FinishReason::Stop | FinishReason::Other => "COMPLETE",
    }
}

pub(super) fn usage(usage: &Usage) -> Value {
    let sides = [
        ("input_tokens", usage.prompt_tokens),
        ("output_tokens", usage.completion_tokens),
    ];
    let known = sides
        .into_iter()
        .filter_map(|(name, count)| Some((name.to_owned(), count?.into())));
    let tokens: Map<String, Value> = known.collect();
    let mut told = json!({ "billed_units": tokens, "tokens": tokens });
    if let Some(cached) = usage.cached_tokens {
        put(&mut told, "cached_tokens", cached);
    }
    told
}
