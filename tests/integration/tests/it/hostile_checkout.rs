//! What is found in a working directory commands nothing: a hostile checkout, tried with every
//! command, and each thing that a found configuration or `.env` may ask for.

use std::fs;

use multillm::config::{Config, ConfigError, Env, Provenance};
use multillm::{ErrorKind, MultiLlmService};
use serde_json::{Value, json};

use crate::thief::{Checkout, Thief, hold_no_key};

/// Every command that reads the configuration.
const READING: [&[&str]; 19] = [
    &["list"],
    &["list", "--provider", "openai"],
    &["query", "hi"],
    &["query", "hi", "--stream", "--model", "all"],
    &["query", "hi", "--model", "else"],
    &["query", "hi", "--model", "command"],
    &["query", "hi", "--template", "passwd"],
    &["chat"],
    &["compare", "hi", "--models", "gpt-4", "claude"],
    &["health"],
    &["stats"],
    &["history", "list"],
    &["history", "search", "x"],
    &["history", "export"],
    &["history", "clear", "--yes"],
    &["template", "list"],
    &["template", "show", "passwd"],
    &["plugin", "matrix"],
    &["plugin", "trust", "acme"],
];

/// Those that do not, or only say where it is.
const OTHERS: [&[&str]; 10] = [
    &["config", "path"],
    &["config", "schema"],
    &["config", "trust", "--list"],
    &["keys", "list"],
    &["keys", "path"],
    &["completions", "bash"],
    &["man"],
    &["man", "query"],
    &["--help"],
    &["--version"],
];

fn nothing_was_taken(checkout: &Checkout, thief: &Thief, what: &[&str]) {
    assert_eq!(thief.heard(), Vec::<String>::new(), "{what:?}");
    for taken in ["taken", "taken.db", "taken-cache"] {
        let path = checkout.repo().join(taken);
        assert!(!path.exists(), "{what:?} made {}", path.display());
    }
}

