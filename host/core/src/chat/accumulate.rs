//! Putting a streamed answer together.
//!
//! The same rules make the parts of an unstreamed answer, so that both ways give
//! equal results: runs of text are one part, a signature ends its part, tool
//! calls without an id get a local one.

use std::collections::BTreeMap;

use super::{
    Billing, ChatEvent, Citation, Extra, FinishReason, MediaPart, OpaquePart, Part, ReasoningPart,
    ServerToolCall, ServerToolResult, TextPart, ToolCall, Usage,
};

/// What a decoder read from a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// The vendor named the answer.
    Started {
        /// Its id.
        id: Option<String>,
        /// The model that answers.
        model: Option<String>,
    },
    /// More of the answer.
    Text(String),
    /// The text so far rests on this.
    Citation(Citation),
    /// Signs the text so far.
    TextSignature(String),
    /// Text that follows is another part.
    TextEnd,
    /// More thoughts.
    Reasoning(String),
    /// Signs the thoughts so far.
    ReasoningSignature(String),
    /// A whole encrypted thought.
    RedactedReasoning(String),
    /// A tool call begins.
    ToolCallStart {
        /// Tells the calls apart.
        index: u32,
        /// The vendor's id.
        id: Option<String>,
        /// The tool's name.
        name: String,
        /// The vendor's signature.
        signature: Option<String>,
        /// Beyond the unified form.
        extra: Extra,
    },
    /// More of a tool call's arguments.
    ToolCallArguments {
        /// Which call.
        index: u32,
        /// More JSON text.
        arguments: String,
    },
    /// A whole picture or recording.
    Media(MediaPart),
    /// A whole call of a tool that the vendor runs.
    ServerToolCall(ServerToolCall),
    /// A whole result of a tool that the vendor runs.
    ServerToolResult(ServerToolResult),
    /// A block of the vendor's own.
    Opaque(OpaquePart),
    /// Beyond the unified form of the text or thoughts so far, and ends the part.
    PartExtra(Extra),
    /// Beyond the unified form of the answer.
    Extra(Extra),
    /// Usage so far.
    Usage(Usage),
    /// More on the price.
    Billing(Billing),
    /// Why the model stopped.
    Finished {
        /// Unified.
        reason: FinishReason,
        /// The vendor's word.
        raw: Option<String>,
    },
}

impl Delta {
    /// The bytes that came with it.
    pub(crate) fn size(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        match self {
            Delta::Text(text)
            | Delta::TextSignature(text)
            | Delta::Reasoning(text)
            | Delta::ReasoningSignature(text)
            | Delta::RedactedReasoning(text) => text.len(),
            Delta::Started { id, model } => length(id) + length(model),
            Delta::ToolCallStart {
                id,
                name,
                signature,
                ..
            } => length(id) + name.len() + length(signature),
            Delta::ToolCallArguments { arguments, .. } => arguments.len(),
            Delta::Opaque(block) => block.kind.len() + block.data.len(),
            Delta::Finished { raw, .. } => length(raw),
            Delta::Media(media) => media.size(),
            Delta::Citation(citation) => {
                length(&citation.title) + length(&citation.cited_text) + citation.extra.size()
            }
            Delta::ServerToolCall(call) => call.name.len() + call.data.len(),
            Delta::ServerToolResult(result) => result.name.len() + result.data.len(),
            Delta::PartExtra(extra) | Delta::Extra(extra) => extra.size(),
            Delta::TextEnd | Delta::Usage(_) | Delta::Billing(_) => 0,
        }
    }
}

/// A streamed answer so far.
#[derive(Debug, Default)]
pub struct Accumulator {
    /// The vendor's id of the answer.
    pub id: Option<String>,
    /// The model that answers, as the vendor names it.
    pub model: Option<String>,
    /// Tokens so far.
    pub usage: Usage,
    /// What was said of the price so far.
    pub billing: Billing,
    /// What was said of the answer beyond the unified form so far.
    pub extra: Extra,
    /// The output was counted after the last piece of it.
    counted: bool,
    /// Why the model stopped.
    pub finish: Option<(FinishReason, Option<String>)>,
    parts: Vec<Part>,
    /// The last part is a text or reasoning part that may still grow.
    open: bool,
    /// Where each unfinished tool call stands in `parts`.
    calls: BTreeMap<u32, usize>,
}

