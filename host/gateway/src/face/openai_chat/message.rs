//! The conversation.

use multillm::chat::{
    ChatMessage, Extra, OpaquePart, Part, ReasoningPart, ResultPart, Role, TextPart, ToolCall,
    ToolResult,
};
use serde_json::value::RawValue;

use super::super::anthropic::{self, Block};
use super::super::asked::Notes;
use super::super::body::{Fault, Object, Read, elements, is_text, json, spoken_by, string};
use super::super::responses::piece;
use super::super::{mark, media};

/// Members of messages and parts that change no meaning.
const HINTS: [&str; 12] = [
    "name",
    "tool_plan",
    "citations",
    "id",
    "index",
    "status",
    "phase",
    "annotations",
    "logprobs",
    "timestamp",
    "reasoning",
    "cache_control",
];

/// Every message, in order.
pub(in super::super) fn conversation(
    body: &Object<'_>,
    wire: &'static str,
    notes: &mut Notes,
) -> Read<Vec<ChatMessage>> {
    let list = body.list("messages")?;
    let list = list.ok_or_else(|| Fault::at("messages", "is required"))?;
    let mut turns = Turns {
        messages: Vec::with_capacity(list.len()),
        functions: 0,
        wire,
        notes,
    };
    for (at, value) in list.into_iter().enumerate() {
        let place = format!("messages[{at}]");
        let read = Object::of(value).and_then(|one| turns.add(&one, &place));
        read.map_err(|fault| fault.within(&place))?;
    }
    Ok(turns.messages)
}

struct Turns<'n> {
    messages: Vec<ChatMessage>,
    /// Calls of functions in the old way, which have no ids.
    functions: usize,
    wire: &'static str,
    notes: &'n mut Notes,
}

