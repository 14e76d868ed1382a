//! Models and providers that need no entry, and who gets whose key.

use std::path::Path;

use secrecy::ExposeSecret as _;

use crate::config::{
    Config, ConfigError, ConfigFile, EmbeddedPlugin, Env, KeyState, Provenance, Standing, built_in,
};

/// Every vendor's key, each with its own text.
fn keys() -> Env {
    let names = built_in().into_iter().flat_map(|known| known.keys.iter());
    Env::fixed("", names.map(|name| (*name, format!("sk-{name}"))))
}

fn config(text: &str) -> Config {
    Config::from_json_str(text, Path::new("/etc/multillm"), &keys()).unwrap()
}

fn key_of(config: &Config, model: &str) -> Option<String> {
    let model = config.model(model).unwrap();
    let endpoint = &model.endpoint;
    let standing = Standing::of(&keys(), &endpoint.plugin, "", None);
    let secret = endpoint.secret(&keys(), &standing, "api_key", true);
    secret
        .unwrap()
        .map(|secret| secret.expose_secret().to_owned())
}

#[test]
fn each_provider_sends_its_own_key_to_its_own_address() {
    let config = config("{}");
    let mut addresses = vec![];
    for known in built_in() {
        let name = format!("{}/some/model:x", known.name);
        let model = config.model(&name).unwrap();
        assert_eq!((&*model.name, &*model.model_name), (&*name, "some/model:x"));
        assert_eq!(model.provider.plugin.name, known.plugin);
        let standing = Standing::of(&keys(), known.plugin, "", None);
        let url = model.endpoint.base_url(&keys(), &standing);
        if let Some(base_url) = known.base_url {
            let url = url.unwrap();
            let same = url.as_str().trim_end_matches('/') == base_url;
            assert!(same, "{}: {url}", known.name);
            addresses.push(url);
        }
        let key = key_of(&config, &name);
        match known.keys.first() {
            Some(variable) => assert_eq!(key, Some(format!("sk-{variable}")), "{}", known.name),
            None => assert_eq!(key, None, "{}", known.name),
        }
    }
    let count = addresses.len();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), count, "two providers at one address");
}

#[test]
fn what_is_written_goes_before_and_a_short_entry_is_laid_over() {
    let config = config(
        r#"{
          "providers": {
            "groq": { "timeouts": { "first_byte_ms": 5 }, "settings": { "top_k": true } },
            "mistral": { "plugin": "openai", "base_url": "https://mine.example/v1" }
          },
          "models": { "openai/gpt-4o": { "provider": "claude" } }
        }"#,
    );
    assert_eq!(
        config.model("openai/gpt-4o").unwrap().provider.name,
        "claude"
    );
    assert_eq!(
        config.model("openai/gpt-4").unwrap().provider.name,
        "openai"
    );
    let groq = config.model("Groq/x").unwrap();
    assert_eq!(groq.endpoint.timeouts.first_byte.as_millis(), 5);
    let settings = groq.endpoint.settings.to_string();
    assert!(
        settings.contains("reasoning_field") && settings.contains("top_k"),
        "{settings}"
    );
    let url = groq.endpoint.base_url.as_ref().unwrap();
    assert_eq!(url.host_str(), Some("api.groq.com"));
    assert_eq!(
        key_of(&config, "groq/x").as_deref(),
        Some("sk-GROQ_API_KEY")
    );
    // One that names its plugin stands alone, as it always did.
    let mistral = config.model("mistral/x").unwrap();
    let url = mistral.endpoint.base_url.as_ref().unwrap();
    assert_eq!(url.host_str(), Some("mine.example"));
    assert_eq!(mistral.endpoint.key_state(&keys()), KeyState::Unneeded);
    assert!(mistral.endpoint.settings.is_empty());
    for none in [
        "openai",
        "openai/",
        "/x",
        "acme/x",
        "openai/what is it?",
        "a b/c",
    ] {
        assert!(config.model(none).is_none(), "{none}");
    }
}

