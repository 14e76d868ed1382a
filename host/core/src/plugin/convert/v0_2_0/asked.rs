//! What a guest is asked, as records that borrow what they can: a conversation crosses the boundary
//! without being copied on the host's side first. The shapes are those of `wit/types.wit`; a component
//! whose types differ is refused when it is loaded.

use wasmtime::component::{ComponentType, Lower};

use crate::plugin::bindings::v0_2_0::multillm::provider::types as wit;

macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($wit:literal $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, ComponentType, Lower)]
        #[component(record)]
        pub(in crate::plugin) struct $name<'a> {
            $(#[component(name = $wit)] pub(in crate::plugin) $field: $ty,)*
        }
    };
}

record!(Target {
    "model" model: &'a str,
    "settings" settings: &'a str,
    "wire" wire: &'a str,
});

record!(ChatRequest {
    "messages" messages: Vec<Message<'a>>,
    "tools" tools: Vec<Tool<'a>>,
    "server-tools" server_tools: Vec<ServerTool<'a>>,
    "tool-choice" tool_choice: ToolChoice<'a>,
    "parallel-tool-calls" parallel_tool_calls: Option<bool>,
    "response-format" response_format: ResponseFormat<'a>,
    "outputs" outputs: &'a [String],
    "sampling" sampling: Sampling<'a>,
    "reasoning-effort" reasoning_effort: Option<&'a str>,
    "user" user: Option<&'a str>,
    "drop-unsupported" drop_unsupported: bool,
    "extra" extra: Option<String>,
});

record!(Message {
    "role" role: wit::Role,
    "content" content: Vec<Part<'a>>,
    "extra" extra: Option<String>,
});

