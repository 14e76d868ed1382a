//! From a unified request to a description of `POST /v2/chat`.
//!
//! Refuses what Cohere cannot express; what only some models can do is left to Cohere to refuse.

mod messages;

use multillm_plugin_sdk::able::Able;
use std::borrow::Cow;

use multillm_plugin_sdk::body::{Blobs, Open, json_body, raw_object};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::leaving::Leaving;
use multillm_plugin_sdk::media::Picture;
use multillm_plugin_sdk::{
    ChatRequest, Effort, Error, Framing, Header, Media, Method, Mode, Request, ResponseFormat,
    Target, Tool, ToolChoice,
};
use serde::Deserialize;

use crate::former;
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
    let mut leaving = Leaving::of(request);
    request.within_or("cohere", Able::default(), &mut leaving)?;
    // An `extra` that cannot be read is reported by `json_body`.
    let extra = Json::parse(request.extra.as_deref().unwrap_or_default()).unwrap_or_default();
    former::refuse(&extra)?;
    let streamed = mode == Mode::Stream;
    let body = json_body(request, |blobs| {
        let choice = tool_choice(request);
        let strict = strict_tools(request);
        let thinks = thinking(request.effort(), settings.thinking_budget);
        Ok(Body {
            model: &target.model,
            stream: streamed,
            messages: messages::turns(&request.messages, blobs)?,
            documents: messages::documents(&request.messages)?,
            tools: tools(request, &mut leaving)?,
            tool_choice: leaving.or_else("tool_choice", choice, || Ok(Some("REQUIRED")))?,
            strict_tools: leaving.or_else("strict", strict, || Ok(None))?,
            response_format: response_format(request)?,
            thinking: leaving.or_else("reasoning_effort", thinks, || {
                thinking(None, settings.thinking_budget)
            })?,
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
    Ok(Request {
        method: Method::Post,
        path: vec!["v2".into(), "chat".into()],
        query: vec![],
        headers: headers_of(settings),
        body,
        framing: if streamed {
            Framing::Sse
        } else {
            Framing::Whole
        },
        warnings: leaving.warnings(),
    })
}

/// A picture as the address that the vendor takes.
///
/// # Errors
///
/// `unsupported` for anything that is no picture.
pub(crate) fn picture_url<'a>(media: &'a Media, blobs: &mut Blobs) -> Result<Cow<'a, str>, Error> {
    Ok(match media.picture("cohere")? {
        Picture::Url(url) => Cow::Borrowed(url),
        Picture::Blob(blob, media_type) => {
            let base64 = blobs.base64(blob);
            Cow::Owned(format!("data:{media_type};base64,{base64}"))
        }
    })
}

/// The headers of every request to this target.
///
/// # Errors
///
/// `invalid-request` for settings that do not fit.
pub(crate) fn headers(target: &Target) -> Result<Vec<Header>, Error> {
    target.settings().map(headers_of)
}

fn headers_of(settings: Settings) -> Vec<Header> {
    let mut headers = vec![Header::api_key("authorization", "Bearer ")];
    if let Some(name) = settings.client_name {
        headers.push(Header::plain("x-client-name", name));
    }
    headers
}

fn citations(settings: &Settings) -> Option<CitationOptions<'_>> {
    let mode = settings.citation_mode.as_deref()?;
    Some(CitationOptions { mode })
}

fn tools<'a>(
    request: &'a ChatRequest,
    leaving: &mut Leaving,
) -> Result<Vec<Open<'a, ToolDefinition<'a>>>, Error> {
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        leaving.out(
            "parallel_tool_calls",
            "cohere cannot be held to one tool call an answer",
        )?;
    }
    request.tools.iter().map(definition).collect()
}

fn definition(tool: &Tool) -> Result<Open<'_, ToolDefinition<'_>>, Error> {
    let what = format!("the parameters of tool \"{}\"", tool.name);
    let definition = ToolDefinition {
        kind: "function",
        function: Signature {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: raw_object(&what, tool.schema("cohere")?)?,
        },
    };
    let what = format!("tool {:?}", tool.name);
    Open::new(definition, &what, tool.extra.as_deref())
}

fn tool_choice(request: &ChatRequest) -> Result<Option<&'static str>, Error> {
    match &request.tool_choice {
        ToolChoice::Auto => Ok(None),
        ToolChoice::None => Ok((!request.tools.is_empty()).then_some("NONE")),
        ToolChoice::Required | ToolChoice::OneOf(_) if request.tools.is_empty() => Err(
            Error::invalid_request("a tool is required to be called but none is given: add tools"),
        ),
        // Some of the tools are no choice of this vendor's: refused before, or said to be left out.
        ToolChoice::Required | ToolChoice::OneOf(_) => Ok(Some("REQUIRED")),
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
fn thinking(effort: Option<Effort<'_>>, budget: Option<u32>) -> Result<Option<Thinking>, Error> {
    let token_budget = match effort {
        None if budget.is_none() => return Ok(None),
        None => budget,
        Some(Effort::None) => {
            return Ok(Some(Thinking {
                kind: "disabled",
                token_budget: None,
            }));
        }
        Some(Effort::Minimal) => Some(256),
        Some(Effort::Low) => Some(1024),
        Some(Effort::Medium) => Some(4096),
        Some(Effort::High) => Some(16_384),
        Some(Effort::Max) => None,
        Some(Effort::Other(word)) => {
            return Err(Error::unsupported(format!(
                "cohere has no words for reasoning effort, so that {word:?} means nothing to it: say none, minimal, low, medium, high or max"
            )));
        }
    };
    Ok(Some(Thinking {
        kind: "enabled",
        token_budget,
    }))
}

#[cfg(test)]
mod tests;
