//! One value against one schema: its type, its choices, its range.

use serde_json::Value as Json;

use crate::config::diagnose::{advice, quoted};
use crate::config::document::{Node, Value};
use crate::config::price::Amount;

/// Is the value of a type that the schema takes. Whole numbers are told apart later.
pub(super) fn type_fits(node: &Node, schema: &Json) -> bool {
    let found = match &node.value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::Text(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types = types(schema);
    types.is_empty()
        || types
            .iter()
            .any(|wanted| *wanted == found || (*wanted == "integer" && found == "number"))
}

fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(many)) => many.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `expected …, found …`, with the fix where it is plain.
pub(super) fn wrong_type(node: &Node, branches: &[&Json]) -> String {
    let mut wanted: Vec<&str> = Vec::new();
    for name in branches.iter().flat_map(|branch| types(branch)) {
        if name != "null" && !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    let names: Vec<&str> = wanted.iter().map(|name| in_words(name)).collect();
    let fix = match (&node.value, wanted.as_slice()) {
        (Value::Text(text), ["number" | "integer"]) if is_number(text) => ": remove the quotes",
        (Value::Text(text), ["boolean"]) if text == "true" || text == "false" => {
            ": remove the quotes"
        }
        (Value::Number(_) | Value::Bool(_), ["string"]) => ": put it in quotes",
        (Value::Text(_), ["array"]) => ": put it in brackets",
        _ => "",
    };
    let found = match &node.value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::Text(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    format!("expected {}, found {found}{fix}", names.join(" or "))
}

fn in_words(type_name: &str) -> &str {
    match type_name {
        "boolean" => "true or false",
        "number" => "a number",
        "integer" => "a whole number",
        "string" => "a string",
        "array" => "an array",
        "object" => "an object",
        other => other,
    }
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok()
}

/// What is wrong with a value whose type fits all these schemas.
pub(super) fn fault(node: &Node, schemas: &[&Json]) -> Option<String> {
    match &node.value {
        Value::Text(text) => unknown_choice(text, schemas),
        Value::Number(number) => schemas
            .first()
            .and_then(|schema| out_of_range(number, schema)),
        _ => None,
    }
}

fn unknown_choice(text: &str, schemas: &[&Json]) -> Option<String> {
    let mut choices = Vec::new();
    for schema in schemas {
        match (schema.get("const"), schema.get("enum")) {
            (Some(choice), _) => choices.extend(choice.as_str()),
            (_, Some(Json::Array(list))) => choices.extend(list.iter().filter_map(Json::as_str)),
            _ => return None,
        }
    }
    if choices.contains(&text) {
        return None;
    }
    let advice = advice(text, choices.iter().copied(), "");
    Some(format!("no such choice {}: {advice}", quoted(text)))
}

fn out_of_range(number: &str, schema: &Json) -> Option<String> {
    let whole = types(schema).contains(&"integer");
    if whole && number.parse::<i128>().is_err() {
        return Some(format!("expected a whole number, found {number}"));
    }
    let format = schema.get("format").and_then(Json::as_str);
    let least = schema.get("minimum").and_then(Json::as_f64);
    let most = schema.get("maximum").and_then(Json::as_f64);
    let value: f64 = number.parse().ok()?;
    match (least, most) {
        (Some(least), Some(most)) if value < least || value > most => {
            return Some(format!("must be from {least} to {most}"));
        }
        (Some(least), None) if value < least => {
            return Some(format!("must be at least {least}"));
        }
        (None, Some(most)) if value > most => return Some(format!("must be at most {most}")),
        _ => {}
    }
    let fits = match format {
        Some("decimal") => return Amount::parse(number).err(),
        Some("uint32") => number.parse::<u32>().is_ok(),
        Some("uint64") => number.parse::<u64>().is_ok(),
        Some("int64") => number.parse::<i64>().is_ok(),
        _ => true,
    };
    (!fits).then(|| format!("{number} is too large or too small: write a sensible number"))
}
