//! From a request's bytes to an [`OllamaChat`]. Unknown members are ignored, as Go's decoder ignores them;
//! wrong types are not.

use serde_json::{Value, json};

use crate::image;
use crate::question::{Format, PastCall, PastResult, Question, Speaker, Tool, Turn};
use crate::seal;
use crate::server::http1::Request;
use crate::shape::{Checker, Flaw, FlawKind, Segment, Shape, field, required};
use crate::wire::{items_of, strings_of, text_of};

use super::Trouble;
use super::models::{self, Model};
use super::reply::{CREATED_AT, ID, OllamaChat};

static CALL: Shape = Shape::Object(&[
    field("id", Shape::Text),
    required(
        "function",
        Shape::Object(&[field("name", Shape::Text), field("arguments", Shape::Open)]),
    ),
]);

static MESSAGE: Shape = Shape::Object(&[
    field("role", Shape::Text),
    field("content", Shape::Text),
    field("thinking", Shape::Text),
    field("images", Shape::List(&Shape::Text)),
    field("tool_calls", Shape::List(&CALL)),
    field("tool_name", Shape::Text),
    field("tool_call_id", Shape::Text),
]);

static TOOL: Shape = Shape::Object(&[
    field("type", Shape::Text),
    field(
        "function",
        Shape::Object(&[
            field("name", Shape::Text),
            field("description", Shape::Text),
            field("parameters", Shape::Open),
        ]),
    ),
]);

const ANY_NUMBER: Shape = Shape::Number(f64::MIN, f64::MAX);
const ANY_WHOLE: Shape = Shape::Whole(i64::MIN, i64::MAX);

static BODY: Shape = Shape::Object(&[
    field("model", Shape::Text),
    field("messages", Shape::List(&MESSAGE)),
    field("tools", Shape::List(&TOOL)),
    field("format", Shape::Any),
    field("stream", Shape::Flag),
    field("keep_alive", Shape::Either(&[ANY_NUMBER, Shape::Text])),
    field("think", Shape::Either(&[Shape::Flag, Shape::Text])),
    field(
        "options",
        Shape::Object(&[
            field("num_ctx", ANY_WHOLE),
            field("num_predict", ANY_WHOLE),
            field("seed", ANY_WHOLE),
            field("stop", Shape::List(&Shape::Text)),
            field("temperature", ANY_NUMBER),
            field("top_k", ANY_WHOLE),
            field("top_p", ANY_NUMBER),
            field("min_p", ANY_NUMBER),
            field("repeat_penalty", ANY_NUMBER),
            field("presence_penalty", ANY_NUMBER),
            field("frequency_penalty", ANY_NUMBER),
        ]),
    ),
]);

static PROMPT: Shape = Shape::Object(&[
    field("model", Shape::Text),
    field("prompt", Shape::Text),
    field("suffix", Shape::Text),
    field("system", Shape::Text),
    field("template", Shape::Text),
    field("context", Shape::List(&ANY_WHOLE)),
    field("raw", Shape::Flag),
    field("images", Shape::List(&Shape::Text)),
    field("format", Shape::Any),
    field("stream", Shape::Flag),
    field("keep_alive", Shape::Either(&[ANY_NUMBER, Shape::Text])),
    field("think", Shape::Either(&[Shape::Flag, Shape::Text])),
    field("options", Shape::Open),
]);

/// What a request to `/api/chat` asks for.
pub(super) enum Read {
    Chat(Box<OllamaChat>),
    /// Without messages a model is only loaded or unloaded.
    Loaded(Value),
}

/// The body as JSON, whatever the content type says.
pub(super) fn json(request: &Request) -> Result<Value, Trouble> {
    if request.body.is_empty() {
        return Err(Trouble::invalid("missing request body"));
    }
    serde_json::from_slice(&request.body).map_err(|error| Trouble::invalid(error.to_string()))
}

