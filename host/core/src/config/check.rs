//! A document against the schema: every unknown key and every value of a wrong type or range.
//!
//! Understands the part of JSON Schema that the configuration's own schema uses. What it finds is
//! taken out of the document, so that the rest can be read and checked further.

mod value;

use serde_json::Value as Json;

use super::diagnose::{Problem, advice, nearest};
use super::document::{Aim, Document, Node, Place, Value};

/// More keys than these are not listed in a message.
const LISTED: usize = 20;

/// What is wrong, and the places to leave out.
pub(super) fn check(document: &Document, schema: &Json) -> (Vec<Problem>, Vec<Place>) {
    let mut checker = Checker {
        document,
        schema,
        problems: Vec::new(),
        faulty: Vec::new(),
    };
    checker.node(document.root(), schema, &Place::default());
    (checker.problems, checker.faulty)
}

struct Checker<'a> {
    document: &'a Document,
    schema: &'a Json,
    problems: Vec<Problem>,
    faulty: Vec<Place>,
}

impl<'a> Checker<'a> {
    fn node(&mut self, node: &Node, schema: &'a Json, place: &Place) {
        let branches = self.branches(schema);
        let fitting: Vec<&'a Json> = branches
            .iter()
            .copied()
            .filter(|branch| value::type_fits(node, branch))
            .collect();
        let Some(branch) = fitting.first().copied() else {
            return self.fault(place, Aim::Value, value::wrong_type(node, &branches));
        };
        if let Some(message) = value::fault(node, &fitting) {
            return self.fault(place, Aim::Value, message);
        }
        match &node.value {
            Value::Object(members) => {
                for member in members {
                    let place = place.key(&member.key);
                    match member_schema(branch, &member.key) {
                        Some(schema) => self.node(&member.node, schema, &place),
                        None => {
                            let message = unknown_key(self.schema, branch, &member.key);
                            self.fault(&place, Aim::Key, message);
                        }
                    }
                }
            }
            Value::Array(elements) => {
                if let Some(items) = branch.get("items") {
                    for (index, element) in elements.iter().enumerate() {
                        self.node(element, items, &place.index(index));
                    }
                }
            }
            _ => {}
        }
    }

    /// The alternatives of a schema, references followed.
    fn branches(&self, schema: &'a Json) -> Vec<&'a Json> {
        let schema = self.resolved(schema);
        let alternatives = ["anyOf", "oneOf"]
            .into_iter()
            .find_map(|key| schema.get(key).and_then(Json::as_array));
        match alternatives {
            Some(alternatives) => alternatives
                .iter()
                .flat_map(|alternative| self.branches(alternative))
                .collect(),
            None => vec![schema],
        }
    }

    fn resolved(&self, mut schema: &'a Json) -> &'a Json {
        while let Some(target) = schema.get("$ref").and_then(Json::as_str) {
            match target
                .strip_prefix('#')
                .and_then(|path| self.schema.pointer(path))
            {
                Some(found) => schema = found,
                None => break,
            }
        }
        schema
    }

    fn fault(&mut self, place: &Place, aim: Aim, message: String) {
        self.problems
            .push(self.document.problem(place, aim, message));
        self.faulty.push(place.member());
    }
}

fn member_schema<'a>(schema: &'a Json, key: &str) -> Option<&'a Json> {
    static ANYTHING: Json = Json::Bool(true);
    let named = schema.get("properties").and_then(|named| named.get(key));
    named.or_else(|| match schema.get("additionalProperties") {
        Some(Json::Bool(false)) => None,
        Some(other) => Some(other),
        None => Some(&ANYTHING),
    })
}

/// Says where an unknown key belongs, or which key was meant.
fn unknown_key(root: &Json, schema: &Json, key: &str) -> String {
    let mut known: Vec<&str> = keys(schema).collect();
    known.sort_unstable();
    let owners = [("Provider", "a provider"), ("Model", "a model")];
    let owner = owners.into_iter().find(|(definition, _)| {
        let other = root.pointer(&format!("/$defs/{definition}"));
        other.is_some_and(|other| keys(other).any(|other| other == key))
    });
    if let (Some((_, owner)), None) = (owner, nearest(key, known.iter().copied())) {
        return format!("unknown key here: it belongs to {owner}");
    }
    let otherwise = if known.len() > LISTED {
        "remove it, \"multillm config schema\" prints all there are"
    } else {
        ""
    };
    let advice = advice(key, known.iter().copied(), otherwise);
    format!("unknown key: {advice}")
}

fn keys(schema: &Json) -> impl Iterator<Item = &str> {
    let properties = schema.get("properties").and_then(Json::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
}
