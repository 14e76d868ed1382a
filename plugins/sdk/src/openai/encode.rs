//! Asks the question.

mod media;
mod messages;
mod tools;

pub(super) use media::name as document_name;
pub(super) use messages::call_id;
pub(super) use tools::{schema, takes_text};

use super::dialect::{Dialect, MaxTokensField};
use super::left::refused_by_reasoning;
use super::wire::Member;
use crate::able::Able;
use crate::body::json_body;
use crate::json::Json;
use crate::leaving::Leaving;
use crate::{ChatRequest, Effort, Error, Framing, Method, Mode, Request, Target};

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
    let able = Able {
        text_tools: dialect.additions,
        one_of: dialect.additions,
        server_tools: dialect.additions,
        outputs: match dialect.additions {
            true => &["audio", "image"],
            false => &[],
        },
    };
    let mut left = Leaving::of(request);
    request.within_or(dialect.name, able, &mut left)?;
    let streams = mode == Mode::Stream;
    let reasons = dialect.reasons(&target.model);
    // From 5.1 on these models need not reason, and then take any sampling.
    let thinks = reasons && request.effort() != Some(Effort::None);
    if request.sampling.top_k.is_some() && !dialect.top_k {
        left.each(&["top_k"], "unknown to this server", |_| {
            "top_k is unknown to this server: leave it out, or say that the server knows it with the setting top_k".to_owned()
        })?;
    }
    if thinks {
        let model = &target.model;
        let why = format!("{model:?} reasons, and takes none");
        left.each(&refused_by_reasoning(request), &why, |names| {
            format!(
                "{model:?} reasons, and takes no {names}: leave it out, or say that the model takes it with the setting reasoning_model: false"
            )
        })?;
    }
    let body = json_body(request, |blobs| {
        let mut body = Body(Vec::with_capacity(12));
        let model = dialect.model.as_ref().unwrap_or(&target.model);
        body.set("model", dialect.model_in_body.then_some(model.as_str()));
        let messages = messages::encode(dialect, target, reasons, request, blobs)?;
        body.set("messages", Some(Json::List(messages)));
        tools::encode(dialect, request, &mut left, &mut body)?;
        outputs(request, streams, &mut body);
        sampling(dialect, thinks, request, &mut body);
        let effort = request.effort();
        body.set(
            "reasoning_effort",
            effort.map(|effort| dialect.effort(&target.model, effort)),
        );
        body.set("user", request.user.as_deref());
        body.set("prompt_cache_key", dialect.prompt_cache_key.as_deref());
        body.set("service_tier", dialect.service_tier.as_deref());
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
        path: dialect.chat_path.segments(),
        query: dialect.query.clone(),
        headers: dialect.request_headers(),
        body,
        framing: if streams {
            Framing::Sse
        } else {
            Framing::Whole
        },
        warnings: left.warnings(),
    })
}

/// The members of a JSON object under construction.
pub(super) struct Body<'a>(pub(super) Vec<Member<'a>>);

impl<'a> Body<'a> {
    /// Adds a member, if there is one.
    pub(super) fn set(&mut self, name: &'a str, value: Option<impl Into<Json<'a>>>) {
        if let Some(value) = value {
            self.0.push((name.into(), value.into()));
        }
    }
}

/// What the answer may hold beside text. Speech needs a voice, and comes as samples where it is streamed; what the
/// caller adds says otherwise.
fn outputs<'a>(request: &'a ChatRequest, streams: bool, body: &mut Body<'a>) {
    let others = request.outputs.iter().any(|output| output != "text");
    if !others {
        return;
    }
    let words = request.outputs.iter().map(String::as_str);
    let text = Some("text").filter(|text| !request.outputs.iter().any(|output| output == text));
    let words = text.into_iter().chain(words).map(Json::from).collect();
    body.set("modalities", Some(Json::List(words)));
    if request.outputs.iter().any(|output| output == "audio") {
        let format = match streams {
            true => "pcm16",
            false => "wav",
        };
        let audio = Json::object([("voice", "alloy".into()), ("format", format.into())]);
        body.set("audio", Some(audio));
    }
}

fn sampling<'a>(dialect: &'a Dialect, thinks: bool, request: &'a ChatRequest, body: &mut Body<'a>) {
    let sampling = &request.sampling;
    let limit = match dialect.max_tokens_field {
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
        MaxTokensField::MaxTokens => "max_tokens",
    };
    body.set(limit, sampling.max_tokens);
    body.set(&dialect.seed_field, sampling.seed);
    body.set("top_k", sampling.top_k.filter(|_| dialect.top_k));
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

#[cfg(test)]
mod tests;
