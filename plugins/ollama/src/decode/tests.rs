//! Whole replies as Ollama sends them.

use multillm_plugin_sdk::{
    ChatResponse, Error, ErrorKind, FinishReason, MediaSource, Part, Provider, Usage,
};

use crate::Ollama;
use crate::tests::{call, response, target, text, thought};

fn decode(body: &str) -> Result<ChatResponse, Error> {
    Ollama::decode(&target("{}"), &response(200, body))
}

#[test]
fn thoughts_then_text_then_calls() {
    let answer = decode(
        r#"{"model":"qwen3:4b-q8","message":{"role":"assistant","thinking":"Hm.","content":"a\u003c/think\u003e",
            "tool_calls":[{"id":"","function":{"index":0,"name":"look","arguments":"{\"x\":1}"}},{}],"images":null},
            "done":true,"done_reason":"stop","logprobs":[]}"#,
    )
    .unwrap();
    assert_eq!(
        (answer.id, answer.model.as_deref()),
        (None, Some("qwen3:4b-q8"))
    );
    assert_eq!(
        answer.content,
        [
            thought("Hm."),
            text("a</think>"),
            call(None, "look", r#"{"x":1}"#),
        ]
    );
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
    assert_eq!(answer.finish.raw.as_deref(), Some("stop"));
}

