//! Bodies of Gemini, in either of its two spellings.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    JsonSchema, Media, MediaSource, Opaque, Part, Reasoning, ResponseFormat, ResultPart, Role,
    ServerTool, Text, Tool, ToolCall, ToolChoice, ToolInput, ToolResult,
};

use super::reading::{Read, Taking, message, stops};
use super::same::{drop, drop_if, elements, member};
use crate::case::Case;

pub(super) fn read<'a>(case: &Case, mut body: Json<'a>) -> Result<Read<'a>, String> {
    spell(&mut body);
    let mut read = Read::default();
    let mut body = Taking::of(body);
    body.take("model");
    read.streams = case.stream;
    if let Some(system) = body.take("systemInstruction") {
        let parts = parts(&mut read, system.get("parts").map_or(&[][..], Json::list));
        read.request
            .messages
            .push(message(Role::System, parts, None));
    }
    for turn in body.list("contents") {
        let role = match turn.text("role") {
            Some("model") => Role::Assistant,
            _ => Role::User,
        };
        let list = turn.get("parts").map_or(&[][..], Json::list);
        let (results, others): (Vec<_>, Vec<_>) = parts(&mut read, list)
            .into_iter()
            .partition(|part| matches!(part, Part::ToolResult(_)));
        if !results.is_empty() {
            read.request
                .messages
                .push(message(Role::Tool, results, None));
        }
        if !others.is_empty() {
            read.request.messages.push(message(role, others, None));
        }
    }
    for tool in body.list("tools") {
        offered(&mut read, tool);
    }
    if let Some(mode) = body
        .get("toolConfig")
        .and_then(|config| config.at(&["functionCallingConfig", "mode"]))
    {
        let names = body
            .get("toolConfig")
            .and_then(|config| config.at(&["functionCallingConfig", "allowedFunctionNames"]));
        let names: Vec<_> = names
            .map_or(&[][..], Json::list)
            .iter()
            .filter_map(|name| name.str().map(str::to_owned))
            .collect();
        let choice = match (mode.str(), names.as_slice()) {
            (Some("ANY"), [name]) => Some(ToolChoice::Named(name.clone())),
            (Some("ANY"), []) => Some(ToolChoice::Required),
            (Some("ANY"), _) => Some(ToolChoice::OneOf(names.clone())),
            (Some("NONE"), _) => Some(ToolChoice::None),
            (Some("AUTO"), []) => Some(ToolChoice::Auto),
            _ => None,
        };
        if let Some(choice) = choice {
            read.request.tool_choice = choice;
            body.take("toolConfig");
        }
    }
    if let Some(safety) = body.take("safetySettings") {
        read.set("safety_settings", safety);
    }
    if let Some(name) = body.words("cachedContent") {
        read.set("cached_content", name);
    }
    let mut config = Taking::of(body.take("generationConfig").unwrap_or_default());
    let sampling = &mut read.request.sampling;
    sampling.max_tokens = config.count("maxOutputTokens");
    sampling.temperature = config.float("temperature");
    sampling.top_p = config.float("topP");
    sampling.top_k = config.count("topK");
    sampling.seed = config.count("seed").map(i64::from);
    sampling.frequency_penalty = config.float("frequencyPenalty");
    sampling.presence_penalty = config.float("presencePenalty");
    sampling.stop = stops(config.take("stopSequences"));
    form(&mut read, &mut config);
    if let Some(thinking) = config.take("thinkingConfig") {
        let mut thinking = Taking::of(thinking);
        if let Some(flag) = thinking.flag("includeThoughts") {
            read.set("include_thoughts", flag);
        }
        if let Some(budget) = thinking.take("thinkingBudget") {
            read.set("thinking_budget", budget);
        }
        if let Some(level) = thinking.words("thinkingLevel") {
            read.set("thinking_level", level.to_ascii_lowercase());
        }
    }
    if let Some(rest) = config.rest() {
        body.put("generationConfig", rest);
    }
    Ok(read.end(body))
}

