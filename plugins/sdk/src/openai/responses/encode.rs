//! Asks the question by way of the Responses API.

use super::super::choice::Api;
use super::super::dialect::{Dialect, Path, Place};
use super::super::encode::Body;
use super::super::left::refused_by_reasoning;
use super::{input, server, tools};
use crate::able::Able;
use crate::body::{Blobs, json_body, tail};
use crate::json::Json;
use crate::leaving::Leaving;
use crate::{BodyPart, ChatRequest, Effort, Error, Framing, Method, Mode, Request, Target};

/// What the counting of tokens takes of a body.
const COUNTED: [&str; 11] = [
    "conversation",
    "input",
    "instructions",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "reasoning",
    "text",
    "tool_choice",
    "tools",
    "truncation",
];

/// The request for an answer.
///
/// # Errors
///
/// `unsupported` for what the API or the model cannot do, `invalid-request` for what cannot be said.
pub(in super::super) fn encode(
    dialect: &Dialect,
    place: &Place,
    target: &Target,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Request, Error> {
    let mut left = Leaving::of(request);
    let question = Question::of(dialect, target, request, &mut left)?;
    let streams = mode == Mode::Stream;
    let body = json_body(request, |blobs| {
        let mut body = question.body(blobs, &mut left)?;
        question.rest(&mut body);
        body.set("stream", Some(streams));
        Ok(Json::Object(body.0))
    })?;
    let framing = match mode {
        Mode::Stream => Framing::Sse,
        Mode::Whole => Framing::Whole,
    };
    Ok(sent(dialect, place, body, framing, left.warnings()))
}

/// The request that counts the tokens which this one would take.
///
/// # Errors
///
/// Those of [`encode`].
pub(in super::super) fn encode_count(
    dialect: &Dialect,
    place: &Place,
    target: &Target,
    request: &ChatRequest,
) -> Result<Request, Error> {
    // What is left out of the question is not counted either.
    let mut left = Leaving::of(request);
    let question = Question::of(dialect, target, request, &mut left)?;
    let extra = tail("the request", request.extra.as_deref())?;
    let extra = extra.map(|extra| match extra {
        Json::Object(mut members) => {
            members.retain(|(name, _)| COUNTED.contains(&&**name));
            Json::Object(members).to_string()
        }
        other => other.to_string(),
    });
    let alone = ChatRequest {
        extra,
        ..ChatRequest::default()
    };
    let body = json_body(&alone, |blobs| {
        Ok(Json::Object(question.body(blobs, &mut left)?.0))
    })?;
    Ok(sent(
        dialect,
        &counting(place),
        body,
        Framing::Whole,
        left.warnings(),
    ))
}

/// Where tokens are counted, below where answers are made.
pub(in super::super) fn counting(place: &Place) -> Place {
    let mut path = place.path.segments();
    path.push("input_tokens".to_owned());
    Place {
        path: Path::Segments(path),
        ..place.clone()
    }
}

fn sent(
    dialect: &Dialect,
    place: &Place,
    body: Vec<BodyPart>,
    framing: Framing,
    warnings: Vec<String>,
) -> Request {
    Request {
        method: Method::Post,
        path: place.path.segments(),
        query: place.query.clone(),
        headers: dialect.request_headers(),
        body,
        framing,
        warnings,
    }
}

/// A request, checked against what the API and the model take.
struct Question<'a> {
    dialect: &'a Dialect,
    target: &'a Target,
    request: &'a ChatRequest,
    /// What the caller adds says that the server keeps the answer, or must.
    kept: bool,
    /// The model reasons.
    reasons: bool,
    /// Sampling is the model's own.
    thinks: bool,
}

