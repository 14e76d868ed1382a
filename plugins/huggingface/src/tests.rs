use multillm_plugin_sdk::testing::{self, response};
use multillm_plugin_sdk::{ChatEvent, ListModels, Provider};

use super::*;

fn target(settings: &str) -> Target {
    testing::target("org/model:provider", settings)
}

fn failure(status: u16, body: &str) -> Error {
    HuggingFace::decode_error(&target("{}"), &response(status, body))
}

fn stream(data: &[&str]) -> (Vec<ChatEvent>, Result<(), Error>) {
    testing::stream::<<HuggingFace as Provider>::Decoder>(&target("{}"), data)
}

#[test]
fn a_cold_model_says_how_long_to_wait() {
    let error = failure(
        503,
        r#"{"error":"Model m is currently loading","estimated_time":20.0}"#,
    );
    assert_eq!((error.kind, error.retryable), (ErrorKind::Overloaded, true));
    assert_eq!(error.retry_after_ms, Some(20_000));
}

#[test]
fn the_servers_own_kinds_are_understood() {
    for (status, body, kind, retryable) in [
        (
            424,
            r#"{"error":"Request failed during generation","error_type":"generation"}"#,
            ErrorKind::Server,
            true,
        ),
        (
            422,
            r#"{"error":"Template error: no","error_type":"template_error"}"#,
            ErrorKind::InvalidRequest,
            false,
        ),
        (
            500,
            r#"{"error":"overloaded"}"#,
            ErrorKind::Overloaded,
            true,
        ),
        (
            402,
            r#"{"error":"You have exceeded your monthly included credits"}"#,
            ErrorKind::Billing,
            false,
        ),
        (
            401,
            "<!doctype html><title>401</title>",
            ErrorKind::Authentication,
            false,
        ),
        (
            422,
            "Failed to deserialize the JSON body: missing field `messages`",
            ErrorKind::InvalidRequest,
            false,
        ),
    ] {
        let error = failure(status, body);
        assert_eq!((error.kind, error.retryable), (kind, retryable), "{body}");
    }
}

#[test]
fn an_error_may_be_the_only_event_of_a_success() {
    let long = r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 9. Given: 8 and 2","error_type":"validation"}"#;
    for (data, kind) in [
        (long, ErrorKind::ContextLength),
        (
            r#"{"error":"Input validation error: `top_p` must be > 0.0","error_type":"validation"}"#,
            ErrorKind::InvalidRequest,
        ),
        (
            r#"{"error":{"message":"m","type":"server_error"}}"#,
            ErrorKind::Server,
        ),
    ] {
        let (_, end) = stream(&[data]);
        assert_eq!(end.unwrap_err().kind, kind, "{data}");
    }
}

#[test]
fn a_stream_may_end_without_its_marker_once_it_said_why_it_stopped() {
    let text = r#"{"id":"","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}"#;
    let last =
        r#"{"id":"","choices":[{"index":0,"delta":{"content":"y"},"finish_reason":"eos_token"}]}"#;
    assert_eq!(stream(&[text]).1.unwrap_err().kind, ErrorKind::Truncated);
    let (events, end) = stream(&[text, last]);
    assert!(end.is_ok());
    assert_eq!(events.last(), Some(&ChatEvent::Done));
}

#[test]
fn an_organization_may_be_billed() {
    let request = HuggingFace::encode_list(&target(r#"{"bill_to":"acme"}"#), None).unwrap();
    assert!(
        request
            .headers
            .contains(&Header::plain("x-hf-bill-to", "acme"))
    );
}
