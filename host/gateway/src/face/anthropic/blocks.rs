//! Blocks of messages.

use multillm::chat::{
    Extra, Json, MediaPart, OpaquePart, Part, ReasoningPart, ResultPart, ServerToolCall,
    ServerToolResult, TextPart, ToolResult,
};
use serde_json::value::RawValue;

use super::super::asked::Notes;
use super::super::body::{Fault, Object, Read, elements, is_text, json, string};
use super::super::openai_chat::unified;
use super::super::{mark, media};
use super::answer::RAW;
use super::citation;

/// A block that was read.
pub(in super::super) enum Block {
    /// One that has a unified form.
    Known(Part),
    /// Another of the vendor's own, kept as it is.
    Unknown(Part),
}

/// Reads a block. `origin` becomes the plugin that a mark in it names.
pub(in super::super) fn block(
    one: &Object<'_>,
    value: &RawValue,
    wire: &str,
    place: &str,
    notes: &mut Notes,
    origin: &mut Option<String>,
) -> Read<Block> {
    let kind = one.required("type")?;
    let mut part = match kind.as_str() {
        "text" => Part::Text(TextPart {
            text: one.required("text")?,
            citations: citation::read(one)?,
            cache: media::cache_mark(one)?,
            ..TextPart::default()
        }),
        "image" | "document" => match medium(one, &kind)? {
            Some(media) => Part::Media(media),
            None => return Ok(Block::Unknown(own(&kind, value)?)),
        },
        "thinking" => thought(one, origin)?,
        "redacted_thinking" => {
            let data = one.required("data")?;
            let (plugin, data) = mark::unsigned(&data);
            *origin = plugin.map(str::to_owned).or(origin.take());
            Part::Reasoning(ReasoningPart {
                redacted: Some(data.to_owned()),
                ..ReasoningPart::default()
            })
        }
        "tool_use" => {
            let input = one.json("input")?;
            let input = input.map_or_else(|| "{}".to_owned(), |input| raw(&input));
            let (call, plugin) = mark::call(&one.required("id")?, one.required("name")?, input);
            *origin = plugin.or(origin.take());
            // A mark for the cache holds for what stands before the call; no other wire has one here.
            Part::ToolCall(call)
        }
        "tool_result" => Part::ToolResult(result(one, wire, place, notes)?),
        "server_tool_use" | "mcp_tool_use" => Part::ServerToolCall(ServerToolCall {
            id: one.text("id")?,
            name: unified(&one.required("name")?).to_owned(),
            input: one.json("input")?.map(|input| input.to_string()),
            data: json(value)?.to_string(),
        }),
        _ if kind.ends_with("_tool_result") => {
            let name = kind.trim_end_matches("_tool_result");
            Part::ServerToolResult(ServerToolResult {
                call_id: one.text("tool_use_id")?,
                name: unified(name).to_owned(),
                is_error: one.get("is_error")?.unwrap_or(false),
                content: vec![],
                data: json(value)?.to_string(),
            })
        }
        _ => return Ok(Block::Unknown(own(&kind, value)?)),
    };
    if let Some(tail) = tail(&mut part) {
        notes.unread(one, &["cache_control", "caller", "toolset_name"], place);
        *tail = Extra::of(wire, one.rest()?);
    }
    Ok(Block::Known(part))
}

/// Arguments as the text that they were, if that was no object.
fn raw(input: &Json) -> String {
    let members = input.to_object().unwrap_or_default();
    let text = || {
        members
            .get(RAW)?
            .to_value()
            .ok()?
            .as_str()
            .map(str::to_owned)
    };
    match members.values().count() {
        1 => text().unwrap_or_else(|| input.to_string()),
        _ => input.to_string(),
    }
}

fn own(kind: &str, value: &RawValue) -> Read<Part> {
    Ok(Part::Opaque(OpaquePart {
        kind: kind.to_owned(),
        data: json(value)?.to_string(),
    }))
}

