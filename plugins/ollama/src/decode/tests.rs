//! Whole replies as Ollama sends them.

use multillm_plugin_sdk::{ChatResponse, Error, ErrorKind, FinishReason, Provider, Usage};

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
            call(None, "", "{}"),
        ]
    );
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
    assert_eq!(answer.finish.raw.as_deref(), Some("stop"));
}

#[test]
fn metrics_that_are_missing_among_others_are_zero() {
    let usage = |metrics: &str| {
        let body = format!(r#"{{"message":{{"content":"x"}},"done":true{metrics}}}"#);
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
