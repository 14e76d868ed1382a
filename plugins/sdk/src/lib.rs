//! What the author of a multillm plugin needs.
//!
//! A plugin turns a unified chat request into a *description* of an HTTP
//! request, and the vendor's answer back into a unified one. It performs
//! nothing: no network, no clock, no random numbers, and no secret ever reaches it.
//!
//! # Layout
//!
//! - [`Provider`], [`Decoder`], [`ListModels`] and [`export_provider!`]: what a plugin implements.
//! - [`billing`]: what the plain price of a token does not cover.
//! - [`body`]: JSON bodies with pictures that stay with the host.
//! - [`events`]: the stream decoder's output.
//! - [`assemble`]: a whole answer from its events.
//! - [`error`]: classifying failures.
//! - [`outcome`]: rules on finish reasons and tool arguments that hold for every vendor.
//! - [`json`]: JSON as a tree, for vendors whose answers vary.
//! - [`openai`]: the OpenAI wire, driven by data.
//! - [`sse`]: events where a whole answer was asked for.
//! - [`surrogates`]: half a character in JSON, which no reader takes.
//! - [`testing`]: what an adapter's tests need.
//!
//! # Example
//!
//! `plugins/template` in the repository is a complete plugin to start from.
#![warn(missing_docs)]

pub mod assemble;
pub mod billing;
#[doc(hidden)]
pub mod bindings;
pub mod body;
pub mod error;
pub mod events;
pub mod json;
pub mod openai;
pub mod outcome;
mod provider;
pub mod settings;
pub mod sse;
pub mod surrogates;
pub mod testing;

pub use bindings::exports::multillm::provider::chat::{
    ChatEvent, ChatResponse, Mode, Started, ToolCallDelta, ToolCallStart,
};
pub use bindings::exports::multillm::provider::metadata::{
    Capabilities, Info, Secret, Setting, Support,
};
pub use bindings::listing::exports::multillm::provider::models::{Model, Page};
pub use bindings::multillm::provider::http::{
    BodyPart, Frame, Framing, Header, HeaderValue, Method, Request, Response, SecretRef,
};
pub use bindings::multillm::provider::types::{
    Blob, ChatRequest, Error, ErrorKind, Finish, FinishReason, Image, ImageSource, JsonSchema,
    Message, Opaque, Part, Reasoning, ReasoningEffort, ResponseFormat, ResultPart, Role, Sampling,
    Target, Text, Tool, ToolCall, ToolChoice, ToolResult, Usage,
};
pub use provider::{Decoder, ListModels, Provider};
