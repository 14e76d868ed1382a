//! Bodies of Anthropic's messages.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    Cache, JsonSchema, Media, MediaSource, Opaque, Part, Reasoning, ResponseFormat, ResultPart,
    Role, ServerTool, ServerToolCall, ServerToolResult, Text, Tool, ToolCall, ToolChoice,
    ToolInput, ToolResult,
};

use super::reading::{Read, Taking, message, stops};
use super::same::{drop, drop_if, elements, member, pieces};
use crate::case::Case;

pub(super) fn read<'a>(case: &Case, body: Json<'a>) -> Result<Read<'a>, String> {
    let mut read = Read::default();
    let mut body = Taking::of(body);
    body.take("model");
    read.set("prompt_cache", "off");
    if let Some(version) = case.header("anthropic-version") {
        read.set("api_version", version.to_owned());
    }
    let betas = case.header("anthropic-beta").unwrap_or_default().split(',');
    let betas: Vec<_> = betas
        .map(str::trim)
        .filter(|beta| !beta.is_empty())
        .collect();
    if !betas.is_empty() {
        let betas = betas.into_iter().map(|beta| beta.to_owned().into());
        read.set("beta", Json::List(betas.collect()));
    }
    read.streams = body.flag("stream").unwrap_or(false);
    let system = match body.take("system") {
        Some(Json::Text(words)) => vec![Part::Text(Text::new(words))],
        Some(Json::List(list)) => {
            let parts = list.into_iter().map(|piece| part(&mut read, piece));
            parts.collect::<Result<_, String>>()?
        }
        _ => Vec::new(),
    };
    if !system.is_empty() {
        read.request
            .messages
            .push(message(Role::System, system, None));
    }
    for turn in body.list("messages") {
        self::turn(&mut read, turn)?;
    }
    for tool in body.list("tools") {
        offered(&mut read, tool);
    }
    if let Some(choice) = body.take("tool_choice") {
        let mut choice = Taking::of(choice);
        let single = choice.flag("disable_parallel_tool_use");
        read.request.parallel_tool_calls = single.map(|single| !single);
        let name = choice.words("name");
        read.request.tool_choice = match (choice.words("type").as_deref(), name) {
            (Some("any"), _) => ToolChoice::Required,
            (Some("none"), _) => ToolChoice::None,
            (Some("tool"), Some(name)) => ToolChoice::Named(name),
            _ => ToolChoice::Auto,
        };
    }
    let sampling = &mut read.request.sampling;
    sampling.max_tokens = body.count("max_tokens");
    sampling.temperature = body.float("temperature");
    sampling.top_p = body.float("top_p");
    sampling.top_k = body.count("top_k");
    sampling.stop = stops(body.take("stop_sequences"));
    if let Some(form) = body.take("output_format") {
        let schema = form.get("schema").map(Json::to_string).unwrap_or_default();
        read.request.response_format = ResponseFormat::JsonSchema(JsonSchema {
            name: "answer".to_owned(),
            description: None,
            schema,
            strict: None,
        });
    }
    // The setting leaves room for an answer; a budget that does not is said by way of the body.
    let room = |budget: &u64| {
        let most = sampling.max_tokens.map_or(0, u64::from);
        budget.saturating_mul(5) <= most.saturating_mul(4)
    };
    if let Some(thinking) = body.get("thinking")
        && thinking.text("type") == Some("enabled")
        && let Some(budget) = thinking.get("budget_tokens").and_then(Json::count)
        && room(&budget)
    {
        read.set("thinking_budget", Json::Unsigned(budget));
        body.take("thinking");
    }
    Ok(read.end(body))
}

