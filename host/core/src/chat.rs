//! The unified conversation: what a caller asks and what a model answers.
//!
//! Pure data with serde. Nothing here knows of WebAssembly or HTTP.

mod accumulate;
mod billing;
mod embed;
mod events;
mod extra;
mod json;
mod media;
mod message;
mod part;
mod request;
mod response;
mod tool;
mod usage;

pub(crate) use accumulate::normalise;
pub use accumulate::{Accumulator, Delta};
pub use billing::{Billing, Said};
pub use embed::{EmbedRequest, Embeddings, TokenCount};
pub use events::ChatEvent;
pub use extra::Extra;
pub use json::{Json, JsonObject};
pub use media::transcript;
pub use media::{Media, summary as media_summary};
pub use message::{ChatMessage, Role};
pub use part::{
    CacheMark, Citation, CitationSource, MediaPart, MediaSource, OpaquePart, Part, ReasoningPart,
    TextPart,
};
pub use request::{
    ChatRequest, JsonSchema, ReasoningEffort, ResponseFormat, Sampling, Unsupported,
};
pub use response::exact_number;
pub use response::{ChatResponse, FinishReason};
pub use tool::{
    FreeText, ResultPart, ServerTool, ServerToolCall, ServerToolResult, Tool, ToolCall, ToolChoice,
    ToolResult,
};
pub use usage::{IMPLAUSIBLE, Usage};
