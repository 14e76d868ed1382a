//! Whole answers, and what they have in common with the pieces of streamed ones.

use multillm::chat::{
    ChatResponse, Citation, CitationSource, FinishReason, Json, JsonObject, MediaPart, Part,
    ReasoningPart, TextPart, ToolCall, Usage,
};
use serde_json::{Map, Value, json};

use super::super::asked::Reply;
use super::super::{calls, framing, mark, media};
use super::WIRE;
use super::input::HIDDEN;

/// The body of a whole answer.
pub(in super::super) fn whole(reply: &Reply, answer: &ChatResponse) -> Vec<u8> {
    let mut items = Items::new(reply, &answer.plugin);
    for part in &answer.parts {
        items.part(part);
    }
    framing::body(&response(reply, Some(answer), &items.done()))
}

/// The items of an answer.
struct Items<'r> {
    reply: &'r Reply,
    plugin: &'r str,
    list: Vec<Json>,
    /// The pieces of a message under way.
    pieces: Vec<Value>,
    calls: usize,
}

impl<'r> Items<'r> {
    fn new(reply: &'r Reply, plugin: &'r str) -> Self {
        Items {
            reply,
            plugin,
            list: vec![],
            pieces: vec![],
            calls: 0,
        }
    }

    fn done(mut self) -> Vec<Json> {
        self.end();
        self.list
    }

    fn end(&mut self) {
        if !self.pieces.is_empty() {
            let id = item_id(self.reply, "msg", self.list.len());
            let pieces = std::mem::take(&mut self.pieces);
            self.list.push(message(&id, "completed", &pieces).into());
        }
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text(text) if text.text.is_empty() => return,
            Part::Text(text) => return self.pieces.push(piece(text)),
            _ => self.end(),
        }
        let place = self.list.len();
        match part {
            Part::Reasoning(thought) => {
                let id = item_id(self.reply, "rs", place);
                self.list.push(reasoning(&id, thought, self.plugin));
            }
            Part::ToolCall(call) => {
                let head = Call::of(self.reply, call, self.calls, place, self.plugin);
                self.calls += 1;
                self.list.push(head.item("completed", &call.arguments));
            }
            Part::ServerToolCall(call) => self.list.extend(native(&call.data)),
            Part::Opaque(block) => self.list.extend(native(&block.data)),
            Part::Media(media) => {
                let id = item_id(self.reply, "ig", place);
                drawn(&mut self.list, &id, media);
            }
            Part::ServerToolResult(_) | Part::ToolResult(_) | Part::Text(_) => {}
        }
    }
}

/// The id of the answer.
pub(super) fn id(reply: &Reply) -> String {
    format!("resp_{}", reply.stamp.id)
}

/// Stands in ids of items that were made here: no vendor knows them, and none is told them.
pub(super) const OURS: &str = "_mlm";

/// The id of an item, which begins as those of its type do.
pub(super) fn item_id(reply: &Reply, kind: &str, place: usize) -> String {
    format!("{kind}{OURS}{}_{place}", reply.stamp.id)
}

/// The answer as an object: while it is made without what came of it.
pub(super) fn response(
    reply: &Reply,
    answer: Option<&ChatResponse>,
    output: &[Json],
) -> JsonObject {
    let mut told = JsonObject::new();
    told.insert("id", id(reply));
    told.insert("object", "response");
    told.insert("created_at", reply.stamp.created);
    let (status, why) = answer.map_or(("in_progress", None), ended);
    told.insert("status", status);
    told.insert(
        "error",
        match (status, answer) {
            ("failed", Some(answer)) => {
                let raw = answer.raw_finish_reason.as_deref().unwrap_or("an error");
                let message = format!("the model ended the answer with {raw}");
                json!({ "code": "server_error", "message": message })
            }
            _ => Value::Null,
        },
    );
    told.insert(
        "incomplete_details",
        why.map_or(Value::Null, |why| json!({ "reason": why })),
    );
    told.insert("model", reply.model.as_str());
    let items: Vec<&str> = output.iter().map(Json::as_str).collect();
    let items = Json::parse(&format!("[{}]", items.join(",")));
    told.insert("output", items.unwrap_or_default());
    told.insert("usage", answer.and_then(|answer| usage(&answer.usage)));
    for (name, value) in &reply.form.echo {
        // The tools may be long; the end says them once more.
        if answer.is_some() || name != "tools" {
            told.insert(name.clone(), value.clone());
        }
    }
    told.complete(&unsaid());
    if let Some(own) = answer.and_then(|answer| answer.extra.get(WIRE)) {
        told.complete(own);
    }
    told
}

