use super::*;

fn message(json: &str) -> Message<'_> {
    serde_json::from_str(json).unwrap()
}

#[test]
fn text_is_borrowed_where_nothing_is_escaped() {
    let message = message(r#"{"content":"plain","refusal":"a\nb"}"#);
    assert!(matches!(
        message.content,
        Some(Content::Text(Cow::Borrowed("plain")))
    ));
    assert_eq!(Str::of(&message.refusal), Some("a\nb"));
}

#[test]
fn arguments_come_as_text_or_as_an_object() {
    for (json, expected) in [
        (r#"{"arguments":"{\"a\":1}"}"#, r#"{"a":1}"#),
        (r#"{"arguments":{"b":2,"a":1}}"#, r#"{"b":2,"a":1}"#),
        (r#"{"arguments":null}"#, ""),
        (r#"{"name":"f"}"#, ""),
        (r#"{"arguments":""}"#, ""),
    ] {
        let function: Function<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(function.arguments(), expected, "{json}");
    }
}

#[test]
fn calls_come_as_a_list_or_alone() {
    let list = message(r#"{"tool_calls":[{"id":7},null,{"index":1}]}"#);
    let calls = list.tool_calls.unwrap().0;
    assert_eq!(calls.len(), 2);
    assert_eq!(Str::of(&calls[0].id), Some("7"));
    let alone = message(r#"{"tool_calls":{"index":0,"function":{"name":"f"}}}"#);
    assert_eq!(alone.tool_calls.unwrap().0.len(), 1);
    assert!(message(r#"{"tool_calls":null}"#).tool_calls.is_none());
}

#[test]
fn usage_is_read_from_where_it_stands() {
    let usage = |json: &str| serde_json::from_str::<Reply<'_>>(json).unwrap().usage();
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
