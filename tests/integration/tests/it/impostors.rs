//! A name is not a claim: components that bear a vendor's name or ask for somebody's key, and say where
//! it should go.

use std::fs;

use memchr::memmem;
use multillm::config::{Env, Standing};
use serde_json::{Value, json};

use crate::stage::{Stage, plugin_dir};
use crate::thief::{Checkout, Thief, hold_no_key};

/// OpenAI's adapter with the thief's address in place of OpenAI's, and another variable.
fn impostor(thief: &Thief, variable: &str) -> Vec<u8> {
    let mut component = fs::read(plugin_dir().join("openai.wasm")).unwrap();
    let address = format!("http://{}/v1", thief.address());
    for (old, new) in [
        ("https://api.openai.com/v1", address.as_str()),
        ("OPENAI_API_KEY", variable),
    ] {
        assert_eq!(old.len(), new.len(), "{new} does not fit");
        let at: Vec<usize> = memmem::find_iter(&component, old).collect();
        assert!(!at.is_empty(), "{old} is not in the component");
        for at in at {
            component[at..at + old.len()].copy_from_slice(new.as_bytes());
        }
    }
    component
}

/// What the impostors say of themselves, which they would say to the host too.
fn claims(checkout: &Checkout, file: &str) -> Value {
    let report = checkout.run(&["plugin", "inspect", file, "--json"]).json();
    report["info"].clone()
}

#[test]
fn a_vendors_name_leads_to_the_vendors_address() {
    let (thief, proxy) = (Thief::new(), Thief::new());
    let mut checkout = Checkout::new();
    checkout.set("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    checkout.write(
        "configs/plugins/openai.wasm",
        impostor(&thief, "OPENAI_ADM_KEY"),
    );
    let info = claims(&checkout, "configs/plugins/openai.wasm");
    let address = format!("http://{}/v1", thief.address());
    assert_eq!(info["default_base_url"], address, "{info}");
    let models = json!({ "default_model": "m", "retry": { "max_attempts": 1 },
        "models": { "m": { "provider": "openai" } } });
    let file = checkout.write("configs/multi_llm_config.json", models.to_string());
    let named = file.display().to_string();
    for command in [
        &["query", "hi"][..],
        &["query", "hi", "--stream"],
        &["health"],
        &["list", "--provider", "openai"],
        &["query", "hi", "--config", &named],
    ] {
        checkout.run(command);
        assert_eq!(thief.heard(), Vec::<String>::new(), "{command:?}");
    }
    let heard = proxy.heard();
    assert!(!heard.is_empty());
    for request in &heard {
        assert!(
            request.starts_with("CONNECT api.openai.com:443 "),
            "{request}"
        );
    }
}

/// With nothing but a model in the configuration, which the user named even.
#[test]
fn a_strangers_plugin_gets_no_key_by_asking_for_it() {
    let thief = Thief::new();
    let checkout = Checkout::new();
    for (name, variable) in [
        ("github", "GITHUB_API_KEY"),
        ("openai2", "OPENAI_API_KEY"),
        ("aws", "AWS_SECRET_KEY"),
        ("co", "COHERE_API_KEY"),
    ] {
        let file = checkout.write(
            &format!("configs/plugins/{name}.wasm"),
            impostor(&thief, variable),
        );
        let info = claims(&checkout, &file.display().to_string());
        assert_eq!(info["secrets"][0]["env"], json!([variable]), "{info}");
        let models = json!({ "default_model": "m", "models": { "m": { "provider": name } } });
        let config = checkout.write("named.json", models.to_string());
        let config = config.display().to_string();
        fs::rename(&config, checkout.repo().join("configs/named.json")).unwrap();
        let config = "configs/named.json";
        for command in [&["query", "hi"][..], &["list", "--provider", name]] {
            let done = checkout.run(&[command, &["--config", config]].concat());
            done.fails(
                2,
                &["none of the program's own", &format!("plugin trust {name}")],
            );
        }
        let keyed = json!({ "default_model": "m", "models": {
            "m": { "provider": name, "api_key_env": "TEAM_KEY" } } });
        checkout.write(config, keyed.to_string());
        let done = checkout.run(&["query", "hi", "--config", config]);
        done.fails(2, &["an address that it names itself"]);
        // In a configuration that was found, the plugin itself is asked about.
        checkout.write("configs/multi_llm_config.json", models.to_string());
        let done = checkout.run(&["query", "hi"]);
        done.fails(2, &[&format!("use the plugin \"{name}\""), "config trust"]);
    }
    assert_eq!(thief.heard(), Vec::<String>::new());
}

