//! From a request's bytes to a [`CohereChat`] that can be answered.

use serde_json::Value;

use crate::question::{Choice, Format, Question, Tool};
use crate::server::http1::Request;
use crate::shape::Checker;
use crate::wire::{items_of, strings_of, text_of};

use super::models::Traits;
use super::reply::CohereChat;
use super::{Trouble, messages, models, shape};

/// The most stop sequences.
const STOPS: usize = 5;

/// The body as JSON.
pub(super) fn json(request: &Request) -> Result<Value, Trouble> {
    if !request.is_json() {
        return Err(Trouble::invalid("content-type must be application/json"));
    }
    serde_json::from_slice(&request.body)
        .map_err(|error| Trouble::invalid(format!("the body is not valid JSON: {error}")))
}

/// Reads and checks a request.
pub(super) fn chat(request: &Request, added: &[String]) -> Result<CohereChat, Trouble> {
    let body = json(request)?;
    Checker::STRICT
        .check(&body, &shape::BODY)
        .map_err(|flaw| shape::refuse(&flaw))?;
    let name = text_of(&body, "model");
    let traits = models::find(name, added)?;
    rules(&body, traits)?;
    let thinking = body
        .get("thinking")
        .map(|thinking| text_of(thinking, "type"))
        .unwrap_or_default();
    let mut question = Question {
        model: name.to_owned(),
        tools: items_of(&body, "tools")
            .iter()
            .filter_map(|tool| tool.get("function"))
            .map(|function| Tool::of_function(function, "parameters"))
            .collect(),
        choice: match text_of(&body, "tool_choice") {
            "REQUIRED" => Choice::Required,
            "NONE" => Choice::None,
            _ => Choice::Auto,
        },
        parallel: true,
        format: format(&body),
        max_tokens: body.get("max_tokens").and_then(Value::as_u64),
        stop: strings_of(&body, "stop_sequences"),
        // On by default where the model can.
        reasoning: traits.reasoning && thinking != "disabled",
        ..Question::default()
    };
    messages::read(items_of(&body, "messages"), traits, &mut question)?;
    Ok(CohereChat {
        question,
        streamed: body.get("stream").and_then(Value::as_bool) == Some(true),
        document: documents(&body)?.first().cloned(),
        headers: super::headers(request),
    })
}

/// The documents: texts, or objects with data of their own.
fn documents(body: &Value) -> Result<&[Value], Trouble> {
    let documents = items_of(body, "documents");
    let is_good = |document: &&Value| {
        document.is_string() || document.get("data").is_some_and(Value::is_object)
    };
    match documents.iter().all(|document| is_good(&document)) {
        true => Ok(documents),
        false => Err(Trouble::invalid(
            "documents must be strings or objects with a data field",
        )),
    }
}

fn rules(body: &Value, traits: Traits) -> Result<(), Trouble> {
    let refuse = |message: &str| Err(Trouble::invalid(message));
    let given = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    let is_json = body
        .get("response_format")
        .is_some_and(|format| text_of(format, "type") == "json_object");
    if is_json && (given("tools") || given("documents")) {
        return refuse("response_format cannot be specified with tools or documents");
    }
    if given("tools") && !traits.tools {
        return refuse("tool use is not supported with this model");
    }
    if (given("tool_choice") || given("strict_tools")) && items_of(body, "tools").is_empty() {
        return refuse("tool_choice and strict_tools may only be specified with tools");
    }
    let thinking = body
        .get("thinking")
        .map(|thinking| text_of(thinking, "type"));
    if thinking == Some("enabled") && !traits.reasoning {
        return refuse("thinking is not supported with this model");
    }
    if items_of(body, "stop_sequences").len() > STOPS {
        return refuse("stop_sequences must have at most 5 elements");
    }
    let tools = items_of(body, "tools")
        .iter()
        .filter_map(|tool| tool.get("function"));
    for function in tools {
        let name = text_of(function, "name");
        let allowed = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
        if name.is_empty() || !name.chars().all(allowed) {
            return refuse(
                "tool names can only contain certain characters (A-Za-z0-9_-) and can't be empty",
            );
        }
        let parameters = function.get("parameters").unwrap_or(&Value::Null);
        if parameters
            .as_object()
            .is_some_and(|schema| schema.contains_key("type"))
            && text_of(parameters, "type") != "object"
        {
            return refuse("tool parameters must be a JSON schema of type object");
        }
    }
    Ok(())
}

fn format(body: &Value) -> Format {
    let format = body.get("response_format").unwrap_or(&Value::Null);
    let schema = format.get("json_schema").or_else(|| format.get("schema"));
    match (text_of(format, "type"), schema) {
        ("json_object", Some(schema)) => Format::Schema(schema.clone()),
        ("json_object", None) => Format::Json,
        _ => Format::Text,
    }
}
