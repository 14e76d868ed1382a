//! The members of a JSON object that are told apart, laid over others and sent as they were written.

use std::fmt;

use indexmap::IndexMap;
use indexmap::map::{IntoIter, Iter};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Json;

/// A JSON object, in the order in which it was written; its values are kept as they are.
///
/// A name stands once: of one that was written twice the last value counts, in the place of the first.
#[derive(Clone, Default)]
pub struct JsonObject(IndexMap<String, Json>);

impl JsonObject {
    /// One without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// It is no JSON object, or nested deeper than 127 levels.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Whether it has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// Puts a member in the place of that of the same name, or else behind the others.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Json>) {
        self.0.insert(name.into(), value.into());
    }

    /// Takes the members of `others` whose names it has not.
    pub fn complete(&mut self, others: &JsonObject) {
        for (name, value) in others {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }

    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The values, in order.
    pub fn values(&self) -> impl Iterator<Item = &Json> {
        self.0.values()
    }
}

/// Every member of a text that is an object, also those whose names stand twice.
pub(super) fn members(text: &str) -> Result<Vec<(String, Json)>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_map(Members(Vec::new(), |list, name, value| {
        list.push((name, value));
    }))
}

/// Reads members into something, one after another.
struct Members<T, F: FnMut(&mut T, String, Json)>(T, F);

impl<'de, T, F: FnMut(&mut T, String, Json)> Visitor<'de> for Members<T, F> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<T, A::Error> {
        while let Some((name, value)) = map.next_entry()? {
            (self.1)(&mut self.0, name, value);
        }
        Ok(self.0)
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(JsonObject::new(), |object, name, value| {
            object.0.insert(name, value);
        }))
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

/// The JSON text.
impl fmt::Display for JsonObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for JsonObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl PartialEq for JsonObject {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().eq(other.0.iter())
    }
}

impl Eq for JsonObject {}

impl From<JsonObject> for Json {
    fn from(object: JsonObject) -> Self {
        RawValue::from_string(object.to_string())
            .map_or_else(|_| Json::default(), |raw| Json(raw.into()))
    }
}

impl From<Map<String, Value>> for JsonObject {
    fn from(map: Map<String, Value>) -> Self {
        let members = map.into_iter().map(|(name, value)| (name, value.into()));
        members.collect()
    }
}

impl FromIterator<(String, Json)> for JsonObject {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(members: I) -> Self {
        JsonObject(members.into_iter().collect())
    }
}

impl Extend<(String, Json)> for JsonObject {
    fn extend<I: IntoIterator<Item = (String, Json)>>(&mut self, members: I) {
        self.0.extend(members);
    }
}

impl IntoIterator for JsonObject {
    type Item = (String, Json);
    type IntoIter = IntoIter<String, Json>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a JsonObject {
    type Item = (&'a String, &'a Json);
    type IntoIter = Iter<'a, String, Json>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_digits() {
        let text = r#"{"b":1.10,"a":{"y":1,"y":2},"c":"x"}"#;
        let mut object = JsonObject::parse(text).unwrap();
        assert_eq!(object.to_string(), text);
        assert_eq!(Json::from(object.clone()).as_str(), text);
        object.insert("a", 5);
        object.complete(&JsonObject::parse(r#"{"d":[2.0],"b":7}"#).unwrap());
        assert_eq!(object.to_string(), r#"{"b":1.10,"a":5,"c":"x","d":[2.0]}"#);
    }

    #[test]
    fn order_tells_objects_apart_and_the_last_of_two_counts() {
        let read = |text| JsonObject::parse(text).unwrap();
        assert_ne!(read(r#"{"a":1,"b":2}"#), read(r#"{"b":2,"a":1}"#));
        assert_eq!(read(r#"{"a":1,"b":2,"a":3}"#), read(r#"{"a":3,"b":2}"#));
        assert!(JsonObject::parse("[]").is_err());
    }
}
