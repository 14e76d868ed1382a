//! What a plugin says, in host types: HTTP as data, and its description.

use serde::Serialize;
use serde_json::Value;

use crate::error::Error;

/// The request that a plugin describes.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// GET instead of POST.
    pub get: bool,
    /// Segments after the base URL's path, not encoded.
    pub path: Vec<String>,
    /// Query pairs, not encoded.
    pub query: Vec<(String, String)>,
    /// Headers in order.
    pub headers: Vec<(String, HeaderValue)>,
    /// The body's pieces.
    pub body: Vec<BodyPart>,
    /// How the body of a success is to be cut.
    pub framing: Framing,
}

/// What stands in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// The value itself.
    Plain(String),
    /// The host puts a secret here.
    Secret {
        /// Which one.
        name: String,
        /// Goes before it.
        prefix: String,
        /// No such secret, no such header.
        optional: bool,
    },
}

/// A piece of a request body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyPart {
    /// UTF-8 text.
    Text(String),
    /// A picture of the request in base64.
    BlobBase64(u32),
}

/// How the body of a success is to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Not at all.
    Whole,
    /// Into server-sent events.
    Sse,
    /// Into lines.
    Ndjson,
}

/// A complete response.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Those headers that a plugin may see.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// A piece of a streamed body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The event name.
    pub event: Option<String>,
    /// The data.
    pub data: String,
}

/// What an exchange is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The vendor's name of the model.
    pub model: String,
    /// The settings as JSON text.
    pub settings: String,
}

/// A complete answer, before the host adds what it knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The vendor's id.
    pub id: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// Its parts.
    pub parts: Vec<crate::chat::Part>,
    /// Why the model stopped.
    pub finish: (crate::chat::FinishReason, Option<String>),
    /// Tokens.
    pub usage: crate::chat::Usage,
    /// What it says of the price beyond them.
    pub billing: crate::chat::Billing,
}

/// What a decoder says of a batch of frames.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A piece of the answer.
    Delta(crate::chat::Delta),
    /// The answer is complete.
    Done,
    /// The answer failed.
    Failed(Error),
}

impl Event {
    /// The bytes that came with it.
    pub(super) fn size(&self) -> usize {
        match self {
            Event::Delta(delta) => delta.size(),
            Event::Done => 0,
            Event::Failed(error) => error.message.len(),
        }
    }
}

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Info {
    /// Lower case.
    pub name: String,
    /// For a person.
    pub title: String,
    /// The plugin's version.
    pub version: String,
    /// The vendor's documentation.
    pub documentation: String,
    /// Base URL when the configuration gives none.
    pub default_base_url: Option<String>,
    /// Environment variables that may hold the base URL.
    pub base_url_env: Vec<String>,
    /// Secrets it can place.
    pub secrets: Vec<SecretInfo>,
    /// Settings it takes.
    pub settings: Vec<SettingInfo>,
    /// What it can do: name of the capability, and how.
    pub capabilities: Vec<(&'static str, Support)>,
}

/// A secret that a plugin can place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretInfo {
    /// The name.
    pub name: String,
    /// Environment variables that customarily hold it.
    pub env: Vec<String>,
    /// Requests fail without it.
    pub required: bool,
}

/// A setting that a plugin takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingInfo {
    /// The name.
    pub name: String,
    /// For a person.
    pub description: String,
    /// JSON Schema of the value.
    pub schema: Value,
}

/// How well something is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Not at all.
    No,
    /// By the vendor.
    Yes,
    /// By some of the vendor's models.
    SomeModels,
    /// Imitated by the adapter.
    Emulated,
}

/// A model that a vendor offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedModel {
    /// The name to ask for.
    pub id: String,
    /// For a person.
    pub title: Option<String>,
    /// Most tokens of input.
    pub context_tokens: Option<u64>,
    /// Most tokens of output.
    pub output_tokens: Option<u64>,
    /// Unix time in seconds.
    pub created: Option<u64>,
    /// Who owns it.
    pub owner: Option<String>,
    /// Can it chat.
    pub chat: Option<bool>,
}

/// A page of a vendor's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPage {
    /// The models.
    pub models: Vec<ListedModel>,
    /// Where the next page begins.
    pub next: Option<String>,
}
