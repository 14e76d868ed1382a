//! What right configurations become.

use std::path::Path;
use std::time::Duration;

use rust_decimal::Decimal;
use secrecy::ExposeSecret as _;

use super::super::{Env, Header, Proxy, SecretSource, Strategy, Wasi};
use super::config;
use crate::chat::{ReasoningEffort, Unsupported};

/// Written as the program's users know it: one flat entry for each model, nulls, old names.
const FLAT: &str = r#"{
  "default_model": "gpt-4",
  "models": {
    "gpt-4": {
      "provider": "openai", "model_name": "gpt-4", "api_key_env": "OPENAI_API_KEY", "base_url": null,
      "max_tokens": 8192, "temperature": 0.7, "top_p": 1.0, "cost_per_1k_tokens": 0.03, "enabled": true
    },
    "gemini-pro": { "provider": "google", "model_name": "gemini-pro", "api_key_env": "GOOGLE_API_KEY" },
    "claude-3-opus": { "provider": "anthropic", "model_name": "claude-3-opus-20240229", "enabled": false },
    "llama2-7b": {
      "provider": "ollama", "model_name": "llama2:7b", "api_key_env": null,
      "base_url": "http://localhost:11434", "cost_per_1k_tokens": 0.0
    },
    "azure-gpt-4": { "provider": "azure_openai", "model_name": "gpt-4", "base_url": "https://r.openai.azure.com/" },
    "cohere-command": { "provider": "cohere", "model_name": "command" },
    "huggingface-llama": { "provider": "hugging_face", "model_name": "meta-llama/Llama-2-7b-chat-hf" }
  }
}"#;

