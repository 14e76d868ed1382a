//! From a request's bytes to a [`Generation`] that can be answered.

use serde_json::Value;

use crate::question::{Choice, Format, Question, Tool};
use crate::server::http1::Request;
use crate::shape::Checker;
use crate::wire::{items_of, strings_of, text_of};

use super::generation::Generation;
use super::models::Model;
use super::{Streaming, Trouble, contents, names, rules, servers, shape};

/// The body as JSON, spelled in lowerCamelCase.
pub(super) fn json(request: &Request) -> Result<Value, Trouble> {
    if !request.is_json() {
        return Err(Trouble::invalid(
            "Invalid content type: the body must be application/json",
        ));
    }
    let body = serde_json::from_slice(&request.body)
        .map_err(|error| Trouble::invalid(format!("Invalid JSON payload received. {error}")))?;
    Ok(names::camel_case(body))
}

/// Reads and checks a request.
pub(super) fn generation(
    body: Value,
    model: Model,
    streaming: Option<Streaming>,
) -> Result<Generation, Trouble> {
    Checker::STRICT
        .check(&body, &shape::BODY)
        .map_err(|flaw| shape::refuse(&flaw))?;
    rules::check(&body, &model)?;
    let config = body.get("generationConfig").unwrap_or(&Value::Null);
    let thinking = config.get("thinkingConfig").unwrap_or(&Value::Null);
    let rests = thinking.get("thinkingBudget").and_then(Value::as_i64) == Some(0);
    let mut question = Question {
        model: model.name.clone(),
        system: system(&body),
        tools: rules::declarations(&body).into_iter().map(tool).collect(),
        choice: choice(&body),
        parallel: true,
        format: format(config),
        max_tokens: config.get("maxOutputTokens").and_then(Value::as_u64),
        stop: strings_of(config, "stopSequences"),
        reasoning: model.traits.thinks && !rests,
        servers: servers::offered(&body),
        draws: strings_of(config, "responseModalities")
            .iter()
            .any(|kind| kind == "IMAGE"),
        ..Question::default()
    };
    contents::read(items_of(&body, "contents"), &model, &mut question)?;
    Ok(Generation {
        question,
        is_third: model.traits.generation >= 3,
        shows_servers: servers::are_shown(&body),
        shows_thoughts: thinking.get("includeThoughts").and_then(Value::as_bool) == Some(true),
        streaming,
    })
}

fn system(body: &Value) -> Vec<String> {
    let parts = body
        .get("systemInstruction")
        .map(|content| items_of(content, "parts"))
        .unwrap_or_default();
    parts
        .iter()
        .map(|part| text_of(part, "text").to_owned())
        .filter(|text| !text.is_empty())
        .collect()
}

fn tool(function: &Value) -> Tool {
    let schema = function
        .get("parametersJsonSchema")
        .or_else(|| function.get("parameters"));
    Tool {
        name: text_of(function, "name").to_owned(),
        parameters: schema.cloned().unwrap_or(Value::Null),
    }
}

fn choice(body: &Value) -> Choice {
    let config = body
        .get("toolConfig")
        .and_then(|config| config.get("functionCallingConfig"))
        .unwrap_or(&Value::Null);
    let allowed = strings_of(config, "allowedFunctionNames");
    match text_of(config, "mode") {
        "NONE" => Choice::None,
        "ANY" if allowed.is_empty() => Choice::Required,
        "ANY" => Choice::Named(allowed),
        _ => Choice::Auto,
    }
}

fn format(config: &Value) -> Format {
    let schema = config
        .get("responseJsonSchema")
        .or_else(|| config.get("responseSchema"));
    match (text_of(config, "responseMimeType"), schema) {
        ("application/json", Some(schema)) => Format::Schema(schema.clone()),
        ("application/json", None) => Format::Json,
        _ => Format::Text,
    }
}
