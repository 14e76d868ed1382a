//! Small things about the vendor's JSON that several files need.

use std::borrow::Cow;

use multillm_plugin_sdk::FinishReason;
use multillm_plugin_sdk::json::Json;

/// Fields of a part that stand beside its data.
const PART_METADATA: [&str; 6] = [
    "mediaResolution",
    "partMetadata",
    "text",
    "thought",
    "thoughtSignature",
    "videoMetadata",
];

/// An object of the members that there are.
pub(crate) fn object<'a>(members: Vec<(&'static str, Option<Json<'a>>)>) -> Json<'a> {
    let present = |(name, value): (&'static str, Option<Json<'a>>)| Some((name.into(), value?));
    Json::Object(members.into_iter().filter_map(present).collect())
}

/// An enumerator: a word, or its number by clients that asked for numbers. Nothing if it is empty.
pub(crate) fn word<'v>(value: &'v Json<'_>, field: &str) -> Option<Cow<'v, str>> {
    match value.get(field)? {
        Json::Text(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Json::Unsigned(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// What kind of part this is: the name of the field that holds its data. Nothing if none does.
pub(crate) fn kind<'v>(part: &'v Json<'_>) -> Option<&'v str> {
    let Json::Object(members) = part else {
        return None;
    };
    members
        .iter()
        .find(|(name, value)| *value != Json::Null && !PART_METADATA.contains(&&**name))
        .map(|(name, _)| &**name)
}

/// What a `finishReason` means; the numbers are those of
/// `google/ai/generativelanguage/v1beta/generative_service.proto`.
pub(crate) fn finish_reason(raw: &str) -> FinishReason {
    match raw.to_ascii_uppercase().as_str() {
        "STOP" | "1" => FinishReason::Stop,
        "MAX_TOKENS" | "2" | "LENGTH" | "MODEL_CONTEXT_WINDOW_EXCEEDED" => FinishReason::Length,
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
        | "MODEL_ARMOR"
        | "JAILBREAK"
        | "CONTENT_FILTER"
        | "SENSITIVE"
        | "REFUSAL" => FinishReason::ContentFilter,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_known_as_words_and_as_numbers() {
        assert_eq!(finish_reason("stop"), FinishReason::Stop);
        assert_eq!(finish_reason("1"), FinishReason::Stop);
        assert_eq!(finish_reason("MAX_TOKENS"), FinishReason::Length);
        assert_eq!(finish_reason("MODEL_ARMOR"), FinishReason::ContentFilter);
        for reason in ["RECITATION", "image_safety", "sensitive", "refusal"] {
            assert_eq!(
                finish_reason(reason),
                FinishReason::ContentFilter,
                "{reason}"
            );
        }
        assert_eq!(
            finish_reason("model_context_window_exceeded"),
            FinishReason::Length
        );
        for reason in ["UNEXPECTED_TOOL_CALL", "MALFORMED_FUNCTION_CALL"] {
            assert_eq!(finish_reason(reason), FinishReason::Error, "{reason}");
        }
        assert_eq!(finish_reason("SOMETHING_NEW"), FinishReason::Other);
        assert_eq!(
            finish_reason("FINISH_REASON_UNSPECIFIED"),
            FinishReason::Other
        );
    }

    #[test]
    fn a_part_is_of_the_kind_of_its_data() {
        let of = |json: &str| kind(&Json::parse(json).unwrap()).map(str::to_owned);
        assert_eq!(
            of(r#"{"thought":true,"inlineData":{"data":""}}"#).as_deref(),
            Some("inlineData")
        );
        for none in [
            r#"{"text":"a","thoughtSignature":"s"}"#,
            r#"{"toolCall":null}"#,
            "7",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
