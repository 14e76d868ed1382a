//! Asks the question.

mod messages;
mod tools;

use super::dialect::{Dialect, MaxTokensField};
use crate::body::json_body;
use crate::json::Json;
use crate::{ChatRequest, Error, Framing, Method, Mode, ReasoningEffort, Request, Target};

/// The request for an answer.
///
/// # Errors
///
/// `unsupported` for what the wire cannot say, and for sampling that a model which reasons
/// refuses (see [`Dialect::reasoning_models`]); `invalid-request` for schemas that are no
/// JSON objects and parts that do not belong to their message's role.
pub fn encode(
    dialect: &Dialect,
    target: &Target,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Request, Error> {
    let streams = mode == Mode::Stream;
    let reasons = dialect.reasons(&target.model);
    // From 5.1 on these models need not reason, and then take any sampling.
    let thinks = reasons && request.reasoning_effort != Some(ReasoningEffort::None);
    if request.sampling.top_k.is_some() && !dialect.top_k {
        return Err(Error::unsupported(
            "top_k is unknown to this server: leave it out, or say that the server knows it with the setting top_k",
        ));
    }
    if thinks {
        refuse_sampling(&target.model, request)?;
    }
    let body = json_body(request, |blobs| {
        let mut body = Body(Vec::with_capacity(12));
        let model = dialect.model.as_ref().unwrap_or(&target.model);
        body.set("model", dialect.model_in_body.then_some(model.as_str()));
        let messages = messages::encode(dialect, target, reasons, &request.messages, blobs)?;
        body.set("messages", Some(Json::List(messages)));
        tools::encode(request, &mut body)?;
        sampling(dialect, thinks, request, &mut body);
        let effort = request.reasoning_effort;
        body.set(
            "reasoning_effort",
            effort.map(|effort| word(dialect, &target.model, effort)),
        );
        // Said either way: some servers stream unless they are told not to.
        body.set("stream", Some(streams));
        if streams && dialect.stream_usage {
            let options = Json::object([("include_usage", true.into())]);
            body.set("stream_options", Some(options));
        }
        Ok(Json::Object(body.0))
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

/// The members of a JSON object under construction.
struct Body<'a>(Vec<(std::borrow::Cow<'a, str>, Json<'a>)>);

impl<'a> Body<'a> {
    /// Adds a member, if there is one.
    fn set(&mut self, name: &'a str, value: Option<impl Into<Json<'a>>>) {
        if let Some(value) = value {
            self.0.push((name.into(), value.into()));
        }
    }
}

/// Refuses the sampling that a model which reasons does not take.
fn refuse_sampling(model: &str, request: &ChatRequest) -> Result<(), Error> {
    let sampling = &request.sampling;
    let refused = [
        (
            "temperature",
            sampling.temperature.is_some_and(|value| value != 1.0),
        ),
        ("top_p", sampling.top_p.is_some_and(|value| value != 1.0)),
        (
            "frequency_penalty",
            sampling.frequency_penalty.is_some_and(|value| value != 0.0),
        ),
        (
            "presence_penalty",
            sampling.presence_penalty.is_some_and(|value| value != 0.0),
        ),
        ("stop", !sampling.stop.is_empty()),
    ];
    let names: Vec<&str> = refused
        .into_iter()
        .filter_map(|(name, refused)| refused.then_some(name))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "{model:?} reasons, and takes no {}: leave it out, or say that the model takes it with the setting reasoning_model: false",
        names.join(", ")
    )))
}

fn sampling<'a>(dialect: &'a Dialect, thinks: bool, request: &'a ChatRequest, body: &mut Body<'a>) {
    let sampling = &request.sampling;
    let limit = match dialect.max_tokens_field {
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
        MaxTokensField::MaxTokens => "max_tokens",
    };
    body.set(limit, sampling.max_tokens);
    body.set(&dialect.seed_field, sampling.seed);
    body.set("top_k", sampling.top_k);
    // What is left here is what the model does by itself.
    if thinks {
        return;
    }
    body.set("temperature", sampling.temperature);
    body.set("top_p", sampling.top_p);
    body.set("frequency_penalty", sampling.frequency_penalty);
    body.set("presence_penalty", sampling.presence_penalty);
    if !sampling.stop.is_empty() {
        let stop = sampling.stop.iter().map(|text| text.as_str().into());
        body.set("stop", Some(Json::List(stop.collect())));
    }
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
