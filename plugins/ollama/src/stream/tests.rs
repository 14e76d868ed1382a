//! What streams do beside saying what a whole reply says.

use multillm_plugin_sdk::{ErrorKind, FinishReason, Usage};

use crate::tests::{read, text};

const HI: &str = r#"{"model":"m","message":{"role":"assistant","content":"Hi"},"done":false}"#;

#[test]
fn an_error_line_ends_the_stream() {
    for (line, kind, retryable) in [
        (
            r#"{"error":"an error was encountered while running the model"}"#,
            ErrorKind::Server,
            true,
        ),
        (
            r#"{"error":"model 'm' not found"}"#,
            ErrorKind::NotFound,
            false,
        ),
        (
            r#"{"error":"unauthorized","signin_url":"https://ollama.com/connect"}"#,
            ErrorKind::Authentication,
            false,
        ),
        (
            r#"{"error":"prompt too long; exceeded max context length by 4 tokens"}"#,
            ErrorKind::ContextLength,
            false,
        ),
        (
            r#"{"error":{"message":"server busy, please try again"}}"#,
            ErrorKind::Overloaded,
            true,
        ),
        (r#"{"error":7}"#, ErrorKind::Server, true),
    ] {
        for lines in [&[line][..], &[HI, line]] {
            let error = read(lines).unwrap_err();
            assert_eq!(
                (error.kind, error.retryable, error.status),
                (kind, retryable, None)
            );
        }
    }
}

#[test]
fn a_last_line_may_have_text_and_no_metrics() {
    let answer = read(&[
        HI,
        r#"{"error":null,"message":{"content":"!"},"done":true}"#,
        "never read",
    ])
    .unwrap();
    assert_eq!(answer.content, [text("Hi!")]);
    assert_eq!(answer.usage, Usage::UNKNOWN);
    assert_eq!(Some(answer.finish.reason), Some(FinishReason::Stop));
}

#[test]
fn unknown_lines_are_passed_over() {
    let answer = read(&[
        r#"{"status":"loading"}"#,
        r#"{"message":null,"done":false}"#,
        HI,
        r#"{"done":true,"done_reason":"length","total_duration":1,"eval_count":1}"#,
    ])
    .unwrap();
    assert_eq!(answer.content, [text("Hi")]);
    assert_eq!(answer.model.as_deref(), Some("m"));
    let usage = answer.usage;
    assert_eq!(
        (usage.prompt_tokens, usage.completion_tokens),
        (Some(0), Some(1))
    );
}

#[test]
fn what_is_no_line_is_malformed() {
    for line in ["{", "[]", "data: {}", r#"{"message":{"content":7}}"#] {
        let error = read(&[HI, line]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::MalformedResponse, "{line}");
    }
}

#[test]
fn a_prompt_is_answered_in_lines_and_probabilities_are_gathered() {
    let answer = read(&[
        r#"{"model":"m","response":"H","logprobs":[{"token":"H","logprob":-0.5}],"done":false}"#,
        r#"{"model":"m","response":"i","logprobs":[{"token":"i","logprob":-1}],"done":false}"#,
        r#"{"model":"m","response":"","done":true,"done_reason":"stop","context":[7],"total_duration":1,"eval_count":2}"#,
    ])
    .unwrap();
    assert_eq!(answer.content, [text("Hi")]);
    assert_eq!(
        answer.extra.as_deref(),
        Some(
            r#"{"context":[7],"total_duration":1,"logprobs":[{"token":"H","logprob":-0.5},{"token":"i","logprob":-1}]}"#
        )
    );
}
