//! JSON Schema as the OpenAPI subset that `parameters` and `responseSchema` take.
//!
//! Only used where the setting `schema` asks for it. References are resolved; what
//! the subset has no word for and only restricts values (`additionalProperties`,
//! `exclusiveMinimum`, …) is left out. The subset:
//! <https://ai.google.dev/api/caching#Schema>.

use multillm_plugin_sdk::Error;
use multillm_plugin_sdk::body::merge;
use serde_json::{Map, Value, json};

/// How deep references are followed before a schema counts as recursive.
const MAX_DEPTH: usize = 40;

/// Fields that mean the same in both.
const SHARED: [&str; 17] = [
    "default",
    "description",
    "example",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "nullable",
    "pattern",
    "propertyOrdering",
    "required",
    "title",
    "enum",
];

/// Formats that the subset knows.
const FORMATS: [&str; 6] = ["date-time", "double", "enum", "float", "int32", "int64"];

/// Whether a tool's schema allows no argument: the vendor wants none then.
pub(crate) fn has_no_parameters(schema: &Value) -> bool {
    let Some(schema) = schema.as_object() else {
        return schema.is_null();
    };
    schema.iter().all(|(field, value)| match field.as_str() {
        "properties" | "required" | "$defs" | "definitions" => is_empty(value),
        "type" => value == "object",
        "additionalProperties" => *value == Value::Bool(false),
        "$schema" | "$id" | "title" | "description" | "strict" => true,
        _ => false,
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The schema in the OpenAPI subset.
///
/// # Errors
///
/// `unsupported` for what cannot be said in it: recursion, tuples, nothing at all.
pub(crate) fn to_openapi(schema: &Value) -> Result<Value, Error> {
    convert(schema, schema, 0).map(Value::Object)
}

fn unsupported(what: &str) -> Error {
    Error::unsupported(format!(
        "the OpenAPI subset has no {what}: use the setting schema=json"
    ))
}

fn convert(schema: &Value, root: &Value, depth: usize) -> Result<Map<String, Value>, Error> {
    if depth > MAX_DEPTH {
        return Err(unsupported("recursive schemas"));
    }
    let fields = match schema {
        Value::Bool(true) => return Ok(Map::new()),
        Value::Object(fields) => fields,
        _ => return Err(unsupported("schema that allows nothing")),
    };
    let nested = |schema: &Value| convert(schema, root, depth + 1);
    let mut out = Map::new();
    if let Some(Value::String(reference)) = fields.get("$ref") {
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer))
            .ok_or_else(|| Error::invalid_request(format!("schema without {reference}")))?;
        out = nested(target)?;
    }
    for part in list(fields, "allOf") {
        let mut merged = Value::Object(out);
        merge(&mut merged, Value::Object(nested(part)?));
        out = match merged {
            Value::Object(merged) => merged,
            _ => Map::new(),
        };
    }
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("type", value) => set_type(&mut out, value),
            ("const", value) => set(&mut out, "enum", json!([value])),
            ("format", Value::String(format)) if FORMATS.contains(&format.as_str()) => {
                set(&mut out, "format", value.clone());
            }
            ("properties", Value::Object(properties)) => {
                let mut converted = Map::new();
                for (property, schema) in properties {
                    converted.insert(property.clone(), Value::Object(nested(schema)?));
                }
                set(&mut out, "properties", Value::Object(converted));
            }
            ("items", Value::Array(_)) | ("prefixItems", _) => return Err(unsupported("tuples")),
            ("items", items) => set(&mut out, "items", Value::Object(nested(items)?)),
            (name, value) if SHARED.contains(&name) => set(&mut out, name, value.clone()),
            _ => {}
        }
    }
    for choice in ["anyOf", "oneOf"] {
        let (null, rest): (Vec<_>, Vec<_>) =
            list(fields, choice).partition(|schema| schema.get("type") == Some(&json!("null")));
        if !null.is_empty() {
            set(&mut out, "nullable", Value::Bool(true));
        }
        if let [only] = rest.as_slice() {
            for (name, value) in nested(only)? {
                out.entry(name).or_insert(value);
            }
        } else if !rest.is_empty() {
            let any = rest
                .into_iter()
                .map(|schema| nested(schema).map(Value::Object));
            set(&mut out, "anyOf", any.collect::<Result<Value, _>>()?);
        }
    }
    allow_null_apart(&mut out);
    Ok(out)
}

