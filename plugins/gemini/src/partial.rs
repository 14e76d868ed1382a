//! A tool call whose arguments come in pieces, each with a path into them.
//!
//! Vertex AI sends these when the request sets `streamFunctionCallArguments`: first a
//! name, then `partialArgs`, then an empty call as the end.

use multillm_plugin_sdk::Error;
use serde_json::{Map, Value};

/// The longest path and the highest array index that are followed.
const MAX_STEPS: usize = 100;
const MAX_INDEX: usize = 65_535;

/// A call that is not complete yet.
#[derive(Default)]
pub(crate) struct PendingCall {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) signature: Option<String>,
    arguments: Value,
}

impl PendingCall {
    /// A call of this tool without arguments yet.
    pub(crate) fn new(name: &str) -> Self {
        PendingCall {
            name: name.to_owned(),
            ..PendingCall::default()
        }
    }

    /// Puts one element of `partialArgs` where its path says. Text is added to the
    /// text that is there already.
    ///
    /// # Errors
    ///
    /// `malformed-response` for a path that cannot be followed.
    pub(crate) fn add(&mut self, piece: &Map<String, Value>) -> Result<(), Error> {
        let path = piece.get("jsonPath").and_then(Value::as_str).unwrap_or("$");
        let slot = steps(path)
            .and_then(|steps| slot(&mut self.arguments, steps))
            .ok_or_else(|| {
                Error::malformed(format!(
                    "arguments at a path that is not understood: {path}"
                ))
            })?;
        let value = ["stringValue", "numberValue", "boolValue"]
            .iter()
            .find_map(|key| piece.get(*key).filter(|value| !value.is_null()));
        match (slot, value) {
            (Value::String(text), Some(Value::String(more))) => text.push_str(more),
            (slot, Some(value)) => *slot = value.clone(),
            (slot, None) if piece.contains_key("nullValue") => *slot = Value::Null,
            (_, None) => {}
        }
        Ok(())
    }

    /// The arguments so far, as JSON text; empty if there are none.
    pub(crate) fn arguments(&self) -> String {
        match &self.arguments {
            Value::Null => String::new(),
            arguments => arguments.to_string(),
        }
    }

    /// Takes arguments that came whole; what is no JSON is left out.
    pub(crate) fn set(&mut self, arguments: &str) {
        if let Ok(value) = serde_json::from_str(arguments) {
            self.arguments = value;
        }
    }
}

enum Step {
    Key(String),
    Index(usize),
}

/// The steps of a path such as `$.operations[0].action` or `$['a key'][1]`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == MAX_STEPS {
            return None;
        }
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (key, tail) = after.split_at_checked(end)?;
            steps.push(Step::Key(key.to_owned()));
            rest = tail;
        } else {
            let after = rest.strip_prefix('[')?;
            let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let (step, tail) = match quote {
                Some(quote) => {
                    let (key, tail) = after.get(1..)?.split_once(quote)?;
                    (Step::Key(key.to_owned()), tail.strip_prefix(']')?)
                }
                None => {
                    let (index, tail) = after.split_once(']')?;
                    (Step::Index(index.trim().parse().ok()?), tail)
                }
            };
            steps.push(step);
            rest = tail;
        }
    }
    Some(steps)
}

/// The place that the steps lead to; what is missing on the way is made.
fn slot(root: &mut Value, steps: Vec<Step>) -> Option<&mut Value> {
    let mut place = root;
    for step in steps {
        place = match step {
            Step::Key(key) => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                place.as_object_mut()?.entry(key).or_insert(Value::Null)
            }
            Step::Index(index) => {
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let items = place.as_array_mut()?;
                if index > MAX_INDEX {
                    return None;
                }
                if index >= items.len() {
                    items.resize(index + 1, Value::Null);
                }
                items.get_mut(index)?
            }
        };
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn built(pieces: Value) -> Result<Value, Error> {
        let mut call = PendingCall::default();
        for piece in pieces.as_array().unwrap() {
            call.add(piece.as_object().unwrap())?;
        }
        Ok(serde_json::from_str(&call.arguments()).unwrap_or(Value::Null))
    }

    #[test]
    fn pieces_are_put_where_their_paths_say() {
        let arguments = built(json!([
            {"jsonPath": "$.rows[0].name", "stringValue": "Ro", "willContinue": true},
            {"jsonPath": "$.rows[0].name", "stringValue": "se"},
            {"jsonPath": "$.rows[0].count", "numberValue": 3},
            {"jsonPath": "$.rows[1]['a.b']", "boolValue": true},
            {"jsonPath": "$[\"none\"]", "nullValue": null},
        ]));
        assert_eq!(
            arguments.unwrap(),
            json!({"rows": [{"name": "Rose", "count": 3}, {"a.b": true}], "none": null})
        );
    }

    #[test]
    fn an_impossible_path_is_an_error_and_never_a_panic() {
        for path in [
            "x",
            "$[",
            "$[1",
            "$['a",
            "$[99999999]",
            "$[-1]",
            "$]",
            "$['\u{e9}'x",
        ] {
            let error = built(json!([{"jsonPath": path, "stringValue": "v"}])).unwrap_err();
            assert!(error.message.contains(path), "{error:?}");
        }
        assert!(built(json!([{"jsonPath": "$.a", "boolValue": true}])).is_ok());
        let deep = format!("${}", ".a".repeat(1000));
        assert!(built(json!([{"jsonPath": deep, "boolValue": true}])).is_err());
    }
}
