//! From a request's bytes to a [`Completion`]: the family's checks in the order in which OpenAI makes them.

use serde_json::Value;

use crate::question::{Choice, Format, Question, Tool};
use crate::server::http1::Request;
use crate::shape::Checker;
use crate::wire::{items_of, strings_of, text_of};

use super::completion::{Completion, Style};
use super::models::Model;
use super::trouble::Trouble;
use super::{messages, rules, shape};

/// How strictly a member of the family reads.
pub(crate) struct Reading {
    /// OpenAI and Azure refuse unknown fields and hold their models' rules; the engines behind a router
    /// ignore what they do not know.
    pub(crate) strict: bool,
    /// A model that does not stand in the body (Azure's deployment in the path).
    pub(crate) model: Option<String>,
}

/// The body as JSON.
pub(crate) fn json(request: &Request) -> Result<Value, Trouble> {
    let unreadable = |hint: String| {
        Trouble::invalid(format!(
            "We could not parse the JSON body of your request. ({hint})"
        ))
    };
    if !request.is_json() {
        return Err(unreadable(
            "HINT: the content-type must be application/json.".to_owned(),
        ));
    }
    serde_json::from_slice(&request.body).map_err(|error| {
        unreadable(format!("HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON: {error}."))
    })
}

/// Reads a chat completion. `find` looks a model up; `style` says how answers of it are written.
pub(crate) fn completion(
    mut body: Value,
    reading: &Reading,
    find: impl FnOnce(&str) -> Result<(Model, Style), Trouble>,
) -> Result<Completion, Trouble> {
    if let (Some(model), Some(object)) = (&reading.model, body.as_object_mut()) {
        object.insert("model".to_owned(), Value::String(model.clone()));
    }
    let checker = if reading.strict {
        Checker::STRICT
    } else {
        Checker::LENIENT
    };
    checker
        .check(&body, &shape::BODY)
        .map_err(|flaw| Trouble::of_flaw(&flaw))?;
    let name = text_of(&body, "model").to_owned();
    let (model, style) = find(&name)?;
    if reading.strict {
        rules::fields(&body)?;
        rules::model(&body, &model, &name)?;
    }
    rules::schemas(&body)?;
    let mut question = Question {
        model: model.answers_as.clone(),
        tools: items_of(&body, "tools")
            .iter()
            .filter_map(|tool| tool.get("function"))
            .map(|function| Tool::of_function(function, "parameters"))
            .collect(),
        choice: choice(&body)?,
        parallel: body.get("parallel_tool_calls").and_then(Value::as_bool) != Some(false),
        format: format(&body),
        max_tokens: ["max_completion_tokens", "max_tokens"]
            .iter()
            .find_map(|name| body.get(name)?.as_u64()),
        stop: strings_of(&body, "stop"),
        reasoning: model.traits.reasoning && text_of(&body, "reasoning_effort") != "none",
        ..Question::default()
    };
    messages::read(
        items_of(&body, "messages"),
        model.traits.vision,
        &mut question,
    )?;
    fits_context(&question, &model)?;
    let options = body.get("stream_options").unwrap_or(&Value::Null);
    let flag = |name: &str| options.get(name).and_then(Value::as_bool);
    Ok(Completion {
        streamed: body.get("stream").and_then(Value::as_bool) == Some(true),
        include_usage: flag("include_usage") == Some(true),
        obfuscation: flag("include_obfuscation") != Some(false),
        question,
        style,
    })
}

fn choice(body: &Value) -> Result<Choice, Trouble> {
    let choice = match body.get("tool_choice") {
        Some(Value::String(word)) if word == "none" => Choice::None,
        Some(Value::String(word)) if word == "required" => Choice::Required,
        Some(named @ Value::Object(_)) => {
            let names = match named.get("allowed_tools") {
                Some(allowed) => items_of(allowed, "tools")
                    .iter()
                    .filter_map(|tool| tool.get("function"))
                    .collect(),
                None => vec![named.get("function").unwrap_or(&Value::Null)],
            };
            Choice::Named(
                names
                    .into_iter()
                    .map(|function| text_of(function, "name").to_owned())
                    .collect(),
            )
        }
        _ => Choice::Auto,
    };
    let declared = |name: &String| {
        let tools = items_of(body, "tools")
            .iter()
            .filter_map(|tool| tool.get("function"));
        tools
            .into_iter()
            .any(|function| text_of(function, "name") == name)
    };
    match &choice {
        Choice::Named(names) => match names.iter().find(|name| !declared(name)) {
            Some(name) => {
                let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
                Err(Trouble::invalid(message).param("tool_choice"))
            }
            None => Ok(choice),
        },
        _ => Ok(choice),
    }
}

fn format(body: &Value) -> Format {
    let format = body.get("response_format").unwrap_or(&Value::Null);
    match text_of(format, "type") {
        "json_object" => Format::Json,
        "json_schema" => {
            let schema = format
                .get("json_schema")
                .and_then(|schema| schema.get("schema"));
            Format::Schema(schema.cloned().unwrap_or(Value::Null))
        }
        _ => Format::Text,
    }
}

fn fits_context(question: &Question, model: &Model) -> Result<(), Trouble> {
    let counted: u64 = question.texts().map(crate::token::count).sum();
    let most = model.traits.context;
    if counted <= most {
        return Ok(());
    }
    let message = format!(
        "This model's maximum context length is {most} tokens. However, your messages resulted in {counted} tokens. Please reduce the length of the messages."
    );
    Err(Trouble::invalid(message)
        .param("messages")
        .code("context_length_exceeded"))
}