fn turn(read: &mut Read<'_>, turn: Json<'_>) -> Result<(), String> {
    let mut turn = Taking::of(turn);
    let role = match turn.words("role").as_deref() {
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        _ => Role::User,
    };
    let pieces = match turn.take("content") {
        Some(Json::Text(words)) => {
            let extra = read.tail(turn);
            let said = message(role, vec![Part::Text(Text::new(words))], extra);
            read.request.messages.push(said);
            return Ok(());
        }
        Some(Json::List(list)) => list,
        _ => Vec::new(),
    };
    let (mut results, mut parts) = (Vec::new(), Vec::new());
    for piece in pieces {
        match part(read, piece)? {
            part @ Part::ToolResult(_) => results.push(part),
            part => parts.push(part),
        }
    }
    let extra = read.tail(turn);
    if !results.is_empty() {
        read.request
            .messages
            .push(message(Role::Tool, results, None));
    }
    if !parts.is_empty() {
        read.request.messages.push(message(role, parts, extra));
    }
    Ok(())
}

/// The mark of what is worth keeping; one that says more stays where it is.
fn mark(piece: &mut Taking<'_>) -> Option<Cache> {
    let marked = piece.get("cache_control")?;
    let seconds = match marked.text("ttl") {
        None => None,
        Some("5m") => Some(300),
        Some("1h") => Some(3_600),
        Some(_) => return None,
    };
    piece.take("cache_control");
    Some(Cache { seconds })
}

fn part(read: &mut Read<'_>, piece: Json<'_>) -> Result<Part, String> {
    let whole = piece.to_string();
    let mut piece = Taking::of(piece);
    let cache = mark(&mut piece);
    let kind = piece.words("type").unwrap_or_default();
    Ok(match kind.as_str() {
        "text" => {
            let words = piece.words("text").unwrap_or_default();
            Part::Text(Text {
                cache,
                extra: read.tail(piece),
                ..Text::new(words)
            })
        }
        "image" | "document" => {
            let mut source = Taking::of(piece.take("source").unwrap_or_default());
            let from = source.words("type").unwrap_or_default();
            let usual = match kind.as_str() {
                "document" => "application/pdf",
                _ => "image/*",
            };
            let media_type = source.words("media_type");
            let mut media = match from.as_str() {
                "base64" => {
                    let data = source.words("data").unwrap_or_default();
                    read.blob(media_type.as_deref().unwrap_or(usual), &data)
                }
                "url" => {
                    let url = source.words("url").unwrap_or_default();
                    Media::from_source(MediaSource::Url(url), Some(usual.to_owned()))
                }
                "file" => {
                    let id = source.words("file_id").unwrap_or_default();
                    Media::from_source(MediaSource::FileId(id), Some(usual.to_owned()))
                }
                _ => return Ok(opaque(&kind, whole)),
            };
            media.name = piece.words("title");
            media.cache = cache;
            media.extra = read.tail(piece);
            Part::Media(media)
        }
        "tool_use" => Part::ToolCall(ToolCall {
            id: piece.words("id"),
            name: piece.words("name").unwrap_or_default(),
            arguments: piece
                .take("input")
                .map_or("{}".to_owned(), |input| input.to_string()),
            extra: piece.text(),
            ..ToolCall::default()
        }),
        "tool_result" => {
            let content = match piece.take("content") {
                Some(Json::Text(words)) => vec![ResultPart::Text(words.into_owned())],
                Some(Json::List(list)) => {
                    let parts = list.into_iter().map(|piece| {
                        Ok(match part(read, piece)? {
                            Part::Text(text) => ResultPart::Text(text.text),
                            Part::Media(media) => ResultPart::Media(media),
                            Part::Opaque(block) => ResultPart::Opaque(block),
                            _ => return Err("a result of something else".to_owned()),
                        })
                    });
                    parts.collect::<Result<_, String>>()?
                }
                _ => Vec::new(),
            };
            Part::ToolResult(ToolResult {
                call_id: piece.words("tool_use_id").unwrap_or_default(),
                content,
                is_error: piece.flag("is_error").unwrap_or(false),
                cache,
                extra: read.tail(piece),
                ..ToolResult::default()
            })
        }
        "thinking" => Part::Reasoning(Reasoning {
            text: piece.words("thinking").unwrap_or_default(),
            signature: piece.words("signature"),
            ..Reasoning::default()
        }),
        "redacted_thinking" => Part::Reasoning(Reasoning {
            redacted: piece.words("data"),
            ..Reasoning::default()
        }),
        "server_tool_use" | "mcp_tool_use" => Part::ServerToolCall(ServerToolCall {
            id: piece.words("id"),
            name: piece.words("name").unwrap_or_default(),
            input: None,
            data: whole,
        }),
        kind if kind.ends_with("_tool_result") => Part::ServerToolResult(ServerToolResult {
            call_id: piece.words("tool_use_id"),
            name: String::new(),
            is_error: false,
            content: Vec::new(),
            data: whole,
        }),
        kind => opaque(kind, whole),
    })
}

