//! The contents: into turns, with the order of calls and responses, signatures, ids and images checked.
//! <https://ai.google.dev/gemini-api/docs/thought-signatures>

use serde_json::Value;

use crate::image;
use crate::question::{PastCall, PastResult, Question, Speaker, Turn};
use crate::seal;
use crate::wire::{items_of, text_of};

use super::models::Model;
use super::names::canonical;
use super::{Trouble, servers};

/// What signatures of calls are made over.
pub(super) const CALL: &str = "gemini-call";
/// The beginning of signatures of text, and of the ids of calls.
pub(super) const TEXT: &str = "Q2lRQg";
pub(super) const ID: &str = "fc-";
/// Signatures for calls that come from elsewhere; Google documents them.
const EXEMPT: [&str; 2] = [
    "skip_thought_signature_validator",
    "context_engineering_is_the_way_to_go",
];

fn refuse<T>(message: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::invalid(message))
}

/// The text that a call's signature covers.
pub(super) fn signed_text(name: &str, arguments: &Value) -> String {
    format!("{name} {}", canonical(arguments))
}

/// Fills the turns.
pub(super) fn read(
    contents: &[Value],
    model: &Model,
    question: &mut Question,
) -> Result<(), Trouble> {
    if contents.is_empty() {
        return refuse("* GenerateContentRequest.contents: contents is not specified");
    }
    let mut open: Vec<PastCall> = Vec::new();
    for (index, content) in contents.iter().enumerate() {
        if items_of(content, "parts").is_empty() {
            return refuse(format!(
                "* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty."
            ));
        }
        let turn = match text_of(content, "role") {
            "" | "user" => user(content, index, &mut open)?,
            "model" => {
                let turn = model_turn(content, index)?;
                let before = question.turns.last().map(|turn| turn.speaker);
                if !turn.calls.is_empty() && !matches!(before, Some(Speaker::User | Speaker::Tool))
                {
                    return refuse(
                        "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
                    );
                }
                answered(&open)?;
                open.clone_from(&turn.calls);
                turn
            }
            _ => return refuse("Please use a valid role: user, model."),
        };
        question.turns.push(turn);
    }
    answered(&open)?;
    if question
        .turns
        .last()
        .is_some_and(|turn| turn.speaker == Speaker::Model)
    {
        return refuse(
            "Please ensure that multiturn requests end with a user role or a function response.",
        );
    }
    match model.traits.generation {
        3.. => signed(contents),
        _ => Ok(()),
    }
}

const COUNTS_DIFFER: &str = "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.";

fn answered(open: &[PastCall]) -> Result<(), Trouble> {
    if open.is_empty() {
        Ok(())
    } else {
        refuse(COUNTS_DIFFER)
    }
}

fn user(content: &Value, index: usize, open: &mut Vec<PastCall>) -> Result<Turn, Trouble> {
    let mut turn = Turn::default();
    for (at, part) in items_of(content, "parts").iter().enumerate() {
        let place = format!("contents[{index}].parts[{at}]");
        if let Some(response) = part.get("functionResponse") {
            turn.results.push(result(response, open)?);
        } else if let Some(blob) = part.get("inlineData") {
            turn.images.push(picture(blob)?);
        } else if let Some(file) = part.get("fileData") {
            turn.images
                .push(format!("url {}", text_of(file, "fileUri")));
        } else if let Some(Value::String(text)) = part.get("text") {
            turn.text.push_str(text);
        } else if part.get("functionCall").is_some() {
            return refuse(
                "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
            );
        } else {
            return refuse(format!(
                "* GenerateContentRequest.{place}.data: required oneof field 'data' must have one initialized field"
            ));
        }
    }
    // All responses to one turn come together.
    answered(open)?;
    if turn.text.is_empty() && !turn.results.is_empty() {
        turn.speaker = Speaker::Tool;
    }
    Ok(turn)
}

