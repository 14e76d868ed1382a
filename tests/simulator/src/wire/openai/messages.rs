//! The messages of the family: into turns, with the order of tool calls and results checked.

use serde_json::Value;

use crate::image::{self, Unreadable};
use crate::question::{PastCall, Question, Speaker, Turn};
use crate::wire::{items_of, text_of};

use super::trouble::Trouble;

/// Fills system texts and turns of the question. `vision`: whether images are taken.
pub(super) fn read(
    messages: &[Value],
    vision: bool,
    question: &mut Question,
) -> Result<(), Trouble> {
    let mut open: Vec<PastCall> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let role = text_of(message, "role");
        if role != "tool" {
            all_answered(&open, index)?;
            open.clear();
        }
        let mut turn = Turn::default();
        content(message, index, vision, &mut turn)?;
        match role {
            "system" | "developer" => {
                question.system.push(turn.text);
                continue;
            }
            "assistant" => {
                turn.speaker = Speaker::Model;
                turn.calls = PastCall::all_in(message);
                let silent = message.get("content").is_none_or(Value::is_null)
                    && text_of(message, "refusal").is_empty();
                if silent && turn.calls.is_empty() {
                    let message = "Invalid value for 'content': expected a string, got null.";
                    return Err(
                        Trouble::invalid(message).param(format!("messages.[{index}].content"))
                    );
                }
                open.clone_from(&turn.calls);
            }
            "tool" => {
                let id = text_of(message, "tool_call_id");
                if turn.answers(&mut open, id).is_none() {
                    return Err(unasked(messages, index, id));
                }
            }
            _ => {}
        }
        question.turns.push(turn);
    }
    all_answered(&open, messages.len())
}

fn all_answered(open: &[PastCall], index: usize) -> Result<(), Trouble> {
    if open.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = open.iter().map(|call| call.id.as_str()).collect();
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        ids.join(", ")
    );
    Err(Trouble::invalid(message).param(format!("messages.[{index}].role")))
}

/// A result that no call asked for: either nothing was called, or not by this id.
fn unasked(messages: &[Value], index: usize, id: &str) -> Trouble {
    let before = messages.get(..index).unwrap_or_default();
    let caller = before
        .iter()
        .rev()
        .find(|message| text_of(message, "role") != "tool");
    if caller.is_some_and(|message| !items_of(message, "tool_calls").is_empty()) {
        let message = format!(
            "Invalid parameter: 'tool_call_id' of '{id}' not found in 'tool_calls' of previous message."
        );
        return Trouble::invalid(message).param(format!("messages.[{index}].tool_call_id"));
    }
    let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
    Trouble::invalid(message).param(format!("messages.[{index}].role"))
}

fn content(message: &Value, index: usize, vision: bool, turn: &mut Turn) -> Result<(), Trouble> {
    match message.get("content") {
        Some(Value::String(text)) => turn.text.clone_from(text),
        Some(Value::Array(parts)) => {
            for (part_index, part) in parts.iter().enumerate() {
                let param = format!("messages[{index}].content[{part_index}]");
                match text_of(part, "type") {
                    "text" => turn.text.push_str(text_of(part, "text")),
                    "refusal" => turn.text.push_str(text_of(part, "refusal")),
                    "image_url" => turn.images.push(picture(part, vision, &param)?),
                    other => turn.images.push(format!("{other} part")),
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn picture(part: &Value, vision: bool, param: &str) -> Result<String, Trouble> {
    let url = part
        .get("image_url")
        .map(|image| text_of(image, "url"))
        .unwrap_or_default();
    if !vision {
        let message = "Invalid content type. image_url is only supported by certain models.";
        return Err(Trouble::invalid(message)
            .param(param)
            .code("invalid_content_type"));
    }
    match image::from_data_url(url) {
        Some((_, Ok(picture))) => Ok(picture.describe()),
        Some((_, Err(Unreadable::Base64))) => {
            let message = "Invalid base64 image_url.";
            Err(Trouble::invalid(message)
                .param(param)
                .code("invalid_base64"))
        }
        Some((_, Err(Unreadable::Format))) => {
            let message = "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].";
            Err(Trouble::invalid(message)
                .param(param)
                .code("invalid_image_format"))
        }
        None if url.starts_with("https://") && !url.contains("unreachable") => {
            Ok(format!("url {url}"))
        }
        None => {
            let message = format!("Failed to download image from {url}.");
            Err(Trouble::invalid(message)
                .param(param)
                .code("invalid_image_url"))
        }
    }
}
