//! Recorded answers with a little changed: members that nobody knows, members that are missing.

use multillm::plugin::wire::Frame;
use serde_json::{Value, json};

/// The most changes that are tried of one answer.
const MOST: usize = 400;

/// The same with a member that nobody knows in every object.
pub(super) fn with_unknown(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(with_unknown).collect()),
        Value::Object(members) => {
            let mut all: serde_json::Map<String, Value> = members
                .iter()
                .map(|(key, member)| (key.clone(), with_unknown(member)))
                .collect();
            all.insert("kit_unknown".to_owned(), json!({ "new": [1, null, "kit"] }));
            Value::Object(all)
        }
        other => other.clone(),
    }
}

/// A frame with a member that nobody knows at its top.
pub(super) fn with_junk(frame: &Frame) -> Vec<Frame> {
    let mut grown = frame.clone();
    if let Ok(Value::Object(mut members)) = serde_json::from_str(&frame.data) {
        members.insert("kit_unknown".to_owned(), json!({ "new": true }));
        grown.data = Value::Object(members).to_string();
    }
    vec![grown]
}

/// The same without each member in turn, and with null in its place; with what was changed.
pub(super) fn without_each(value: &Value) -> Vec<(String, Value)> {
    let mut places = vec![];
    members(value, String::new(), &mut places);
    let mut made = vec![];
    for place in places.into_iter().take(MOST / 2) {
        for null in [false, true] {
            let mut changed = value.clone();
            let (parent, key) = place.rsplit_once('/').unwrap_or(("", &place));
            let key = key.replace("~1", "/").replace("~0", "~");
            if let Some(Value::Object(members)) = changed.pointer_mut(parent) {
                match null {
                    true => drop(members.insert(key, Value::Null)),
                    false => drop(members.remove(&key)),
                }
            }
            let how = if null { "null for" } else { "nothing for" };
            made.push((format!("{how} {place}"), changed));
        }
    }
    made
}

/// Where members of objects are, as JSON pointers.
fn members(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                members(item, format!("{at}/{place}"), places);
            }
        }
        Value::Object(all) => {
            for (key, member) in all {
                let key = key.replace('~', "~0").replace('/', "~1");
                let place = format!("{at}/{key}");
                places.push(place.clone());
                members(member, place, places);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_goes_once_and_is_null_once() {
        let value = json!({ "a": 1, "b/c": [{ "d": 2 }] });
        let made = without_each(&value);
        assert_eq!(made.len(), 6);
        assert!(made.contains(&("nothing for /a".to_owned(), json!({ "b/c": [{ "d": 2 }] }))));
        assert!(made.contains(&(
            "null for /b~1c/0/d".to_owned(),
            json!({ "a": 1, "b/c": [{ "d": null }] })
        )));
        assert_eq!(with_unknown(&json!([1])), json!([1]));
        assert!(with_unknown(&value)["b/c"][0]["kit_unknown"].is_object());
    }
}
