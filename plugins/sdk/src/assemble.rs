//! Putting an answer together from its events, as the host does it.
//!
//! For adapters that read a whole answer as a stream of one piece, and for tests that
//! compare both ways.

use std::collections::BTreeMap;

use crate::json::Json;
use crate::{ChatEvent, ChatResponse, Citation, Part, Reasoning, Text, ToolCall, Usage};

/// The answer that these events make: a run of text is one part, a signature ends its part.
///
/// Whether the answer is complete is not asked: `done` and `failed` change nothing.
#[must_use]
pub fn assemble(events: impl IntoIterator<Item = ChatEvent>) -> ChatResponse {
    let mut assembly = Assembly {
        answer: ChatResponse::default(),
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
            ChatEvent::TextEnd => {
                if let Some(Part::Text(_)) = self.answer.content.last() {
                    self.open = false;
                }
            }
            ChatEvent::Citation(citation) => self.citation(citation),
            ChatEvent::Reasoning(more) => self.reasoning(more, None),
            ChatEvent::ReasoningSignature(signature) => {
                self.reasoning(String::new(), Some(signature));
            }
            ChatEvent::RedactedReasoning(data) => self.whole(Part::Reasoning(Reasoning {
                redacted: Some(data),
                ..Reasoning::default()
            })),
            ChatEvent::ToolCallStart(start) => {
                self.calls.insert(start.index, self.answer.content.len());
                self.whole(Part::ToolCall(ToolCall {
                    id: start.id,
                    name: start.name,
                    signature: start.signature,
                    extra: start.extra,
                    ..ToolCall::default()
                }));
            }
            ChatEvent::ToolCallDelta(delta) => {
                let at = self.calls.get(&delta.index).copied();
                let part = at.and_then(|at| self.answer.content.get_mut(at));
                if let Some(Part::ToolCall(call)) = part {
                    call.arguments.push_str(&delta.arguments);
                }
            }
            ChatEvent::Media(media) => self.whole(Part::Media(media)),
            ChatEvent::ServerToolCall(call) => self.whole(Part::ServerToolCall(call)),
            ChatEvent::ServerToolResult(result) => self.whole(Part::ServerToolResult(result)),
            ChatEvent::Opaque(block) => self.whole(Part::Opaque(block)),
            ChatEvent::PartExtra(more) => {
                let tail = self.answer.content.last_mut().and_then(tail_of);
                if let Some(tail) = tail {
                    *tail = merged(tail.take(), more);
                }
                self.open = false;
            }
            ChatEvent::Extra(more) => {
                self.answer.extra = merged(self.answer.extra.take(), more);
            }
            ChatEvent::Usage(usage) => {
                let earlier = std::mem::replace(&mut self.answer.usage, Usage::UNKNOWN);
                self.answer.usage = usage.over(earlier);
            }
            ChatEvent::Finished(finish) => self.answer.finish = finish,
            ChatEvent::Done | ChatEvent::Failed(_) => {}
        }
    }

    fn whole(&mut self, part: Part) {
        self.answer.content.push(part);
        self.open = false;
    }

    /// What the text so far rests on.
    fn citation(&mut self, citation: Citation) {
        if !(self.open && matches!(self.answer.content.last(), Some(Part::Text(_)))) {
            self.text(String::new(), None);
        }
        if let Some(Part::Text(part)) = self.answer.content.last_mut() {
            part.citations.push(citation);
        }
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
                ..Text::default()
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
                ..Reasoning::default()
            })),
        }
        self.open = !ends;
    }
}

/// The open tail that a part has room for.
fn tail_of(part: &mut Part) -> Option<&mut Option<String>> {
    Some(match part {
        Part::Text(part) => &mut part.extra,
        Part::Media(part) => &mut part.extra,
        Part::ToolCall(part) => &mut part.extra,
        Part::ToolResult(part) => &mut part.extra,
        Part::Reasoning(part) => &mut part.extra,
        Part::ServerToolCall(_) | Part::ServerToolResult(_) | Part::Opaque(_) => return None,
    })
}

/// Both objects, key by key; what is no JSON says nothing.
fn merged(known: Option<String>, more: String) -> Option<String> {
    let Some(known) = known else {
        return Some(more);
    };
    Some(match (Json::parse(&known), Json::parse(&more)) {
        (Ok(mut all), Ok(more)) => {
            all.merge(more);
            all.to_string()
        }
        (Err(_), Ok(_)) => more,
        _ => known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Events;
    use crate::testing::{call, text, thought};
    use crate::{CitationSource, Opaque, ToolCallStart};

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
            redacted: Some("x".to_owned()),
            ..Reasoning::default()
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
                ..ToolCallStart::default()
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
    fn citations_tails_and_ends_belong_to_the_text_before_them() {
        let cited = |start| Citation {
            source: CitationSource::Unknown,
            title: None,
            cited_text: None,
            start: Some(start),
            end: None,
            extra: None,
        };
        let mut events = Events::new();
        events.text("a");
        events.citation(cited(0));
        events.text("b");
        events.text_end();
        events.text("c");
        events.part_extra(r#"{"k":1}"#);
        events.text("d");
        events.extra(r#"{"a":{"x":1}}"#);
        events.extra(r#"{"a":{"y":2}}"#);
        let answer = assemble(events.into_inner());
        let first = Text {
            citations: vec![cited(0)],
            ..Text::new("ab")
        };
        let second = Text {
            extra: Some(r#"{"k":1}"#.to_owned()),
            ..Text::new("c")
        };
        assert_eq!(
            answer.content,
            [Part::Text(first), Part::Text(second), text("d")]
        );
        assert_eq!(answer.extra.as_deref(), Some(r#"{"a":{"x":1,"y":2}}"#));
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