impl<'a> Question<'a> {
    fn of(
        dialect: &'a Dialect,
        target: &'a Target,
        request: &'a ChatRequest,
        left: &mut Leaving,
    ) -> Result<Self, Error> {
        let able = Able {
            server_tools: true,
            text_tools: true,
            one_of: true,
            outputs: &["image"],
        };
        request.within_or(dialect.name, able, left)?;
        let reasons = dialect.reasons(&target.model);
        let thinks = reasons && request.effort() != Some(Effort::None);
        let sampling = &request.sampling;
        let unknown: Vec<&str> = [
            ("stop", !sampling.stop.is_empty()),
            ("seed", sampling.seed.is_some()),
            ("top_k", sampling.top_k.is_some()),
            ("frequency_penalty", sampling.frequency_penalty.is_some()),
            ("presence_penalty", sampling.presence_penalty.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, asked)| asked.then_some(name))
        .collect();
        let name = dialect.name;
        let fix = match dialect.api {
            Api::Responses => "leave it out, or ask by chat completions with the setting api: chat",
            Api::Auto | Api::Chat => "leave it out",
        };
        left.each(&unknown, "the Responses API has none", |names| {
            format!("the Responses API of {name} takes no {names}: {fix}")
        })?;
        if thinks {
            let mut refused = refused_by_reasoning(request);
            refused.retain(|name| !unknown.contains(name));
            let model = &target.model;
            left.each(&refused, &format!("{model:?} reasons, and takes none"), |names| {
                format!(
                    "{model:?} reasons, and takes no {names}: leave it out, or say that the model takes it with the setting reasoning_model: false"
                )
            })?;
        }
        let extra = tail("the request", request.extra.as_deref())?.unwrap_or_default();
        let says = |name: &str| extra.get(name).and_then(Json::bool);
        let kept = match says("store") {
            Some(store) => store,
            // What runs in the background is kept, or nobody could ask for it.
            None => dialect.store || says("background") == Some(true),
        };
        Ok(Question {
            dialect,
            target,
            request,
            kept,
            reasons,
            thinks,
        })
    }

    /// What is counted, too.
    fn body(&self, blobs: &mut Blobs, left: &mut Leaving) -> Result<Body<'a>, Error> {
        let Question {
            dialect, request, ..
        } = *self;
        let mut body = Body(Vec::with_capacity(14));
        let model = dialect.model.as_ref().unwrap_or(&self.target.model);
        body.set("model", Some(model.as_str()));
        let (instructions, rest) = input::instructions(&request.messages);
        body.set("instructions", instructions);
        let items = input::encode(dialect, self.reasons, self.kept, request, rest, blobs)?;
        // There may be none where the vendor keeps what is asked: a prompt, or a conversation.
        body.set("input", (!items.is_empty()).then_some(Json::List(items)));
        tools::encode(dialect, request, left, &mut body)?;
        let mut reasoning = Body(Vec::new());
        let effort = request.effort();
        reasoning.set(
            "effort",
            effort.map(|effort| dialect.effort(&self.target.model, effort)),
        );
        if self.reasons {
            reasoning.set("summary", dialect.reasoning_summary.as_deref());
        }
        if !reasoning.0.is_empty() {
            body.set("reasoning", Some(Json::Object(reasoning.0)));
        }
        Ok(body)
    }

    /// What is not.
    fn rest(&self, body: &mut Body<'a>) {
        let Question {
            dialect, request, ..
        } = *self;
        let sampling = &request.sampling;
        body.set("max_output_tokens", sampling.max_tokens);
        if !self.thinks {
            body.set("temperature", sampling.temperature);
            body.set("top_p", sampling.top_p);
        }
        body.set("user", request.user.as_deref());
        body.set("prompt_cache_key", dialect.prompt_cache_key.as_deref());
        body.set("service_tier", dialect.service_tier.as_deref());
        body.set("store", Some(self.kept));
        let own = [
            ("prompt", &dialect.prompt),
            ("context_management", &dialect.context_management),
        ];
        for (name, value) in own {
            let value = value.as_deref().and_then(|text| Json::parse(text).ok());
            body.set(name, value);
        }
        // Without the first the thoughts could not be sent back, without the others nobody would see them.
        let thoughts = (!self.kept && self.reasons).then_some("reasoning.encrypted_content");
        let results = request.server_tools.iter().filter_map(server::shown);
        let include: Vec<_> = thoughts
            .into_iter()
            .chain(results)
            .map(Json::from)
            .collect();
        if !include.is_empty() {
            body.set("include", Some(Json::List(include)));
        }
    }
}

#[cfg(test)]
mod tests;
