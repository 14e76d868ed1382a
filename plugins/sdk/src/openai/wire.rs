//! Where things stand in an answer, whole and streamed alike.
//!
//! Everything is optional, and `null` is absent: many servers speak this wire
//! and few of them all of it.

use std::borrow::Cow;

use crate::json::Json;

/// Text that some servers write as a number, such as an id; nothing if it is empty.
pub(super) fn scalar<'a>(value: &'a Json<'_>, key: &str) -> Option<Cow<'a, str>> {
    match value.get(key)? {
        Json::Text(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Json::Unsigned(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// The number by which a server tells calls or choices apart.
pub(super) fn index(value: &Json<'_>) -> Option<u32> {
    value.get("index")?.count()?.try_into().ok()
}

/// A function's arguments as text: a string with JSON in it, by some servers the JSON itself.
pub(super) fn arguments<'a>(function: &'a Json<'_>) -> Cow<'a, str> {
    match function.get("arguments") {
        None => Cow::Borrowed(""),
        Some(Json::Text(text)) => Cow::Borrowed(text),
        Some(value) => Cow::Owned(value.to_string()),
    }
}

/// The elements of a list; by some servers a single one stands there instead.
pub(super) fn one_or_many<'a, 'j>(value: Option<&'a Json<'j>>) -> &'a [Json<'j>] {
    match value {
        Some(Json::List(list)) => list,
        Some(one @ Json::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_as_text_or_as_an_object() {
        for (json, expected) in [
            (r#"{"arguments":"{\"a\":1}"}"#, r#"{"a":1}"#),
            (r#"{"arguments":{"b":2,"a":1}}"#, r#"{"b":2,"a":1}"#),
            (r#"{"arguments":null}"#, ""),
            (r#"{"name":"f"}"#, ""),
            (r#"{"arguments":""}"#, ""),
        ] {
            assert_eq!(arguments(&Json::parse(json).unwrap()), expected, "{json}");
        }
    }
}