fn form(read: &mut Read<'_>, config: &mut Taking<'_>) {
    let json = config.take("responseMimeType");
    let (new, old) = (
        config.take("responseJsonSchema"),
        config.take("responseSchema"),
    );
    if old.is_some() {
        read.set("schema_style", "openapi");
    }
    read.request.response_format = match (new.or(old), json) {
        (Some(schema), _) => ResponseFormat::JsonSchema(JsonSchema {
            name: "answer".to_owned(),
            description: None,
            schema: schema.to_string(),
            strict: None,
        }),
        (None, Some(_)) => ResponseFormat::Json,
        (None, None) => ResponseFormat::Text,
    };
}

fn parts(read: &mut Read<'_>, list: &[Json<'_>]) -> Vec<Part> {
    list.iter().map(|one| part(read, one)).collect()
}

fn part(read: &mut Read<'_>, one: &Json<'_>) -> Part {
    let signature = one.text("thoughtSignature").map(str::to_owned);
    let said = |value: &Json<'_>, name: &str| value.text(name).map(str::to_owned);
    if let Some(call) = one.get("functionCall") {
        let id = said(call, "id");
        let name = said(call, "name").unwrap_or_default();
        return Part::ToolCall(ToolCall {
            local: id.is_none(),
            id: id.or_else(|| Some(format!("local-{name}"))),
            arguments: call.get("args").map_or("{}".to_owned(), Json::to_string),
            name,
            signature,
            ..ToolCall::default()
        });
    }
    if let Some(result) = one.get("functionResponse") {
        let id = said(result, "id");
        let name = said(result, "name").unwrap_or_default();
        let response = result
            .get("response")
            .map_or("{}".to_owned(), Json::to_string);
        return Part::ToolResult(ToolResult {
            local: id.is_none(),
            call_id: id.unwrap_or_else(|| format!("local-{name}")),
            name,
            content: vec![ResultPart::Text(response)],
            ..ToolResult::default()
        });
    }
    if let Some(data) = one.get("inlineData") {
        let kind = said(data, "mimeType").unwrap_or_default();
        let media = read.blob(&kind, data.text("data").unwrap_or_default());
        return Part::Media(media);
    }
    if let Some(file) = one.get("fileData") {
        let url = said(file, "fileUri").unwrap_or_default();
        let media = Media::from_source(MediaSource::Url(url), said(file, "mimeType"));
        return Part::Media(media);
    }
    match one.get("text").and_then(Json::str) {
        Some(words) if one.get("thought").and_then(Json::bool) == Some(true) => {
            Part::Reasoning(Reasoning {
                text: words.to_owned(),
                signature,
                ..Reasoning::default()
            })
        }
        Some(words) => Part::Text(Text {
            signature,
            ..Text::new(words)
        }),
        None => {
            let kind = match one {
                Json::Object(members) => members.first().map_or("", |(name, _)| name),
                _ => "",
            };
            Part::Opaque(Opaque {
                kind: kind.to_owned(),
                data: one.to_string(),
            })
        }
    }
}

fn offered(read: &mut Read<'_>, tool: Json<'_>) {
    let mut tool = Taking::of(tool);
    for one in tool.list("functionDeclarations") {
        let mut one = Taking::of(one);
        let (new, old) = (one.take("parametersJsonSchema"), one.take("parameters"));
        if old.is_some() {
            read.set("schema_style", "openapi");
        }
        let schema = new
            .or(old)
            .map_or("{}".to_owned(), |schema| schema.to_string());
        let tool = Tool {
            name: one.words("name").unwrap_or_default(),
            description: one.words("description"),
            input: ToolInput::Schema(schema),
            extra: read.tail(one),
            ..Tool::default()
        };
        read.request.tools.push(tool);
    }
    for (name, unified) in [
        ("googleSearch", "web-search"),
        ("urlContext", "web-fetch"),
        ("codeExecution", "code-execution"),
        ("fileSearch", "file-search"),
    ] {
        if let Some(options) = tool.take(name) {
            let options = (options != Json::Object(Vec::new())).then(|| options.to_string());
            read.request.server_tools.push(ServerTool {
                name: unified.to_owned(),
                options,
            });
        }
    }
}

