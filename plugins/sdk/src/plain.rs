//! Values that say nothing in particular, to be built upon: `Text { signature, ..Text::default() }`.
#![allow(
    clippy::derivable_impls,
    reason = "the types are generated, and not all of them have a default"
)]

use crate::{
    ChatRequest, ChatResponse, EmbedRequest, Finish, FinishReason, Message, Model, Part, Reasoning,
    ResponseFormat, Role, Sampling, Target, Text, Tool, ToolCall, ToolCallStart, ToolChoice,
    ToolInput, ToolResult, Usage, Vectors,
};

impl Text {
    /// Text without a signature, citations or anything else.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Text {
            text: text.into(),
            ..Text::default()
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Text {
            text: String::new(),
            citations: Vec::new(),
            signature: None,
            cache: None,
            extra: None,
        }
    }
}

impl Default for Reasoning {
    fn default() -> Self {
        Reasoning {
            text: String::new(),
            signature: None,
            redacted: None,
            extra: None,
        }
    }
}

impl Part {
    /// A part of plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Part::Text(Text::new(text))
    }
}

impl Message {
    /// A message of these parts.
    #[must_use]
    pub fn new(role: Role, content: Vec<Part>) -> Self {
        Message {
            role,
            content,
            extra: None,
        }
    }
}

impl Default for ToolCall {
    fn default() -> Self {
        ToolCall {
            id: None,
            local: false,
            name: String::new(),
            arguments: String::new(),
            signature: None,
            extra: None,
        }
    }
}

impl Default for ToolCallStart {
    fn default() -> Self {
        ToolCallStart {
            index: 0,
            id: None,
            name: String::new(),
            signature: None,
            extra: None,
        }
    }
}

impl Default for ToolResult {
    fn default() -> Self {
        ToolResult {
            call_id: String::new(),
            local: false,
            name: String::new(),
            content: Vec::new(),
            is_error: false,
            cache: None,
            extra: None,
        }
    }
}

impl Default for Tool {
    /// A tool without a name that takes nothing.
    fn default() -> Self {
        Tool {
            name: String::new(),
            description: None,
            input: ToolInput::Schema(r#"{"type":"object","properties":{}}"#.to_owned()),
            strict: None,
            defer_loading: None,
            cache: None,
            extra: None,
        }
    }
}

impl Default for Sampling {
    fn default() -> Self {
        Sampling {
            max_tokens: None,
            temperature: None,
            top_p: None,
            top_k: None,
            stop: Vec::new(),
            seed: None,
            frequency_penalty: None,
            presence_penalty: None,
        }
    }
}

impl Default for ChatRequest {
    /// Nothing is said and nothing special is asked for.
    fn default() -> Self {
        ChatRequest {
            messages: Vec::new(),
            tools: Vec::new(),
            server_tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            parallel_tool_calls: None,
            response_format: ResponseFormat::Text,
            outputs: Vec::new(),
            sampling: Sampling::default(),
            reasoning_effort: None,
            user: None,
            drop_unsupported: false,
            extra: None,
        }
    }
}

impl Default for ChatResponse {
    /// An answer of which nothing is known.
    fn default() -> Self {
        ChatResponse {
            id: None,
            model: None,
            content: Vec::new(),
            finish: Finish {
                reason: FinishReason::Other,
                raw: None,
            },
            usage: Usage::UNKNOWN,
            extra: None,
        }
    }
}

impl Default for Target {
    /// No model, no settings, and the plugin's first wire.
    fn default() -> Self {
        Target {
            model: String::new(),
            settings: "{}".to_owned(),
            wire: String::new(),
        }
    }
}

impl Default for Model {
    fn default() -> Self {
        Model {
            id: String::new(),
            title: None,
            context_tokens: None,
            output_tokens: None,
            created: None,
            owner: None,
            chat: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            features: Vec::new(),
            extra: None,
        }
    }
}

impl Default for EmbedRequest {
    fn default() -> Self {
        EmbedRequest {
            inputs: Vec::new(),
            dimensions: None,
            purpose: None,
            extra: None,
        }
    }
}

impl Default for Vectors {
    fn default() -> Self {
        Vectors {
            model: None,
            vectors: Vec::new(),
            usage: Usage::UNKNOWN,
            extra: None,
        }
    }
}
