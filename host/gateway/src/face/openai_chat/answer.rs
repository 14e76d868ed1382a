//! Whole answers, and what they have in common with the pieces of streamed ones.

use multillm::chat::{
    ChatResponse, Citation, CitationSource, FinishReason, MediaPart, OpaquePart, Part,
    ReasoningPart, ToolCall, Usage,
};
use serde_json::{Map, Value, json};

use super::super::asked::{Form, Reply};
use super::super::framing::put;
use super::super::{calls, framing, mark, media};
use super::WIRE;

/// The body of a whole answer.
pub(in super::super) fn whole(reply: &Reply, answer: &ChatResponse) -> Vec<u8> {
    let mut choice = Map::new();
    choice.insert("index".into(), 0.into());
    choice.insert("message".into(), message(reply, answer));
    choice.insert("logprobs".into(), Value::Null);
    choice.insert(
        "finish_reason".into(),
        finish(&reply.form, answer.finish_reason).into(),
    );
    native(&mut choice, answer);
    let mut body = json!({
        "id": id(reply),
        "object": "chat.completion",
        "created": reply.stamp.created,
        "model": reply.model,
        "choices": [choice],
    });
    if let Value::Object(body) = &mut body {
        if let Some(usage) = usage(&answer.usage) {
            body.insert("usage".into(), usage);
        }
        beyond(body, answer);
    }
    framing::body(&body)
}

pub(super) fn id(reply: &Reply) -> String {
    format!("chatcmpl-{}", reply.stamp.id)
}

/// What the vendor said of the answer beyond the unified form, where it speaks this wire.
pub(super) fn beyond(body: &mut Map<String, Value>, answer: &ChatResponse) {
    if let Some(tier) = &answer.billing.tier {
        body.insert("service_tier".into(), tier.as_str().into());
    }
    for (name, value) in answer.extra.get(WIRE).into_iter().flatten() {
        if let (false, Ok(value)) = (body.contains_key(name), value.to_value()) {
            body.insert(name.clone(), value);
        }
    }
}

/// The vendor's own word for the end, where ours is not it.
pub(super) fn native(choice: &mut Map<String, Value>, answer: &ChatResponse) {
    let raw = answer.raw_finish_reason.as_deref();
    let told = choice.get("finish_reason").and_then(Value::as_str);
    if let Some(raw) = raw.filter(|raw| told != Some(raw)) {
        choice.insert("native_finish_reason".into(), raw.into());
    }
}

fn message(reply: &Reply, answer: &ChatResponse) -> Value {
    let mut text = String::new();
    let mut thoughts = String::new();
    let (mut details, mut annotations, mut citations) = (vec![], vec![], vec![]);
    let (mut tools, mut pictures, mut old) = (vec![], vec![], None);
    let mut more = Map::new();
    for part in &answer.parts {
        match part {
            Part::Text(part) => {
                let offset = text.chars().count();
                for citation in &part.citations {
                    match annotation(citation, offset) {
                        Some(annotation) => annotations.push(annotation),
                        None => citations.push(serde_json::to_value(citation).unwrap_or_default()),
                    }
                }
                text.push_str(&part.text);
            }
            Part::Reasoning(thought) => {
                thoughts.push_str(&thought.text);
                details.extend(detail(thought, &answer.plugin, details.len()));
            }
            Part::ToolCall(call) if reply.form.functions => {
                old.get_or_insert_with(
                    || json!({ "name": call.name, "arguments": calls::arguments(&call.arguments) }),
                );
            }
            Part::ToolCall(call) => tools.push(called(reply, call, tools.len(), &answer.plugin)),
            Part::Media(one) => match sound(reply, one) {
                Some(sound) => drop(more.insert("audio".into(), sound)),
                None => pictures.extend(media::picture(one)),
            },
            Part::Opaque(block) => own(block, &mut more, &mut pictures),
            Part::ToolResult(_) | Part::ServerToolCall(_) | Part::ServerToolResult(_) => {}
        }
    }
    let silent =
        text.is_empty() && !(tools.is_empty() && old.is_none() && !more.contains_key("audio"));
    let mut message = json!({ "role": "assistant", "content": text, "refusal": null });
    let Value::Object(members) = &mut message else {
        return message;
    };
    if silent {
        members.insert("content".into(), Value::Null);
    }
    let mut list = |name: &str, values: Vec<Value>| {
        if !values.is_empty() {
            members.insert(name.into(), Value::Array(values));
        }
    };
    list("tool_calls", tools);
    list("annotations", annotations);
    list("citations", citations);
    list("images", pictures);
    list("reasoning_details", details);
    if !thoughts.is_empty() {
        members.insert("reasoning_content".into(), thoughts.into());
    }
    if let Some(old) = old {
        members.insert("function_call".into(), old);
    }
    members.extend(more);
    message
}

