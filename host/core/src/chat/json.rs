//! JSON of others, kept as it was written.
//!
//! A tree would lose what readers of it go by: models fill in a schema in the order of its keys, some vendors
//! tell `1.0` from `1`, and numbers beyond 64 bits have digits that nothing here can hold. So it stays text, without
//! the white space between its parts. (`serde_json` could keep digits in its trees, by a feature that holds for
//! everybody in a program and breaks untagged types there: no choice for a library to make.)

mod object;

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

pub use object::JsonObject;

/// How deep values may be nested: what `serde_json` reads into trees.
const DEEPEST: usize = 127;

/// By this name `serde_json` asks for a value as text. Where it stands for nothing, digits are lost and nothing else.
const AS_TEXT: &str = "$serde_json::private::RawValue";

/// A JSON value as it was written: the order of keys, keys that stand twice, every digit.
///
/// ```
/// use multillm::chat::Json;
///
/// let schema = Json::parse(r#"{ "type": "object", "multipleOf": 0.10 }"#)?;
/// assert_eq!(schema.as_str(), r#"{"type":"object","multipleOf":0.10}"#);
/// assert_eq!(Json::from(serde_json::json!({"b": 1, "a": 2})).as_str(), r#"{"b":1,"a":2}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Cloning it copies nothing. Two are equal if they are written equally. Read from a JSON text it is what stands
/// there; read by way of a tree (an untagged or internally tagged type, another format) it has the digits that the
/// tree has.
#[derive(Clone)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// It is no JSON, or nested deeper than 127 levels.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Self::compact(raw)
    }

    fn compact(raw: &RawValue) -> Result<Self, serde_json::Error> {
        let Shape { spaces, deepest } = Shape::of(raw.get());
        if deepest > DEEPEST {
            return Err(serde_json::Error::custom(format!(
                "nested deeper than {DEEPEST} levels"
            )));
        }
        let raw = match spaces {
            0 => raw.to_owned(),
            _ => RawValue::from_string(without_space(raw.get(), spaces))?,
        };
        Ok(Json(raw.into()))
    }

    /// The text, without white space between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }

    /// The members of an object; of a name that stands twice, what stands last. Nothing for anything else.
    #[must_use]
    pub fn to_object(&self) -> Option<JsonObject> {
        serde_json::from_str(self.as_str()).ok()
    }

    /// A whole number that is not negative and has at most 64 bits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_str().parse().ok()
    }

    /// The value as a tree, in which numbers have at most 64 bits, and names stand once.
    ///
    /// # Errors
    ///
    /// A number in it is beyond the range of `f64`.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }

    /// Whether `each` holds of every text in it that is no key, also behind keys that stand twice.
    pub(crate) fn texts(&self, each: &mut dyn FnMut(&str) -> bool) -> bool {
        let text = self.as_str();
        match text.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(text).is_ok_and(|text| each(&text)),
            Some(b'[') => serde_json::from_str::<Vec<Json>>(text)
                .is_ok_and(|list| list.iter().all(|value| value.texts(each))),
            Some(b'{') => object::members(text)
                .is_ok_and(|members| members.iter().all(|(_, value)| value.texts(each))),
            _ => true,
        }
    }
}

/// What a well-formed text is like.
#[derive(Default)]
struct Shape {
    /// Bytes of white space outside of strings.
    spaces: usize,
    deepest: usize,
}

impl Shape {
    fn of(text: &str) -> Self {
        let (mut shape, mut depth) = (Shape::default(), 0_usize);
        outside_strings(text, |byte| {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => shape.spaces += 1,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            shape.deepest = shape.deepest.max(depth);
        });
        shape
    }
}

/// Shows each byte of a well-formed text that stands in no string.
fn outside_strings(text: &str, mut see: impl FnMut(u8)) {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'"' {
            see(byte);
            continue;
        }
        while let Some(inner) = bytes.next() {
            match inner {
                b'"' => break,
                b'\\' => drop(bytes.next()),
                _ => {}
            }
        }
    }
}

fn without_space(text: &str, spaces: usize) -> String {
    let mut compact = String::with_capacity(text.len().saturating_sub(spaces));
    let (mut in_string, mut escaped) = (false, false);
    compact.extend(text.chars().filter(|char| {
        match (in_string, char) {
            (false, ' ' | '\n' | '\r' | '\t') => return false,
            (false, '"') => in_string = true,
            (true, '"') if !escaped => in_string = false,
            _ => {}
        }
        escaped = in_string && *char == '\\' && !escaped;
        true
    }));
    compact
}

