use serde_json::json;

use super::*;

fn right(schema: &Value, values: &[Value]) {
    for value in values {
        assert_eq!(fault(schema, value), None, "{value} by {schema}");
    }
}

fn wrong(schema: &Value, values: &[Value]) {
    for value in values {
        assert!(fault(schema, value).is_some(), "{value} by {schema}");
    }
}

#[test]
fn each_keyword_admits_and_excludes() {
    for (schema, admitted, excluded) in [
        (json!(true), json!([1, null]), json!([])),
        (json!(false), json!([]), json!([1, null])),
        (
            json!({ "type": "integer" }),
            json!([1, -7, 2.0, 1e3]),
            json!([1.5, "1", null, true]),
        ),
        (
            json!({ "type": ["string", "null"] }),
            json!(["", null]),
            json!([1, [], {}]),
        ),
        (
            json!({ "type": "STRING", "nullable": true }),
            json!(["", null]),
            json!([1]),
        ),
        (
            json!({ "enum": ["a", 1, { "x": [1] }] }),
            json!(["a", 1.0, { "x": [1.0] }]),
            json!(["b", { "x": [] }]),
        ),
        (json!({ "const": null }), json!([null]), json!([0])),
        (
            json!({ "minLength": 2, "maxLength": 3 }),
            json!(["你好", "abc", 1]),
            json!(["a", "abcd"]),
        ),
        (
            json!({ "minimum": 1, "exclusiveMaximum": 3 }),
            json!([1, 2.9]),
            json!([0.9, 3]),
        ),
        (
            json!({ "minimum": 1, "exclusiveMinimum": true }),
            json!([1.1]),
            json!([1]),
        ),
        (
            json!({ "multipleOf": 0.1 }),
            json!([0.3, 1, 1e9]),
            json!([0.35]),
        ),
        (
            json!({ "minItems": 1, "maxItems": 2, "uniqueItems": true }),
            json!([[1], [1, 2], "x"]),
            json!([[], [1, 1.0], [1, 2, 3]]),
        ),
        (
            json!({ "prefixItems": [{ "type": "string" }], "items": { "type": "integer" } }),
            json!([["a", 1], []]),
            json!([[1], ["a", "b"]]),
        ),
        (
            json!({ "items": [{ "type": "string" }], "additionalItems": false }),
            json!([["a"]]),
            json!([["a", 1], [1]]),
        ),
        (
            json!({ "contains": { "const": 1 }, "maxContains": 2 }),
            json!([[0, 1], [1, 1]]),
            json!([[], [1, 1, 1]]),
        ),
        (
            json!({ "required": ["a"], "properties": { "a": { "type": "null" } }, "additionalProperties": false }),
            json!([{ "a": null }]),
            json!([{}, { "a": 1 }, { "a": null, "b": 1 }]),
        ),
        (
            json!({ "additionalProperties": { "type": "integer" } }),
            json!([{ "x": 1 }]),
            json!([{ "x": "1" }]),
        ),
        (
            json!({ "minProperties": 1, "propertyNames": { "maxLength": 1 } }),
            json!([{ "a": 1 }]),
            json!([{}, { "ab": 1 }]),
        ),
        (
            json!({ "dependentRequired": { "a": ["b"] } }),
            json!([{}, { "a": 1, "b": 1 }]),
            json!([{ "a": 1 }]),
        ),
        (
            json!({ "dependencies": { "a": { "required": ["b"] } } }),
            json!([{ "b": 1 }]),
            json!([{ "a": 1 }]),
        ),
        (
            json!({ "allOf": [{ "minimum": 1 }, { "maximum": 2 }] }),
            json!([1]),
            json!([0, 3]),
        ),
        (
            json!({ "anyOf": [{ "type": "string" }, { "minimum": 5 }] }),
            json!(["a", 5]),
            json!([4]),
        ),
        (
            json!({ "oneOf": [{ "type": "integer" }, { "minimum": 5 }] }),
            json!([4, 5.5]),
            json!([5, 4.5]),
        ),
        (
            json!({ "not": { "type": "string" } }),
            json!([1]),
            json!(["a"]),
        ),
        (
            json!({ "if": { "minimum": 5 }, "then": { "multipleOf": 5 }, "else": { "multipleOf": 2 } }),
            json!([10, 4]),
            json!([6, 3]),
        ),
        (
            json!({ "$ref": "#/$defs/a%20b~1c", "$defs": { "a b/c": { "type": "string" } } }),
            json!(["x"]),
            json!([1]),
        ),
    ] {
        right(&schema, admitted.as_array().unwrap());
        wrong(&schema, excluded.as_array().unwrap());
    }
}

#[test]
fn a_schema_may_mean_itself() {
    let tree = json!({ "type": "object", "properties": { "left": { "$ref": "#" }, "n": { "type": "integer" } } });
    right(&tree, &[json!({ "n": 1, "left": { "n": 2, "left": {} } })]);
    let found = fault(&tree, &json!({ "left": { "left": { "n": "x" } } })).unwrap();
    assert_eq!(found.path, "/left/left/n");
    right(&json!({ "$ref": "#" }), &[json!(1)]);
    let twice = json!({ "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }, { "$ref": "#/$defs/a" }] } }, "$ref": "#/$defs/a" });
    right(&twice, &[json!(1)]);
}

#[test]
fn what_cannot_be_judged_is_left_open() {
    for schema in [
        json!({ "pattern": "^a$" }),
        json!({ "$ref": "https://example.org/schema.json" }),
        json!({ "$ref": "#/nowhere" }),
        json!({ "oneOf": [{ "pattern": "^a$" }, { "pattern": "^b$" }] }),
        json!({ "not": { "pattern": "^a$" } }),
        json!({ "if": { "pattern": "^a$" }, "then": false, "else": false }),
        json!({ "anyOf": [{ "const": 1 }, { "format": "date", "pattern": "x" }] }),
        json!({ "type": "no type" }),
        json!({ "minLength": "many", "enum": "no list" }),
        json!("no schema"),
    ] {
        right(&schema, &[json!("b")]);
    }
    let by_pattern = json!({ "patternProperties": { "^x": {} }, "additionalProperties": false });
    right(&by_pattern, &[json!({ "x1": 1 })]);
    // What is certain stays certain beside it.
    wrong(
        &json!({ "pattern": "^a$", "type": "integer" }),
        &[json!("b")],
    );
}

#[test]
fn a_fault_says_where_and_what() {
    let schema =
        json!({ "properties": { "a/b": { "items": { "type": "integer", "maximum": 9 } } } });
    let found = |value: Value| {
        let fault = fault(&schema, &value).unwrap();
        format!("{}: {}", fault.path, fault.reason)
    };
    assert_eq!(
        found(json!({ "a/b": [1, "two"] })),
        "/a~1b/1: \"two\" is not of type integer"
    );
    assert_eq!(
        found(json!({ "a/b": [10] })),
        "/a~1b/0: 10 is above maximum 9"
    );
    let long = found(json!({ "a/b": ["x".repeat(1000)] }));
    assert!(long.chars().count() < 120, "{long}");
}
