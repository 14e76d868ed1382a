//! Schemas for answers and strict tools.
//!
//! The vendor enforces a schema only if every object in it is closed (`additionalProperties:
//! false`), and it refuses the keywords that it cannot enforce
//! (platform.claude.com, "Structured outputs", JSON Schema limitations).

use std::borrow::Cow;

use multillm_plugin_sdk::json::Json;

/// Keywords that the vendor refuses, whatever their value.
const UNENFORCED: [&str; 11] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// The values of `format` that the vendor enforces.
const FORMATS: [&str; 10] = [
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
];

/// Closes the objects of a schema that say nothing about additional properties, wherever that
/// cannot make the schema unsatisfiable. Whatever satisfies a closed schema satisfies the open one.
pub(crate) fn close(schema: &mut Json<'_>) {
    let has_properties = schema.get("properties").is_some();
    let may_close = has_properties && stands_alone(schema);
    each_inner(schema, &mut |key, inner| match key {
        "allOf" => {}
        "anyOf" | "oneOf" if has_properties => {}
        _ => close(inner),
    });
    if let (Json::Object(members), true) = (schema, may_close) {
        members.push((Cow::Borrowed("additionalProperties"), Json::Bool(false)));
    }
}

/// Says in the descriptions what the vendor refuses to enforce, as its own clients do: the model
/// is told, but not made to obey. `oneOf` becomes `anyOf`.
pub(crate) fn relax(schema: &mut Json<'_>) {
    each_inner(schema, &mut |_, inner| relax(inner));
    let Json::Object(members) = schema else {
        return;
    };
    let mut said: Vec<String> = Vec::new();
    members.retain(|(key, value)| {
        let enforced = is_enforced(key, value);
        if !enforced {
            said.push(format!("{key}: {value}"));
        }
        enforced
    });
    for (key, _) in members.iter_mut() {
        if key == "oneOf" {
            *key = Cow::Borrowed("anyOf");
        }
    }
    if said.is_empty() {
        return;
    }
    let said = format!("({})", said.join(", "));
    match members.iter_mut().find(|(key, _)| key == "description") {
        Some((_, Json::Text(text))) => *text = Cow::Owned(format!("{text} {said}")),
        Some(_) => {}
        None => members.push((Cow::Borrowed("description"), said.into())),
    }
}

fn is_enforced(key: &str, value: &Json<'_>) -> bool {
    match key {
        "minItems" => value.count().is_some_and(|count| count <= 1),
        "format" => value.str().is_some_and(|format| FORMATS.contains(&format)),
        _ => !UNENFORCED.contains(&key),
    }
}

/// The schemas right inside a schema, each with the keyword that it stands under.
fn each_inner<'a>(schema: &mut Json<'a>, visit: &mut dyn FnMut(&str, &mut Json<'a>)) {
    let Json::Object(members) = schema else {
        return;
    };
    for (key, value) in members {
        match (&**key, value) {
            ("properties" | "$defs" | "definitions", Json::Object(named)) => {
                named.iter_mut().for_each(|(_, inner)| visit(key, inner));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Json::List(list)) => {
                list.iter_mut().for_each(|inner| visit(key, inner));
            }
            ("items", items) => visit(key, items),
            _ => {}
        }
    }
}

/// Shares its level with no other schema, and says nothing about additional properties.
fn stands_alone(schema: &Json<'_>) -> bool {
    const COMPANY: [&str; 6] = [
        "additionalProperties",
        "unevaluatedProperties",
        "patternProperties",
        "allOf",
        "anyOf",
        "oneOf",
    ];
    !COMPANY.iter().any(|key| schema.get(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::{close, relax};
    use multillm_plugin_sdk::json::Json;
    use serde_json::{Value, json};

    fn changed(schema: &Value, change: fn(&mut Json<'_>)) -> Value {
        let text = schema.to_string();
        let mut schema = Json::parse(&text).unwrap();
        change(&mut schema);
        serde_json::from_str(&schema.to_string()).unwrap()
    }

    fn closed(schema: &Value) -> Value {
        changed(schema, close)
    }

    #[test]
    fn what_is_not_enforced_is_said() {
        let bounded = json!({"type": "object", "properties": {
            "minimum": {"type": "integer", "minimum": 1, "description": "a rating"},
            "tags": {"type": "array", "maxItems": 4, "minItems": 2,
                     "items": {"type": "string", "maxLength": 8}},
            "some": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "date"}},
            "either": {"oneOf": [{"type": "string", "format": "iban"}, {"type": "null"}]}}});
        let expected = json!({"type": "object", "properties": {
            "minimum": {"type": "integer", "description": "a rating (minimum: 1)"},
            "tags": {"type": "array", "description": "(maxItems: 4, minItems: 2)",
                     "items": {"type": "string", "description": "(maxLength: 8)"}},
            "some": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "date"}},
            "either": {"anyOf": [{"type": "string", "description": "(format: \"iban\")"}, {"type": "null"}]}}});
        assert_eq!(changed(&bounded, relax), expected);
    }

    #[test]
    fn objects_are_closed_at_every_depth() {
        let open = json!({"type": "object",
            "properties": {
                "z": {"type": "array", "items": {"type": "object", "properties": {}}},
                "a": {"anyOf": [{"type": "object", "properties": {"n": {}}}, {"type": "null"}]},
            },
            "$defs": {"d": {"properties": {"additionalProperties": {"type": "string"}}}},
        });
        let expected = json!({"type": "object",
            "properties": {
                "z": {"type": "array",
                      "items": {"type": "object", "properties": {}, "additionalProperties": false}},
                "a": {"anyOf": [
                    {"type": "object", "properties": {"n": {}}, "additionalProperties": false},
                    {"type": "null"}]},
            },
            "$defs": {"d": {"properties": {"additionalProperties": {"type": "string"}},
                            "additionalProperties": false}},
            "additionalProperties": false,
        });
        assert_eq!(closed(&open), expected);
    }

    #[test]
    fn what_the_author_decided_stays() {
        for schema in [
            json!({"type": "object", "properties": {}, "additionalProperties": true}),
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            json!({"type": "object"}),
            json!({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}),
            json!({"properties": {"a": {}}, "anyOf": [{"properties": {"b": {}}}]}),
            json!(true),
        ] {
            assert_eq!(closed(&schema), schema);
        }
    }
}
