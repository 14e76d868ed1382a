//! The conversation as Cohere's messages.

use std::borrow::Cow;

use multillm_plugin_sdk::body::Blobs;
use multillm_plugin_sdk::outcome::arguments_json;
use multillm_plugin_sdk::{
    Error, Image, ImageSource, Message, Part, ResultPart, Role, ToolCall, ToolResult,
};

use crate::decode::THINKING;
use crate::wire::{Block, Call, CallFunction, Content, Data, Document, ImageUrl, Turn};

pub(super) fn turns<'a>(
    messages: &'a [Message],
    blobs: &mut Blobs,
) -> Result<Vec<Turn<'a>>, Error> {
    let mut turns = Vec::with_capacity(messages.len());
    for message in messages {
        match message.role {
            Role::System => turns.extend(spoken("system", message, blobs)?),
            Role::User => {
                let opens = turns.iter().all(|turn: &Turn<'_>| turn.role == "system")
                    && messages
                        .last()
                        .is_some_and(|last| !std::ptr::eq(last, message));
                let said = spoken("user", message, blobs)?;
                turns.extend(said.or_else(|| opens.then(silence)));
            }
            Role::Assistant => turns.extend(answered(message)?),
            Role::Tool => {
                for part in &message.content {
                    let Part::ToolResult(result) = part else {
                        return Err(misplaced("a tool message", part));
                    };
                    turns.push(returned(result)?);
                }
            }
        }
    }
    Ok(turns)
}

/// The turn of a user who says nothing first, and is answered all the same.
fn silence<'a>() -> Turn<'a> {
    Turn {
        content: Some(Content::Text(" ")),
        ..turn("user")
    }
}

/// A message of the application or of a person. Nothing if there is nothing in it.
fn spoken<'a>(
    role: &'static str,
    message: &'a Message,
    blobs: &mut Blobs,
) -> Result<Option<Turn<'a>>, Error> {
    let mut blocks = Vec::new();
    for part in &message.content {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) => blocks.push(Block::Text { text: &text.text }),
            Part::Image(image) if message.role == Role::User => {
                blocks.push(picture(image, blobs));
            }
            other => return Err(misplaced(role, other)),
        }
    }
    Ok(content(blocks).map(|content| Turn {
        content: Some(content),
        ..turn(role)
    }))
}

/// An earlier answer. A tool plan is the only reasoning that is not marked as thinking. Beside tool
/// calls Cohere takes no text but that plan, so what another vendor's model said there joins it.
///
/// Nothing if it was cut off before the model said anything: Cohere wants content or calls.
fn answered(message: &Message) -> Result<Option<Turn<'_>>, Error> {
    let mut answer = turn("assistant");
    let mut blocks = Vec::new();
    let calls = |part: &Part| matches!(part, Part::ToolCall(_));
    let has_calls = message.content.iter().any(calls);
    for part in &message.content {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) if has_calls => plan(&mut answer.tool_plan, &text.text),
            Part::Text(text) => blocks.push(Block::Text { text: &text.text }),
            Part::Reasoning(thought) if thought.text.is_empty() => {}
            Part::Reasoning(thought) => {
                if has_calls && thought.signature.as_deref() != Some(THINKING) {
                    plan(&mut answer.tool_plan, &thought.text);
                } else {
                    blocks.push(Block::Thinking {
                        thinking: &thought.text,
                    });
                }
            }
            Part::ToolCall(call) => answer.tool_calls.push(called(call)?),
            Part::Opaque(_) => {}
            other @ (Part::Image(_) | Part::ToolResult(_)) => {
                return Err(misplaced("an assistant message", other));
            }
        }
    }
    let spoke = |block: &Block<'_>| matches!(block, Block::Text { .. });
    let counts = has_calls || blocks.iter().any(spoke);
    answer.content = content(blocks);
    Ok(counts.then_some(answer))
}

/// Adds to a tool plan, on a line of its own.
fn plan(plan: &mut String, more: &str) {
    if !plan.is_empty() {
        plan.push('\n');
    }
    plan.push_str(more);
}

fn turn<'a>(role: &'static str) -> Turn<'a> {
    Turn {
        role,
        tool_call_id: None,
        tool_plan: String::new(),
        content: None,
        tool_calls: vec![],
    }
}

fn content(blocks: Vec<Block<'_>>) -> Option<Content<'_>> {
    match blocks.as_slice() {
        [] => None,
        [Block::Text { text }] => Some(Content::Text(text)),
        _ => Some(Content::Blocks(blocks)),
    }
}

fn picture<'a>(image: &'a Image, blobs: &mut Blobs) -> Block<'a> {
    let url = match &image.source {
        ImageSource::Url(url) => Cow::Borrowed(url.as_str()),
        ImageSource::Blob(blob) => {
            let base64 = blobs.base64(blob);
            Cow::Owned(format!("data:{};base64,{base64}", blob.media_type))
        }
    };
    Block::ImageUrl {
        image_url: ImageUrl {
            url,
            detail: image.detail.as_deref(),
        },
    }
}

fn called(call: &ToolCall) -> Result<Call<'_>, Error> {
    let id = call.id.as_deref().ok_or_else(|| {
        Error::invalid_request(format!("the call of tool \"{}\" has no id", call.name))
    })?;
    Ok(Call {
        id,
        kind: "function",
        function: CallFunction {
            name: &call.name,
            arguments: arguments_json(&call.arguments),
        },
    })
}

/// A tool's result. Failures, and results without text, go as documents: Cohere has no
/// mark for the former and wants content for the latter.
fn returned(result: &ToolResult) -> Result<Turn<'_>, Error> {
    let mut blocks = Vec::new();
    for part in &result.content {
        match part {
            ResultPart::Text(text) if text.is_empty() => {}
            ResultPart::Text(text) if result.is_error => blocks.push(document(Data::Error(text))),
            ResultPart::Text(text) => blocks.push(Block::Text { text }),
            ResultPart::Image(_) => {
                return Err(Error::unsupported(format!(
                    "cohere takes no picture in a tool's result: let \"{}\" return text",
                    result.name
                )));
            }
        }
    }
    if blocks.is_empty() {
        let kind = if result.is_error {
            Data::Error
        } else {
            Data::Output
        };
        blocks.push(document(kind("")));
    }
    Ok(Turn {
        tool_call_id: Some(&result.call_id),
        content: content(blocks),
        ..turn("tool")
    })
}

fn document(data: Data<'_>) -> Block<'_> {
    Block::Document {
        document: Document { data },
    }
}

fn misplaced(place: &str, part: &Part) -> Error {
    let what = match part {
        Part::Text(_) => "loose text",
        Part::Image(_) => return Error::unsupported("cohere takes pictures in user messages only"),
        Part::ToolCall(_) => "a tool call",
        Part::ToolResult(_) => "a tool's result",
        Part::Reasoning(_) | Part::Opaque(_) => "a model's reasoning",
    };
    Error::invalid_request(format!("{what} cannot stand in the role of {place}"))
}
