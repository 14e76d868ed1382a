//! What a caller asks.

use serde::{Deserialize, Serialize};

use super::{ChatMessage, Extra, Json, JsonObject, ServerTool, Tool, ToolChoice};

/// A unified chat request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatRequest {
    /// The conversation so far, oldest first.
    pub messages: Vec<ChatMessage>,
    /// Tools that the model may call and the caller runs.
    pub tools: Vec<Tool>,
    /// Tools that the vendor runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub server_tools: Vec<ServerTool>,
    /// Whether and what it must call.
    pub tool_choice: ToolChoice,
    /// May several tools be called in one answer; absent: the vendor's default.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub response_format: ResponseFormat,
    /// What the answer may hold: `text`, `image`, `audio`. Empty: the vendor's default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<String>,
    /// How tokens are drawn. What is absent here is taken from the model's configuration.
    pub sampling: Sampling,
    /// How much to think before answering.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Who asks: the caller's stable name for one of its users, which says nothing of the person, as vendors want it
    /// against misuse. Vendors that know no such thing ignore it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What becomes of what the vendor or the model cannot do; absent: as the model's configuration says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<Unsupported>,
    /// Merged into the vendor's body last.
    pub extra: JsonObject,
    /// Like `extra`, each object for the models of one wire alone.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra_by_wire: Extra,
    /// The conversation it belongs to, for the history. No vendor sees it.
    #[serde(skip)]
    pub conversation_id: Option<String>,
}

impl ChatRequest {
    /// A request with these messages and nothing else.
    #[must_use]
    pub fn new(messages: impl Into<Vec<ChatMessage>>) -> Self {
        ChatRequest {
            messages: messages.into(),
            ..Self::default()
        }
    }

    /// The same request with at most this many output tokens.
    #[must_use]
    pub fn max_tokens(mut self, max_tokens: u32) -> Self {
        self.sampling.max_tokens = Some(max_tokens);
        self
    }

    /// The same request at this temperature.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.sampling.temperature = Some(temperature);
        self
    }

    /// The same request with a tool.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// The same request for JSON that satisfies a schema.
    #[must_use]
    pub fn json_schema(mut self, name: impl Into<String>, schema: impl Into<Json>) -> Self {
        self.response_format = ResponseFormat::JsonSchema(JsonSchema {
            name: name.into(),
            description: None,
            schema: schema.into(),
            strict: None,
        });
        self
    }
}

/// What becomes of what a vendor or a model cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsupported {
    /// It is an error that names it, before anything is sent.
    #[default]
    Error,
    /// It is left out, and named among the answer's warnings, where the answer is of use without it.
    Drop,
}

/// How tokens are drawn.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sampling {
    /// The most tokens to produce.
    pub max_tokens: Option<u32>,
    /// 0 is greedy.
    pub temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1.
    pub top_p: Option<f64>,
    /// Draw from the k most likely tokens.
    pub top_k: Option<u32>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Same seed, same answer, as far as the vendor can.
    pub seed: Option<i64>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
}

impl Sampling {
    /// These values, and `defaults` where they are absent.
    #[must_use]
    pub fn or(&self, defaults: &Sampling) -> Sampling {
        Sampling {
            max_tokens: self.max_tokens.or(defaults.max_tokens),
            temperature: self.temperature.or(defaults.temperature),
            top_p: self.top_p.or(defaults.top_p),
            top_k: self.top_k.or(defaults.top_k),
            stop: if self.stop.is_empty() {
                defaults.stop.clone()
            } else {
                self.stop.clone()
            },
            seed: self.seed.or(defaults.seed),
            frequency_penalty: self.frequency_penalty.or(defaults.frequency_penalty),
            presence_penalty: self.presence_penalty.or(defaults.presence_penalty),
        }
    }
}

/// The form of the answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Text.
    #[default]
    Text,
    /// Any JSON value.
    Json,
    /// JSON that satisfies a schema.
    JsonSchema(JsonSchema),
}

/// A schema that the answer must satisfy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JsonSchema {
    /// `[A-Za-z0-9_-]{1,64}`.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema.
    pub schema: Json,
    /// The vendor must enforce it exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// How much a model should think before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningEffort {
    /// Not at all.
    None,
    /// As little as possible.
    Minimal,
    /// A little.
    Low,
    /// As usual.
    Medium,
    /// Much.
    High,
    /// As much as the model can.
    Max,
}