/// What a response says of a request that said nothing of it.
fn unsaid() -> JsonObject {
    let unsaid = json!({
        "instructions": null,
        "metadata": {},
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": { "effort": null, "summary": null },
        "store": false,
        "temperature": null,
        "text": { "format": { "type": "text" } },
        "tool_choice": "auto",
        "tools": [],
        "top_p": null,
        "truncation": "disabled",
    });
    match unsaid {
        Value::Object(members) => members.into(),
        _ => JsonObject::new(),
    }
}

/// The status, and why the answer is incomplete.
pub(super) fn ended(answer: &ChatResponse) -> (&'static str, Option<&'static str>) {
    match answer.finish_reason {
        FinishReason::Length => ("incomplete", Some("max_output_tokens")),
        FinishReason::ContentFilter if answer.parts.iter().any(is_refusal) => ("completed", None),
        FinishReason::ContentFilter => ("incomplete", Some("content_filter")),
        FinishReason::Error => ("failed", None),
        FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other => ("completed", None),
    }
}

fn is_refusal(part: &Part) -> bool {
    let Part::Text(text) = part else {
        return false;
    };
    let own = text.extra.get(WIRE).and_then(|own| own.get("type"));
    own.is_some_and(|kind| kind.as_str() == r#""refusal""#)
}

/// A text as a piece of a message.
pub(super) fn piece(text: &TextPart) -> Value {
    if is_refusal(&Part::Text(text.clone())) {
        return json!({ "type": "refusal", "refusal": text.text });
    }
    let annotations: Vec<Value> = text.citations.iter().filter_map(annotation).collect();
    json!({ "type": "output_text", "text": text.text, "annotations": annotations, "logprobs": [] })
}

/// A citation of a page or a file; the wire knows no others.
pub(super) fn annotation(citation: &Citation) -> Option<Value> {
    let own = citation.extra.get(WIRE);
    if let Some(own) = own.and_then(|own| serde_json::to_value(own).ok()) {
        return Some(own);
    }
    let (start, end) = (citation.start.unwrap_or(0), citation.end.unwrap_or(0));
    let title = citation.title.as_deref().unwrap_or_default();
    match &citation.source {
        Some(CitationSource::Url(url)) => Some(json!({
            "type": "url_citation", "url": url, "title": title, "start_index": start, "end_index": end,
        })),
        Some(CitationSource::File(file)) => Some(json!({
            "type": "file_citation", "file_id": file, "filename": title, "index": start,
        })),
        Some(CitationSource::Document(document)) => Some(json!({
            "type": "file_citation", "file_id": document, "filename": title, "index": start,
        })),
        None => None,
    }
}

/// A message of the model.
pub(super) fn message(id: &str, status: &str, pieces: &[Value]) -> Value {
    json!({ "id": id, "type": "message", "status": status, "role": "assistant", "content": pieces })
}

/// Thoughts. What is encrypted says which plugin wants it back, even where nothing is.
pub(super) fn reasoning(id: &str, thought: &ReasoningPart, plugin: &str) -> Json {
    let encrypted = match (&thought.redacted, &thought.signature) {
        (Some(hidden), _) => mark::signed(plugin, &format!("{HIDDEN}{hidden}")),
        (None, Some(signature)) => mark::signed(plugin, signature),
        (None, None) => mark::signed(plugin, ""),
    };
    let summary = match thought.text.is_empty() {
        true => json!([]),
        false => json!([{ "type": "summary_text", "text": thought.text }]),
    };
    json!({ "id": id, "type": "reasoning", "summary": summary, "encrypted_content": encrypted })
        .into()
}

/// A call, without what it says.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) free: bool,
    call_id: String,
    pub(super) name: String,
    /// The members of the vendor's own.
    own: Map<String, Value>,
}