#[test]
fn metrics_that_are_missing_among_others_are_zero() {
    let usage = |metrics: &str| {
        let body = format!(r#"{{"message":{{"content":""}},"done":true{metrics}}}"#);
        decode(&body).unwrap().usage
    };
    assert_eq!(usage(""), Usage::UNKNOWN);
    for (metrics, prompt, completion) in [
        (r#","prompt_eval_count":5,"eval_count":7.0"#, 5, 7),
        (r#","eval_count":7,"total_duration":12"#, 0, 7),
        (r#","total_duration":12,"eval_count":null"#, 0, 0),
    ] {
        let usage = usage(metrics);
        assert_eq!(
            (
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.total_tokens
            ),
            (Some(prompt), Some(completion), None)
        );
    }
}

#[test]
fn what_was_said_took_tokens() {
    let usage = |metrics: &str| {
        let body = format!(r#"{{"message":{{"content":"x"}},"done":true{metrics}}}"#);
        let usage = decode(&body).unwrap().usage;
        (usage.prompt_tokens, usage.completion_tokens)
    };
    for zeros in [
        r#","prompt_eval_count":0,"eval_count":0"#,
        r#","total_duration":12"#,
    ] {
        assert_eq!(usage(zeros), (None, None), "{zeros}");
    }
    assert_eq!(usage(r#","prompt_eval_count":5"#), (Some(5), None));
    assert_eq!(usage(r#","eval_count":7"#), (Some(0), Some(7)));
    let nonsense = r#","prompt_eval_count":18446744073709551615,"eval_count":7"#;
    assert_eq!(usage(nonsense), (None, Some(7)));
}

#[test]
fn pictures_are_kept_and_nameless_calls_are_not() {
    let answer = decode(
        r#"{"message":{"content":"","images":["iVBORw0KGgo="],
            "tool_calls":[{"id":"a","function":{"name":null,"arguments":null}}]},"done":true,"done_reason":"stop"}"#,
    )
    .unwrap();
    let [Part::Media(picture)] = answer.content.as_slice() else {
        panic!("{:?}", answer.content);
    };
    assert_eq!(
        picture.source,
        MediaSource::Base64("iVBORw0KGgo=".to_owned())
    );
    assert_eq!(picture.media_type.as_deref(), Some("image/png"));
    assert_eq!(answer.finish.reason, FinishReason::Stop);
}

#[test]
fn what_follows_a_prompt_is_an_answer() {
    let body = r#"{"model":"m","created_at":"t","response":"Hi","thinking":"Hm.","done":true,"done_reason":"stop",
        "context":[1,2],"total_duration":9,"load_duration":1,"prompt_eval_count":3,"eval_count":2}"#;
    let answer = decode(body).unwrap();
    assert_eq!(answer.content, [thought("Hm."), text("Hi")]);
    assert_eq!(answer.usage.completion_tokens, Some(2));
    assert_eq!(
        answer.extra.as_deref(),
        Some(r#"{"created_at":"t","context":[1,2],"total_duration":9,"load_duration":1}"#)
    );
    let drawn = decode(r#"{"model":"m","response":"","image":"/9j/AA==","done":true}"#).unwrap();
    let [Part::Media(picture)] = drawn.content.as_slice() else {
        panic!("{:?}", drawn.content);
    };
    assert_eq!(picture.media_type.as_deref(), Some("image/jpeg"));
}

#[test]
fn a_stream_in_place_of_a_whole_reply_is_read() {
    let lines = "{\"model\":\"m\",\"message\":{\"content\":\"Hi\"},\"done\":false}\n\
        {\"model\":\"m\",\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"eval_count\":2}\n";
    let answer = decode(lines).unwrap();
    assert_eq!(answer.content, [text("Hi")]);
    assert_eq!(answer.usage.completion_tokens, Some(2));
    let cut = lines.lines().next().unwrap();
    assert_eq!(decode(cut).unwrap_err().kind, ErrorKind::Truncated);
    let spread = decode("{\n  \"message\": {\"content\": \"Hi\"},\n  \"done\": true\n}");
    assert_eq!(spread.unwrap().content, [text("Hi")]);
}

#[test]
fn arguments_keep_every_digit() {
    let arguments = r#"{"id":123456789012345678901234567890,"x":1.50}"#;
    let answer = decode(&format!(
        r#"{{"message":{{"content":"","tool_calls":[{{"function":{{"name":"f","arguments":{arguments}}}}}]}},"done":true}}"#
    ))
    .unwrap();
    assert_eq!(answer.content, [call(None, "f", arguments)]);
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
            r#"{"model":"m","message":{"content":"x"},"done":true,"error":{"message":"runner died"}}"#,
            "runner died",
        ),
    ] {
        let error = decode(body).unwrap_err();
        assert!(error.message.contains(words), "{error:?}");
        assert_ne!(error.kind, ErrorKind::MalformedResponse, "{body}");
    }
    assert!(decode(r#"{"message":{"content":"x"},"done":true,"error":""}"#).is_ok());
}

#[test]
fn done_reasons() {
    for (raw, calls, reason) in [
        (None, false, FinishReason::Stop),
        (None, true, FinishReason::ToolCalls),
        (Some("stop"), false, FinishReason::Stop),
        (Some("STOP"), true, FinishReason::ToolCalls),
        (Some("length"), true, FinishReason::Length),
        (Some("load"), false, FinishReason::Other),
        (Some("unload"), false, FinishReason::Other),
    ] {
        let finish = super::finish(raw.map(Into::into), calls);
        assert_eq!((finish.reason, finish.raw.as_deref()), (reason, raw));
    }
    assert_eq!(super::finish(Some(String::new()), false).raw, None);
}

#[test]
fn replies_that_are_none() {
    for (body, kind) in [
        ("", ErrorKind::MalformedResponse),
        ("[]", ErrorKind::MalformedResponse),
        ("\"x\"", ErrorKind::MalformedResponse),
        ("{}", ErrorKind::MalformedResponse),
        (r#"{"model":"m"}"#, ErrorKind::MalformedResponse),
        (
            r#"{"message":"text","done":true}"#,
            ErrorKind::MalformedResponse,
        ),
        (
            r#"{"message":{"content":"x"},"done":false}"#,
            ErrorKind::Truncated,
        ),
        (r#"{"error":"something broke"}"#, ErrorKind::Server),
    ] {
        assert_eq!(decode(body).unwrap_err().kind, kind, "{body}");
    }
    let loaded = decode(
        r#"{"model":"m","message":{"role":"assistant","content":""},"done_reason":"load","done":true}"#,
    );
    assert_eq!(loaded.unwrap().content, []);
}
