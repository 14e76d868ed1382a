//! Bodies of Cohere's chat.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    JsonSchema, Opaque, Part, Reasoning, ResponseFormat, ResultPart, Role, Text, Tool, ToolCall,
    ToolChoice, ToolResult,
};

use super::reading::{Read, Taking, message, stops, text};
use super::same::{FORM, drop, drop_if, elements, member, pieces};
use crate::case::Case;

pub(super) fn read<'a>(_: &Case, body: Json<'a>) -> Result<Read<'a>, String> {
    let mut read = Read::default();
    let mut body = Taking::of(body);
    body.take("model");
    read.streams = body.flag("stream").unwrap_or(false);
    for one in body.list("messages") {
        turn(&mut read, one)?;
    }
    for tool in body.list("tools") {
        let tool = super::openai_chat::function(&mut read, tool)?;
        read.request.tools.push(Tool {
            strict: None,
            ..tool
        });
    }
    read.request.tool_choice = match body.words("tool_choice").as_deref() {
        Some("REQUIRED") => ToolChoice::Required,
        Some("NONE") => ToolChoice::None,
        _ => ToolChoice::Auto,
    };
    let sampling = &mut read.request.sampling;
    sampling.max_tokens = body.count("max_tokens");
    sampling.temperature = body.float("temperature");
    sampling.top_p = body.float("p");
    sampling.top_k = body.count("k");
    sampling.seed = body.count("seed").map(i64::from);
    sampling.frequency_penalty = body.float("frequency_penalty");
    sampling.presence_penalty = body.float("presence_penalty");
    sampling.stop = stops(body.take("stop_sequences"));
    if let Some(form) = body.take("response_format") {
        let schema = form.get("json_schema").or(form.get("schema"));
        read.request.response_format = match schema {
            Some(schema) => ResponseFormat::JsonSchema(JsonSchema {
                name: "answer".to_owned(),
                description: None,
                schema: schema.to_string(),
                strict: None,
            }),
            None if form.text("type") == Some("json_object") => ResponseFormat::Json,
            None => ResponseFormat::Text,
        };
    }
    Ok(read.end(body))
}

fn turn(read: &mut Read<'_>, one: Json<'_>) -> Result<(), String> {
    let mut one = Taking::of(one);
    let role = one.words("role").unwrap_or_default();
    let content = one.take("content");
    if role == "tool" {
        let content = match content {
            Some(Json::List(list)) => {
                let parts = list.into_iter().map(|piece| match piece.text("type") {
                    Some("text") => {
                        ResultPart::Text(piece.text("text").unwrap_or_default().to_owned())
                    }
                    kind => ResultPart::Opaque(Opaque {
                        kind: kind.unwrap_or_default().to_owned(),
                        data: piece.to_string(),
                    }),
                });
                parts.collect()
            }
            Some(Json::Text(words)) => vec![ResultPart::Text(words.into_owned())],
            _ => Vec::new(),
        };
        let result = Part::ToolResult(ToolResult {
            call_id: one.words("tool_call_id").unwrap_or_default(),
            content,
            ..ToolResult::default()
        });
        let extra = read.tail(one);
        read.request
            .messages
            .push(message(Role::Tool, vec![result], extra));
        return Ok(());
    }
    let mut parts = Vec::new();
    if let Some(plan) = one.words("tool_plan") {
        parts.push(Part::Reasoning(Reasoning {
            text: plan,
            ..Reasoning::default()
        }));
    }
    match content {
        Some(Json::Text(words)) => parts.push(text(words, None)),
        Some(Json::List(list)) => {
            for piece in list {
                let mut piece = Taking::of(piece);
                let kind = piece.words("type").unwrap_or_default();
                parts.push(match kind.as_str() {
                    "text" => {
                        let words = piece.words("text").unwrap_or_default();
                        Part::Text(Text {
                            extra: read.tail(piece),
                            ..Text::new(words)
                        })
                    }
                    "image_url" => {
                        let mut picture = Taking::of(piece.take("image_url").unwrap_or_default());
                        let url = picture.words("url").unwrap_or_default();
                        let mut media = read.address(&url, None);
                        media.detail = picture.words("detail");
                        Part::Media(media)
                    }
                    "thinking" => Part::Reasoning(Reasoning {
                        text: piece.words("thinking").unwrap_or_default(),
                        ..Reasoning::default()
                    }),
                    other => return Err(format!("a piece of type {other}")),
                });
            }
        }
        _ => {}
    }
    for call in one.list("tool_calls") {
        let mut call = Taking::of(call);
        let id = call.words("id");
        call.take("type");
        let mut called = Taking::of(call.take("function").unwrap_or_default());
        parts.push(Part::ToolCall(ToolCall {
            id,
            name: called.words("name").unwrap_or_default(),
            arguments: called.words("arguments").unwrap_or_default(),
            ..ToolCall::default()
        }));
    }
    let role = match role.as_str() {
        "system" => Role::System,
        "assistant" => Role::Assistant,
        _ => Role::User,
    };
    let extra = read.tail(one);
    read.request.messages.push(message(role, parts, extra));
    Ok(())
}

/// What Cohere takes for the same.
pub(super) fn canonical(body: &mut Json<'_>) {
    drop(body, "model");
    drop_if(body, "stream", |value| *value == Json::Bool(false));
    drop_if(body, "stop_sequences", |value| {
        *value == Json::List(Vec::new())
    });
    if let Some(form) = member(body, "response_format") {
        for name in ["schema", "json_schema"] {
            if let Some(schema) = member(form, name).map(std::mem::take) {
                drop(form, name);
                form.merge(Json::object([(FORM, schema)]));
            }
        }
    }
    for turn in elements(body, "messages") {
        pieces(turn, "content", "text");
    }
}
