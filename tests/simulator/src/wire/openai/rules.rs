//! Rules of the family that a shape cannot express: fields that exclude each other, fields that a model
//! refuses, strict schemas.

use serde_json::Value;

use crate::schema;
use crate::wire::{items_of, text_of};

use super::models::Model;
use super::trouble::Trouble;

/// The most stop sequences.
const STOPS: usize = 4;
/// The most tools.
const TOOLS: usize = 128;

/// Rules that hold for every model of api.openai.com and Azure.
pub(super) fn fields(body: &Value) -> Result<(), Trouble> {
    let given = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    let streams = body.get("stream").and_then(Value::as_bool) == Some(true);
    if given("stream_options") && !streams {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Trouble::invalid(message).param("stream_options"));
    }
    if given("max_tokens") && given("max_completion_tokens") {
        let message =
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(Trouble::invalid(message).code("invalid_parameter_combination"));
    }
    if given("tools") && items_of(body, "tools").is_empty() {
        return Err(empty_array("tools"));
    }
    for name in ["tool_choice", "parallel_tool_calls"] {
        if given(name) && !given("tools") {
            return Err(Trouble::invalid(format!(
                "'{name}' is only allowed when 'tools' are specified."
            ))
            .param(name));
        }
    }
    if items_of(body, "messages").is_empty() {
        return Err(empty_array("messages"));
    }
    for (name, limit) in [("stop", STOPS), ("tools", TOOLS)] {
        let count = items_of(body, name).len();
        if count > limit {
            let message = format!(
                "Invalid '{name}': array too long. Expected an array with maximum length {limit}, but got an array with length {count} instead."
            );
            return Err(Trouble::invalid(message)
                .param(name)
                .code("array_above_max_length"));
        }
    }
    json_is_mentioned(body)
}

fn empty_array(name: &str) -> Trouble {
    let message = format!(
        "Invalid '{name}': empty array. Expected an array with minimum length 1, but got an empty array instead."
    );
    Trouble::invalid(message).param(name).code("empty_array")
}

/// JSON mode without the word "json" would run away, so it is refused.
fn json_is_mentioned(body: &Value) -> Result<(), Trouble> {
    let mode = body
        .get("response_format")
        .map(|format| text_of(format, "type"));
    let contents = items_of(body, "messages")
        .iter()
        .filter_map(|message| message.get("content"));
    let mut texts = contents.map(Value::to_string);
    if mode == Some("json_object") && !texts.any(|text| text.to_lowercase().contains("json")) {
        let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
        return Err(Trouble::invalid(message).param("messages"));
    }
    Ok(())
}

