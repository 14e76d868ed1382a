//! Putting an answer together from its events, as the host does it.
//!
//! For adapters that read a whole answer as a stream of one piece, and for tests that
//! compare both ways.

use std::collections::BTreeMap;

use crate::{
    ChatEvent, ChatResponse, Finish, FinishReason, Part, Reasoning, Text, ToolCall, Usage,
};

/// The answer that these events make: a run of text is one part, a signature ends its part.
///
/// Whether the answer is complete is not asked: `done` and `failed` change nothing.
#[must_use]
pub fn assemble(events: impl IntoIterator<Item = ChatEvent>) -> ChatResponse {
    let mut assembly = Assembly {
        answer: ChatResponse {
            id: None,
            model: None,
            content: Vec::new(),
            finish: Finish {
                reason: FinishReason::Other,
                raw: None,
            },
            usage: Usage::UNKNOWN,
        },
        open: false,
        calls: BTreeMap::new(),
    };
    for event in events {
        assembly.add(event);
    }
    assembly.answer
}

struct Assembly {
    answer: ChatResponse,
    /// The last part is text or thoughts that may still grow.
    open: bool,
    /// Where each tool call stands in the content.
    calls: BTreeMap<u32, usize>,
}

impl Assembly {
    fn add(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Started(started) => {
                self.answer.id = started.id.or(self.answer.id.take());
                self.answer.model = started.model.or(self.answer.model.take());
            }
            ChatEvent::Text(more) => self.text(more, None),
            ChatEvent::TextSignature(signature) => self.text(String::new(), Some(signature)),
            ChatEvent::Reasoning(more) => self.reasoning(more, None),
            ChatEvent::ReasoningSignature(signature) => {
                self.reasoning(String::new(), Some(signature));
            }
            ChatEvent::RedactedReasoning(data) => self.whole(Part::Reasoning(Reasoning {
                text: String::new(),
                signature: None,
                redacted: Some(data),
            })),
            ChatEvent::ToolCallStart(start) => {
                self.calls.insert(start.index, self.answer.content.len());
                self.whole(Part::ToolCall(ToolCall {
                    id: start.id,
                    local: false,
                    name: start.name,
                    arguments: String::new(),
                    signature: start.signature,
                }));
            }
            ChatEvent::ToolCallDelta(delta) => {
                let at = self.calls.get(&delta.index).copied();
                let part = at.and_then(|at| self.answer.content.get_mut(at));
                if let Some(Part::ToolCall(call)) = part {
                    call.arguments.push_str(&delta.arguments);
                }
            }
            ChatEvent::Opaque(block) => self.whole(Part::Opaque(block)),
            ChatEvent::Usage(usage) => self.answer.usage = over(usage, self.answer.usage),
            ChatEvent::Finished(finish) => self.answer.finish = finish,
            ChatEvent::Done | ChatEvent::Failed(_) => {}
        }
    }

    fn whole(&mut self, part: Part) {
        self.answer.content.push(part);
        self.open = false;
    }

    /// More text and perhaps its signature, which ends the part.
    fn text(&mut self, more: String, signature: Option<String>) {
        let ends = signature.is_some();
        match self.answer.content.last_mut() {
            Some(Part::Text(part)) if self.open => {
                part.text.push_str(&more);
                part.signature = signature;
            }
            _ => self.answer.content.push(Part::Text(Text {
                text: more,
                signature,
            })),
        }
        self.open = !ends;
    }

    /// More thoughts, in the same way.
    fn reasoning(&mut self, more: String, signature: Option<String>) {
        let ends = signature.is_some();
        match self.answer.content.last_mut() {
            Some(Part::Reasoning(part)) if self.open => {
                part.text.push_str(&more);
                part.signature = signature;
            }
            _ => self.answer.content.push(Part::Reasoning(Reasoning {
                text: more,
                signature,
                redacted: None,
            })),
        }
        self.open = !ends;
    }
}

/// The counts of a later report, with those of an earlier one where it says nothing.
fn over(later: Usage, earlier: Usage) -> Usage {
    Usage {
        prompt_tokens: later.prompt_tokens.or(earlier.prompt_tokens),
        completion_tokens: later.completion_tokens.or(earlier.completion_tokens),
        total_tokens: later.total_tokens.or(earlier.total_tokens),
        cached_tokens: later.cached_tokens.or(earlier.cached_tokens),
        cache_write_tokens: later.cache_write_tokens.or(earlier.cache_write_tokens),
        reasoning_tokens: later.reasoning_tokens.or(earlier.reasoning_tokens),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Events;
    use crate::testing::{call, text, thought};
    use crate::{Opaque, ToolCallStart};

    #[test]
    fn runs_are_parts_and_signatures_end_them() {
        let mut events = Events::new();
        events.reasoning("a");
        events.reasoning("b");
        events.reasoning_signature("s");
        events.reasoning("c");
        events.redacted_reasoning("x");
        events.text("1");
        events.text("2");
        events.text_signature("t");
        events.text_signature("alone");
        events.text("3");
        let block = Opaque {
            kind: "k".to_owned(),
            data: "{}".to_owned(),
        };
        events.opaque(block.clone());
        events.text("4");
        let signed = |part: Part, signature: &str| match part {
            Part::Text(part) => Part::Text(Text {
                signature: Some(signature.to_owned()),
                ..part
            }),
            Part::Reasoning(part) => Part::Reasoning(Reasoning {
                signature: Some(signature.to_owned()),
                ..part
            }),
            other => other,
        };
        let redacted = Part::Reasoning(Reasoning {
            text: String::new(),
            signature: None,
            redacted: Some("x".to_owned()),
        });
        assert_eq!(
            assemble(events.into_inner()).content,
            [
                signed(thought("ab"), "s"),
                thought("c"),
                redacted,
                signed(text("12"), "t"),
                signed(text(""), "alone"),
                text("3"),
                Part::Opaque(block),
                text("4"),
            ]
        );
    }

    #[test]
    fn calls_stand_where_they_began_and_get_their_own_arguments() {
        let mut events = Events::new();
        for (index, id) in [(7, "a"), (2, "b")] {
            events.tool_call_start(ToolCallStart {
                index,
                id: Some(id.to_owned()),
                name: "f".to_owned(),
                signature: None,
            });
        }
        events.text("between");
        events.tool_call_delta(2, "{}");
        events.tool_call_delta(7, "[");
        events.tool_call_delta(9, "lost");
        events.tool_call_delta(7, "]");
        assert_eq!(
            assemble(events.into_inner()).content,
            [call("a", "f", "[]"), call("b", "f", "{}"), text("between")]
        );
    }

    #[test]
    fn later_counts_replace_earlier_ones_where_there_are_any() {
        let mut events = Events::new();
        events.usage(Usage {
            prompt_tokens: Some(3),
            completion_tokens: Some(1),
            ..Usage::UNKNOWN
        });
        events.usage(Usage {
            completion_tokens: Some(2),
            ..Usage::UNKNOWN
        });
        let usage = assemble(events.into_inner()).usage;
        assert_eq!(
            (usage.prompt_tokens, usage.completion_tokens),
            (Some(3), Some(2))
        );
    }
}
