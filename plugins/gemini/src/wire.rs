//! What the vendor sends: one `GenerateContentResponse`, or a piece of one.
//!
//! Everything is optional there, and here. The parts of an answer are kept as
//! raw JSON until it is known what each of them is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use multillm_plugin_sdk::FinishReason;
use multillm_plugin_sdk::outcome::lenient_count;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::usage::Counts;

/// A `GenerateContentResponse`, whole or as an event of a stream.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Chunk<'a> {
    #[serde(default, borrow)]
    pub(crate) candidates: Option<Vec<Candidate<'a>>>,
    #[serde(default, borrow)]
    pub(crate) prompt_feedback: Option<PromptFeedback<'a>>,
    #[serde(default)]
    pub(crate) usage_metadata: Option<Counts>,
    #[serde(default, borrow)]
    pub(crate) model_version: Word<'a>,
    #[serde(default, borrow)]
    pub(crate) response_id: Word<'a>,
    #[serde(default, borrow)]
    pub(crate) error: Option<&'a RawValue>,
}

/// Says why a prompt was not answered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PromptFeedback<'a> {
    #[serde(default, borrow)]
    pub(crate) block_reason: Word<'a>,
}

/// One of the answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Candidate<'a> {
    #[serde(default, borrow)]
    pub(crate) content: Option<Content<'a>>,
    #[serde(default, borrow)]
    pub(crate) finish_reason: Word<'a>,
    /// Absent for the first.
    #[serde(default, deserialize_with = "lenient_count")]
    pub(crate) index: Option<u64>,
}

/// What an answer consists of.
#[derive(Deserialize)]
pub(crate) struct Content<'a> {
    #[serde(default, borrow)]
    pub(crate) parts: Option<Vec<&'a RawValue>>,
}

/// A part of a kind that has a unified form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part<'a> {
    #[serde(default, borrow)]
    pub(crate) text: Word<'a>,
    #[serde(default)]
    pub(crate) thought: Option<bool>,
    #[serde(default, borrow)]
    pub(crate) thought_signature: Word<'a>,
    #[serde(default, borrow)]
    pub(crate) function_call: Option<FunctionCall<'a>>,
}

/// A call of a tool, or a piece of one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FunctionCall<'a> {
    #[serde(default, borrow)]
    pub(crate) id: Word<'a>,
    #[serde(default, borrow)]
    pub(crate) name: Word<'a>,
    #[serde(default, borrow)]
    pub(crate) args: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) partial_args: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    pub(crate) will_continue: Option<bool>,
}

/// A string, an enumerator that came as a number, or nothing. Never fails.
#[derive(Default)]
pub(crate) struct Word<'a>(pub(crate) Option<Cow<'a, str>>);

impl Word<'_> {
    /// The text, unless there is none or it is empty.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor).map(Word)
    }
}

struct WordVisitor;

impl<'de> Visitor<'de> for WordVisitor {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// What a `finishReason` means. Clients that asked for it get numbers, by
/// `google/ai/generativelanguage/v1beta/generative_service.proto`.
pub(crate) fn finish_reason(raw: &str) -> FinishReason {
    match raw.to_ascii_uppercase().as_str() {
        "STOP" | "1" => FinishReason::Stop,
        "MAX_TOKENS" | "2" => FinishReason::Length,
        "SAFETY"
        | "3"
        | "RECITATION"
        | "4"
        | "LANGUAGE"
        | "6"
        | "BLOCKLIST"
        | "7"
        | "PROHIBITED_CONTENT"
        | "8"
        | "SPII"
        | "9"
        | "IMAGE_SAFETY"
        | "11"
        | "IMAGE_PROHIBITED_CONTENT"
        | "14"
        | "IMAGE_RECITATION"
        | "17"
        | "MODEL_ARMOR" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "10"
        | "UNEXPECTED_TOOL_CALL"
        | "12"
        | "TOO_MANY_TOOL_CALLS"
        | "13"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE" => FinishReason::Error,
        _ => FinishReason::Other,
    }
}

/// What kind of part this is: the name of its field that holds the data. Nothing if it has none.
pub(crate) fn kind(part: &str) -> Option<String> {
    let fields: BTreeMap<String, IgnoredAny> = serde_json::from_str(part).ok()?;
    fields
        .into_keys()
        .find(|field| !PART_METADATA.contains(&field.as_str()))
}

/// Fields of a part that stand beside its data.
const PART_METADATA: [&str; 6] = [
    "mediaResolution",
    "partMetadata",
    "text",
    "thought",
    "thoughtSignature",
    "videoMetadata",
];

/// The same JSON without the white space between its tokens.
pub(crate) fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_from_anything() {
        let read = |json: &str| {
            serde_json::from_str::<Word<'_>>(json)
                .unwrap()
                .0
                .map(Cow::into_owned)
        };
        assert_eq!(read(r#""STOP""#).as_deref(), Some("STOP"));
        assert_eq!(read(r#""a\nb""#).as_deref(), Some("a\nb"));
        assert_eq!(read("1").as_deref(), Some("1"));
        assert_eq!(read("-1").as_deref(), Some("-1"));
        for json in ["null", "true", "1.5", "[1,[2]]", r#"{"a":{}}"#] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn reasons_are_known_as_words_and_as_numbers() {
        assert_eq!(finish_reason("stop"), FinishReason::Stop);
        assert_eq!(finish_reason("1"), FinishReason::Stop);
        assert_eq!(finish_reason("MAX_TOKENS"), FinishReason::Length);
        assert_eq!(finish_reason("MODEL_ARMOR"), FinishReason::ContentFilter);
        assert_eq!(finish_reason("UNEXPECTED_TOOL_CALL"), FinishReason::Error);
        assert_eq!(finish_reason("SOMETHING_NEW"), FinishReason::Other);
        assert_eq!(
            finish_reason("FINISH_REASON_UNSPECIFIED"),
            FinishReason::Other
        );
    }

    #[test]
    fn only_white_space_between_tokens_goes() {
        assert_eq!(
            compact("{\n  \"a b\": [ 1.50,\r\n\t\"\\\" \\\\\" , { } ]\n}"),
            r#"{"a b":[1.50,"\" \\",{}]}"#
        );
    }
}
