//! Whole replies as Cohere sends them.

use multillm_plugin_sdk::{
    ChatResponse, Citation, CitationSource, Error, ErrorKind, FinishReason, Opaque, Part, Provider,
    Text, Usage,
};

use crate::Cohere;
use crate::tests::{call, response, target, text, thought};

fn decode(body: &str) -> Result<ChatResponse, Error> {
    Cohere::decode(&target("{}"), &response(200, body))
}

#[test]
fn blocks_then_plan_then_calls() {
    let answer = decode(
        r#"{"id":"a","message":{"role":"assistant","content":[
            {"type":"thinking","thinking":"Hm."},{"type":"thinking","thinking":""},
            {"type":"hologram","text":"?"},
            {"type":"text","text":"One "},{"type":"text","text":"moment."}],
            "tool_plan":"I will look.","citations":[{"start":0,"end":3,"text":"One","sources":[]}],
            "tool_calls":[{"id":"look_1","type":"function","function":{"name":"look","arguments":"null"}},
                          {"id":"","function":{"name":"look","arguments":{"x": 1}}}]},
            "finish_reason":"TOOL_CALL","logprobs":null}"#,
    )
    .unwrap();
    let cited = Citation {
        source: CitationSource::Unknown,
        title: None,
        cited_text: None,
        start: Some(0),
        end: Some(3),
        extra: Some(r#"{"start":0,"end":3,"text":"One","sources":[]}"#.into()),
    };
    let Some((Part::ToolCall(bare), others)) = answer.content.split_last() else {
        panic!("{:?}", answer.content);
    };
    assert_eq!(
        others,
        [
            thought("Hm.", Some("thinking")),
            Part::Opaque(Opaque {
                kind: "hologram".into(),
                data: r#"{"type":"hologram","text":"?"}"#.into(),
            }),
            Part::Text(Text {
                citations: vec![cited],
                ..Text::new("One moment.")
            }),
            thought("I will look.", None),
            call("look_1", "look", "{}"),
        ]
    );
    assert_eq!(
        (bare.id.as_deref(), bare.arguments.as_str()),
        (None, r#"{"x": 1}"#)
    );
    assert_eq!(answer.model.as_deref(), Some("command-z"));
    assert_eq!(answer.usage, Usage::UNKNOWN);
}

#[test]
fn usage_is_what_the_model_counted_and_not_what_is_billed() {
    let usage = |usage: &str| {
        decode(&format!(
            r#"{{"message":{{"content":[]}},"usage":{usage}}}"#
        ))
        .unwrap()
        .usage
    };
    let full = usage(
        r#"{"billed_units":{"input_tokens":5,"output_tokens":1},"tokens":{"input_tokens":71.0,"output_tokens":2,"image_tokens":9},"cached_tokens":0}"#,
    );
    assert_eq!(
        (full.prompt_tokens, full.completion_tokens),
        (Some(71), Some(2))
    );
    assert_eq!((full.cached_tokens, full.total_tokens), (Some(0), None));
    for nothing in [
        "null",
        "{}",
        r#"{"tokens":null}"#,
        r#"{"billed_units":{"input_tokens":5}}"#,
    ] {
        assert_eq!(usage(nothing), Usage::UNKNOWN, "{nothing}");
    }
}

#[test]
fn thoughts_are_counted_and_zeros_are_not() {
    let answer = |usage: &str| {
        decode(&format!(
            r#"{{"message":{{"content":[{{"type":"text","text":"Hi"}}]}},"usage":{usage}}}"#
        ))
        .unwrap()
    };
    let thought = r#"{"tokens":{"input_tokens":7,"output_tokens":90,"reasoning_tokens":80}}"#;
    assert_eq!(answer(thought).usage.reasoning_tokens, Some(80));
    let zeros = r#"{"tokens":{"input_tokens":0,"output_tokens":0}}"#;
    assert_eq!(answer(zeros).usage, Usage::UNKNOWN);
    let unbilled = r#"{"billed_units":{"input_tokens":0,"output_tokens":0},"tokens":{"input_tokens":0,"output_tokens":0}}"#;
    assert!(answer(unbilled).usage.is_plain(), "nothing is billed apart");
    let silent = answer(r#"{"tokens":{"input_tokens":7,"output_tokens":0}}"#).usage;
    assert_eq!(
        (silent.prompt_tokens, silent.completion_tokens),
        (Some(7), None)
    );
    let none = answer(r#"{"billed_units":{"search_units":0}}"#).usage;
    assert!(none.is_plain(), "{none:?}");
    let searched = answer(r#"{"billed_units":{"search_units":2}}"#);
    assert_eq!(searched.usage.counted("search-units"), Some(2));
}

#[test]
fn an_end_in_an_error_is_one() {
    for (raw, kind) in [
        ("ERROR", ErrorKind::Server),
        ("timeout", ErrorKind::Timeout),
    ] {
        let error = decode(&format!(
            r#"{{"message":{{"content":[{{"type":"text","text":"x"}}]}},"finish_reason":"{raw}"}}"#
        ))
        .unwrap_err();
        assert_eq!((error.kind, error.retryable), (kind, true));
        assert_eq!(error.vendor_code.as_deref(), Some(raw));
    }
}

#[test]
fn a_stream_in_place_of_a_whole_reply_is_read() {
    let body = "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"Hi\"}}}}\n\n\
        event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\"}}\n\ndata: [DONE]\n\n";
    assert_eq!(decode(body).unwrap().content, [text("Hi")]);
    let cut = body.split("event: message-end").next().unwrap();
    assert_eq!(decode(cut).unwrap_err().kind, ErrorKind::Truncated);
}

#[test]
fn what_is_paid_is_what_is_billed() {
    let answer = decode(
        r#"{"message":{"content":[]},"usage":{"billed_units":{"input_tokens":5.0,"output_tokens":2},
            "tokens":{"input_tokens":71,"output_tokens":9}}}"#,
    )
    .unwrap();
    let paid = ["billed-input-tokens", "billed-output-tokens"];
    assert_eq!(
        paid.map(|name| answer.usage.counted(name)),
        [Some(5), Some(2)]
    );
    assert_eq!(answer.usage.prompt_tokens, Some(71));
    let nothing_in = decode(
        r#"{"message":{"content":[]},"usage":{"billed_units":{"input_tokens":0,"output_tokens":2}}}"#,
    );
    let usage = nothing_in.unwrap().usage;
    assert_eq!(paid.map(|name| usage.counted(name)), [Some(0), Some(2)]);
    let alike = decode(
        r#"{"message":{"content":[]},"usage":{"billed_units":{"input_tokens":71,"output_tokens":9},
            "tokens":{"input_tokens":71,"output_tokens":9}}}"#,
    );
    assert!(alike.unwrap().usage.is_plain());
}