/// A piece of a message.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(in crate::plugin) enum Part<'a> {
    #[component(name = "text")]
    Text(Text<'a>),
    #[component(name = "media")]
    Media(Media<'a>),
    #[component(name = "tool-call")]
    ToolCall(ToolCall<'a>),
    #[component(name = "tool-result")]
    ToolResult(ToolResult<'a>),
    #[component(name = "reasoning")]
    Reasoning(Reasoning<'a>),
    #[component(name = "server-tool-call")]
    ServerToolCall(ServerToolCall<'a>),
    #[component(name = "server-tool-result")]
    ServerToolResult(ServerToolResult<'a>),
    #[component(name = "opaque")]
    Opaque(Opaque<'a>),
}

record!(Text {
    "text" text: &'a str,
    "citations" citations: Vec<Citation<'a>>,
    "signature" signature: Option<&'a str>,
    "cache" cache: Option<wit::Cache>,
    "extra" extra: Option<String>,
});

record!(Citation {
    "source" source: CitationSource<'a>,
    "title" title: Option<&'a str>,
    "cited-text" cited_text: Option<&'a str>,
    "start" start: Option<u32>,
    "end" end: Option<u32>,
    "extra" extra: Option<String>,
});

/// What is cited.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(in crate::plugin) enum CitationSource<'a> {
    #[component(name = "url")]
    Url(&'a str),
    #[component(name = "document")]
    Document(&'a str),
    #[component(name = "file")]
    File(&'a str),
    #[component(name = "unknown")]
    Unknown,
}

record!(Reasoning {
    "text" text: &'a str,
    "signature" signature: Option<&'a str>,
    "redacted" redacted: Option<&'a str>,
    "extra" extra: Option<String>,
});

record!(Opaque {
    "kind" kind: &'a str,
    "data" data: &'a str,
});

record!(Media {
    "source" source: MediaSource<'a>,
    "media-type" media_type: Option<&'a str>,
    "name" name: Option<&'a str>,
    "detail" detail: Option<&'a str>,
    "cache" cache: Option<wit::Cache>,
    "extra" extra: Option<String>,
});

/// Where the bytes are.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(in crate::plugin) enum MediaSource<'a> {
    #[component(name = "url")]
    Url(&'a str),
    #[component(name = "blob")]
    Blob(wit::Blob),
    #[component(name = "file-id")]
    FileId(&'a str),
    /// In answers only: a case that the contract has and the host never writes.
    #[component(name = "base64")]
    #[allow(dead_code, reason = "the variant's shape is the contract's")]
    Base64(&'a str),
}

record!(ToolCall {
    "id" id: Option<&'a str>,
    "local" local: bool,
    "name" name: &'a str,
    "arguments" arguments: &'a str,
    "signature" signature: Option<&'a str>,
    "extra" extra: Option<String>,
});

record!(ToolResult {
    "call-id" call_id: &'a str,
    "local" local: bool,
    "name" name: &'a str,
    "content" content: Vec<ResultPart<'a>>,
    "is-error" is_error: bool,
    "cache" cache: Option<wit::Cache>,
    "extra" extra: Option<String>,
});

/// A piece of a tool's result.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(in crate::plugin) enum ResultPart<'a> {
    #[component(name = "text")]
    Text(&'a str),
    #[component(name = "media")]
    Media(Media<'a>),
    #[component(name = "opaque")]
    Opaque(Opaque<'a>),
}

record!(Tool {
    "name" name: &'a str,
    "description" description: Option<&'a str>,
    "input" input: ToolInput,
    "strict" strict: Option<bool>,
    "defer-loading" defer_loading: Option<bool>,
    "cache" cache: Option<wit::Cache>,
    "extra" extra: Option<String>,
});

/// What a tool takes.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(in crate::plugin) enum ToolInput {
    #[component(name = "schema")]
    Schema(String),
    #[component(name = "text")]
    Text(Option<String>),
}

record!(ServerTool {
    "name" name: &'a str,
    "options" options: Option<String>,
});

record!(ServerToolCall {
    "id" id: Option<&'a str>,
    "name" name: &'a str,
    "input" input: Option<&'a str>,
    "data" data: &'a str,
});

record!(ServerToolResult {
    "call-id" call_id: Option<&'a str>,
    "name" name: &'a str,
    "is-error" is_error: bool,
    "content" content: Vec<ResultPart<'a>>,
    "data" data: &'a str,
});

/// Whether and what the model must call.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(in crate::plugin) enum ToolChoice<'a> {
    #[component(name = "auto")]
    Auto,
    #[component(name = "none")]
    None,
    #[component(name = "required")]
    Required,
    #[component(name = "named")]
    Named(&'a str),
    #[component(name = "one-of")]
    OneOf(&'a [String]),
}

/// The form of the answer.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(in crate::plugin) enum ResponseFormat<'a> {
    #[component(name = "text")]
    Text,
    #[component(name = "json")]
    Json,
    #[component(name = "json-schema")]
    JsonSchema(JsonSchema<'a>),
}

record!(JsonSchema {
    "name" name: &'a str,
    "description" description: Option<&'a str>,
    "schema" schema: String,
    "strict" strict: Option<bool>,
});

record!(Sampling {
    "max-tokens" max_tokens: Option<u32>,
    "temperature" temperature: Option<f64>,
    "top-p" top_p: Option<f64>,
    "top-k" top_k: Option<u32>,
    "stop" stop: &'a [String],
    "seed" seed: Option<i64>,
    "frequency-penalty" frequency_penalty: Option<f64>,
    "presence-penalty" presence_penalty: Option<f64>,
});

record!(Response {
    "status" status: u16,
    "headers" headers: &'a [(String, String)],
    "body" body: &'a str,
});

record!(EmbedRequest {
    "inputs" inputs: Vec<EmbedInput<'a>>,
    "dimensions" dimensions: Option<u32>,
    "purpose" purpose: Option<&'a str>,
    "extra" extra: Option<String>,
});

/// Something to embed.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(in crate::plugin) enum EmbedInput<'a> {
    #[component(name = "text")]
    Text(&'a str),
    /// Not asked for yet.
    #[component(name = "media")]
    #[allow(dead_code, reason = "the variant's shape is the contract's")]
    Media(Media<'a>),
}