#[test]
fn routes_and_the_default_may_name_what_has_no_entry() {
    let config = config(
        r#"{ "default_model": "any", "routes": { "any": { "models": ["groq/a", "ollama/b"] } } }"#,
    );
    assert_eq!(config.routes["any"].models.len(), 2);
    assert_eq!(config.warnings, []);
    let config = self::config(r#"{ "default_model": "claude/x" }"#);
    assert_eq!(config.default_model.as_deref(), Some("claude/x"));
    let wrong = r#"{ "default_model": "cluade/x" }"#;
    assert!(Config::from_json_str(wrong, Path::new("."), &keys()).is_err());
    assert_eq!(
        config.unknown_model("cluade/x"),
        "no model \"cluade/x\": no provider \"cluade\": did you mean \"claude\"?"
    );
    assert_eq!(
        config.unknown_model("gpt-9"),
        "no model \"gpt-9\": did you mean \"openai/gpt-9\"?"
    );
}

/// What a found file asks for, as it reads.
fn asks(providers: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("multi_llm_config.json");
    std::fs::write(&path, providers).unwrap();
    let file = ConfigFile {
        path,
        provenance: Provenance::Found,
    };
    match Config::read(&file, &keys()) {
        Ok(_) => vec![],
        Err(ConfigError::Untrusted(untrusted)) => untrusted
            .requests
            .iter()
            .map(|request| request.message.clone())
            .collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_found_file_leads_no_key_of_theirs_elsewhere() {
    for harmless in [
        r#"{ "default_model": "groq/x" }"#,
        r#"{ "models": { "m": { "provider": "groq" } } }"#,
        r#"{ "providers": { "groq": { "temperature": 0 } } }"#,
        r#"{ "providers": { "groq": { "base_url": "https://api.groq.com/openai/v1", "api_key_env": "GROQ_API_KEY" } } }"#,
        r#"{ "models": { "m": { "provider": "xai", "api_key_env": "XAI_API_KEY" } } }"#,
    ] {
        assert_eq!(asks(harmless), Vec::<String>::new(), "{harmless}");
    }
    for harmful in [
        r#"{ "providers": { "groq": { "base_url": "https://thief.example/v1" } } }"#,
        r#"{ "models": { "m": { "provider": "groq", "base_url": "https://thief.example/v1" } } }"#,
        r#"{ "providers": { "groq": { "api_key_env": "OPENAI_API_KEY" } } }"#,
        r#"{ "models": { "m": { "provider": "openai", "api_key_env": "GROQ_API_KEY" } } }"#,
        r#"{ "providers": { "groq": { "plugin": "openai", "api_key_env": "GROQ_API_KEY" } } }"#,
        r#"{ "providers": { "groq": { "plugin": "openai", "base_url": "https://api.groq.com/openai/v1" } } }"#,
        r#"{ "plugins": { "groq": "groq.wasm" }, "models": { "m": { "provider": "groq" } } }"#,
    ] {
        assert_ne!(asks(harmful), Vec::<String>::new(), "{harmful}");
    }
}

#[test]
fn a_found_env_gives_their_keys_too() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join(".env"),
        "GROQ_API_KEY=gsk\nMULTILLM_MODEL=x\n",
    )
    .unwrap();
    let env = Env::fixed(dir.path(), [("A", "")]).with_usual_files();
    assert_eq!(env.var("GROQ_API_KEY").as_deref(), Some("gsk"));
    assert_eq!(env.own_var("MULTILLM_MODEL"), None);
}

#[test]
fn a_plugin_of_the_program_stands_behind_files_and_names() {
    static OWN: [EmbeddedPlugin; 2] = [
        EmbeddedPlugin {
            name: "openai",
            component: b"\0asm",
            like: b"",
            digest: "",
        },
        EmbeddedPlugin {
            name: "acme",
            component: b"\0asm",
            like: b"",
            digest: "",
        },
    ];
    let dir = tempfile::tempdir().unwrap();
    let env = keys().with_plugins(&OWN);
    let text = r#"{
        "plugins": { "claude": "/opt/claude.wasm", "openai": { "sha256": null } },
        "models": { "a": { "provider": "openai" }, "b": { "provider": "acme" }, "c": { "provider": "claude" } }
    }"#;
    let config = Config::from_json_str(text, dir.path(), &env).unwrap();
    let embedded = |name: &str| config.plugins[name].embedded.is_some();
    assert!(embedded("openai") && embedded("acme") && !embedded("claude"));
    let missing = config.missing_files();
    assert_eq!(missing.len(), 1, "{missing:?}");
    std::fs::create_dir(dir.path().join("plugins")).unwrap();
    let file = dir.path().join("plugins/openai.wasm");
    std::fs::write(&file, "").unwrap();
    let found = config.plugins["openai"].source().unwrap();
    assert_eq!(found, crate::config::PluginSource::File(&file));
}
