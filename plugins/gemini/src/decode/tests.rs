//! Whole answers.

use multillm_plugin_sdk::{ErrorKind, FinishReason, Part, Usage};

use super::*;
use crate::tests::{signed, stream};

#[test]
fn a_whole_answer_equals_its_streamed_pieces() {
    let first = r#"{"candidates":[{"content":{"parts":[{"text":"think ","thought":true}]}}],
        "usageMetadata":{"promptTokenCount":3,"totalTokenCount":3},"responseId":"r","modelVersion":"m"}"#;
    let second = r#"{"candidates":[{"content":{"parts":[{"text":"twice","thought":true},{"text":"so"},
        {"text":" be it"},{"functionCall":{"name":"f","args":{"k":[1, 2]}},"thoughtSignature":"cw=="}]}}],
        "responseId":"r","modelVersion":"m"}"#;
    let third = r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"ZQ=="}]},"finishReason":"STOP"}],
        "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":6,"totalTokenCount":9}}"#;
    let whole = r#"{
        "candidates": [{
            "content": {"parts": [
                {"text": "think twice", "thought": true}, {"text": "so be it"},
                {"functionCall": {"name": "f", "args": {"k": [1, 2]}}, "thoughtSignature": "cw=="},
                {"text": "", "thoughtSignature": "ZQ=="}
            ], "role": "model"},
            "finishReason": "STOP", "index": 0
        }],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 6, "totalTokenCount": 9},
        "modelVersion": "m", "responseId": "r"
    }"#;
    let streamed = assemble(stream(&[first, second, third]).unwrap());
    assert_eq!(answer(whole).unwrap(), streamed);
    let array = format!("[{first}\r\n,\r\n{second},{third}]");
    assert_eq!(answer(&array).unwrap(), streamed);
    assert_eq!(streamed.content.len(), 4);
}

#[test]
fn every_part_of_a_reply_may_be_missing() {
    for (body, reason, raw) in [
        (
            r#"{"promptFeedback":{"blockReason":"SAFETY","blockReasonMessage":"no"}}"#,
            FinishReason::ContentFilter,
            Some("SAFETY"),
        ),
        (
            r#"{"candidates":[{"finishReason":"MODEL_ARMOR"}]}"#,
            FinishReason::ContentFilter,
            Some("MODEL_ARMOR"),
        ),
        (
            r#"{"candidates":[{"content":{},"finishReason":"SAFETY"}]}"#,
            FinishReason::ContentFilter,
            Some("SAFETY"),
        ),
        (
            r#"{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS","index":0}]}"#,
            FinishReason::Length,
            Some("MAX_TOKENS"),
        ),
        (
            r#"{"candidates":[{"content":{"parts":null},"finishReason":"STOP"}]}"#,
            FinishReason::Stop,
            Some("STOP"),
        ),
        (
            r#"{"candidates":[{"content":null,"finishReason":"NO_IMAGE"}],"usageMetadata":null}"#,
            FinishReason::Other,
            Some("NO_IMAGE"),
        ),
        (
            r#"{"usageMetadata":{"trafficType":"ON_DEMAND"},"modelVersion":"m"}"#,
            FinishReason::Other,
            None,
        ),
    ] {
        let answer = answer(body).unwrap();
        assert_eq!(answer.content, [], "{body}");
        assert_eq!(answer.finish.reason, reason, "{body}");
        assert_eq!(answer.finish.raw.as_deref(), raw, "{body}");
        assert_eq!(answer.usage, Usage::UNKNOWN, "{body}");
    }
}

#[test]
fn the_first_candidate_is_read_also_where_none_has_an_index() {
    let text = |words: &str| format!(r#"{{"content":{{"parts":[{{"text":"{words}"}}]}}"#);
    for (first, second) in [("", ""), ("", r#","index":1"#), (r#","index":0"#, "")] {
        let body = format!(
            r#"{{"candidates":[{}{first},"finishReason":"STOP"}},{}{second},"finishReason":"SAFETY"}}]}}"#,
            text("one"),
            text("two")
        );
        let answer = answer(&body).unwrap();
        assert_eq!(answer.content, [signed("one", None)], "{body}");
        assert_eq!(answer.finish.reason, FinishReason::Stop, "{body}");
    }
}

#[test]
fn adjacent_text_is_one_part_and_thoughts_are_apart() {
    let answer = answer(
        r#"{"candidates":[{"content":{"parts":[{"text":"a"},{"text":"b"},{"text":"c","thoughtSignature":"cw=="},{"text":"d"}]},"finishReason":"STOP"}]}"#,
    )
    .unwrap();
    assert_eq!(
        answer.content,
        [signed("abc", Some("cw==")), signed("d", None)]
    );
}

#[test]
fn a_call_without_a_reason_waits_for_its_tool() {
    let answer =
        answer(r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]}"#)
            .unwrap();
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
    assert!(matches!(answer.content.as_slice(), [Part::ToolCall(_)]));
}

#[test]
fn an_error_inside_a_success_is_that_error() {
    for body in [
        r#"{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}"#,
        r#"[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},{"error":{"code":429,"message":"slow down"}}]"#,
    ] {
        let error = answer(body).unwrap_err();
        assert_eq!(
            (error.kind, error.status),
            (ErrorKind::RateLimited, Some(429))
        );
        assert_eq!(error.message, "slow down");
    }
}

#[test]
fn what_is_no_answer_is_malformed_and_a_cut_array_is_truncated() {
    for body in [
        "",
        "{}",
        "[]",
        "\"x\"",
        "<html></html>",
        r#"{"choices":[]}"#,
        r#"{"modelVersion":"m"}"#,
        "[{}]",
    ] {
        assert_eq!(
            answer(body).unwrap_err().kind,
            ErrorKind::MalformedResponse,
            "{body}"
        );
    }
    let array = r#"[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}]"#;
    assert_eq!(answer(array).unwrap_err().kind, ErrorKind::Truncated);
}
