//! The Responses interface: `POST /responses` and `POST /responses/input_tokens`. Nothing is ever kept: an id of an
//! earlier response is unknown, and thoughts go back encrypted or not at all.
//! <https://platform.openai.com/docs/api-reference/responses>

mod items;
mod reply;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::{Answer, Usage};
use crate::fault::{self, Failure};
use crate::question::{Choice, Format, Question, Tool};
use crate::reply::{Event, Reply};
use crate::server::http1::Request;
use crate::text::Triggers;
use crate::vendor::Vendor;
use crate::wire::{Asked, Chat, items_of, text_of};

use super::models::Model;
use super::trouble::Trouble;

/// Members of a body, beyond which all are refused.
const FIELDS: [&str; 31] = [
    "background",
    "client_metadata",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
];
/// Tools that run here: types and unified names.
const SERVERS: [(&str, &str); 3] = [
    ("web_search", "web-search"),
    ("web_search_preview", "web-search"),
    ("code_interpreter", "code-execution"),
];
/// Other tools that run elsewhere, and groups of functions: they are taken, and never used.
const UNUSED: [&str; 5] = ["file_search", "mcp", "tool_search", "custom", "namespace"];
/// What thoughts are signed for.
pub(super) const SEALED: &str = "encrypted reasoning";

/// A request that was found good.
pub(crate) struct Responses {
    pub(crate) question: Question,
    streamed: bool,
    /// Thoughts come encrypted, too.
    encrypted: bool,
    /// Thoughts come summed up.
    summary: bool,
    store: bool,
    tier: String,
    /// Whether the answer tells what filters found, as Azure does.
    filters: bool,
    headers: Vec<(String, String)>,
}

impl Responses {
    /// The same, whose answer tells what filters found.
    pub(crate) fn with_filters(self) -> Self {
        Self {
            filters: true,
            ..self
        }
    }
}

impl Chat for Responses {
    fn asked(&self) -> Asked<'_> {
        Asked::new(&self.question, self.streamed)
    }

    fn unary(&self, answer: &Answer) -> Reply {
        Reply::json(200, &self.response(answer)).with_headers(self.headers.clone())
    }

    fn stream(&self, answer: &Answer) -> Reply {
        Reply::events("text/event-stream; charset=utf-8", self.events(answer))
            .with_headers(self.headers.clone())
    }
}

/// A vendor's forms of failures, where they are said otherwise in a stream of this interface.
pub(crate) struct Forms<F>(pub(crate) F);

impl<F: fault::Forms> fault::Forms for Forms<F> {
    fn vendor(&self) -> Vendor {
        self.0.vendor()
    }

    fn failure(&self, failure: &Failure, request: &Request) -> Option<Reply> {
        self.0.failure(failure, request)
    }

    #[allow(
        clippy::indexing_slicing,
        reason = "members of the value that is made here"
    )]
    fn stream_error(&self) -> Vec<Event> {
        let said = json!({"code": "server_error",
            "message": "The server had an error processing your request. Sorry about that!"});
        let error = json!({"type": "error", "sequence_number": 9, "error": {"type": "server_error",
            "code": said["code"], "message": said["message"], "param": null}});
        let failed = json!({"type": "response.failed", "sequence_number": 10,
            "response": {"id": "resp_failed", "object": "response", "status": "failed", "error": said, "output": []}});
        vec![
            Event::finish(format!("event: error\ndata: {error}\n\n")),
            Event::done(format!("event: response.failed\ndata: {failed}\n\n")),
        ]
    }

    fn frame(&self, json: &str) -> Bytes {
        self.0.frame(json)
    }

    fn keepalive(&self) -> Option<Bytes> {
        let event = json!({"type": "keepalive", "sequence_number": 2});
        Some(format!("event: keepalive\ndata: {event}\n\n").into())
    }
}

/// Reads a body. `find` looks a model up.
pub(crate) fn read(
    body: &Value,
    headers: Vec<(String, String)>,
    find: impl FnOnce(&str) -> Option<Model>,
) -> Result<Responses, Trouble> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    let Some(members) = body.as_object() else {
        return Err(Trouble::invalid("the body is no object"));
    };
    if let Some(name) = members.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Trouble::invalid(format!("Unknown parameter: '{name}'."))
            .param(name.as_str())
            .code("unknown_parameter"));
    }
    let name = text_of(body, "model");
    if name.is_empty() {
        return Err(Trouble::invalid("Missing required parameter: 'model'.")
            .param("model")
            .code("missing_required_parameter"));
    }
    let model = find(name).ok_or_else(|| {
        let message = format!("The requested model '{name}' does not exist.");
        Trouble::invalid(message)
            .param("model")
            .code("model_not_found")
    })?;
    fits(body, &model)?;
    if let Some(id) = given("previous_response_id") {
        let message = format!("Previous response with id {id} not found.");
        return Err(Trouble::invalid(message)
            .param("previous_response_id")
            .code("previous_response_not_found"));
    }
    let store = given("store").and_then(Value::as_bool) != Some(false);
    let includes = |name: &str| {
        let mut list = items_of(body, "include").iter();
        list.any(|one| one.as_str() == Some(name))
    };
    let encrypted = includes("reasoning.encrypted_content");
    if encrypted && !model.traits.reasoning {
        let message = "Encrypted content is not supported with this model.";
        return Err(Trouble::invalid(message).param("include"));
    }
    let effort = given("reasoning").map_or("", |reasoning| text_of(reasoning, "effort"));
    let mut question = Question {
        model: model.answers_as.clone(),
        parallel: given("parallel_tool_calls").and_then(Value::as_bool) != Some(false),
        max_tokens: given("max_output_tokens").and_then(Value::as_u64),
        reasoning: model.traits.reasoning && effort != "none",
        ..Question::default()
    };
    if let Some(text) = given("instructions").and_then(Value::as_str) {
        question.system.push(text.to_owned());
    }
    tools(body, &mut question)?;
    question.choice = choice(body, &question)?;
    question.format = format(body)?;
    items::read(body, model.traits.vision, &mut question)?;
    Ok(Responses {
        streamed: given("stream").and_then(Value::as_bool) == Some(true),
        encrypted,
        summary: given("reasoning")
            .is_some_and(|reasoning| !text_of(reasoning, "summary").is_empty()),
        store,
        tier: match text_of(body, "service_tier") {
            "" | "auto" => "default".to_owned(),
            tier => tier.to_owned(),
        },
        question,
        filters: false,
        headers,
    })
}