#[test]
fn calls_without_a_name_are_none() {
    let answer = decode(
        r#"{"message":{"content":[{"type":"text","text":"Hi"}],"tool_calls":[
            {"id":null,"type":"function","function":{"name":null,"arguments":null}},{"id":"a"}]},
            "finish_reason":"TOOL_CALL"}"#,
    )
    .unwrap();
    assert_eq!(answer.content, [text("Hi")]);
    assert_eq!(answer.finish.reason, FinishReason::Stop);
}

#[test]
fn an_error_in_any_shape_is_told_as_one() {
    for (body, words) in [
        (
            r#"{"code":500,"msg":"no route","success":false}"#,
            "no route",
        ),
        (
            r#"{"success":false,"errors":[{"code":7009,"message":"cannot route"}],"result":null}"#,
            "cannot route",
        ),
        (
            r#"{"base_resp":{"status_code":1008,"status_msg":"no balance"}}"#,
            "no balance",
        ),
        (
            r#"{"error_code":17,"error_msg":"limit of the day"}"#,
            "limit of the day",
        ),
        (
            r#"{"message":"model 'x' not found"}"#,
            "model 'x' not found",
        ),
    ] {
        let error = decode(body).unwrap_err();
        assert!(error.message.contains(words), "{error:?}");
        assert_ne!(error.kind, ErrorKind::MalformedResponse, "{body}");
    }
}

#[test]
fn finish_reasons() {
    for (raw, calls, reason) in [
        ("COMPLETE", false, FinishReason::Stop),
        ("complete", true, FinishReason::ToolCalls),
        ("STOP_SEQUENCE", false, FinishReason::Stop),
        ("MAX_TOKENS", true, FinishReason::Length),
        ("TOOL_CALL", true, FinishReason::ToolCalls),
        ("ERROR_TOXIC", false, FinishReason::ContentFilter),
        ("ERROR_LIMIT", true, FinishReason::Length),
        ("WANDERED_OFF", false, FinishReason::Other),
    ] {
        let finish = super::finish(Some(raw.into()), calls);
        assert_eq!((finish.reason, finish.raw.as_deref()), (reason, Some(raw)));
    }
    let unsaid = super::finish(None, true);
    assert_eq!((unsaid.reason, unsaid.raw), (FinishReason::ToolCalls, None));
}

#[test]
fn a_cut_off_call_keeps_its_text() {
    let answer = decode(
        r#"{"message":{"tool_calls":[{"id":"c","function":{"name":"look","arguments":"{\"x\": \"ab"}}]},"finish_reason":"MAX_TOKENS"}"#,
    )
    .unwrap();
    assert_eq!(answer.content, [call("c", "look", r#"{"x": "ab"#)]);
    assert_eq!(answer.finish.reason, FinishReason::Length);
}

#[test]
fn what_is_no_reply_is_malformed() {
    for body in [
        "",
        "<html>",
        "[]",
        "\"x\"",
        "7",
        "{}",
        r#"{"message":null}"#,
        r#"{"message":[[]]}"#,
        r#"{"id":7,"message":{}}"#,
    ] {
        let error = decode(body).unwrap_err();
        assert_eq!(error.kind, ErrorKind::MalformedResponse, "{body}");
    }
}

#[test]
fn an_error_in_a_success_is_that_error() {
    let flat = decode(r#"{"id":"a","message":"internal error"}"#).unwrap_err();
    assert_eq!(
        (flat.kind, flat.message.as_str()),
        (ErrorKind::Server, "internal error")
    );
    let ended = decode(
        r#"{"message":{"content":[{"type":"text","text":"x"}]},"finish_reason":"ERROR","error":"bad tool","error_type":"INVALID_TOOL_GENERATION"}"#,
    )
    .unwrap_err();
    assert_eq!(
        ended.vendor_code.as_deref(),
        Some("INVALID_TOOL_GENERATION")
    );
    let nested = decode(r#"{"error":{"message":"by a proxy","code":7}}"#).unwrap_err();
    assert_eq!(
        (nested.kind, nested.message.as_str()),
        (ErrorKind::Server, "by a proxy")
    );
    for none in ["null", r#""""#, "{}"] {
        let body = format!(r#"{{"message":{{"content":"x"}},"error":{none}}}"#);
        assert_eq!(decode(&body).unwrap().content, [text("x")], "{none}");
    }
}

#[test]
fn blocks_without_a_type_are_what_they_hold() {
    let answer = decode(r#"{"message":{"content":[{"thinking":"Hm."},{"text":"Hi"}]}}"#).unwrap();
    assert_eq!(
        answer.content,
        [thought("Hm.", Some("thinking")), text("Hi")]
    );
}
