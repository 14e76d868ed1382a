//! Rules about answers that hold for every vendor.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::body::raw_object;
use crate::json::Json;
use crate::{Error, FinishReason, ToolCall};

/// The reason to report when the message holds tool calls: vendors that only say "done" mean
/// that they wait for the tools.
#[must_use]
pub fn finish_reason(reason: FinishReason, has_tool_calls: bool) -> FinishReason {
    match reason {
        FinishReason::Stop if has_tool_calls => FinishReason::ToolCalls,
        other => other,
    }
}

/// Arguments as the caller gets them: nothing, blank text and `null` are an empty
/// object, everything else stays as the model wrote it.
#[must_use]
pub fn tool_arguments(raw: &str) -> &str {
    match raw.trim() {
        "" | "null" => "{}",
        _ => raw,
    }
}

/// The most calls that one answer may make. No vendor allows as many; without a bound a stream that
/// begins one with every event takes time that grows with its square.
pub const MOST_CALLS: usize = 1_024;

/// Whether arguments that come in pieces may yet turn out to be none: [`tool_arguments`] of blank text
/// and of `null` is an empty object. What is longer than any of that is what it is.
#[must_use]
pub fn may_be_none(so_far: &str) -> bool {
    so_far.len() <= 1_024 && "null".starts_with(so_far.trim())
}

/// What an answer with more than [`MOST_CALLS`] is.
#[must_use]
pub fn too_many_calls() -> Error {
    Error::malformed(format!("the answer calls more than {MOST_CALLS} tools"))
}

/// Arguments as an object, for vendors that want one. Text that is no JSON object
/// (a cut-off call, for example) goes under the key `_raw` rather than being lost.
#[must_use]
pub fn arguments_object(raw: &str) -> Value {
    match serde_json::from_str::<Value>(tool_arguments(raw)) {
        Ok(value @ Value::Object(_)) => value,
        _ => serde_json::json!({ "_raw": raw }),
    }
}

/// The text of [`arguments_object`]; an object stays as it is, byte for byte.
#[must_use]
pub fn arguments_json(raw: &str) -> Cow<'_, str> {
    let text = tool_arguments(raw);
    if raw_object("arguments", text).is_ok() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Json::object([("_raw", raw.into())]).to_string())
}

/// Arguments as a vendor's JSON holds them, as text: the string's content where the vendor
/// sends a string, the value itself, byte for byte, where it sends an object.
#[must_use]
pub fn arguments_text(value: &RawValue) -> Cow<'_, str> {
    let raw = value.get();
    match Json::parse(raw) {
        Ok(Json::Text(text)) => text,
        _ => Cow::Borrowed(raw),
    }
}

impl ToolCall {
    /// A call as a vendor's JSON holds it: whatever is missing is made good, except the id,
    /// which the host then makes.
    #[must_use]
    pub fn received(
        id: Option<String>,
        name: Option<String>,
        arguments: Option<&RawValue>,
    ) -> Self {
        let arguments = arguments.map(arguments_text).unwrap_or_default();
        ToolCall {
            id: id.filter(|id| !id.is_empty()),
            name: name.unwrap_or_default(),
            arguments: tool_arguments(&arguments).to_owned(),
            ..ToolCall::default()
        }
    }
}

/// A count that may come as an integer, as a float or not at all.
///
/// For `#[serde(default, deserialize_with = "…")]` in what is read from text. What is no count is
/// unknown.
///
/// # Errors
///
/// Only those of the deserializer itself.
pub fn lenient_count<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(Json::parse(raw.get()).ok().and_then(|json| json.count()))
}

/// A JSON number as a count; nothing if it is negative or no number.
#[must_use]
pub fn count(value: &Value) -> Option<u64> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a count"
    )]
    value
        .as_u64()
        .filter(|count| *count < 1_000_000_000_000_000)
        .or_else(|| {
            let float = value.as_f64()?;
            (0.0..1e15).contains(&float).then(|| float.round() as u64)
        })
}

/// Adds counts of which some may be unknown: unknown only if all are.
#[must_use]
pub fn sum(counts: &[Option<u64>]) -> Option<u64> {
    counts
        .iter()
        .flatten()
        .fold(None, |total: Option<u64>, count| {
            Some(total.unwrap_or(0).saturating_add(*count))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_none_is_short() {
        for held in ["", " ", "nu", " null ", "\n"] {
            assert!(may_be_none(held), "{held:?}");
        }
        for held in ["{", "nul l", "nulls", &" ".repeat(2_000)] {
            assert!(!may_be_none(held), "{held:?}");
        }
    }

    #[test]
    fn arguments_are_text_whether_they_come_as_a_string_or_as_an_object() {
        for (json, text) in [
            (r#""{\"b\":1}""#, r#"{"b":1}"#),
            (r#"{"b":1,"a": 2}"#, r#"{"b":1,"a": 2}"#),
            (r#""""#, ""),
            ("null", "null"),
        ] {
            let value: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(arguments_text(value), text);
        }
    }

    #[test]
    fn a_call_without_id_or_arguments_is_a_call() {
        let bare = ToolCall::received(Some(String::new()), Some("look".into()), None);
        assert_eq!((bare.id, bare.arguments.as_str()), (None, "{}"));
        let null: &RawValue = serde_json::from_str("null").unwrap();
        let call = ToolCall::received(Some("c1".into()), None, Some(null));
        assert_eq!(
            (call.id.as_deref(), call.arguments.as_str()),
            (Some("c1"), "{}")
        );
    }

    #[test]
    fn arguments_become_an_object_and_an_object_stays_as_it_is() {
        for (raw, text) in [
            (r#"{"b": 1,"a":2}"#, r#"{"b": 1,"a":2}"#),
            ("null", "{}"),
            ("[1]", r#"{"_raw":"[1]"}"#),
            (r#"{"x":"é"#, r#"{"_raw":"{\"x\":\"é"}"#),
        ] {
            assert_eq!(arguments_json(raw), text);
            let parsed: Value = serde_json::from_str(text).unwrap();
            assert_eq!(parsed, arguments_object(raw));
        }
    }

    #[test]
    fn what_is_no_count_is_unknown() {
        #[derive(Deserialize)]
        struct Counted {
            #[serde(default, deserialize_with = "lenient_count")]
            tokens: Option<u64>,
        }
        for (json, tokens) in [
            (r#"{"tokens":7}"#, Some(7)),
            (r#"{"tokens":7.0}"#, Some(7)),
            (r#"{"tokens":-1}"#, None),
            (r#"{"tokens":1e300}"#, None),
            (r#"{"tokens":null}"#, None),
            (r#"{"tokens":"7"}"#, None),
            (r#"{"tokens":[1,{"a":2}]}"#, None),
            ("{}", None),
        ] {
            let counted: Counted = serde_json::from_str(json).unwrap();
            assert_eq!(counted.tokens, tokens, "{json}");
        }
    }
}
