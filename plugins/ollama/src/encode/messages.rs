//! The conversation as Ollama's messages.

use std::borrow::Cow;

use multillm_plugin_sdk::able::{foreign, unreturnable};
use multillm_plugin_sdk::body::{Blobs, Open, tail};
use multillm_plugin_sdk::media::Picture;
use multillm_plugin_sdk::outcome::arguments_json;
use multillm_plugin_sdk::{Error, Media, Message, Part, ResultPart, Role, ToolCall, ToolResult};
use serde_json::value::RawValue;

use crate::wire::{PastCall, PastFunction, Turn};

/// One turn a message, and one a tool's result; nothing for a message without content.
pub(super) fn conversation<'a>(
    said: &'a [Message],
    blobs: &mut Blobs,
) -> Result<Vec<Open<'a, Turn<'a>>>, Error> {
    let mut turns: Vec<Open<'a, Turn<'a>>> = Vec::new();
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
        // A message is the only object here: what its texts and pictures bear goes to it.
        let mut tails = Vec::new();
        let own = tail("a message", message.extra.as_deref())?;
        for part in &message.content {
            match part {
                Part::Text(text) if message.role != Role::Tool => {
                    append(&mut turn.content, &text.text);
                    tails.extend(tail("a text", text.extra.as_deref())?);
                }
                // Also what another vendor's model drew.
                Part::Media(media) if matches!(message.role, Role::User | Role::Assistant) => {
                    turn.images.push(picture(media, blobs)?);
                    tails.extend(tail("a picture", media.extra.as_deref())?);
                }
                Part::Media(media) => return Err(picture_elsewhere(media)),
                Part::Reasoning(thought) if message.role == Role::Assistant => {
                    append(&mut turn.thinking, &thought.text);
                    tails.extend(tail("a thought", thought.extra.as_deref())?);
                }
                Part::ToolCall(call) if message.role == Role::Assistant => {
                    turn.tool_calls.push(called(call)?);
                }
                Part::ToolResult(result) if message.role == Role::Tool => {
                    let tail = tail("a tool's result", result.extra.as_deref())?;
                    let tails = tail.into_iter().chain(own.clone());
                    turns.push(Open::with(returned(result, blobs)?, tails));
                }
                Part::ServerToolCall(_) | Part::ServerToolResult(_) => {
                    return Err(foreign("ollama", part));
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
            && turns.iter().all(|turn| turn.thing.role == "system")
            && !std::ptr::eq(message, last);
        if opens || !silent || !turn.thinking.is_empty() || !turn.tool_calls.is_empty() {
            turns.push(Open::with(turn, tails.into_iter().chain(own)));
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

pub(super) fn picture(media: &Media, blobs: &mut Blobs) -> Result<String, Error> {
    match media.picture("ollama")? {
        Picture::Blob(blob, _) => Ok(blobs.base64(blob)),
        Picture::Url(_) => Err(Error::unsupported(
            "ollama does not fetch pictures: give the picture's file and not its URL",
        )),
    }
}

fn picture_elsewhere(media: &Media) -> Error {
    Error::unsupported(format!(
        "ollama takes pictures in messages of user and model only, and no {}: put it there",
        media.named()
    ))
}

/// A call goes back as an object. Only an id of Ollama's own goes with it.
fn called(call: &ToolCall) -> Result<Open<'_, PastCall<'_>>, Error> {
    let arguments = arguments_json(&call.arguments).into_owned();
    let arguments = RawValue::from_string(arguments)
        .map_err(|error| Error::invalid_request(format!("arguments are no JSON: {error}")))?;
    let called = PastCall {
        id: call.id.as_deref().filter(|_| !call.local),
        function: PastFunction {
            name: &call.name,
            arguments,
        },
    };
    Open::new(called, "a tool call", call.extra.as_deref())
}

/// Ollama has no mark for a tool that failed, so the text says so.
fn returned<'a>(result: &'a ToolResult, blobs: &mut Blobs) -> Result<Turn<'a>, Error> {
    let mut content = Cow::Borrowed(if result.is_error { "error: " } else { "" });
    let mut images = Vec::new();
    for part in &result.content {
        match part {
            ResultPart::Text(text) => append(&mut content, text),
            ResultPart::Media(media) => images.push(picture(media, blobs)?),
            other => return Err(unreturnable("ollama", &result.name, other)),
        }
    }
    Ok(Turn {
        role: "tool",
        content,
        images,
        tool_name: Some(result.name.as_str()).filter(|name| !name.is_empty()),
        tool_call_id: (!result.local).then_some(result.call_id.as_str()),
        ..Turn::default()
    })
}
