//! Cohere's first chat API, `/v1/chat`, which is another protocol and not spoken here: what belongs to
//! it is refused with what says the same on `/v2/chat`.

use multillm_plugin_sdk::Error;
use multillm_plugin_sdk::json::Json;

/// Members of a body of `/v1/chat`, and what says the same now.
const MEMBERS: [(&str, &str); 12] = [
    ("message", "a user message"),
    ("chat_history", "messages"),
    ("preamble", "a system message"),
    ("conversation_id", "the messages so far"),
    ("connectors", "a tool, or `documents`"),
    ("search_queries_only", "a tool"),
    ("prompt_truncation", "fewer messages"),
    ("tool_results", "tool messages"),
    ("force_single_step", "nothing: every answer is one step"),
    (
        "citation_quality",
        "`citation_options.mode`, or the setting citation_mode",
    ),
    ("raw_prompting", "nothing: the API has it no more"),
    ("search_options", "a tool"),
];

/// Refuses members of that API among what the caller adds.
///
/// # Errors
///
/// `unsupported` that names the member and the way to `/v2/chat`.
pub(crate) fn refuse(extra: &Json<'_>) -> Result<(), Error> {
    let found = MEMBERS.iter().find(|(name, _)| extra.get(name).is_some());
    match found {
        None => Ok(()),
        Some((name, now)) => Err(Error::unsupported(format!(
            "{name:?} belongs to cohere's /v1/chat, and this is /v2/chat: use {now}"
        ))),
    }
}

/// That an answer is one of that API; nothing if it is not.
pub(crate) fn answered(answer: &Json<'_>) -> Option<Error> {
    let has = |key| answer.get(key).is_some();
    let is_former = has("event_type") || (has("text") && has("generation_id") && !has("message"));
    is_former.then(|| {
        Error::malformed(
            "the server answered as cohere's /v1/chat does, and only /v2/chat is spoken here: let the base URL end before the version",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use multillm_plugin_sdk::ErrorKind;

    #[test]
    fn its_members_are_refused_with_the_way_on() {
        for (name, _) in MEMBERS {
            let extra = format!(r#"{{"{name}":"x"}}"#);
            let error = refuse(&Json::parse(&extra).unwrap()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported);
            assert!(error.message.contains(name) && error.message.contains("/v2/chat"));
        }
        let now = r#"{"documents":[],"message":null,"citation_options":{}}"#;
        assert_eq!(refuse(&Json::parse(now).unwrap()), Ok(()));
    }

    #[test]
    fn its_answers_are_told_by_name() {
        for text in [
            r#"{"text":"Hi","generation_id":"g","chat_history":[]}"#,
            r#"{"is_finished":false,"event_type":"stream-start","generation_id":"g"}"#,
        ] {
            let error = answered(&Json::parse(text).unwrap()).unwrap();
            assert!(error.message.contains("/v1/chat"), "{}", error.message);
        }
        for text in [
            r#"{"message":{},"text":"a","generation_id":"g"}"#,
            r#"{"text":"a"}"#,
            "7",
        ] {
            assert_eq!(answered(&Json::parse(text).unwrap()), None, "{text}");
        }
    }
}