#[test]
fn flat_entries_with_nulls_and_old_names_are_read() {
    let config = config(FLAT);
    assert_eq!(config.default_model.as_deref(), Some("gpt-4"));
    let plugins: Vec<(&str, &str)> = config
        .models
        .iter()
        .map(|(name, model)| (name.as_str(), model.provider.plugin.name.as_str()))
        .collect();
    let expected = [
        ("gpt-4", "openai"),
        ("gemini-pro", "gemini"),
        ("claude-3-opus", "claude"),
        ("llama2-7b", "ollama"),
        ("azure-gpt-4", "azure"),
        ("cohere-command", "cohere"),
        ("huggingface-llama", "huggingface"),
    ];
    assert_eq!(plugins, expected);
    let gpt = config.model("gpt-4").unwrap();
    assert_eq!(gpt.sampling.max_tokens, Some(8192));
    assert_eq!(gpt.sampling.temperature, Some(0.7));
    assert_eq!(gpt.endpoint.base_url, None);
    assert!(matches!(&gpt.endpoint.key, SecretSource::Env(name) if name == "OPENAI_API_KEY"));
    let prices = gpt.prices.as_ref().unwrap();
    assert_eq!(prices.input_per_1m, Some(Decimal::from(30)));
    assert_eq!(prices.output_per_1m, Some(Decimal::from(30)));
    let local = config.model("llama2-7b").unwrap();
    assert!(local.prices.as_ref().unwrap().is_free());
    assert!(matches!(local.endpoint.key, SecretSource::Customary));
    assert!(!config.model("claude-3-opus").unwrap().enabled);
    let plugin = &config.plugins["openai"];
    assert_eq!(plugin.path, Path::new("/etc/multillm/plugins/openai.wasm"));
    assert!(!plugin.listed);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn what_is_not_said_is_the_default() {
    let config = config("{}");
    assert_eq!(config.retry.max_attempts, 3);
    assert_eq!(config.timeouts.first_byte, Duration::from_secs(60));
    assert_eq!(config.limits.plugin_memory, 64 << 20);
    assert!(!config.cache.enabled);
    assert!(config.history.enabled && config.history.content);
    assert_eq!(config.history.path, None);
    assert_eq!(config.templates_dir, Path::new("/etc/multillm/templates"));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_model_wins_over_its_provider_and_both_over_the_general() {
    let config = config(
        r#"{
          "timeouts": { "connect_ms": 1, "first_byte_ms": 1, "idle_ms": 1 },
          "providers": {
            "google": {
              "temperature": 0.1, "top_p": 0.5, "max_tokens": 5, "stop": "A", "system": "S",
              "settings": { "a": 1, "b": 1 }, "extra": { "x": { "y": 1 } },
              "headers": { "X-A": "1", "X-B": "1" }, "cost": { "input_per_1m": 1, "output_per_1m": 1 },
              "api_key_file": "~/key", "timeouts": { "first_byte_ms": 2, "idle_ms": 2 },
              "proxy": "http://p:1", "reasoning_effort": "low", "max_concurrency": 3,
              "unsupported": "drop"
            }
          },
          "models": {
            "m": {
              "provider": "gemini", "temperature": 0.2, "stop": ["B", "C"], "settings": { "b": 2 },
              "headers": { "x-b": "${TOKEN}" }, "cost_per_1k_tokens": 0.002,
              "timeouts": { "idle_ms": 3 }, "reasoning_effort": "max"
            }
          }
        }"#,
    );
    let model = config.model("m").unwrap();
    let endpoint = &model.endpoint;
    assert_eq!(model.model_name, "m");
    assert_eq!(model.sampling.temperature, Some(0.2));
    assert_eq!(model.sampling.top_p, Some(0.5));
    assert_eq!(model.sampling.max_tokens, Some(5));
    assert_eq!(model.sampling.stop, ["B", "C"]);
    assert_eq!(model.system.as_deref(), Some("S"));
    assert_eq!(model.reasoning_effort, Some(ReasoningEffort::Max));
    assert_eq!(model.unsupported, Some(Unsupported::Drop));
    assert_eq!(
        serde_json::to_value(&endpoint.settings).unwrap(),
        serde_json::json!({ "a": 1, "b": 2 })
    );
    assert_eq!(model.extra.to_string(), r#"{"x":{"y":1}}"#);
    assert!(matches!(&endpoint.headers["x-a"], Header::Plain(value) if value == "1"));
    assert!(matches!(&endpoint.headers["x-b"], Header::Secret { prefix, .. } if prefix.is_empty()));
    let prices = model.prices.as_ref().unwrap();
    assert_eq!(prices.output_per_1m, Some(Decimal::from(2)));
    assert!(matches!(&endpoint.key, SecretSource::File(path) if path == Path::new("/home/u/key")));
    let milliseconds = |duration: Duration| duration.as_millis();
    assert_eq!(milliseconds(endpoint.timeouts.connect), 1);
    assert_eq!(milliseconds(endpoint.timeouts.first_byte), 2);
    assert_eq!(milliseconds(endpoint.timeouts.idle), 3);
    assert_eq!(milliseconds(endpoint.timeouts.total), 600_000);
    assert!(matches!(&endpoint.proxy, Proxy::Through(url) if url.port() == Some(1)));
    // What counts all models of a provider together is not each model's.
    assert_eq!(model.max_concurrency, None);
    assert_eq!(model.provider.max_concurrency, Some(3));
    assert_eq!(model.provider.name, "gemini");
}

#[test]
fn prices_are_exact_and_the_detailed_ones_win() {
    let config = config(
        r#"{ "models": { "m": {
          "provider": "openai", "cost_per_1k_tokens": 0.03,
          "cost": {
            "output_per_1m": 60.0000000000000000000000001, "cached_input_per_1m": 1.5e1,
            "cache_write_per_1m": null, "reasoning_per_1m": 0.1, "per_request": 0.005
          },
          "limits": { "cost_per_day": 0.3 }
        } } }"#,
    );
    let model = config.model("m").unwrap();
    let prices = model.prices.clone().unwrap();
    let text = |price: Option<Decimal>| price.map(|price| price.to_string());
    assert_eq!(text(prices.input_per_1m).as_deref(), Some("30"));
    assert_eq!(
        text(prices.output_per_1m).as_deref(),
        Some("60.0000000000000000000000001")
    );
    assert_eq!(text(prices.cached_input_per_1m).as_deref(), Some("15"));
    assert_eq!(prices.cache_write_per_1m, None);
    assert_eq!(text(prices.reasoning_per_1m).as_deref(), Some("0.1"));
    assert_eq!(text(prices.per_request).as_deref(), Some("0.005"));
    assert_eq!(text(model.limits.cost_per_day).as_deref(), Some("0.3"));
}