/// Fields that this model refuses.
pub(super) fn model(body: &Value, model: &Model, name: &str) -> Result<(), Trouble> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    let unsupported = |field: &str, hint: &str| {
        let message =
            format!("Unsupported parameter: '{field}' is not supported with this model.{hint}");
        Trouble::invalid(message)
            .param(field)
            .code("unsupported_parameter")
    };
    if model.traits.reasoning {
        if given("max_tokens").is_some() {
            return Err(unsupported(
                "max_tokens",
                " Use 'max_completion_tokens' instead.",
            ));
        }
        if let Some(value) = given("temperature").filter(|value| value.as_f64() != Some(1.0)) {
            let message = format!(
                "Unsupported value: 'temperature' does not support {value} with this model. Only the default (1) value is supported."
            );
            return Err(Trouble::invalid(message)
                .param("temperature")
                .code("unsupported_value"));
        }
        let refused = [
            "top_p",
            "presence_penalty",
            "frequency_penalty",
            "logprobs",
            "top_logprobs",
            "logit_bias",
            "stop",
        ];
        if let Some(field) = refused.into_iter().find(|field| given(field).is_some()) {
            return Err(unsupported(field, ""));
        }
        if name.starts_with('o') && given("parallel_tool_calls").is_some() {
            return Err(unsupported("parallel_tool_calls", ""));
        }
        if let Some(effort) = given("reasoning_effort").and_then(Value::as_str)
            && !model.traits.efforts.contains(&effort)
        {
            let allowed: Vec<String> = model
                .traits
                .efforts
                .iter()
                .map(|effort| format!("'{effort}'"))
                .collect();
            let message = format!(
                "Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. Supported values are: {}.",
                allowed.join(", ")
            );
            return Err(Trouble::invalid(message)
                .param("reasoning_effort")
                .code("unsupported_value"));
        }
    } else if given("reasoning_effort").is_some() {
        return Err(Trouble::invalid(
            "Unrecognized request argument supplied: reasoning_effort",
        ));
    }
    let asked = given("max_tokens")
        .or_else(|| given("max_completion_tokens"))
        .and_then(Value::as_u64);
    if let Some(asked) = asked.filter(|asked| *asked > model.traits.max_output) {
        let most = model.traits.max_output;
        let message = format!(
            "max_tokens is too large: {asked}. This model supports at most {most} completion tokens, whereas you provided {asked}."
        );
        return Err(Trouble::invalid(message)
            .param("max_tokens")
            .code("invalid_value"));
    }
    let format = body
        .get("response_format")
        .map(|format| text_of(format, "type"));
    if format == Some("json_schema") && !model.traits.schemas {
        let message = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.";
        return Err(Trouble::invalid(message).param("response_format"));
    }
    Ok(())
}

/// Names and schemas of tools and of the response format.
pub(super) fn schemas(body: &Value) -> Result<(), Trouble> {
    for (index, tool) in items_of(body, "tools").iter().enumerate() {
        let Some(function) = tool.get("function") else {
            continue;
        };
        let name = text_of(function, "name");
        check_name(name, &format!("tools[{index}].function.name"))?;
        let Some(parameters) = function.get("parameters").filter(|value| !value.is_null()) else {
            continue;
        };
        let strict = function.get("strict").and_then(Value::as_bool) == Some(true);
        let flaw = if strict {
            schema::strict_flaw(parameters)
        } else {
            plain_flaw(parameters)
        };
        if let Some(flaw) = flaw {
            let message = format!("Invalid schema for function '{name}': {flaw}");
            let param = format!("tools[{index}].function.parameters");
            return Err(Trouble::invalid(message)
                .param(param)
                .code("invalid_function_parameters"));
        }
    }
    let Some(format) = body
        .get("response_format")
        .and_then(|format| format.get("json_schema"))
    else {
        return Ok(());
    };
    let name = text_of(format, "name");
    check_name(name, "response_format.json_schema.name")?;
    let Some(schema) = format.get("schema").filter(|value| !value.is_null()) else {
        let param = "response_format.json_schema.schema";
        return Err(
            Trouble::invalid(format!("Missing required parameter: '{param}'."))
                .param(param)
                .code("missing_required_parameter"),
        );
    };
    let strict = format.get("strict").and_then(Value::as_bool) == Some(true);
    match if strict {
        schema::strict_flaw(schema)
    } else {
        plain_flaw(schema)
    } {
        Some(flaw) => Err(Trouble::invalid(format!(
            "Invalid schema for response_format '{name}': {flaw}"
        ))
        .param("response_format")),
        None => Ok(()),
    }
}

/// Without `strict` only the outermost type is looked at.
fn plain_flaw(schema: &Value) -> Option<String> {
    let is_object = schema
        .as_object()
        .is_some_and(|object| object.is_empty() || text_of(schema, "type") == "object");
    let found = || {
        schema
            .get("type")
            .map_or_else(|| "\"None\"".to_owned(), Value::to_string)
    };
    (!is_object).then(|| {
        format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: {}'.",
            found()
        )
    })
}

fn check_name(name: &str, param: &str) -> Result<(), Trouble> {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
    if (1..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    let message = format!(
        "Invalid '{param}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
    );
    Err(Trouble::invalid(message).param(param).code("invalid_value"))
}