impl Turns<'_> {
    fn add(&mut self, one: &Object<'_>, place: &str) -> Read<()> {
        let role = one.required("role")?;
        let mut origin = None;
        let (role, parts) = match role.as_str() {
            "system" | "developer" => (Role::System, self.spoken(one, place, &mut origin)?),
            "user" => (Role::User, self.spoken(one, place, &mut origin)?),
            "assistant" | "model" => (Role::Assistant, self.answer(one, place, &mut origin)?),
            "tool" => (Role::Tool, vec![self.result(one, place)?]),
            "function" => (Role::Tool, vec![self.function_result(one)?]),
            other => {
                return Err(Fault::at(
                    "role",
                    format!("expected system, developer, user, assistant or tool, not {other:?}"),
                ));
            }
        };
        self.notes.unread(one, &HINTS, place);
        spoken_by(role, &parts)?;
        let own = parts.iter().any(is_own);
        let mut message = ChatMessage::new(role, parts);
        message.origin =
            origin.or_else(|| (own || role == Role::Assistant).then(|| self.wire.to_owned()));
        message.extra = Extra::of(self.wire, one.rest()?);
        // Results of Anthropic's form stand in messages of the user, beside text.
        self.messages.push(message);
        Ok(())
    }

    /// Text, or a list of parts.
    fn spoken(
        &mut self,
        one: &Object<'_>,
        place: &str,
        origin: &mut Option<String>,
    ) -> Read<Vec<Part>> {
        let Some(content) = one.raw("content") else {
            return Ok(vec![]);
        };
        let read = match is_text(content) {
            true => string(content).map(|text| vec![Part::text(text)]),
            false => elements(content).and_then(|list| {
                let parts = list.into_iter().enumerate().map(|(at, value)| {
                    let within = format!("{place}.content[{at}]");
                    self.part(value, &within, origin)
                        .map_err(|fault| fault.within(format!("[{at}]")))
                });
                parts.collect()
            }),
        };
        read.map_err(|fault| fault.within("content"))
    }

    fn part(&mut self, value: &RawValue, place: &str, origin: &mut Option<String>) -> Read<Part> {
        if is_text(value) {
            return Ok(Part::text(string(value)?));
        }
        let one = Object::of(value)?;
        let kind = one.required("type")?;
        let within = |fault: Fault| fault.within(&kind);
        if kind == "document" && one.has("document") {
            // Cohere's, which its face makes a text of.
            return Ok(Part::Opaque(OpaquePart {
                data: json(value)?.to_string(),
                kind,
            }));
        }
        let part = match kind.as_str() {
            "text" => Part::Text(TextPart {
                text: one.required("text")?,
                cache: media::cache_mark(&one)?,
                ..TextPart::default()
            }),
            "refusal" => Part::text(one.required("refusal")?),
            "image_url" | "video_url" => {
                let mut picture = match one.raw(&kind) {
                    Some(url) if is_text(url) => media::of_url(string(url)?).map_err(within)?,
                    _ => {
                        let inner = one.object(&kind)?;
                        let inner = inner.ok_or_else(|| Fault::at(&*kind, "is required"))?;
                        let url = inner.required("url").map_err(within)?;
                        let mut picture = media::of_url(url)
                            .map_err(|fault| fault.within("url").within(&kind))?;
                        picture.detail = inner.text("detail").map_err(within)?;
                        picture
                    }
                };
                if kind == "video_url" && picture.media_type().is_none() {
                    picture.media_type = Some("video".to_owned());
                }
                picture.cache = media::cache_mark(&one)?;
                Part::Media(picture)
            }
            "input_audio" => {
                let inner = one.object("input_audio")?;
                let inner = inner.ok_or_else(|| Fault::at("input_audio", "is required"))?;
                let format = inner.required("format").map_err(within)?;
                let data = inner.required("data").map_err(within)?;
                let sound = media::of_base64(&media::sound_type(&format), &data);
                Part::Media(sound.map_err(|fault| fault.within("data").within(&kind))?)
            }
            "file" => {
                let inner = one.object("file")?;
                let inner = inner.ok_or_else(|| Fault::at("file", "is required"))?;
                let mut file = file(&inner).map_err(within)?;
                file.cache = media::cache_mark(&one)?;
                Part::Media(file)
            }
            "tool_use" | "tool_result" | "thinking" | "redacted_thinking" | "image"
            | "document" => {
                return match anthropic::block(&one, value, self.wire, place, self.notes, origin)? {
                    Block::Known(part) | Block::Unknown(part) => Ok(part),
                };
            }
            _ => {
                if let Some(part) = piece(&one, &kind, self.wire, place, self.notes)? {
                    return Ok(part);
                }
                self.notes.own(place);
                return Ok(Part::Opaque(OpaquePart {
                    data: json(value)?.to_string(),
                    kind,
                }));
            }
        };
        self.notes.unread(&one, &HINTS, place);
        let rest = one.rest()?;
        Ok(with_tail(part, Extra::of(self.wire, rest)))
    }

    /// What the model said before.
    fn answer(
        &mut self,
        one: &Object<'_>,
        place: &str,
        origin: &mut Option<String>,
    ) -> Read<Vec<Part>> {
        let mut parts = thoughts(one, origin)?;
        parts.extend(self.spoken(one, place, origin)?);
        if let Some(refusal) = one.text("refusal")? {
            parts.push(Part::text(refusal));
        }
        if let Some(audio) = one.json("audio")? {
            parts.push(Part::Opaque(OpaquePart {
                kind: "audio".to_owned(),
                data: audio.to_string(),
            }));
        }
        let calls = one.list("tool_calls")?.unwrap_or_default();
        for (at, value) in calls.into_iter().enumerate() {
            let read = Object::of(value).and_then(|one| call(&one, self.wire, origin));
            let place = || format!("tool_calls[{at}]");
            parts.push(Part::ToolCall(read.map_err(|fault| fault.within(place()))?));
        }
        if let Some(function) = one.object("function_call")? {
            self.functions += 1;
            let within = |fault: Fault| fault.within("function_call");
            parts.push(Part::ToolCall(ToolCall {
                id: old_id(self.functions),
                local: true,
                name: function.required("name").map_err(within)?,
                arguments: function
                    .text("arguments")
                    .map_err(within)?
                    .unwrap_or_default(),
                ..ToolCall::default()
            }));
        }
        Ok(parts)
    }

    fn result(&mut self, one: &Object<'_>, place: &str) -> Read<Part> {
        let id = mark::read_id(&one.required("tool_call_id")?).id;
        let mut origin = None;
        let parts = self.spoken(one, place, &mut origin)?;
        Ok(Part::ToolResult(ToolResult {
            name: self.called(&id).or(one.text("name")?).unwrap_or_default(),
            call_id: id,
            content: parts.into_iter().filter_map(returned).collect(),
            ..ToolResult::default()
        }))
    }

    /// The result of a function of the old way belongs to the last call.
    fn function_result(&mut self, one: &Object<'_>) -> Read<Part> {
        Ok(Part::ToolResult(ToolResult {
            call_id: old_id(self.functions),
            name: one.required("name")?,
            content: vec![ResultPart::Text {
                text: one.text("content")?.unwrap_or_default(),
            }],
            local: true,
            ..ToolResult::default()
        }))
    }

    /// The name of the tool that was called by this id.
    fn called(&self, id: &str) -> Option<String> {
        let parts = self
            .messages
            .iter()
            .rev()
            .flat_map(|message| &message.content);
        parts.into_iter().find_map(|part| match part {
            Part::ToolCall(call) if call.id == id => Some(call.name.clone()),
            _ => None,
        })
    }
}

