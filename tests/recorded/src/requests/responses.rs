//! Bodies of OpenAI's Responses API.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    JsonSchema, Media, MediaSource, Opaque, Part, Reasoning, ResponseFormat, ResultPart, Role,
    ServerTool, ServerToolCall, Text, Tool, ToolCall, ToolChoice, ToolInput, ToolResult,
};

use super::reading::{Read, Taking, message, text};
use super::same::{drop, drop_if, elements, member, pieces};
use crate::case::Case;

pub(super) fn read<'a>(_: &Case, body: Json<'a>) -> Result<Read<'a>, String> {
    let mut read = Read::default();
    let mut body = Taking::of(body);
    let model = body.words("model");
    read.set("api", "responses");
    read.streams = body.flag("stream").unwrap_or(false);
    read.set("store", body.flag("store").unwrap_or(true));
    if let Some(words) = body.words("instructions") {
        let first = message(Role::System, vec![text(words, None)], None);
        read.request.messages.push(first);
    }
    match body.take("input") {
        Some(Json::Text(words)) => {
            let first = message(Role::User, vec![text(words, None)], None);
            read.request.messages.push(first);
        }
        Some(Json::List(items)) => {
            for one in items {
                item(&mut read, one)?;
            }
        }
        _ => {}
    }
    for tool in body.list("tools") {
        offered(&mut read, tool);
    }
    if let Some(choice) = choice(&read, body.get("tool_choice")) {
        body.take("tool_choice");
        read.request.tool_choice = choice;
    }
    read.request.parallel_tool_calls = body.flag("parallel_tool_calls");
    read.request.user = body.words("user");
    for name in ["prompt", "context_management"] {
        if let Some(value) = body.take(name) {
            read.set(name, owned(&value));
        }
    }
    let sampling = &mut read.request.sampling;
    sampling.max_tokens = body.count("max_output_tokens");
    sampling.temperature = body.float("temperature");
    sampling.top_p = body.float("top_p");
    let sampled = sampling.temperature.is_some() || sampling.top_p.is_some();
    let mut reasoning = Taking::of(body.take("reasoning").unwrap_or_default());
    read.request.reasoning_effort = reasoning.words("effort");
    if let Some(summary) = reasoning.words("summary") {
        read.set("reasoning_summary", summary);
        read.set("reasoning_model", true);
    } else if sampled {
        read.set("reasoning_model", false);
    }
    let _ = model;
    if let Some(rest) = reasoning.text() {
        let rest = Json::parse(&rest).map_err(|error| error.to_string())?;
        body.put("reasoning", owned(&rest));
    }
    let mut words = Taking::of(body.take("text").unwrap_or_default());
    read.request.response_format = form(words.take("format"))?;
    if let Some(rest) = words.text() {
        let rest = Json::parse(&rest).map_err(|error| error.to_string())?;
        body.put("text", owned(&rest));
    }
    let include = body.take("include");
    let mut others = include.as_ref().map_or(&[][..], Json::list).iter();
    if others.any(|one| !is_shown(one)) {
        body.put("include", include.unwrap_or_default());
    }
    for name in ["service_tier", "prompt_cache_key"] {
        if let Some(word) = body.words(name) {
            read.set(name, word);
        }
    }
    Ok(read.end(body))
}

/// What the adapter asks for by itself where it has a use: it only shows more of the same answer.
fn is_shown(include: &Json<'_>) -> bool {
    const SHOWN: [&str; 4] = [
        "code_interpreter_call.outputs",
        "file_search_call.results",
        "reasoning.encrypted_content",
        "web_search_call.action.sources",
    ];
    include.str().is_some_and(|word| SHOWN.contains(&word))
}

fn owned<'a>(value: &Json<'_>) -> Json<'a> {
    match value {
        Json::Null => Json::Null,
        Json::Bool(bool) => Json::Bool(*bool),
        Json::Unsigned(number) => Json::Unsigned(*number),
        Json::Signed(number) => Json::Signed(*number),
        Json::Number(text) => Json::Number(text.to_string().into()),
        Json::Text(text) => Json::Text(text.to_string().into()),
        Json::List(list) => Json::List(list.iter().map(owned).collect()),
        Json::Object(members) => {
            let members = members.iter();
            Json::Object(
                members
                    .map(|(name, value)| (name.to_string().into(), owned(value)))
                    .collect(),
            )
        }
    }
}

