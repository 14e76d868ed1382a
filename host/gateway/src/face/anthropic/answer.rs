//! Whole answers, and what they have in common with the pieces of streamed ones.

use multillm::chat::{ChatResponse, FinishReason, Json, Part, ReasoningPart, ToolCall, Usage};
use serde_json::{Map, Value, json};

use super::super::asked::Reply;
use super::super::framing::put;
use super::super::{calls, framing, mark};
use super::{WIRE, citation};

/// The body of a whole answer.
pub(in super::super) fn whole(reply: &Reply, answer: &ChatResponse) -> Vec<u8> {
    let mut blocks: Vec<Json> = vec![];
    let mut place = 0;
    for part in &answer.parts {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) => {
                let mut block = json!({ "type": "text", "text": text.text });
                if !text.citations.is_empty() {
                    let cited = text.citations.iter().map(citation::written);
                    put(&mut block, "citations", Value::Array(cited.collect()));
                }
                blocks.push(block.into());
            }
            Part::Reasoning(thought) => blocks.push(thinking(thought, &answer.plugin).into()),
            Part::ToolCall(call) => {
                blocks.push(tool_use(reply, call, place, &answer.plugin));
                place += 1;
            }
            Part::ServerToolCall(call) => blocks.extend(native(&call.data)),
            Part::ServerToolResult(result) => blocks.extend(native(&result.data)),
            Part::Opaque(block) => blocks.extend(native(&block.data)),
            // The wire has no place for pictures in answers, and its clients break off at blocks that they do not know.
            Part::Media(_) | Part::ToolResult(_) => {}
        }
    }
    let (reason, sequence) = stop(answer);
    let mut body = multillm::chat::JsonObject::new();
    body.insert("id", id(reply));
    body.insert("type", "message");
    body.insert("role", "assistant");
    body.insert("model", reply.model.as_str());
    body.insert("content", list(&blocks));
    body.insert("stop_reason", reason);
    body.insert("stop_sequence", sequence);
    body.insert("usage", usage(answer));
    if let Some(own) = answer.extra.get(WIRE) {
        body.complete(own);
    }
    framing::body(&body)
}

fn list(blocks: &[Json]) -> Json {
    let texts: Vec<&str> = blocks.iter().map(Json::as_str).collect();
    Json::parse(&format!("[{}]", texts.join(","))).unwrap_or_default()
}

pub(super) fn id(reply: &Reply) -> String {
    format!("msg_{}", reply.stamp.id)
}

/// Thoughts. Their signature says which plugin wants them back, even where it signs nothing.
pub(super) fn thinking(thought: &ReasoningPart, plugin: &str) -> Value {
    match &thought.redacted {
        Some(data) => json!({ "type": "redacted_thinking", "data": mark::signed(plugin, data) }),
        None => {
            let signature = thought.signature.as_deref().unwrap_or_default();
            json!({
                "type": "thinking",
                "thinking": thought.text,
                "signature": mark::signed(plugin, signature),
            })
        }
    }
}

/// What a call is, but for its input.
pub(super) fn call_head(
    reply: &Reply,
    call: &ToolCall,
    place: usize,
    plugin: &str,
) -> Map<String, Value> {
    let given = (!call.local).then_some(call.id.as_str());
    // Who calls, where the vendor says it of a call, is a member of the block.
    let signed = call.signature.as_deref();
    let caller = signed.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let caller = caller
        .filter(|caller| caller.contains_key("caller") || caller.contains_key("toolset_name"));
    let signature = signed.filter(|_| caller.is_none());
    let mut head = Map::new();
    head.insert("type".into(), "tool_use".into());
    let id = calls::id(given, place, &reply.stamp.id, plugin, signature);
    head.insert("id".into(), id.into());
    head.insert("name".into(), call.name.as_str().into());
    for name in ["caller", "toolset_name"] {
        let value = caller.as_ref().and_then(|caller| caller.get(name));
        head.extend(value.map(|value| (name.to_owned(), value.clone())));
    }
    for (name, value) in call.extra.get(WIRE).into_iter().flatten() {
        if let Ok(value) = value.to_value() {
            head.entry(name.clone()).or_insert(value);
        }
    }
    head
}

