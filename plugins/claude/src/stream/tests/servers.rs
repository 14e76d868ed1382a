//! What compatible servers send, whole and in pieces, and what an answer costs beyond its tokens.

use multillm_plugin_sdk::testing::response;
use multillm_plugin_sdk::{ChatResponse, ErrorKind, FinishReason, Part, Provider as _};

use super::{around, close, delta, open, run};
use crate::Claude;
use crate::decode::message;
use crate::fixtures::target;

/// The answer of these blocks and this end, read whole and in pieces.
fn both(content: &str, blocks: &[String], reason: &str) -> [ChatResponse; 2] {
    let whole = format!(
        r#"{{"type":"message","content":[{content}],"stop_reason":"{reason}","usage":{{"input_tokens":2411,"output_tokens":90}}}}"#
    );
    [
        message(&whole).unwrap(),
        run(&around(blocks, reason)).unwrap(),
    ]
}

#[test]
fn calls_without_a_name_are_none() {
    let phantom = r#"{"type":"tool_use","id":null,"name":null,"input":null}"#;
    let words = r#"{"type":"text","text":"Hi"}"#;
    let blocks = [
        open(0, words),
        close(0),
        open(1, phantom),
        delta(
            1,
            r#"{"type":"input_json_delta","partial_json":"{\"x\":1}"}"#,
        ),
        close(1),
    ];
    for answer in both(&format!("{words},{phantom}"), &blocks, "tool_use") {
        assert!(
            matches!(answer.content.as_slice(), [Part::Text(text)] if text.text == "Hi"),
            "{:?}",
            answer.content
        );
        assert_eq!(answer.finish.reason, FinishReason::Stop);
    }
}

#[test]
fn digits_of_arguments_are_kept() {
    let arguments = r#"{"id":123456789012345678901234567890,"x":1.50}"#;
    let block = format!(r#"{{"type":"tool_use","id":"t","name":"f","input":{arguments}}}"#);
    for answer in both(&block, &[open(0, &block), close(0)], "tool_use") {
        assert!(
            matches!(answer.content.as_slice(), [Part::ToolCall(call)] if call.arguments == arguments),
            "{:?}",
            answer.content
        );
    }
}

#[test]
fn reasons_of_compatible_servers_are_known() {
    let words = r#"{"type":"text","text":"Hi"}"#;
    for (raw, reason) in [
        ("sensitive", FinishReason::ContentFilter),
        ("model_context_window_exceeded", FinishReason::Length),
        ("refusal", FinishReason::ContentFilter),
    ] {
        for answer in both(words, &[open(0, words), close(0)], raw) {
            assert_eq!(answer.finish.reason, reason);
            assert_eq!(answer.finish.raw.as_deref(), Some(raw));
        }
    }
}

#[test]
fn an_end_in_an_error_is_one() {
    let words = r#"{"type":"text","text":"Hi"}"#;
    let whole =
        format!(r#"{{"type":"message","content":[{words}],"stop_reason":"network_error"}}"#);
    for error in [
        message(&whole).unwrap_err(),
        run(&around(&[open(0, words), close(0)], "network_error")).unwrap_err(),
    ] {
        assert_eq!((error.kind, error.retryable), (ErrorKind::Server, true));
        assert_eq!(error.vendor_code.as_deref(), Some("network_error"));
    }
}

#[test]
fn a_stream_in_place_of_a_whole_answer_is_read() {
    let words = r#"{"type":"text","text":"Hi"}"#;
    let body: String = around(&[open(0, words), close(0)], "end_turn")
        .iter()
        .map(|data| format!("data: {data}\n\n"))
        .collect();
    let read = |body: &str| Claude::decode(&target("claude-x", "{}"), &response(200, body));
    let answer = read(&body).unwrap();
    assert!(matches!(answer.content.as_slice(), [Part::Text(text)] if text.text == "Hi"));
    assert_eq!(answer.usage.completion_tokens, Some(90));
    let cut = body.split(super::STOP).next().unwrap();
    assert_eq!(read(cut).unwrap_err().kind, ErrorKind::Truncated);
}

#[test]
fn errors_in_any_shape_are_told_as_ones() {
    for (body, words) in [
        (
            r#"{"base_resp":{"status_code":1008,"status_msg":"no balance"}}"#,
            "no balance",
        ),
        (
            r#"{"code":500,"msg":"no route","success":false}"#,
            "no route",
        ),
        (
            r#"{"success":false,"errors":[{"code":7009,"message":"cannot route"}],"result":null}"#,
            "cannot route",
        ),
        (
            r#"{"error_code":17,"error_msg":"limit of the day"}"#,
            "limit of the day",
        ),
        (r#"{"error":{"message":"it broke"}}"#, "it broke"),
    ] {
        let begun = around(&[], "end_turn");
        let late = [begun[0].as_str(), body];
        for error in [
            message(body).unwrap_err(),
            run(&[body]).unwrap_err(),
            run(&late).unwrap_err(),
        ] {
            assert!(error.message.contains(words), "{error:?}");
            assert_ne!(error.kind, ErrorKind::Truncated, "{body}");
            assert_ne!(error.kind, ErrorKind::MalformedResponse, "{body}");
        }
    }
}

#[test]
fn zeros_at_the_end_take_no_count_back() {
    let start = r#"{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":1500,"cache_read_input_tokens":200,"output_tokens":1}}}"#;
    let end = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":20}}"#;
    let words = open(0, r#"{"type":"text","text":"Hi"}"#);
    let usage = run(&[start, &words, end, super::STOP]).unwrap().usage;
    assert_eq!(
        (
            usage.prompt_tokens,
            usage.cached_tokens,
            usage.completion_tokens
        ),
        (Some(1700), Some(200), Some(20))
    );
    // what the beginning says of the output is no count of the answer
    let silent = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;
    let usage = run(&[start, &words, silent, super::STOP]).unwrap().usage;
    assert_eq!(
        (usage.prompt_tokens, usage.completion_tokens),
        (Some(1700), None)
    );
}

#[test]
fn what_has_a_price_of_its_own_is_told_at_the_end() {
    let usage = r#"{"input_tokens":5,"output_tokens":7,"service_tier":"priority","server_tool_use":{"web_search_requests":2}}"#;
    let own = r#"{"type":"server_tool_use","id":"s","name":"code_execution","input":{}}"#;
    let whole = format!(
        r#"{{"type":"message","content":[{own}],"stop_reason":"end_turn","usage":{usage}}}"#
    );
    let end = format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn"}},"usage":{usage}}}"#
    );
    let pieces = [open(0, own), close(0), end, super::STOP.to_owned()];
    for answer in [message(&whole).unwrap(), run(&pieces).unwrap()] {
        let [Part::ServerToolCall(call)] = answer.content.as_slice() else {
            panic!("{:?}", answer.content);
        };
        assert_eq!(
            (call.name.as_str(), call.data.as_str()),
            ("code-execution", own)
        );
        assert_eq!(answer.usage.tier.as_deref(), Some("priority"));
        assert_eq!(answer.usage.counted("web-searches"), Some(2));
        assert_eq!(answer.usage.unpriced, ["code execution"]);
        assert_eq!(answer.usage.completion_tokens, Some(7));
    }
}
