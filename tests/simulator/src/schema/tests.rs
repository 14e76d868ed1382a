use super::*;

fn plain(schema: &Value) -> Value {
    sample(schema, &BTreeMap::new(), 0)
}

#[test]
fn samples_satisfy_their_bounds() {
    assert_eq!(
        plain(&json!({"type": "integer", "minimum": 5, "multipleOf": 4})),
        json!(8)
    );
    assert_eq!(
        plain(&json!({"type": "string", "minLength": 3})),
        json!("xxx")
    );
    assert_eq!(plain(&json!({"type": ["null", "boolean"]})), json!(true));
    assert_eq!(
        plain(&json!({"type": "array", "minItems": 2, "items": {"type": "integer"}})),
        json!([1, 2])
    );
    assert_eq!(plain(&json!({"enum": ["b", "a"]})), json!("b"));
    let optional = json!({"type": "OBJECT", "properties": {"a": {"type": "STRING"}, "b": {}}, "required": ["a"]});
    assert_eq!(plain(&optional), json!({"a": "x"}));
}

#[test]
fn references_are_followed_and_recursion_ends() {
    let tree = json!({
        "$ref": "#/$defs/node",
        "$defs": {"node": {
            "type": "object",
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
            "required": ["next"],
        }},
    });
    assert!(plain(&tree).get("next").is_some());
}

#[test]
fn hints_fill_properties() {
    let hints = BTreeMap::from([
        ("city".to_owned(), "Paris".to_owned()),
        ("days".to_owned(), "3".to_owned()),
    ]);
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}});
    assert_eq!(
        sample(&schema, &hints, 0),
        json!({"city": "Paris", "days": 3})
    );
}

#[test]
fn strict_rules_name_the_place() {
    let good = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    assert_eq!(strict_flaw(&good), None);
    let inner = json!({"type": "object", "properties": {"a": {"type": "object", "properties": {}}}, "required": ["a"], "additionalProperties": false});
    assert!(
        strict_flaw(&inner)
            .unwrap()
            .starts_with("In context=('properties', 'a')")
    );
    assert!(
        strict_flaw(
            &json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false})
        )
        .unwrap()
        .contains("'a'")
    );
    assert!(strict_flaw(&json!({})).unwrap().contains("None"));
}