impl Accumulator {
    /// Takes a delta in, and says what a caller should hear of it.
    pub fn push(&mut self, delta: Delta) -> Option<ChatEvent> {
        match &delta {
            Delta::Usage(usage) => self.counted |= usage.completion_tokens.is_some(),
            Delta::Started { .. }
            | Delta::Billing(_)
            | Delta::Extra(_)
            | Delta::TextEnd
            | Delta::Finished { .. } => {}
            _ => self.counted = false,
        }
        match delta {
            Delta::Started { id, model } => {
                self.id = id.or(self.id.take());
                self.model = model.or(self.model.take());
                None
            }
            Delta::Text(text) => {
                match (self.open, self.parts.last_mut()) {
                    (true, Some(Part::Text(part))) => part.text.push_str(&text),
                    _ => self.begin(Part::text(text.clone())),
                }
                Some(ChatEvent::Text { text })
            }
            Delta::TextSignature(signature) => {
                match (self.open, self.parts.last_mut()) {
                    (true, Some(Part::Text(part))) => part.signature = Some(signature),
                    _ => self.parts.push(Part::Text(TextPart {
                        signature: Some(signature),
                        ..TextPart::default()
                    })),
                }
                self.ended()
            }
            Delta::Citation(citation) => {
                match (self.open, self.parts.last_mut()) {
                    (true, Some(Part::Text(part))) => part.citations.push(citation.clone()),
                    _ => self.begin(Part::Text(TextPart {
                        citations: vec![citation.clone()],
                        ..TextPart::default()
                    })),
                }
                Some(ChatEvent::Citation(citation))
            }
            Delta::TextEnd => match (self.open, self.parts.last()) {
                (true, Some(Part::Text(_))) => self.ended(),
                _ => None,
            },
            Delta::PartExtra(extra) => {
                match self.parts.last_mut() {
                    Some(Part::Text(part)) => part.extra.update(extra),
                    Some(Part::Reasoning(part)) => part.extra.update(extra),
                    _ => return None,
                }
                self.ended()
            }
            Delta::Reasoning(text) => {
                match (self.open, self.parts.last_mut()) {
                    (true, Some(Part::Reasoning(part))) => part.text.push_str(&text),
                    _ => self.begin(Part::Reasoning(ReasoningPart {
                        text: text.clone(),
                        ..ReasoningPart::default()
                    })),
                }
                Some(ChatEvent::Reasoning { text })
            }
            Delta::ReasoningSignature(signature) => {
                match (self.open, self.parts.last_mut()) {
                    (true, Some(Part::Reasoning(part))) => part.signature = Some(signature),
                    _ => self.parts.push(Part::Reasoning(ReasoningPart {
                        signature: Some(signature),
                        ..ReasoningPart::default()
                    })),
                }
                self.ended()
            }
            Delta::RedactedReasoning(data) => {
                self.whole(Part::Reasoning(ReasoningPart {
                    redacted: Some(data),
                    ..ReasoningPart::default()
                }));
                self.ended()
            }
            Delta::ToolCallStart {
                index,
                id,
                name,
                signature,
                extra,
            } => {
                self.calls.insert(index, self.parts.len());
                let event = ChatEvent::ToolCallDelta {
                    index,
                    name: Some(name.clone()),
                    id: id.clone(),
                    signature: signature.clone(),
                    arguments: String::new(),
                };
                self.whole(Part::ToolCall(ToolCall {
                    local: id.is_none(),
                    id: id.unwrap_or_default(),
                    name,
                    arguments: String::new(),
                    signature,
                    extra,
                }));
                Some(event)
            }
            Delta::ToolCallArguments { index, arguments } => {
                let at = *self.calls.get(&index)?;
                if let Some(Part::ToolCall(call)) = self.parts.get_mut(at) {
                    call.arguments.push_str(&arguments);
                }
                Some(ChatEvent::ToolCallDelta {
                    index,
                    name: None,
                    id: None,
                    signature: None,
                    arguments,
                })
            }
            Delta::Opaque(part) => {
                self.whole(Part::Opaque(part));
                self.ended()
            }
            Delta::Media(media) => {
                self.whole(Part::Media(media.clone()));
                Some(ChatEvent::Media(media))
            }
            Delta::ServerToolCall(call) => {
                self.whole(Part::ServerToolCall(call.clone()));
                Some(ChatEvent::ServerToolCall(call))
            }
            Delta::ServerToolResult(result) => {
                self.whole(Part::ServerToolResult(result.clone()));
                Some(ChatEvent::ServerToolResult(result))
            }
            Delta::Extra(extra) => {
                self.extra.update(extra);
                None
            }
            Delta::Usage(usage) => {
                self.usage.update(&usage);
                if usage.counts_nothing_for(&self.parts) {
                    self.usage.completion_tokens = Some(0);
                }
                None
            }
            Delta::Billing(billing) => {
                self.billing.update(billing);
                None
            }
            Delta::Finished { reason, raw } => {
                self.finish = Some((reason, raw));
                None
            }
        }
    }

