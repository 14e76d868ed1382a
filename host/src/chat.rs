//! The unified conversation: what a caller asks and what a model answers.
//!
//! Pure data with serde. Nothing here knows of WebAssembly or HTTP.

mod accumulate;
mod billing;
mod media;
mod message;
mod request;
mod response;
mod usage;

pub(crate) use accumulate::normalise;
pub use accumulate::{Accumulator, Delta};
pub use billing::Billing;
pub(crate) use media::transcript;
pub use media::{Media, summary as media_summary};
pub use message::{
    ChatMessage, ImagePart, ImageSource, OpaquePart, Part, ReasoningPart, ResultPart, Role,
    TextPart, ToolCall, ToolResult,
};
pub use request::{
    ChatRequest, JsonSchema, ReasoningEffort, ResponseFormat, Sampling, Tool, ToolChoice,
};
pub(crate) use response::exact_number;
pub use response::{ChatEvent, ChatResponse, FinishReason};
pub use usage::{IMPLAUSIBLE, Usage};
