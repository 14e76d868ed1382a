//! Where things stand in an answer, whole and streamed alike.
//!
//! Everything is optional, and `null` is absent: many servers speak this wire
//! and few of them all of it.

use std::borrow::Cow;

use crate::Usage;
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

/// Usage, wherever in the chunk it stands; nothing if there is none.
pub(super) fn usage(chunk: &Json<'_>) -> Option<Usage> {
    let usage = chunk
        .get("usage")
        .or_else(|| chunk.at(&["x_groq", "usage"]))
        .filter(|usage| matches!(usage, Json::Object(_)))?;
    let count = |paths: &[&[&str]]| {
        paths
            .iter()
            .find_map(|path| usage.at(path).and_then(Json::count))
    };
    Some(Usage {
        prompt_tokens: count(&[&["prompt_tokens"]]),
        completion_tokens: count(&[&["completion_tokens"]]),
        total_tokens: count(&[&["total_tokens"]]),
        cached_tokens: count(&[
            &["prompt_tokens_details", "cached_tokens"],
            &["prompt_cache_hit_tokens"],
            &["cached_tokens"],
        ]),
        cache_write_tokens: count(&[&["prompt_tokens_details", "cache_write_tokens"]]),
        reasoning_tokens: count(&[
            &["completion_tokens_details", "reasoning_tokens"],
            &["reasoning_tokens"],
        ]),
    })
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

    #[test]
    fn usage_is_read_from_where_it_stands() {
        let usage = |json: &str| usage(&Json::parse(json).unwrap());
        let full = usage(
            r#"{"usage":{"prompt_tokens":9.0,"completion_tokens":2,"total_tokens":11,
                "prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":1},
                "completion_tokens_details":{"reasoning_tokens":1}}}"#,
        );
        assert_eq!(
            full,
            Some(Usage {
                prompt_tokens: Some(9),
                completion_tokens: Some(2),
                total_tokens: Some(11),
                cached_tokens: Some(4),
                cache_write_tokens: Some(1),
                reasoning_tokens: Some(1),
            })
        );
        let groq = usage(r#"{"usage":null,"x_groq":{"id":"r","usage":{"prompt_tokens":3}}}"#);
        assert_eq!(groq.unwrap().prompt_tokens, Some(3));
        let bare = usage(r#"{"usage":{"prompt_tokens":null,"prompt_tokens_details":null}}"#);
        assert_eq!(bare, Some(Usage::UNKNOWN));
        assert_eq!(usage(r#"{"usage":7}"#), None);
        let hit = usage(r#"{"usage":{"prompt_cache_hit_tokens":5}}"#);
        assert_eq!(hit.unwrap().cached_tokens, Some(5));
    }
}
