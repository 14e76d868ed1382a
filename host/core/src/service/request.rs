//! What holds for every request before a model is asked.

use std::borrow::Cow;

use crate::chat::{ChatMessage, ChatRequest, JsonObject, Part, ResponseFormat, ResultPart, Role};
use crate::config::Model;
use crate::error::{Error, ErrorKind, Result};

/// What cannot be asked of anybody.
pub(super) fn check(request: &ChatRequest, limit: u64) -> Result<()> {
    let empty = |message: &ChatMessage| message.role != Role::System && !message.content.is_empty();
    if !request.messages.iter().any(empty) {
        return Err(Error::new(
            ErrorKind::InvalidRequest,
            "there is nothing to ask: the conversation is empty",
        ));
    }
    let length = text_length(request);
    if length > limit {
        return Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!(
                "the conversation has {:.1} MB of text, more than the {} MB of limits.request_mb: send less",
                length as f64 / f64::from(1 << 20),
                limit >> 20
            ),
        ));
    }
    Ok(())
}

/// The request with what the model's configuration says where the caller says nothing.
pub(super) fn with_defaults<'a>(request: &'a ChatRequest, model: &Model) -> Cow<'a, ChatRequest> {
    let sampling = request.sampling.or(&model.sampling);
    let reasoning_effort = request.reasoning_effort.or(model.reasoning_effort);
    let mut messages = request.messages.iter();
    let has_system = messages.any(|message| message.role == Role::System);
    let system = model.system.as_ref().filter(|_| !has_system);
    let unsupported = request.unsupported.or(model.unsupported);
    let nothing_to_add = sampling == request.sampling
        && reasoning_effort == request.reasoning_effort
        && unsupported == request.unsupported
        && system.is_none()
        && model.extra.is_empty();
    if nothing_to_add {
        // A long conversation is not copied for nothing.
        return Cow::Borrowed(request);
    }
    let mut request = request.clone();
    request.sampling = sampling;
    request.reasoning_effort = reasoning_effort;
    request.unsupported = unsupported;
    if let Some(system) = system {
        request.messages.insert(0, ChatMessage::system(system));
    }
    if !model.extra.is_empty() {
        let own = std::mem::replace(&mut request.extra, model.extra.clone());
        request.extra.extend(own);
    }
    Cow::Owned(request)
}

/// Bytes of text in the conversation.
fn text_length(request: &ChatRequest) -> u64 {
    let of_result = |part: &ResultPart| match part {
        ResultPart::Text { text } => text.len() as u64,
        ResultPart::Media(_) => 0,
        ResultPart::Opaque(block) => block.data.len() as u64,
    };
    request
        .messages
        .iter()
        .flat_map(|message| &message.content)
        .map(|part| match part {
            Part::Text(text) => text.text.len() as u64,
            Part::ToolCall(call) => call.arguments.len() as u64,
            Part::ToolResult(result) => result.content.iter().map(of_result).sum(),
            Part::Reasoning(reasoning) => reasoning.text.len() as u64,
            Part::Opaque(block) => block.data.len() as u64,
            Part::ServerToolCall(call) => call.data.len() as u64,
            Part::ServerToolResult(result) => result.data.len() as u64,
            Part::Media(_) => 0,
        })
        .sum()
}

/// About how many tokens the conversation has: four bytes each, as vendors advise to guess.
pub(super) fn estimate(request: &ChatRequest) -> u64 {
    text_length(request).div_ceil(4)
}

/// Tokens of a picture at most: what vendors charge for a large one.
const PICTURE: u64 = 2_000;
/// Tokens of an answer that nothing bounds: the most that vendors give where nobody asks for more.
const ANSWER: u64 = 4_096;

/// The most tokens that a request is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Most {
    pub(super) input: u64,
    pub(super) output: u64,
    /// The request itself bounds the output.
    pub(super) bounded: bool,
}

impl Most {
    /// Of a body of so many bytes of text, so many answers of which may have so many tokens each; without answers
    /// nothing comes out of it.
    pub(super) fn of_bytes(bytes: u64, max_tokens: Option<u64>, answers: Option<u64>) -> Self {
        Most {
            input: bytes.div_ceil(3),
            output: answers.map_or(0, |answers| {
                max_tokens.unwrap_or(ANSWER).saturating_mul(answers)
            }),
            bounded: max_tokens.is_some() || answers.is_none(),
        }
    }
}