fn opaque(kind: &str, data: String) -> Part {
    Part::Opaque(Opaque {
        kind: kind.to_owned(),
        data,
    })
}

fn offered(read: &mut Read<'_>, tool: Json<'_>) {
    let mut tool = Taking::of(tool);
    let kind = tool
        .get("type")
        .and_then(Json::str)
        .unwrap_or("custom")
        .to_owned();
    if kind != "custom" {
        let names = [
            ("web_search_", "web-search"),
            ("web_fetch_", "web-fetch"),
            ("code_execution_", "code-execution"),
        ];
        let known = names.iter().find(|(begin, _)| kind.starts_with(begin));
        let name = match known {
            Some((_, name)) => (*name).to_owned(),
            None => {
                tool.take("type");
                kind
            }
        };
        let options = tool.text();
        read.request.server_tools.push(ServerTool { name, options });
        return;
    }
    tool.take("type");
    let cache = mark(&mut tool);
    let schema = tool.take("input_schema");
    let tool = Tool {
        name: tool.words("name").unwrap_or_default(),
        description: tool.words("description"),
        input: ToolInput::Schema(schema.map_or("{}".to_owned(), |schema| schema.to_string())),
        strict: tool.flag("strict"),
        defer_loading: tool.flag("defer_loading"),
        cache,
        extra: read.tail(tool),
    };
    read.request.tools.push(tool);
}

/// What Anthropic takes for the same.
pub(super) fn canonical(body: &mut Json<'_>) {
    drop(body, "model");
    drop_if(body, "stream", |value| *value == Json::Bool(false));
    for name in ["stop_sequences", "system", "tools"] {
        drop_if(body, name, |value| *value == Json::List(Vec::new()));
    }
    if let Some(choice) = member(body, "tool_choice") {
        drop_if(choice, "disable_parallel_tool_use", |value| {
            *value == Json::Bool(false)
        });
    }
    drop_if(body, "tool_choice", |value| {
        *value == Json::object([("type", "auto".into())])
    });
    // The former name of the form, and its present one.
    if let Some(form) = member(body, "output_format").map(std::mem::take) {
        drop(body, "output_format");
        body.merge(Json::object([(
            "output_config",
            Json::object([("format", form)]),
        )]));
    }
    pieces(body, "system", "text");
    for turn in elements(body, "messages") {
        pieces(turn, "content", "text");
        for piece in elements(turn, "content") {
            pieces(piece, "content", "text");
            drop_if(piece, "is_error", |value| *value == Json::Bool(false));
            marked(piece);
        }
    }
    for name in ["system", "tools"] {
        elements(body, name).iter_mut().for_each(marked);
    }
    if let Some(Json::List(tools)) = member(body, "tools") {
        tools.sort_by_key(|tool| tool.text("type").is_some_and(|kind| kind != "custom"));
        for tool in tools {
            drop_if(tool, "type", |value| value.str() == Some("custom"));
        }
    }
}

/// Five minutes are what a mark means without a word.
fn marked(piece: &mut Json<'_>) {
    if let Some(mark) = member(piece, "cache_control") {
        drop_if(mark, "ttl", |value| value.str() == Some("5m"));
    }
}
