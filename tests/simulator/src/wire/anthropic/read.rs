//! From a request's bytes to a [`Message`] that can be answered.

use serde_json::Value;

use crate::answer::Usage;
use crate::question::{Choice, Format, Question, Tool};
use crate::server::http1::Request;
use crate::shape::Checker;
use crate::text::Triggers;
use crate::wire::{items_of, strings_of, text_of};

use super::blocks::Judge;
use super::message::Message;
use super::{Trouble, caching, models, rules, servers, shape};

/// What counting takes of a body.
const COUNTED: [&str; 10] = [
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "mcp_servers",
    "cache_control",
    "context_management",
];

/// Reads and checks a request whose tokens are counted.
pub(super) fn count(request: &Request, version: &str, added: &[String]) -> Result<u64, Trouble> {
    let mut body = json(request)?;
    let model = models::find(text_of(&body, "model"), added)?;
    if let Some(members) = body.as_object_mut() {
        if let Some(name) = members
            .keys()
            .find(|name| !COUNTED.contains(&name.as_str()))
        {
            return Err(Trouble::invalid(format!(
                "{name}: Extra inputs are not permitted"
            )));
        }
        members.insert("max_tokens".to_owned(), model.max_output.into());
    }
    let message = of_body(&body, request, version, added)?;
    let question = &message.question;
    Ok(Usage::of_prompt(question, &Triggers::read(question.last_user_text())).prompt)
}

/// Reads and checks a request.
pub(super) fn message(
    request: &Request,
    version: &str,
    added: &[String],
) -> Result<Message, Trouble> {
    of_body(&json(request)?, request, version, added)
}

/// Whether the vendor is asked to manage the thinking that goes back to it. Claude Code does so, and leaves out that of the
/// turn whose results it sends; what the vendor says to that is not known here, so nothing is refused for it.
fn clears_thinking(body: &Value) -> bool {
    let edits = body
        .get("context_management")
        .and_then(|it| it.get("edits"));
    let mut edits = edits.and_then(Value::as_array).into_iter().flatten();
    edits.any(|edit| text_of(edit, "type").starts_with("clear_thinking_"))
}

fn of_body(
    body: &Value,
    request: &Request,
    version: &str,
    added: &[String],
) -> Result<Message, Trouble> {
    Checker::STRICT
        .check(body, &shape::BODY)
        .map_err(|flaw| shape::refuse(&flaw))?;
    let model = models::find(text_of(body, "model"), added)?;
    rules::check(body, version, &model)?;
    servers::check(body, request)?;
    caching::check(body)?;
    let thinking = body.get("thinking").unwrap_or(&Value::Null);
    let kind = text_of(thinking, "type");
    let mut question = Question {
        model: model.answers_as.clone(),
        system: system(body),
        tools: items_of(body, "tools")
            .iter()
            .filter(|tool| !servers::is_own(tool))
            .map(|function| Tool::of_function(function, "input_schema"))
            .collect(),
        choice: choice(body),
        parallel: !forbids_parallel(body),
        format: format(body),
        max_tokens: body.get("max_tokens").and_then(Value::as_u64),
        stop: strings_of(body, "stop_sequences"),
        servers: servers::offered(body),
        reasoning: !kind.is_empty() && kind != "disabled",
        ..Question::default()
    };
    let judge = Judge {
        model: &model,
        version,
        must_think: kind == "enabled" && !clears_thinking(body),
    };
    judge.read(items_of(body, "messages"), &mut question)?;
    let omits = match text_of(thinking, "display") {
        "" => model.version >= (4, 7),
        display => display == "omitted",
    };
    Ok(Message {
        streamed: body.get("stream").and_then(Value::as_bool) == Some(true),
        omits_thinking: omits,
        redacts_thinking: question.last_user_text().contains("redact thinking"),
        repeats_input_usage: model.version > (3, 7),
        counts_thinking: model.version >= (4, 6),
        container: body
            .get("container")
            .and_then(Value::as_str)
            .map(str::to_owned),
        question,
        headers: super::Anthropic::dress(crate::reply::Reply::new(200, "", ""), request).headers,
    })
}

fn json(request: &Request) -> Result<Value, Trouble> {
    if !request.is_json() {
        return Err(Trouble::invalid("Content-Type: must be application/json"));
    }
    serde_json::from_slice(&request.body)
        .map_err(|error| Trouble::invalid(format!("The request body is not valid JSON: {error}")))
}

fn system(body: &Value) -> Vec<String> {
    match body.get("system") {
        Some(Value::String(text)) if !text.is_empty() => vec![text.clone()],
        _ => items_of(body, "system")
            .iter()
            .map(|block| text_of(block, "text").to_owned())
            .collect(),
    }
}

fn choice(body: &Value) -> Choice {
    let choice = body.get("tool_choice").unwrap_or(&Value::Null);
    match text_of(choice, "type") {
        "none" => Choice::None,
        "any" => Choice::Required,
        "tool" => Choice::Named(vec![text_of(choice, "name").to_owned()]),
        _ => Choice::Auto,
    }
}

fn forbids_parallel(body: &Value) -> bool {
    let choice = body.get("tool_choice").unwrap_or(&Value::Null);
    choice
        .get("disable_parallel_tool_use")
        .and_then(Value::as_bool)
        == Some(true)
}

fn format(body: &Value) -> Format {
    let format = body
        .get("output_config")
        .and_then(|config| config.get("format"));
    match format.and_then(|format| format.get("schema")) {
        Some(schema) => Format::Schema(schema.clone()),
        None => Format::Text,
    }
}
