//! The conversation, as items: messages, thoughts, calls and what they returned.

use multillm::chat::{
    ChatMessage, Extra, OpaquePart, Part, ReasoningPart, ResultPart, Role, ServerToolCall,
    ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::super::asked::Notes;
use super::super::body::{Fault, Object, Read, elements, is_text, json, string};
use super::super::calls::FREE;
use super::super::mark;
use super::super::openai_chat::unified;
use super::answer::OURS;
use super::{WIRE, piece};

/// Every item, as messages: what the model said in one turn is one message.
pub(super) fn conversation(body: &Object<'_>, notes: &mut Notes) -> Read<Vec<ChatMessage>> {
    let mut turns = Turns {
        messages: vec![],
        notes,
    };
    if let Some(instructions) = body.text("instructions")? {
        turns.messages.push(ChatMessage::system(instructions));
    }
    match body.raw("input") {
        None => {}
        Some(text) if is_text(text) => {
            let text = string(text).map_err(|fault| fault.within("input"))?;
            turns.messages.push(ChatMessage::user(text));
        }
        Some(list) => {
            let items = elements(list).map_err(|fault| fault.within("input"))?;
            for (at, value) in items.into_iter().enumerate() {
                let place = format!("input[{at}]");
                let read = Object::of(value).and_then(|one| turns.item(&one, value, &place));
                read.map_err(|fault| fault.within(&place))?;
            }
        }
    }
    Ok(turns.messages)
}

struct Turns<'n> {
    messages: Vec<ChatMessage>,
    notes: &'n mut Notes,
}

impl Turns<'_> {
    fn item(&mut self, one: &Object<'_>, value: &RawValue, place: &str) -> Read<()> {
        let kind = one.text("type")?.unwrap_or_else(|| "message".to_owned());
        forget_ours(one);
        match kind.as_str() {
            "message" => self.message(one, place),
            "reasoning" => {
                let (thought, plugin) = thought(one)?;
                self.said(Part::Reasoning(thought), plugin);
                Ok(())
            }
            "function_call" | "custom_tool_call" => {
                let (call, plugin) = call(one, &kind)?;
                self.said(Part::ToolCall(call), plugin);
                Ok(())
            }
            "function_call_output" | "custom_tool_call_output" => self.result(one, place),
            _ if is_servers(&kind) => {
                let name = kind.trim_end_matches("_call");
                let call = ServerToolCall {
                    id: one.text("id")?,
                    name: unified(name).to_owned(),
                    input: one.json("action")?.map(|action| action.to_string()),
                    data: json(value)?.to_string(),
                };
                self.said(Part::ServerToolCall(call), None);
                Ok(())
            }
            _ => {
                // What a tool of this vendor's, run here, was asked and returned, and references to what is kept there.
                self.notes.own(place);
                let part = Part::Opaque(OpaquePart {
                    data: json(value)?.to_string(),
                    kind: kind.clone(),
                });
                if kind.ends_with("_output") || kind.ends_with("_response") {
                    self.returned(part);
                } else {
                    self.said(part, None);
                }
                Ok(())
            }
        }
    }

    fn message(&mut self, one: &Object<'_>, place: &str) -> Read<()> {
        let role = match one.required("role")?.as_str() {
            "system" | "developer" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            other => {
                return Err(Fault::at(
                    "role",
                    format!("expected system, developer, user or assistant, not {other:?}"),
                ));
            }
        };
        let content = one.raw("content");
        let content = content.ok_or_else(|| Fault::at("content", "is required"))?;
        let parts = self
            .pieces(content, place)
            .map_err(|fault| fault.within("content"))?;
        self.notes.unread(one, &["id", "status", "phase"], place);
        let tail = Extra::of(WIRE, one.rest()?);
        if role != Role::Assistant {
            let mut message = ChatMessage::new(role, parts);
            if message
                .content
                .iter()
                .any(|part| matches!(part, Part::Opaque(_)))
            {
                message.origin = Some(WIRE.to_owned());
            }
            message.extra = tail;
            self.messages.push(message);
            return Ok(());
        }
        for mut part in parts {
            if let Part::Text(text) = &mut part {
                text.extra.update(tail.clone());
            }
            self.said(part, None);
        }
        Ok(())
    }

    fn pieces(&mut self, content: &RawValue, place: &str) -> Read<Vec<Part>> {
        if is_text(content) {
            return Ok(vec![Part::text(string(content)?)]);
        }
        let mut parts = vec![];
        for (at, value) in elements(content)?.into_iter().enumerate() {
            let within = |fault: Fault| fault.within(format!("[{at}]"));
            let place = format!("{place}.content[{at}]");
            let one = Object::of(value).map_err(within)?;
            let kind = one.required("type").map_err(within)?;
            let read = piece(&one, &kind, WIRE, &place, self.notes).map_err(within)?;
            parts.push(match read {
                Some(part) => part,
                None => {
                    self.notes.own(&place);
                    Part::Opaque(OpaquePart {
                        data: json(value).map_err(within)?.to_string(),
                        kind,
                    })
                }
            });
        }
        Ok(parts)
    }

    /// Adds to what the model said in its last turn. What two plugins made are two messages.
    fn said(&mut self, part: Part, plugin: Option<String>) {
        let plugin = plugin.or_else(|| is_own(&part).then(|| WIRE.to_owned()));
        if let Some(last) = self
            .messages
            .last_mut()
            .filter(|last| last.role == Role::Assistant)
        {
            let owned = last
                .content
                .iter()
                .any(|part| is_own(part) || is_signed(part));
            let fits = plugin.is_none() || !owned || last.origin == plugin;
            if fits {
                if plugin.is_some() {
                    last.origin = plugin;
                }
                last.content.push(part);
                return;
            }
        }
        let mut message = ChatMessage::new(Role::Assistant, vec![part]);
        message.origin = plugin.or_else(|| Some(WIRE.to_owned()));
        self.messages.push(message);
    }

    fn returned(&mut self, part: Part) {
        match self
            .messages
            .last_mut()
            .filter(|last| last.role == Role::Tool)
        {
            Some(last) => last.content.push(part),
            None => {
                let mut message = ChatMessage::new(Role::Tool, vec![part]);
                message.origin = Some(WIRE.to_owned());
                self.messages.push(message);
            }
        }
    }

    fn result(&mut self, one: &Object<'_>, place: &str) -> Read<()> {
        let call_id = mark::read_id(&one.required("call_id")?).id;
        let mut content = vec![];
        if let Some(output) = one.raw("output") {
            if output.get().starts_with('[') || is_text(output) {
                let parts = self
                    .pieces(output, place)
                    .map_err(|fault| fault.within("output"))?;
                content.extend(parts.into_iter().filter_map(|part| match part {
                    Part::Text(text) => Some(ResultPart::Text { text: text.text }),
                    Part::Media(media) => Some(ResultPart::Media(media)),
                    Part::Opaque(block) => Some(ResultPart::Opaque(block)),
                    _ => None,
                }));
            } else {
                // Some callers send what a tool returned as it is.
                let text = json(output)?.to_string();
                content.push(ResultPart::Text { text });
            }
        }
        one.raw("type");
        self.notes.unread(one, &["id", "status"], place);
        let result = ToolResult {
            name: self.called(&call_id).unwrap_or_default(),
            call_id,
            content,
            extra: Extra::of(WIRE, one.rest()?),
            ..ToolResult::default()
        };
        self.returned(Part::ToolResult(result));
        Ok(())
    }

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

