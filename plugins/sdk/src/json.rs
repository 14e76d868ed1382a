//! JSON as a tree that borrows from its text and keeps the order of keys.
//!
//! It serves adapters whose vendors' answers vary: nothing that is missing or
//! of another type is an error, and one small reader stands in for a type per
//! shape, which keeps a component small. Not for documents with many keys in
//! one object: those are searched one by one.

mod read;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that is not negative.
    Unsigned(u64),
    /// A negative integer.
    Signed(i64),
    /// Any other number, as it is written.
    Number(Cow<'a, str>),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    /// An object, in order.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// It is no JSON, or nested deeper than 128 levels.
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        match read::read(text) {
            Some(value) => Ok(value),
            None => Err(match serde_json::from_str::<&RawValue>(text) {
                Err(error) => error,
                // What is well formed and not read all the same.
                Ok(_) => serde::de::Error::custom("nested too deep, or half a character"),
            }),
        }
    }

    /// An object of these members.
    pub fn object<const N: usize>(members: [(&'static str, Json<'a>); N]) -> Self {
        let members = members.into_iter();
        Json::Object(members.map(|(key, value)| (key.into(), value)).collect())
    }

    /// The member of this name; nothing if it is `null`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        let Json::Object(members) = self else {
            return None;
        };
        members
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
            .filter(|value| **value != Json::Null)
    }

    /// The member's member, and so on.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Json<'a>> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text of a string.
    #[must_use]
    pub fn str(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The member's text; nothing if it is empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.str().filter(|text| !text.is_empty())
    }

    /// The elements of an array; none for anything else.
    #[must_use]
    pub fn list(&self) -> &[Json<'a>] {
        match self {
            Json::List(list) => list,
            _ => &[],
        }
    }

    /// A number that counts, also where it is written as a float. There is nothing of which a
    /// vendor counts 10¹⁵.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a count"
        )]
        match self {
            Json::Unsigned(number) => (*number < 1_000_000_000_000_000).then_some(*number),
            Json::Number(_) => {
                let float = self.float()?;
                (0.0..1e15).contains(&float).then(|| float.round() as u64)
            }
            _ => None,
        }
    }

    /// Any number.
    #[must_use]
    pub fn float(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "an approximation is asked for")]
        match self {
            Json::Unsigned(number) => Some(*number as f64),
            Json::Signed(number) => Some(*number as f64),
            Json::Number(text) => Some(read::float(text)),
            _ => None,
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        match self {
            Json::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// The same without anything of the text that it was read from.
    #[must_use]
    pub fn into_owned(self) -> Json<'static> {
        match self {
            Json::Null => Json::Null,
            Json::Bool(bool) => Json::Bool(bool),
            Json::Unsigned(number) => Json::Unsigned(number),
            Json::Signed(number) => Json::Signed(number),
            Json::Number(text) => Json::Number(text.into_owned().into()),
            Json::Text(text) => Json::Text(text.into_owned().into()),
            Json::List(list) => Json::List(list.into_iter().map(Json::into_owned).collect()),
            Json::Object(members) => {
                let owned = |(name, value): (Cow<'_, str>, Json<'_>)| {
                    (name.into_owned().into(), value.into_owned())
                };
                Json::Object(members.into_iter().map(owned).collect())
            }
        }
    }

    /// What an object holds beside these members, as far as it says anything: the open tail of what
    /// was made of it. Nothing where there is no more.
    #[must_use]
    pub fn beside(&self, known: &[&str]) -> Option<Json<'a>> {
        let Json::Object(members) = self else {
            return None;
        };
        let says = |value: &Json<'_>| match value {
            Json::Null => false,
            Json::List(list) => !list.is_empty(),
            Json::Object(members) => !members.is_empty(),
            _ => true,
        };
        let rest: Vec<_> = members
            .iter()
            .filter(|(name, value)| says(value) && !known.contains(&&**name))
            .cloned()
            .collect();
        (!rest.is_empty()).then_some(Json::Object(rest))
    }

    /// Merges `from` into this: objects key by key, anything else replaces.
    pub fn merge(&mut self, from: Json<'a>) {
        match (self, from) {
            (Json::Object(members), Json::Object(from)) => {
                for (key, value) in from {
                    match members.iter_mut().find(|(name, _)| *name == key) {
                        Some((_, member)) => member.merge(value),
                        None => members.push((key, value)),
                    }
                }
            }
            (into, from) => *into = from,
        }
    }
}

/// A member of an object as it is written; nothing if it is missing, or if there is no object.
#[must_use]
pub fn member<'a>(object: &'a str, key: &str) -> Option<&'a RawValue> {
    let mut members = read::pieces(object)?.into_iter().rev();
    let (_, value) = members.find(|(name, _)| name == key)?;
    serde_json::from_str(value).ok()
}

/// The items of a list as they are written; none for anything else.
#[must_use]
pub fn items(list: &str) -> Vec<&RawValue> {
    let is_list = list.trim_start().starts_with('[');
    let pieces = is_list.then(|| read::pieces(list)).flatten();
    pieces
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(_, item)| serde_json::from_str(item).ok())
        .collect()
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        Json::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Json::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Json<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Json::Text(text)
    }
}

impl From<bool> for Json<'_> {
    fn from(bool: bool) -> Self {
        Json::Bool(bool)
    }
}

impl From<u32> for Json<'_> {
    fn from(number: u32) -> Self {
        Json::Unsigned(number.into())
    }
}

impl From<i64> for Json<'_> {
    fn from(number: i64) -> Self {
        u64::try_from(number).map_or(Json::Signed(number), Json::Unsigned)
    }
}

impl From<f64> for Json<'_> {
    fn from(float: f64) -> Self {
        // What is no number, such as the infinite, is `null`, as `serde_json` has it.
        serde_json::Number::from_f64(float)
            .map_or(Json::Null, |number| Json::Number(number.to_string().into()))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(bool) => serializer.serialize_bool(*bool),
            Json::Unsigned(number) => serializer.serialize_u64(*number),
            Json::Signed(number) => serializer.serialize_i64(*number),
            Json::Number(text) => serde_json::from_str::<&RawValue>(text)
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            Json::Text(text) => serializer.serialize_str(text),
            Json::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    seq.serialize_element(value)?;
                }
                seq.end()
            }
            Json::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(&**key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// The name of a member.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Key(match deserializer.deserialize_any(Reader)? {
            Json::Text(text) => text,
            _ => Cow::Borrowed(""),
        }))
    }
}

/// Reads any value. It has a method for each that JSON knows, so that none is refused.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(bool))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Unsigned(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, float: f64) -> Result<Json<'de>, E> {
        Ok(float.into())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(text.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(text.to_owned().into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            members.push((key, map.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests;
