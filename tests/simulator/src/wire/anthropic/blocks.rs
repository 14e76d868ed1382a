//! The messages: into turns, with the order of calls and results, thinking blocks and images checked.

use serde_json::Value;

use crate::image::{self, Unreadable};
use crate::question::{PastCall, PastResult, Question, Speaker, Turn};
use crate::seal;
use crate::wire::{items_of, text_of};

use super::models::Model;
use super::{Trouble, WITHOUT_SAMPLING, servers};

/// What signatures of thinking are made over.
pub(super) const THINKING: &str = "anthropic-thinking";
/// The beginning of redacted thinking.
pub(super) const REDACTED: &str = "EmwK";

/// How this request is judged.
pub(super) struct Judge<'a> {
    pub(super) model: &'a Model,
    pub(super) version: &'a str,
    /// `thinking.type` is `enabled`: calls must be sent back with the thinking before them.
    pub(super) must_think: bool,
}

fn refuse<T>(message: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::invalid(message))
}

impl Judge<'_> {
    /// Fills the turns (and system texts in between, for models that take them).
    pub(super) fn read(&self, messages: &[Value], question: &mut Question) -> Result<(), Trouble> {
        if messages.is_empty() {
            return refuse("messages: at least one message is required");
        }
        let mut open: Vec<PastCall> = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let turn = match text_of(message, "role") {
                "user" => {
                    question.documents.extend(cited_documents(message));
                    self.user(message, index, &mut open)?
                }
                "assistant" => {
                    unanswered(&open, index)?;
                    self.assistant(message, index, index + 1 == messages.len())?
                }
                "system" if self.model.version >= (4, 8) => {
                    question.system.push(text_of(message, "content").to_owned());
                    continue;
                }
                "system" => {
                    return refuse(
                        "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.",
                    );
                }
                _ => {
                    return refuse(format!(
                        "messages.{index}.role: Input should be 'user' or 'assistant'"
                    ));
                }
            };
            if question.turns.is_empty() && turn.speaker == Speaker::Model {
                return refuse("messages: first message must use the \"user\" role");
            }
            open.extend(turn.calls.iter().cloned());
            question.turns.push(turn);
        }
        unanswered(&open, messages.len())?;
        self.thought_before_calls(messages)
    }

    fn user(
        &self,
        message: &Value,
        index: usize,
        open: &mut Vec<PastCall>,
    ) -> Result<Turn, Trouble> {
        let mut turn = Turn::default();
        if let Some(Value::String(text)) = message.get("content") {
            if text.is_empty() {
                return refuse(format!(
                    "messages.{index}: user messages must have non-empty content"
                ));
            }
            turn.text.clone_from(text);
        }
        for (at, block) in items_of(message, "content").iter().enumerate() {
            let place = format!("messages.{index}.content.{at}");
            match text_of(block, "type") {
                "text" => {
                    turn.text.push_str(non_empty(block)?);
                    let cites = !items_of(block, "citations").is_empty();
                    if cites && self.version >= WITHOUT_SAMPLING {
                        return refuse(format!(
                            "{place}.text.citations: citations are not permitted on user text blocks"
                        ));
                    }
                }
                "image" => turn.images.push(picture(block, &place)?),
                "tool_result" => {
                    // Results stand before any text, or they are not taken for answers to the calls.
                    if !turn.text.is_empty() && !open.is_empty() {
                        return unanswered(open, index).map(|()| turn);
                    }
                    turn.results.push(result(block, &place, open)?);
                }
                "document" | "search_result" => turn
                    .images
                    .push(format!("{} block", text_of(block, "type"))),
                other => {
                    return refuse(format!(
                        "{place}: `{other}` blocks are not permitted in user messages"
                    ));
                }
            }
        }
        if turn.text.is_empty() && turn.images.is_empty() && turn.results.is_empty() {
            return refuse(format!(
                "messages.{index}: user messages must have non-empty content"
            ));
        }
        unanswered(open, index)?;
        if turn.text.is_empty() && !turn.results.is_empty() {
            turn.speaker = Speaker::Tool;
        }
        Ok(turn)
    }

    fn assistant(&self, message: &Value, index: usize, is_last: bool) -> Result<Turn, Trouble> {
        let mut turn = Turn {
            speaker: Speaker::Model,
            ..Turn::default()
        };
        if let Some(Value::String(text)) = message.get("content") {
            turn.text.clone_from(text);
        }
        let blocks = items_of(message, "content");
        let mut used = Vec::new();
        for (at, block) in blocks.iter().enumerate() {
            let place = format!("messages.{index}.content.{at}");
            match text_of(block, "type") {
                "text" => {
                    servers::cites_truly(block, &place)?;
                    turn.text.push_str(non_empty(block)?);
                }
                "server_tool_use"
                | "web_search_tool_result"
                | "bash_code_execution_tool_result" => {
                    servers::returned(block, &mut used, &place)?;
                }
                "thinking"
                    if !seal::verify(
                        THINKING,
                        text_of(block, "thinking"),
                        text_of(block, "signature"),
                    ) =>
                {
                    return refuse(format!("{place}: Invalid `signature` in `thinking` block"));
                }
                "redacted_thinking" if !seal::issued(REDACTED, text_of(block, "data")) => {
                    return refuse(format!(
                        "{place}: Invalid `data` in `redacted_thinking` block"
                    ));
                }
                "thinking" | "redacted_thinking" => {}
                "tool_use" => turn.calls.push(call(block, &place)?),
                "document" if self.version < WITHOUT_SAMPLING => {}
                other => {
                    return refuse(format!(
                        "{place}: `{other}` blocks are not permitted in assistant messages"
                    ));
                }
            }
        }
        if let Some(id) = used.first() {
            return refuse(format!(
                "messages.{index}: `server_tool_use` {id} was found without its result block"
            ));
        }
        if is_last {
            self.prefill(&turn)?;
        } else if turn.text.is_empty() && blocks.is_empty() {
            return refuse(format!(
                "messages.{index}: all messages must have non-empty content except for the optional final assistant message"
            ));
        }
        Ok(turn)
    }

    /// A last message of the assistant is the beginning of the answer.
    fn prefill(&self, turn: &Turn) -> Result<(), Trouble> {
        if self.model.version >= (4, 6) || self.must_think {
            return refuse(
                "This model does not support assistant message prefill. The conversation must end with a user message.",
            );
        }
        if turn.text.ends_with(char::is_whitespace) {
            return refuse("messages: final assistant content cannot end with trailing whitespace");
        }
        Ok(())
    }

    /// With thinking enabled, the calls whose results come last must follow their thinking.
    fn thought_before_calls(&self, messages: &[Value]) -> Result<(), Trouble> {
        let last = messages
            .iter()
            .rposition(|message| text_of(message, "role") == "assistant");
        let Some((index, message)) = last.and_then(|index| Some((index, messages.get(index)?)))
        else {
            return Ok(());
        };
        let blocks = items_of(message, "content");
        let calls = blocks
            .iter()
            .any(|block| text_of(block, "type") == "tool_use");
        let first = blocks
            .first()
            .map(|block| text_of(block, "type"))
            .unwrap_or_default();
        if self.must_think && calls && !["thinking", "redacted_thinking"].contains(&first) {
            return refuse(format!(
                "messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks)."
            ));
        }
        Ok(())
    }
}