fn tool_use(reply: &Reply, call: &ToolCall, place: usize, plugin: &str) -> Json {
    let head = call_head(reply, call, place, plugin);
    let mut block: multillm::chat::JsonObject = head.into();
    let free = calls::is_free(&reply.form, call);
    block.insert(
        "input",
        match free {
            true => json!({ RAW: call.arguments }).into(),
            false => input(&call.arguments),
        },
    );
    block.into()
}

/// The member of an input that holds what is no object.
pub(super) const RAW: &str = "_raw";

/// Arguments as the object that this wire wants. What is none (of a call that was cut off, or free text) is kept
/// under a name of its own.
fn input(arguments: &str) -> Json {
    match Json::parse(calls::arguments(arguments)) {
        Ok(object) if object.is_object() => object,
        _ => json!({ RAW: arguments }).into(),
    }
}

/// A block that came by this wire; nothing for one of another.
pub(super) fn native(data: &str) -> Option<Json> {
    let block = Json::parse(data).ok()?;
    let members = block.to_object()?;
    let kind = members.get("type")?.to_value().ok()?;
    let kind = kind.as_str()?;
    let known = match kind {
        "server_tool_use" | "mcp_tool_use" | "container_upload" => true,
        // OpenAI's Responses have one of this name.
        "compaction" => members.get("encrypted_content").is_none(),
        _ => kind.ends_with("_tool_result"),
    };
    known.then_some(block)
}

/// Why the model stopped, in this wire's words, and the sequence that stopped it.
pub(super) fn stop(answer: &ChatResponse) -> (&str, Option<String>) {
    const WORDS: [&str; 7] = [
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
    ];
    let own = answer
        .extra
        .get(WIRE)
        .and_then(|own| own.get("stop_sequence"));
    let sequence = own.and_then(|own| own.to_value().ok()?.as_str().map(str::to_owned));
    let raw = answer.raw_finish_reason.as_deref();
    let word = match (answer.finish_reason, raw) {
        (FinishReason::ToolCalls, _) => "tool_use",
        (_, Some(raw)) if WORDS.contains(&raw) => raw,
        (FinishReason::Stop, _) if sequence.is_some() => "stop_sequence",
        (FinishReason::Stop | FinishReason::Other, _) => "end_turn",
        (FinishReason::Length, _) => "max_tokens",
        (FinishReason::ContentFilter, _) => "refusal",
        (FinishReason::Error, _) => "error",
    };
    (word, sequence)
}

/// The counts. What was read from and written to a cache stands beside the input here. Clients of this wire break off
/// where a count is no number: what nobody told is 0, the one place where it is.
pub(super) fn usage(answer: &ChatResponse) -> Value {
    let Usage {
        prompt_tokens,
        completion_tokens,
        cached_tokens,
        cache_write_tokens,
        reasoning_tokens,
        ..
    } = answer.usage;
    let kept = cached_tokens
        .unwrap_or(0)
        .saturating_add(cache_write_tokens.unwrap_or(0));
    let mut usage = json!({
        "input_tokens": prompt_tokens.unwrap_or(0).saturating_sub(kept),
        "output_tokens": completion_tokens.unwrap_or(0),
    });
    if let Some(cached) = cached_tokens {
        put(&mut usage, "cache_read_input_tokens", cached);
    }
    if let Some(written) = cache_write_tokens {
        put(&mut usage, "cache_creation_input_tokens", written);
    }
    if let Some(thought) = reasoning_tokens {
        put(
            &mut usage,
            "output_tokens_details",
            json!({ "thinking_tokens": thought }),
        );
    }
    if let Some(tier) = &answer.billing.tier {
        put(&mut usage, "service_tier", tier.as_str());
    }
    usage
}
