//! Asks the question.

mod body;
mod messages;

use body::{Body, Format, StreamOptions};

use super::dialect::{Dialect, MaxTokensField};
use crate::body::json_body;
use crate::{
    ChatRequest, Error, Framing, Method, Mode, ReasoningEffort, Request, Target, ToolChoice,
};

/// The request for an answer.
///
/// For models that reason the sampling fields that they refuse are left out
/// (see [`Dialect::reasoning_models`]).
///
/// # Errors
///
/// `unsupported` for what the wire cannot say; `invalid-request` for schemas that are no
/// JSON objects and parts that do not belong to their message's role.
pub fn encode(
    dialect: &Dialect,
    target: &Target,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Request, Error> {
    let streams = mode == Mode::Stream;
    let reasons = dialect.reasons(&target.model);
    let sampling = &request.sampling;
    if sampling.top_k.is_some() && !dialect.top_k {
        return Err(Error::unsupported(
            "top_k is unknown to this server: leave it out, or say that the server knows it with the setting top_k",
        ));
    }
    let max_tokens = |field| {
        sampling
            .max_tokens
            .filter(|_| dialect.max_tokens_field == field)
    };
    let has_tools = !request.tools.is_empty();
    let body = json_body(request, |blobs| {
        Ok(Body {
            model: dialect.model_in_body.then_some(target.model.as_str()),
            messages: messages::encode(dialect, reasons, &request.messages, blobs)?,
            tools: request
                .tools
                .iter()
                .map(body::tool)
                .collect::<Result<_, _>>()?,
            tool_choice: match &request.tool_choice {
                ToolChoice::Auto => None,
                ToolChoice::None if !has_tools => None,
                choice => Some(body::tool_choice(choice)),
            },
            parallel_tool_calls: request.parallel_tool_calls.filter(|_| has_tools),
            response_format: Format::of(&request.response_format)?,
            max_completion_tokens: max_tokens(MaxTokensField::MaxCompletionTokens),
            max_tokens: max_tokens(MaxTokensField::MaxTokens),
            temperature: sampling.temperature.filter(|_| !reasons),
            top_p: sampling.top_p.filter(|_| !reasons),
            top_k: sampling.top_k,
            stop: if reasons { &[] } else { &sampling.stop },
            seed: sampling.seed,
            frequency_penalty: sampling.frequency_penalty.filter(|_| !reasons),
            presence_penalty: sampling.presence_penalty.filter(|_| !reasons),
            reasoning_effort: request
                .reasoning_effort
                .map(|effort| word(dialect, &target.model, effort)),
            stream: streams.then_some(true),
            stream_options: (streams && dialect.stream_usage).then_some(StreamOptions {
                include_usage: true,
            }),
        })
    })?;
    Ok(Request {
        method: Method::Post,
        path: dialect.chat_path.clone(),
        query: dialect.query.clone(),
        headers: dialect.request_headers(),
        body,
        framing: if streams {
            Framing::Sse
        } else {
            Framing::Whole
        },
    })
}

fn word(dialect: &Dialect, model: &str, effort: ReasoningEffort) -> &'static str {
    match effort {
        ReasoningEffort::None => "none",
        ReasoningEffort::Minimal => "minimal",
        ReasoningEffort::Low => "low",
        ReasoningEffort::Medium => "medium",
        ReasoningEffort::High => "high",
        ReasoningEffort::Max => dialect.greatest_effort(model),
    }
}

#[cfg(test)]
mod tests;
