//! An answer that came whole: its blocks are read as those of a stream, each in one piece.

use multillm_plugin_sdk::assemble::assemble;
use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::{Json, items, member};
use multillm_plugin_sdk::{ChatResponse, Error};
use serde_json::value::RawValue;

use crate::error;
use crate::extra::Extra;
use crate::stream::blocks::Blocks;
use crate::usage::Counts;
use crate::wire;

/// Reads a message.
///
/// # Errors
///
/// `malformed-response` if it is none; the vendor's error if the body holds one.
pub(crate) fn message(body: &str) -> Result<ChatResponse, Error> {
    let message = Json::parse(body)
        .map_err(|problem| Error::malformed(format!("the answer is no message: {problem}")))?;
    let kind = message.text("type");
    let failed = || wire::failed(message.text("stop_reason"));
    if let Some(failure) = error::inside(&message).or_else(failed) {
        return Err(failure);
    }
    let blocks: Vec<&RawValue> = match message.get("content") {
        Some(Json::List(_)) => {
            member(body, "content").map_or_else(Vec::new, |list| items(list.get()))
        }
        None if kind == Some("message") => Vec::new(),
        _ => {
            return Err(Error::malformed(
                "the answer is no message: it has no list of content",
            ));
        }
    };
    let (mut read, mut counts, mut events) = (Blocks::default(), Counts::default(), Events::new());
    for block in blocks {
        read.whole(block.get(), &mut events)?;
        counts.own_block(&Json::parse(block.get()).unwrap_or_default());
    }
    counts.update(&message);
    let mut extra = Extra::default();
    extra.message(&message);
    if let Some(container) = extra.container() {
        events.opaque(container);
    }
    let answer = assemble(events.into_inner());
    Ok(ChatResponse {
        id: message.text("id").map(str::to_owned),
        model: message.text("model").map(str::to_owned),
        finish: wire::finish(message.text("stop_reason"), read.has_tool_calls()),
        usage: counts.billed(!answer.content.is_empty()),
        extra: extra.text(),
        ..answer
    })
}

#[cfg(test)]
mod tests;
