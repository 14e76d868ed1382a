//! Bodies of OpenAI's chat completions.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    JsonSchema, Media, MediaSource, Part, ResponseFormat, ResultPart, Role, ServerTool, Tool,
    ToolCall, ToolChoice, ToolInput, ToolResult,
};

use super::reading::{Read, Taking, message, stops, text};
use super::same::{drop, drop_if, elements, pieces};
use crate::case::Case;

pub(super) fn read<'a>(case: &Case, body: Json<'a>) -> Result<Read<'a>, String> {
    let mut read = Read::default();
    let mut body = Taking::of(body);
    body.take("model");
    if case.vendor == "openai" {
        read.set("api", "chat");
    }
    if case.vendor == "azure" {
        let version = case.query.iter().find(|(name, _)| name == "api-version");
        if let Some((_, version)) = version.filter(|(_, version)| version.starts_with("20")) {
            read.set("api_version", version.clone());
        }
    }
    read.streams = body.flag("stream").unwrap_or(false);
    read.request.user = body.words("user");
    let usage = body
        .get("stream_options")
        .and_then(|options| options.get("include_usage"));
    match usage.and_then(Json::bool) {
        Some(true)
            if body.get("stream_options").is_some_and(
                |options| matches!(options, Json::Object(members) if members.len() == 1),
            ) =>
        {
            body.take("stream_options");
            read.set("stream_usage", true);
        }
        Some(_) => {}
        None => read.set("stream_usage", false),
    }
    for one in body.list("messages") {
        let turn = turn(&mut read, one)?;
        read.request.messages.push(turn);
    }
    for tool in body.list("tools") {
        let tool = function(&mut read, tool)?;
        read.request.tools.push(tool);
    }
    if let Some(options) = body.take("web_search_options") {
        let options = Some(options.to_string());
        read.request.server_tools.push(ServerTool {
            name: "web-search".to_owned(),
            options,
        });
    }
    if let Some(choice) = choice(body.get("tool_choice")) {
        body.take("tool_choice");
        read.request.tool_choice = choice;
    }
    read.request.parallel_tool_calls = body.flag("parallel_tool_calls");
    read.request.response_format = form(body.take("response_format"))?;
    let sampling = &mut read.request.sampling;
    sampling.temperature = body.float("temperature");
    sampling.top_p = body.float("top_p");
    sampling.frequency_penalty = body.float("frequency_penalty");
    sampling.presence_penalty = body.float("presence_penalty");
    sampling.seed = body.count("seed").map(i64::from);
    sampling.stop = stops(body.take("stop"));
    sampling.top_k = body.count("top_k");
    let (new, old) = (
        body.count("max_completion_tokens"),
        body.count("max_tokens"),
    );
    sampling.max_tokens = new.or(old);
    if new.or(old).is_some() {
        let field = match new {
            Some(_) => "max_completion_tokens",
            None => "max_tokens",
        };
        read.set("max_tokens_field", field);
    }
    read.set("reasoning_model", false);
    // Kimi and DeepSeek get an empty thought where the caller has none, unless it is said otherwise.
    read.set("reasoning_history", "drop");
    read.request.reasoning_effort = body.words("reasoning_effort");
    for name in ["service_tier", "prompt_cache_key"] {
        if let Some(word) = body.words(name) {
            read.set(name, word);
        }
    }
    // What goes without saying.
    for (name, usual) in [("n", Json::Unsigned(1)), ("logprobs", Json::Bool(false))] {
        if body.get(name) == Some(&usual) {
            body.take(name);
        }
    }
    Ok(read.end(body))
}

fn turn(read: &mut Read<'_>, one: Json<'_>) -> Result<multillm_plugin_sdk::Message, String> {
    let mut one = Taking::of(one);
    let role = one.words("role").unwrap_or_default();
    let content = one.take("content");
    let mut parts = Vec::new();
    match role.as_str() {
        "tool" => {
            let id = one.words("tool_call_id").unwrap_or_default();
            let content = match content {
                Some(Json::List(list)) => {
                    let texts = list.iter().filter_map(|part| part.text("text"));
                    texts
                        .map(|text| ResultPart::Text(text.to_owned()))
                        .collect()
                }
                Some(Json::Text(text)) => vec![ResultPart::Text(text.into_owned())],
                _ => Vec::new(),
            };
            parts.push(Part::ToolResult(ToolResult {
                call_id: id,
                content,
                ..ToolResult::default()
            }));
        }
        _ => match content {
            Some(Json::List(list)) => {
                for piece in list {
                    parts.push(part(read, piece)?);
                }
            }
            Some(Json::Text(words)) => parts.push(text(words, None)),
            _ => {}
        },
    }
    for call in one.list("tool_calls") {
        let mut call = Taking::of(call);
        let id = call.words("id");
        let kind = call.words("type");
        let custom = kind.as_deref() == Some("custom");
        let mut called = Taking::of(
            call.take(if custom { "custom" } else { "function" })
                .unwrap_or_default(),
        );
        let name = called.words("name").unwrap_or_default();
        let said = called.words(if custom { "input" } else { "arguments" });
        call.take("index");
        parts.push(Part::ToolCall(ToolCall {
            id,
            name,
            arguments: said.unwrap_or_default(),
            signature: custom.then(|| "custom".to_owned()),
            extra: read.tail(call),
            ..ToolCall::default()
        }));
    }
    let role = match role.as_str() {
        "system" | "developer" => {
            read.set("system_role", role);
            Role::System
        }
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        "user" => Role::User,
        other => return Err(format!("a message of role {other}")),
    };
    if role == Role::Assistant {
        // What every answer has and says nothing.
        for name in ["refusal", "annotations", "audio", "function_call"] {
            let empty = one
                .get(name)
                .is_none_or(|value| value.list().is_empty() && value.str().is_none());
            if empty && name != "function_call" {
                one.take(name);
            }
        }
    }
    let extra = read.tail(one);
    Ok(message(role, parts, extra))
}

