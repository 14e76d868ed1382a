//! Rules that a shape cannot express: what a version or a model refuses, fields that exclude each other,
//! and the limits of schemas.

use std::collections::HashSet;

use serde_json::Value;

use crate::wire::{items_of, text_of};

use super::models::Model;
use super::{Trouble, WITHOUT_SAMPLING, servers};

/// Keywords that structured output does not know.
/// <https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs>
const UNSUPPORTED: [&str; 8] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
];

fn refuse(message: impl Into<String>) -> Result<(), Trouble> {
    Err(Trouble::invalid(message))
}

/// Everything about the body but its messages.
pub(super) fn check(body: &Value, version: &str, model: &Model) -> Result<(), Trouble> {
    sampling(body, version, model)?;
    let max_tokens = body
        .get("max_tokens")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    if max_tokens > model.max_output {
        let (most, name) = (model.max_output, &model.answers_as);
        return refuse(format!(
            "max_tokens: {max_tokens} > {most}, which is the maximum allowed number of output tokens for {name}"
        ));
    }
    if items_of(body, "stop_sequences")
        .iter()
        .any(|stop| stop.as_str().is_some_and(|text| text.trim().is_empty()))
    {
        return refuse("stop_sequences: each stop sequence must contain non-whitespace");
    }
    let blocks = items_of(body, "system").iter();
    if blocks
        .into_iter()
        .any(|block| text_of(block, "text").is_empty())
    {
        return refuse("system: text content blocks must be non-empty");
    }
    person(text_of(
        body.get("metadata").unwrap_or(&Value::Null),
        "user_id",
    ))?;
    thinking(body, max_tokens, model)?;
    output(body, model)?;
    tools(body)
}

/// Who asks is named by what tells nobody who that is.
fn person(user: &str) -> Result<(), Trouble> {
    if user.chars().count() > 256 {
        return refuse("metadata.user_id: String should have at most 256 characters");
    }
    let (name, domain) = user.split_once('@').unwrap_or_default();
    if !name.is_empty() && domain.contains('.') {
        return refuse("metadata.user_id: user_id appears to contain an email address");
    }
    let digits = user.strip_prefix('+').unwrap_or(user);
    let of_number = |letter: char| letter.is_ascii_digit() || " ()-".contains(letter);
    if digits.chars().count() >= 7 && digits.chars().all(of_number) {
        return refuse("metadata.user_id: user_id appears to contain a phone number");
    }
    Ok(())
}

fn given<'v>(body: &'v Value, name: &str) -> Option<&'v Value> {
    body.get(name).filter(|value| !value.is_null())
}

fn sampling(body: &Value, version: &str, model: &Model) -> Result<(), Trouble> {
    let sent: Vec<&str> = ["temperature", "top_p", "top_k"]
        .into_iter()
        .filter(|name| given(body, name).is_some())
        .collect();
    if let (Some(name), true) = (sent.first(), version >= WITHOUT_SAMPLING) {
        return refuse(format!("{name}: Extra inputs are not permitted"));
    }
    let is_default =
        |name: &&str| given(body, name).and_then(Value::as_f64) == Some(1.0) && *name != "top_k";
    if let (Some(name), true) = (
        sent.iter().find(|name| !is_default(name)),
        model.version >= (4, 7),
    ) {
        return refuse(format!("`{name}` is deprecated for this model."));
    }
    if model.version >= (4, 1) && sent.starts_with(&["temperature", "top_p"]) {
        return refuse(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        );
    }
    Ok(())
}

fn thinking(body: &Value, max_tokens: u64, model: &Model) -> Result<(), Trouble> {
    let thinking = body.get("thinking").unwrap_or(&Value::Null);
    let kind = text_of(thinking, "type");
    if kind.is_empty() || kind == "disabled" {
        return Ok(());
    }
    if !model.thinks() {
        return refuse(format!("'{}' does not support thinking.", model.answers_as));
    }
    if kind == "enabled" && model.version >= (4, 7) {
        return refuse(
            "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.",
        );
    }
    if kind != "enabled" && model.version < (4, 6) {
        return refuse(format!("{kind} thinking is not supported on this model"));
    }
    let budget = thinking
        .get("budget_tokens")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    if kind == "enabled" && max_tokens <= budget {
        return refuse(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
        );
    }
    let choice = body
        .get("tool_choice")
        .map(|choice| text_of(choice, "type"))
        .unwrap_or_default();
    if ["any", "tool"].contains(&choice) {
        return refuse("Thinking may not be enabled when tool_choice forces tool use.");
    }
    if given(body, "temperature").is_some_and(|value| value.as_f64() != Some(1.0)) {
        return refuse(
            "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.",
        );
    }
    if given(body, "top_p").is_some_and(|value| value.as_f64().is_some_and(|top_p| top_p < 0.95)) {
        return refuse(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
        );
    }
    match given(body, "top_k") {
        Some(_) => refuse("`top_k` must be unset when thinking is enabled."),
        None => Ok(()),
    }
}

