//! Tools: what a model may call, what it called, what came of it.

use serde::{Deserialize, Serialize};

use super::{CacheMark, Extra, Json, MediaPart, OpaquePart};

/// A tool that the model may call and the caller runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// The name the model calls it by.
    pub name: String,
    /// What it does and when to use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of the arguments.
    #[serde(default = "no_parameters")]
    pub parameters: Json,
    /// The tool takes free text in place of arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_text: Option<FreeText>,
    /// The arguments must satisfy the schema exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// The model is not shown the tool until it has looked for it with a tool of the vendor's that searches among tools;
    /// vendors that know no such thing show it at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defer_loading: Option<bool>,
    /// What stands before and here is worth keeping in the vendor's prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheMark>,
    /// Beyond the unified form.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Tool {
    /// A tool with a JSON Schema of its arguments.
    pub fn new(name: impl Into<String>, parameters: impl Into<Json>) -> Self {
        Tool {
            name: name.into(),
            description: None,
            parameters: parameters.into(),
            free_text: None,
            strict: None,
            defer_loading: None,
            cache: None,
            extra: Extra::default(),
        }
    }
}

fn no_parameters() -> Json {
    serde_json::json!({ "type": "object", "properties": {} }).into()
}

/// What a tool takes that has no arguments but a text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FreeText {
    /// The vendor's description of a grammar that the text satisfies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grammar: Option<Json>,
}

/// A tool that the vendor runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerTool {
    /// `web-search`, `web-fetch`, `code-execution`, `file-search`, `image-generation`, `mcp`, or the
    /// vendor's own name.
    pub name: String,
    /// The vendor's own options: an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Json>,
}

/// Whether and what the model must call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// No tool may be called.
    None,
    /// At least one tool must be called.
    Required,
    /// This tool must be called.
    Named(String),
    /// At least one of these must be called, and no other may be.
    OneOf(Vec<String>),
}

/// A call of a tool that the model asks for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ToolCall {
    /// Ties the result to the call.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Arguments as JSON text, as the model wrote it; may be cut off when the answer was. For a tool
    /// that takes free text, that text.
    pub arguments: String,
    /// The id was made here because the vendor gave none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
    /// The vendor's opaque signature of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Beyond the unified form.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// What a tool returned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ToolResult {
    /// The id of the call.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// Text, media and blocks of the vendor's own.
    pub content: Vec<ResultPart>,
    /// The tool failed, and the content says how.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// As in the call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
    /// The conversation up to here is worth keeping in the vendor's prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheMark>,
    /// Beyond the unified form.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ToolResult {
    /// A text result to a call.
    pub fn new(call: &ToolCall, content: impl Into<String>) -> Self {
        ToolResult {
            call_id: call.id.clone(),
            name: call.name.clone(),
            content: vec![ResultPart::Text {
                text: content.into(),
            }],
            local: call.local,
            ..ToolResult::default()
        }
    }
}

/// A piece of a tool's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResultPart {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture, document, recording or film.
    #[serde(alias = "image")]
    Media(MediaPart),
    /// A block of the vendor's own, such as a search result that can be cited.
    Opaque(OpaquePart),
}

/// The model used a tool that the vendor runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ServerToolCall {
    /// The vendor's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// As in [`ServerTool`].
    pub name: String,
    /// What it was asked, as JSON text, such as `{"query":"…"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The vendor's block as it wrote it: JSON text, to be sent back unchanged.
    pub data: String,
}

/// What a tool that the vendor runs returned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ServerToolResult {
    /// The id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// As in the call.
    pub name: String,
    /// The tool failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// What of it can be shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ResultPart>,
    /// The vendor's block as it wrote it: JSON text, to be sent back unchanged.
    pub data: String,
}
