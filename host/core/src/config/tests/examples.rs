//! The configurations that come with the program, and their schema.

use std::path::{Path, PathBuf};

use super::super::{Config, Env};

/// The example of configurations for compatible servers.
pub(super) const EXAMPLE: &str =
    include_str!("../../../../../configs/examples/openai_compatible.json");

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs")
}

fn load(name: &str) -> Config {
    let env = Env::default();
    Config::load(&configs().join(name), &env).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_default_configuration_has_the_models_that_people_know() {
    let config = load("multi_llm_config.json");
    for name in [
        "gpt-4",
        "gpt-3.5-turbo",
        "gemini-pro",
        "gemini-pro-vision",
        "claude-3-opus",
        "claude-3-sonnet",
        "claude-3-haiku",
        "llama2-7b",
        "llama2-13b",
        "codellama",
        "mistral-7b",
        "azure-gpt-4",
        "cohere-command",
        "huggingface-llama",
    ] {
        assert!(
            config.model(name).is_some_and(|model| model.enabled),
            "{name}"
        );
    }
    assert_eq!(config.plugin_dir, configs().join("plugins"));
    assert_eq!(config.providers.len(), 7);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let local = config.model("qwen3").unwrap();
    assert!(local.prices.as_ref().unwrap().is_free());
}

#[test]
fn the_example_of_compatible_servers_is_right() {
    let config = load("examples/openai_compatible.json");
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    for provider in config.providers.values() {
        assert_eq!(provider.plugin.name, "openai");
        assert!(!provider.endpoint.customary, "{}", provider.name);
    }
}

#[test]
fn the_schema_that_editors_use_is_current() {
    let text = std::fs::read_to_string(configs().join("multi_llm_config.schema.json")).unwrap();
    let committed: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        committed,
        Config::schema(),
        "run: multillm config schema > configs/multi_llm_config.schema.json"
    );
}

#[test]
fn every_key_of_the_schema_is_described() {
    fn check(place: &str, schema: &serde_json::Value) {
        let properties = schema.get("properties").and_then(|value| value.as_object());
        for (key, value) in properties.into_iter().flatten() {
            assert!(value.get("description").is_some(), "{place}.{key}");
        }
    }
    let schema = Config::schema();
    check("", &schema);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        check(name, definition);
        assert!(definition.get("description").is_some(), "{name}");
    }
}
