use secrecy::ExposeSecret as _;

use super::*;
use crate::chat::JsonObject;
use crate::config::PluginGrant;

fn endpoint(plugin: &str, customary: bool) -> Endpoint {
    Endpoint {
        owner: "model \"m\"".to_owned(),
        plugin: plugin.to_owned(),
        base_url: None,
        key: SecretSource::Customary,
        caller_key: false,
        secrets: BTreeMap::new(),
        headers: BTreeMap::new(),
        settings: JsonObject::new(),
        timeouts: Timeouts::default(),
        proxy: Proxy::Environment,
        ca_file: None,
        client_cert: None,
        client_key: None,
        customary,
    }
}

/// What the plugin of this name is, whose component says that it is at a thief's.
fn standing(plugin: &str) -> Standing {
    Standing::of(&Env::default(), plugin, "ab", Some("https://thief.example"))
}

fn allowed(variables: &[&str]) -> Standing {
    let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
    Standing::Allowed(PluginGrant {
        sha256: "ab".to_owned(),
        name: "acme".to_owned(),
        base_url: Some("https://acme.example".to_owned()),
        base_url_env: vec!["ACME_URL".to_owned(), "OPENAI_BASE_URL".to_owned()],
        secrets: [("api_key".to_owned(), names)].into(),
    })
}

fn url(endpoint: &Endpoint, env: &Env, standing: &Standing) -> String {
    match endpoint.base_url(env, standing) {
        Ok(url) => url.to_string(),
        Err(error) => error.to_string(),
    }
}

fn key(endpoint: &Endpoint, env: &Env, standing: &Standing, required: bool) -> Option<String> {
    match endpoint.secret(env, standing, "api_key", required) {
        Ok(secret) => secret.map(|secret| secret.expose_secret().to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

#[test]
fn the_base_url_is_the_configured_one_or_the_variables_or_the_vendors() {
    let mut ollama = endpoint("ollama", true);
    let own = standing("ollama");
    let none = Env::default();
    let set = Env::fixed("", [("OLLAMA_HOST", "0.0.0.0"), ("OPENAI_BASE_URL", "x")]);
    assert_eq!(url(&ollama, &none, &own), "http://localhost:11434/");
    assert_eq!(url(&ollama, &set, &own), "http://127.0.0.1:11434/");
    assert_eq!(
        url(&endpoint("azure", true), &none, &standing("azure")),
        "model \"m\" needs a base_url: write it into the configuration or set AZURE_OPENAI_ENDPOINT"
    );
    let wrong = Env::fixed("", [("OLLAMA_HOST", "not a host")]);
    assert_eq!(
        url(&ollama, &wrong, &own),
        "OLLAMA_HOST is no base URL: write one such as http://localhost:11434"
    );
    assert_eq!(
        url(&endpoint("ollama", false), &set, &own),
        "http://localhost:11434/"
    );
    ollama.base_url = Url::parse("http://gpu:1/").ok();
    assert_eq!(url(&ollama, &set, &own), "http://gpu:1/");
}

#[test]
fn a_vendors_name_means_the_vendors_address_whatever_the_component_says() {
    for plugin in crate::config::names::VENDORS {
        let endpoint = endpoint(plugin, true);
        let url = url(&endpoint, &Env::default(), &standing(plugin));
        assert!(!url.contains("thief"), "{plugin}: {url}");
    }
}

#[test]
fn a_strangers_address_counts_and_gets_no_key() {
    let env = Env::fixed(
        "",
        [
            ("ACME_KEY", "sk-a"),
            ("ACME_URL", "http://x"),
            ("OPENAI_API_KEY", "sk-o"),
        ],
    );
    let stranger = standing("acme");
    let mut acme = endpoint("acme", true);
    assert_eq!(url(&acme, &env, &stranger), "https://thief.example/");
    assert_eq!(key(&acme, &env, &stranger, false), None);
    let refused = "model \"m\": the plugin \"acme\" is none of the program's own, and gets no key for \
                   an address that it names itself: write base_url and api_key_env, or allow it \
                   with \"multillm plugin trust acme\"";
    assert_eq!(key(&acme, &env, &stranger, true).as_deref(), Some(refused));
    acme.key = SecretSource::Env("ACME_KEY".to_owned());
    assert_eq!(key(&acme, &env, &stranger, true).as_deref(), Some(refused));
    assert_eq!(key(&acme, &env, &stranger, false).as_deref(), Some(refused));
    let header = acme.header_secret(&env, &stranger, &SecretSource::Env("ACME_KEY".to_owned()));
    assert_eq!(header.unwrap_err().to_string(), refused);
    acme.base_url = Url::parse("https://mine.example").ok();
    assert_eq!(key(&acme, &env, &stranger, true).as_deref(), Some("sk-a"));
    acme.key = SecretSource::Customary;
    assert_eq!(
        key(&acme, &env, &stranger, true).as_deref(),
        Some(
            "model \"m\" needs a key: name its variable with api_key_env, or allow the plugin what \
             it asks for with \"multillm plugin trust acme\""
        )
    );
}

#[test]
fn an_allowed_plugin_gets_what_was_shown_but_no_vendors_key() {
    let env = Env::fixed(
        "",
        [
            ("OPENAI_API_KEY", "sk-o"),
            ("CO_API_KEY", "sk-c"),
            ("ACME_KEY", "sk-a"),
            ("OPENAI_BASE_URL", "http://gateway"),
        ],
    );
    let acme = endpoint("acme", true);
    let shown = allowed(&["OPENAI_API_KEY", "CO_API_KEY", "ACME_KEY"]);
    assert_eq!(url(&acme, &env, &shown), "https://acme.example/");
    assert_eq!(key(&acme, &env, &shown, true).as_deref(), Some("sk-a"));
    let only_anothers = allowed(&["OPENAI_API_KEY"]);
    assert_eq!(key(&acme, &env, &only_anothers, false), None);
    assert_eq!(
        key(&acme, &env, &only_anothers, true).as_deref(),
        Some("model \"m\" needs a key: name its variable with api_key_env")
    );
}

#[test]
fn the_key_is_for_the_api_key_alone() {
    let env = Env::fixed(
        "",
        [
            ("KEY", "sk-1"),
            ("ORG", "org-1"),
            ("OPENAI_API_KEY", "sk-o"),
        ],
    );
    let own = standing("openai");
    let mut endpoint = endpoint("openai", true);
    let secrets = |endpoint: &Endpoint, name: &str| {
        let secret = endpoint.secret(&env, &own, name, false).unwrap();
        secret.map(|secret| secret.expose_secret().to_owned())
    };
    assert_eq!(secrets(&endpoint, "api_key").as_deref(), Some("sk-o"));
    assert_eq!(secrets(&endpoint, "org"), None);
    endpoint.key = SecretSource::Env("KEY".to_owned());
    assert_eq!(secrets(&endpoint, "api_key").as_deref(), Some("sk-1"));
    assert_eq!(secrets(&endpoint, "org"), None);
    assert!(!endpoint.goes_without("org"));
    let org = SecretSource::Env("ORG".to_owned());
    endpoint.secrets.insert("org".to_owned(), org);
    assert_eq!(secrets(&endpoint, "org").as_deref(), Some("org-1"));
    endpoint.key = SecretSource::None;
    assert_eq!(secrets(&endpoint, "api_key"), None);
    assert!(endpoint.goes_without("api_key") && !endpoint.goes_without("org"));
}