fn old_id(number: usize) -> String {
    format!("call_function_{number}")
}

/// A file: its bytes, or a vendor's id of it.
fn file(inner: &Object<'_>) -> Read<multillm::chat::MediaPart> {
    let mut file = match (inner.text("file_data")?, inner.text("file_id")?) {
        (Some(data), _) if data.starts_with("data:") => media::of_url(data),
        (Some(data), _) => media::of_base64("application/pdf", &data),
        (None, Some(id)) => Ok(multillm::chat::MediaPart::file(id)),
        (None, None) => return Err(Fault::at("file_data", "is required")),
    }
    .map_err(|fault| fault.within("file_data"))?;
    file.name = inner.text("filename")?;
    Ok(file)
}

/// Thoughts that stand beside the content. Details of them hold the same words with their signatures.
fn thoughts(one: &Object<'_>, origin: &mut Option<String>) -> Read<Vec<Part>> {
    let said = one.text("reasoning_content")?;
    let Some(details) = one.peek("reasoning_details") else {
        let plain = said
            .or(one.text("reasoning")?)
            .filter(|text| !text.is_empty());
        let plain = plain.map(|text| ReasoningPart {
            text,
            ..ReasoningPart::default()
        });
        return Ok(plain.into_iter().map(Part::Reasoning).collect());
    };
    let read = details_of(details, origin).map_err(|fault| fault.within("reasoning_details"))?;
    Ok(match read {
        Some(parts) => {
            one.raw("reasoning_details");
            parts
        }
        // A vendor's own, to be sent back as they are.
        None => vec![Part::Opaque(OpaquePart {
            kind: "reasoning_details".to_owned(),
            data: one
                .json("reasoning_details")?
                .unwrap_or_default()
                .to_string(),
        })],
    })
}

/// Details that this face wrote; nothing if they are somebody else's.
fn details_of(details: &RawValue, origin: &mut Option<String>) -> Read<Option<Vec<Part>>> {
    let mut parts = vec![];
    for value in elements(details)? {
        let one = Object::of(value)?;
        let (signature, data) = (one.text("signature")?, one.text("data")?);
        let Some(written) = signature.as_deref().or(data.as_deref()) else {
            return Ok(None);
        };
        let (Some(plugin), original) = mark::unsigned(written) else {
            return Ok(None);
        };
        *origin = Some(plugin.to_owned());
        let mut thought = ReasoningPart {
            text: one.text("text")?.unwrap_or_default(),
            ..ReasoningPart::default()
        };
        match signature.is_some() {
            true => thought.signature = Some(original.to_owned()),
            false => thought.redacted = Some(original.to_owned()),
        }
        parts.push(Part::Reasoning(thought));
    }
    Ok(Some(parts))
}

/// A call of a tool, or of one that takes free text.
fn call(one: &Object<'_>, wire: &str, origin: &mut Option<String>) -> Read<ToolCall> {
    let id = one.text("id")?.unwrap_or_default();
    let kind = one.text("type")?;
    let (inner, field) = match kind.as_deref() {
        Some("custom") => (one.object("custom")?, "input"),
        _ => (one.object("function")?, "arguments"),
    };
    let inner = inner.ok_or_else(|| Fault::at("function", "is required"))?;
    let arguments = match inner.raw(field) {
        None => String::new(),
        Some(text) if is_text(text) => string(text)?,
        // Some callers send the arguments as an object.
        Some(object) => json(object)?.to_string(),
    };
    let (mut call, plugin) = mark::call(&id, inner.required("name")?, arguments);
    if plugin.is_some() {
        *origin = plugin;
    } else if let Some(extra) = one.json("extra_content")? {
        call.signature = Some(extra.to_string());
    }
    one.raw("index");
    call.extra = Extra::of(wire, one.rest()?);
    Ok(call)
}

fn returned(part: Part) -> Option<ResultPart> {
    match part {
        Part::Text(text) => Some(ResultPart::Text { text: text.text }),
        Part::Media(media) => Some(ResultPart::Media(media)),
        Part::Opaque(block) => Some(ResultPart::Opaque(block)),
        _ => None,
    }
}

/// Whether only those who speak this wire understand a part.
fn is_own(part: &Part) -> bool {
    matches!(
        part,
        Part::Opaque(_) | Part::Reasoning(_) | Part::ServerToolCall(_) | Part::ServerToolResult(_)
    )
}

fn with_tail(mut part: Part, tail: Extra) -> Part {
    match &mut part {
        Part::Text(text) => text.extra = tail,
        Part::Media(media) => media.extra = tail,
        _ => {}
    }
    part
}