    /// What is known of usage if nothing more comes. The output of an answer that was cut is
    /// unknown, unless the vendor counted it after saying why the model stopped.
    #[must_use]
    pub fn usage_if_cut(&self) -> Usage {
        let mut usage = self.usage;
        if self.finish.is_none() || !self.counted {
            usage.completion_tokens = None;
            usage.reasoning_tokens = None;
            usage.total_tokens = None;
        }
        usage.settled(&self.parts)
    }

    /// All text so far.
    #[must_use]
    pub fn text(&self) -> String {
        super::message::text_of(&self.parts)
    }

    /// The parts of the complete answer. `first_call` numbers local ids; it must be larger than
    /// the number of tool calls in the conversation before.
    #[must_use]
    pub fn into_parts(self, first_call: usize) -> Vec<Part> {
        normalise(self.parts, first_call)
    }

    fn begin(&mut self, part: Part) {
        self.parts.push(part);
        self.open = true;
    }

    /// Nothing more belongs to the last part.
    fn ended(&mut self) -> Option<ChatEvent> {
        self.open = false;
        let part = self.parts.last()?.clone();
        Some(ChatEvent::PartEnd { part })
    }

    fn whole(&mut self, part: Part) {
        self.parts.push(part);
        self.open = false;
    }
}

/// Joins runs of unsigned text and of unsigned thoughts, drops parts that hold nothing, and gives
/// local ids to calls that have none.
#[must_use]
pub(crate) fn normalise(parts: Vec<Part>, first_call: usize) -> Vec<Part> {
    let mut result: Vec<Part> = Vec::with_capacity(parts.len());
    let mut next_call = first_call;
    for mut part in parts {
        match (&mut part, result.last_mut()) {
            (Part::Text(text), _) if text.text.is_empty() && text.is_plain() => continue,
            (Part::Reasoning(new), _)
                if new.text.is_empty()
                    && new.signature.is_none()
                    && new.redacted.is_none()
                    && new.extra.is_empty() =>
            {
                continue;
            }
            (Part::Text(new), Some(Part::Text(last))) if last.is_plain() && new.joins() => {
                last.text.push_str(&new.text);
                last.signature = new.signature.take();
                continue;
            }
            (Part::Reasoning(new), Some(Part::Reasoning(last)))
                if last.signature.is_none()
                    && last.redacted.is_none()
                    && last.extra.is_empty()
                    && new.redacted.is_none()
                    && new.extra.is_empty() =>
            {
                last.text.push_str(&new.text);
                last.signature = new.signature.take();
                continue;
            }
            (Part::ToolCall(call), _) if call.id.is_empty() => {
                call.id = format!("call_{next_call}");
                call.local = true;
                next_call += 1;
            }
            _ => {}
        }
        result.push(part);
    }
    result
}

#[cfg(test)]
mod tests;
