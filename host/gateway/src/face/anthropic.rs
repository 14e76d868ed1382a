//! Anthropic's messages: the wire of Claude Code and of Anthropic's SDKs.

mod answer;
mod blocks;
mod citation;
mod stream;

pub(super) use answer::whole;
pub(super) use blocks::{Block, block};
pub(super) use stream::Stream;

use multillm::Result;
use multillm::chat::{
    ChatMessage, ChatRequest, Extra, JsonSchema, Part, ReasoningEffort, ResponseFormat, Role,
    Sampling,
};
use serde_json::value::RawValue;

use super::Face;
use super::asked::{Asked, Form, Notes};
use super::body::{Fault, Object, Read, elements, is_text, json, spoken_by, string};
use super::openai_chat::{choice, effort_of, tool};

/// The wire.
const WIRE: &str = "anthropic-messages";

/// What changes no meaning: a vendor of another wire is not told, and nobody misses it. Edits of the context keep
/// less of the past than there is; whoever does not know them keeps all of it.
const HINTS: [&str; 11] = [
    "metadata",
    "service_tier",
    "context_management",
    "cache_control",
    "anthropic_version",
    "anthropic_beta",
    "betas",
    "speed",
    "thinking",
    "output_config",
    "output_format",
];

/// Reads a body.
pub(super) fn read(body: &Object<'_>) -> Result<Asked> {
    Ok(asked(body)?)
}

fn asked(body: &Object<'_>) -> Read<Asked> {
    let mut notes = Notes::default();
    body.raw("model");
    body.raw("stream");
    let mut request = ChatRequest {
        messages: conversation(body, &mut notes)?,
        sampling: Sampling {
            max_tokens: body.count("max_tokens")?,
            temperature: body.get("temperature")?,
            top_p: body.get("top_p")?,
            top_k: body.count("top_k")?,
            stop: body.get("stop_sequences")?.unwrap_or_default(),
            ..Sampling::default()
        },
        ..ChatRequest::default()
    };
    tools(body, &mut request, &mut notes)?;
    request.reasoning_effort = thinking(body, &mut notes)?;
    output(body, &mut request, &mut notes)?;
    notes.unread(body, &HINTS, "");
    request.extra_by_wire = Extra::of(WIRE, body.rest()?);
    Ok(Asked {
        shape: Face::AnthropicMessages,
        model: None,
        stream: false,
        request,
        unmet: notes.into(),
        form: Form::new(Face::AnthropicMessages),
    })
}

fn conversation(body: &Object<'_>, notes: &mut Notes) -> Read<Vec<ChatMessage>> {
    let mut messages = vec![];
    if let Some(system) = body.raw("system") {
        let parts = spoken(system, "system", notes, &mut None);
        let parts = parts.map_err(|fault| fault.within("system"))?;
        messages.push(ChatMessage::new(Role::System, parts));
    }
    let list = body.list("messages")?;
    let list = list.ok_or_else(|| Fault::at("messages", "is required"))?;
    for (at, value) in list.into_iter().enumerate() {
        let place = format!("messages[{at}]");
        let read = Object::of(value).and_then(|one| message(&one, &place, notes));
        messages.push(read.map_err(|fault| fault.within(&place))?);
    }
    name_results(&mut messages);
    Ok(messages)
}

fn message(one: &Object<'_>, place: &str, notes: &mut Notes) -> Read<ChatMessage> {
    let role = match one.required("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => {
            return Err(Fault::at(
                "role",
                format!("expected user or assistant, not {other:?}"),
            ));
        }
    };
    let mut origin = None;
    let content = one.raw("content");
    let content = content.ok_or_else(|| Fault::at("content", "is required"))?;
    let parts = spoken(content, &format!("{place}.content"), notes, &mut origin);
    let parts = parts.map_err(|fault| fault.within("content"))?;
    spoken_by(role, &parts)?;
    notes.unread(one, &[], place);
    let mut message = ChatMessage::new(role, parts);
    message.extra = Extra::of(WIRE, one.rest()?);
    message.origin = origin.or_else(|| Some(WIRE.to_owned()));
    Ok(message)
}

