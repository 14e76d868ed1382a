//! The input: into turns, with what must stand beside what.

use serde_json::Value;

use crate::image;
use crate::question::{PastCall, Question, Speaker, Turn};
use crate::seal;
use crate::wire::{items_of, text_of};

use super::SEALED;
use crate::wire::openai::trouble::Trouble;

/// Items that an answer gave and that come back as they were.
const KEPT: [&str; 7] = [
    "code_interpreter_call",
    "compaction",
    "file_search_call",
    "image_generation_call",
    "mcp_call",
    "mcp_list_tools",
    "web_search_call",
];

/// Fills system texts and turns of the question.
pub(super) fn read(body: &Value, vision: bool, question: &mut Question) -> Result<(), Trouble> {
    match body.get("input") {
        Some(Value::String(text)) => {
            question.turns.push(Turn {
                text: text.clone(),
                ..Turn::default()
            });
            return Ok(());
        }
        Some(Value::Array(_)) => {}
        _ => {
            let message = "Missing required parameter: 'input'.";
            return Err(Trouble::invalid(message)
                .param("input")
                .code("missing_required_parameter"));
        }
    }
    let mut open: Vec<PastCall> = Vec::new();
    let items = items_of(body, "input");
    for (index, item) in items.iter().enumerate() {
        let kind = match text_of(item, "type") {
            "" => "message",
            kind => kind,
        };
        let mut turn = Turn::default();
        match kind {
            "message" => {
                content(item.get("content"), index, vision, &mut turn)?;
                match text_of(item, "role") {
                    "system" | "developer" => {
                        question.system.push(turn.text);
                        continue;
                    }
                    "assistant" => turn.speaker = Speaker::Model,
                    "user" => {}
                    role => return Err(wrong(index, "role", role)),
                }
            }
            "reasoning" => {
                thought(item, items.get(index + 1))?;
                continue;
            }
            "function_call" => {
                let call = PastCall {
                    id: text_of(item, "call_id").to_owned(),
                    name: text_of(item, "name").to_owned(),
                    arguments: text_of(item, "arguments").to_owned(),
                };
                if call.id.is_empty() || call.id.len() > 64 {
                    return Err(wrong(index, "call_id", &call.id));
                }
                open.push(call.clone());
                turn.speaker = Speaker::Model;
                turn.calls.push(call);
            }
            "function_call_output" => {
                let id = text_of(item, "call_id");
                content(item.get("output"), index, vision, &mut turn)?;
                if turn.answers(&mut open, id).is_none() {
                    let message =
                        format!("No tool call found for function call output with call_id {id}.");
                    return Err(Trouble::invalid(message).param("input"));
                }
            }
            kind if KEPT.contains(&kind) => {
                if text_of(item, "id").is_empty() {
                    return Err(wrong(index, "id", ""));
                }
                continue;
            }
            kind => return Err(wrong(index, "type", kind)),
        }
        question.turns.push(turn);
    }
    match open.first() {
        Some(call) => {
            let message = format!("No tool output found for function call {}.", call.id);
            Err(Trouble::invalid(message).param("input"))
        }
        None => Ok(()),
    }
}

fn wrong(index: usize, name: &str, found: &str) -> Trouble {
    let param = format!("input[{index}].{name}");
    Trouble::invalid(format!("Invalid value: '{found}'."))
        .param(param)
        .code("invalid_value")
}

/// Thoughts lead to something, and nobody but the caller keeps them.
fn thought(item: &Value, next: Option<&Value>) -> Result<(), Trouble> {
    let id = text_of(item, "id");
    let follows = next.is_some_and(|next| {
        let role = text_of(next, "role");
        role.is_empty() || role == "assistant"
    });
    if !follows {
        let message = format!(
            "Item '{id}' of type 'reasoning' was provided without its required following item."
        );
        return Err(Trouble::invalid(message).param("input"));
    }
    match item.get("encrypted_content").and_then(Value::as_str) {
        Some(encrypted) if seal::verify(SEALED, id, encrypted) => Ok(()),
        Some(_) => {
            let message = format!("The encrypted content for item {id} could not be verified.");
            Err(Trouble::invalid(message).code("invalid_encrypted_content"))
        }
        None => {
            let message = format!(
                "Item with id '{id}' not found. Items are not persisted when `store` is set to false."
            );
            Err(Trouble::invalid(message).status(404).param("input"))
        }
    }
}

fn content(
    content: Option<&Value>,
    index: usize,
    vision: bool,
    turn: &mut Turn,
) -> Result<(), Trouble> {
    let parts = match content {
        Some(Value::String(text)) => {
            turn.text.clone_from(text);
            return Ok(());
        }
        Some(Value::Array(parts)) => parts,
        _ => return Ok(()),
    };
    for (at, part) in parts.iter().enumerate() {
        let param = format!("input[{index}].content[{at}]");
        match text_of(part, "type") {
            "input_text" | "output_text" => turn.text.push_str(text_of(part, "text")),
            "refusal" => turn.text.push_str(text_of(part, "refusal")),
            "input_image" if vision => turn.images.push(picture(part, &param)?),
            "input_file" => turn.images.push(document(part, &param)?),
            kind => {
                let message = format!("Invalid value: '{kind}'.");
                return Err(Trouble::invalid(message)
                    .param(format!("{param}.type"))
                    .code("invalid_value"));
            }
        }
    }
    Ok(())
}

fn picture(part: &Value, param: &str) -> Result<String, Trouble> {
    let url = text_of(part, "image_url");
    match image::from_data_url(url) {
        Some((_, Ok(picture))) => Ok(picture.describe()),
        None if url.starts_with("https://") => Ok(format!("url {url}")),
        None if !text_of(part, "file_id").is_empty() => Ok("kept picture".to_owned()),
        _ => Err(
            Trouble::invalid("The image data you provided does not represent a valid image.")
                .param(param)
                .code("invalid_image"),
        ),
    }
}

fn document(part: &Value, param: &str) -> Result<String, Trouble> {
    let data = text_of(part, "file_data");
    let name = text_of(part, "filename");
    match (data, name) {
        (data, "") if !data.is_empty() => {
            let message = format!("Missing required parameter: '{param}.filename'.");
            Err(Trouble::invalid(message).param(param))
        }
        (data, name) if data.starts_with("data:") => Ok(format!("document {name}")),
        ("", _) if !text_of(part, "file_url").is_empty() => Ok("document by url".to_owned()),
        ("", _) if !text_of(part, "file_id").is_empty() => Ok("kept document".to_owned()),
        _ => {
            let message = "Invalid file data: expected a data URL.";
            Err(Trouble::invalid(message).param(param))
        }
    }
}
