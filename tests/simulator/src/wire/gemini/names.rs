//! Google's two spellings: requests may come in either, answers are in lowerCamelCase, and error messages
//! speak snake_case.

use serde_json::{Map, Value};

/// Members whose inside belongs to the caller: their names are not touched.
const FOREIGN: [&str; 8] = [
    "args",
    "response",
    "properties",
    "parametersJsonSchema",
    "responseJsonSchema",
    "labels",
    "default",
    "example",
];

/// A body with every member of the interface spelled in lowerCamelCase.
pub(super) fn camel_case(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let spelled = members.into_iter().map(|(name, value)| {
                let name = camel(&name);
                let value = if FOREIGN.contains(&name.as_str()) {
                    foreign(&name, value)
                } else {
                    camel_case(value)
                };
                (name, value)
            });
            Value::Object(spelled.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(camel_case).collect()),
        other => other,
    }
}

/// The schemas of properties are the interface's again; their names are not.
fn foreign(name: &str, value: Value) -> Value {
    match (name, value) {
        ("properties", Value::Object(members)) => {
            let spelled: Map<String, Value> = members
                .into_iter()
                .map(|(name, schema)| (name, camel_case(schema)))
                .collect();
            Value::Object(spelled)
        }
        (_, value) => value,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut spelled = words.next().unwrap_or_default().to_owned();
    if spelled.is_empty() {
        return name.to_owned();
    }
    for word in words {
        let mut chars = word.chars();
        spelled.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        spelled.push_str(chars.as_str());
    }
    spelled
}

/// A path as error messages spell it.
pub(super) fn snake_case(path: &str) -> String {
    let mut spelled = String::new();
    for char in path.chars() {
        if char.is_ascii_uppercase() {
            spelled.push('_');
        }
        spelled.push(char.to_ascii_lowercase());
    }
    spelled
}

/// A value whose members stand in alphabetical order, for comparing what came back with what was sent.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            let texts: Vec<String> = sorted
                .into_iter()
                .map(|(name, value)| format!("{name:?}:{}", canonical(value)))
                .collect();
            format!("{{{}}}", texts.join(","))
        }
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(canonical).collect::<Vec<_>>().join(",")
        ),
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_respelled_but_not_the_callers() {
        let body = json!({"system_instruction": {"parts": []}, "contents": [{"parts": [{"function_call": {"args": {"a_b": 1}}}]}]});
        let expected = json!({"systemInstruction": {"parts": []}, "contents": [{"parts": [{"functionCall": {"args": {"a_b": 1}}}]}]});
        assert_eq!(camel_case(body), expected);
        let schema = json!({"properties": {"my_name": {"min_items": 1}}});
        assert_eq!(
            camel_case(schema),
            json!({"properties": {"my_name": {"minItems": 1}}})
        );
        assert_eq!(
            snake_case("generationConfig.topP"),
            "generation_config.top_p"
        );
    }

    #[test]
    fn order_and_number_form_do_not_matter() {
        assert_eq!(
            canonical(&json!({"b": 1, "a": [1.0]})),
            canonical(&json!({"a": [1], "b": 1.0}))
        );
        assert_ne!(canonical(&json!({"a": 1})), canonical(&json!({"a": "1"})));
    }
}
