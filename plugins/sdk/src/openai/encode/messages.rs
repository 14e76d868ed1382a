//! The conversation so far.

use std::borrow::Cow;

use super::super::dialect::{CallIds, Dialect, ReasoningField, ReasoningHistory};
use super::super::stream::CUSTOM;
use super::Body;
use crate::body::Blobs;
use crate::json::Json;
use crate::outcome::tool_arguments;
use crate::{Error, Image, ImageSource, Message, Part, ResultPart, Role, ToolCall, ToolResult};

/// Every turn, in order. A tool's result is a message of its own.
pub(super) fn encode<'a>(
    dialect: &'a Dialect,
    reasons: bool,
    turns: &'a [Message],
    blobs: &mut Blobs,
) -> Result<Vec<Json<'a>>, Error> {
    let mut messages = Vec::with_capacity(turns.len());
    for turn in turns {
        match turn.role {
            Role::System => {
                let role = if reasons {
                    &dialect.reasoning_system_role
                } else {
                    &dialect.system_role
                };
                let content = spoken(dialect, &turn.content, "a system message", None)?;
                messages.push(says(role, content));
            }
            Role::User => {
                let content = spoken(dialect, &turn.content, "a user message", Some(blobs))?;
                messages.push(says("user", content));
            }
            Role::Assistant => messages.push(answer(dialect, &turn.content)?),
            Role::Tool => {
                for part in &turn.content {
                    let Part::ToolResult(result) = part else {
                        return Err(misplaced(part, "a tool message"));
                    };
                    messages.push(returned(dialect, result)?);
                }
            }
        }
    }
    Ok(messages)
}

fn says<'a>(role: &'a str, content: Json<'a>) -> Json<'a> {
    Json::object([("role", role.into()), ("content", content)])
}

/// Text, and pictures where `blobs` allows them.
fn spoken<'a>(
    dialect: &Dialect,
    parts: &'a [Part],
    place: &str,
    mut blobs: Option<&mut Blobs>,
) -> Result<Json<'a>, Error> {
    let mut texts = Vec::new();
    let mut list = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, &mut blobs) {
            (Part::Text(text), _) if text.text.is_empty() => {}
            (Part::Text(text), _) => {
                texts.push(text.text.as_str());
                list.push(typed("text", text.text.as_str().into()));
            }
            (Part::Image(image), Some(blobs)) => {
                list.push(typed("image_url", picture(image, blobs)));
            }
            _ => return Err(misplaced(part, place)),
        }
    }
    let only_text = texts.len() == list.len();
    if only_text && (list.len() <= 1 || dialect.flat_content) {
        return Ok(join(&texts, "\n"));
    }
    Ok(Json::List(list))
}

/// A piece of content: its type, and a member of that name.
fn typed<'a>(kind: &'static str, value: Json<'a>) -> Json<'a> {
    Json::object([("type", kind.into()), (kind, value)])
}

/// One text of several.
fn join<'a>(texts: &[&'a str], between: &str) -> Json<'a> {
    match texts {
        [] => "".into(),
        [text] => (*text).into(),
        texts => texts.join(between).into(),
    }
}

fn picture<'a>(image: &'a Image, blobs: &mut Blobs) -> Json<'a> {
    let mut body = Body(Vec::with_capacity(2));
    let url = match &image.source {
        ImageSource::Url(url) => Cow::Borrowed(url.as_str()),
        ImageSource::Blob(blob) => Cow::Owned(format!(
            "data:{};base64,{}",
            blob.media_type,
            blobs.base64(blob)
        )),
    };
    body.set("url", Some(url));
    body.set("detail", image.detail.as_deref());
    Json::Object(body.0)
}

