//! The conversation as Cohere's messages.

use multillm_plugin_sdk::able::{foreign, unreturnable};
use multillm_plugin_sdk::body::{Blobs, Open, tail};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::json::member;
use multillm_plugin_sdk::outcome::arguments_json;
use multillm_plugin_sdk::{
    Error, Media, Message, Opaque, Part, ResultPart, Role, Text, ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::picture_url;
use crate::decode::THINKING;
use crate::wire::{Block, Call, CallFunction, Content, Data, Document, ImageUrl, Turn};

pub(super) fn turns<'a>(
    messages: &'a [Message],
    blobs: &mut Blobs,
) -> Result<Vec<Open<'a, Turn<'a>>>, Error> {
    let mut turns: Vec<Open<'a, Turn<'a>>> = Vec::with_capacity(messages.len());
    // What another vendor's model drew: this one only takes it from the user.
    let mut drawn: Vec<&'a Media> = Vec::new();
    for message in messages {
        let own = tail("a message", message.extra.as_deref())?;
        let with_own =
            |turn, tails: Vec<Json<'a>>| Open::with(turn, tails.into_iter().chain(own.clone()));
        match message.role {
            Role::System => {
                let said = spoken("system", message, vec![], blobs)?;
                turns.extend(said.map(|turn| with_own(turn, vec![])));
            }
            Role::User => {
                let opens = turns.iter().all(|turn| turn.thing.role == "system")
                    && messages
                        .last()
                        .is_some_and(|last| !std::ptr::eq(last, message));
                let drawn = drawn.drain(..).map(|media| picture(media, blobs));
                let drawn = drawn.collect::<Result<_, Error>>()?;
                let said = spoken("user", message, drawn, blobs)?;
                let said = said.or_else(|| opens.then(silence));
                turns.extend(said.map(|turn| with_own(turn, vec![])));
            }
            Role::Assistant => {
                let media = message.content.iter().filter_map(|part| match part {
                    Part::Media(media) => Some(media),
                    _ => None,
                });
                drawn.extend(media);
                let answer = answered(message)?;
                turns.extend(answer.map(|(turn, tails)| with_own(turn, tails)));
            }
            Role::Tool => {
                for part in &message.content {
                    let Part::ToolResult(result) = part else {
                        return Err(misplaced("a tool message", part));
                    };
                    let tail = tail("a tool's result", result.extra.as_deref())?;
                    turns.push(with_own(returned(result)?, tail.into_iter().collect()));
                }
            }
        }
    }
    match drawn.first() {
        Some(media) => Err(picture_elsewhere("an assistant message", media)),
        None => Ok(turns),
    }
}

/// The documents that the answer may rest on: blocks of the vendor's own in the user's messages,
/// `{"id": …, "data": {…}}` or as they stand in a tool's result.
pub(super) fn documents(messages: &[Message]) -> Result<Vec<&RawValue>, Error> {
    let users = messages.iter().filter(|message| message.role == Role::User);
    let parts = users.flat_map(|message| &message.content);
    let blocks = parts.filter_map(|part| match part {
        Part::Opaque(block) if block.kind == DOCUMENT => Some(own(block)),
        _ => None,
    });
    blocks
        .map(|block| {
            let block = block?;
            Ok(member(block.get(), DOCUMENT).unwrap_or(block))
        })
        .collect()
}

/// The kind of a block that holds a document.
const DOCUMENT: &str = "document";

