//! The request.

use std::borrow::Cow;

use multillm_plugin_sdk::body::{Blobs, json_body, raw_object};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    ChatRequest, Error, Framing, JsonSchema, Method, Mode, Request, ResponseFormat, Target,
};

use crate::model::Model;
use crate::schema;
use crate::settings::Settings;
use crate::thinking::{self, Circumstances, Plan};
use crate::tools;
use crate::tree::Tree;
use crate::turns;

/// Stands in for a JSON mode, which the vendor does not have.
const JSON_INSTRUCTION: &str = "Answer with one valid JSON value and with nothing else: \
    no explanation before or after it, and no Markdown code fence around it.";

/// The smallest `top_p` that the vendor takes beside thinking.
const MIN_TOP_P_THINKING: f64 = 0.95;

/// The HTTP request for a chat.
///
/// # Errors
///
/// `unsupported` for a seed, penalties and whatever the model at hand cannot do; `invalid-request`
/// for what cannot be expressed.
pub(crate) fn request(
    target: &Target,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Request, Error> {
    let settings = Settings::of(target)?;
    refuse_unknown_sampling(request)?;
    // An `extra` that cannot be read is reported by `json_body`.
    let extra = Json::parse(&request.extra).unwrap_or_default();
    let body = json_body(request, |blobs| {
        body(target, &settings, &extra, request, mode, blobs)
    })?;
    Ok(Request {
        method: Method::Post,
        path: vec!["v1".to_owned(), "messages".to_owned()],
        query: Vec::new(),
        headers: settings.headers(),
        body,
        framing: match mode {
            Mode::Whole => Framing::Whole,
            Mode::Stream => Framing::Sse,
        },
    })
}

fn body<'a>(
    target: &'a Target,
    settings: &Settings,
    extra: &Json<'_>,
    request: &'a ChatRequest,
    mode: Mode,
    blobs: &mut Blobs,
) -> Result<Tree<'a>, Error> {
    let model = Model::of(&target.model);
    let conversation = turns::conversation(request, blobs)?;
    if conversation.turns.is_empty() && extra.get("messages").is_none() {
        return Err(Error::invalid_request(
            "the conversation holds nothing to answer: add a user message with text or a picture",
        ));
    }
    let facts = Circumstances {
        own: extra.get("thinking"),
        forced_tool: tools::is_forced(request),
        thoughtless_loop: conversation.is_thoughtless_loop(),
    };
    let plan = thinking::plan(model, settings, request, facts)?;
    let tools = tools::tools(request)?;
    let has_tools = !tools.is_empty() || extra.get("tools").is_some();
    let [temperature, top_p, top_k] = samplers(model, settings, request, &plan);
    let stop = request.sampling.stop.iter();
    Ok(Tree::object([
        ("model", target.model.as_str().into()),
        ("max_tokens", plan.max_tokens.into()),
    ])
    .with("system", system(conversation.system, request))
    .with("messages", list(conversation.turns.into_iter()))
    .with("tools", list(tools.into_iter()))
    .with("tool_choice", tools::choice(request, has_tools)?)
    .with("output_config", output_config(request, &plan)?)
    .with("thinking", plan.thinking.map(Json::from))
    .with("stop_sequences", list(stop.map(String::as_str)))
    .with("temperature", temperature)
    .with("top_p", top_p)
    .with("top_k", top_k)
    .with("stream", matches!(mode, Mode::Stream).then_some(true)))
}

/// A list, unless it is empty.
fn list<'a, T: Into<Tree<'a>>>(items: impl ExactSizeIterator<Item = T>) -> Option<Tree<'a>> {
    (items.len() > 0).then(|| Tree::List(items.map(Into::into).collect()))
}

/// Zero is what the vendor does anyway.
fn refuse_unknown_sampling(request: &ChatRequest) -> Result<(), Error> {
    let sampling = &request.sampling;
    let is_set = |penalty: Option<f64>| penalty.is_some_and(|value| value != 0.0);
    if sampling.seed.is_some() {
        return Err(Error::unsupported("claude knows no seed: leave it out"));
    }
    if is_set(sampling.frequency_penalty) || is_set(sampling.presence_penalty) {
        return Err(Error::unsupported(
            "claude knows no frequency or presence penalty: leave them out",
        ));
    }
    Ok(())
}

/// The sampling parameters that this request may carry; the vendor refuses the whole request for
/// any other, even where it stands at its default:
/// - none for the API version 2026-10-21 and for models from Claude 4.7 on;
/// - only `top_p` near 1 while thinking;
/// - `temperature` or `top_p`, not both, from Claude 4.1 on. The temperature wins, unless one of
///   the two is 1 and thus says nothing.
fn samplers<'a>(
    model: Model,
    settings: &Settings,
    request: &ChatRequest,
    plan: &Plan,
) -> [Option<Json<'a>>; 3] {
    let sampling = &request.sampling;
    if !settings.takes_sampling() || !model.takes_sampling() {
        return [None, None, None];
    }
    let (mut temperature, mut top_p) = (sampling.temperature, sampling.top_p);
    if plan.thinks {
        top_p = top_p.filter(|share| *share >= MIN_TOP_P_THINKING);
        return [None, top_p.map(Json::from), None];
    }
    if let (Some(heat), Some(share)) = (temperature, top_p)
        && !model.takes_two_samplers()
    {
        if heat >= 1.0 && share < 1.0 {
            temperature = None;
        } else {
            top_p = None;
        }
    }
    [
        temperature.map(Json::from),
        top_p.map(Json::from),
        sampling.top_k.map(Json::from),
    ]
}

fn system(text: Option<String>, request: &ChatRequest) -> Option<String> {
    if !matches!(request.response_format, ResponseFormat::Json) {
        return text;
    }
    Some(match text {
        Some(text) => format!("{text}\n\n{JSON_INSTRUCTION}"),
        None => JSON_INSTRUCTION.to_owned(),
    })
}

fn output_config<'a>(request: &'a ChatRequest, plan: &Plan) -> Result<Option<Tree<'a>>, Error> {
    let format = match &request.response_format {
        ResponseFormat::Text | ResponseFormat::Json => None,
        ResponseFormat::JsonSchema(format) => Some(Json::object([
            ("type", "json_schema".into()),
            ("schema", answer_schema(format)?),
        ])),
    };
    if plan.effort.is_none() && format.is_none() {
        return Ok(None);
    }
    let config = Tree::object([]).with("effort", plan.effort);
    Ok(Some(config.with("format", format)))
}

/// The vendor has no place for the description of a schema but the schema itself. What it cannot
/// enforce it refuses; unless the caller wants it exact, it is said in words instead.
fn answer_schema(format: &JsonSchema) -> Result<Json<'_>, Error> {
    let what = "the schema of the answer";
    let raw = raw_object(what, &format.schema)?;
    let mut schema = Json::parse(raw.get()).unwrap_or_default();
    schema::close(&mut schema);
    if format.strict != Some(true) {
        schema::relax(&mut schema);
    }
    if let (Json::Object(members), Some(description)) = (&mut schema, &format.description)
        && !members.iter().any(|(key, _)| key == "description")
    {
        members.push((Cow::Borrowed("description"), description.as_str().into()));
    }
    Ok(schema)
}

#[cfg(test)]
mod tests;
