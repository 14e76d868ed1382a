//! What holds for every request before a model is asked.

use crate::chat::{ChatMessage, ChatRequest, Part, ResultPart, Role};
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
pub(super) fn with_defaults(request: &ChatRequest, model: &Model) -> ChatRequest {
    let mut request = request.clone();
    request.sampling = request.sampling.or(&model.sampling);
    request.reasoning_effort = request.reasoning_effort.or(model.reasoning_effort);
    if let Some(system) = &model.system
        && !request
            .messages
            .iter()
            .any(|message| message.role == Role::System)
    {
        request.messages.insert(0, ChatMessage::system(system));
    }
    if !model.extra.is_empty() {
        let mut extra = model.extra.clone();
        extra.append(&mut request.extra);
        request.extra = extra;
    }
    request
}

/// Bytes of text in the conversation.
fn text_length(request: &ChatRequest) -> u64 {
    let of_result = |part: &ResultPart| match part {
        ResultPart::Text { text } => text.len() as u64,
        ResultPart::Image(_) => 0,
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
            Part::Image(_) => 0,
        })
        .sum()
}

/// About how many tokens the conversation has: four bytes each, as vendors advise to guess.
pub(super) fn estimate(request: &ChatRequest) -> u64 {
    text_length(request).div_ceil(4)
}

/// How many tools were called in the conversation.
pub(super) fn tool_calls(messages: &[ChatMessage]) -> usize {
    messages
        .iter()
        .flat_map(|message| &message.content)
        .filter(|part| matches!(part, Part::ToolCall(_)))
        .count()
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
