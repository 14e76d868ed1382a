//! The unified request as Harbor's. What belongs to somebody else, schemas and arguments, goes through as raw JSON: with the
//! order of its keys and its digits.

use std::borrow::Cow;

use multillm_plugin_sdk::able::{Able, foreign, unreturnable};
use multillm_plugin_sdk::body::{Open, json_body, raw_object, tail};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::outcome::arguments_json;
use multillm_plugin_sdk::{
    ChatRequest, Error, Framing, Header, Message, Method, Mode, Part, Request, ResponseFormat,
    ResultPart, Role, Target, Tool, ToolChoice,
};
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Chat<'a> {
    model: &'a str,
    messages: Vec<Open<'a, Said<'a>>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tools: Vec<Open<'a, Offered<'a>>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heat: Option<f64>,
}

#[derive(Serialize)]
struct Said<'a> {
    who: &'static str,
    text: Cow<'a, str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    calls: Vec<Call<'a>>,
    /// Of the call that this is the result of.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
}

#[derive(Serialize)]
struct Call<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    tool: &'a str,
    input: Box<RawValue>,
}

#[derive(Serialize)]
struct Offered<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
    takes: &'a RawValue,
}

pub(crate) fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
    refuse(request)?;
    request.within("harbor", Able::default())?;
    let sampling = &request.sampling;
    let body = json_body(request, |_blobs| {
        let mut messages = vec![];
        for message in &request.messages {
            said(message, &mut messages)?;
        }
        Ok(Chat {
            model: &target.model,
            messages,
            tools: request
                .tools
                .iter()
                .map(offered)
                .collect::<Result<_, _>>()?,
            stream: mode == Mode::Stream,
            max: sampling.max_tokens,
            heat: sampling.temperature,
        })
    })?;
    Ok(Request {
        method: Method::Post,
        path: vec!["chat".to_owned()],
        query: vec![],
        headers: vec![Header::api_key("authorization", "Bearer ")],
        body,
        framing: match mode {
            Mode::Whole => Framing::Whole,
            Mode::Stream => Framing::Sse,
        },
        warnings: vec![],
    })
}

/// Everything that Harbor cannot do.
fn refuse(request: &ChatRequest) -> Result<(), Error> {
    let sampling = &request.sampling;
    let asked = [
        (
            request.response_format != ResponseFormat::Text,
            "JSON output",
        ),
        (request.reasoning_effort.is_some(), "reasoning effort"),
        (request.tool_choice != ToolChoice::Auto, "a choice of tools"),
        (
            request.parallel_tool_calls == Some(false),
            "one call at a time",
        ),
        (
            request.tools.iter().any(|tool| tool.strict == Some(true)),
            "strict tools",
        ),
        (!sampling.stop.is_empty(), "stop texts"),
        (sampling.top_p.is_some(), "top_p"),
        (sampling.top_k.is_some(), "top_k"),
        (sampling.seed.is_some(), "a seed"),
        (
            sampling.frequency_penalty.is_some() || sampling.presence_penalty.is_some(),
            "penalties",
        ),
    ];
    match asked.iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(Error::unsupported(format!("harbor does not know {what}"))),
        None => Ok(()),
    }
}

fn offered(tool: &Tool) -> Result<Open<'_, Offered<'_>>, Error> {
    let offered = Offered {
        name: &tool.name,
        about: tool.description.as_deref(),
        takes: raw_object("the schema of a tool", tool.schema("harbor")?)?,
    };
    Open::new(offered, "a tool", tool.extra.as_deref())
}

/// A message; each result of a tool is one of its own.
fn said<'a>(message: &'a Message, into: &mut Vec<Open<'a, Said<'a>>>) -> Result<(), Error> {
    let who = match message.role {
        Role::System => "captain",
        Role::User => "crew",
        Role::Assistant => "ship",
        Role::Tool => "tool",
    };
    let (mut text, mut calls, mut tails): (String, Vec<Call<'a>>, Vec<Json<'a>>) =
        (String::new(), vec![], vec![]);
    let before = into.len();
    for part in &message.content {
        match part {
            Part::Text(part) => {
                text.push_str(&part.text);
                tails.extend(tail("a text", part.extra.as_deref())?);
            }
            Part::ToolCall(call) => {
                // What the model wrote, even where it was cut off, as an object.
                let input = arguments_json(&call.arguments).into_owned();
                let unreadable = |_| Error::invalid_request("the arguments of a call are no JSON");
                calls.push(Call {
                    // An id that the host made means nothing to the vendor; its own does.
                    id: call.id.as_deref().filter(|_| !call.local),
                    tool: &call.name,
                    input: RawValue::from_string(input).map_err(unreadable)?,
                });
                tails.extend(tail("a call", call.extra.as_deref())?);
            }
            Part::ToolResult(result) => {
                let mut text = String::new();
                for piece in &result.content {
                    match piece {
                        ResultPart::Text(piece) => text.push_str(piece),
                        other => return Err(unreturnable("harbor", &result.name, other)),
                    }
                }
                let said = Said {
                    who: "tool",
                    text: text.into(),
                    calls: vec![],
                    call: Some(&result.call_id),
                    failed: result.is_error,
                };
                into.push(Open::new(said, "a result", result.extra.as_deref())?);
            }
            Part::Media(media) => return Err(media.refused("harbor")),
            // Only what this plugin returned comes back as thoughts, and it never returns any.
            Part::Reasoning(_) => {}
            Part::Opaque(_) | Part::ServerToolCall(_) | Part::ServerToolResult(_) => {
                return Err(foreign("harbor", part));
            }
        }
    }
    tails.extend(tail("a message", message.extra.as_deref())?);
    if into.len() == before || !text.is_empty() {
        let said = Said {
            who,
            text: text.into(),
            calls,
            call: None,
            failed: false,
        };
        into.push(Open::with(said, tails));
    }
    Ok(())
}
