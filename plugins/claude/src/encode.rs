//! The request.

use std::borrow::Cow;

use multillm_plugin_sdk::able::Able;
use multillm_plugin_sdk::body::{Blobs, json_body, raw_object};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::leaving::Leaving;
use multillm_plugin_sdk::{
    ChatRequest, Error, Framing, JsonSchema, Method, Mode, Request, ResponseFormat, Target,
};

use crate::cache::Marks;
use crate::model::Model;
use crate::schema;
use crate::servers::{self, Asked};
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
    let mut leaving = Leaving::of(request);
    refuse_unknown_sampling(request, &mut leaving)?;
    // An `extra` that cannot be read is reported by `json_body`.
    let extra = Json::parse(request.extra.as_deref().unwrap_or_default()).unwrap_or_default();
    let settings = settings(target, request, &extra, &mut leaving)?;
    let body = json_body(request, |blobs| {
        let asked = Body {
            target,
            settings: &settings,
            extra: &extra,
            request,
        };
        let body = asked.tree(&mut leaving, blobs)?;
        // Told either way: there are servers that stream unless they are told not to.
        Ok(body.with("stream", Some(matches!(mode, Mode::Stream))))
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
        warnings: leaving.warnings(),
    })
}

/// The settings, with the betas that the request needs.
///
/// # Errors
///
/// `unsupported` for what this adapter does not ask for, and for tools that the vendor does not run.
pub(crate) fn settings(
    target: &Target,
    request: &ChatRequest,
    extra: &Json<'_>,
    leaving: &mut Leaving,
) -> Result<Settings, Error> {
    let able = Able {
        server_tools: true,
        ..Able::default()
    };
    request.within_or("claude", able, leaving)?;
    let mut settings = Settings::of(target)?;
    if turns::names_files(request) {
        settings = settings.with_files();
    }
    let asked = Asked::of(&request.server_tools, leaving)?;
    let own = servers::betas_of(extra);
    Ok(settings.with_betas(asked.betas.into_iter().chain(own)))
}

/// What a body is made of.
pub(crate) struct Body<'a, 'x> {
    pub(crate) target: &'a Target,
    pub(crate) settings: &'x Settings,
    pub(crate) extra: &'x Json<'x>,
    pub(crate) request: &'a ChatRequest,
}

impl<'a> Body<'a, '_> {
    /// All of it but whether it is streamed.
    pub(crate) fn tree(&self, leaving: &mut Leaving, blobs: &mut Blobs) -> Result<Tree<'a>, Error> {
        let &Body {
            target,
            settings,
            extra,
            request,
        } = self;
        let model = Model::of(&target.model);
        let marks = Marks::of(request, settings.prompt_cache);
        let conversation = turns::conversation(request, model, &marks, blobs)?;
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
        let plan = thinking::plan(model, settings, request, facts);
        let plan = leaving.or_else("reasoning_effort", plan, || {
            Ok(Plan::plain(
                model,
                request.sampling.max_tokens.or(settings.max_tokens),
            ))
        })?;
        let mut tools = tools::tools(request, &marks)?;
        let asked = Asked::of(&request.server_tools, leaving)?;
        tools.extend(asked.tools);
        let has_tools = !tools.is_empty() || extra.get("tools").is_some();
        let [temperature, top_p, top_k] = samplers(model, settings, request, &plan, leaving)?;
        let stop = request.sampling.stop.iter();
        let is_json = matches!(request.response_format, ResponseFormat::Json);
        let instruction = is_json.then_some(JSON_INSTRUCTION);
        // Without a tool that runs programs there is nothing to go on with.
        let runs = asked.runs_code || servers::own_tools_run_code(extra);
        let keeps = settings.keeps_container && runs;
        let container = conversation.container.filter(|_| keeps);
        let user = request.user.as_deref().filter(|user| is_taken(user));
        let user = user.map(|user| Json::object([("user_id", user.into())]));
        Ok(Tree::object([
            ("model", target.model.as_str().into()),
            ("max_tokens", plan.max_tokens.into()),
        ])
        .with("system", conversation.system.tree(instruction))
        .with("messages", list(conversation.turns.into_iter()))
        .with("tools", list(tools.into_iter()))
        .with("mcp_servers", list(asked.servers.into_iter()))
        .with("tool_choice", tools::choice(request, has_tools)?)
        .with("output_config", output_config(request, &plan)?)
        .with("thinking", plan.thinking.map(Json::from))
        .with("stop_sequences", list(stop.map(String::as_str)))
        .with("temperature", temperature)
        .with("top_p", top_p)
        .with("top_k", top_k)
        .with("container", container)
        .with("metadata", user))
    }
}

