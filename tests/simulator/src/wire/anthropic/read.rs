//! From a request's bytes to a [`Message`] that can be answered.

use serde_json::Value;

use crate::question::{Choice, Format, Question, Tool};
use crate::server::http1::Request;
use crate::shape::Checker;
use crate::wire::{items_of, strings_of, text_of};

use super::blocks::Judge;
use super::message::Message;
use super::{Trouble, models, rules, shape};

/// Reads and checks a request.
pub(super) fn message(
    request: &Request,
    version: &str,
    added: &[String],
) -> Result<Message, Trouble> {
    let body = json(request)?;
    Checker::STRICT
        .check(&body, &shape::BODY)
        .map_err(|flaw| shape::refuse(&flaw))?;
    let model = models::find(text_of(&body, "model"), added)?;
    rules::check(&body, version, &model)?;
    let thinking = body.get("thinking").unwrap_or(&Value::Null);
    let kind = text_of(thinking, "type");
    let mut question = Question {
        model: model.answers_as.clone(),
        system: system(&body),
        tools: items_of(&body, "tools")
            .iter()
            .map(|function| Tool::of_function(function, "input_schema"))
            .collect(),
        choice: choice(&body),
        parallel: !forbids_parallel(&body),
        format: format(&body),
        max_tokens: body.get("max_tokens").and_then(Value::as_u64),
        stop: strings_of(&body, "stop_sequences"),
        reasoning: !kind.is_empty() && kind != "disabled",
        ..Question::default()
    };
    let judge = Judge {
        model: &model,
        version,
        must_think: kind == "enabled",
    };
    judge.read(items_of(&body, "messages"), &mut question)?;
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
