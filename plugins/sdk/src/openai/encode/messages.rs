//! The conversation so far.

use std::borrow::Cow;

use super::super::dialect::{CallIds, Dialect, ReasoningField, ReasoningHistory};
use super::super::stream::{AUDIO, CUSTOM, DETAILS, said_again};
use super::tools::takes_text;
use super::{Body, media};
use crate::able::{foreign, unreturnable};
use crate::body::{Blobs, extended, tail};
use crate::json::Json;
use crate::media::Kind;
use crate::outcome::tool_arguments;
use crate::{
    ChatRequest, Error, Media, Message, Opaque, Part, Reasoning, ResultPart, Role, Target,
    ToolCall, ToolResult,
};

/// Every turn, in order. A tool's result is a message of its own.
pub(super) fn encode<'a>(
    dialect: &'a Dialect,
    target: &Target,
    reasons: bool,
    request: &'a ChatRequest,
    blobs: &mut Blobs,
) -> Result<Vec<Json<'a>>, Error> {
    let turns = &request.messages;
    let mut messages = Vec::with_capacity(turns.len());
    let push = |turn: &'a Message, message, messages: &mut Vec<Json<'a>>| {
        let message = extended(message, "a message", turn.extra.as_deref())?;
        messages.push(message);
        Ok(())
    };
    let history = dialect.history(&target.model);
    let mut shown = Vec::new();
    for turn in turns {
        if turn.role != Role::Tool && !shown.is_empty() {
            // Not before the results of calls, which must follow their calls.
            messages.push(says("user", Json::List(std::mem::take(&mut shown))));
        }
        match turn.role {
            Role::System => {
                let role = if reasons {
                    &dialect.reasoning_system_role
                } else {
                    &dialect.system_role
                };
                let content = spoken(dialect, &turn.content, "a system message", None)?;
                push(turn, says(role, content), &mut messages)?;
            }
            Role::User => {
                let content = spoken(dialect, &turn.content, "a user message", Some(blobs))?;
                push(turn, says("user", content), &mut messages)?;
            }
            Role::Assistant => {
                let message = answer(dialect, history, request, &turn.content)?;
                push(turn, message, &mut messages)?;
                shown = pictures(dialect, &turn.content, blobs)?;
            }
            Role::Tool => {
                for part in &turn.content {
                    let Part::ToolResult(result) = part else {
                        return Err(misplaced(dialect, part, "a tool message"));
                    };
                    push(turn, returned(dialect, result)?, &mut messages)?;
                }
            }
        }
    }
    if !shown.is_empty() {
        messages.push(says("user", Json::List(shown)));
    }
    Ok(messages)
}

/// The pictures and the like of an answer, as pieces of a question: answers of this API hold none, and a model
/// that did not draw them has to see them. A spoken answer is known to its maker by its id.
fn pictures<'a>(
    dialect: &Dialect,
    parts: &'a [Part],
    blobs: &mut Blobs,
) -> Result<Vec<Json<'a>>, Error> {
    let media = parts.iter().filter_map(|part| match part {
        Part::Media(media) if voiced(media).is_none() => Some(media),
        _ => None,
    });
    media
        .map(|media| media::piece(dialect, media, blobs))
        .collect()
}

/// The id of a spoken answer.
fn voiced(media: &Media) -> Option<Json<'static>> {
    let extra = Json::parse(media.extra.as_deref()?).ok()?;
    let id = extra.text("id").filter(|_| media.kind() == Kind::Audio)?;
    Some(Json::object([("id", id.to_owned().into())]))
}

fn says<'a>(role: &'a str, content: Json<'a>) -> Json<'a> {
    Json::object([("role", role.into()), ("content", content)])
}

/// Text, and pictures and the like where `blobs` allows them.
fn spoken<'a>(
    dialect: &Dialect,
    parts: &'a [Part],
    place: &str,
    mut blobs: Option<&mut Blobs>,
) -> Result<Json<'a>, Error> {
    let mut texts = Vec::new();
    let mut tails = false;
    let mut list = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, &mut blobs) {
            (Part::Text(text), _) if text.text.is_empty() => {}
            (Part::Text(text), _) => {
                texts.push(text.text.as_str());
                let piece = typed("text", text.text.as_str().into());
                tails |= text.extra.is_some();
                list.push(extended(piece, "a text", text.extra.as_deref())?);
            }
            (Part::Media(media), Some(blobs)) => {
                list.push(media::piece(dialect, media, blobs)?);
            }
            _ => return Err(misplaced(dialect, part, place)),
        }
    }
    let only_text = texts.len() == list.len();
    if only_text && !tails && (list.len() <= 1 || dialect.flat_content) {
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

/// What the model answered before, with what it wants back. Without text the content is `null`.
fn answer<'a>(
    dialect: &Dialect,
    history: ReasoningHistory,
    request: &ChatRequest,
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
                    let extra = of_this_api(text.extra.as_deref());
                    said.texts.push(text.text.as_str());
                    said.listed |= extra.is_some();
                    let piece = typed("text", text.text.as_str().into());
                    said.pieces.push(extended(piece, "a text", extra)?);
                }
            }
            Part::Reasoning(reasoning) => said.thought(reasoning)?,
            Part::ToolCall(call) => said.calls.push(called(dialect, request, call)?),
            Part::Opaque(block) => said.block(block),
            Part::Media(media) => said.audio = voiced(media).or(said.audio.take()),
            // What the Responses API of this vendor ran is told in the text that follows.
            Part::ServerToolCall(_) | Part::ServerToolResult(_) => {}
            _ => return Err(misplaced(dialect, part, "an assistant message")),
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
    let content = if said.formed || said.listed {
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
    let mut answer = Json::Object(body.0);
    for tail in said.tails.into_iter().filter(|_| kept) {
        answer.merge(tail);
    }
    Ok(answer)
}