/// Reads and checks a request.
pub(super) fn chat(request: &Request, added: &[String]) -> Result<Read, Trouble> {
    let body = json(request)?;
    Checker::LENIENT
        .check(&body, &BODY)
        .map_err(|flaw| refuse(&flaw))?;
    let model = models::find(text_of(&body, "model"), added)?;
    if items_of(&body, "messages").is_empty() {
        let unloads = body.get("keep_alive").and_then(Value::as_f64) == Some(0.0);
        let reason = if unloads { "unload" } else { "load" };
        return Ok(Read::Loaded(
            json!({"model": model.name, "created_at": CREATED_AT,
            "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": reason}),
        ));
    }
    let options = body.get("options").unwrap_or(&Value::Null);
    let limit = options
        .get("num_predict")
        .and_then(Value::as_i64)
        .and_then(|limit| u64::try_from(limit).ok());
    let mut question = Question {
        model: model.name.clone(),
        tools: tools(&body, &model)?,
        parallel: true,
        format: format(&body)?,
        max_tokens: limit,
        stop: strings_of(options, "stop"),
        reasoning: thinks(&body, &model)?,
        ..Question::default()
    };
    for message in items_of(&body, "messages") {
        match text_of(message, "role") {
            "system" => question.system.push(text_of(message, "content").to_owned()),
            role => question.turns.push(turn(message, role, &model)?),
        }
    }
    name_results(&mut question);
    // Unlike everywhere else, streaming is what comes unasked.
    let streamed = body.get("stream").and_then(Value::as_bool) != Some(false);
    Ok(Read::Chat(Box::new(OllamaChat {
        question,
        streamed,
        is_old: model.is_old,
        is_prompt: false,
    })))
}

/// Reads and checks a request to `/api/generate`: one prompt, and what stands around it.
pub(super) fn prompt(request: &Request, added: &[String]) -> Result<OllamaChat, Trouble> {
    let body = json(request)?;
    Checker::LENIENT
        .check(&body, &PROMPT)
        .map_err(|flaw| refuse(&flaw))?;
    let model = models::find(text_of(&body, "model"), added)?;
    let given = |name: &str| !text_of(&body, name).is_empty();
    let raw = body.get("raw").and_then(Value::as_bool) == Some(true);
    if raw && (given("template") || given("system") || body.get("context").is_some()) {
        return Err(Trouble::invalid(
            "raw mode does not support template, system, or context",
        ));
    }
    let options = body.get("options").unwrap_or(&Value::Null);
    let limit = options.get("num_predict").and_then(Value::as_i64);
    let mut turn = Turn {
        text: text_of(&body, "prompt").to_owned(),
        ..Turn::default()
    };
    if given("suffix") {
        turn.text
            .push_str(&format!(" … {}", text_of(&body, "suffix")));
    }
    for data in items_of(&body, "images") {
        let data = data.as_str().unwrap_or_default();
        turn.images.push(picture(data, &model)?);
    }
    let system = text_of(&body, "system");
    let question = Question {
        model: model.name.clone(),
        system: (!system.is_empty())
            .then(|| system.to_owned())
            .into_iter()
            .collect(),
        turns: vec![turn],
        format: format(&body)?,
        max_tokens: limit.and_then(|limit| u64::try_from(limit).ok()),
        stop: strings_of(options, "stop"),
        reasoning: thinks(&body, &model)?,
        ..Question::default()
    };
    Ok(OllamaChat {
        question,
        streamed: body.get("stream").and_then(Value::as_bool) != Some(false),
        is_old: model.is_old,
        is_prompt: true,
    })
}

/// Go's words for a wrong type.
fn refuse(flaw: &Flaw) -> Trouble {
    let keys = flaw.path.iter().filter_map(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) => None,
    });
    let names: Vec<&str> = keys.collect();
    let path = names.join(".");
    match &flaw.kind {
        FlawKind::Type { expected, .. } if path.starts_with("options.") => {
            Trouble::invalid(format!(
                "option {:?} must be of type {expected}",
                names.last().copied().unwrap_or_default()
            ))
        }
        FlawKind::Type { expected, found } => Trouble::invalid(format!(
            "json: cannot unmarshal {found} into Go struct field ChatRequest.{path} of type {expected}"
        )),
        _ => Trouble::invalid(format!("invalid value for {path}")),
    }
}

fn tools(body: &Value, model: &Model) -> Result<Vec<Tool>, Trouble> {
    let functions = items_of(body, "tools")
        .iter()
        .filter_map(|tool| tool.get("function"));
    let tools: Vec<Tool> = functions
        .map(|function| Tool::of_function(function, "parameters"))
        .collect();
    if !tools.is_empty() && !model.tools {
        return Err(Trouble::invalid(format!(
            "registry.ollama.ai/library/{} does not support tools",
            model.name
        )));
    }
    Ok(tools)
}

