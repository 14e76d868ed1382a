//! Messages.

use serde::{Deserialize, Serialize};

use super::{Extra, MediaPart, Part, ToolCall, ToolResult};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions of the application.
    System,
    /// The person, or the program that asks.
    User,
    /// The model.
    Assistant,
    /// Results of tools.
    Tool,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// The parts, in order.
    pub content: Vec<Part>,
    /// The plugin whose model produced this message, or the wire in which it was told. What only that
    /// vendor, or those who speak that wire, understand (signatures, opaque blocks, ids of calls) is sent to no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Beyond the unified form, such as the name of a participant.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ChatMessage {
    /// A message with these parts.
    #[must_use]
    pub fn new(role: Role, content: Vec<Part>) -> Self {
        ChatMessage {
            role,
            content,
            origin: None,
            extra: Extra::default(),
        }
    }

    /// Instructions of the application.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, vec![Part::text(text)])
    }

    /// What the person says.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, vec![Part::text(text)])
    }

    /// What the model said.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, vec![Part::text(text)])
    }

    /// What a tool returned to a call.
    pub fn tool_result(call: &ToolCall, content: impl Into<String>) -> Self {
        Self::new(
            Role::Tool,
            vec![Part::ToolResult(ToolResult::new(call, content))],
        )
    }

    /// The same message with a picture or file added.
    #[must_use]
    pub fn with_media(mut self, media: MediaPart) -> Self {
        self.content.push(Part::Media(media));
        self
    }

    /// All text of the message, joined.
    #[must_use]
    pub fn text(&self) -> String {
        text_of(&self.content)
    }
}

pub(super) fn text_of(parts: &[Part]) -> String {
    parts
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.text.as_str()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_json() {
        let call = ToolCall {
            id: "call_1".into(),
            name: "look".into(),
            arguments: "{}".into(),
            local: true,
            signature: Some("s".into()),
            ..ToolCall::default()
        };
        let mut message = ChatMessage::assistant("hi")
            .with_media(MediaPart::bytes(&b"\xff\xd8\xff\xe0"[..]).unwrap())
            .with_media(MediaPart::url("https://example.org/a.png"));
        message
            .content
            .push(Part::ToolResult(ToolResult::new(&call, "42")));
        message.content.push(Part::ToolCall(call));
        message.origin = Some("gemini".into());
        let tail = crate::chat::JsonObject::parse(r#"{"b":1,"a":1.50}"#).unwrap();
        message.extra = Extra::of("gemini", tail);
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<ChatMessage>(&text).unwrap(), message);
    }
}
