//! The JSON of `/api/chat` and `/api/generate` as this adapter writes and reads it.
//!
//! Only shapes: what they mean is in `encode`, `decode` and `stream`.

use std::borrow::Cow;

use multillm_plugin_sdk::body::Open;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::outcome::lenient_count;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A request.
#[derive(Serialize)]
pub(crate) struct Chat<'a> {
    pub(crate) model: &'a str,
    pub(crate) messages: Vec<Open<'a, Turn<'a>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tools: Vec<Open<'a, Tool<'a>>>,
    #[serde(flatten)]
    pub(crate) way: Way<'a>,
}

/// A request for what follows one prompt.
#[derive(Serialize)]
pub(crate) struct Prompt<'a> {
    pub(crate) model: &'a str,
    pub(crate) prompt: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) system: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) images: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<bool>,
    #[serde(flatten)]
    pub(crate) way: Way<'a>,
}

/// What every request says of the way to its answer.
#[derive(Serialize)]
pub(crate) struct Way<'a> {
    /// Always sent, since Ollama streams by default.
    pub(crate) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) think: Option<&'a Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keep_alive: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) truncate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shift: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<&'a Json<'a>>,
}

/// One message of the conversation.
#[derive(Serialize, Default)]
pub(crate) struct Turn<'a> {
    pub(crate) role: &'static str,
    pub(crate) content: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) thinking: Cow<'a, str>,
    /// Base64, without a `data:` prefix.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) images: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tool_calls: Vec<Open<'a, PastCall<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_call_id: Option<&'a str>,
}

/// A tool call of an earlier answer.
#[derive(Serialize)]
pub(crate) struct PastCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<&'a str>,
    pub(crate) function: PastFunction<'a>,
}

#[derive(Serialize)]
pub(crate) struct PastFunction<'a> {
    pub(crate) name: &'a str,
    /// An object.
    pub(crate) arguments: Box<RawValue>,
}

/// A tool on offer: `{"type": "function", "function": {…}}`.
#[derive(Serialize)]
#[serde(tag = "type", content = "function", rename_all = "lowercase")]
pub(crate) enum Tool<'a> {
    Function {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        parameters: &'a RawValue,
    },
}

/// The form of the answer: `"json"`, or a schema.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Format<'a> {
    Any(&'static str),
    Schema(&'a RawValue),
}

/// A whole reply, or a line of a stream.
#[derive(Deserialize)]
pub(crate) struct Chunk<'a> {
    #[serde(borrow)]
    pub(crate) error: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) message: Option<Said<'a>>,
    /// What follows a prompt; of a chat there is none.
    pub(crate) response: Option<String>,
    /// The thoughts before it.
    pub(crate) thinking: Option<String>,
    /// A picture in place of it, in base64.
    pub(crate) image: Option<String>,
    pub(crate) done: Option<bool>,
    pub(crate) done_reason: Option<String>,
    /// Tokens of the prompt; like every metric left out when it is zero.
    #[serde(default, deserialize_with = "told_count")]
    pub(crate) prompt_eval_count: Option<u64>,
    /// Tokens of the answer.
    #[serde(default, deserialize_with = "told_count")]
    pub(crate) eval_count: Option<u64>,
    /// Nanoseconds. Present whenever metrics are.
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) total_duration: Option<u64>,
}

/// What stands where a count should and is none: it was told, so that it is not zero.
pub(crate) const NO_COUNT: u64 = u64::MAX;

fn told_count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Json::deserialize(deserializer)? {
        Json::Null => None,
        told => Some(told.count().unwrap_or(NO_COUNT)),
    })
}

impl<'a> Chunk<'a> {
    /// What the model said, whichever way it was asked.
    pub(crate) fn take_said(&mut self) -> Option<Said<'a>> {
        let is_prompted = self.response.is_some() || self.image.is_some();
        self.message.take().or_else(|| {
            is_prompted.then(|| Said {
                thinking: self.thinking.take(),
                content: self.response.take(),
                images: None,
                image: self.image.take(),
                tool_calls: None,
            })
        })
    }
}

/// What the model said: all of it, or what a line adds.
#[derive(Deserialize)]
pub(crate) struct Said<'a> {
    pub(crate) thinking: Option<String>,
    pub(crate) content: Option<String>,
    /// What a model that draws made.
    #[serde(borrow)]
    pub(crate) images: Option<&'a RawValue>,
    #[serde(skip)]
    pub(crate) image: Option<String>,
    #[serde(borrow)]
    pub(crate) tool_calls: Option<Vec<Call<'a>>>,
}

/// A tool call, which always comes whole.
#[derive(Deserialize)]
pub(crate) struct Call<'a> {
    /// Old servers give none.
    pub(crate) id: Option<String>,
    #[serde(borrow)]
    pub(crate) function: Option<Called<'a>>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Called<'a> {
    pub(crate) name: Option<String>,
    #[serde(borrow)]
    pub(crate) arguments: Option<&'a RawValue>,
}