fn format(body: &Value) -> Result<Format, Trouble> {
    match body.get("format") {
        None | Some(Value::Null) => Ok(Format::Text),
        Some(Value::String(text)) if text.is_empty() => Ok(Format::Text),
        Some(Value::String(text)) if text == "json" => Ok(Format::Json),
        Some(schema @ Value::Object(_)) => Ok(Format::Schema(schema.clone())),
        Some(other) => Err(Trouble::invalid(format!(
            "invalid format: {other}; expected \"json\" or a valid JSON Schema object"
        ))),
    }
}

/// Unset means on, for a model that can.
fn thinks(body: &Value, model: &Model) -> Result<bool, Trouble> {
    let wanted = match body.get("think") {
        None | Some(Value::Null) => return Ok(model.thinks),
        Some(Value::Bool(wanted)) => *wanted,
        Some(Value::String(level))
            if ["low", "medium", "high", "max"].contains(&level.as_str()) =>
        {
            true
        }
        Some(other) => {
            return Err(Trouble::invalid(format!(
                "invalid think value: {other} (must be \"high\", \"medium\", \"low\", \"max\", true, or false)"
            )));
        }
    };
    if wanted && !model.thinks {
        return Err(Trouble::invalid(format!(
            "{:?} does not support thinking",
            model.name
        )));
    }
    Ok(wanted)
}

fn turn(message: &Value, role: &str, model: &Model) -> Result<Turn, Trouble> {
    let text = text_of(message, "content").to_owned();
    let mut turn = Turn {
        text,
        ..Turn::default()
    };
    match role {
        "user" => {}
        "assistant" => {
            turn.speaker = Speaker::Model;
            for call in items_of(message, "tool_calls") {
                turn.calls.push(past_call(call)?);
            }
        }
        "tool" => {
            turn.speaker = Speaker::Tool;
            known_id(text_of(message, "tool_call_id"))?;
            let name = text_of(message, "tool_name").to_owned();
            turn.results.push(PastResult {
                name,
                text: std::mem::take(&mut turn.text),
            });
        }
        other => {
            return Err(Trouble::invalid(format!(
                "invalid role: {other}, must be one of [system user assistant tool]"
            )));
        }
    }
    for data in items_of(message, "images") {
        turn.images
            .push(picture(data.as_str().unwrap_or_default(), model)?);
    }
    Ok(turn)
}

fn past_call(call: &Value) -> Result<PastCall, Trouble> {
    let function = call.get("function").unwrap_or(&Value::Null);
    let id = text_of(call, "id");
    known_id(id)?;
    let arguments = function
        .get("arguments")
        .map_or_else(|| "{}".to_owned(), Value::to_string);
    Ok(PastCall {
        id: id.to_owned(),
        name: text_of(function, "name").to_owned(),
        arguments,
    })
}

/// Ids that this server never gave are somebody's invention.
fn known_id(id: &str) -> Result<(), Trouble> {
    if id.is_empty() || seal::issued(ID, id) {
        return Ok(());
    }
    Err(Trouble::invalid(format!("unknown tool call id {id:?}")))
}

/// Bare base64 only, without a `data:` before it.
fn picture(data: &str, model: &Model) -> Result<String, Trouble> {
    if !model.vision {
        return Err(Trouble::invalid(format!(
            "{:?} does not support vision",
            model.name
        )));
    }
    match image::from_base64(data) {
        Ok(picture) => Ok(picture.describe()),
        Err(image::Unreadable::Base64) => {
            let at = data
                .find(|char: char| !(char.is_ascii_alphanumeric() || "+/=".contains(char)))
                .unwrap_or(0);
            Err(Trouble::invalid(format!(
                "illegal base64 data at input byte {at}"
            )))
        }
        Err(image::Unreadable::Format) => {
            Err(Trouble::new(500, "Failed to load image or audio file"))
        }
    }
}

/// Results without a name take those of the calls before them, in order.
fn name_results(question: &mut Question) {
    let mut open: Vec<String> = Vec::new();
    for turn in &mut question.turns {
        if turn.speaker == Speaker::Model {
            open = turn.calls.iter().map(|call| call.name.clone()).collect();
        }
        for result in &mut turn.results {
            let asked = open
                .iter()
                .position(|name| result.name.is_empty() || *name == result.name);
            if let Some(at) = asked {
                result.name = open.remove(at);
            }
        }
    }
}
