//! Whole answers, and what they have in common with the pieces of streamed ones.

use multillm::chat::{
    ChatResponse, Citation, CitationSource, FinishReason, Json, JsonObject, MediaPart, Part,
    ToolCall, Usage,
};
use serde_json::{Value, json};

use super::super::asked::Reply;
use super::super::framing::put;
use super::super::{calls, framing, mark, media};
use super::WIRE;

/// The body of a whole answer.
pub(in super::super) fn whole(reply: &Reply, answer: &ChatResponse) -> Vec<u8> {
    let mut parts = vec![];
    let mut cited = vec![];
    for part in &answer.parts {
        match part {
            Part::Text(text) => {
                cited.extend(text.citations.iter().filter_map(source));
                parts.push(said(
                    &text.text,
                    false,
                    text.signature.as_deref(),
                    &answer.plugin,
                ));
            }
            Part::Reasoning(thought) if thought.text.is_empty() && thought.signature.is_none() => {}
            Part::Reasoning(thought) => {
                parts.push(said(
                    &thought.text,
                    true,
                    thought.signature.as_deref(),
                    &answer.plugin,
                ));
            }
            Part::ToolCall(call) => parts.push(called(call, &answer.plugin)),
            Part::Media(media) => parts.extend(picture(media)),
            Part::Opaque(block) => parts.extend(native(&block.data)),
            Part::ServerToolCall(call) => parts.extend(native(&call.data)),
            Part::ServerToolResult(result) => parts.extend(native(&result.data)),
            Part::ToolResult(_) => {}
        }
    }
    framing::body(&response(reply, parts, &cited, Some(answer)))
}

/// The answer with these parts; `answer` where it is complete.
pub(super) fn response(
    reply: &Reply,
    parts: Vec<Json>,
    cited: &[Value],
    answer: Option<&ChatResponse>,
) -> JsonObject {
    let parts: Vec<&str> = parts.iter().map(Json::as_str).collect();
    let mut content = JsonObject::new();
    content.insert("role", "model");
    content.insert(
        "parts",
        Json::parse(&format!("[{}]", parts.join(","))).unwrap_or_default(),
    );
    let mut candidate = JsonObject::new();
    candidate.insert("content", content);
    if let Some(answer) = answer {
        candidate.insert("finishReason", finish(answer));
    }
    candidate.insert("index", 0);
    if !cited.is_empty() {
        candidate.insert("groundingMetadata", json!({ "groundingChunks": cited }));
    }
    let candidate = Json::from(candidate);
    let mut told = JsonObject::new();
    told.insert(
        "candidates",
        Json::parse(&format!("[{candidate}]")).unwrap_or_default(),
    );
    if let Some(answer) = answer {
        told.insert("usageMetadata", usage(&answer.usage));
    }
    told.insert("modelVersion", reply.model.as_str());
    told.insert("responseId", reply.stamp.id.as_str());
    if let Some(own) = answer.and_then(|answer| answer.extra.get(WIRE)) {
        told.complete(own);
    }
    told
}

/// Text or a thought.
pub(super) fn said(text: &str, thought: bool, signature: Option<&str>, plugin: &str) -> Json {
    let mut part = json!({ "text": text });
    if thought {
        put(&mut part, "thought", true);
    }
    if let Some(signature) = signature {
        put(
            &mut part,
            "thoughtSignature",
            mark::packed(plugin, signature),
        );
    }
    part.into()
}

/// A call. Its id is told where the vendor gave one.
pub(super) fn called(call: &ToolCall, plugin: &str) -> Json {
    let arguments = match Json::parse(calls::arguments(&call.arguments)) {
        Ok(object) if object.is_object() => object,
        _ => json!({ "_raw": call.arguments }).into(),
    };
    let mut function = JsonObject::new();
    if !call.local {
        function.insert("id", call.id.as_str());
    }
    function.insert("name", call.name.as_str());
    function.insert("args", arguments);
    let mut part = JsonObject::new();
    part.insert("functionCall", function);
    if let Some(signature) = &call.signature {
        part.insert("thoughtSignature", mark::packed(plugin, signature));
    }
    part.into()
}

/// A picture or recording that the model made.
pub(super) fn picture(media: &MediaPart) -> Option<Json> {
    let (kind, data) = media::base64(media)?;
    Some(json!({ "inlineData": { "mimeType": kind, "data": data } }).into())
}

/// A part that came by this wire; nothing for a block of another.
pub(super) fn native(data: &str) -> Option<Json> {
    let block = Json::parse(data).ok()?;
    let members = block.to_object()?;
    let known = [
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse",
    ];
    known
        .iter()
        .any(|name| members.get(name).is_some())
        .then_some(block)
}

/// What is cited, as a chunk of grounding.
pub(super) fn source(citation: &Citation) -> Option<Value> {
    let title = citation.title.as_deref().unwrap_or_default();
    match &citation.source {
        Some(CitationSource::Url(url)) => Some(json!({ "web": { "uri": url, "title": title } })),
        Some(CitationSource::Document(name) | CitationSource::File(name)) => {
            Some(json!({ "retrievedContext": { "uri": name, "title": title } }))
        }
        None => None,
    }
}

fn finish(answer: &ChatResponse) -> &str {
    const OWN: [&str; 8] = [
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MALFORMED_FUNCTION_CALL",
        "IMAGE_SAFETY",
        "UNEXPECTED_TOOL_CALL",
    ];
    match (answer.finish_reason, answer.raw_finish_reason.as_deref()) {
        (_, Some(raw)) if OWN.contains(&raw) => raw,
        (FinishReason::Stop | FinishReason::ToolCalls, _) => "STOP",
        (FinishReason::Length, _) => "MAX_TOKENS",
        (FinishReason::ContentFilter, _) => "SAFETY",
        (FinishReason::Error | FinishReason::Other, _) => "OTHER",
    }
}

/// The counts: thoughts stand beside the answer here.
pub(super) fn usage(usage: &Usage) -> Value {
    let mut told = json!({});
    let mut count = |name: &str, count: Option<u64>| {
        if let Some(count) = count {
            put(&mut told, name, count);
        }
    };
    let thought = usage.reasoning_tokens;
    count("promptTokenCount", usage.prompt_tokens);
    let answer = usage.completion_tokens;
    count(
        "candidatesTokenCount",
        answer.map(|all| all.saturating_sub(thought.unwrap_or(0))),
    );
    count("totalTokenCount", usage.total());
    count("cachedContentTokenCount", usage.cached_tokens);
    count("thoughtsTokenCount", thought);
    told
}