/// What an earlier answer comes to.
#[derive(Default)]
struct Said<'a> {
    texts: Vec<&'a str>,
    /// The content as a list, with thoughts in the form in which they stood there.
    pieces: Vec<Json<'a>>,
    /// The content must be that list, for the thoughts in it.
    formed: bool,
    /// The content must be that list, for the tails of its texts.
    listed: bool,
    thoughts: String,
    /// The tails of thoughts that are plain text.
    tails: Vec<Json<'a>>,
    calls: Vec<Json<'a>>,
    details: Option<Json<'a>>,
    audio: Option<Json<'a>>,
    extra: Option<Json<'a>>,
}

impl<'a> Said<'a> {
    fn thought(&mut self, reasoning: &'a Reasoning) -> Result<(), Error> {
        let again = |form: &'a String| said_again(form, &reasoning.text);
        let encrypted = reasoning.redacted.as_deref().and_then(object);
        match encrypted.or_else(|| reasoning.signature.as_ref().and_then(again)) {
            Some(piece) => {
                let extra = of_this_api(reasoning.extra.as_deref());
                self.pieces.push(extended(piece, "a thought", extra)?);
                self.formed = true;
            }
            None => {
                self.thoughts.push_str(&reasoning.text);
                let tail = tail("a thought", of_this_api(reasoning.extra.as_deref()))?;
                self.tails.extend(tail);
            }
        }
        Ok(())
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

/// The tail of a part of an answer, unless it is one of the Responses API: that has an id for each item, and this API
/// for none.
fn of_this_api(extra: Option<&str>) -> Option<&str> {
    let named = |extra: &&str| Json::parse(extra).is_ok_and(|tail| tail.text("id").is_some());
    extra.filter(|extra| !named(extra))
}

/// A signature that is a JSON object: what a server wants back as it came.
fn object(text: &str) -> Option<Json<'_>> {
    Json::parse(text)
        .ok()
        .filter(|value| matches!(value, Json::Object(_)))
}

fn called<'a>(
    dialect: &Dialect,
    request: &ChatRequest,
    call: &'a ToolCall,
) -> Result<Json<'a>, Error> {
    let is_custom = call.signature.as_deref() == Some(CUSTOM) || takes_text(request, &call.name);
    let (kind, field, said) = if is_custom {
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
    let extra = of_this_api(call.extra.as_deref());
    extended(Json::Object(body.0), "a tool call", extra)
}

fn returned<'a>(dialect: &Dialect, result: &'a ToolResult) -> Result<Json<'a>, Error> {
    let texts = result
        .content
        .iter()
        .map(|part| match part {
            ResultPart::Text(text) => Ok(text.as_str()),
            other => Err(unreturnable(dialect.name, &result.name, other)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let id = call_id(dialect.call_ids, &result.call_id);
    let message = Json::object([
        ("role", "tool".into()),
        ("tool_call_id", id.into()),
        ("content", join(&texts, "\n")),
    ]);
    extended(message, "a tool's result", result.extra.as_deref())
}

/// The id, or what stands for it where the server would refuse it.
pub(in super::super) fn call_id(rule: CallIds, id: &str) -> Cow<'_, str> {
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

fn misplaced(dialect: &Dialect, part: &Part, place: &str) -> Error {
    let what = match part {
        Part::Text(_) => "text",
        Part::Media(media) => {
            let what = media.named();
            let name = dialect.name;
            return Error::unsupported(format!("{place} to {name} cannot hold a {what}"));
        }
        Part::ToolCall(_) => "a tool call",
        Part::ToolResult(_) => "a tool's result",
        Part::Reasoning(_) => "thoughts",
        Part::ServerToolCall(_) | Part::ServerToolResult(_) => return foreign(dialect.name, part),
        Part::Opaque(_) => "a block of another vendor's",
    };
    Error::invalid_request(format!("{place} cannot hold {what}"))
}

#[cfg(test)]
mod tests;