fn result(response: &Value, open: &mut Vec<PastCall>) -> Result<PastResult, Trouble> {
    let (name, id) = (text_of(response, "name"), text_of(response, "id"));
    if !id.is_empty() && !seal::issued(ID, id) {
        return refuse(format!(
            "Function response id {id} does not belong to any function call."
        ));
    }
    if open.is_empty() {
        return refuse(
            "Please ensure that function response turn comes immediately after a function call turn.",
        );
    }
    let is_answer = |call: &PastCall| call.name == name && (id.is_empty() || call.id == id);
    let Some(at) = open.iter().position(is_answer) else {
        return refuse(format!(
            "Function response {name} does not match any function call of the function call turn."
        ));
    };
    open.remove(at);
    let body = response.get("response").unwrap_or(&Value::Null);
    let mut text = match body.as_object() {
        // The customary wrapping of a plain result.
        Some(members) if members.len() == 1 => {
            members.values().next().map(plain).unwrap_or_default()
        }
        _ => body.to_string(),
    };
    for part in items_of(response, "parts") {
        if let Some(blob) = part.get("inlineData") {
            text.push_str(&format!(" {}", picture(blob)?));
        }
    }
    Ok(PastResult {
        name: name.to_owned(),
        text,
    })
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn model_turn(content: &Value, index: usize) -> Result<Turn, Trouble> {
    let mut turn = Turn {
        speaker: Speaker::Model,
        ..Turn::default()
    };
    for (at, part) in items_of(content, "parts").iter().enumerate() {
        let signature = text_of(part, "thoughtSignature");
        let is_signed = !signature.is_empty() && !EXEMPT.contains(&signature);
        if let Some(call) = part.get("functionCall") {
            let empty = Value::Object(serde_json::Map::new());
            let arguments = call.get("args").unwrap_or(&empty);
            let (name, id) = (text_of(call, "name"), text_of(call, "id"));
            // Google's own clients send them back in the alphabet for URLs.
            let signature = signature.replace('-', "+").replace('_', "/");
            if is_signed && !seal::verify(CALL, &signed_text(name, arguments), &signature) {
                return refuse("Thought signature is not valid.");
            }
            if !id.is_empty() && !seal::issued(ID, id) {
                return refuse(format!(
                    "Function call id {id} was not issued by this service."
                ));
            }
            turn.calls.push(PastCall {
                id: id.to_owned(),
                name: name.to_owned(),
                arguments: arguments.to_string(),
            });
        } else if let Some(Value::String(text)) = part.get("text") {
            if is_signed && !seal::issued(TEXT, signature) {
                return refuse("Thought signature is not valid.");
            }
            let is_thought = part.get("thought").and_then(Value::as_bool) == Some(true);
            if !is_thought {
                turn.text.push_str(text);
            }
        } else if !servers::returned(part)? {
            return refuse(format!(
                "* GenerateContentRequest.contents[{index}].parts[{at}].data: required oneof field 'data' must have one initialized field"
            ));
        }
    }
    Ok(turn)
}

/// On the third generation the first call of each step since the user last spoke must be signed.
fn signed(contents: &[Value]) -> Result<(), Trouble> {
    let speaks = |content: &Value| {
        let is_text = |part: &Value| part.get("functionResponse").is_none();
        text_of(content, "role") != "model" && items_of(content, "parts").iter().any(is_text)
    };
    let since = contents.iter().rposition(speaks).unwrap_or(0);
    for (index, content) in contents.iter().enumerate().skip(since) {
        let parts = items_of(content, "parts");
        let first = parts.iter().find(|part| part.get("functionCall").is_some());
        let Some(part) = first.filter(|_| text_of(content, "role") == "model") else {
            continue;
        };
        if text_of(part, "thoughtSignature").is_empty() {
            let name = part
                .get("functionCall")
                .map(|call| text_of(call, "name"))
                .unwrap_or_default();
            return refuse(format!(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:{name}` , position {}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
                index + 1
            ));
        }
    }
    Ok(())
}

fn picture(blob: &Value) -> Result<String, Trouble> {
    let declared = text_of(blob, "mimeType");
    if !declared.starts_with("image/") {
        return Ok(format!("{declared} blob"));
    }
    match image::from_base64(text_of(blob, "data")) {
        Ok(picture) => Ok(picture.describe()),
        Err(image::Unreadable::Base64) => refuse(
            "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed",
        ),
        Err(image::Unreadable::Format) => refuse(
            "Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
        ),
    }
}