#[test]
fn plugins_are_where_they_are_listed() {
    let digest = "AB".repeat(32);
    let config = config(&format!(
        r#"{{
          "plugin_dir": "~/plugins",
          "plugins": {{
            "openai": "x/openai.wasm",
            "acme": {{ "path": "/opt/acme.wasm", "sha256": "sha256:{digest}", "wasi": "deny-all" }},
            "anthropic": {{ "enabled": false }}
          }},
          "providers": {{ "work": {{ "plugin": "acme" }}, "off": {{ "plugin": "acme", "enabled": false }} }},
          "models": {{
            "a": {{ "provider": "work" }}, "b": {{ "provider": "acme" }}, "c": {{ "provider": "claude" }},
            "d": {{ "provider": "off" }}, "e": {{ "provider": "cohere" }}
          }}
        }}"#
    ));
    let openai = &config.plugins["openai"];
    assert_eq!(openai.path, Path::new("/etc/multillm/x/openai.wasm"));
    assert!(openai.listed);
    let acme = &config.plugins["acme"];
    assert_eq!(acme.path, Path::new("/opt/acme.wasm"));
    assert_eq!(acme.sha256.as_deref(), Some("ab".repeat(32).as_str()));
    assert_eq!(acme.wasi, Some(Wasi::DenyAll));
    assert_eq!(
        config.plugins["claude"].path,
        Path::new("/home/u/plugins/claude.wasm")
    );
    let enabled: Vec<bool> = config.models.values().map(|model| model.enabled).collect();
    assert_eq!(enabled, [true, true, false, false, true]);
    assert_eq!(config.models["a"].provider.plugin.name, "acme");
    assert_eq!(
        acme.source().unwrap_err().to_string(),
        "the plugin \"acme\" is not there: no file /opt/acme.wasm: put it there or correct its \
         path under plugins.acme"
    );
    assert_eq!(
        config.plugins["cohere"].source().unwrap_err().to_string(),
        "the plugin \"cohere\" is not there: no file /home/u/plugins/cohere.wasm: this program was \
         built without its plugins: run \"cargo xtask plugins\" and build it again, or say where it \
         is under plugins.cohere"
    );
}

#[test]
fn a_plugin_that_lies_in_the_directory_needs_no_entry() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("plugins")).unwrap();
    std::fs::write(dir.path().join("plugins/acme.wasm"), "").unwrap();
    let text = r#"{ "models": { "m": { "provider": "acme" } } }"#;
    let config = super::Config::from_json_str(text, dir.path(), &Env::default()).unwrap();
    assert!(config.plugins["acme"].source().is_ok());
    assert!(config.missing_files().is_empty());
}

#[test]
fn anothers_server_never_gets_the_vendors_key() {
    let config = config(
        r#"{
          "providers": {
            "groq": { "plugin": "openai", "base_url": "https://api.groq.com/openai/v1" },
            "lm": { "plugin": "openai", "base_url": "http://localhost:1234/v1" },
            "team": { "plugin": "openai" },
            "keyless": { "plugin": "openai", "base_url": "https://x.org", "api_key": false }
          },
          "models": {
            "groq": { "provider": "groq" }, "lm": { "provider": "lm" }, "team": { "provider": "team" },
            "own": { "provider": "openai" },
            "gateway": { "provider": "openai", "base_url": "https://gateway.example.org/v1" },
            "given": { "provider": "groq", "api_key": "${GROQ_API_KEY}" }
          }
        }"#,
    );
    let env = Env::fixed("", [("OPENAI_API_KEY", "sk-o"), ("GROQ_API_KEY", "gsk")]);
    let standing = crate::config::Standing::of(&env, "openai", "", None);
    let key = |model: &str| {
        let endpoint = &config.models[model].endpoint;
        let secret = endpoint.secret(&env, &standing, "api_key", true).unwrap();
        secret.map(|secret| secret.expose_secret().to_owned())
    };
    assert_eq!(key("groq"), None);
    assert_eq!(key("lm"), None);
    assert_eq!(key("team").as_deref(), Some("sk-o"));
    assert_eq!(key("own").as_deref(), Some("sk-o"));
    assert_eq!(key("gateway").as_deref(), Some("sk-o"));
    assert_eq!(key("given").as_deref(), Some("gsk"));
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "providers.groq: no key is configured: name its variable with api_key_env, or write \
             \"api_key\": false if it needs none"
        ]
    );
}