/// A block of a compatible server's own that has a place in a message.
fn own(block: &OpaquePart, more: &mut Map<String, Value>, pictures: &mut Vec<Value>) {
    let data = || serde_json::from_str::<Value>(&block.data).ok();
    match block.kind.as_str() {
        "reasoning_details" | "audio" => {
            more.extend(data().map(|data| (block.kind.clone(), data)));
        }
        "image_url" => pictures.extend(data()),
        _ => {}
    }
}

/// A call in the form of this wire.
fn called(reply: &Reply, call: &ToolCall, place: usize, plugin: &str) -> Value {
    let given = (!call.local).then_some(call.id.as_str());
    let free = calls::is_free(&reply.form, call);
    let signature = call.signature.as_deref().filter(|_| !free);
    let id = calls::id(given, place, &reply.stamp.id, plugin, signature);
    match free {
        true => {
            json!({ "id": id, "type": "custom", "custom": { "name": call.name, "input": call.arguments } })
        }
        false => json!({ "id": id, "type": "function", "function": {
            "name": call.name, "arguments": calls::arguments(&call.arguments) } }),
    }
}

/// Signed or encrypted thoughts, so that they can be sent back.
pub(super) fn detail(thought: &ReasoningPart, plugin: &str, index: usize) -> Option<Value> {
    if let Some(data) = &thought.redacted {
        let data = mark::signed(plugin, data);
        return Some(json!({ "type": "reasoning.encrypted", "data": data, "index": index }));
    }
    let signature = mark::signed(plugin, thought.signature.as_deref()?);
    Some(
        json!({ "type": "reasoning.text", "text": thought.text, "signature": signature, "index": index }),
    )
}

/// A citation of a page; this wire knows no others.
pub(super) fn annotation(citation: &Citation, offset: usize) -> Option<Value> {
    let Some(CitationSource::Url(url)) = &citation.source else {
        return None;
    };
    let place = |at: Option<u32>| at.map_or(0, |at| offset + at as usize);
    Some(json!({ "type": "url_citation", "url_citation": {
        "url": url,
        "title": citation.title.as_deref().unwrap_or_default(),
        "start_index": place(citation.start),
        "end_index": place(citation.end),
    }}))
}

/// A recording, as this wire answers with one.
pub(super) fn sound(reply: &Reply, media: &MediaPart) -> Option<Value> {
    let (media_type, data) = media::base64(media)?;
    media_type.starts_with("audio/").then(|| {
        json!({
            "id": format!("audio_{}", reply.stamp.id),
            "data": data,
            "transcript": "",
            "expires_at": reply.stamp.created,
        })
    })
}

/// Why the model stopped. `error` is no word of OpenAI's: a reader that is strict fails on it, and rightly.
pub(super) fn finish(form: &Form, reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::Other => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls if form.functions => "function_call",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
        FinishReason::Error => "error",
    }
}

/// The counts; nothing where the vendor did not count both sides, for this wire has no word for unknown.
pub(super) fn usage(usage: &Usage) -> Option<Value> {
    let (prompt, completion) = (usage.prompt_tokens?, usage.completion_tokens?);
    let mut told = json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": usage.total().unwrap_or(prompt.saturating_add(completion)),
    });
    let details = |counts: [(&str, Option<u64>); 2]| -> Option<Value> {
        let known = counts
            .into_iter()
            .filter_map(|(name, count)| Some((name.to_owned(), count?.into())));
        let known: Map<String, Value> = known.collect();
        (!known.is_empty()).then_some(Value::Object(known))
    };
    let read = [
        ("cached_tokens", usage.cached_tokens),
        ("cache_write_tokens", usage.cache_write_tokens),
    ];
    if let Some(details) = details(read) {
        put(&mut told, "prompt_tokens_details", details);
    }
    if let Some(details) = details([("reasoning_tokens", usage.reasoning_tokens), ("", None)]) {
        put(&mut told, "completion_tokens_details", details);
    }
    Some(told)
}
