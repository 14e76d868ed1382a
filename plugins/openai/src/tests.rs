use multillm_plugin_sdk::openai::{CallIds, MaxTokensField, ReasoningHistory};
use multillm_plugin_sdk::testing::{self, response};
use multillm_plugin_sdk::{ListModels, Method, Provider};

use super::*;

fn target(settings: &str) -> Target {
    testing::target("gpt-4o", settings)
}

#[test]
fn who_is_billed_goes_into_the_headers() {
    let target = target(r#"{"organization":"org-1","project":"proj_2"}"#);
    let request = OpenAi::encode_list(&target, None).unwrap();
    assert_eq!(
        request.headers,
        [
            Header::api_key("authorization", "Bearer "),
            Header::plain("openai-organization", "org-1"),
            Header::plain("openai-project", "proj_2"),
        ]
    );
    assert_eq!(
        (request.method, request.path),
        (Method::Get, vec!["models".to_owned()])
    );
}

#[test]
fn a_compatible_server_is_described_by_settings_alone() {
    let mistral = target(
        r#"{"max_tokens_field":"max_tokens","seed_field":"random_seed","stream_usage":false,
            "short_call_ids":true,"reasoning_history":"tool_calls"}"#,
    );
    let dialect = OpenAi::dialect(&mistral).unwrap();
    assert_eq!(dialect.max_tokens_field, MaxTokensField::MaxTokens);
    assert_eq!(dialect.seed_field, "random_seed");
    assert!(!dialect.stream_usage);
    assert_eq!(dialect.call_ids, CallIds::NineAlphanumeric);
    assert_eq!(dialect.reasoning_history, ReasoningHistory::ToolCalls);
}

#[test]
fn a_server_of_ones_own_gets_no_key() {
    let request = OpenAi::encode_list(&target(r#"{"auth":"none"}"#), None).unwrap();
    assert_eq!(request.headers, []);
}

#[test]
fn settings_that_do_not_fit_fail_the_question_but_never_the_reading_of_an_error() {
    let target = target(r#"{"auth":7}"#);
    assert!(
        OpenAi::encode_list(&target, None)
            .unwrap_err()
            .message
            .contains("auth")
    );
    let error = OpenAi::decode_error(&target, &response(401, ""));
    assert_eq!(error.status, Some(401));
}

#[test]
fn no_setting_is_described_twice() {
    let mut names: Vec<String> = OpenAi::describe()
        .settings
        .into_iter()
        .map(|s| s.name)
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}
