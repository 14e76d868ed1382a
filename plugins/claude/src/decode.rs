//! An answer that came whole.

use multillm_plugin_sdk::json::{Json, items, member};
use multillm_plugin_sdk::{ChatResponse, Error, Opaque, Part, Reasoning, Text, ToolCall, outcome};
use serde_json::value::RawValue;

use crate::error;
use crate::usage::Counts;
use crate::wire::{self, NO_CITATIONS, call_signature, citations, signed_citations, text};

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
    let mut parts = Parts::default();
    for block in blocks {
        parts.add(block.get())?;
    }
    let Parts {
        mut list,
        mut counts,
        has_tool_calls,
    } = parts;
    counts.update(&message);
    let usage = counts.unified(!list.is_empty());
    list.extend(counts.billing().part());
    Ok(ChatResponse {
        id: message.text("id").map(str::to_owned),
        model: message.text("model").map(str::to_owned),
        finish: wire::finish(message.text("stop_reason"), has_tool_calls),
        usage,
        content: list,
    })
}

/// The parts of an answer, with the borders that [`crate::stream`] gives them too.
#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    counts: Counts,
    has_tool_calls: bool,
}

impl Parts {
    fn add(&mut self, raw: &str) -> Result<(), Error> {
        let block = Json::parse(raw).unwrap_or_default();
        match block.text("type") {
            None => {}
            Some("text") => self.text(text(&block, "text")?, &block),
            Some("thinking") => self.thought(text(&block, "thinking")?, block.text("signature")),
            Some("redacted_thinking") => self.list.push(Part::Reasoning(Reasoning {
                text: String::new(),
                signature: None,
                redacted: Some(text(&block, "data")?.to_owned()),
            })),
            Some("tool_use") if block.text("name").is_none() => {}
            Some("tool_use") => {
                self.has_tool_calls = true;
                let input = member(raw, "input").map(outcome::arguments_text);
                self.list.push(Part::ToolCall(ToolCall {
                    id: block.text("id").map(str::to_owned),
                    local: false,
                    name: text(&block, "name")?.to_owned(),
                    arguments: outcome::tool_arguments(&input.unwrap_or_default()).to_owned(),
                    signature: call_signature(&block),
                }));
            }
            Some(kind) => {
                self.counts.own_block(&block);
                self.list.push(Part::Opaque(Opaque {
                    kind: kind.to_owned(),
                    data: raw.to_owned(),
                }));
            }
        }
        Ok(())
    }

    fn text(&mut self, written: &str, block: &Json<'_>) {
        if written.is_empty() {
            return;
        }
        if let Some(Part::Text(before)) = self.list.last_mut() {
            before
                .signature
                .get_or_insert_with(|| NO_CITATIONS.to_owned());
        }
        self.list.push(Part::Text(Text {
            text: written.to_owned(),
            signature: signed_citations(&citations(block)),
        }));
    }

    fn thought(&mut self, thought: &str, signature: Option<&str>) {
        match self.list.last_mut() {
            _ if thought.is_empty() && signature.is_none() => {}
            Some(Part::Reasoning(Reasoning {
                text,
                signature: open @ None,
                redacted: None,
            })) => {
                text.push_str(thought);
                *open = signature.map(str::to_owned);
            }
            _ => self.list.push(Part::Reasoning(Reasoning {
                text: thought.to_owned(),
                signature: signature.map(str::to_owned),
                redacted: None,
            })),
        }
    }
}

#[cfg(test)]
mod tests;