fn output(body: &Value, model: &Model) -> Result<(), Trouble> {
    let config = body.get("output_config").unwrap_or(&Value::Null);
    let effort = text_of(config, "effort");
    if !effort.is_empty() && !model.efforts().contains(&effort) {
        if model.efforts().is_empty() {
            return refuse("This model does not support the effort parameter.");
        }
        return refuse(format!(
            "This model does not support effort level '{effort}'. Supported levels: {}.",
            model.efforts().join(", ")
        ));
    }
    let Some(format) = given(config, "format") else {
        return Ok(());
    };
    if model.version < (4, 1) {
        return refuse(format!(
            "'{}' does not support output format.",
            model.answers_as
        ));
    }
    let schema = format.get("schema").unwrap_or(&Value::Null);
    match schema_flaw(schema) {
        Some(flaw) => refuse(format!("output_config.format.schema: {flaw}")),
        None => Ok(()),
    }
}

/// What structured output and strict tools refuse in a schema.
fn schema_flaw(schema: &Value) -> Option<String> {
    let object = schema.as_object()?;
    let kind = text_of(schema, "type");
    if kind == "object" && object.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Some(
            "For 'object' type, 'additionalProperties' must be explicitly set to false".to_owned(),
        );
    }
    let unsupported: Vec<&str> = UNSUPPORTED
        .into_iter()
        .filter(|name| object.contains_key(*name))
        .collect();
    if !unsupported.is_empty() {
        return Some(format!(
            "For '{kind}' type, properties {} are not supported",
            unsupported.join(", ")
        ));
    }
    let named = ["properties", "$defs", "definitions"]
        .into_iter()
        .filter_map(|key| object.get(key)?.as_object());
    let listed = ["anyOf", "allOf"]
        .into_iter()
        .filter_map(|key| object.get(key)?.as_array());
    let inner = named
        .flat_map(|members| members.values())
        .chain(listed.flatten())
        .chain(object.get("items"));
    inner.into_iter().find_map(schema_flaw)
}

fn tools(body: &Value) -> Result<(), Trouble> {
    let tools = items_of(body, "tools");
    let mut names = HashSet::new();
    for (index, tool) in tools.iter().enumerate() {
        if servers::is_own(tool) {
            names.insert(text_of(tool, "name"));
            continue;
        }
        let name = text_of(tool, "name");
        let allowed = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
        if !(1..=128).contains(&name.len()) || !name.chars().all(allowed) {
            return refuse(format!(
                "tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
            ));
        }
        if !names.insert(name) {
            return refuse("tools: Tool names must be unique.");
        }
        let schema = tool.get("input_schema").unwrap_or(&Value::Null);
        match schema.get("type").map(Value::as_str) {
            None => {
                return refuse(format!(
                    "tools.{index}.custom.input_schema.type: Field required"
                ));
            }
            Some(Some("object")) => {}
            Some(_) => {
                return refuse(format!(
                    "tools.{index}.custom.input_schema.type: Input should be 'object'"
                ));
            }
        }
        let strict = tool.get("strict").and_then(Value::as_bool) == Some(true);
        if let (true, Some(flaw)) = (strict, schema_flaw(schema)) {
            return refuse(format!("tools.{index}.custom: {flaw}"));
        }
    }
    let Some(choice) = given(body, "tool_choice") else {
        return Ok(());
    };
    if tools.is_empty() {
        return refuse("tool_choice may only be specified while providing tools.");
    }
    let wanted = text_of(choice, "name");
    if text_of(choice, "type") == "tool" && !names.contains(wanted) {
        return refuse(format!("Tool '{wanted}' not found in provided tools"));
    }
    Ok(())
}
