//! Requests to test with.

use multillm_plugin_sdk::{ChatRequest, Message, Part, Role, Target, Tool, ToolCall};

/// A target.
pub(crate) fn target(model: &str, settings: &str) -> Target {
    Target {
        model: model.to_owned(),
        settings: settings.to_owned(),
        ..Target::default()
    }
}

/// A conversation that asks for nothing special.
pub(crate) fn converse(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        messages,
        ..ChatRequest::default()
    }
}

/// One question.
pub(crate) fn ask(question: &str) -> ChatRequest {
    converse(vec![said(Role::User, question)])
}

/// A message of parts.
pub(crate) fn message<const N: usize>(role: Role, content: [Part; N]) -> Message {
    Message::new(role, content.into())
}

/// A message of text.
pub(crate) fn said(role: Role, words: &str) -> Message {
    message(role, [text(words)])
}

/// Unsigned text.
pub(crate) fn text(words: &str) -> Part {
    Part::text(words)
}

/// A call.
pub(crate) fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: Some(id.to_owned()),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        ..ToolCall::default()
    }
}

/// A tool without parameters.
pub(crate) fn tool(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        ..Tool::default()
    }
}