/// Puts a part behind those of the last message of this role.
fn add(read: &mut Read<'_>, role: Role, part: Part) {
    match read.request.messages.last_mut() {
        Some(last) if last.role == role && last.extra.is_none() => last.content.push(part),
        _ => read.request.messages.push(message(role, vec![part], None)),
    }
}

fn item(read: &mut Read<'_>, one: Json<'_>) -> Result<(), String> {
    let kind = one.text("type").unwrap_or("message").to_owned();
    let whole = one.to_string();
    let mut one = Taking::of(one);
    one.take("type");
    match kind.as_str() {
        "message" => said(read, one)?,
        "function_call" | "custom_tool_call" => {
            let custom = kind == "custom_tool_call";
            let id = one.words("call_id");
            let name = one.words("name").unwrap_or_default();
            let arguments = one.words(if custom { "input" } else { "arguments" });
            let call = ToolCall {
                id,
                name,
                arguments: arguments.unwrap_or_default(),
                signature: custom.then(|| "custom".to_owned()),
                extra: one.text(),
                ..ToolCall::default()
            };
            add(read, Role::Assistant, Part::ToolCall(call));
        }
        "function_call_output" | "custom_tool_call_output" => {
            let call_id = one.words("call_id").unwrap_or_default();
            let content = match one.take("output") {
                Some(Json::Text(text)) => vec![ResultPart::Text(text.into_owned())],
                Some(Json::List(list)) => {
                    let mut pieces = Vec::new();
                    for piece in list {
                        pieces.push(match part(read, piece)? {
                            Part::Text(text) => ResultPart::Text(text.text),
                            Part::Media(media) => ResultPart::Media(media),
                            _ => return Err("a result of something else".to_owned()),
                        });
                    }
                    pieces
                }
                _ => Vec::new(),
            };
            let result = ToolResult {
                call_id,
                content,
                extra: read.tail(one),
                ..ToolResult::default()
            };
            add(read, Role::Tool, Part::ToolResult(result));
        }
        "reasoning" => {
            let encrypted = one.words("encrypted_content");
            let summary = one.take("summary").unwrap_or_default();
            let words = match summary.list() {
                [only] => only.text("text").unwrap_or_default().to_owned(),
                [] => String::new(),
                several => {
                    let texts = several.iter().filter_map(|part| part.text("text"));
                    let texts = texts.collect::<Vec<_>>().join("\n\n");
                    one.put("summary", owned(&summary));
                    texts
                }
            };
            let (signature, redacted) = match words.is_empty() {
                true => (None, encrypted),
                false => (encrypted, None),
            };
            let thought = Reasoning {
                text: words,
                signature,
                redacted,
                extra: one.text(),
            };
            add(read, Role::Assistant, Part::Reasoning(thought));
        }
        kind if kind.ends_with("_call") => {
            let call = ServerToolCall {
                id: one.words("id"),
                name: kind.to_owned(),
                input: None,
                data: whole,
            };
            add(read, Role::Assistant, Part::ServerToolCall(call));
        }
        kind => {
            let role = match kind.ends_with("_output") {
                true => Role::Tool,
                false => Role::Assistant,
            };
            let block = Opaque {
                kind: kind.to_owned(),
                data: whole,
            };
            add(read, role, Part::Opaque(block));
        }
    }
    Ok(())
}