fn part(read: &mut Read<'_>, piece: Json<'_>) -> Result<Part, String> {
    let mut piece = Taking::of(piece);
    let kind = piece.words("type").unwrap_or_default();
    let mut media = match kind.as_str() {
        "text" => {
            let words = piece.words("text").unwrap_or_default();
            return Ok(text(words, read.tail(piece)));
        }
        "image_url" => {
            let mut picture = Taking::of(piece.take("image_url").unwrap_or_default());
            let url = picture.words("url").unwrap_or_default();
            let mut media = read.address(&url, None);
            media.detail = picture.words("detail");
            media
        }
        "input_audio" => {
            let mut sound = Taking::of(piece.take("input_audio").unwrap_or_default());
            let kind = match sound.words("format").as_deref() {
                Some("mp3") => "audio/mpeg",
                _ => "audio/wav",
            };
            let data = sound.words("data").unwrap_or_default();
            read.blob(kind, &data)
        }
        "file" => {
            let mut file = Taking::of(piece.take("file").unwrap_or_default());
            let mut media = match (file.words("file_data"), file.words("file_id")) {
                (Some(data), _) => read.address(&data, None),
                (None, Some(id)) => Media::from_source(MediaSource::FileId(id), None),
                (None, None) => return Err("a file of nothing".to_owned()),
            };
            media.name = file.words("filename");
            media
        }
        other => return Err(format!("a piece of type {other}")),
    };
    media.extra = read.tail(piece);
    Ok(Part::Media(media))
}

pub(super) fn function(read: &mut Read<'_>, tool: Json<'_>) -> Result<Tool, String> {
    let mut tool = Taking::of(tool);
    let kind = tool.words("type").unwrap_or_default();
    let mut said = match kind.as_str() {
        "function" | "custom" => Taking::of(tool.take(&kind).unwrap_or_default()),
        other => return Err(format!("a tool of type {other}")),
    };
    let schema = said
        .take("parameters")
        .map_or("{}".to_owned(), |schema| schema.to_string());
    let input = match kind.as_str() {
        "custom" => ToolInput::Text(said.take("format").map(|format| format.to_string())),
        _ => ToolInput::Schema(schema),
    };
    Ok(Tool {
        name: said.words("name").unwrap_or_default(),
        description: said.words("description"),
        input,
        strict: said.flag("strict"),
        defer_loading: None,
        cache: None,
        extra: read.tail(tool),
    })
}

fn choice(value: Option<&Json<'_>>) -> Option<ToolChoice> {
    Some(match value? {
        Json::Text(word) => match &**word {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" | "any" => ToolChoice::Required,
            _ => return None,
        },
        value => ToolChoice::Named(value.at(&["function", "name"])?.str()?.to_owned()),
    })
}

fn form(value: Option<Json<'_>>) -> Result<ResponseFormat, String> {
    let Some(value) = value else {
        return Ok(ResponseFormat::Text);
    };
    Ok(match value.text("type").unwrap_or_default() {
        "text" => ResponseFormat::Text,
        "json_object" => ResponseFormat::Json,
        "json_schema" => {
            let said = value.get("json_schema").unwrap_or(&Json::Null);
            ResponseFormat::JsonSchema(JsonSchema {
                name: said.text("name").unwrap_or_default().to_owned(),
                description: said.text("description").map(str::to_owned),
                schema: said.get("schema").map(Json::to_string).unwrap_or_default(),
                strict: said.get("strict").and_then(Json::bool),
            })
        }
        other => return Err(format!("a form {other}")),
    })
}

/// What OpenAI takes for the same.
pub(super) fn canonical(body: &mut Json<'_>) {
    drop(body, "model");
    drop_if(body, "stream", |value| *value == Json::Bool(false));
    drop_if(body, "tool_choice", |value| value.str() == Some("auto"));
    drop_if(body, "n", |value| *value == Json::Unsigned(1));
    drop_if(body, "logprobs", |value| *value == Json::Bool(false));
    drop_if(body, "stop", |value| *value == Json::List(Vec::new()));
    drop_if(body, "response_format", |value| {
        value.text("type") == Some("text")
    });
    if let Some(stop) = super::same::member(body, "stop")
        && let Json::Text(text) = stop
    {
        *stop = Json::List(vec![std::mem::take(text).into()]);
    }
    for turn in elements(body, "messages") {
        pieces(turn, "content", "text");
        let nothing = |value: &Json<'_>| {
            value.list().is_empty()
                || value
                    .list()
                    .iter()
                    .all(|piece| piece.get("text").and_then(Json::str) == Some(""))
        };
        if turn.text("role") == Some("assistant") {
            drop_if(turn, "content", nothing);
            for name in ["annotations", "tool_calls"] {
                drop_if(turn, name, |value| *value == Json::List(Vec::new()));
            }
        }
        for call in elements(turn, "tool_calls") {
            drop(call, "index");
        }
    }
}
