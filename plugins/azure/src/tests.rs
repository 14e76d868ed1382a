use multillm_plugin_sdk::openai::Auth;
use multillm_plugin_sdk::testing::target;
use multillm_plugin_sdk::{Header, ListModels, Mode, Operation, Provider, Relay};

use super::*;

fn dialect(settings: &str) -> Result<Dialect, Error> {
    Azure::dialect(&target("gpt-4o", settings))
}

/// Path and query of a dialect, as they would follow the endpoint.
fn place(settings: &str) -> (String, Option<String>) {
    let dialect = dialect(settings).unwrap();
    let query = dialect.query.first();
    let query = query.map(|(name, value)| format!("{name}={value}"));
    (dialect.chat_path.segments().join("/"), query)
}

#[test]
fn the_settings_choose_the_api() {
    for (settings, path, query) in [
        ("{}", "openai/v1/chat/completions", None),
        (
            r#"{"api_version":"v1"}"#,
            "openai/v1/chat/completions",
            None,
        ),
        (
            r#"{"api_version":"preview"}"#,
            "openai/v1/chat/completions",
            Some("api-version=preview"),
        ),
        (
            r#"{"api_version":"2024-10-21"}"#,
            "openai/deployments/gpt-4o/chat/completions",
            Some("api-version=2024-10-21"),
        ),
        (
            r#"{"api_version":"2024-10-21","deployment":"mine"}"#,
            "openai/deployments/mine/chat/completions",
            Some("api-version=2024-10-21"),
        ),
        (
            r#"{"api":"models"}"#,
            "models/chat/completions",
            Some("api-version=2024-05-01-preview"),
        ),
    ] {
        let (found, version) = place(settings);
        assert_eq!(
            (found.as_str(), version.as_deref()),
            (path, query),
            "{settings}"
        );
    }
}

#[test]
fn an_api_and_a_version_that_contradict_each_other_are_refused() {
    for settings in [
        r#"{"api":"deployments"}"#,
        r#"{"api":"deployments","api_version":"preview"}"#,
        r#"{"api":"v1","api_version":"2024-10-21"}"#,
    ] {
        let error = dialect(settings).unwrap_err();
        assert!(error.message.contains("api_version"), "{}", error.message);
    }
}

#[test]
fn the_deployment_is_the_model_of_the_v1_api_and_stands_in_the_path_of_the_dated_one() {
    let v1 = dialect(r#"{"deployment":"mine"}"#).unwrap();
    assert_eq!(
        (v1.model.as_deref(), v1.model_in_body),
        (Some("mine"), true)
    );
    let dated = dialect(r#"{"deployment":"mine","api_version":"2024-10-21"}"#).unwrap();
    assert!(!dated.model_in_body);
}

#[test]
fn old_versions_are_spared_what_they_do_not_know() {
    let old = dialect(r#"{"api_version":"2024-02-01"}"#).unwrap();
    assert_eq!(old.max_tokens_field, MaxTokensField::MaxTokens);
    assert!(!old.stream_usage);
    let new = dialect(r#"{"api_version":"2024-09-01-preview"}"#).unwrap();
    assert_eq!(new.max_tokens_field, MaxTokensField::MaxCompletionTokens);
    assert!(new.stream_usage);
}

#[test]
fn the_key_is_an_api_key_unless_it_is_a_token() {
    assert_eq!(
        dialect("{}").unwrap().auth,
        Auth::Header("api-key".to_owned())
    );
    let entra = target("", r#"{"auth":"bearer"}"#);
    let request = Azure::encode_list(&entra, None).unwrap();
    assert_eq!(
        request.headers,
        [Header::api_key("authorization", "Bearer ")]
    );
    assert_eq!(request.path.join("/"), "openai/v1/models");
}

#[test]
fn the_endpoint_must_be_given() {
    let info = <Azure as Provider>::describe();
    assert_eq!(info.default_base_url, None);
    assert_eq!(info.base_url_env, ["AZURE_OPENAI_ENDPOINT"]);
}

#[test]
fn each_api_has_its_own_place_for_every_operation() {
    let v1 = r#"{"deployment":"mine"}"#;
    let dated = r#"{"api_version":"2025-03-01-preview","deployment":"mine"}"#;
    let models = r#"{"api":"models"}"#;
    let version = Some("2025-03-01-preview");
    for (settings, wire, operation, path, query, in_body) in [
        (
            v1,
            "openai-chat",
            Operation::Chat,
            "openai/v1/chat/completions",
            None,
            true,
        ),
        (
            v1,
            "openai-responses",
            Operation::Chat,
            "openai/v1/responses",
            None,
            true,
        ),
        (
            v1,
            "openai-chat",
            Operation::Embeddings,
            "openai/v1/embeddings",
            None,
            true,
        ),
        (
            dated,
            "openai-chat",
            Operation::Chat,
            "openai/deployments/mine/chat/completions",
            version,
            false,
        ),
        (
            dated,
            "openai-responses",
            Operation::Chat,
            "openai/responses",
            version,
            true,
        ),
        (
            dated,
            "openai-chat",
            Operation::Embeddings,
            "openai/deployments/mine/embeddings",
            version,
            false,
        ),
        (
            models,
            "openai-chat",
            Operation::Chat,
            "models/chat/completions",
            Some("2024-05-01-preview"),
            true,
        ),
        (
            models,
            "openai-responses",
            Operation::Chat,
            "openai/v1/responses",
            None,
            true,
        ),
        (
            models,
            "openai-chat",
            Operation::Embeddings,
            "models/embeddings",
            Some("2024-05-01-preview"),
            true,
        ),
    ] {
        let target = Target {
            wire: wire.to_owned(),
            ..target("gpt-4o", settings)
        };
        let route = Azure::route(&target, operation, Mode::Stream).unwrap();
        assert_eq!(route.path.join("/"), path);
        let found = route.query.first().map(|(_, value)| value.as_str());
        assert_eq!((found, !route.model.is_empty()), (query, in_body), "{path}");
        let name = if settings == models { "gpt-4o" } else { "mine" };
        assert_eq!(route.name, name, "{path}");
        assert_eq!(route.headers, [Header::api_key("api-key", "")]);
    }
}