fn said(read: &mut Read<'_>, mut one: Taking<'_>) -> Result<(), String> {
    let role = one.words("role").unwrap_or_default();
    let content = one.take("content");
    if role == "assistant" {
        // Ids and states come with answers, and go back by themselves.
        let around = one.text();
        let list = match content {
            Some(Json::Text(words)) => vec![Json::object([
                ("type", "output_text".into()),
                ("text", words.into()),
            ])],
            Some(Json::List(list)) => list,
            _ => Vec::new(),
        };
        for piece in list {
            let mut piece = Taking::of(piece);
            let refusal = piece.words("refusal");
            piece.take("annotations");
            let words = refusal.clone().or(piece.words("text")).unwrap_or_default();
            if refusal.is_none() {
                piece.take("type");
            }
            let within = piece.text();
            let mut tail = Json::Object(Vec::new());
            for part in [&around, &within].into_iter().flatten() {
                tail.merge(Json::parse(part).map_err(|error| error.to_string())?);
            }
            let extra = (tail != Json::Object(Vec::new())).then(|| tail.to_string());
            add(
                read,
                Role::Assistant,
                Part::Text(Text {
                    extra,
                    ..Text::new(words)
                }),
            );
        }
        return Ok(());
    }
    let mut parts = Vec::new();
    match content {
        Some(Json::Text(words)) => parts.push(text(words, None)),
        Some(Json::List(list)) => {
            for piece in list {
                parts.push(part(read, piece)?);
            }
        }
        _ => {}
    }
    let role = match role.as_str() {
        "system" | "developer" => {
            read.set("system_role", role);
            Role::System
        }
        _ => Role::User,
    };
    let extra = read.tail(one);
    read.request.messages.push(message(role, parts, extra));
    Ok(())
}

fn part(read: &mut Read<'_>, piece: Json<'_>) -> Result<Part, String> {
    let mut piece = Taking::of(piece);
    let kind = piece.words("type").unwrap_or_default();
    let mut media = match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            let words = piece.words("text").unwrap_or_default();
            return Ok(text(words, read.tail(piece)));
        }
        "input_image" => {
            let url = piece.words("image_url");
            let id = piece.words("file_id");
            let mut media = match (url, id) {
                (Some(url), _) => read.address(&url, None),
                (None, Some(id)) => {
                    Media::from_source(MediaSource::FileId(id), Some("image/*".to_owned()))
                }
                (None, None) => return Err("a picture of nothing".to_owned()),
            };
            media.detail = piece.words("detail");
            media
        }
        "input_file" => {
            let (data, url) = (piece.words("file_data"), piece.words("file_url"));
            let mut media = match (data, url, piece.words("file_id")) {
                (Some(data), _, _) => read.address(&data, None),
                (None, Some(url), _) => read.address(&url, Some("application/pdf")),
                (None, None, Some(id)) => Media::from_source(MediaSource::FileId(id), None),
                (None, None, None) => return Err("a file of nothing".to_owned()),
            };
            media.name = piece.words("filename");
            media
        }
        other => return Err(format!("a piece of type {other}")),
    };
    media.extra = read.tail(piece);
    Ok(Part::Media(media))
}

fn offered(read: &mut Read<'_>, tool: Json<'_>) {
    let mut tool = Taking::of(tool);
    let kind = tool.words("type").unwrap_or_default();
    let input = match kind.as_str() {
        "function" => {
            let schema = tool.take("parameters");
            ToolInput::Schema(schema.map_or("{}".to_owned(), |schema| schema.to_string()))
        }
        "custom" => ToolInput::Text(tool.take("format").map(|format| format.to_string())),
        kind => {
            let name = match kind {
                "web_search" => "web-search",
                "code_interpreter" => "code-execution",
                "file_search" => "file-search",
                "image_generation" => "image-generation",
                other => other,
            };
            read.request.server_tools.push(ServerTool {
                name: name.to_owned(),
                options: tool.text(),
            });
            return;
        }
    };
    let tool = Tool {
        name: tool.words("name").unwrap_or_default(),
        description: tool.words("description"),
        input,
        strict: tool.flag("strict"),
        defer_loading: tool.flag("defer_loading"),
        cache: None,
        extra: read.tail(tool),
    };
    read.request.tools.push(tool);
}

fn choice(read: &Read<'_>, value: Option<&Json<'_>>) -> Option<ToolChoice> {
    Some(match value? {
        Json::Text(word) => match &**word {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            _ => return None,
        },
        value => match value.text("type")? {
            "function" | "custom" => ToolChoice::Named(value.text("name")?.to_owned()),
            "allowed_tools" if value.text("mode") == Some("required") => {
                let names = value
                    .get("tools")?
                    .list()
                    .iter()
                    .map(|tool| tool.text("name").map(str::to_owned));
                ToolChoice::OneOf(names.collect::<Option<_>>()?)
            }
            kind => {
                let names = [
                    "web_search",
                    "code_interpreter",
                    "file_search",
                    "image_generation",
                ];
                let unified = [
                    "web-search",
                    "code-execution",
                    "file-search",
                    "image-generation",
                ];
                let at = names.iter().position(|name| *name == kind);
                let name = at.and_then(|at| unified.get(at).copied()).unwrap_or(kind);
                let mut offered = read.request.server_tools.iter();
                offered
                    .any(|tool| tool.name == name)
                    .then(|| ToolChoice::Named(name.to_owned()))?
            }
        },
    })
}

