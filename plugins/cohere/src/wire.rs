//! The JSON of Cohere's chat API as this adapter writes and reads it.
//!
//! Only shapes: what they mean is in `encode`, `decode` and `stream`.

use std::borrow::Cow;

use multillm_plugin_sdk::body::Open;
use multillm_plugin_sdk::outcome::lenient_count;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The body of `POST /v2/chat`.
#[derive(Serialize)]
pub(crate) struct Body<'a> {
    pub(crate) model: &'a str,
    pub(crate) stream: bool,
    pub(crate) messages: Vec<Open<'a, Turn<'a>>>,
    /// What the answer may rest on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) documents: Vec<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tools: Vec<Open<'a, ToolDefinition<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strict_tools: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) safety_mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) citation_options: Option<CitationOptions<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) presence_penalty: Option<f64>,
}

/// One message.
#[derive(Serialize)]
pub(crate) struct Turn<'a> {
    pub(crate) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) tool_plan: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tool_calls: Vec<Open<'a, Call<'a>>>,
}

/// A message's content: a lone text goes as a string.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Content<'a> {
    Text(&'a str),
    Blocks(Vec<Open<'a, Block<'a>>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Block<'a> {
    Text {
        text: &'a str,
    },
    Thinking {
        thinking: &'a str,
    },
    ImageUrl {
        image_url: ImageUrl<'a>,
    },
    Document {
        document: Document<'a>,
    },
    /// A block that the caller wrote.
    #[serde(untagged)]
    Own(&'a RawValue),
}

#[derive(Serialize)]
pub(crate) struct ImageUrl<'a> {
    pub(crate) url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<&'a str>,
}

#[derive(Serialize)]
pub(crate) struct Document<'a> {
    pub(crate) data: Data<'a>,
}

/// An object with a single member.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Data<'a> {
    Output(&'a str),
    Error(&'a str),
}

/// A tool call of an earlier answer; `arguments` is JSON text.
#[derive(Serialize)]
pub(crate) struct Call<'a> {
    pub(crate) id: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) function: CallFunction<'a>,
}

#[derive(Serialize)]
pub(crate) struct CallFunction<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: Cow<'a, str>,
}

#[derive(Serialize)]
pub(crate) struct ToolDefinition<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) function: Signature<'a>,
}

#[derive(Serialize)]
pub(crate) struct Signature<'a> {
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<&'a str>,
    pub(crate) parameters: &'a RawValue,
}

#[derive(Serialize)]
pub(crate) struct Format<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) json_schema: Option<&'a RawValue>,
}

#[derive(Serialize)]
pub(crate) struct Thinking {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_budget: Option<u32>,
}

#[derive(Serialize)]
pub(crate) struct CitationOptions<'a> {
    pub(crate) mode: &'a str,
}

/// A whole reply, and the delta of a stream event.
#[derive(Deserialize)]
pub(crate) struct Answer<'a> {
    pub(crate) id: Option<String>,
    /// A [`Message`]; a string where the reply is an error.
    #[serde(borrow)]
    pub(crate) message: Option<&'a RawValue>,
    pub(crate) finish_reason: Option<String>,
    pub(crate) usage: Option<Counts>,
    /// Text; an object where a proxy wrote it.
    #[serde(borrow)]
    pub(crate) error: Option<&'a RawValue>,
    pub(crate) error_type: Option<String>,
}

/// What every stream event has, whatever else is in it.
#[derive(Deserialize)]
pub(crate) struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) kind: Option<Cow<'a, str>>,
}

/// A stream event.
#[derive(Deserialize)]
pub(crate) struct Event<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) id: Option<String>,
    /// Content blocks and tool calls are numbered apart.
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) index: Option<u64>,
    #[serde(borrow)]
    pub(crate) delta: Option<Answer<'a>>,
    /// Probabilities of the tokens of a piece.
    #[serde(borrow)]
    pub(crate) logprobs: Option<&'a RawValue>,
}

/// What the model said. In a stream each field holds a single item and not a list.
#[derive(Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow)]
    pub(crate) content: Option<&'a RawValue>,
    pub(crate) tool_plan: Option<String>,
    #[serde(borrow)]
    pub(crate) tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) citations: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(crate) struct ContentBlock {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) thinking: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ToolCall<'a> {
    pub(crate) id: Option<String>,
    #[serde(borrow)]
    pub(crate) function: Option<Function<'a>>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Function<'a> {
    pub(crate) name: Option<String>,
    #[serde(borrow)]
    pub(crate) arguments: Option<&'a RawValue>,
}

/// Tokens as the model counted them, and what is billed.
#[derive(Deserialize)]
pub(crate) struct Counts {
    pub(crate) tokens: Option<Tokens>,
    pub(crate) billed_units: Option<Billed>,
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Tokens {
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) output_tokens: Option<u64>,
    /// Part of the output.
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) reasoning_tokens: Option<u64>,
}

/// What is billed. Its tokens are fewer than the model counts.
#[derive(Deserialize)]
pub(crate) struct Billed {
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) output_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) search_units: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) classifications: Option<u64>,
}

/// The items of a list, or the lone item that stands in its place.
pub(crate) fn items<'a, T: Deserialize<'a>>(value: &'a RawValue) -> serde_json::Result<Vec<T>> {
    let text = value.get();
    if text.starts_with('[') {
        serde_json::from_str(text)
    } else {
        Ok(vec![serde_json::from_str(text)?])
    }
}