fn set(out: &mut Map<String, Value>, name: &str, value: Value) {
    out.insert(name.to_owned(), value);
}

fn list<'a>(fields: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Value> {
    fields
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// One type is a type; several are `anyOf`, and null among them is `nullable`.
fn set_type(out: &mut Map<String, Value>, value: &Value) {
    let Value::Array(types) = value else {
        return set(out, "type", value.clone());
    };
    let (null, rest): (Vec<_>, Vec<_>) = types.iter().partition(|name| **name == "null");
    if !null.is_empty() {
        set(out, "nullable", Value::Bool(true));
    }
    match rest.as_slice() {
        [] => {}
        [only] => set(out, "type", (*only).clone()),
        several => {
            let any = several.iter().map(|name| json!({ "type": name })).collect();
            set(out, "anyOf", any);
        }
    }
}

/// Null among the values of an `enum` is `nullable`.
fn allow_null_apart(out: &mut Map<String, Value>) {
    let Some(Value::Array(values)) = out.get_mut("enum") else {
        return;
    };
    let before = values.len();
    values.retain(|value| !value.is_null());
    if values.len() < before {
        set(out, "nullable", Value::Bool(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_choices_and_nulls_are_said_in_the_subset() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "required": ["who"],
            "properties": {
                "who": {"$ref": "#/$defs/Person", "description": "the one"},
                "size": {"anyOf": [{"type": "integer", "format": "int32"}, {"type": "null"}]},
                "unit": {"type": ["string", "null"], "enum": ["cm", "in", null], "format": "uri"},
                "kind": {"const": "a"},
                "both": {"allOf": [{"type": "string"}, {"maxLength": 3}]},
                "mixed": {"type": ["string", "number"]},
                "list": {"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "boolean"}]}},
            },
            "$defs": {"Person": {"type": "object", "properties": {"name": {"type": "string"}}}},
        });
        assert_eq!(
            to_openapi(&schema).unwrap(),
            json!({
                "type": "object",
                "required": ["who"],
                "properties": {
                    "who": {"type": "object", "description": "the one",
                            "properties": {"name": {"type": "string"}}},
                    "size": {"type": "integer", "format": "int32", "nullable": true},
                    "unit": {"type": "string", "nullable": true, "enum": ["cm", "in"]},
                    "kind": {"enum": ["a"]},
                    "both": {"type": "string", "maxLength": 3},
                    "mixed": {"anyOf": [{"type": "string"}, {"type": "number"}]},
                    "list": {"type": "array",
                             "items": {"anyOf": [{"type": "string"}, {"type": "boolean"}]}},
                },
            })
        );
    }

    #[test]
    fn what_cannot_be_said_is_unsupported() {
        let recursive = json!({"$defs": {"N": {"properties": {"n": {"$ref": "#/$defs/N"}}}},
                               "$ref": "#/$defs/N"});
        for schema in [
            recursive,
            json!({"type": "array", "prefixItems": [{"type": "string"}]}),
            json!({"properties": {"never": false}}),
        ] {
            let error = to_openapi(&schema).unwrap_err();
            assert!(error.message.contains("schema=json"), "{error:?}");
        }
        assert!(to_openapi(&json!({"$ref": "#/$defs/Gone"})).is_err());
    }

    #[test]
    fn a_tool_without_parameters_is_recognised() {
        assert!(has_no_parameters(
            &json!({"type": "object", "properties": {}})
        ));
        assert!(has_no_parameters(
            &json!({"type": "object", "additionalProperties": false})
        ));
        assert!(has_no_parameters(&json!({})));
        assert!(!has_no_parameters(
            &json!({"type": "object", "additionalProperties": true})
        ));
        assert!(!has_no_parameters(&json!({"$ref": "#/$defs/A"})));
        assert!(!has_no_parameters(
            &json!({"type": "object", "properties": {"a": {}}})
        ));
    }
}