impl Call {
    /// `number` counts calls, `place` items.
    pub(super) fn of(
        reply: &Reply,
        call: &ToolCall,
        number: usize,
        place: usize,
        plugin: &str,
    ) -> Self {
        let free = calls::is_free(&reply.form, call);
        let given = (!call.local).then_some(call.id.as_str());
        let signature = call.signature.as_deref().filter(|_| !free);
        let mut own = Map::new();
        for (name, value) in call.extra.get(WIRE).into_iter().flatten() {
            if let (false, Ok(value)) = (name == "id" || name == "status", value.to_value()) {
                own.insert(name.clone(), value);
            }
        }
        let namespaces = &mut reply.form.namespaces.iter();
        if let Some((_, namespace)) = namespaces.find(|(known, _)| *known == call.name) {
            own.insert("namespace".to_owned(), namespace.clone().into());
        }
        Call {
            id: item_id(reply, if free { "ctc" } else { "fc" }, place),
            free,
            call_id: calls::id(given, number, &reply.stamp.id, plugin, signature),
            name: call.name.clone(),
            own,
        }
    }

    /// The item, with what was said so far.
    pub(super) fn item(&self, status: &str, said: &str) -> Json {
        let mut item = match self.free {
            true => json!({ "id": self.id, "type": "custom_tool_call", "call_id": self.call_id,
                "name": self.name, "input": said, "status": status }),
            false => {
                let said = if status == "completed" {
                    calls::arguments(said)
                } else {
                    said
                };
                json!({ "id": self.id, "type": "function_call", "call_id": self.call_id,
                    "name": self.name, "arguments": said, "status": status })
            }
        };
        if let Value::Object(members) = &mut item {
            for (name, value) in &self.own {
                members.entry(name.clone()).or_insert(value.clone());
            }
        }
        item.into()
    }
}

/// An item that came by this wire; nothing for a block of another.
pub(super) fn native(data: &str) -> Option<Json> {
    let block = Json::parse(data).ok()?;
    let members = block.to_object()?;
    let kind = members.get("type")?.to_value().ok()?;
    let kind = kind.as_str()?;
    let known = match kind {
        "message" | "reasoning" | "tool_search_output" | "mcp_list_tools" => true,
        // Anthropic's messages have one of this name.
        "compaction" => members.get("encrypted_content").is_some(),
        _ => kind.ends_with("_call") || kind.starts_with("mcp_approval"),
    };
    known.then_some(block)
}

/// A picture that the model made: the result of the call that drew it, which has come or is made up.
pub(super) fn drawn(items: &mut Vec<Json>, id: &str, media: &MediaPart) {
    let Some((media_type, data)) = media::base64(media) else {
        return;
    };
    let asked = items.last().and_then(Json::to_object).filter(|item| {
        let kind = item.get("type").map(Json::as_str);
        kind == Some(r#""image_generation_call""#) && item.get("result").is_none()
    });
    match asked {
        Some(mut item) => {
            item.insert("result", data);
            items.pop();
            items.push(item.into());
        }
        None => {
            let format = media_type.rsplit('/').next().unwrap_or("png");
            let item = json!({ "id": id, "type": "image_generation_call", "status": "completed",
                "output_format": format, "result": data });
            items.push(item.into());
        }
    }
}

/// The counts; nothing where the vendor did not count both sides, for this wire has no word for unknown. Its clients
/// demand the parts of both: those that nobody told are none.
pub(super) fn usage(usage: &Usage) -> Option<Value> {
    let (input, output) = (usage.prompt_tokens?, usage.completion_tokens?);
    Some(json!({
        "input_tokens": input,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens.unwrap_or(0),
            "cache_write_tokens": usage.cache_write_tokens.unwrap_or(0),
        },
        "output_tokens": output,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning_tokens.unwrap_or(0) },
        "total_tokens": usage.total().unwrap_or(input.saturating_add(output)),
    }))
}
