//! What tools of the caller's returned.

use super::super::dialect::{CallIds, Dialect};
use super::super::encode::{call_id, takes_text};
use super::super::stream::CUSTOM;
use super::input::{own, piece, typed};
use crate::able::{foreign, unreturnable};
use crate::body::{Blobs, extended};
use crate::json::Json;
use crate::{ChatRequest, Error, Message, Part, ResultPart, ToolResult};

/// Ids of calls have at most so many characters.
pub(super) const IDS: CallIds = CallIds::UpTo(64);

/// Each result is an item of its own; so are outputs of tools that only this vendor knows.
pub(super) fn encode<'a>(
    dialect: &Dialect,
    request: &ChatRequest,
    turn: &'a Message,
    blobs: &mut Blobs,
    items: &mut Vec<Json<'a>>,
) -> Result<(), Error> {
    for part in &turn.content {
        let item = match part {
            Part::ToolResult(result) => returned(dialect, request, result, blobs)?,
            Part::Opaque(block) => own(block).ok_or_else(|| foreign(dialect.name, part))?,
            _ => {
                return Err(Error::invalid_request(
                    "a tool message holds results of tools alone",
                ));
            }
        };
        items.push(extended(item, "a message", turn.extra.as_deref())?);
    }
    Ok(())
}

fn returned<'a>(
    dialect: &Dialect,
    request: &ChatRequest,
    result: &'a ToolResult,
    blobs: &mut Blobs,
) -> Result<Json<'a>, Error> {
    let kind = match is_custom(request, result) {
        true => "custom_tool_call_output",
        false => "function_call_output",
    };
    let item = Json::object([
        ("type", kind.into()),
        ("call_id", call_id(IDS, &result.call_id).into()),
        ("output", output(dialect, result, blobs)?),
    ]);
    extended(item, "a tool's result", result.extra.as_deref())
}

/// Text where it is but one, else pieces.
fn output<'a>(
    dialect: &Dialect,
    result: &'a ToolResult,
    blobs: &mut Blobs,
) -> Result<Json<'a>, Error> {
    if let [ResultPart::Text(text)] = result.content.as_slice() {
        return Ok(text.as_str().into());
    }
    let pieces = result.content.iter().map(|part| match part {
        ResultPart::Text(text) => Ok(typed("input_text", text)),
        ResultPart::Media(media) => {
            let made = piece(dialect, media, blobs)?;
            extended(made, "a part of a tool's result", media.extra.as_deref())
        }
        ResultPart::Opaque(block) => {
            own(block).ok_or_else(|| unreturnable(dialect.name, &result.name, part))
        }
    });
    let pieces = pieces.collect::<Result<Vec<_>, Error>>()?;
    Ok(match pieces.is_empty() {
        true => "".into(),
        false => Json::List(pieces),
    })
}

/// Whether the call that this answers was one of a tool which takes free text.
fn is_custom(request: &ChatRequest, result: &ToolResult) -> bool {
    let mut parts = request.messages.iter().flat_map(|message| &message.content);
    let call = parts.find_map(|part| match part {
        Part::ToolCall(call) if call.id.as_deref() == Some(&result.call_id) => Some(call),
        _ => None,
    });
    let signed = call.is_some_and(|call| call.signature.as_deref() == Some(CUSTOM));
    signed || takes_text(request, &result.name)
}
