//! One file is the whole program: copied elsewhere, in an empty folder with an empty home, without a
//! configuration.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use multillm::config::{BuiltIn, built_in};
use multillm_simulator::{Options, Simulator, Vendor};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{Done, Stage, program};

/// Where Ollama listens unless something else is said.
const USUAL: u16 = 11434;

/// The program alone, an empty folder to work in and an empty home.
struct Alone {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Alone {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["bin", "work", "home"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let alone = Alone {
            folder,
            variables: vec![],
        };
        // A link would do, but a copy shows that nothing is looked for beside the original. Another process makes it: what this
        // one writes, another test's new process holds open for a moment, and a file that is written does not run.
        let mut copy = Command::new("cp");
        let copied = copy.arg(program()).arg(alone.program()).status();
        assert!(copied.unwrap().success());
        // No server of this machine is to be found by chance.
        alone.with("OLLAMA_HOST", "127.0.0.1:9")
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("bin").join("multillm")
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn run(&self, arguments: &[&str]) -> Done {
        let output = Command::new(self.program())
            .args(arguments)
            .current_dir(self.folder.path().join("work"))
            .env_clear()
            .env("HOME", self.home())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let done = Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!done.stderr.contains("panicked"), "it panicked: {done:?}");
        done
    }
}

/// A simulator, at Ollama's usual address where that is free, and what the program has to be told.
fn ollama() -> (Simulator, Option<String>) {
    let free = TcpListener::bind(("127.0.0.1", USUAL)).is_ok();
    let at = |port| {
        Simulator::background(Options {
            port,
            ..Options::default()
        })
    };
    match free.then(|| at(USUAL)) {
        Some(Ok(simulator)) => (simulator, None),
        _ => {
            let simulator = at(0).unwrap();
            let address = simulator.addr().to_string();
            (simulator, Some(address))
        }
    }
}

#[test]
fn an_empty_home_is_enough() {
    let alone = Alone::new();
    let version = alone.run(&["--version"]).answer();
    assert!(version.starts_with("multillm "), "{version}");

    let plugins = alone.run(&["plugin", "list", "--json"]).json();
    let plugins = plugins.as_array().unwrap();
    assert_eq!(plugins.len(), 7, "{plugins:?}");
    for plugin in plugins {
        assert_eq!(plugin["from"], "program", "{plugin}");
        assert_eq!(plugin["contract"], "0.2.0", "{plugin}");
        assert_eq!(plugin["sha256"].as_str().unwrap().len(), 64, "{plugin}");
    }
    let shown = alone.run(&["plugin", "list"]).answer();
    assert_eq!(shown.matches("this program").count(), 7, "{shown}");

    let (simulator, told) = ollama();
    let alone = match &told {
        Some(address) => alone.with("OLLAMA_HOST", address),
        None => alone.with("OLLAMA_HOST", ""),
    };
    let answer = alone.run(&["query", "hi", "--model", "ollama/llama3.2"]);
    assert_eq!(answer.answer(), "[llama3.2] You said: hi (turns: 1)\n");
    let log = simulator.log();
    assert_eq!(log.last().unwrap().vendor, Some(Vendor::Ollama), "{log:?}");
    // Nobody is named: the Ollama that answers is asked.
    let listed = alone.run(&["list"]).answer();
    let first = listed.lines().find(|line| line.contains('/')).unwrap();
    assert!(first.contains("ollama/"), "{listed}");
    let answer = alone.run(&["query", "hi"]).answer();
    assert!(answer.contains("You said: hi"), "{answer}");
}

#[test]
fn with_nothing_at_all_the_error_shows_three_ways_to_begin() {
    let alone = Alone::new();
    for arguments in [&["query", "hi"][..], &["chat"], &["model"], &["health"]] {
        let done = alone.run(arguments);
        let words = [
            "multillm keys set openai",
            "ollama pull",
            "multillm config init",
        ];
        done.fails(2, &words);
    }
    let listed = alone.run(&["list"]);
    for known in built_in() {
        let name = format!("{}/", known.name);
        assert!(listed.stdout.contains(&name), "{name} in {listed:?}");
        if known.needs_key {
            let step = format!("multillm keys set {}", known.name);
            let needs = known.keys.join(" or ");
            for words in [&step, &needs] {
                assert!(
                    closed_up(&listed.stdout).contains(words),
                    "{words} in {listed:?}"
                );
            }
        }
    }
    // What nobody has is named with the step that helps.
    let done = alone.run(&["query", "hi", "--model", "groq/openai/gpt-oss-120b"]);
    done.fails(2, &["GROQ_API_KEY"]);
    alone
        .run(&["query", "hi", "--model", "gpt-5-mini"])
        .fails(2, &["did you mean \"openai/gpt-5-mini\"?"]);
    alone
        .run(&["query", "hi", "--model", "grok/x"])
        .fails(2, &["XAI_API_KEY"]);
    alone
        .run(&["query", "hi", "--model", "acme/x"])
        .fails(2, &["no provider \"acme\""]);
}

fn closed_up(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn which_model_answers_goes_by_how_near_the_choice_is() {
    let simulator = Simulator::background(Options::default()).unwrap();
    let address = simulator.base_url(Vendor::OpenAi);
    let alone = Alone::new()
        .with("OPENAI_BASE_URL", &address)
        .with("OPENAI_API_KEY", &Vendor::OpenAi.key());
    let asked = |alone: &Alone, arguments: &[&str]| {
        let arguments = [&["query", "hi", "--json"][..], arguments].concat();
        alone.run(&arguments).json()["model"].clone()
    };
    // The first vendor whose key is there.
    assert_eq!(asked(&alone, &[]), "openai/gpt-6.1-terra");
    // What was chosen.
    alone.run(&["model", "openai/gpt-4o-mini"]).answer();
    assert_eq!(alone.run(&["model"]).answer(), "openai/gpt-4o-mini\n");
    assert_eq!(asked(&alone, &[]), "openai/gpt-4o-mini");
    alone
        .run(&["model", "acme/x"])
        .fails(2, &["no provider \"acme\""]);
    // A configuration.
    let file = alone.folder.path().join("work/multi_llm_config.json");
    fs::write(&file, r#"{"default_model": "openai/gpt-5-mini"}"#).unwrap();
    assert_eq!(asked(&alone, &[]), "openai/gpt-5-mini");
    // The variable, and never from a file.
    fs::write(
        alone.folder.path().join("work/.env"),
        "MULTILLM_MODEL=openai/o3\n",
    )
    .unwrap();
    assert_eq!(asked(&alone, &[]), "openai/gpt-5-mini");
    let alone = alone.with("MULTILLM_MODEL", "openai/gpt-4.1");
    assert_eq!(asked(&alone, &[]), "openai/gpt-4.1");
    // The command line.
    assert_eq!(
        asked(&alone, &["--model", "openai/gpt-4o"]),
        "openai/gpt-4o"
    );
    let wrong = alone.with("MULTILLM_MODEL", "gtp");
    wrong.run(&["query", "hi"]).fails(2, &["MULTILLM_MODEL"]);
    let alone = wrong.with("MULTILLM_MODEL", "");
    fs::remove_file(&file).unwrap();
    assert_eq!(asked(&alone, &[]), "openai/gpt-4o-mini");
    alone.run(&["model", "--clear"]).answer();
    assert_eq!(asked(&alone, &[]), "openai/gpt-6.1-terra");
}

/// Every provider that comes with the program answers in its dialect. Its address is another one here;
/// everything else is as it comes, but for a key where it needs none and the simulator wants one.
#[test]
fn every_built_in_provider_answers() {
    let mut stage = Stage::new();
    stage.config["models"] = json!({});
    stage.config["providers"] = json!({});
    stage.config["default_model"] = "openai/gpt-4o-mini".into();
    stage.variables = vec![("TEST_LOCAL_KEY".to_owned(), Vendor::OpenAi.key())];
    let all: Vec<(BuiltIn, Vendor, String)> = built_in().into_iter().map(wire).collect();
    for (known, vendor, _) in &all {
        let base_url = stage.simulator.base_url(*vendor);
        let mut entry = json!({ "base_url": base_url });
        match known.keys.first() {
            Some(variable) => stage.variables.push(((*variable).to_owned(), vendor.key())),
            None => {
                entry["api_key_env"] = "TEST_LOCAL_KEY".into();
                entry["settings"] = json!({ "auth": "bearer" });
            }
        }
        stage.config["providers"][known.name] = entry;
    }
    for (known, vendor, model) in &all {
        let before = stage.simulator.log().len();
        let question = [
            "query",
            "write 3 words",
            "--json",
            "--max-tokens",
            "4000",
            "--model",
            model.as_str(),
        ];
        for more in [&[][..], &["--stream"]] {
            let done = stage.run(&[&question[..], more].concat());
            assert_eq!(done.code, Some(0), "{}: {done:?}", known.name);
            let last = done.stdout.lines().last().unwrap().to_owned();
            let answer: Value = serde_json::from_str(&last).unwrap();
            assert_eq!(answer["provider"], known.name, "{answer}");
            assert_eq!(answer["finish_reason"], "stop", "{answer}");
        }
        let log = stage.simulator.log();
        let exchange = &log[before];
        assert_eq!(exchange.vendor, Some(*vendor));
        dialect(known.name, &exchange.json());
    }
    // What runs on this machine and has no key is sent none.
    let base_url = stage.simulator.base_url(Vendor::OpenAi);
    stage.config["providers"] = json!({ "lmstudio": { "base_url": base_url } });
    let done = stage.run(&["query", "hi", "--model", "lmstudio/any"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let log = stage.simulator.log();
    assert_eq!(log.last().unwrap().header("authorization"), None);
}

/// The wire on which a provider is simulated, and a model there.
fn wire(known: BuiltIn) -> (BuiltIn, Vendor, String) {
    let (vendor, model) = match known.plugin {
        "openai" => (Vendor::OpenAi, "gpt-4o-mini"),
        "claude" => (Vendor::Anthropic, "claude-sonnet-5-5"),
        "gemini" => (Vendor::Gemini, "gemini-3.8-flash"),
        "cohere" => (Vendor::Cohere, "command-a-03-2025"),
        "huggingface" => (Vendor::HuggingFace, "openai/gpt-oss-120b"),
        "azure" => (Vendor::Azure, "gpt-4o"),
        "ollama" => (Vendor::Ollama, "llama3.2"),
        other => panic!("no wire for {other}"),
    };
    (known, vendor, format!("{}/{model}", known.name))
}

/// What differs from OpenAI's own dialect, in the request that came.
fn dialect(name: &str, body: &Value) {
    let has = |field: &str| body.get(field).is_some();
    match name {
        "groq" | "xai" | "cerebras" | "openai" => {
            assert!(has("max_completion_tokens"), "{name}: {body}")
        }
        "mistral" | "deepseek" | "openrouter" | "together" | "fireworks" | "sambanova"
        | "moonshot" | "zai" | "dashscope" | "minimax" | "perplexity" | "lmstudio" | "llamacpp"
        | "vllm" => {
            assert!(
                has("max_tokens") && !has("max_completion_tokens"),
                "{name}: {body}"
            );
        }
        _ => {}
    }
}

/// A file that only names models needs nothing else, and is taken as right.
#[test]
fn a_file_that_only_names_models_is_right() {
    let alone = Alone::new()
        .with("OPENAI_API_KEY", "sk-a")
        .with("GROQ_API_KEY", "gsk-b");
    let file = alone.folder.path().join("work/multi_llm_config.json");
    for text in [
        r#"{"default_model": "openai/gpt-5-mini"}"#,
        r#"{"models": {"a": {"provider": "openai", "model_name": "gpt-5-mini"}, "b": {"provider": "groq", "model_name": "x"}}}"#,
        r#"{"routes": {"any": {"models": ["openai/gpt-5-mini", "groq/x"]}}, "default_model": "any"}"#,
        r#"{"providers": {"groq": {"timeouts": {"first_byte_ms": 5000}}}}"#,
    ] {
        fs::write(&file, text).unwrap();
        let report = alone.run(&["config", "check", "--strict", "--json"]).json();
        assert_eq!(report["ok"], true, "{text}: {report}");
        assert_eq!(report["missing_files"], json!([]), "{text}: {report}");
    }
    // The key of one vendor is for its own address.
    fs::write(
        &file,
        r#"{"providers": {"groq": {"base_url": "https://elsewhere.example"}}}"#,
    )
    .unwrap();
    let report = alone.run(&["config", "check", "--json"]);
    assert_eq!(report.code, Some(2), "{report:?}");
    assert!(report.stdout.contains("elsewhere.example"), "{report:?}");
}

/// A file of a plugin's name goes before the program's own.
#[test]
fn a_file_goes_before_what_the_program_brings() {
    let alone = Alone::new();
    let own = alone.home().join(".config/multillm/plugins");
    fs::create_dir_all(&own).unwrap();
    let file = own.join("openai.wasm");
    fs::write(&file, b"\0asm nothing").unwrap();
    let listed = alone.run(&["plugin", "list", "--json"]).json();
    let openai = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|plugin| plugin["name"] == "openai");
    assert_eq!(openai.unwrap()["from"], "file", "{listed}");
    assert_eq!(openai.unwrap()["file"], file.display().to_string());
    let alone = alone.with("OPENAI_API_KEY", "sk-a");
    alone
        .run(&["query", "hi", "--model", "openai/gpt-5-mini"])
        .fails(2, &["openai.wasm"]);
}

/// What lies in the working directory is no plugin of anybody's.
#[test]
fn a_plugin_in_the_working_directory_is_not_loaded() {
    let alone = Alone::new();
    let folder = alone.folder.path().join("work/plugins");
    fs::create_dir_all(&folder).unwrap();
    for name in ["openai", "groq"] {
        fs::write(folder.join(format!("{name}.wasm")), b"\0asm nothing").unwrap();
    }
    let listed = alone.run(&["plugin", "list", "--json"]).json();
    for plugin in listed.as_array().unwrap() {
        assert_eq!(plugin["from"], "program", "{plugin}");
    }
}

/// The templates that come with the program are there without a folder of templates.
#[test]
fn templates_come_with_the_program() {
    let alone = Alone::new();
    let listed = alone.run(&["template", "list"]).answer();
    assert!(listed.contains("translation"), "{listed}");
    let shown = alone.run(&["template", "show", "translation"]).answer();
    assert!(shown.contains("--- prompt"), "{shown}");
}
