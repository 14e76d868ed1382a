//! JSON Schema as the OpenAPI subset that `parameters` and `responseSchema` take.
//!
//! Only used where the setting `schema` asks for it. References are resolved; what
//! the subset has no word for and only restricts values (`additionalProperties`,
//! `exclusiveMinimum`, …) is left out. The subset:
//! <https://ai.google.dev/api/caching#Schema>.

use std::borrow::Cow;

use multillm_plugin_sdk::Error;
use multillm_plugin_sdk::json::Json;

/// An object under construction.
type Fields<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

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
pub(crate) fn has_no_parameters(schema: &Json<'_>) -> bool {
    let Json::Object(fields) = schema else {
        return false;
    };
    fields.iter().all(|(field, value)| match &**field {
        "properties" | "required" | "$defs" | "definitions" => is_empty(value),
        "type" => value.str() == Some("object"),
        "additionalProperties" => *value == Json::Bool(false),
        "$schema" | "$id" | "title" | "description" | "strict" => true,
        _ => false,
    })
}

fn is_empty(value: &Json<'_>) -> bool {
    match value {
        Json::Null => true,
        Json::List(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The schema in the OpenAPI subset.
///
/// # Errors
///
/// `unsupported` for what cannot be said in it: recursion, tuples, nothing at all.
pub(crate) fn to_openapi<'a>(schema: &Json<'a>) -> Result<Json<'a>, Error> {
    convert(schema, schema, 0)
}

fn unsupported(what: &str) -> Error {
    Error::unsupported(format!(
        "the OpenAPI subset has no {what}: use the setting schema=json"
    ))
}

fn convert<'a>(schema: &Json<'a>, root: &Json<'a>, depth: usize) -> Result<Json<'a>, Error> {
    if depth > MAX_DEPTH {
        return Err(unsupported("recursive schemas"));
    }
    let fields = match schema {
        Json::Bool(true) => return Ok(Json::Object(vec![])),
        Json::Object(fields) => fields,
        _ => return Err(unsupported("schema that allows nothing")),
    };
    let nested = |schema: &Json<'a>| convert(schema, root, depth + 1);
    let mut base = Json::Object(vec![]);
    if let Some(reference) = schema.text("$ref") {
        let target = resolve(root, reference)
            .ok_or_else(|| Error::invalid_request(format!("schema without {reference}")))?;
        base = nested(target)?;
    }
    for part in list(schema, "allOf") {
        base.merge(nested(part)?);
    }
    let mut out = Fields::new();
    for (name, value) in fields {
        match (&**name, value) {
            ("type", value) => set_type(&mut out, value),
            ("const", value) => set(&mut out, "enum", Json::List(vec![value.clone()])),
            ("format", Json::Text(format)) => {
                if FORMATS.contains(&&**format) {
                    set(&mut out, "format", value.clone());
                }
            }
            ("properties", Json::Object(properties)) => {
                let mut converted = Fields::new();
                for (property, schema) in properties {
                    converted.push((property.clone(), nested(schema)?));
                }
                set(&mut out, "properties", Json::Object(converted));
            }
            ("items", Json::List(_)) | ("prefixItems", _) => return Err(unsupported("tuples")),
            ("items", items) => set(&mut out, "items", nested(items)?),
            (name, value) => {
                if let Some(shared) = SHARED.iter().find(|shared| **shared == name) {
                    set(&mut out, shared, value.clone());
                }
            }
        }
    }
    for choice in ["anyOf", "oneOf"] {
        let (null, rest): (Vec<_>, Vec<_>) =
            list(schema, choice).partition(|schema| schema.text("type") == Some("null"));
        if !null.is_empty() {
            set(&mut out, "nullable", true.into());
        }
        if let [only] = rest.as_slice() {
            base.merge(nested(only)?);
        } else if !rest.is_empty() {
            let mut any = Vec::new();
            for schema in rest {
                any.push(nested(schema)?);
            }
            set(&mut out, "anyOf", Json::List(any));
        }
    }
    allow_null_apart(&mut out);
    base.merge(Json::Object(out));
    Ok(base)
}

/// What a reference such as `#/$defs/Name` leads to.
fn resolve<'v, 'a>(root: &'v Json<'a>, reference: &str) -> Option<&'v Json<'a>> {
    let mut steps = reference.strip_prefix('#')?.split('/');
    steps.next()?;
    steps.try_fold(root, |place, step| {
        place.get(&step.replace("~1", "/").replace("~0", "~"))
    })
}

fn set<'a>(out: &mut Fields<'a>, name: &'static str, value: Json<'a>) {
    out.retain(|(field, _)| field != name);
    out.push((name.into(), value));
}

fn list<'v, 'a>(schema: &'v Json<'a>, name: &str) -> std::slice::Iter<'v, Json<'a>> {
    schema.get(name).map_or(&[][..], Json::list).iter()
}

/// One type is a type; several are `anyOf`, and null among them is `nullable`.
fn set_type<'a>(out: &mut Fields<'a>, value: &Json<'a>) {
    let Json::List(types) = value else {
        return set(out, "type", value.clone());
    };
    let (null, rest): (Vec<_>, Vec<_>) = types.iter().partition(|name| name.str() == Some("null"));
    if !null.is_empty() {
        set(out, "nullable", true.into());
    }
    match rest.as_slice() {
        [] => {}
        [only] => set(out, "type", (*only).clone()),
        several => {
            let any = several
                .iter()
                .map(|name| Json::object([("type", (*name).clone())]));
            set(out, "anyOf", Json::List(any.collect()));
        }
    }
}

/// Null among the values of an `enum` is `nullable`.
fn allow_null_apart(out: &mut Fields<'_>) {
    let values = out.iter_mut().find(|(field, _)| field == "enum");
    let Some((_, Json::List(values))) = values else {
        return;
    };
    let before = values.len();
    values.retain(|value| *value != Json::Null);
    if values.len() < before {
        set(out, "nullable", true.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn converted(schema: &Value) -> Result<Value, Error> {
        let text = schema.to_string();
        let converted = to_openapi(&Json::parse(&text).unwrap())?;
        Ok(serde_json::to_value(converted).unwrap())
    }

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
            converted(&schema).unwrap(),
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
            let error = converted(&schema).unwrap_err();
            assert!(error.message.contains("schema=json"), "{error:?}");
        }
        assert!(converted(&json!({"$ref": "#/$defs/Gone"})).is_err());
    }

    #[test]
    fn a_tool_without_parameters_is_recognised() {
        let none = |schema: &str| has_no_parameters(&Json::parse(schema).unwrap());
        assert!(none(r#"{"type":"object","properties":{}}"#));
        assert!(none(r#"{"type":"object","additionalProperties":false}"#));
        assert!(none("{}"));
        assert!(!none(r#"{"type":"object","additionalProperties":true}"#));
        assert!(!none(r##"{"$ref":"#/$defs/A"}"##));
        assert!(!none(r#"{"type":"object","properties":{"a":{}}}"#));
    }
}
