//! Results of tools.

use multillm_plugin_sdk::body::Blobs;
use multillm_plugin_sdk::{ChatRequest, Error, Part, ResultPart, ToolResult};
use serde_json::value::RawValue;

use super::{Block, is_blank, media, opaque, typed, wire_id};
use crate::cache::{CACHE, Marks, control};
use crate::tree::Tree;
use crate::wire::TOOLSET;
use multillm_plugin_sdk::json::member;

/// What the vendor is told of a failed tool that said nothing: it refuses an error without content.
const FAILED: &str = "the tool failed";

/// A result as the vendor wants it.
pub(super) fn tree<'a>(
    request: &'a ChatRequest,
    result: &'a ToolResult,
    marks: &Marks<'a>,
    blobs: &mut Blobs,
) -> Result<Tree<'a>, Error> {
    typed("tool_result")
        .with("tool_use_id", Some(wire_id(&result.call_id)))
        .with("content", content(result, marks, blobs)?)
        .with("is_error", result.is_error.then_some(true))
        .with(TOOLSET, toolset(request, &result.call_id).map(Tree::Raw))
        .with(CACHE, marks.kept(result.cache.as_ref()).map(control))
        .open("a tool's result", result.extra.as_deref())
}

/// One text stands as it is, anything else as blocks.
fn content<'a>(
    result: &'a ToolResult,
    marks: &Marks<'a>,
    blobs: &mut Blobs,
) -> Result<Option<Tree<'a>>, Error> {
    let mut blocks = Vec::new();
    for part in &result.content {
        match part {
            ResultPart::Text(text) if is_blank(text) => {}
            ResultPart::Text(text) => blocks.push(Block::Text {
                text,
                citations: None,
                cache: None,
                tail: None,
            }),
            ResultPart::Media(media) => {
                blocks.push(Block::Other(media::tree(media, marks, blobs)?));
            }
            ResultPart::Opaque(own) => blocks.push(opaque(&own.data)?),
        }
    }
    Ok(match blocks.as_slice() {
        [] => result.is_error.then(|| FAILED.into()),
        [Block::Text { text, .. }] => Some((*text).into()),
        _ => Some(Tree::List(blocks.into_iter().map(Tree::from).collect())),
    })
}

/// The set of tools that the call named, if it named one.
fn toolset<'a>(request: &'a ChatRequest, call_id: &str) -> Option<&'a RawValue> {
    let signature = request
        .messages
        .iter()
        .flat_map(|message| &message.content)
        .find_map(|part| match part {
            Part::ToolCall(call) if call.id.as_deref() == Some(call_id) => {
                call.signature.as_deref()
            }
            _ => None,
        })?;
    member(signature, TOOLSET)
}