#[test]
fn no_command_does_what_a_hostile_checkout_says() {
    let thief = Thief::new();
    let checkout = Checkout::hostile(&thief);
    for command in READING {
        let done = checkout.run(command);
        nothing_was_taken(&checkout, &thief, command);
        let named = ["configs/multi_llm_config.json", "multillm config trust"];
        done.fails(2, &named);
        let done = checkout.run(&[command, &["--json"]].concat());
        nothing_was_taken(&checkout, &thief, command);
        assert_eq!((done.code, &*done.stdout), (Some(2), ""), "{done:?}");
        let line: Value = serde_json::from_str(done.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(line["error"]["kind"], "configuration", "{done:?}");
    }
    for command in OTHERS {
        checkout.run(command).answer();
        nothing_was_taken(&checkout, &thief, command);
    }
    let done = checkout.run(&["config", "check", "--json"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (&report["ok"], &report["models"]),
        (&json!(false), &json!([]))
    );
    let asked: Vec<&str> = report["consent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["path"].as_str().unwrap())
        .collect();
    let expected = [
        "plugin_dir",
        "templates_dir",
        "prices",
        "history.path",
        "cache.path",
        "providers.openai.base_url",
        "providers.openai.api_key_command",
        "providers.anthropic.base_url",
        "providers.anthropic.headers.x-more",
        "providers.cohere.proxy",
        "providers.cohere.ca_file",
        "providers.elsewhere.base_url",
        "providers.elsewhere.api_key_env",
        "models.command.api_key_file",
    ];
    assert_eq!(asked, expected);
    nothing_was_taken(&checkout, &thief, &["config", "check"]);
    // A configuration in the other place is found as well.
    let other = checkout.repo().join("multi_llm_config.json");
    fs::rename(checkout.repo().join("configs/multi_llm_config.json"), other).unwrap();
    checkout
        .run(&["query", "hi"])
        .fails(2, &["multi_llm_config.json was found"]);
    nothing_was_taken(&checkout, &thief, &["query"]);
}

/// The same checkout does all of it once the user has agreed: otherwise the tests here showed nothing.
#[cfg(unix)]
#[test]
fn consent_is_asked_for_and_holds_for_exactly_what_was_seen() {
    let thief = Thief::new();
    let checkout = Checkout::hostile(&thief);
    let done = checkout.run(&["config", "trust"]);
    let shown = done.stdout.clone();
    assert!(
        shown.contains("line 11: providers.openai.api_key_command: run the program"),
        "{shown}"
    );
    assert!(shown.contains("(so do 1 more)"), "{shown}");
    assert_eq!(done.code, Some(2), "nobody could be asked: {done:?}");
    checkout.run(&["query", "hi"]).fails(2, &["config trust"]);

    let done = checkout.run(&["config", "trust", "configs/multi_llm_config.json", "--yes"]);
    assert!(done.stderr.contains("allowed"), "{done:?}");
    let listed = checkout.run(&["config", "trust", "--list"]).answer();
    assert!(listed.contains("configs/multi_llm_config.json"), "{listed}");
    let done = checkout.run(&["query", "hi"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(checkout.repo().join("taken").exists());
    let heard = thief.heard().join("\n");
    assert!(heard.contains("sk-of-the-thief"), "{heard}");

    let file = checkout.repo().join("configs/multi_llm_config.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("Nothing to see", "Nothing to sea")).unwrap();
    checkout.run(&["query", "hi"]).fails(2, &["config trust"]);
    fs::write(&file, &text).unwrap();
    assert_eq!(checkout.run(&["query", "hi"]).code, Some(1));

    let remove = [
        "config",
        "trust",
        "--remove",
        "configs/multi_llm_config.json",
    ];
    checkout.run(&remove).answer();
    checkout.run(&["query", "hi"]).fails(2, &["config trust"]);
    checkout.run(&remove).fails(2, &["nothing of that name"]);
    // What is named needs no consent, and that holds for this time only.
    let named = ["query", "hi", "--config", "configs/multi_llm_config.json"];
    assert_eq!(checkout.run(&named).code, Some(1));
    checkout.run(&["query", "hi"]).fails(2, &["config trust"]);
}

/// A link in place of the file or its directory brings other files around what was allowed.
#[cfg(unix)]
#[test]
fn a_link_to_what_was_allowed_is_something_else() {
    use std::os::unix::fs::symlink;
    let checkout = Checkout::new();
    let text =
        r#"{ "models": { "m": { "provider": "openai", "api_key_command": ["./key.sh"] } } }"#;
    let mine = checkout.home().join("mine");
    fs::create_dir_all(mine.join("configs")).unwrap();
    fs::write(mine.join("configs/multi_llm_config.json"), text).unwrap();
    checkout
        .run_in(&mine, &["config", "trust", "--yes"])
        .answer();
    checkout.run_in(&mine, &["list"]).answer();
    let link = checkout.repo().join("configs/multi_llm_config.json");
    symlink(mine.join("configs/multi_llm_config.json"), link).unwrap();
    checkout
        .run(&["list"])
        .fails(2, &["key.sh", "config trust"]);
}

/// The way of the README: keys in `.env`, models in the configuration beside it.
#[test]
fn keys_and_models_work_without_a_question() {
    let proxy = Thief::new();
    let mut checkout = Checkout::new().with_plugins();
    checkout.variables.clear();
    checkout.set("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    let repository = crate::stage::root();
    let config = fs::read(repository.join("configs/multi_llm_config.json")).unwrap();
    checkout.write("configs/multi_llm_config.json", config);
    let missing = checkout.run(&["query", "hi"]);
    missing.fails(2, &["OPENAI_API_KEY", ".env"]);
    checkout.write(
        ".env",
        "OPENAI_API_KEY=sk-0123456789abcdef\nANTHROPIC_API_KEY=sk-x\n",
    );
    let done = checkout.run(&["config", "check"]);
    assert_eq!((done.code, &*done.stderr), (Some(0), ""), "{done:?}");
    for model in ["gpt-4", "claude-3-haiku"] {
        let done = checkout.run(&["query", "hi", "--model", model]);
        assert_eq!(done.code, Some(1), "the proxy refuses: {done:?}");
        assert!(!done.stderr.contains("trust"), "{done:?}");
    }
    let heard = proxy.heard().join("\n");
    for host in [
        "CONNECT api.openai.com:443",
        "CONNECT api.anthropic.com:443",
    ] {
        assert!(heard.contains(host), "{heard}");
    }
}

#[test]
fn a_found_env_file_gives_keys_and_leads_nowhere() {
    let thief = Thief::new();
    let proxy = Thief::new();
    let mut checkout = Checkout::hostile(&thief).with_plugins();
    checkout.set("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    let models = r#"{ "default_model": "o", "retry": { "max_attempts": 1 }, "models": {
        "o": { "provider": "openai" }, "c": { "provider": "claude" }, "l": { "provider": "ollama" } } }"#;
    checkout.write("configs/multi_llm_config.json", models);
    for model in ["o", "c"] {
        let done = checkout.run(&["query", "hi", "--model", model]);
        let words = [
            "OPENAI_BASE_URL",
            "OLLAMA_HOST",
            "no address in it counts without your consent",
            "multillm config trust",
            "MULTILLM_CONFIG",
            "HTTPS_PROXY",
        ];
        done.fails(1, &words);
    }
    let quiet = checkout.run(&["query", "hi", "--quiet"]);
    assert!(!quiet.stderr.contains("OPENAI_BASE_URL"), "{quiet:?}");
    checkout.run(&["health", "l", "--timeout", "1"]);
    assert_eq!(thief.heard(), Vec::<String>::new());
    assert!(proxy.heard().join("\n").contains("CONNECT api.openai.com"));

    checkout.run(&["config", "trust", ".env", "--yes"]).answer();
    let done = checkout.run(&["query", "hi"]);
    assert!(!done.stderr.contains("no address in it"), "{done:?}");
    let heard = thief.heard().join("\n");
    assert!(heard.contains("sk-user-openai"), "{heard}");
    assert!(!heard.contains("aws-user"), "nothing is expanded: {heard}");
    let before = thief.heard().len();
    let text = fs::read_to_string(checkout.repo().join(".env")).unwrap();
    checkout.write(".env", text + "\n");
    checkout
        .run(&["query", "hi"])
        .fails(1, &["no address in it counts"]);
    assert_eq!(thief.heard().len(), before);
}

#[test]
fn a_named_or_own_env_file_counts_as_a_whole() {
    let gateway = Thief::new();
    let mut checkout = Checkout::new().with_plugins();
    checkout.variables.clear();
    let models = r#"{ "default_model": "o", "models": { "o": { "provider": "openai" } } }"#;
    checkout.write("configs/multi_llm_config.json", models);
    let text = format!(
        "OPENAI_BASE_URL=http://{}/v1\nOPENAI_API_KEY='sk-a$b${{HOME}}-0123'\n",
        gateway.address()
    );
    let named = checkout.write("mine.env", &text);
    let named = named.display().to_string();
    checkout
        .run(&["query", "hi", "--env-file", &named])
        .fails(1, &[]);
    let heard = gateway.heard();
    assert!(
        heard[0].contains("Bearer sk-a$b${HOME}-0123\r\n"),
        "{heard:?}"
    );
    checkout
        .run(&["query", "hi"])
        .fails(2, &["needs OPENAI_API_KEY"]);
    fs::write(checkout.home().join(".config/multillm/.env"), &text).unwrap();
    let done = checkout.run(&["query", "hi", "-v"]);
    for words in [
        "configs/multi_llm_config.json: it was found",
        ".config/multillm/.env: it is the user's own",
    ] {
        assert!(done.stderr.contains(words), "{done:?}");
    }
    assert_eq!(gateway.heard().len(), 2);
    checkout
        .run(&["list", "--env-file", "nowhere"])
        .fails(2, &["nowhere: no such file"]);
}

#[test]
fn what_cannot_be_read_of_an_env_file_is_told_by_query_too() {
    let checkout = Checkout::new().with_plugins();
    let text = r#"{ "default_model": "o", "models": { "o": { "provider": "openai", "api_key_env": "GW_KEY" } } }"#;
    let named = checkout.write("configs/named.json", text);
    let named = named.display().to_string();
    let told = |bytes: &[u8], words: &str| {
        checkout.write(".env", bytes);
        let done = checkout.run(&["query", "hi", "--config", &named]);
        done.fails(2, &[words, "GW_KEY"]);
    };
    told(b"A=1\nB\n", ".env:2:1: is not of the form");
    told(
        b"A=1\nB=\"open\nGW_KEY=sk-1\n",
        ".env:2:1: a quote is not closed",
    );
    told(b"\xff\xfeG\0W\0", ".env: cannot be read: it is UTF-16");
    told(
        b"GW_KEY=\xe4\n",
        ".env:1:1: cannot be read: it is not UTF-8",
    );
    fs::remove_file(checkout.repo().join(".env")).unwrap();
    fs::create_dir(checkout.repo().join(".env")).unwrap();
    let done = checkout.run(&["query", "hi", "--config", &named]);
    done.fails(2, &[".env: cannot be read: it is a directory"]);
}

#[test]
fn a_reload_asks_for_no_more_than_was_allowed() {
    let checkout = Checkout::new().with_plugins();
    let models = json!({ "models": { "m": { "provider": "openai" } } });
    checkout.write("configs/multi_llm_config.json", models.to_string());
    let trust = checkout.home().join("trust");
    let env = Env::fixed(checkout.repo(), checkout.variables.clone()).with_trust_in(&trust);
    let file = Config::find(None, &env).unwrap();
    assert_eq!(file.provenance, Provenance::Found);
    let config = Config::read(&file, &env).unwrap();
    let service = MultiLlmService::builder()
        .config(config)
        .env(env.clone())
        .history(false)
        .build()
        .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut changed = models.clone();
    changed["models"]["n"] = json!({ "provider": "claude", "model_name": "x" });
    checkout.write("configs/multi_llm_config.json", changed.to_string());
    let done = runtime.block_on(service.reload()).unwrap();
    assert_eq!(done.added, ["n"]);
    let mut evil = changed.clone();
    evil["models"]["m"]["base_url"] = "http://127.0.0.1:1".into();
    checkout.write("configs/multi_llm_config.json", evil.to_string());
    let error = runtime.block_on(service.reload()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.message.contains("127.0.0.1:1"), "{error}");
    let m = service.config().models["m"].clone();
    assert!(m.endpoint.base_url.is_none(), "the old one is in force");
    let Err(ConfigError::Untrusted(asked)) = Config::read(&file, &env) else {
        panic!("it was read");
    };
    env.trust().allow(&asked.path, &asked.sha256).unwrap();
    runtime.block_on(service.reload()).unwrap();
}

#[test]
fn an_empty_variable_names_no_configuration() {
    let mut checkout = Checkout::new();
    checkout.set("MULTILLM_CONFIG", "");
    let own = checkout.home().join(".config/multillm/config.json");
    let evil = "http://127.0.0.1:1";
    let text = json!({ "models": { "mine": { "provider": "openai", "base_url": evil } } });
    fs::write(&own, text.to_string()).unwrap();
    let path = checkout.run(&["config", "path"]).answer();
    assert_eq!(path.trim_end(), own.display().to_string());
    let listed = checkout.run(&["list"]).answer();
    assert!(listed.contains("mine"), "{listed}");
}

/// Strange files in place of the usual ones neither hold the program up nor fill its memory.
#[cfg(unix)]
#[test]
fn pipes_and_giants_are_passed_over() {
    let checkout = Checkout::new();
    let pipe = |name: &str| {
        let path = checkout.repo().join(name);
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    };
    pipe(".env");
    pipe("configs/multi_llm_config.json");
    let done = checkout.run(&["list"]);
    assert!(done.stderr.contains(".env"), "{done:?}");
    // As without a configuration.
    assert!(done.answer().contains("openai/"));
    let giant = fs::File::create(checkout.repo().join("multi_llm_config.json")).unwrap();
    giant.set_len(1 << 40).unwrap();
    checkout.run(&["list"]).fails(2, &["far too large"]);
}

/// What lies beside a found configuration chooses words too: a template.
#[test]
fn a_found_template_sends_no_address() {
    let proxy = Thief::new();
    let mut checkout = Checkout::new().with_plugins();
    checkout.set("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    let models = json!({ "default_model": "o", "models": { "o": { "provider": "openai" } } });
    checkout.write("configs/multi_llm_config.json", models.to_string());
    let template = |extra: Value| {
        let text = json!({ "prompt": "{{input}}", "parameters": { "extra": extra } });
        checkout.write("configs/templates/t.json", text.to_string());
    };
    let ask = ["query", "hi", "--template", "t"];
    template(json!({ "service_tier": "flex" }));
    assert_eq!(checkout.run(&ask).code, Some(1));
    let asked = proxy.heard().len();
    assert!(asked > 0);
    template(json!({ "tools": [{ "server_url": "https://thief.example" }] }));
    checkout.run(&ask).fails(2, &["template \"t\" was found"]);
    assert_eq!(proxy.heard().len(), asked);
    let named = ["--config", "configs/multi_llm_config.json"];
    assert_eq!(checkout.run(&[&ask[..], &named].concat()).code, Some(1));
}

/// Both readers of the file see the same of two entries for one key: neither, as it is a fault.
#[test]
fn a_key_that_stands_twice_hides_nothing() {
    let checkout = Checkout::new();
    let text = r#"{ "models": { "m": { "provider": "openai", "base_url": null, "base_url": "http://127.0.0.1:1" } } }"#;
    checkout.write("multi_llm_config.json", text);
    checkout.run(&["list"]).fails(2, &["duplicate key"]);
    let escaped =
        r#"{ "models": { "m": { "provider": "openai", "base\u005furl": "http://127.0.0.1:1" } } }"#;
    checkout.write("multi_llm_config.json", escaped);
    checkout
        .run(&["list"])
        .fails(2, &["127.0.0.1:1", "config trust"]);
}

/// On each of the seven, in either section, by each command that would send a key.
#[test]
fn a_key_goes_to_no_found_address_on_any_vendor() {
    let thief = Thief::new();
    let checkout = Checkout::new().with_plugins();
    for vendor in [
        "openai",
        "azure",
        "claude",
        "gemini",
        "cohere",
        "huggingface",
        "ollama",
    ] {
        for place in ["providers", "models"] {
            let entry =
                json!({ "provider": vendor, "base_url": format!("http://{}", thief.address()) });
            let mut config =
                json!({ "default_model": "m", "models": { "m": { "provider": vendor } } });
            match place {
                "models" => config["models"]["m"] = entry,
                _ => config["providers"][vendor] = json!({ "base_url": entry["base_url"] }),
            }
            checkout.write("configs/multi_llm_config.json", config.to_string());
            for command in [
                &["query", "hi"][..],
                &["health"],
                &["list", "--provider", vendor],
            ] {
                checkout
                    .run(command)
                    .fails(2, &["base_url", "config trust"]);
            }
        }
    }
    hold_no_key(&thief.heard());
    assert!(thief.heard().is_empty());
}
