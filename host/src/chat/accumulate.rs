//! Putting a streamed answer together.
//!
//! The same rules make the parts of an unstreamed answer, so that both ways give
//! equal results: runs of text are one part, a signature ends its part, tool
//! calls without an id get a local one.

use std::collections::BTreeMap;

use super::{
    Billing, ChatEvent, FinishReason, OpaquePart, Part, ReasoningPart, TextPart, ToolCall, Usage,
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
    /// Signs the text so far.
    TextSignature(String),
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
    },
    /// More of a tool call's arguments.
    ToolCallArguments {
        /// Which call.
        index: u32,
        /// More JSON text.
        arguments: String,
    },
    /// A block of the vendor's own.
    Opaque(OpaquePart),
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
            Delta::Usage(_) | Delta::Billing(_) => 0,
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
            Delta::Started { .. } | Delta::Billing(_) | Delta::Finished { .. } => {}
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
                        text: String::new(),
                        signature: Some(signature),
                    })),
                }
                self.open = false;
                None
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
                self.open = false;
                None
            }
            Delta::RedactedReasoning(data) => {
                self.whole(Part::Reasoning(ReasoningPart {
                    redacted: Some(data),
                    ..ReasoningPart::default()
                }));
                None
            }
            Delta::ToolCallStart {
                index,
                id,
                name,
                signature,
            } => {
                self.calls.insert(index, self.parts.len());
                let event = ChatEvent::ToolCallDelta {
                    index,
                    name: Some(name.clone()),
                    arguments: String::new(),
                };
                self.whole(Part::ToolCall(ToolCall {
                    local: id.is_none(),
                    id: id.unwrap_or_default(),
                    name,
                    arguments: String::new(),
                    signature,
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
                    arguments,
                })
            }
            Delta::Opaque(part) => {
                self.whole(Part::Opaque(part));
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
            (Part::Text(text), _) if text.text.is_empty() && text.signature.is_none() => continue,
            (Part::Reasoning(new), _)
                if new.text.is_empty() && new.signature.is_none() && new.redacted.is_none() =>
            {
                continue;
            }
            (Part::Text(new), Some(Part::Text(last))) if last.signature.is_none() => {
                last.text.push_str(&new.text);
                last.signature = new.signature.take();
                continue;
            }
            (Part::Reasoning(new), Some(Part::Reasoning(last)))
                if last.signature.is_none()
                    && last.redacted.is_none()
                    && new.redacted.is_none() =>
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
mod tests {
    use super::*;

    fn parts(deltas: Vec<Delta>) -> Vec<Part> {
        let mut answer = Accumulator::default();
        for delta in deltas {
            answer.push(delta);
        }
        answer.into_parts(0)
    }

    #[test]
    fn text_runs_are_one_part_and_signatures_end_it() {
        let made = parts(vec![
            Delta::Reasoning("a".into()),
            Delta::Reasoning("b".into()),
            Delta::ReasoningSignature("s1".into()),
            Delta::Text("x".into()),
            Delta::TextSignature("s2".into()),
            Delta::TextSignature("s3".into()),
            Delta::Text("y".into()),
        ]);
        assert_eq!(
            made,
            [
                Part::Reasoning(ReasoningPart {
                    text: "ab".into(),
                    signature: Some("s1".into()),
                    redacted: None
                }),
                Part::Text(TextPart {
                    text: "x".into(),
                    signature: Some("s2".into())
                }),
                Part::Text(TextPart {
                    text: String::new(),
                    signature: Some("s3".into())
                }),
                Part::text("y"),
            ]
        );
    }

    #[test]
    fn interleaved_tool_calls_are_told_apart_by_index() {
        let start = |index, id: Option<&str>| Delta::ToolCallStart {
            index,
            id: id.map(str::to_owned),
            name: "look".into(),
            signature: None,
        };
        let more = |index, text: &str| Delta::ToolCallArguments {
            index,
            arguments: text.into(),
        };
        let made = parts(vec![
            start(0, Some("a")),
            start(1, None),
            more(0, "{\"x\""),
            more(1, "{}"),
            more(0, ":1}"),
            more(9, "lost"),
        ]);
        let calls: Vec<_> = made
            .iter()
            .map(|part| match part {
                Part::ToolCall(call) => (call.id.as_str(), call.arguments.as_str(), call.local),
                other => panic!("no call: {other:?}"),
            })
            .collect();
        assert_eq!(calls, [("a", "{\"x\":1}", false), ("call_0", "{}", true)]);
    }

    #[test]
    fn the_price_is_no_part_and_no_event() {
        let mut answer = Accumulator::default();
        answer.push(Delta::Text("a".into()));
        let billing = Billing::read(r#"{"tier":"flex"}"#);
        assert_eq!(answer.push(Delta::Billing(billing.clone())), None);
        answer.push(Delta::Text("b".into()));
        assert_eq!(answer.billing, billing);
        assert_eq!(answer.into_parts(0), [Part::text("ab")]);
    }

    #[test]
    fn the_output_of_a_cut_answer_is_known_only_if_it_was_counted_at_its_end() {
        let usage = |completion| {
            Delta::Usage(Usage {
                prompt_tokens: Some(9),
                completion_tokens: Some(completion),
                ..Usage::default()
            })
        };
        let mut answer = Accumulator::default();
        answer.push(usage(1));
        assert_eq!(answer.usage_if_cut().completion_tokens, None);
        assert_eq!(answer.usage_if_cut().prompt_tokens, Some(9));
        answer.push(Delta::Text("a".into()));
        answer.push(usage(3));
        assert_eq!(answer.usage_if_cut().completion_tokens, None);
        answer.push(Delta::Finished {
            reason: FinishReason::Stop,
            raw: None,
        });
        assert_eq!(answer.usage_if_cut().completion_tokens, Some(3));
        answer.push(Delta::Text("b".into()));
        assert_eq!(answer.usage_if_cut().completion_tokens, None);
        answer.push(usage(5));
        assert_eq!(answer.usage_if_cut().completion_tokens, Some(5));
    }

    #[test]
    fn an_empty_answer_may_have_taken_nothing_although_more_was_announced() {
        let mut answer = Accumulator::default();
        for completion in [1, 0] {
            answer.push(Delta::Usage(Usage {
                prompt_tokens: Some(9),
                completion_tokens: Some(completion),
                ..Usage::default()
            }));
        }
        assert_eq!(answer.usage.completion_tokens, Some(0));
    }

    #[test]
    fn usage_is_taken_over_field_by_field() {
        let mut answer = Accumulator::default();
        answer.push(Delta::Usage(Usage {
            prompt_tokens: Some(9),
            completion_tokens: Some(1),
            ..Usage::default()
        }));
        answer.push(Delta::Usage(Usage {
            completion_tokens: Some(5),
            ..Usage::default()
        }));
        assert_eq!(answer.usage.total(), Some(14));
    }
}