/// Gemini reads names in either spelling. What stands in schemas, arguments and responses is the caller's.
fn spell(value: &mut Json<'_>) {
    const KEPT: [&str; 4] = ["args", "response", "parameters", "properties"];
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                let mut spelled = String::new();
                let mut words = name.split('_');
                spelled.push_str(words.next().unwrap_or_default());
                for word in words {
                    let mut letters = word.chars();
                    spelled.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
                    spelled.push_str(letters.as_str());
                }
                *name = spelled.into();
                let schema = name.ends_with("Schema");
                if !KEPT.contains(&&**name) && !schema {
                    spell(value);
                }
            }
        }
        Json::List(list) => list.iter_mut().for_each(spell),
        _ => {}
    }
}

/// What Gemini takes for the same.
pub(super) fn canonical(body: &mut Json<'_>) {
    spell(body);
    drop(body, "model");
    if let Some(system) = member(body, "systemInstruction") {
        drop(system, "role");
    }
    let auto = Json::object([("mode", "AUTO".into())]);
    let auto = Json::object([("functionCallingConfig", auto)]);
    drop_if(body, "toolConfig", |value| *value == auto);
    if let Some(config) = member(body, "generationConfig") {
        drop_if(config, "stopSequences", |value| {
            *value == Json::List(Vec::new())
        });
        if let Some(thinking) = member(config, "thinkingConfig")
            && let Some(Json::Text(level)) = member(thinking, "thinkingLevel")
        {
            *level = level.to_ascii_lowercase().into();
        }
    }
    for name in ["generationConfig", "toolConfig"] {
        drop_if(body, name, |value| *value == Json::Object(Vec::new()));
    }
    if let Some(config) = member(body, "generationConfig") {
        schema(config, "responseSchema", "responseJsonSchema");
    }
    for tool in elements(body, "tools") {
        for function in elements(tool, "functionDeclarations") {
            schema(function, "parameters", "parametersJsonSchema");
        }
    }
    if let Some(Json::List(turns)) = member(body, "contents") {
        let mut merged: Vec<Json<'_>> = Vec::new();
        for mut turn in std::mem::take(turns) {
            drop_if(&mut turn, "role", |value| value.str() == Some("user"));
            match merged.last_mut() {
                // Turns of one side are one turn.
                Some(last) if last.text("role") == turn.text("role") => {
                    let more = member(&mut turn, "parts").map(std::mem::take);
                    if let (Some(Json::List(parts)), Some(Json::List(more))) =
                        (member(last, "parts"), more)
                    {
                        parts.extend(more);
                    }
                }
                _ => merged.push(turn),
            }
        }
        *turns = merged;
    }
}

/// A schema under either of its names, in either spelling of its types; one that takes nothing is none.
fn schema(place: &mut Json<'_>, old: &str, new: &'static str) {
    let found = [old, new].into_iter().find_map(|name| {
        let found = member(place, name).map(std::mem::take)?;
        drop(place, name);
        Some(found)
    });
    if let Some(mut found) = found {
        lower(&mut found);
        let bare = found
            .get("properties")
            .is_none_or(|all| *all == Json::Object(Vec::new()));
        if !(bare && found.text("type") == Some("object")) {
            place.merge(Json::object([(new, found)]));
        }
    }
}

fn lower(value: &mut Json<'_>) {
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                match value {
                    Json::Text(kind) if name == "type" => *kind = kind.to_ascii_lowercase().into(),
                    value => lower(value),
                }
            }
        }
        Json::List(list) => list.iter_mut().for_each(lower),
        _ => {}
    }
}
