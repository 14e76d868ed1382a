//! From a unified request to a description of `POST /v2/chat`.
//!
//! Refuses what Cohere cannot express; what only some models can do is left to Cohere to refuse.

mod messages;

use multillm_plugin_sdk::body::{json_body, raw_object};
use multillm_plugin_sdk::{
    ChatRequest, Error, Framing, Header, Method, Mode, ReasoningEffort, Request, ResponseFormat,
    Target, Tool, ToolChoice,
};
use serde::Deserialize;

use crate::wire::{Body, CitationOptions, Format, Signature, Thinking, ToolDefinition};

/// The settings that `describe` lists.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Settings {
    safety_mode: Option<String>,
    citation_mode: Option<String>,
    thinking_budget: Option<u32>,
    client_name: Option<String>,
}

pub(crate) fn request(
    target: &Target,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Request, Error> {
    let settings: Settings = target.settings()?;
    let streamed = mode == Mode::Stream;
    let body = json_body(request, |blobs| {
        Ok(Body {
            model: &target.model,
            stream: streamed,
            messages: messages::turns(&request.messages, blobs)?,
            tools: tools(request)?,
            tool_choice: tool_choice(request)?,
            strict_tools: strict_tools(request)?,
            response_format: response_format(request)?,
            thinking: thinking(request.reasoning_effort, settings.thinking_budget),
            safety_mode: settings.safety_mode.as_deref(),
            citation_options: citations(&settings),
            max_tokens: request.sampling.max_tokens,
            temperature: request.sampling.temperature,
            // The API takes 0.01 to 0.99; elsewhere 1 means "all tokens" and 0 "the likeliest".
            p: request.sampling.top_p.map(|p| p.clamp(0.01, 0.99)),
            k: request.sampling.top_k,
            seed: request.sampling.seed,
            stop_sequences: &request.sampling.stop,
            frequency_penalty: request.sampling.frequency_penalty,
            presence_penalty: request.sampling.presence_penalty,
        })
    })?;
    let mut headers = vec![Header::api_key("authorization", "Bearer ")];
    if let Some(name) = settings.client_name {
        headers.push(Header::plain("x-client-name", name));
    }
    Ok(Request {
        method: Method::Post,
        path: vec!["v2".into(), "chat".into()],
        query: vec![],
        headers,
        body,
        framing: if streamed {
            Framing::Sse
        } else {
            Framing::Whole
        },
    })
}

fn citations(settings: &Settings) -> Option<CitationOptions<'_>> {
    let mode = settings.citation_mode.as_deref()?;
    Some(CitationOptions { mode })
}

fn tools(request: &ChatRequest) -> Result<Vec<ToolDefinition<'_>>, Error> {
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        return Err(Error::unsupported(
            "cohere cannot be held to one tool call an answer: leave parallel_tool_calls unset",
        ));
    }
    request.tools.iter().map(definition).collect()
}

fn definition(tool: &Tool) -> Result<ToolDefinition<'_>, Error> {
    let what = format!("the parameters of tool \"{}\"", tool.name);
    Ok(ToolDefinition {
        kind: "function",
        function: Signature {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: raw_object(&what, &tool.parameters)?,
        },
    })
}

fn tool_choice(request: &ChatRequest) -> Result<Option<&'static str>, Error> {
    match &request.tool_choice {
        ToolChoice::Auto => Ok(None),
        ToolChoice::None => Ok((!request.tools.is_empty()).then_some("NONE")),
        ToolChoice::Required if request.tools.is_empty() => Err(Error::invalid_request(
            "a tool is required to be called but none is given: add tools",
        )),
        ToolChoice::Required => Ok(Some("REQUIRED")),
        ToolChoice::Named(name) => Err(Error::unsupported(format!(
            "cohere has no tool choice by name: to force \"{name}\" give only that tool and require a call"
        ))),
    }
}

/// Cohere is strict with all tools or with none.
fn strict_tools(request: &ChatRequest) -> Result<Option<bool>, Error> {
    let asked = |strict| request.tools.iter().any(|tool| tool.strict == Some(strict));
    match (asked(true), asked(false)) {
        (true, true) => Err(Error::unsupported(
            "cohere is strict with all tools or with none: mark all of them alike",
        )),
        (true, false) => Ok(Some(true)),
        (false, _) => Ok(None),
    }
}

fn response_format(request: &ChatRequest) -> Result<Option<Format<'_>>, Error> {
    let json_schema = match &request.response_format {
        ResponseFormat::Text => return Ok(None),
        ResponseFormat::Json => None,
        ResponseFormat::JsonSchema(schema) => {
            Some(raw_object("the response's schema", &schema.schema)?)
        }
    };
    if !request.tools.is_empty() {
        return Err(Error::unsupported(
            "cohere cannot combine a response format with tools: leave out one of them",
        ));
    }
    Ok(Some(Format {
        kind: "json_object",
        json_schema,
    }))
}

/// Cohere knows on, off and a budget in tokens; the levels between are budgets of ours, and
/// the greatest is thinking without a budget.
fn thinking(effort: Option<ReasoningEffort>, budget: Option<u32>) -> Option<Thinking> {
    let token_budget = match effort {
        None => Some(budget?),
        Some(ReasoningEffort::None) => {
            return Some(Thinking {
                kind: "disabled",
                token_budget: None,
            });
        }
        Some(ReasoningEffort::Minimal) => Some(256),
        Some(ReasoningEffort::Low) => Some(1024),
        Some(ReasoningEffort::Medium) => Some(4096),
        Some(ReasoningEffort::High) => Some(16_384),
        Some(ReasoningEffort::Max) => None,
    };
    Some(Thinking {
        kind: "enabled",
        token_budget,
    })
}

#[cfg(test)]
mod tests;
