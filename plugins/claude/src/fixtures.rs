//! Requests to test with.

use multillm_plugin_sdk::{
    ChatRequest, Message, Part, ResponseFormat, Role, Sampling, Target, Text, Tool, ToolCall,
    ToolChoice,
};

/// A target.
pub(crate) fn target(model: &str, settings: &str) -> Target {
    Target {
        model: model.to_owned(),
        settings: settings.to_owned(),
    }
}

/// A conversation that asks for nothing special.
pub(crate) fn converse(messages: Vec<Message>) -> ChatRequest {
    let sampling = Sampling {
        stop: Vec::new(),
        seed: None,
        top_k: None,
        top_p: None,
        temperature: None,
        max_tokens: None,
        presence_penalty: None,
        frequency_penalty: None,
    };
    ChatRequest {
        extra: "{}".to_owned(),
        sampling,
        messages,
        tool_choice: ToolChoice::Auto,
        response_format: ResponseFormat::Text,
        reasoning_effort: None,
        parallel_tool_calls: None,
        tools: Vec::new(),
    }
}

/// One question.
pub(crate) fn ask(question: &str) -> ChatRequest {
    converse(vec![said(Role::User, question)])
}

/// A message of parts.
pub(crate) fn message<const N: usize>(role: Role, content: [Part; N]) -> Message {
    Message {
        role,
        content: content.into(),
    }
}

/// A message of text.
pub(crate) fn said(role: Role, words: &str) -> Message {
    message(role, [text(words)])
}

/// Unsigned text.
pub(crate) fn text(words: &str) -> Part {
    Part::Text(Text {
        text: words.to_owned(),
        signature: None,
    })
}

/// A call.
pub(crate) fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: Some(id.to_owned()),
        local: false,
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        signature: None,
    }
}

/// A tool without parameters.
pub(crate) fn tool(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        description: None,
        parameters: r#"{"type":"object","properties":{}}"#.to_owned(),
        strict: None,
    }
}
