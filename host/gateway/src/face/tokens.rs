//! Counts of tokens, for callers who ask before they send.
//!
//! The body is that of a chat: [`super::Entry::read`] reads it.

use serde_json::json;

use super::{Face, framing};

/// The answer to `POST /v1/messages/count_tokens`, `POST /v1/responses/input_tokens` or Gemini's `:countTokens`.
#[must_use]
pub fn counted(face: Face, tokens: u64) -> Vec<u8> {
    match face {
        Face::Gemini => framing::body(&json!({ "totalTokens": tokens })),
        Face::OpenAiResponses => framing::body(&json!({
            "object": "response.input_tokens", "input_tokens": tokens,
        })),
        _ => framing::body(&json!({ "input_tokens": tokens })),
    }
}