/// The most tokens that a request is expected to take: input at three bytes each, which few texts
/// reach; output as it is bounded.
pub(super) fn most(request: &ChatRequest) -> Most {
    let pictures = request
        .messages
        .iter()
        .flat_map(|message| &message.content)
        .map(|part| match part {
            Part::Media(_) => 1,
            Part::ToolResult(result) => result
                .content
                .iter()
                .filter(|part| matches!(part, ResultPart::Media(_)))
                .count() as u64,
            _ => 0,
        })
        .sum::<u64>();
    let tools = match request.tools.is_empty() {
        true => 0,
        false => serde_json::to_vec(&request.tools).map_or(0, |text| text.len() as u64),
    };
    let format = match &request.response_format {
        ResponseFormat::Text => 0,
        format => serde_json::to_vec(format).map_or(0, |text| text.len() as u64),
    };
    let everywhere = request.extra_by_wire.iter().map(|(_, tail)| tail);
    let tails: Vec<&JsonObject> = everywhere.chain([&request.extra]).collect();
    let extra = |name: &str| {
        let said = tails.iter().filter_map(|tail| tail.get(name)?.as_u64());
        said.max()
    };
    let said = ["max_tokens", "max_completion_tokens", "max_output_tokens"]
        .into_iter()
        .filter_map(extra)
        .max()
        .or(request.sampling.max_tokens.map(u64::from));
    let answers = extra("n").unwrap_or(1).max(1);
    Most {
        input: (text_length(request) + tools + format)
            .div_ceil(3)
            .saturating_add(pictures.saturating_mul(PICTURE)),
        output: said.unwrap_or(ANSWER).saturating_mul(answers),
        bounded: said.is_some(),
    }
}

/// The number from which on ids of calls that are made here (`call_7`) are free.
pub(super) fn next_call(messages: &[ChatMessage]) -> usize {
    let calls = messages
        .iter()
        .flat_map(|message| &message.content)
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        });
    calls.enumerate().fold(0, |next, (before, call)| {
        let number = call.id.strip_prefix("call_").map(str::parse::<u32>);
        let taken = match number {
            Some(Ok(number)) => number as usize + 1,
            _ => 0,
        };
        next.max(before + 1).max(taken)
    })
}

/// What was asked last, for the history.
pub(super) fn last_question(messages: &[ChatMessage]) -> String {
    messages
        .iter()
        .rev()
        .find(|message| message.role == Role::User)
        .map(ChatMessage::text)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ToolCall;

    #[test]
    fn the_most_that_a_request_takes_is_bounded_by_what_it_says() {
        let request = ChatRequest::new([ChatMessage::user("天".repeat(300))]);
        let plain = most(&request);
        assert!(plain.input >= 300 && !plain.bounded, "{plain:?}");
        assert_eq!(plain.output, ANSWER);
        let mut bounded = request.max_tokens(50);
        assert_eq!((most(&bounded).output, most(&bounded).bounded), (50, true));
        bounded.extra.insert("n", 3);
        assert_eq!(most(&bounded).output, 150);
        bounded.extra.insert("max_completion_tokens", 70);
        assert_eq!(most(&bounded).output, 210);
        let picture = crate::chat::MediaPart::url("https://example.org/a.png");
        let seen = ChatRequest::new([ChatMessage::user("?").with_media(picture)]);
        assert!(most(&seen).input > PICTURE);
    }

    #[test]
    fn a_request_is_copied_only_where_the_model_adds_something() {
        let text = r#"{ "models": {
            "plain": { "provider": "openai" },
            "cool": { "provider": "openai", "temperature": 0.5, "extra": { "b": 1.0, "a": 2 } }
        } }"#;
        let config = crate::config::Config::from_json_str(
            text,
            std::path::Path::new("."),
            &crate::config::Env::default(),
        )
        .unwrap();
        let with = |request: &ChatRequest, model: &str| {
            let model = config.model(model).unwrap();
            match with_defaults(request, &model) {
                Cow::Borrowed(_) => None,
                Cow::Owned(request) => Some(request),
            }
        };
        let mut request = ChatRequest::new([ChatMessage::user("hi")]);
        assert_eq!(with(&request, "plain"), None);
        request.extra.insert("a", 3);
        let added = with(&request, "cool").unwrap();
        assert_eq!(added.sampling.temperature, Some(0.5));
        assert_eq!(added.extra.to_string(), r#"{"b":1.0,"a":3}"#);
    }

    #[test]
    fn ids_made_here_are_free() {
        let with = |ids: &[&str]| {
            let calls = ids.iter().map(|id| {
                Part::ToolCall(ToolCall {
                    id: (*id).to_owned(),
                    ..ToolCall::default()
                })
            });
            next_call(&[ChatMessage::new(Role::Assistant, calls.collect())])
        };
        assert_eq!(with(&[]), 0);
        assert_eq!(with(&["toolu_1", "call_0"]), 2);
        assert_eq!(with(&["call_7", "call_x"]), 8);
        assert_eq!(with(&["call_18446744073709551615"]), 1);
    }
}
