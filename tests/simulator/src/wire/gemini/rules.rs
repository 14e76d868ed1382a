//! Rules that a shape cannot express: fields that exclude each other or that a model refuses, and the
//! declarations of functions.

use std::collections::HashSet;

use serde_json::Value;

use crate::wire::{items_of, strings_of, text_of};

use super::models::Model;
use super::{Trouble, servers};

/// The most stop sequences.
const STOPS: usize = 5;

fn refuse(message: impl Into<String>) -> Result<(), Trouble> {
    Err(Trouble::invalid(message))
}

/// Every function declared, in order.
pub(super) fn declarations(body: &Value) -> Vec<&Value> {
    items_of(body, "tools")
        .iter()
        .flat_map(|tool| items_of(tool, "functionDeclarations"))
        .collect()
}

/// Everything about the body but its contents.
pub(super) fn check(body: &Value, model: &Model) -> Result<(), Trouble> {
    let name = &model.name;
    if let Some(system) = body
        .get("systemInstruction")
        .filter(|value| !value.is_null())
    {
        if !model.traits.system {
            return refuse(format!(
                "Developer instruction is not enabled for models/{name}"
            ));
        }
        if items_of(system, "parts").is_empty() {
            return refuse(
                "* GenerateContentRequest.system_instruction.parts: contents.parts must not be empty.",
            );
        }
    }
    if !declarations(body).is_empty() && !model.traits.tools {
        return refuse(format!("Function calling is not enabled for models/{name}"));
    }
    functions(body)?;
    calling(body)?;
    servers::check(body, model.traits.generation)?;
    let config = body.get("generationConfig").unwrap_or(&Value::Null);
    generation(config, model, !declarations(body).is_empty())?;
    thinking(config.get("thinkingConfig").unwrap_or(&Value::Null), model)
}

fn functions(body: &Value) -> Result<(), Trouble> {
    let mut names = HashSet::new();
    for (index, function) in declarations(body).into_iter().enumerate() {
        let place = format!("GenerateContentRequest.tools[0].function_declarations[{index}]");
        let name = text_of(function, "name");
        let first = |char: char| char.is_ascii_alphabetic() || char == '_';
        let later = |char: char| char.is_ascii_alphanumeric() || "_.:-".contains(char);
        if name.len() > 64 || !name.starts_with(first) || !name.chars().all(later) {
            return refuse(format!(
                "* {place}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:) or dashes (-), with a maximum length of 64."
            ));
        }
        if !names.insert(name) {
            return refuse(format!("Duplicate function declaration found: {name}"));
        }
        let given = |name: &str| function.get(name).filter(|value| !value.is_null());
        if given("parameters").is_some() && given("parametersJsonSchema").is_some() {
            return refuse(format!(
                "* {place}: only one of parameters and parameters_json_schema may be set."
            ));
        }
        if let Some(empty) =
            given("parameters").and_then(|schema| empty_object(schema, "parameters"))
        {
            return refuse(format!(
                "* {place}.{empty}.properties: should be non-empty for OBJECT type"
            ));
        }
    }
    Ok(())
}

/// Where an OpenAPI schema has an object without properties.
fn empty_object(schema: &Value, place: &str) -> Option<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_object = text_of(schema, "type").eq_ignore_ascii_case("object");
    if is_object && properties.is_none_or(serde_json::Map::is_empty) {
        return Some(place.to_owned());
    }
    let members = properties.into_iter().flatten();
    let inner = members.map(|(name, schema)| (format!("{place}.properties[{name}]"), schema));
    let items = schema
        .get("items")
        .map(|items| (format!("{place}.items"), items));
    inner
        .chain(items)
        .find_map(|(place, schema)| empty_object(schema, &place))
}

fn calling(body: &Value) -> Result<(), Trouble> {
    let config = body
        .get("toolConfig")
        .and_then(|config| config.get("functionCallingConfig"));
    let Some(config) = config else { return Ok(()) };
    let mode = text_of(config, "mode");
    let declared: Vec<&str> = declarations(body)
        .into_iter()
        .map(|function| text_of(function, "name"))
        .collect();
    if ["ANY", "VALIDATED"].contains(&mode) && declared.is_empty() {
        return refuse("Function calling config is set without function_declarations.");
    }
    let allowed = strings_of(config, "allowedFunctionNames");
    if !allowed.is_empty() && !["ANY", "VALIDATED"].contains(&mode) {
        return refuse(
            "Allowed function names should only be set when the function calling mode is ANY.",
        );
    }
    match allowed
        .iter()
        .find(|name| !declared.contains(&name.as_str()))
    {
        Some(name) => refuse(format!(
            "* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: {name} is not declared."
        )),
        None => Ok(()),
    }
}

fn generation(config: &Value, model: &Model, has_tools: bool) -> Result<(), Trouble> {
    let given = |name: &str| config.get(name).filter(|value| !value.is_null());
    if items_of(config, "stopSequences").len() > STOPS {
        return refuse(format!(
            "* GenerateContentRequest.generation_config.stop_sequences: must have at most {STOPS} elements."
        ));
    }
    let asked = given("maxOutputTokens").and_then(Value::as_u64);
    if let Some(asked) = asked.filter(|asked| *asked > model.traits.max_output) {
        let most = model.traits.max_output;
        return refuse(format!(
            "max_output_tokens must be in the range [1, {most}], but got {asked}"
        ));
    }
    let schemas = ["responseSchema", "responseJsonSchema"]
        .into_iter()
        .filter(|name| given(name).is_some())
        .count();
    let mime = text_of(config, "responseMimeType");
    if schemas > 1 {
        return refuse("Only one of response_schema and response_json_schema may be set.");
    }
    if schemas == 1 && ["", "text/plain"].contains(&mime) {
        return refuse(
            "* GenerateContentRequest.generation_config.response_mime_type: response_schema requires response_mime_type application/json",
        );
    }
    let is_json = mime == "application/json";
    if is_json && has_tools && model.traits.generation < 3 {
        return refuse(
            "Function calling with a response mime type: 'application/json' is unsupported",
        );
    }
    if is_json && model.traits.generation == 0 {
        return refuse(format!(
            "JSON mode is not enabled for models/{}",
            model.name
        ));
    }
    Ok(())
}

fn thinking(config: &Value, model: &Model) -> Result<(), Trouble> {
    let budget = config.get("thinkingBudget").and_then(Value::as_i64);
    let level = text_of(config, "thinkingLevel");
    let wants = budget.is_some_and(|budget| budget != 0) || !level.is_empty();
    let shows = config.get("includeThoughts").and_then(Value::as_bool) == Some(true);
    if (wants || shows) && !model.traits.thinks {
        return refuse(
            "Thinking is not enabled for this model. Unable to submit request because thinking is not supported by this model.",
        );
    }
    if budget.is_some() && !level.is_empty() {
        return refuse("You can only set only one of thinking budget and thinking level.");
    }
    if !level.is_empty() && model.traits.generation < 3 {
        return refuse("Thinking level is not supported for this model.");
    }
    if budget == Some(0) && !model.traits.can_rest {
        return refuse("Budget 0 is invalid. This model only works in thinking mode.");
    }
    Ok(())
}
