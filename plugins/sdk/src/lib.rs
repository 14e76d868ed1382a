//! What the author of a multillm plugin needs.
//!
//! A plugin turns a unified chat request into a *description* of an HTTP
//! request, and the vendor's answer back into a unified one. It performs
//! nothing: no network, no clock, no random numbers, and no secret ever reaches it.
//!
//! # Layout
//!
//! - [`Provider`], [`Decoder`] and [`export_provider!`]: what a plugin implements; [`ListModels`],
//!   [`Embed`], [`CountTokens`] and [`Relay`]: what it may.
//! - [`again`]: frames that differ in one text alone. [`able`]: refusing what an adapter cannot say. [`effort`]: how much a model is to think.
//! - [`leaving`]: what is left out where the caller wishes it. [`embed`]: vectors. [`place`]: places in a text.
//! - [`body`]: JSON bodies with media that stay with the host, and open tails. [`media`]: what they are.
//! - [`beyond`]: what an answer says beyond the contract.
//! - [`usage`]: what an answer took, and what else its price depends on.
//! - [`events`]: the stream decoder's output.
//! - [`filter`]: components that stand between a caller and a model.
//! - [`assemble`]: a whole answer from its events.
//! - [`error`]: classifying failures.
//! - [`outcome`]: rules on finish reasons and tool arguments that hold for every vendor.
//! - [`json`]: JSON as a tree, for vendors whose answers vary.
//! - [`openai`]: the OpenAI wire, driven by data.
//! - [`relay`]: bodies that the caller wrote, and what is read of their answers.
//! - [`sse`]: events where a whole answer was asked for.
//! - [`surrogates`]: half a character in JSON, which no reader takes.
//! - [`testing`]: what an adapter's tests need.
//!
//! # Example
//!
//! `plugins/template` in the repository is a complete plugin to start from.
#![warn(missing_docs)]

pub mod able;
pub mod again;
pub mod assemble;
pub mod beyond;
#[doc(hidden)]
pub mod bindings;
pub mod body;
mod capability;
pub mod effort;
pub mod embed;
pub mod error;
pub mod events;
pub mod filter;
#[cfg(target_family = "wasm")]
mod heap;
pub mod json;
#[cfg(target_family = "wasm")]
mod last_words;
pub mod leaving;
pub mod media;
pub mod openai;
pub mod outcome;
pub mod place;
mod plain;
mod provider;
pub mod relay;
pub mod settings;
pub mod sse;
pub mod surrogates;
pub mod testing;
pub mod usage;

pub use bindings::embedding::exports::multillm::provider::embeddings::{
    EmbedRequest, Input as EmbedInput, Vectors,
};
pub use bindings::exports::multillm::provider::metadata::{
    Capability, Info, Secret, Setting, Support,
};
pub use bindings::listing::exports::multillm::provider::models::{Model, Page};
pub use bindings::multillm::provider::http::{
    BodyPart, Frame, Framing, Header, HeaderValue, Method, Request, Response, SecretRef,
};
pub use bindings::multillm::provider::types::{
    Blob, Cache, ChatEvent, ChatRequest, ChatResponse, Citation, CitationSource, Count, Error,
    ErrorKind, Finish, FinishReason, JsonSchema, Media, MediaSource, Message, Mode, Opaque, Part,
    Reasoning, ResponseFormat, ResultPart, Role, Sampling, ServerTool, ServerToolCall,
    ServerToolResult, Started, Target, Text, Tool, ToolCall, ToolCallDelta, ToolCallStart,
    ToolChoice, ToolInput, ToolResult, Usage,
};
pub use bindings::relaying::exports::multillm::provider::relay::{Operation, Passage as Route};
pub use capability::words;
pub use effort::Effort;
pub use provider::{CountTokens, Decoder, Embed, ListModels, Provider, Relay};
