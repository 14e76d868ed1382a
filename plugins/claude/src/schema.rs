//! Schemas for answers and strict tools.
//!
//! The vendor enforces a schema only if every object in it is closed (`additionalProperties:
//! false`). Closing an object that its author left open is safe: whatever satisfies the closed
//! schema satisfies the open one.

use std::borrow::Cow;

use multillm_plugin_sdk::json::Json;

/// Closes the objects of a schema that say nothing about additional properties, wherever that
/// cannot make the schema unsatisfiable.
pub(crate) fn close(schema: &mut Json<'_>) {
    let has_properties = schema.get("properties").is_some();
    let may_close = has_properties && stands_alone(schema);
    let Json::Object(members) = schema else {
        return;
    };
    for (key, value) in members.iter_mut() {
        match (&**key, value) {
            ("properties" | "$defs" | "definitions", Json::Object(named)) => {
                named.iter_mut().for_each(|(_, schema)| close(schema));
            }
            ("items", items) => close(items),
            ("anyOf" | "oneOf", _) if has_properties => {}
            ("anyOf" | "oneOf" | "prefixItems", Json::List(list)) => {
                list.iter_mut().for_each(close);
            }
            _ => {}
        }
    }
    if may_close {
        members.push((Cow::Borrowed("additionalProperties"), Json::Bool(false)));
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
    use super::close;
    use multillm_plugin_sdk::json::Json;
    use serde_json::{Value, json};

    fn closed(schema: &Value) -> Value {
        let text = schema.to_string();
        let mut schema = Json::parse(&text).unwrap();
        close(&mut schema);
        serde_json::from_str(&schema.to_string()).unwrap()
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
