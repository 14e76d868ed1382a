//! What a plugin is asked and says, in host types. HTTP as data is [`described`](crate::described).

use serde::Serialize;
use serde_json::Value;

pub use crate::chat::EmbedRequest;
pub use crate::described::{BodyPart, Frame, Framing, HeaderValue, Method, Request, Response};
use crate::error::Error;

/// What an exchange is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The vendor's name of the model.
    pub model: String,
    /// The settings as JSON text.
    pub settings: String,
    /// Which of the plugin's wires is meant; empty for a plugin that names none.
    pub wire: String,
}

/// A question, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The described request.
    pub request: Request,
    /// The pictures and files that belong into it, by their numbers.
    pub blobs: Vec<bytes::Bytes>,
    /// What was asked and left out, a line each.
    pub warnings: Vec<String>,
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
    /// What the vendor said beyond the unified form.
    pub extra: crate::chat::Extra,
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
    pub capabilities: Vec<(String, Support)>,
    /// Wires that it speaks, the one that it encodes first; empty for one of contract 0.1.0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wires: Vec<String>,
    /// Headers of a caller that may travel to the vendor, in lower case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<String>,
}

impl Info {
    /// Of which nothing is known yet.
    pub(super) fn unknown() -> Self {
        Info {
            name: String::new(),
            title: String::new(),
            version: String::new(),
            documentation: String::new(),
            default_base_url: None,
            base_url_env: vec![],
            secrets: vec![],
            settings: vec![],
            capabilities: vec![],
            wires: vec![],
            passes: vec![],
        }
    }
}

/// What a filter says of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilterInfo {
    /// Lower case.
    pub name: String,
    /// For a person.
    pub title: String,
    /// The filter's version.
    pub version: String,
    /// Where it is documented.
    pub documentation: String,
    /// Settings it takes.
    pub settings: Vec<SettingInfo>,
}

/// How an answer ended, as filters are told it.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It is complete.
    Done,
    /// It failed.
    Failed(Error),
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
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
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
    /// What it takes, such as `text` and `image`, as far as the vendor says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// What it gives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<String>,
    /// What it can: words as in [`Info::capabilities`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// What else the vendor says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<Value>,
}

/// A page of a vendor's list.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelPage {
    /// The models.
    pub models: Vec<ListedModel>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// What a body asks for that a caller wrote in one of the plugin's wires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A chat.
    Chat,
    /// The tokens of what would be a chat.
    CountTokens,
    /// Embeddings.
    Embeddings,
}

/// The way of such a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// All but the body.
    pub request: Request,
    /// Where the model's name stands in the body, as keys from the outermost in; empty where it
    /// stands in the path alone.
    pub model: Vec<String>,
    /// The name that goes there.
    pub name: String,
}

/// Embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// The model that answered.
    pub model: Option<String>,
    /// One for each input, in order.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens.
    pub usage: crate::chat::Usage,
    /// What it says of the price beyond them.
    pub billing: crate::chat::Billing,
    /// What the vendor said beyond the unified form.
    pub extra: crate::chat::Extra,
}
