//! What happens while an answer is streamed, and an answer that came whole, told in the same way.

use serde::Serialize;

use super::{ChatResponse, Citation, MediaPart, Part, ServerToolCall, ServerToolResult, ToolCall};

/// What happens while an answer is streamed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatEvent {
    /// More of the answer.
    Text {
        /// The piece.
        text: String,
    },
    /// More thoughts.
    Reasoning {
        /// The piece.
        text: String,
    },
    /// More of a tool call that is not complete yet.
    ToolCallDelta {
        /// Tells the calls of an answer apart.
        index: u32,
        /// The tool's name; with the first piece only.
        name: Option<String>,
        /// The vendor's id of the call, where it gave one; with the first piece only.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The vendor's opaque signature of the call; with the first piece only.
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
        /// More of the arguments' JSON text.
        arguments: String,
    },
    /// A part has ended of which the pieces did not tell everything: thoughts with their signature, encrypted
    /// thoughts, text that is signed or has a tail, a block of the vendor's own. Who says the answer again
    /// elsewhere needs it.
    PartEnd {
        /// As it stands so far.
        part: Part,
    },
    /// A complete tool call.
    ToolCall(ToolCall),
    /// What the text so far rests on.
    Citation(Citation),
    /// A picture or recording that the model made.
    Media(MediaPart),
    /// The model used a tool that the vendor runs.
    ServerToolCall(ServerToolCall),
    /// What a tool that the vendor runs returned.
    ServerToolResult(ServerToolResult),
    /// The answer is complete; always the last event.
    Done(Box<ChatResponse>),
}

impl ChatResponse {
    /// The events that tell it, ending with [`ChatEvent::Done`].
    #[must_use]
    pub fn into_events(self) -> Vec<ChatEvent> {
        let told = self.parts.iter().flat_map(told);
        let mut events: Vec<ChatEvent> = told.collect();
        events.push(ChatEvent::Done(Box::new(self)));
        events
    }
}

fn told(part: &Part) -> Vec<ChatEvent> {
    let end = || ChatEvent::PartEnd { part: part.clone() };
    match part {
        Part::Text(text) => {
            let said = (!text.text.is_empty()).then(|| ChatEvent::Text {
                text: text.text.clone(),
            });
            let cited = text.citations.iter().cloned().map(ChatEvent::Citation);
            said.into_iter().chain(cited).chain([end()]).collect()
        }
        Part::Reasoning(thought) => {
            let said = (!thought.text.is_empty()).then(|| ChatEvent::Reasoning {
                text: thought.text.clone(),
            });
            said.into_iter().chain([end()]).collect()
        }
        Part::ToolCall(call) => vec![ChatEvent::ToolCall(call.clone())],
        Part::Media(media) => vec![ChatEvent::Media(media.clone())],
        Part::ServerToolCall(call) => vec![ChatEvent::ServerToolCall(call.clone())],
        Part::ServerToolResult(result) => vec![ChatEvent::ServerToolResult(result.clone())],
        Part::Opaque(_) => vec![end()],
        Part::ToolResult(_) => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{FinishReason, OpaquePart, ReasoningPart, ToolCall};

    #[test]
    fn every_part_is_told_in_its_place() {
        let thought = Part::Reasoning(ReasoningPart {
            text: "hm".into(),
            signature: Some("s".into()),
            ..ReasoningPart::default()
        });
        let block = Part::Opaque(OpaquePart {
            kind: "k".into(),
            data: "{}".into(),
        });
        let call = ToolCall {
            id: "c".into(),
            name: "f".into(),
            ..ToolCall::default()
        };
        let parts = vec![
            thought.clone(),
            Part::text("a"),
            Part::ToolCall(call.clone()),
            block.clone(),
        ];
        let answer = ChatResponse::new(parts, FinishReason::ToolCalls);
        let expected = vec![
            ChatEvent::Reasoning { text: "hm".into() },
            ChatEvent::PartEnd { part: thought },
            ChatEvent::Text { text: "a".into() },
            ChatEvent::PartEnd {
                part: Part::text("a"),
            },
            ChatEvent::ToolCall(call),
            ChatEvent::PartEnd { part: block },
            ChatEvent::Done(Box::new(answer.clone())),
        ];
        assert_eq!(answer.into_events(), expected);
    }
}
