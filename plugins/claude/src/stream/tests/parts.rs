//! Puts the events of a stream together as the contract says.

use super::{
    ChatEvent, ChatResponse, Finish, FinishReason, Part, Reasoning, Text, ToolCall, Usage,
};

/// An answer that grows.
pub(super) struct Assembly {
    answer: ChatResponse,
    /// The last part may still grow.
    open: bool,
    /// Which part is which call.
    calls: Vec<usize>,
}

impl Assembly {
    pub(super) fn of(events: Vec<ChatEvent>) -> ChatResponse {
        let mut assembly = Assembly {
            answer: ChatResponse {
                finish: Finish {
                    reason: FinishReason::Error,
                    raw: None,
                },
                usage: Usage::UNKNOWN,
                content: Vec::new(),
                model: None,
                id: None,
            },
            open: false,
            calls: Vec::new(),
        };
        for event in events {
            assembly.add(event);
        }
        assembly.answer
    }

    fn part(&mut self, part: Part, open: bool) {
        self.answer.content.push(part);
        self.open = open;
    }

    fn text(&mut self, more: &str, signature: Option<String>) {
        let stays_open = signature.is_none();
        match self.answer.content.last_mut() {
            Some(Part::Text(part)) if self.open => {
                part.text.push_str(more);
                part.signature = signature;
                self.open = stays_open;
            }
            _ => {
                let text = more.to_owned();
                self.part(Part::Text(Text { text, signature }), stays_open);
            }
        }
    }

    fn thought(&mut self, more: &str, signature: Option<String>) {
        let stays_open = signature.is_none();
        match self.answer.content.last_mut() {
            Some(Part::Reasoning(part)) if self.open => {
                part.text.push_str(more);
                part.signature = signature;
                self.open = stays_open;
            }
            _ => {
                let part = Reasoning {
                    text: more.to_owned(),
                    signature,
                    redacted: None,
                };
                self.part(Part::Reasoning(part), stays_open);
            }
        }
    }

    fn add(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Started(who) => {
                self.answer.id = who.id.or(self.answer.id.take());
                self.answer.model = who.model.or(self.answer.model.take());
            }
            ChatEvent::Text(more) => self.text(&more, None),
            ChatEvent::TextSignature(signature) => self.text("", Some(signature)),
            ChatEvent::Reasoning(more) => self.thought(&more, None),
            ChatEvent::ReasoningSignature(signature) => self.thought("", Some(signature)),
            ChatEvent::RedactedReasoning(data) => {
                let part = Reasoning {
                    text: String::new(),
                    signature: None,
                    redacted: Some(data),
                };
                self.part(Part::Reasoning(part), false);
            }
            ChatEvent::ToolCallStart(start) => {
                assert_eq!(start.index as usize, self.calls.len(), "indexes count up");
                self.calls.push(self.answer.content.len());
                let call = ToolCall {
                    name: start.name,
                    id: start.id,
                    signature: start.signature,
                    arguments: String::new(),
                    local: false,
                };
                self.part(Part::ToolCall(call), false);
            }
            ChatEvent::ToolCallDelta(delta) => {
                let at = self.calls[delta.index as usize];
                let Part::ToolCall(call) = &mut self.answer.content[at] else {
                    panic!("part {at} is no call");
                };
                call.arguments.push_str(&delta.arguments);
            }
            ChatEvent::Opaque(own) => self.part(Part::Opaque(own), false),
            // The decoder's own counts are cumulative already.
            ChatEvent::Usage(usage) => self.answer.usage = usage,
            ChatEvent::Finished(finish) => self.answer.finish = finish,
            ChatEvent::Done => {}
            ChatEvent::Failed(error) => panic!("{error:?}"),
        }
    }
}
