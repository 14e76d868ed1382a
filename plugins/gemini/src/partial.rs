//! A tool call whose arguments come in pieces, each with a path into them.
//!
//! Vertex AI sends these when the request sets `streamFunctionCallArguments`: first a
//! name, then `partialArgs`, then an empty call as the end.

use multillm_plugin_sdk::Error;
use multillm_plugin_sdk::json::Json;

/// The longest path and the highest array index that are followed.
const MAX_STEPS: usize = 100;
const MAX_INDEX: usize = 65_535;
/// The most members of one object: each piece looks for its own among them.
const MAX_MEMBERS: usize = 1_024;

/// A call that is not complete yet.
#[derive(Default)]
pub(crate) struct PendingCall {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) signature: Option<String>,
    /// Arguments that came whole, as JSON text.
    pub(crate) whole: Option<String>,
    pieces: Json<'static>,
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
    pub(crate) fn add(&mut self, piece: &Json<'_>) -> Result<(), Error> {
        let path = piece.text("jsonPath").unwrap_or("$");
        let slot = steps(path)
            .and_then(|steps| slot(&mut self.pieces, steps))
            .ok_or_else(|| {
                Error::malformed(format!(
                    "arguments at a path that is not understood: {path}"
                ))
            })?;
        match (slot, value(piece)) {
            (Json::Text(text), Some(Json::Text(more))) => text.to_mut().push_str(&more),
            (slot, Some(value)) => *slot = value,
            (_, None) => {}
        }
        Ok(())
    }

    /// The arguments so far, as JSON text; empty if there are none.
    pub(crate) fn arguments(&self) -> String {
        match (&self.pieces, &self.whole) {
            (Json::Null, Some(whole)) => whole.clone(),
            (Json::Null, None) => String::new(),
            (pieces, _) => pieces.to_string(),
        }
    }
}

/// The value of an element: `stringValue`, `numberValue` or `boolValue`. A `nullValue`
/// is what is there already.
fn value(piece: &Json<'_>) -> Option<Json<'static>> {
    let value = ["stringValue", "numberValue", "boolValue"]
        .iter()
        .find_map(|name| piece.get(name))?;
    Some(match value {
        Json::Text(text) => Json::from(text.clone().into_owned()),
        Json::Unsigned(number) => Json::Unsigned(*number),
        Json::Signed(number) => Json::Signed(*number),
        Json::Number(text) => Json::Number(text.to_string().into()),
        Json::Bool(bool) => Json::Bool(*bool),
        _ => return None,
    })
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
fn slot<'v>(root: &'v mut Json<'static>, steps: Vec<Step>) -> Option<&'v mut Json<'static>> {
    let mut place = root;
    for step in steps {
        place = match step {
            Step::Key(key) => member(place, key)?,
            Step::Index(index) => element(place, index)?,
        };
    }
    Some(place)
}

fn member<'v>(place: &'v mut Json<'static>, key: String) -> Option<&'v mut Json<'static>> {
    if !matches!(place, Json::Object(_)) {
        *place = Json::Object(Vec::new());
    }
    let Json::Object(members) = place else {
        return None;
    };
    let at = members.iter().position(|(name, _)| *name == key);
    if at.is_none() && members.len() >= MAX_MEMBERS {
        return None;
    }
    let at = at.unwrap_or_else(|| {
        members.push((key.into(), Json::Null));
        members.len() - 1
    });
    members.get_mut(at).map(|(_, value)| value)
}

fn element<'v>(place: &'v mut Json<'static>, index: usize) -> Option<&'v mut Json<'static>> {
    if !matches!(place, Json::List(_)) {
        *place = Json::List(Vec::new());
    }
    let Json::List(list) = place else {
        return None;
    };
    if index > MAX_INDEX {
        return None;
    }
    if index >= list.len() {
        list.resize(index + 1, Json::Null);
    }
    list.get_mut(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn built(pieces: Value) -> Result<Value, Error> {
        let mut call = PendingCall::default();
        for piece in Json::parse(&pieces.to_string()).unwrap().list() {
            call.add(piece)?;
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

    #[test]
    fn an_object_has_only_so_many_members() {
        let piece = |n: usize| json!({"jsonPath": format!("$.k{n}"), "boolValue": true});
        let pieces = |count: usize| Value::Array((0..count).map(piece).collect());
        assert!(built(pieces(MAX_MEMBERS)).is_ok());
        assert!(built(pieces(MAX_MEMBERS + 1)).is_err());
    }
}