/// A text, or a list of blocks.
fn spoken(
    content: &RawValue,
    place: &str,
    notes: &mut Notes,
    origin: &mut Option<String>,
) -> Read<Vec<Part>> {
    if is_text(content) {
        return Ok(vec![Part::text(string(content)?)]);
    }
    let mut parts = vec![];
    for (at, value) in elements(content)?.into_iter().enumerate() {
        let within = |fault: Fault| fault.within(format!("[{at}]"));
        if is_text(value) {
            parts.push(Part::text(string(value).map_err(within)?));
            continue;
        }
        let place = format!("{place}[{at}]");
        let one = Object::of(value).map_err(within)?;
        let read = block(&one, value, WIRE, &place, notes, origin).map_err(within)?;
        parts.push(match read {
            Block::Known(part) => part,
            Block::Unknown(part) => {
                notes.own(&place);
                part
            }
        });
    }
    Ok(parts)
}

/// Results name their call; other vendors want the name of the tool too.
fn name_results(messages: &mut [ChatMessage]) {
    let mut names = std::collections::HashMap::new();
    for message in messages {
        for part in &mut message.content {
            match part {
                Part::ToolCall(call) => {
                    names.insert(call.id.clone(), call.name.clone());
                }
                Part::ToolResult(result) => {
                    if let Some(name) = names.get(&result.call_id) {
                        result.name.clone_from(name);
                    }
                }
                _ => {}
            }
        }
    }
}

fn tools(body: &Object<'_>, request: &mut ChatRequest, notes: &mut Notes) -> Read<()> {
    for (at, value) in body
        .list("tools")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let place = format!("tools[{at}]");
        let read = Object::of(value).and_then(|one| tool(&one, WIRE, &place, request, notes));
        read.map_err(|fault| fault.within(&place))?;
    }
    let Some(value) = body.raw("tool_choice") else {
        return Ok(());
    };
    let within = |fault: Fault| fault.within("tool_choice");
    request.tool_choice = choice(value, request, notes).map_err(within)?;
    if !is_text(value) {
        let chosen = Object::of(value).map_err(within)?;
        let alone: Option<bool> = chosen.get("disable_parallel_tool_use").map_err(within)?;
        request.parallel_tool_calls = alone.map(|alone| !alone);
    }
    Ok(())
}

/// How much to think. The vendor's own words stay for models of the same wire: a budget is none of ours, and to
/// leave it to the model (`adaptive`) is what others do by themselves.
fn thinking(body: &Object<'_>, notes: &mut Notes) -> Read<Option<ReasoningEffort>> {
    let Some(value) = body.peek("thinking") else {
        return Ok(None);
    };
    let within = |fault: Fault| fault.within("thinking");
    let one = Object::of(value).map_err(within)?;
    Ok(match one.required("type").map_err(within)?.as_str() {
        "enabled" => match one.count("budget_tokens").map_err(within)? {
            None => None,
            Some(..2048) => Some(ReasoningEffort::Minimal),
            Some(..4096) => Some(ReasoningEffort::Low),
            Some(..16_384) => Some(ReasoningEffort::Medium),
            Some(_) => Some(ReasoningEffort::High),
        },
        "adaptive" | "disabled" => None,
        _ => {
            notes.own("thinking");
            None
        }
    })
}

/// The form of the answer and the effort, in the present and in the older place.
fn output(body: &Object<'_>, request: &mut ChatRequest, notes: &mut Notes) -> Read<()> {
    if let Some(value) = body.peek("output_config") {
        let within = |fault: Fault| fault.within("output_config");
        let config = Object::of(value).map_err(within)?;
        if let Some(word) = config.text("effort").map_err(within)? {
            let known = effort_of(&word);
            if known.is_none() {
                notes.own("output_config.effort");
            }
            request.reasoning_effort = known.or(request.reasoning_effort);
        }
        if let Some(format) = config.object("format").map_err(within)? {
            request.response_format =
                schema(&format).map_err(|fault| within(fault.within("format")))?;
        }
        notes.unread(&config, &[], "output_config");
    }
    if let Some(format) = body.object("output_format")? {
        let read = schema(&format).map_err(|fault| fault.within("output_format"));
        request.response_format = read?;
    }
    Ok(())
}

fn schema(format: &Object<'_>) -> Read<ResponseFormat> {
    match format.required("type")?.as_str() {
        "json_schema" => {}
        other => {
            return Err(Fault::at(
                "type",
                format!("expected json_schema, not {other:?}"),
            ));
        }
    }
    let schema = format.raw("schema");
    let schema = schema.ok_or_else(|| Fault::at("schema", "is required"))?;
    Ok(ResponseFormat::JsonSchema(JsonSchema {
        name: "answer".to_owned(),
        description: None,
        schema: json(schema).map_err(|fault| fault.within("schema"))?,
        strict: None,
    }))
}

#[cfg(test)]
mod tests;