/// Whether the vendor takes this name of a user: it refuses what tells the person, such as an address or a telephone
/// number, and long ones.
fn is_taken(user: &str) -> bool {
    let number = |byte: u8| byte.is_ascii_digit() || b" +-.()/".contains(&byte);
    let is_number = user.len() >= 7 && user.bytes().all(number);
    user.chars().count() <= 256 && !user.contains('@') && !is_number
}

/// A list, unless it is empty.
fn list<'a, T: Into<Tree<'a>>>(items: impl ExactSizeIterator<Item = T>) -> Option<Tree<'a>> {
    (items.len() > 0).then(|| Tree::List(items.map(Into::into).collect()))
}

/// Zero is what the vendor does anyway.
fn refuse_unknown_sampling(request: &ChatRequest, leaving: &mut Leaving) -> Result<(), Error> {
    let sampling = &request.sampling;
    let is_set = |penalty: Option<f64>| penalty.is_some_and(|value| value != 0.0);
    if sampling.seed.is_some() {
        leaving.out("seed", "claude knows none")?;
    }
    for (name, penalty) in [
        ("frequency_penalty", sampling.frequency_penalty),
        ("presence_penalty", sampling.presence_penalty),
    ] {
        if is_set(penalty) {
            leaving.out(name, "claude knows none")?;
        }
    }
    Ok(())
}

/// The sampling parameters of this request. The vendor refuses the whole request for one that a
/// model does not take, even where it stands at its default, so that a default is left out and
/// anything else is refused here:
/// - all of them for the API version 2026-10-21 and for models from Claude 4.7 on;
/// - all but a `top_p` near 1 while thinking;
/// - `temperature` beside `top_p` from Claude 4.1 on.
fn samplers<'a>(
    model: Model,
    settings: &Settings,
    request: &ChatRequest,
    plan: &Plan<'_>,
    leaving: &mut Leaving,
) -> Result<[Option<Json<'a>>; 3], Error> {
    let sampling = &request.sampling;
    let told = |of: Option<f64>| of.filter(|value| *value < 1.0);
    let (temperature, top_p, top_k) = (sampling.temperature, sampling.top_p, sampling.top_k);
    let (heat, share) = (told(temperature), told(top_p));
    let mut refused = |circumstances: &str, share: Option<f64>| {
        let names = [
            heat.map(|_| "temperature"),
            share.map(|_| "top_p"),
            top_k.map(|_| "top_k"),
        ];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        let why = format!("{circumstances} takes none");
        leaving.each(&names, &why, |_| {
            let names = names.join(" and no ");
            format!("{circumstances} takes no {names}: leave it out")
        })
    };
    if !settings.takes_sampling() {
        return refused("this API version of claude", share).map(|()| [None, None, None]);
    }
    if !model.takes_sampling() {
        return refused("this model", share).map(|()| [None, None, None]);
    }
    if plan.thinks {
        refused(
            "a model that thinks",
            share.filter(|share| *share < MIN_TOP_P_THINKING),
        )?;
        let near = top_p.filter(|share| *share >= MIN_TOP_P_THINKING);
        return Ok([None, near.map(Json::from), None]);
    }
    let [temperature, top_p] = match (temperature, top_p) {
        (Some(_), Some(_)) if !model.takes_two_samplers() => match (heat, share) {
            (Some(_), Some(_)) => {
                let both = Error::unsupported(
                    "this model takes temperature or top_p and not both: leave one of them out",
                );
                leaving.or_else("top_p", Err(both), || Ok([temperature, None]))?
            }
            (_, None) => [temperature, None],
            (None, Some(_)) => [None, top_p],
        },
        both => both.into(),
    };
    Ok([
        temperature.map(Json::from),
        top_p.map(Json::from),
        top_k.map(Json::from),
    ])
}

fn output_config<'a>(request: &'a ChatRequest, plan: &Plan<'a>) -> Result<Option<Tree<'a>>, Error> {
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