impl fmt::Display for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl Default for Json {
    fn default() -> Self {
        Json(RawValue::NULL.to_owned().into())
    }
}

impl<T: Into<Value>> From<T> for Json {
    fn from(value: T) -> Self {
        let text = value.into().to_string();
        RawValue::from_string(text).map_or_else(|_| Json::default(), |raw| Json(raw.into()))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(AS_TEXT, AsWritten)
    }
}

/// Takes the text where it can be had, and a tree elsewhere.
struct AsWritten;

impl<'de> Visitor<'de> for AsWritten {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        match map.next_key::<String>()? {
            Some(name) if name == AS_TEXT => {
                let raw = RawValue::from_string(map.next_value()?).map_err(A::Error::custom)?;
                Json::compact(&raw).map_err(A::Error::custom)
            }
            _ => Err(A::Error::custom("expected a JSON value")),
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, tree: D) -> Result<Json, D::Error> {
        Value::deserialize(tree).map(Json::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What no tree of `serde_json` keeps.
    const WRITTEN: &str = r#"{"z":1.10,"a":[1e400,-0,0.1e1,123456789012345678901234567890],"z":{"y":" \" \\","b":null}}"#;

    #[test]
    fn a_text_keeps_its_order_its_digits_and_keys_that_stand_twice() {
        let json = Json::parse(WRITTEN).unwrap();
        assert_eq!(json.as_str(), WRITTEN);
        assert_eq!(serde_json::to_string(&json).unwrap(), WRITTEN);
        let again: Json = serde_json::from_str(WRITTEN).unwrap();
        assert_eq!(again, json);
        let inside: Vec<Json> = serde_json::from_str(&format!("[ {WRITTEN} , 1.0 ]")).unwrap();
        assert_eq!(inside, [json, Json::parse("1.0").unwrap()]);
    }

    #[test]
    fn only_the_space_between_parts_goes() {
        let spaced = "\n{ \"a b\" : [ 1 ,\t\"x \\\" \\\\\" , { } ] }\r\n";
        assert_eq!(
            Json::parse(spaced).unwrap().as_str(),
            r#"{"a b":[1,"x \" \\",{}]}"#
        );
    }

    #[test]
    fn a_value_keeps_its_order() {
        let json = Json::from(json!({"b": [1.5, "x"], "a": null}));
        assert_eq!(json.as_str(), r#"{"b":[1.5,"x"],"a":null}"#);
        assert_eq!(Json::from(7).as_u64(), Some(7));
        assert_eq!(Json::from("7").as_u64(), None);
        assert_eq!(
            json.to_value().unwrap(),
            json!({"a": null, "b": [1.5, "x"]})
        );
    }

    #[test]
    fn what_passes_through_a_tree_keeps_its_order() {
        #[derive(Deserialize, Serialize)]
        #[serde(tag = "kind")]
        enum Tagged {
            One { inner: Json },
        }
        let text = r#"{"kind":"One","inner":{"b":1,"a":[true]}}"#;
        let tagged: Tagged = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&tagged).unwrap(), text);
        let value: Value = serde_json::from_str(text).unwrap();
        let json: Json = serde_json::from_value(value).unwrap();
        assert_eq!(json.as_str(), text);
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_refused() {
        for text in ["", "{", "{a:1}", "1 2", "nul", "\"\\q\""] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Json::parse(&deep(127)).is_ok());
        let fault = Json::parse(&deep(128)).unwrap_err().to_string();
        assert!(fault.contains("nested deeper than 127 levels"), "{fault}");
        assert!(serde_json::from_str::<Json>(&deep(100_000)).is_err());
    }

    #[test]
    fn texts_are_seen_behind_keys_that_stand_twice() {
        let json = Json::parse(r#"{"a":{"b":"one"},"a":["two",3,"\u0034"]}"#).unwrap();
        let mut seen = vec![];
        assert!(json.texts(&mut |text| {
            seen.push(text.to_owned());
            true
        }));
        assert_eq!(seen, ["one", "two", "4"]);
        assert!(!json.texts(&mut |text| text != "one"));
    }
}