fn form(value: Option<Json<'_>>) -> Result<ResponseFormat, String> {
    let Some(said) = value else {
        return Ok(ResponseFormat::Text);
    };
    Ok(match said.text("type").unwrap_or_default() {
        "text" => ResponseFormat::Text,
        "json_object" => ResponseFormat::Json,
        "json_schema" => ResponseFormat::JsonSchema(JsonSchema {
            name: said.text("name").unwrap_or_default().to_owned(),
            description: said.text("description").map(str::to_owned),
            schema: said.get("schema").map(Json::to_string).unwrap_or_default(),
            strict: said.get("strict").and_then(Json::bool),
        }),
        other => return Err(format!("a form {other}")),
    })
}

/// What OpenAI takes for the same.
pub(super) fn canonical(body: &mut Json<'_>) {
    drop(body, "model");
    drop_if(body, "stream", |value| *value == Json::Bool(false));
    drop_if(body, "store", |value| *value == Json::Bool(true));
    drop_if(body, "tool_choice", |value| value.str() == Some("auto"));
    if let Some(Json::List(include)) = member(body, "include") {
        include.retain(|one| !is_shown(one));
    }
    for name in ["include", "tools"] {
        drop_if(body, name, |value| *value == Json::List(Vec::new()));
    }
    drop_if(body, "reasoning", |value| {
        *value == Json::Object(Vec::new())
    });
    if let Some(words) = member(body, "text") {
        drop_if(words, "format", |value| value.text("type") == Some("text"));
    }
    drop_if(body, "text", |value| *value == Json::Object(Vec::new()));
    if let Some(input) = member(body, "input")
        && let Json::Text(words) = input
    {
        let words = std::mem::take(words);
        *input = Json::List(vec![Json::object([
            ("role", "user".into()),
            ("content", words.into()),
        ])]);
    }
    // Instructions are what stands before everything else.
    let instructions = member(body, "instructions").map(std::mem::take);
    drop(body, "instructions");
    let nothing = |item: &Json<'_>| {
        let content = item.get("content").unwrap_or(&Json::Null);
        let empty = |piece: &Json<'_>| piece.get("text").and_then(Json::str) == Some("");
        matches!(item.text("role"), Some("system" | "developer"))
            && match content {
                Json::Text(text) => text.is_empty(),
                content => content.list().iter().all(empty),
            }
    };
    if let Some(Json::List(input)) = member(body, "input") {
        input.retain(|item| !nothing(item));
    }
    if let (Some(Json::List(input)), Some(words)) = (member(body, "input"), instructions)
        && words.str() != Some("")
    {
        let first = Json::object([("role", "system".into()), ("content", words)]);
        input.insert(0, first);
    }
    let mut leads = true;
    for item in elements(body, "input") {
        let kind = match item.text("role") {
            Some("assistant") => "output_text",
            _ => "input_text",
        };
        pieces(item, "content", kind);
        drop_if(item, "type", |value| value.str() == Some("message"));
        leads &= matches!(item.text("role"), Some("system" | "developer"));
        if let (true, Some(role)) = (leads, member(item, "role")) {
            *role = "system".into();
        }
        for piece in elements(item, "content") {
            drop_if(piece, "annotations", |value| {
                *value == Json::List(Vec::new())
            });
        }
    }
    // Those of the caller's and those of the vendor's are two lists in the unified form.
    if let Some(Json::List(tools)) = member(body, "tools") {
        tools.sort_by_key(|tool| !matches!(tool.text("type"), Some("function" | "custom")));
        for tool in tools {
            drop_if(tool, "container", |value| {
                *value == Json::object([("type", "auto".into())])
            });
        }
    }
}
