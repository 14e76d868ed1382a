//! Answers as strict callers of each wire read them.
//!
//! Nothing here knows of the gateway or of its faces: a reader takes bytes and says what was heard, or what no caller
//! would put up with. Where clients differ, the strictest of them is the measure.
//!
//! # Layout
//!
//! - `chat`, `responses`, `messages`, `ollama`: one wire each, whole and streamed
//! - `frames`: events and lines
//! - `value`: members that must be there
#![forbid(unsafe_code)]

mod chat;
mod frames;
mod messages;
mod ollama;
mod responses;
mod value;

/// What was heard.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    /// All text, joined.
    pub text: String,
    /// All thoughts, joined.
    pub thoughts: String,
    /// Calls of tools, in order.
    pub calls: Vec<Call>,
    /// The wire's word for the end; nothing if the answer broke off.
    pub end: Option<String>,
    /// Tokens of input and output as the wire counts them; of input all, those from the cache included.
    pub usage: Option<(u64, u64)>,
    /// Tokens of input that came from a cache.
    pub cached: Option<u64>,
    /// Addresses that texts rest on.
    pub cited: Vec<String>,
    /// The words of an error within the answer.
    pub error: Option<String>,
}

/// A call of a tool.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Call {
    /// Its id; empty on a wire that has none.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments' JSON text, or free text.
    pub arguments: String,
}

/// A wire, as a caller reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// OpenAI's chat completions.
    OpenAiChat,
    /// OpenAI's Responses.
    OpenAiResponses,
    /// Anthropic's messages.
    AnthropicMessages,
    /// Ollama's chats.
    OllamaChat,
}

/// What no caller would put up with.
pub type Fault = String;

impl Wire {
    /// Reads a whole answer.
    ///
    /// # Errors
    ///
    /// What of it breaks the wire's rules.
    pub fn whole(self, body: &[u8]) -> Result<Heard, Fault> {
        let body = value::json(body)?;
        match self {
            Wire::OpenAiChat => chat::whole(&body),
            Wire::OpenAiResponses => responses::whole(&body),
            Wire::AnthropicMessages => messages::whole(&body),
            Wire::OllamaChat => ollama::whole(&body),
        }
    }

    /// Reads a streamed answer. One that broke off is heard as far as it came, with an error or without an end.
    ///
    /// # Errors
    ///
    /// What of it breaks the wire's rules.
    pub fn stream(self, body: &[u8]) -> Result<Heard, Fault> {
        match self {
            Wire::OpenAiChat => chat::stream(&frames::events(body)?),
            Wire::OpenAiResponses => responses::stream(&frames::events(body)?),
            Wire::AnthropicMessages => messages::stream(&frames::events(body)?),
            Wire::OllamaChat => ollama::stream(&frames::lines(body)?),
        }
    }
}