#[test]
fn an_allowed_plugin_gets_what_was_shown_and_no_vendors_key() {
    let thief = Thief::new();
    let checkout = Checkout::new();
    let ask = |name: &str| {
        let models = json!({ "default_model": "m", "retry": { "max_attempts": 1 },
            "models": { "m": { "provider": name } } });
        checkout.write("configs/named.json", models.to_string());
        checkout.run(&["query", "hi", "--config", "configs/named.json"])
    };
    let allow = |name: &str, more: &[&str]| {
        let command = ["plugin", "trust", name, "--config", "configs/named.json"];
        checkout.run(&[&command, more].concat())
    };
    let github = impostor(&thief, "GITHUB_API_KEY");
    checkout.write("configs/plugins/github.wasm", &github);
    ask("github").fails(2, &["plugin trust github"]);
    let done = allow("github", &[]);
    for words in [&*thief.address(), "GITHUB_API_KEY"] {
        assert!(done.stdout.contains(words), "{done:?}");
    }
    assert_eq!(done.code, Some(2), "nobody could be asked: {done:?}");
    ask("github").fails(2, &["plugin trust github"]);
    allow("github", &["--yes"]).answer();
    ask("github").fails(1, &[]);
    let heard = thief.heard().join("\n");
    assert!(
        heard.contains("ghp-user2"),
        "what was allowed is done: {heard}"
    );
    // Another component of the name is another plugin.
    let other = [github, vec![0, 2, 1, 7]].concat();
    checkout.write("configs/plugins/github.wasm", other);
    ask("github").fails(2, &["plugin trust github"]);

    let before = thief.heard().len();
    checkout.write(
        "configs/plugins/co.wasm",
        impostor(&thief, "COHERE_API_KEY"),
    );
    ask("co").fails(2, &["plugin trust co"]);
    let done = allow("co", &["--yes"]);
    assert!(
        done.stdout.contains("a vendor's, which it does not get"),
        "{done:?}"
    );
    ask("co").fails(2, &["needs a key"]);
    hold_no_key(&thief.heard()[before..]);
    allow("openai", &["--yes"]).fails(2, &["nothing to allow"]);
    let listed = checkout.run(&["config", "trust", "--list"]).answer();
    assert!(
        listed.contains("github") && listed.contains("  co"),
        "{listed}"
    );
}

/// Key and address named by the user: a plugin of anybody's is used for what it was written for.
#[test]
fn a_strangers_plugin_works_where_key_and_address_are_named() {
    let (thief, mine) = (Thief::new(), Thief::new());
    let checkout = Checkout::new();
    checkout.write(
        "configs/plugins/acme.wasm",
        impostor(&thief, "GITHUB_API_KEY"),
    );
    let address = format!("http://{}/v1", mine.address());
    let config = json!({ "default_model": "m", "models": { "m": {
        "provider": "acme", "base_url": address, "api_key_env": "TEAM_KEY" } } });
    checkout.write("configs/named.json", config.to_string());
    let done = checkout.run(&["query", "hi", "--config", "configs/named.json"]);
    assert!(done.stderr.contains("calls itself \"openai\""), "{done:?}");
    let heard = mine.heard().join("\n");
    assert!(heard.contains("sk-user-team"), "{done:?}: {heard}");
    assert_eq!(thief.heard(), Vec::<String>::new());
}

/// The program's own table says of the vendors what their components say.
#[test]
fn the_programs_knowledge_is_that_of_its_components() {
    let stage = Stage::new();
    for line in &crate::vendors::LINES {
        let file = plugin_dir().join(format!("{}.wasm", line.plugin));
        let inspect = ["plugin", "inspect", &file.display().to_string(), "--json"];
        let info = stage.run_bare(&inspect, b"").json()["info"].clone();
        let known = Standing::of(&Env::default(), line.plugin, "", None);
        assert_eq!(json!(known.address()), info["default_base_url"], "{info}");
        assert_eq!(json!(known.address_variables()), info["base_url_env"]);
        assert_eq!(info["secrets"].as_array().unwrap().len(), 1);
        assert_eq!(info["secrets"][0]["name"], "api_key");
        assert_eq!(
            json!(known.secret_variables("api_key")),
            info["secrets"][0]["env"]
        );
    }
}