/// What the model answered before. Without text the content is `null`.
fn answer<'a>(dialect: &Dialect, parts: &'a [Part]) -> Result<Json<'a>, Error> {
    let (mut texts, mut calls) = (Vec::new(), Vec::new());
    let mut thoughts = String::new();
    for part in parts {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) => texts.push(text.text.as_str()),
            Part::Reasoning(reasoning) => thoughts.push_str(&reasoning.text),
            Part::ToolCall(call) => calls.push(called(dialect, call)),
            _ => return Err(misplaced(part, "an assistant message")),
        }
    }
    let kept = match dialect.reasoning_history {
        ReasoningHistory::Drop => false,
        ReasoningHistory::ToolCalls => !calls.is_empty(),
        ReasoningHistory::Keep => true,
    };
    let field = match dialect.reasoning_field {
        ReasoningField::Reasoning => "reasoning",
        _ => "reasoning_content",
    };
    let content = if texts.is_empty() && !calls.is_empty() {
        Json::Null
    } else {
        join(&texts, "")
    };
    let mut body = Body(Vec::with_capacity(4));
    body.set("role", Some("assistant"));
    body.set("content", Some(content));
    body.set(
        field,
        Some(thoughts).filter(|text| kept && !text.is_empty()),
    );
    body.set(
        "tool_calls",
        (!calls.is_empty()).then_some(Json::List(calls)),
    );
    Ok(Json::Object(body.0))
}

fn called<'a>(dialect: &Dialect, call: &'a ToolCall) -> Json<'a> {
    let (kind, field, said) = if call.signature.as_deref() == Some(CUSTOM) {
        ("custom", "input", call.arguments.as_str())
    } else {
        ("function", "arguments", tool_arguments(&call.arguments))
    };
    let id = call_id(dialect.call_ids, call.id.as_deref().unwrap_or_default());
    let what = Json::object([("name", call.name.as_str().into()), (field, said.into())]);
    Json::object([("id", id.into()), ("type", kind.into()), (kind, what)])
}

fn returned<'a>(dialect: &Dialect, result: &'a ToolResult) -> Result<Json<'a>, Error> {
    let texts = result
        .content
        .iter()
        .map(|part| match part {
            ResultPart::Text(text) => Ok(text.as_str()),
            ResultPart::Image(_) => Err(Error::unsupported(
                "a tool's result cannot hold a picture here: put the picture into a user message",
            )),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let id = call_id(dialect.call_ids, &result.call_id);
    Ok(Json::object([
        ("role", "tool".into()),
        ("tool_call_id", id.into()),
        ("content", join(&texts, "\n")),
    ]))
}

/// The id, or what stands for it where the server would refuse it.
fn call_id(rule: CallIds, id: &str) -> Cow<'_, str> {
    match rule {
        CallIds::UpTo(length) if id.len() <= length && !id.is_empty() => Cow::Borrowed(id),
        CallIds::UpTo(_) => Cow::Owned(format!("call_{}", letters(id, 16))),
        CallIds::NineAlphanumeric
            if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            Cow::Borrowed(id)
        }
        CallIds::NineAlphanumeric => Cow::Owned(letters(id, 9)),
    }
}

/// So many letters and digits made of a text: always the same for the same, and as good as
/// never the same for different ones.
fn letters(text: &str, count: usize) -> String {
    // FNV-1a with 64 bits, its state mixed once more for every letter.
    let mix = |hash: u64, byte: u64| (hash ^ byte).wrapping_mul(0x0000_0100_0000_01b3);
    let mut hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| mix(hash, byte.into()));
    (0..count)
        .map(|_| {
            hash = mix(hash ^ (hash >> 29), 0x5b);
            #[allow(clippy::cast_possible_truncation, reason = "below 36")]
            let digit = ((hash >> 32) % 36) as u32;
            char::from_digit(digit, 36).unwrap_or('0')
        })
        .collect()
}

fn misplaced(part: &Part, place: &str) -> Error {
    let what = match part {
        Part::Text(_) => "text",
        Part::Image(_) => return Error::unsupported(format!("{place} cannot hold a picture")),
        Part::ToolCall(_) => "a tool call",
        Part::ToolResult(_) => "a tool's result",
        Part::Reasoning(_) => "thoughts",
        Part::Opaque(_) => "a block of another vendor's",
    };
    Error::invalid_request(format!("{place} cannot hold {what}"))
}

#[cfg(test)]
mod tests;
