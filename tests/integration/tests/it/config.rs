//! The configuration's own commands, and what is generated from the program and its components.

use multillm_simulator::{Options, Vendor};
use serde_json::{Value, json};

use crate::stage::{Stage, plugin_dir, root};

#[test]
fn check_reports_everything_at_once_and_asks_nobody() {
    let mut stage = Stage::new();
    stage
        .variables
        .retain(|(name, _)| name != "TEST_CLAUDE_KEY");
    let done = stage.run(&["config", "check", "--json"]);
    let report = done.json();
    assert_eq!(report["ok"], true, "{report}");
    let models = report["models"].as_array().unwrap();
    let unready: Vec<&Value> = models
        .iter()
        .filter(|model| model["ready"] == false)
        .collect();
    assert_eq!(unready.len(), 3, "{report}");
    for model in unready {
        assert_eq!(model["provider"], "claude");
        assert!(
            model["problem"]
                .as_str()
                .unwrap()
                .contains("TEST_CLAUDE_KEY")
        );
    }
    assert_eq!(stage.run(&["config", "check", "--strict"]).code, Some(2));
    assert_eq!(stage.simulator.requests(), 0);
    assert!(
        !stage.folder.path().join("history.db").exists(),
        "a check leaves nothing behind"
    );

    stage.config["prices"] = "nowhere.json".into();
    let done = stage.run(&["config", "check"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stdout.contains("nowhere.json"), "{done:?}");

    stage.config["models"]["openai"]["provider"] = "opnai".into();
    stage.config["modles"] = json!({});
    let done = stage.run(&["config", "check"]);
    assert_eq!(done.code, Some(2));
    for words in ["did you mean \"openai\"", "modles"] {
        assert!(done.stdout.contains(words), "{done:?}");
    }
    assert!(done.stderr.contains("2 things to put right"), "{done:?}");
}

#[test]
fn init_writes_a_configuration_that_works_and_overwrites_nothing() {
    let stage = Stage::new();
    stage
        .run_bare(&["config", "init"], b"")
        .fails(2, &["--vendor", "openai"]);
    let init = ["config", "init", "--vendor", "openai,anthropic"];
    stage.run_bare(&init, b"").answer();
    let file = stage.folder.path().join("multi_llm_config.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let env = std::fs::read_to_string(stage.folder.path().join(".env.example")).unwrap();
    assert!(
        env.contains("OPENAI_API_KEY=") && env.contains("ANTHROPIC_API_KEY="),
        "{env}"
    );
    assert!(!env.contains("GEMINI"), "{env}");
    stage.run_bare(&init, b"").fails(2, &["already", "--force"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let report = stage.run_bare(&["config", "check", "--json"], b"").json();
    assert_eq!(report["problems"], json!([]), "{report}");
    assert_eq!(report["missing_files"], json!([]), "{report}");
    let path = stage.run_bare(&["config", "path"], b"").answer();
    assert!(path.trim_end().ends_with("multi_llm_config.json"), "{path}");
    let forced = ["config", "init", "--vendor", "ollama", "--force"];
    stage.run_bare(&forced, b"").answer();
    assert_ne!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_price_list_in_the_shared_form_becomes_a_table() {
    let mut stage = Stage::new();
    let list = json!({
        "sample_spec": { "mode": "chat" },
        "gpt-4o-mini": { "litellm_provider": "openai", "mode": "chat",
            "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06 },
        "embedder": { "litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 1e-07 },
    });
    let list = stage.file("list.json", list.to_string());
    let import = ["config", "import-prices", &list, "--output", "prices.json"];
    let done = stage.run_bare(&import, b"");
    assert!(done.stderr.contains("1 models are priced"), "{done:?}");
    done.answer();
    stage.config["prices"] = "prices.json".into();
    let answer = stage.run(&["query", "write 10 words", "--model", "openai", "--json"]);
    // 3×1 + 10×2 millionths
    assert_eq!(answer.json()["cost"], json!(0.000023));
}

#[test]
fn shells_man_and_editors_get_what_they_read() {
    let stage = Stage::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stage.run_bare(&["completions", shell], b"").answer();
        assert!(
            script.contains("history") && script.contains("compare"),
            "{shell}"
        );
    }
    let page = stage.run_bare(&["man"], b"").answer();
    assert!(page.contains(".TH multillm 1"), "{page}");
    let page = stage.run_bare(&["man", "history", "list"], b"").answer();
    assert!(page.contains("\\-\\-since"), "{page}");
    let schema: Value = stage.run_bare(&["config", "schema"], b"").json();
    assert!(schema["properties"]["models"].is_object());
}

#[test]
fn the_documented_capabilities_are_those_of_the_components() {
    let stage = Stage::new();
    let mut arguments = vec!["plugin".to_owned(), "matrix".to_owned()];
    for vendor in [
        "openai",
        "azure",
        "claude",
        "gemini",
        "cohere",
        "huggingface",
        "ollama",
    ] {
        let file = plugin_dir().join(format!("{vendor}.wasm"));
        arguments.push(file.display().to_string());
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let table = stage.run_bare(&arguments, b"").answer();
    let document = std::fs::read_to_string(root().join("docs/capabilities.md")).unwrap();
    assert!(
        document.contains(&table),
        "docs/capabilities.md is out of date; the table is now (multillm plugin matrix):\n{table}"
    );
}

/// One flat entry for each model, the vendors by their companies' names, no `providers`.
#[test]
fn a_flat_configuration_with_old_names_loads_and_answers() {
    let models = [
        ("gpt-4", "openai", "gpt-4", Vendor::OpenAi),
        ("gpt-3.5-turbo", "openai", "gpt-3.5-turbo", Vendor::OpenAi),
        ("gemini-pro", "google", "gemini-pro", Vendor::Gemini),
        (
            "gemini-pro-vision",
            "google",
            "gemini-pro-vision",
            Vendor::Gemini,
        ),
        (
            "claude-3-opus",
            "anthropic",
            "claude-3-opus-20240229",
            Vendor::Anthropic,
        ),
        (
            "claude-3-haiku",
            "anthropic",
            "claude-3-haiku-20240307",
            Vendor::Anthropic,
        ),
        ("llama2-7b", "ollama", "llama2:7b", Vendor::Ollama),
        ("codellama", "ollama", "codellama:7b", Vendor::Ollama),
        ("azure-gpt-4", "azure_openai", "gpt-4", Vendor::Azure),
        ("cohere-command", "cohere", "command", Vendor::Cohere),
        (
            "huggingface-llama",
            "hugging_face",
            "meta-llama/Llama-3.1-8B-Instruct",
            Vendor::HuggingFace,
        ),
    ];
    let mut stage = Stage::with(Options {
        models: models
            .iter()
            .map(|(_, _, vendors_name, _)| (*vendors_name).to_owned())
            .collect(),
        ..Options::default()
    });
    stage.config.as_object_mut().unwrap().remove("providers");
    stage.config["models"] = json!({});
    stage.config["default_model"] = "gpt-4".into();
    for (name, provider, vendors_name, vendor) in models {
        let key = format!("{}_KEY", provider.to_uppercase());
        stage.variables.push((key.clone(), vendor.key()));
        stage.config["models"][name] = json!({
            "provider": provider, "model_name": vendors_name, "api_key_env": key,
            "base_url": stage.simulator.base_url(vendor), "max_tokens": 1000,
            "temperature": 0.7, "top_p": null, "cost_per_1k_tokens": 0.03, "enabled": true
        });
    }
    for (name, ..) in models {
        let answer = stage
            .run(&["query", "hello", "--model", name, "--json"])
            .json();
        let content = answer["content"].as_str().unwrap();
        assert!(content.contains("You said: hello"), "{name}: {content}");
        assert!(answer["cost"].as_f64().unwrap() > 0.0, "{name}: {answer}");
    }
}