/// Where the members that nobody read are kept. Blocks that go back as they are have them anyway.
fn tail(part: &mut Part) -> Option<&mut Extra> {
    match part {
        Part::Text(text) => Some(&mut text.extra),
        Part::Media(media) => Some(&mut media.extra),
        Part::Reasoning(thought) => Some(&mut thought.extra),
        Part::ToolCall(call) => Some(&mut call.extra),
        Part::ToolResult(result) => Some(&mut result.extra),
        Part::ServerToolCall(_) | Part::ServerToolResult(_) | Part::Opaque(_) => None,
    }
}

/// Thoughts with their signature. An empty one is none: whoever answers without gets it so.
fn thought(one: &Object<'_>, origin: &mut Option<String>) -> Read<Part> {
    let signature = one.text("signature")?.unwrap_or_default();
    let (plugin, signature) = mark::unsigned(&signature);
    *origin = plugin.map(str::to_owned).or(origin.take());
    Ok(Part::Reasoning(ReasoningPart {
        text: one.text("thinking")?.unwrap_or_default(),
        signature: (!signature.is_empty()).then(|| signature.to_owned()),
        ..ReasoningPart::default()
    }))
}

/// A picture or a document; nothing if it is of a form that only this vendor knows.
fn medium(one: &Object<'_>, kind: &str) -> Read<Option<MediaPart>> {
    let source = one.object("source")?;
    let source = source.ok_or_else(|| Fault::at("source", "is required"))?;
    let within = |fault: Fault| fault.within("source");
    let mut media = match source.required("type").map_err(within)?.as_str() {
        "base64" => {
            let media_type = source
                .text("media_type")
                .map_err(within)?
                .unwrap_or_default();
            let data = source.required("data").map_err(within)?;
            let read = media::of_base64(&media_type, &data);
            read.map_err(|fault| within(fault.within("data")))?
        }
        "text" => {
            let media_type = source.text("media_type").map_err(within)?;
            let data = source.required("data").map_err(within)?;
            MediaPart::of_type(media_type.unwrap_or_else(|| "text/plain".to_owned()), data)
        }
        "url" => {
            let read = media::of_url(source.required("url").map_err(within)?);
            let mut media = read.map_err(|fault| within(fault.within("url")))?;
            if kind == "document" && media.media_type().is_none() {
                media.media_type = Some("application/pdf".to_owned());
            }
            media
        }
        "file" => MediaPart::file(source.required("file_id").map_err(within)?),
        _ => return Ok(None),
    };
    media.name = one.text("title")?;
    media.cache = media::cache_mark(one)?;
    let cited = one.peek("citations").map(Object::of).transpose()?;
    if cited.is_some_and(|cited| matches!(cited.get("enabled"), Ok(Some(false)))) {
        one.raw("citations");
    }
    Ok(Some(media))
}

/// What a tool returned.
fn result(one: &Object<'_>, wire: &str, place: &str, notes: &mut Notes) -> Read<ToolResult> {
    let mut content = vec![];
    match one.raw("content") {
        None => {}
        Some(text) if is_text(text) => content.push(ResultPart::Text {
            text: string(text)?,
        }),
        Some(list) => {
            let within = |at: usize| move |fault: Fault| fault.within(format!("content[{at}]"));
            for (at, value) in elements(list)?.into_iter().enumerate() {
                let inner = Object::of(value).map_err(within(at))?;
                let place = format!("{place}.content[{at}]");
                let read = block(&inner, value, wire, &place, notes, &mut None);
                content.push(match read.map_err(within(at))? {
                    Block::Known(Part::Text(text))
                        if text.extra.is_empty() && text.citations.is_empty() =>
                    {
                        ResultPart::Text { text: text.text }
                    }
                    Block::Known(Part::Media(media)) => ResultPart::Media(media),
                    Block::Known(_) | Block::Unknown(_) => {
                        notes.own(&place);
                        let kind = inner.required("type").map_err(within(at))?;
                        ResultPart::Opaque(OpaquePart {
                            kind,
                            data: json(value).map_err(within(at))?.to_string(),
                        })
                    }
                });
            }
        }
    }
    Ok(ToolResult {
        call_id: mark::read_id(&one.required("tool_use_id")?).id,
        content,
        is_error: one.get("is_error")?.unwrap_or(false),
        cache: media::cache_mark(one)?,
        ..ToolResult::default()
    })
}