/// A block that the caller wrote.
fn own(block: &Opaque) -> Result<&RawValue, Error> {
    serde_json::from_str(&block.data).map_err(|error| {
        Error::invalid_request(format!("a block of the vendor's own is no JSON: {error}"))
    })
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
    mut blocks: Vec<Open<'a, Block<'a>>>,
    blobs: &mut Blobs,
) -> Result<Option<Turn<'a>>, Error> {
    for part in &message.content {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) => blocks.push(written(text)?),
            Part::Media(media) if message.role == Role::User => {
                blocks.push(picture(media, blobs)?);
            }
            // Told apart from the messages.
            Part::Opaque(block) if message.role == Role::User && block.kind == DOCUMENT => {}
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
///
/// With it come the open tails of what is no block in it.
fn answered(message: &Message) -> Result<Option<(Turn<'_>, Vec<Json<'_>>)>, Error> {
    let mut answer = turn("assistant");
    let mut tails = Vec::new();
    let mut blocks = Vec::new();
    let calls = |part: &Part| matches!(part, Part::ToolCall(_));
    let has_calls = message.content.iter().any(calls);
    for part in &message.content {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) if has_calls => {
                plan(&mut answer.tool_plan, &text.text);
                tails.extend(tail("a text", text.extra.as_deref())?);
            }
            Part::Text(text) => blocks.push(written(text)?),
            Part::Reasoning(thought) if thought.text.is_empty() => {}
            Part::Reasoning(thought) => {
                let extra = thought.extra.as_deref();
                if has_calls && thought.signature.as_deref() != Some(THINKING) {
                    plan(&mut answer.tool_plan, &thought.text);
                    tails.extend(tail("a thought", extra)?);
                } else {
                    let block = Block::Thinking {
                        thinking: &thought.text,
                    };
                    blocks.push(Open::new(block, "a thought", extra)?);
                }
            }
            Part::ToolCall(call) => answer.tool_calls.push(called(call)?),
            // Pictures are sent on by the user: see above.
            Part::Opaque(_) | Part::Media(_) => {}
            other @ (Part::ToolResult(_) | Part::ServerToolCall(_) | Part::ServerToolResult(_)) => {
                return Err(misplaced("an assistant message", other));
            }
        }
    }
    let spoke = |block: &Open<'_, Block<'_>>| matches!(block.thing, Block::Text { .. });
    let counts = has_calls || blocks.iter().any(spoke);
    answer.content = content(blocks);
    Ok(counts.then_some((answer, tails)))
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

fn content<'a>(blocks: Vec<Open<'a, Block<'a>>>) -> Option<Content<'a>> {
    match blocks.as_slice() {
        [] => None,
        [
            block @ Open {
                thing: Block::Text { text },
                ..
            },
        ] if !block.has_tail() => Some(Content::Text(text)),
        _ => Some(Content::Blocks(blocks)),
    }
}

fn written(text: &Text) -> Result<Open<'_, Block<'_>>, Error> {
    let block = Block::Text { text: &text.text };
    Open::new(block, "a text", text.extra.as_deref())
}

fn picture<'a>(media: &'a Media, blobs: &mut Blobs) -> Result<Open<'a, Block<'a>>, Error> {
    let url = picture_url(media, blobs)?;
    let detail = media.detail.as_deref();
    let block = Block::ImageUrl {
        image_url: ImageUrl { url, detail },
    };
    Open::new(block, "a picture", media.extra.as_deref())
}

fn called(call: &ToolCall) -> Result<Open<'_, Call<'_>>, Error> {
    let id = call.id.as_deref().ok_or_else(|| {
        Error::invalid_request(format!("the call of tool \"{}\" has no id", call.name))
    })?;
    let called = Call {
        id,
        kind: "function",
        function: CallFunction {
            name: &call.name,
            arguments: arguments_json(&call.arguments),
        },
    };
    Open::new(called, "a tool call", call.extra.as_deref())
}

/// A tool's result. Failures, and results without text, go as documents: Cohere has no
/// mark for the former and wants content for the latter.
fn returned(result: &ToolResult) -> Result<Turn<'_>, Error> {
    let mut blocks: Vec<Open<'_, Block<'_>>> = Vec::new();
    for part in &result.content {
        match part {
            ResultPart::Text(text) if text.is_empty() => {}
            ResultPart::Text(text) if result.is_error => {
                blocks.push(document(Data::Error(text)).into())
            }
            ResultPart::Text(text) => blocks.push(Block::Text { text }.into()),
            ResultPart::Opaque(block) if block.kind == DOCUMENT => {
                blocks.push(Block::Own(own(block)?).into());
            }
            other => return Err(unreturnable("cohere", &result.name, other)),
        }
    }
    if blocks.is_empty() {
        let kind = if result.is_error {
            Data::Error
        } else {
            Data::Output
        };
        blocks.push(document(kind("")).into());
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

fn picture_elsewhere(place: &str, media: &Media) -> Error {
    Error::unsupported(format!(
        "cohere takes pictures in user messages only: {place} can hold no {}",
        media.named()
    ))
}

fn misplaced(place: &str, part: &Part) -> Error {
    let what = match part {
        Part::Text(_) => "loose text",
        Part::Media(media) => return picture_elsewhere(place, media),
        Part::ToolCall(_) => "a tool call",
        Part::ToolResult(_) => "a tool's result",
        Part::ServerToolCall(_) | Part::ServerToolResult(_) => return foreign("cohere", part),
        Part::Reasoning(_) | Part::Opaque(_) => "a model's reasoning",
    };
    Error::invalid_request(format!("{what} cannot stand in the role of {place}"))
}
