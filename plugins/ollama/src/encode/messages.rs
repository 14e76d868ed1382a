//! The conversation as Ollama's messages.

use std::borrow::Cow;

use multillm_plugin_sdk::body::Blobs;
use multillm_plugin_sdk::outcome::arguments_json;
use multillm_plugin_sdk::{
    Error, Image, ImageSource, Message, Part, ResultPart, Role, ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use crate::wire::{PastCall, PastFunction, Turn};

/// One turn a message, and one a tool's result; nothing for a message without content.
pub(super) fn conversation<'a>(
    said: &'a [Message],
    blobs: &mut Blobs,
) -> Result<Vec<Turn<'a>>, Error> {
    let mut turns = Vec::new();
    let Some(last) = said.last() else {
        return Ok(turns);
    };
    for message in said {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        let mut turn = Turn {
            role,
            ..Turn::default()
        };
        for part in &message.content {
            match part {
                Part::Text(text) if message.role != Role::Tool => {
                    append(&mut turn.content, &text.text);
                }
                Part::Image(image) if message.role == Role::User => {
                    turn.images.push(picture(image, blobs)?);
                }
                Part::Image(_) => return Err(picture_elsewhere()),
                Part::Reasoning(thought) if message.role == Role::Assistant => {
                    append(&mut turn.thinking, &thought.text);
                }
                Part::ToolCall(call) if message.role == Role::Assistant => {
                    turn.tool_calls.push(called(call)?);
                }
                Part::ToolResult(result) if message.role == Role::Tool => {
                    turns.push(returned(result)?);
                }
                Part::Opaque(_) => {}
                Part::Text(_) | Part::Reasoning(_) | Part::ToolCall(_) | Part::ToolResult(_) => {
                    return Err(Error::invalid_request(format!(
                        "a message of role {role} holds a part of another role: split it"
                    )));
                }
            }
        }
        let silent = turn.content.is_empty() && turn.images.is_empty();
        // A user who says nothing first is answered all the same.
        let opens = message.role == Role::User
            && turns.iter().all(|turn| turn.role == "system")
            && !std::ptr::eq(message, last);
        if opens || !silent || !turn.thinking.is_empty() || !turn.tool_calls.is_empty() {
            turns.push(turn);
        }
    }
    Ok(turns)
}

/// Adds to a text, and copies only where there are several pieces.
fn append<'a>(text: &mut Cow<'a, str>, more: &'a str) {
    if text.is_empty() {
        *text = Cow::Borrowed(more);
    } else if !more.is_empty() {
        text.to_mut().push_str(more);
    }
}

fn picture(image: &Image, blobs: &mut Blobs) -> Result<String, Error> {
    match &image.source {
        ImageSource::Blob(blob) => Ok(blobs.base64(blob)),
        ImageSource::Url(_) => Err(Error::unsupported(
            "ollama does not fetch pictures: give the picture's file and not its URL",
        )),
    }
}

fn picture_elsewhere() -> Error {
    Error::unsupported("ollama takes pictures in user messages only: put it there")
}

/// A call goes back as an object. Only an id of Ollama's own goes with it.
fn called(call: &ToolCall) -> Result<PastCall<'_>, Error> {
    let arguments = arguments_json(&call.arguments).into_owned();
    let arguments = RawValue::from_string(arguments)
        .map_err(|error| Error::invalid_request(format!("arguments are no JSON: {error}")))?;
    Ok(PastCall {
        id: call.id.as_deref().filter(|_| !call.local),
        function: PastFunction {
            name: &call.name,
            arguments,
        },
    })
}

/// Ollama has no mark for a tool that failed, so the text says so.
fn returned(result: &ToolResult) -> Result<Turn<'_>, Error> {
    let mut content = Cow::Borrowed(if result.is_error { "error: " } else { "" });
    for part in &result.content {
        match part {
            ResultPart::Text(text) => append(&mut content, text),
            ResultPart::Image(_) => return Err(picture_elsewhere()),
        }
    }
    Ok(Turn {
        role: "tool",
        content,
        tool_name: Some(result.name.as_str()).filter(|name| !name.is_empty()),
        tool_call_id: (!result.local).then_some(result.call_id.as_str()),
        ..Turn::default()
    })
}
