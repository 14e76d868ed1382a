//! The conversation so far.

use std::borrow::Cow;

use super::super::dialect::{CallIds, Dialect, ReasoningField, ReasoningHistory};
use super::super::stream::CUSTOM;
use super::body::{
    Call, Called, Content, ContentPart, CustomCall, FunctionCall, ImageUrl, Message,
};
use crate::body::Blobs;
use crate::outcome::tool_arguments;
use crate::{
    Error, Image, ImageSource, Message as Turn, Part, ResultPart, Role, ToolCall, ToolResult,
};

/// Every turn, in order. A tool's result is a message of its own.
pub(super) fn encode<'a>(
    dialect: &'a Dialect,
    reasons: bool,
    turns: &'a [Turn],
    blobs: &mut Blobs,
) -> Result<Vec<Message<'a>>, Error> {
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
                messages.push(Message::new(role, Some(content)));
            }
            Role::User => {
                let content = spoken(dialect, &turn.content, "a user message", Some(blobs))?;
                messages.push(Message::new("user", Some(content)));
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

/// Text, and pictures where `blobs` allows them.
fn spoken<'a>(
    dialect: &Dialect,
    parts: &'a [Part],
    place: &str,
    mut blobs: Option<&mut Blobs>,
) -> Result<Content<'a>, Error> {
    let mut list = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, &mut blobs) {
            (Part::Text(text), _) if text.text.is_empty() => {}
            (Part::Text(text), _) => list.push(ContentPart::Text { text: &text.text }),
            (Part::Image(image), Some(blobs)) => list.push(ContentPart::ImageUrl {
                image_url: picture(image, blobs),
            }),
            _ => return Err(misplaced(part, place)),
        }
    }
    let only_text = list
        .iter()
        .all(|part| matches!(part, ContentPart::Text { .. }));
    if only_text && (list.len() <= 1 || dialect.flat_content) {
        let texts = list.iter().filter_map(|part| match part {
            ContentPart::Text { text } => Some(*text),
            ContentPart::ImageUrl { .. } => None,
        });
        return Ok(Content::Text(join(texts, "\n")));
    }
    Ok(Content::Parts(list))
}

/// One text of several.
fn join<'a>(mut texts: impl Iterator<Item = &'a str>, between: &str) -> Cow<'a, str> {
    let mut joined = Cow::Borrowed(texts.next().unwrap_or_default());
    for text in texts {
        let joined = joined.to_mut();
        joined.push_str(between);
        joined.push_str(text);
    }
    joined
}

fn picture<'a>(image: &'a Image, blobs: &mut Blobs) -> ImageUrl<'a> {
    ImageUrl {
        url: match &image.source {
            ImageSource::Url(url) => Cow::Borrowed(url),
            ImageSource::Blob(blob) => Cow::Owned(format!(
                "data:{};base64,{}",
                blob.media_type,
                blobs.base64(blob)
            )),
        },
        detail: image.detail.as_deref(),
    }
}

/// What the model answered before.
fn answer<'a>(dialect: &Dialect, parts: &'a [Part]) -> Result<Message<'a>, Error> {
    let mut texts = Vec::new();
    let mut thoughts = String::new();
    let mut message = Message::new("assistant", None);
    for part in parts {
        match part {
            Part::Text(text) => texts.push(text.text.as_str()),
            Part::Reasoning(reasoning) => thoughts.push_str(&reasoning.text),
            Part::ToolCall(call) => message.tool_calls.push(called(dialect, call)),
            _ => return Err(misplaced(part, "an assistant message")),
        }
    }
    let text = join(texts.into_iter(), "");
    if !text.is_empty() || message.tool_calls.is_empty() {
        message.content = Some(Content::Text(text));
    }
    let kept = match dialect.reasoning_history {
        ReasoningHistory::Drop => false,
        ReasoningHistory::ToolCalls => !message.tool_calls.is_empty(),
        ReasoningHistory::Keep => true,
    };
    if kept && !thoughts.is_empty() {
        match dialect.reasoning_field {
            ReasoningField::Reasoning => message.reasoning = Some(thoughts),
            _ => message.reasoning_content = Some(thoughts),
        }
    }
    Ok(message)
}

fn called<'a>(dialect: &Dialect, call: &'a ToolCall) -> Call<'a> {
    let name = call.name.as_str();
    Call {
        id: call_id(dialect.call_ids, call.id.as_deref().unwrap_or_default()),
        called: if call.signature.as_deref() == Some(CUSTOM) {
            let input = call.arguments.as_str();
            Called::Custom {
                custom: CustomCall { name, input },
            }
        } else {
            let arguments = tool_arguments(&call.arguments);
            Called::Function {
                function: FunctionCall { name, arguments },
            }
        },
    }
}

fn returned<'a>(dialect: &Dialect, result: &'a ToolResult) -> Result<Message<'a>, Error> {
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
    let content = Content::Text(join(texts.into_iter(), "\n"));
    Ok(Message {
        tool_call_id: Some(call_id(dialect.call_ids, &result.call_id)),
        ..Message::new("tool", Some(content))
    })
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

/// So many letters and digits, made of a text: always the same, and different for different texts
/// as far as that can be.
fn letters(text: &str, count: usize) -> String {
    const ALPHABET: u64 = 36;
    // FNV-1a with 64 bits, its state mixed once more for every letter.
    let mix = |hash: u64, byte: u64| (hash ^ byte).wrapping_mul(0x0000_0100_0000_01b3);
    let mut hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| mix(hash, byte.into()));
    (0..count)
        .map(|_| {
            hash = mix(hash ^ (hash >> 29), 0x5b);
            u32::try_from((hash >> 32) % ALPHABET)
                .ok()
                .and_then(|digit| char::from_digit(digit, 36))
                .unwrap_or('0')
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
