//! A document back into JSON text: numbers as they were written, comments gone.

use super::{Node, Place, Value};

/// Appends the JSON of a node that stands at `place`, leaving out the places of `without`.
pub(super) fn node(node: &Node, place: &Place, without: &[Place], json: &mut String) {
    match &node.value {
        Value::Null => json.push_str("null"),
        Value::Bool(true) => json.push_str("true"),
        Value::Bool(false) => json.push_str("false"),
        Value::Number(number) => json.push_str(number),
        Value::Text(text) => string(text, json),
        Value::Array(elements) => {
            json.push('[');
            let mut separate = separator();
            for (index, element) in elements.iter().enumerate() {
                let place = place.index(index);
                if !without.contains(&place) {
                    separate(json);
                    self::node(element, &place, without, json);
                }
            }
            json.push(']');
        }
        Value::Object(members) => {
            json.push('{');
            let mut separate = separator();
            for member in members {
                let place = place.key(&member.key);
                if !without.contains(&place) {
                    separate(json);
                    string(&member.key, json);
                    json.push(':');
                    self::node(&member.node, &place, without, json);
                }
            }
            json.push('}');
        }
    }
}

fn string(text: &str, json: &mut String) {
    json.push_str(&serde_json::Value::from(text).to_string());
}

/// Writes a comma each time but the first.
fn separator() -> impl FnMut(&mut String) {
    let mut first = true;
    move |json| {
        if !first {
            json.push(',');
        }
        first = false;
    }
}