/// Takes an id for read that was made here.
fn forget_ours(one: &Object<'_>) {
    if one.peek("id").is_some_and(|id| id.get().contains(OURS)) {
        one.raw("id");
    }
}

/// Calls of tools that the vendor runs.
fn is_servers(kind: &str) -> bool {
    let known = [
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
    ];
    known.contains(&kind) || matches!(kind, "image_generation_call" | "mcp_call")
}

/// What only those who made it understand.
fn is_own(part: &Part) -> bool {
    matches!(
        part,
        Part::Reasoning(_) | Part::Opaque(_) | Part::ServerToolCall(_)
    )
}

fn is_signed(part: &Part) -> bool {
    match part {
        Part::ToolCall(call) => call
            .signature
            .as_deref()
            .is_some_and(|signed| signed != FREE),
        _ => false,
    }
}

/// Marks thoughts that are encrypted in place of their text, where a plugin made them.
pub(super) const HIDDEN: char = '~';

/// Thoughts. What is encrypted stands for the text, or signs it where there is text.
fn thought(one: &Object<'_>) -> Read<(ReasoningPart, Option<String>)> {
    let texts = |name: &str| -> Read<Vec<String>> {
        let list = one
            .peek(name)
            .map(elements)
            .transpose()?
            .unwrap_or_default();
        let texts = list
            .into_iter()
            .map(|value| Object::of(value)?.required("text"));
        texts
            .collect::<Read<_>>()
            .map_err(|fault: Fault| fault.within(name))
    };
    let (summary, content) = (texts("summary")?, texts("content")?);
    one.raw("type");
    let text = match summary.is_empty() {
        true => content.join("\n\n"),
        false => summary.join("\n\n"),
    };
    if content.is_empty() {
        one.raw("content");
        if summary.len() < 2 {
            one.raw("summary");
        }
    } else if summary.is_empty() {
        one.raw("summary");
    }
    let written = one.text("encrypted_content")?.unwrap_or_default();
    let (plugin, encrypted) = mark::unsigned(&written);
    let plugin = plugin.map(str::to_owned);
    let mut thought = ReasoningPart {
        text,
        ..ReasoningPart::default()
    };
    let hidden = encrypted.strip_prefix(HIDDEN).filter(|_| plugin.is_some());
    match (hidden, encrypted) {
        (Some(hidden), _) => thought.redacted = Some(hidden.to_owned()),
        (None, "") => {}
        (None, encrypted) if plugin.is_none() && thought.text.is_empty() => {
            thought.redacted = Some(encrypted.to_owned());
        }
        (None, encrypted) => thought.signature = Some(encrypted.to_owned()),
    }
    if plugin.is_none() {
        thought.extra = Extra::of(WIRE, one.rest()?);
    }
    Ok((thought, plugin))
}

/// A call of a tool, or of one that takes free text.
fn call(one: &Object<'_>, kind: &str) -> Read<(ToolCall, Option<String>)> {
    let free = kind == "custom_tool_call";
    let name = one.required("name")?;
    let said = one
        .text(if free { "input" } else { "arguments" })?
        .unwrap_or_default();
    let (mut call, plugin) = mark::call(&one.required("call_id")?, name, said);
    if free {
        call.signature = Some(FREE.to_owned());
    }
    one.raw("type");
    one.raw("status");
    if plugin.is_none() {
        call.extra = Extra::of(WIRE, one.rest()?);
    }
    Ok((call, plugin))
}
