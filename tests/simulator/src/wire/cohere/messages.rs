//! The messages: into turns, with the order of calls and results checked.

use serde_json::Value;

use crate::image;
use crate::question::{PastCall, Question, Speaker, Turn};
use crate::wire::{items_of, text_of};

use super::Trouble;
use super::models::Traits;

fn refuse<T>(message: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::invalid(message))
}

/// Fills system texts and turns.
pub(super) fn read(
    messages: &[Value],
    traits: Traits,
    question: &mut Question,
) -> Result<(), Trouble> {
    let mut open: Vec<PastCall> = Vec::new();
    for message in messages {
        let role = text_of(message, "role");
        if role != "tool" {
            answered(&open)?;
        }
        let mut turn = Turn::default();
        content(message, traits, &mut turn)?;
        let is_empty = turn.text.is_empty() && turn.images.is_empty();
        match role {
            "system" => {
                question.system.push(turn.text);
                continue;
            }
            "assistant" => {
                turn.speaker = Speaker::Model;
                turn.calls = PastCall::all_in(message);
                if is_empty && turn.calls.is_empty() {
                    return refuse("an assistant message must have content or tool_calls");
                }
                open.clone_from(&turn.calls);
            }
            "tool" => {
                let id = text_of(message, "tool_call_id");
                if turn.answers(&mut open, id).is_none() {
                    return refuse(format!(
                        "tool call id {id} not found in previous tool calls"
                    ));
                }
            }
            _ if is_empty => return refuse("all elements in history must have a message"),
            _ => {}
        }
        question.turns.push(turn);
    }
    answered(&open)?;
    match question.turns.last().map(|turn| turn.speaker) {
        None => refuse("at least one user message is required"),
        Some(Speaker::Model) => refuse("messages must end with a user or tool message"),
        Some(_) => Ok(()),
    }
}

fn answered(open: &[PastCall]) -> Result<(), Trouble> {
    match open.first() {
        None => Ok(()),
        Some(call) => refuse(format!("missing tool message for tool call id {}", call.id)),
    }
}

fn content(message: &Value, traits: Traits, turn: &mut Turn) -> Result<(), Trouble> {
    if let Some(Value::String(text)) = message.get("content") {
        turn.text.clone_from(text);
    }
    for part in items_of(message, "content") {
        match text_of(part, "type") {
            "text" => turn.text.push_str(text_of(part, "text")),
            "document" => turn.text.push_str(&document(part)),
            "image_url" if !traits.vision => {
                return refuse("image content is not supported with this model");
            }
            "image_url" => turn.images.push(picture(part)?),
            _ => {}
        }
    }
    Ok(())
}

/// A document's data: the text itself, or the one value of the customary wrapping, or its JSON.
fn document(part: &Value) -> String {
    let data = part
        .get("document")
        .and_then(|document| document.get("data"))
        .unwrap_or(&Value::Null);
    match data {
        Value::String(text) => text.clone(),
        Value::Object(members) if members.len() == 1 => {
            let only = members.values().next().unwrap_or(&Value::Null);
            only.as_str()
                .map_or_else(|| only.to_string(), str::to_owned)
        }
        other => other.to_string(),
    }
}

fn picture(part: &Value) -> Result<String, Trouble> {
    let url = part
        .get("image_url")
        .map(|image| text_of(image, "url"))
        .unwrap_or_default();
    match image::from_data_url(url) {
        Some((_, Ok(picture))) => Ok(picture.describe()),
        Some((_, Err(_))) => {
            refuse("could not decode image, supported formats are png, jpeg, webp and gif")
        }
        None if url.starts_with("https://") => Ok(format!("url {url}")),
        None => refuse("image url must be an https URL or a base64 data URL"),
    }
}