#[test]
fn routes_hold_models_and_weights() {
    let config = config(
        r#"{
          "default_model": "fast",
          "models": { "a": { "provider": "openai" }, "b": { "provider": "openai" } },
          "routes": {
            "fast": { "models": ["b", "a"] },
            "spread": { "strategy": "weighted", "models": [{ "model": "a", "weight": 3 }, "b"] },
            "quick": { "strategy": "latency", "models": ["a"], "enabled": false }
          }
        }"#,
    );
    let names: Vec<&str> = config.routes.keys().map(String::as_str).collect();
    assert_eq!(names, ["fast", "spread", "quick"]);
    let weights = |route: &str| -> Vec<(String, u32)> {
        let models = config.routes[route].models.iter();
        models
            .map(|entry| (entry.model.name.clone(), entry.weight))
            .collect()
    };
    assert_eq!(config.routes["fast"].strategy, Strategy::Fallback);
    assert_eq!(weights("fast"), [("b".to_owned(), 1), ("a".to_owned(), 1)]);
    assert_eq!(
        weights("spread"),
        [("a".to_owned(), 3), ("b".to_owned(), 1)]
    );
    assert!(!config.routes["quick"].enabled);
    assert_eq!(
        config.unknown_model("fats"),
        "no model \"fats\": did you mean \"fast\"?"
    );
}

#[test]
fn the_order_of_the_file_is_kept_and_a_file_knows_its_place() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("configs")).unwrap();
    let text = r#"{ "plugins": { "openai": "p.wasm" }, "prices": "prices.json",
                    "models": { "z": { "provider": "openai" }, "a": { "provider": "openai" } } }"#;
    std::fs::write(dir.path().join("configs/c.json"), text).unwrap();
    let env = Env::fixed(dir.path(), [("A", "b")]);
    let config = super::Config::load(Path::new("configs/c.json"), &env).unwrap();
    assert_eq!(config.models.keys().collect::<Vec<_>>(), ["z", "a"]);
    assert_eq!(
        config.plugins["openai"].path,
        dir.path().join("configs/p.wasm")
    );
    let shown = dir.path().display().to_string();
    let missing: Vec<String> = config
        .missing_files()
        .iter()
        .map(|problem| problem.to_string().replace(&shown, "."))
        .collect();
    assert_eq!(
        missing,
        [
            "configs/c.json:1:26: plugins.openai: no file ./configs/p.wasm: put it there or \
             correct its path under plugins.openai",
            "configs/c.json:1:48: prices: ./configs/prices.json is not there: put it there or \
             correct the path",
        ]
    );
}

#[test]
fn key_commands_are_split_like_a_shells() {
    let config = config(
        r#"{ "models": {
          "a": { "provider": "openai", "api_key_command": "pass show 'my key'" },
          "b": { "provider": "openai", "api_key_command": ["./key.sh", "a b"] }
        } }"#,
    );
    let arguments = |model: &str| match &config.models[model].endpoint.key {
        SecretSource::Command(command) => command.arguments().to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(arguments("a"), ["pass", "show", "my key"]);
    assert_eq!(arguments("b"), ["/etc/multillm/./key.sh", "a b"]);
}

#[test]
fn a_client_certificate_and_its_key_are_taken_together() {
    let config = config(
        r#"{
          "providers": {
            "corp": {
              "plugin": "openai", "base_url": "https://x.org/v1",
              "client_cert": "corp.pem", "client_key": "keys/corp.pem"
            }
          },
          "models": {
            "its": { "provider": "corp" },
            "own": { "provider": "corp", "client_cert": "own.pem" }
          }
        }"#,
    );
    let files = |name: &str| {
        let endpoint = &config.models[name].endpoint;
        (endpoint.client_cert.clone(), endpoint.client_key.clone())
    };
    let path = |name: &str| Some(Path::new("/etc/multillm").join(name));
    assert_eq!(files("its"), (path("corp.pem"), path("keys/corp.pem")));
    assert_eq!(files("own"), (path("own.pem"), None));
    let needed = config.missing_files();
    let names: Vec<&str> = needed.iter().map(|problem| problem.path.as_str()).collect();
    assert!(names.contains(&"providers.corp.client_key"), "{names:?}");
}