/// How many tokens a question has.
pub(crate) fn count(asked: &Responses) -> Value {
    let usage = Usage::of_prompt(&asked.question, &Triggers::default());
    json!({"object": "response.input_tokens", "input_tokens": usage.prompt})
}

/// What the model refuses.
fn fits(body: &Value, model: &Model) -> Result<(), Trouble> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    if model.traits.reasoning {
        for name in ["temperature", "top_p"] {
            if given(name).is_some() {
                let message =
                    format!("Unsupported parameter: '{name}' is not supported with this model.");
                return Err(Trouble::invalid(message).param(name));
            }
        }
        let effort = given("reasoning").map_or("", |reasoning| text_of(reasoning, "effort"));
        if !effort.is_empty() && !model.traits.efforts.contains(&effort) {
            let message = format!(
                "Unsupported value: '{effort}' is not supported with the '{}' model.",
                model.answers_as
            );
            return Err(Trouble::invalid(message)
                .param("reasoning.effort")
                .code("unsupported_value"));
        }
    } else if given("reasoning").is_some() {
        let message = "Unsupported parameter: 'reasoning.effort' is not supported with this model.";
        return Err(Trouble::invalid(message)
            .param("reasoning.effort")
            .code("unsupported_parameter"));
    }
    match given("max_output_tokens").and_then(Value::as_u64) {
        Some(limit) if limit < 16 => {
            let message = format!(
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got {limit} instead."
            );
            Err(Trouble::invalid(message)
                .param("max_output_tokens")
                .code("integer_below_min_value"))
        }
        _ => Ok(()),
    }
}

fn tools(body: &Value, question: &mut Question) -> Result<(), Trouble> {
    for (index, tool) in items_of(body, "tools").iter().enumerate() {
        let kind = text_of(tool, "type");
        let unified = SERVERS.iter().find(|(known, _)| *known == kind);
        match (kind, unified) {
            (_, Some((_, name))) => question.servers.push(name),
            ("image_generation", _) => question.draws = true,
            ("function", _) if tool.get("function").is_none() => {
                question.tools.push(Tool::of_function(tool, "parameters"));
            }
            (kind, _) if UNUSED.contains(&kind) => {}
            _ => {
                let param = format!("tools[{index}].type");
                let message = format!("Invalid value: '{kind}'.");
                return Err(Trouble::invalid(message).param(param).code("invalid_value"));
            }
        }
        if kind == "code_interpreter" && tool.get("container").is_none() {
            let param = format!("tools[{index}].container");
            let message = format!("Missing required parameter: '{param}'.");
            return Err(Trouble::invalid(message)
                .param(param)
                .code("missing_required_parameter"));
        }
        if kind == "function" && text_of(tool, "name").is_empty() {
            let param = format!("tools[{index}].name");
            let message = format!("Missing required parameter: '{param}'.");
            return Err(Trouble::invalid(message)
                .param(param)
                .code("missing_required_parameter"));
        }
    }
    Ok(())
}

fn choice(body: &Value, question: &Question) -> Result<Choice, Trouble> {
    let choice = match body.get("tool_choice") {
        Some(Value::String(word)) if word == "none" => Choice::None,
        Some(Value::String(word)) if word == "required" => Choice::Required,
        Some(named @ Value::Object(_)) => match text_of(named, "type") {
            "function" => Choice::Named(vec![text_of(named, "name").to_owned()]),
            "allowed_tools" => {
                let names = items_of(named, "tools").iter();
                Choice::Named(names.map(|tool| text_of(tool, "name").to_owned()).collect())
            }
            _ => Choice::Auto,
        },
        _ => Choice::Auto,
    };
    let declared = |name: &&String| !question.tools.iter().any(|tool| tool.name == **name);
    match &choice {
        Choice::Named(names) => match names.iter().find(declared) {
            Some(name) => {
                let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
                Err(Trouble::invalid(message).param("tool_choice"))
            }
            None => Ok(choice),
        },
        _ => Ok(choice),
    }
}

fn format(body: &Value) -> Result<Format, Trouble> {
    let format = body.get("text").and_then(|text| text.get("format"));
    let Some(format) = format else {
        return Ok(Format::Text);
    };
    match text_of(format, "type") {
        "json_object" => Ok(Format::Json),
        "json_schema" => match (text_of(format, "name"), format.get("schema")) {
            ("", _) | (_, None) => {
                let message = "Missing required parameter: 'text.format.name'.";
                Err(Trouble::invalid(message)
                    .param("text.format.name")
                    .code("missing_required_parameter"))
            }
            (_, Some(schema)) => Ok(Format::Schema(schema.clone())),
        },
        _ => Ok(Format::Text),
    }
}
