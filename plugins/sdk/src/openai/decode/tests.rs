use super::super::fixtures::whole;
use super::*;
use crate::{ErrorKind, FinishReason, Part};

fn read(body: &str) -> Result<ChatResponse, Error> {
    whole("", body)
}

#[test]
fn an_answer_may_be_empty() {
    let answer = read(
        r#"{"id":"c","choices":[{"message":{"content":""},"finish_reason":"length"}],
            "usage":{"completion_tokens":16,"completion_tokens_details":{"reasoning_tokens":16}}}"#,
    )
    .unwrap();
    assert_eq!(answer.content, []);
    assert_eq!(answer.finish.reason, FinishReason::Length);
    assert_eq!(answer.usage.reasoning_tokens, Some(16));
    assert_eq!(answer.usage.prompt_tokens, None);
}

#[test]
fn a_filtered_choice_may_lack_its_message() {
    let answer = read(
        r#"{"choices":[{"index":0,"finish_reason":"content_filter",
            "content_filter_results":{"hate":{"filtered":true,"severity":"high"}}}]}"#,
    )
    .unwrap();
    assert_eq!(answer.finish.reason, FinishReason::ContentFilter);
    assert_eq!(answer.content, []);
}

#[test]
fn the_choice_numbered_zero_is_the_answer() {
    let answer = read(
        r#"{"choices":[{"index":1,"message":{"content":"b"},"finish_reason":"stop"},
            {"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}"#,
    )
    .unwrap();
    assert!(matches!(answer.content.as_slice(), [Part::Text(text)] if text.text == "a"));
}

#[test]
fn calls_keep_their_order_and_no_two_have_the_same_id() {
    let answer = read(
        r#"{"choices":[{"message":{"content":"Both.","tool_calls":[
            {"id":"0","type":"function","function":{"name":"f","arguments":{"a":1}}},
            {"id":0,"type":"function","function":{"name":"f","arguments":"null"}}]},
            "finish_reason":"stop"}]}"#,
    )
    .unwrap();
    let [Part::Text(_), Part::ToolCall(first), Part::ToolCall(second)] = answer.content.as_slice()
    else {
        panic!("{answer:?}");
    };
    assert_eq!(
        (first.id.as_deref(), first.arguments.as_str()),
        (Some("0"), r#"{"a":1}"#)
    );
    assert_eq!(
        (second.id.as_deref(), second.arguments.as_str()),
        (None, "{}")
    );
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
}

#[test]
fn finish_reasons_are_known_in_any_case() {
    for (raw, reason) in [
        ("STOP", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("Length", FinishReason::Length),
        ("content_filter", FinishReason::ContentFilter),
        ("model_context_window_exceeded", FinishReason::Length),
        ("repetition", FinishReason::Other),
    ] {
        let body = format!(r#"{{"choices":[{{"message":{{}},"finish_reason":"{raw}"}}]}}"#);
        let finish = read(&body).unwrap().finish;
        assert_eq!((finish.reason, finish.raw.as_deref()), (reason, Some(raw)));
    }
    let silent = read(r#"{"choices":[{"message":{"content":"x"},"finish_reason":null}]}"#);
    assert_eq!(silent.unwrap().finish.reason, FinishReason::Other);
}

#[test]
fn an_error_may_come_with_a_status_of_success() {
    let error = read(
        r#"{"error":{"message":"Filtered.","type":null,"param":"prompt","code":"content_filter","status":400,
            "innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
    )
    .unwrap_err();
    assert_eq!(error.kind, ErrorKind::ContentFiltered);
    assert_eq!(error.status, Some(400));
    assert!(!error.retryable);
}

#[test]
fn what_holds_no_answer_is_malformed() {
    for body in [
        "",
        "<html>",
        "[]",
        "\"x\"",
        "{}",
        r#"{"choices":[]}"#,
        r#"{"choices":[{}]}"#,
        r#"{"choices":null,"id":"c"}"#,
    ] {
        assert_eq!(
            read(body).unwrap_err().kind,
            ErrorKind::MalformedResponse,
            "{body}"
        );
    }
}
