//! The conversation so far, as the list of items that the API calls its input.

use super::super::choice::Api;
use super::super::dialect::Dialect;
use super::super::encode::{Body, document_name};
use super::answered;
use super::results;
use crate::able::foreign;
use crate::body::{Blobs, extended};
use crate::json::Json;
use crate::media::Kind;
use crate::{ChatRequest, Error, Media, MediaSource, Message, Opaque, Part, Role};

/// The instructions at the beginning of a conversation, and what follows them. What bears a tail is an item.
pub(super) fn instructions(messages: &[Message]) -> (Option<String>, &[Message]) {
    let Some((first, rest)) = messages.split_first() else {
        return (None, messages);
    };
    let texts = first.content.iter().map(|part| match part {
        Part::Text(text) if text.extra.is_none() => Some(text.text.as_str()),
        _ => None,
    });
    let texts: Option<Vec<&str>> = texts.collect();
    match texts {
        Some(texts) if first.role == Role::System && first.extra.is_none() => {
            let text = texts.join("\n");
            (Some(text).filter(|text| !text.is_empty()), rest)
        }
        _ => (None, messages),
    }
}

/// Every turn, in order.
pub(super) fn encode<'a>(
    dialect: &'a Dialect,
    reasons: bool,
    kept: bool,
    request: &'a ChatRequest,
    turns: &'a [Message],
    blobs: &mut Blobs,
) -> Result<Vec<Json<'a>>, Error> {
    let mut items = Vec::with_capacity(turns.len());
    for turn in turns {
        match turn.role {
            Role::System => {
                let role = match reasons {
                    true => &dialect.reasoning_system_role,
                    false => &dialect.system_role,
                };
                says(dialect, role, turn, blobs, &mut items)?;
            }
            Role::User => says(dialect, "user", turn, blobs, &mut items)?,
            Role::Assistant => {
                answered::encode(dialect, kept, request, turn, blobs, &mut items)?;
            }
            Role::Tool => results::encode(dialect, request, turn, blobs, &mut items)?,
        }
    }
    Ok(items)
}

/// A message of pieces; an item of the vendor's own among them stands between two messages.
fn says<'a>(
    dialect: &Dialect,
    role: &'a str,
    turn: &'a Message,
    blobs: &mut Blobs,
    items: &mut Vec<Json<'a>>,
) -> Result<(), Error> {
    let mut said = Said::default();
    let count = items.len();
    for part in &turn.content {
        match part {
            Part::Text(text) if text.text.is_empty() => {}
            Part::Text(text) => {
                said.plain =
                    (text.extra.is_none() && said.pieces.is_empty()).then_some(text.text.as_str());
                said.piece(typed("input_text", &text.text), text.extra.as_deref())?;
            }
            Part::Media(media) => {
                said.plain = None;
                let made = piece(dialect, media, blobs)?;
                said.piece(made, media.extra.as_deref())?;
            }
            Part::Opaque(block) => match own(block) {
                Some(made) if block.kind.starts_with("input_") => {
                    said.plain = None;
                    said.pieces.push(made);
                }
                Some(made) => {
                    items.extend(said.end(role, turn)?);
                    items.push(made);
                }
                None => return Err(foreign(dialect.name, part)),
            },
            Part::ServerToolCall(_) | Part::ServerToolResult(_) => {
                return Err(foreign(dialect.name, part));
            }
            Part::ToolCall(_) | Part::ToolResult(_) | Part::Reasoning(_) => {
                let what = "a call, a result or thoughts";
                return Err(Error::invalid_request(format!(
                    "a message of role {role} cannot hold {what}"
                )));
            }
        }
    }
    match said.end(role, turn)? {
        Some(message) => items.push(message),
        // A message that says nothing is a message.
        None if items.len() == count => {
            let empty = Json::object([("role", role.into()), ("content", "".into())]);
            items.push(extended(empty, "a message", turn.extra.as_deref())?);
        }
        None => {}
    }
    Ok(())
}

