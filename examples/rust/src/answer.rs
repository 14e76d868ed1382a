//! A whole answer, and a failure.

use std::borrow::Cow;

use multillm_plugin_sdk::error::{Sign, decode_error};
use multillm_plugin_sdk::outcome::{arguments_text, finish_reason, lenient_count};
use multillm_plugin_sdk::{
    ChatResponse, Error, ErrorKind, Finish, FinishReason, Part, Response, ToolCall, Usage,
};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Answer<'a> {
    id: Option<String>,
    model: Option<String>,
    #[serde(borrow)]
    message: Option<Message<'a>>,
    end: Option<String>,
    used: Option<Used>,
    error: Option<Trouble>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    calls: Option<Vec<Call<'a>>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    id: Option<String>,
    tool: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

/// What it took.
#[derive(Deserialize)]
pub(crate) struct Used {
    #[serde(default, rename = "in", deserialize_with = "lenient_count")]
    input: Option<u64>,
    #[serde(default, rename = "out", deserialize_with = "lenient_count")]
    output: Option<u64>,
}

impl From<Used> for Usage {
    fn from(used: Used) -> Self {
        Usage {
            prompt_tokens: used.input,
            completion_tokens: used.output,
            ..Usage::UNKNOWN
        }
    }
}

/// What went wrong, inside an answer or as the body of a failure.
#[derive(Deserialize)]
pub(crate) struct Trouble {
    code: Option<String>,
    message: Option<String>,
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        let (kind, retryable) = match trouble.code.as_deref() {
            Some("full") => (ErrorKind::Overloaded, true),
            Some("too_long") => (ErrorKind::ContextLength, false),
            _ => (ErrorKind::Server, true),
        };
        let mut error = Error::new(kind, trouble.message.unwrap_or_default());
        error.retryable = retryable;
        error.with_code(trouble.code)
    }
}

/// Harbor's word for why it stopped. A new word is `Other`, never an error.
pub(crate) fn reason(end: &str, has_calls: bool) -> FinishReason {
    let reason = match end {
        "done" => FinishReason::Stop,
        "tools" => FinishReason::ToolCalls,
        "max" => FinishReason::Length,
        _ => FinishReason::Other,
    };
    finish_reason(reason, has_calls)
}

pub(crate) fn read(response: &Response) -> Result<ChatResponse, Error> {
    let answer: Answer<'_> = serde_json::from_str(&response.body)
        .map_err(|error| Error::malformed(format!("the answer cannot be read: {error}")))?;
    if let Some(trouble) = answer.error {
        return Err(trouble.into());
    }
    let Some(message) = answer.message else {
        return Err(Error::malformed("the answer has no message"));
    };
    let mut content = vec![];
    if let Some(text) = message.text.filter(|text| !text.is_empty()) {
        content.push(Part::text(text));
    }
    for call in message.calls.unwrap_or_default() {
        let Some(name) = call.tool else {
            return Err(Error::malformed("a call names no tool"));
        };
        content.push(Part::ToolCall(ToolCall {
            id: call.id,
            name,
            arguments: call.input.map(arguments_text).unwrap_or_default().into(),
            ..ToolCall::default()
        }));
    }
    let has_calls = content.iter().any(|part| matches!(part, Part::ToolCall(_)));
    Ok(ChatResponse {
        id: answer.id,
        model: answer.model,
        content,
        finish: Finish {
            reason: answer
                .end
                .as_deref()
                .map_or(FinishReason::Other, |end| reason(end, has_calls)),
            raw: answer.end,
        },
        usage: answer.used.map_or(Usage::UNKNOWN, Usage::from),
        extra: None,
    })
}

/// What this vendor means by a code, beyond its status.
const SIGNS: &[Sign] = &[
    Sign::new(&[], &["too_long"], &[], ErrorKind::ContextLength, false),
    Sign::new(&[], &["full"], &[], ErrorKind::Overloaded, true),
];

/// Classifies a failure, whatever the body is: the SDK knows where most vendors put their words.
pub(crate) fn failure(response: &Response) -> Error {
    decode_error(SIGNS, response)
}
