//! Bodies of Ollama's chat.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    JsonSchema, Part, Reasoning, ResponseFormat, ResultPart, Role, ToolCall, ToolResult,
};

use super::reading::{Read, Taking, message, stops, text};
use super::same::{FORM, drop, drop_if, elements, member};
use crate::case::Case;

pub(super) fn read<'a>(_: &Case, body: Json<'a>) -> Result<Read<'a>, String> {
    let mut read = Read::default();
    let mut body = Taking::of(body);
    body.take("model");
    // Without a word Ollama streams.
    read.streams = body.flag("stream").unwrap_or(true);
    for one in body.list("messages") {
        turn(&mut read, one);
    }
    for tool in body.list("tools") {
        let tool = super::openai_chat::function(&mut read, tool)?;
        read.request.tools.push(tool);
    }
    read.request.response_format = match body.take("format") {
        Some(Json::Text(word)) if word == "json" => ResponseFormat::Json,
        Some(schema @ Json::Object(_)) => ResponseFormat::JsonSchema(JsonSchema {
            name: "answer".to_owned(),
            description: None,
            schema: schema.to_string(),
            strict: None,
        }),
        _ => ResponseFormat::Text,
    };
    read.request.reasoning_effort = match body.take("think") {
        Some(Json::Bool(true)) => Some("medium".to_owned()),
        Some(Json::Bool(false)) => Some("none".to_owned()),
        Some(Json::Text(word)) => Some(word.into_owned()),
        _ => None,
    };
    if let Some(keep) = body.take("keep_alive") {
        read.set("keep_alive", keep);
    }
    let mut options = Taking::of(body.take("options").unwrap_or_default());
    let sampling = &mut read.request.sampling;
    sampling.max_tokens = options.count("num_predict");
    sampling.temperature = options.float("temperature");
    sampling.top_p = options.float("top_p");
    sampling.top_k = options.count("top_k");
    sampling.seed = options.count("seed").map(i64::from);
    sampling.frequency_penalty = options.float("frequency_penalty");
    sampling.presence_penalty = options.float("presence_penalty");
    sampling.stop = stops(options.take("stop"));
    if let Some(others) = options.rest() {
        read.set("options", others);
    }
    Ok(read.end(body))
}

fn turn(read: &mut Read<'_>, one: Json<'_>) {
    let mut one = Taking::of(one);
    let role = one.words("role").unwrap_or_default();
    let words = one.words("content").unwrap_or_default();
    let mut parts = Vec::new();
    if let Some(thought) = one.words("thinking") {
        parts.push(Part::Reasoning(Reasoning {
            text: thought,
            ..Reasoning::default()
        }));
    }
    match role.as_str() {
        "tool" => parts.push(Part::ToolResult(ToolResult {
            call_id: one.words("tool_call_id").unwrap_or_default(),
            name: one.words("tool_name").unwrap_or_default(),
            content: vec![ResultPart::Text(words)],
            local: true,
            ..ToolResult::default()
        })),
        _ if words.is_empty() => {}
        _ => parts.push(text(words, None)),
    }
    for data in one.list("images") {
        let data = data.str().unwrap_or_default().to_owned();
        parts.push(Part::Media(read.blob("image/png", &data)));
    }
    for call in one.list("tool_calls") {
        let mut call = Taking::of(call);
        let id = call.words("id");
        let mut called = Taking::of(call.take("function").unwrap_or_default());
        let arguments = called.take("arguments").unwrap_or_default();
        parts.push(Part::ToolCall(ToolCall {
            local: id.is_none(),
            id,
            name: called.words("name").unwrap_or_default(),
            arguments: arguments.to_string(),
            ..ToolCall::default()
        }));
    }
    let role = match role.as_str() {
        "system" => Role::System,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => Role::User,
    };
    let extra = read.tail(one);
    read.request.messages.push(message(role, parts, extra));
}

/// What Ollama takes for the same.
pub(super) fn canonical(body: &mut Json<'_>) {
    drop(body, "model");
    drop_if(body, "stream", |value| *value == Json::Bool(true));
    drop_if(body, "format", |value| value.str() == Some(""));
    drop_if(body, "tools", |value| *value == Json::List(Vec::new()));
    drop_if(body, "options", |value| *value == Json::Object(Vec::new()));
    if let Some(form) = member(body, "format")
        && matches!(form, Json::Object(_))
    {
        let schema = std::mem::take(form);
        drop(body, "format");
        body.merge(Json::object([(FORM, schema)]));
    }
    for turn in elements(body, "messages") {
        for call in elements(turn, "tool_calls") {
            drop(call, "type");
            if let Some(called) = member(call, "function") {
                drop(called, "index");
            }
        }
        // The name stands in the call before; older servers know no other word for it.
        drop(turn, "tool_name");
        drop(turn, "name");
    }
}