/// The titles of the documents that the answer is to cite.
fn cited_documents(message: &Value) -> impl Iterator<Item = String> {
    let blocks = items_of(message, "content").iter();
    let cited = blocks.filter(|block| {
        let enabled = block
            .get("citations")
            .and_then(|citations| citations.get("enabled"));
        text_of(block, "type") == "document" && enabled == Some(&Value::Bool(true))
    });
    let titles = cited.map(|block| text_of(block, "title").to_owned());
    titles.collect::<Vec<_>>().into_iter()
}

fn non_empty(block: &Value) -> Result<&str, Trouble> {
    match text_of(block, "text") {
        "" => refuse("messages: text content blocks must be non-empty"),
        text if text.trim().is_empty() => {
            refuse("messages: text content blocks must contain non-whitespace text")
        }
        text => Ok(text),
    }
}

fn call(block: &Value, place: &str) -> Result<PastCall, Trouble> {
    let id = text_of(block, "id");
    let allowed = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
    if id.is_empty() || !id.chars().all(allowed) {
        return refuse(format!(
            "{place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
        ));
    }
    let arguments = block.get("input").map(Value::to_string).unwrap_or_default();
    Ok(PastCall {
        id: id.to_owned(),
        name: text_of(block, "name").to_owned(),
        arguments,
    })
}

fn result(block: &Value, place: &str, open: &mut Vec<PastCall>) -> Result<PastResult, Trouble> {
    let id = text_of(block, "tool_use_id");
    let Some(at) = open.iter().position(|call| call.id == id) else {
        return refuse(format!(
            "{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
        ));
    };
    let call = open.remove(at);
    let mut text = text_of(block, "content").to_owned();
    for (part_at, part) in items_of(block, "content").iter().enumerate() {
        match text_of(part, "type") {
            "text" => text.push_str(text_of(part, "text")),
            "image" => text.push_str(&picture(part, &format!("{place}.content.{part_at}"))?),
            other => text.push_str(other),
        }
    }
    if block.get("is_error").and_then(Value::as_bool) == Some(true) {
        text.insert_str(0, "error: ");
    }
    Ok(PastResult {
        name: call.name,
        text,
    })
}

fn unanswered(open: &[PastCall], index: usize) -> Result<(), Trouble> {
    if open.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = open.iter().map(|call| call.id.as_str()).collect();
    refuse(format!(
        "messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        ids.join(", ")
    ))
}

fn picture(block: &Value, place: &str) -> Result<String, Trouble> {
    let source = block.get("source").unwrap_or(&Value::Null);
    match text_of(source, "type") {
        "base64" => {}
        "url" if text_of(source, "url").starts_with("https://") => {
            return Ok(format!("url {}", text_of(source, "url")));
        }
        "url" => {
            return refuse(format!(
                "{place}.image.source.url: Only HTTPS URLs are supported."
            ));
        }
        other => return Ok(format!("{other} image")),
    }
    let declared = text_of(source, "media_type");
    match image::from_base64(text_of(source, "data")) {
        Ok(picture) if picture.media_type == declared => Ok(picture.describe()),
        Ok(picture) => refuse(format!(
            "{place}.image.source.base64: The image was specified using the {declared} media type, but the image appears to be a {} image",
            picture.media_type
        )),
        Err(Unreadable::Base64) => {
            refuse(format!("{place}.image.source.base64: invalid base64 data"))
        }
        Err(Unreadable::Format) => refuse(format!(
            "{place}.image.source.base64.data: Could not process image"
        )),
    }
}
