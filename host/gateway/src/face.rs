//! Faces: vendors' wires, spoken towards callers.
//!
//! Bytes to a [`ChatRequest`](multillm::ChatRequest), answers and events to bytes, errors to bytes. Nothing here knows of HTTP, of
//! time or of WebAssembly; so a face is tested and fuzzed like an adapter.
//!
//! The way of a translated request:
//!
//! 1. [`Entry`]: which face a path is, and what the path itself says.
//! 2. [`Entry::head`]: the model's name, where it stands, whether a stream is wanted. The rest is not read: this is
//!    all that a relay needs.
//! 3. [`Entry::read`]: the whole as [`Asked`].
//! 4. [`Asked::lost`]: what a model of another wire cannot be told. Whoever serves refuses it by name, or drops it
//!    and says so.
//! 5. [`Asked::reply`]: the answer's form. [`Reply::whole`] or [`Reply::stream`].
//! 6. [`Face::refuse`]: an error before the answer began; [`Renderer::cut`] after it began.
//!
//! # Layout
//!
//! - `head`, `body`, `mark`: what all faces read by
//! - `refused`, `framing`: what all faces write by
//! - `openai_chat`, `responses`, `anthropic`, `ollama`, `gemini`, `cohere`: one wire each
//! - [`embeddings`], [`models`], [`tokens`]: what is asked beside chats

mod anthropic;
mod asked;
mod body;
mod calls;
mod cohere;
pub mod embeddings;
mod framing;
mod gemini;
mod head;
mod mark;
mod media;
pub mod models;
mod ollama;
mod openai_chat;
mod refused;
mod responses;
mod tails;
pub mod tokens;

use multillm::chat::ChatEvent;
use multillm::{Error, Result};

pub use asked::{Asked, Reply};
pub use gemini::Operation;
pub use head::Head;
pub use refused::Refused;

/// A wire, spoken towards callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Face {
    /// `POST /v1/chat/completions`.
    OpenAiChat,
    /// `POST /v1/responses`.
    OpenAiResponses,
    /// `POST /v1/messages`.
    AnthropicMessages,
    /// `POST /api/chat`.
    OllamaChat,
    /// `POST /api/generate`: a prompt in place of messages.
    OllamaGenerate,
    /// `POST /v1beta/models/{model}:generateContent`.
    Gemini,
    /// `POST /v2/chat`.
    CohereChat,
}

impl Face {
    /// Every face.
    pub const ALL: [Face; 7] = [
        Face::OpenAiChat,
        Face::OpenAiResponses,
        Face::AnthropicMessages,
        Face::OllamaChat,
        Face::OllamaGenerate,
        Face::Gemini,
        Face::CohereChat,
    ];

    /// The wire, as plugins name it in `info.wires`. Ollama's prompts are of the wire of its chats, and yet nothing
    /// that could be relayed: see [`Head::relayable`].
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Face::OpenAiChat => "openai-chat",
            Face::OpenAiResponses => "openai-responses",
            Face::AnthropicMessages => "anthropic-messages",
            Face::OllamaChat | Face::OllamaGenerate => "ollama-chat",
            Face::Gemini => "gemini",
            Face::CohereChat => "cohere-chat",
        }
    }

    /// The `content-type` of answers.
    #[must_use]
    pub fn content_type(self, streams: bool) -> &'static str {
        match (self, streams) {
            (Face::OllamaChat | Face::OllamaGenerate, true) => "application/x-ndjson",
            (_, true) => "text/event-stream; charset=utf-8",
            (_, false) => "application/json",
        }
    }

    /// An error in place of an answer.
    #[must_use]
    pub fn refuse(self, error: &Error) -> Refused {
        refused::refused(self, error)
    }
}

/// Where a request came in: a face, and what the path says that other wires say in their bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The face; answers are in its form, whatever the body's.
    pub face: Face,
    /// The model, where the path names it.
    pub model: Option<String>,
    /// Whether a stream is wanted, where the path says it.
    pub stream: Option<bool>,
}

impl Entry {
    /// A entry whose path says no more than which face it is.
    #[must_use]
    pub fn new(face: Face) -> Self {
        Entry {
            face,
            model: None,
            stream: None,
        }
    }

    /// The end of a path of Gemini's, `MODEL:OPERATION`, and which operation it is; nothing if there is no such.
    #[must_use]
    pub fn gemini(tail: &str) -> Option<(Operation, Self)> {
        gemini::entry(tail)
    }

    /// Reads no more than where the body is to go: in one pass, without taking it apart.
    ///
    /// # Errors
    ///
    /// It is no JSON object, or the model's name is no text.
    pub fn head(&self, body: &[u8]) -> Result<Head> {
        head::read(self, body)
    }

    /// Reads the whole.
    ///
    /// # Errors
    ///
    /// `invalid_request` that names the member which cannot be read.
    pub fn read(&self, body: &[u8]) -> Result<Asked> {
        asked::read(self, body)
    }
}

/// Tells answers apart, and says when they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Letters and digits that no other answer has.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// Nanoseconds of that second.
    pub nanos: u32,
}

/// The bytes of a stream.
///
/// Each method appends to `out` what is to be sent at once; nothing where the wire has nothing to say of it.
pub trait Renderer: Send {
    /// What may be said before anything is known of the answer but the plugin that gives it. Always the first.
    fn begin(&mut self, plugin: &str, out: &mut Vec<u8>);

    /// What an event says. After [`ChatEvent::Done`] the stream is complete.
    fn event(&mut self, event: &ChatEvent, out: &mut Vec<u8>);

    /// The answer broke off: an error in the wire's form, and never an end that could be taken for a success.
    fn cut(&mut self, error: &Error, out: &mut Vec<u8>);

    /// A sign of life.
    fn ping(&mut self, out: &mut Vec<u8>);
}

#[cfg(test)]
mod tests;
