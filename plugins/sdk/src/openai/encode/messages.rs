//! The conversation so far.

use std::borrow::Cow;

use super::super::dialect::{CallIds, Dialect, ReasoningField, ReasoningHistory};
use super::super::stream::{AUDIO, CUSTOM, DETAILS, said_again};
use super::Body;
use crate::body::Blobs;
use crate::json::Json;
use crate::outcome::tool_arguments;
use crate::{
    Error, Image, ImageSource, Message, Opaque, Part, Reasoning, ResultPart, Role, Target,
    ToolCall, ToolResult,
};

/// Every turn, in order. A tool's result is a message of its own.
pub(super) fn encode<'a>(
    dialect: &'a Dialect,
    target: &Target,
    reasons: bool,
    turns: &'a [Message],
    blobs: &mut Blobs,
) -> Result<Vec<Json<'a>>, Error> {
    let mut messages = Vec::with_capacity(turns.len());
    let history = dialect.history(&target.model);
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
            Role::Assistant => messages.push(answer(dialect, history, &turn.content)?),
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

/// What the model answered before, with what it wants back. Without text the content is `null`.
fn answer<'a>(
    dialect: &Dialect,
    history: ReasoningHistory,
    parts: &'a [Part],
) -> Result<Json<'a>, Error> {
    let mut said = Said::default();
    for part in parts {
        match part {
            Part::Text(text) => {
                if let Some(extra) = text.signature.as_deref().and_then(object) {
                    said.extra = Some(extra);
                }
                if !text.text.is_empty() {
                    said.texts.push(text.text.as_str());
                    said.pieces.push(typed("text", text.text.as_str().into()));
                }
            }
            Part::Reasoning(reasoning) => said.thought(reasoning),
            Part::ToolCall(call) => said.calls.push(called(dialect, call)),
            Part::Opaque(block) => said.block(block),
            _ => return Err(misplaced(part, "an assistant message")),
        }
    }
    let kept = match history {
        ReasoningHistory::Auto | ReasoningHistory::Drop => false,
        ReasoningHistory::ToolCalls => !said.calls.is_empty(),
        ReasoningHistory::Keep => true,
    };
    let field = match dialect.reasoning_field {
        ReasoningField::Reasoning => "reasoning",
        _ => "reasoning_content",
    };
    let content = if said.formed {
        Json::List(said.pieces)
    } else if said.texts.is_empty() && (!said.calls.is_empty() || said.audio.is_some()) {
        Json::Null
    } else {
        join(&said.texts, "")
    };
    // Who wants the thoughts of a call wants to see that there were none, too.
    let kept = kept && (!said.thoughts.is_empty() || !said.calls.is_empty());
    let kept = kept && !said.formed && said.details.is_none();
    let mut body = Body(Vec::with_capacity(4));
    body.set("role", Some("assistant"));
    body.set("content", Some(content));
    body.set(field, Some(said.thoughts).filter(|_| kept));
    body.set("reasoning_details", said.details);
    body.set("audio", said.audio);
    body.set("extra_content", said.extra);
    body.set(
        "tool_calls",
        (!said.calls.is_empty()).then_some(Json::List(said.calls)),
    );
    Ok(Json::Object(body.0))
}

/// What an earlier answer comes to.
#[derive(Default)]
struct Said<'a> {
    texts: Vec<&'a str>,
    /// The content as a list, with thoughts in the form in which they stood there.
    pieces: Vec<Json<'a>>,
    /// The content must be that list.
    formed: bool,
    thoughts: String,
    calls: Vec<Json<'a>>,
    details: Option<Json<'a>>,
    audio: Option<Json<'a>>,
    extra: Option<Json<'a>>,
}

impl<'a> Said<'a> {
    fn thought(&mut self, reasoning: &'a Reasoning) {
        let again = |form: &'a String| said_again(form, &reasoning.text);
        let encrypted = reasoning.redacted.as_deref().and_then(object);
        match encrypted.or_else(|| reasoning.signature.as_ref().and_then(again)) {
            Some(piece) => {
                self.pieces.push(piece);
                self.formed = true;
            }
            None => self.thoughts.push_str(&reasoning.text),
        }
    }

    /// A block of the server's own. Pictures and the like are not said again: this wire has no
    /// place for them in an answer.
    fn block(&mut self, block: &'a Opaque) {
        let data = Json::parse(&block.data).unwrap_or_default();
        match block.kind.as_str() {
            DETAILS => self.details = Some(data),
            AUDIO => {
                self.audio = data
                    .text("id")
                    .map(|id| Json::object([("id", id.to_owned().into())]));
            }
            _ => {}
        }
    }
}

/// A signature that is a JSON object: what a server wants back as it came.
fn object(text: &str) -> Option<Json<'_>> {
    Json::parse(text)
        .ok()
        .filter(|value| matches!(value, Json::Object(_)))
}

fn called<'a>(dialect: &Dialect, call: &'a ToolCall) -> Json<'a> {
    let (kind, field, said) = if call.signature.as_deref() == Some(CUSTOM) {
        ("custom", "input", call.arguments.as_str())
    } else {
        ("function", "arguments", tool_arguments(&call.arguments))
    };
    let id = call_id(dialect.call_ids, call.id.as_deref().unwrap_or_default());
    let what = Json::object([("name", call.name.as_str().into()), (field, said.into())]);
    let mut body = Body(Vec::with_capacity(4));
    body.set("id", Some(id));
    body.set("type", Some(kind));
    body.set(kind, Some(what));
    body.set("extra_content", call.signature.as_deref().and_then(object));
    Json::Object(body.0)
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