/// A message under way.
#[derive(Default)]
struct Said<'a> {
    pieces: Vec<Json<'a>>,
    /// The one text that is everything.
    plain: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn piece(&mut self, piece: Json<'a>, extra: Option<&'a str>) -> Result<(), Error> {
        self.pieces
            .push(extended(piece, "a part of a message", extra)?);
        Ok(())
    }

    fn end(&mut self, role: &'a str, turn: &'a Message) -> Result<Option<Json<'a>>, Error> {
        let said = std::mem::take(self);
        if said.pieces.is_empty() {
            return Ok(None);
        }
        let content = match said.plain {
            Some(text) => text.into(),
            None => Json::List(said.pieces),
        };
        let message = Json::object([("role", role.into()), ("content", content)]);
        extended(message, "a message", turn.extra.as_deref()).map(Some)
    }
}

/// A piece of text of this type.
pub(super) fn typed<'a>(kind: &'static str, text: &'a str) -> Json<'a> {
    Json::object([("type", kind.into()), ("text", text.into())])
}

/// An item or piece of the API's own as it came; nothing if it is none of this API's.
pub(super) fn own(block: &Opaque) -> Option<Json<'_>> {
    const OF_CHAT: [&str; 6] = [
        "audio",
        "file",
        "image",
        "image_url",
        "input_audio",
        "reasoning_details",
    ];
    let data = Json::parse(&block.data).ok()?;
    let is_own = data.text("type") == Some(block.kind.as_str()) && !OF_CHAT.contains(&&*block.kind);
    is_own.then_some(data)
}

/// A picture or document as a piece of a question or result.
///
/// # Errors
///
/// `unsupported` for recordings and films, `invalid-request` for bytes of which nobody said what they are.
pub(super) fn piece<'a>(
    dialect: &Dialect,
    media: &'a Media,
    blobs: &mut Blobs,
) -> Result<Json<'a>, Error> {
    let kind = media.kind();
    let mut made = Body(Vec::with_capacity(3));
    match (&media.source, kind) {
        (_, Kind::Audio) if dialect.api == Api::Responses => {
            return Err(Error::unsupported(format!(
                "the Responses API of {} takes no {}: ask by chat completions with the setting api: chat",
                dialect.name,
                media.named()
            )));
        }
        (MediaSource::Base64(_), _) | (_, Kind::Audio | Kind::Video) => {
            return Err(media.refused(dialect.name));
        }
        // A file of which nobody said what it is is a document: no picture goes without a word.
        (MediaSource::FileId(id), _) if kind == Kind::Document || media.media_type.is_none() => {
            made.set("type", Some("input_file"));
            made.set("file_id", Some(id.as_str()));
        }
        (MediaSource::FileId(id), _) => {
            made.set("type", Some("input_image"));
            made.set("file_id", Some(id.as_str()));
        }
        (MediaSource::Url(url), Kind::Picture) => {
            made.set("type", Some("input_image"));
            made.set("image_url", Some(url.as_str()));
        }
        (MediaSource::Url(url), _) => {
            made.set("type", Some("input_file"));
            made.set("file_url", Some(url.as_str()));
        }
        (MediaSource::Blob(blob), Kind::Picture) => {
            let data = format!("data:{};base64,{}", media.known_type()?, blobs.base64(blob));
            made.set("type", Some("input_image"));
            made.set("image_url", Some(data));
        }
        (MediaSource::Blob(blob), _) => {
            let data = format!("data:{};base64,{}", media.known_type()?, blobs.base64(blob));
            made.set("type", Some("input_file"));
            made.set("filename", Some(document_name(media)));
            made.set("file_data", Some(data));
        }
    }
    if kind == Kind::Picture {
        made.set("detail", media.detail.as_deref());
    }
    Ok(Json::Object(made.0))
}
