//! The user's own keys: kept by `multillm keys`, checked by one free call, in their place behind the
//! environment, and shown nowhere.

use std::fs;
use std::path::PathBuf;

use multillm::config::{Config, Env, KeyStore};
use multillm::{ChatMessage, MultiLlmService};
use multillm_simulator::Options;
use serde_json::{Value, json};

use crate::stage::{Done, Stage};
use crate::thief::{Checkout, Thief};

/// Keys that occur nowhere by chance; the simulator takes all but the last.
const KEPT: &str = "sk-kept-7Qv2xGm4ZtR9wLc1";
const SET: &str = "sk-set-3hTn8pKd5YbW2sFj6";
const LYING: &str = "sk-lying-9MrV4cXe7UqA1zGo8";
const FILED: &str = "sk-filed-5DkB6jHw0PnS3vCy2";
const WRONG: &str = "sk-wrong-1LfQ8mTi4ExZ7uRa5";

/// Vendors that take these keys, in a folder where no key is.
fn stage() -> Stage {
    let mut stage = Stage::with(Options {
        keys: [KEPT, SET, LYING, FILED].map(str::to_owned).to_vec(),
        ..Options::default()
    });
    stage.variables.clear();
    stage
}

/// Runs the program, as talkative as it can be, and finds no key in what it said.
fn run(stage: &Stage, arguments: &[&str], input: &str) -> Done {
    let done = stage.run_with(&[arguments, &["-vv"]].concat(), input.as_bytes());
    shows_no_key(&format!("{}{}", done.stdout, done.stderr));
    done
}

fn shows_no_key(text: &str) {
    for key in [KEPT, SET, LYING, FILED, WRONG] {
        assert!(!text.contains(key), "a key was shown: {text}");
    }
}

fn file(stage: &Stage) -> PathBuf {
    stage.folder.path().join(".config/multillm/keys.json")
}

/// The key that the vendor got with the last request.
fn sent(stage: &Stage) -> String {
    let last = stage.simulator.log().pop().unwrap();
    let sent = last.header("authorization").unwrap_or_default().to_owned();
    sent.trim_start_matches("Bearer ").to_owned()
}

/// An address where nobody listens: it was bound, and closed again.
pub(crate) fn unheard() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn keep(stage: &Stage, name: &str, key: &str) {
    let done = run(stage, &["keys", "set", name, "--no-check"], key);
    done.answer();
}

#[test]
fn a_key_is_kept_once_and_answers_everywhere() {
    let stage = stage();
    run(&stage, &["query", "hi"], "").fails(2, &["TEST_OPENAI_KEY", "multillm keys set"]);
    assert_eq!(stage.simulator.requests(), 0);
    let done = run(&stage, &["keys", "set", "openai"], &format!("{KEPT}\r\n"));
    assert!(done.stderr.contains("openai takes it"), "{done:?}");
    assert_eq!(done.answer(), "", "nothing to be piped on");
    let checked = stage.only_exchange();
    assert_eq!(
        (&*checked.method, checked.body.len()),
        ("GET", 0),
        "a call that costs nothing"
    );
    run(&stage, &["query", "hi"], "").answer();
    assert_eq!(sent(&stage), KEPT);
    let path = run(&stage, &["keys", "path"], "").answer();
    assert_eq!(path.trim_end(), file(&stage).display().to_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(file(&stage)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let listed = run(&stage, &["keys", "list"], "").answer();
    for words in ["TEST_OPENAI_KEY", "openai", "your keys", "wLc1", "used"] {
        assert!(listed.contains(words), "no {words} in {listed}");
    }
    let remove = ["keys", "remove", "openai", "--json"];
    let removed = run(&stage, &remove, "").json();
    assert_eq!(removed, json!({ "removed": ["TEST_OPENAI_KEY"] }));
    run(&stage, &remove, "").fails(2, &["no key of that name is kept"]);
    run(&stage, &["query", "hi"], "").fails(2, &["TEST_OPENAI_KEY"]);
}

#[test]
fn every_vendor_is_asked_in_its_own_way_whether_it_takes_the_key() {
    let stage = stage();
    for (provider, told) in [
        ("openai", "accepted"),
        ("claude", "accepted"),
        ("gemini", "accepted"),
        ("cohere", "accepted"),
        ("azure", "accepted"),
        // They list their models for everybody.
        ("huggingface", "unknown"),
        ("ollama", "unknown"),
    ] {
        let before = stage.simulator.requests();
        let done = run(&stage, &["keys", "set", provider, "--json"], KEPT).json();
        assert_eq!(done["check"], told, "{done}");
        assert_eq!(
            (&done["provider"], &done["vault"]),
            (&json!(provider), &json!("file"))
        );
        assert_eq!(
            stage.simulator.requests(),
            before + 1,
            "{provider}: one call"
        );
    }
}

#[test]
fn a_wrong_key_is_refused_with_the_vendors_word_and_not_kept() {
    let stage = stage();
    for provider in ["openai", "claude", "gemini", "cohere"] {
        let done = run(&stage, &["keys", "set", provider], WRONG);
        done.fails(1, &["authentication", "not kept", "--no-check"]);
        assert!(!file(&stage).exists(), "{provider}");
    }
    let done = run(&stage, &["keys", "set", "openai", "--json"], WRONG);
    let last: Value = serde_json::from_str(done.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["kind"], "authentication", "{last}");
    let before = stage.simulator.requests();
    keep(&stage, "openai", WRONG);
    assert_eq!(stage.simulator.requests(), before, "nobody was asked");
    // What to type next.
    let done = run(&stage, &["query", "hi"], "");
    done.fails(
        1,
        &[
            "authentication",
            "multillm keys set openai",
            "multillm keys list",
        ],
    );
    let done = run(&stage, &["query", "hi", "--json"], "");
    let last: Value = serde_json::from_str(done.stderr.lines().last().unwrap()).unwrap();
    let fix = last["error"]["fix"].as_str().unwrap();
    assert!(fix.contains("multillm keys set openai"), "{last}");
}

#[test]
fn a_key_that_cannot_be_checked_is_kept_and_told() {
    let mut stage = stage();
    let thief = Thief::new();
    stage.config["providers"]["openai"]["base_url"] = json!(unheard());
    // It answers 403 to everybody.
    stage.config["providers"]["claude"]["base_url"] = json!(format!("http://{}", thief.address()));
    for (name, variable) in [
        ("openai", "TEST_OPENAI_KEY"),
        ("claude", "TEST_CLAUDE_KEY"),
        ("ACME_API_KEY", "ACME_API_KEY"),
    ] {
        let done = run(&stage, &["keys", "set", name], KEPT);
        assert!(done.stderr.contains("it was not checked"), "{done:?}");
        done.answer();
        let kept: Value = serde_json::from_slice(&fs::read(file(&stage)).unwrap()).unwrap();
        assert_eq!(kept["keys"][variable]["key"], KEPT, "{kept}");
    }
}

#[test]
fn what_is_no_key_or_no_name_is_refused_and_not_repeated() {
    let stage = stage();
    for (arguments, input, words) in [
        (&["openai"][..], "", "no key was given"),
        (&["openai"], " \n\n", "no key was given"),
        (
            &["openai"],
            "sk-lying-9MrV4cXe7UqA1zGo8\nsecond line",
            "more than one line",
        ),
        (
            &["openai"],
            "\"sk-lying-9MrV4cXe7UqA1zGo8\"",
            "quotes around it",
        ),
        (
            &["openai"],
            "OPENAI_API_KEY=sk-lying-9MrV4cXe7UqA1zGo8",
            "behind the =",
        ),
        (&["openai"], "sk-\u{7}bell", "more than one line"),
        (&["openai", LYING], "", "shell's history"),
        (&[LYING], "", "type the key"),
        (&["opnai"], KEPT, "did you mean \"openai\"?"),
        (&["OPENAI_BASE_URL"], "https://evil.example", "is no key"),
    ] {
        let arguments = [&["keys", "set"], arguments].concat();
        run(&stage, &arguments, input).fails(2, &[words]);
    }
    let mut stage = stage;
    stage.config["providers"]["openai"] = json!({ "api_key_file": "key.txt" });
    run(&stage, &["keys", "set", "openai"], KEPT).fails(2, &["key.txt", "configuration"]);
    assert!(!file(&stage).exists());
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
fn the_environment_comes_first_and_a_lying_file_last() {
    let mut stage = stage();
    stage.file(".env", format!("TEST_OPENAI_KEY={LYING}\n"));
    let asked = |stage: &Stage| {
        run(stage, &["query", "hi"], "").answer();
        sent(stage)
    };
    assert_eq!(asked(&stage), LYING);
    keep(&stage, "openai", KEPT);
    assert_eq!(asked(&stage), KEPT);
    stage.variables = vec![("TEST_OPENAI_KEY".into(), SET.into())];
    assert_eq!(asked(&stage), SET);
    // All three, the one that counts first.
    let list = run(&stage, &["keys", "list", "--json"], "").json();
    let found = list.as_array().unwrap().iter();
    let found: Vec<_> = found
        .filter(|row| row["name"] == "TEST_OPENAI_KEY")
        .map(|row| {
            (
                row["place"].as_str().unwrap(),
                row["used"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [("environment", true), ("keys", false), ("file", false)],
        "{list}"
    );
    let done = run(&stage, &["keys", "set", "openai", "--no-check"], KEPT);
    assert!(done.stderr.contains("the environment"), "{done:?}");
    // A variable that is set to nothing goes without.
    stage.variables = vec![("TEST_OPENAI_KEY".into(), String::new())];
    run(&stage, &["query", "hi"], "").fails(2, &["TEST_OPENAI_KEY"]);
    // What the configuration names comes before everything.
    stage.variables = vec![("TEST_OPENAI_KEY".into(), SET.into())];
    let key_file = stage.file("key.txt", FILED);
    stage.config["providers"]["openai"]["api_key_env"] = Value::Null;
    stage.config["providers"]["openai"]["api_key_file"] = key_file.into();
    assert_eq!(asked(&stage), FILED);
    // What a test leaves behind may hold no key.
    stage.variables.clear();
}

#[cfg(unix)]
#[test]
fn a_file_that_is_not_its_users_alone_is_refused_by_name() {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    let stage = stage();
    keep(&stage, "openai", KEPT);
    let path = file(&stage);
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    let refused = |words: &str| {
        let named = path.display().to_string();
        for arguments in [
            &["query", "hi"][..],
            &["keys", "set", "openai", "--no-check"],
            &["keys", "remove", "openai"],
        ] {
            run(&stage, arguments, KEPT).fails(2, &["your keys are not used", &named, words]);
        }
        let done = run(&stage, &["keys", "list"], "");
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.stderr.contains(words), "{done:?}");
    };
    for open in [0o644, 0o640, 0o620] {
        mode(open);
        refused("chmod 600");
    }
    mode(0o600);
    let real = stage.folder.path().join("keys.json");
    fs::rename(&path, &real).unwrap();
    symlink(&real, &path).unwrap();
    refused("is a link");
    fs::remove_file(&path).unwrap();
    fs::rename(&real, &path).unwrap();
    if chown(&path, Some(65_534), None).is_ok() {
        refused("another user");
        chown(&path, Some(0), None).unwrap();
    }
    assert_eq!(stage.simulator.requests(), 0, "no key left");
    run(&stage, &["query", "hi"], "").answer();
}

/// A program decides itself whose keys it uses.
#[test]
fn the_library_looks_at_the_users_keys_where_it_was_told_to() {
    let stage = stage();
    keep(&stage, "openai", KEPT);
    let env = Env::fixed(stage.folder.path(), [("NOTHING", "1")]);
    let config = Config::load(&stage.config_file(), &env).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = KeyStore::in_dir(file(&stage).parent().unwrap());
    let ask = |service: MultiLlmService| {
        let messages = [ChatMessage::user("hi")];
        runtime.block_on(service.chat_completion(&messages, "openai"))
    };
    let builder = || {
        MultiLlmService::builder()
            .config(config.clone())
            .env(env.clone())
    };
    let error = ask(builder().build().unwrap()).unwrap_err();
    let told = "needs TEST_OPENAI_KEY: set it or put it in .env";
    assert!(error.message.contains(told), "{error}");
    ask(builder().keys(store).build().unwrap()).unwrap();
    assert_eq!(sent(&stage), KEPT);
}

#[test]
fn a_kept_key_is_taken_out_of_what_comes_back() {
    let stage = stage();
    keep(&stage, "openai", KEPT);
    let done = run(&stage, &["query", "[[fault:echo-key]]"], "");
    done.fails(1, &["authentication"]);
    let mut echoed = 0;
    for exchange in stage.simulator.log() {
        echoed += usize::from(exchange.status == Some(401));
    }
    assert!(echoed > 0, "the vendor was to repeat it");
    let history = run(&stage, &["history", "export", "--format", "json"], "");
    assert!(history.answer().contains("echo-key"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_key_is_typed_unseen_and_the_terminal_is_left_as_it_was() {
    use crate::chat::on_a_terminal;
    let stage = stage();
    let typed = format!("{KEPT}\n");
    let seen = on_a_terminal(&stage, "keys set openai; stty -a", &[(&typed, 2000)]);
    shows_no_key(&seen);
    for words in [
        "TEST_OPENAI_KEY (not shown):",
        "openai takes it",
        " echo ",
        " icanon ",
    ] {
        assert!(seen.contains(words), "no {words:?} in {seen}");
    }
    run(&stage, &["query", "hi"], "").answer();
    assert_eq!(sent(&stage), KEPT);
    // Ctrl-C gives it up.
    run(&stage, &["keys", "remove", "openai"], "");
    let command = "keys set openai; echo code $?; stty -a";
    let seen = on_a_terminal(&stage, command, &[("sk-", 300), ("\x03", 1000)]);
    for words in ["code 130", " echo ", " icanon "] {
        assert!(seen.contains(words), "no {words:?} in {seen}");
    }
    run(&stage, &["query", "hi"], "").fails(2, &["TEST_OPENAI_KEY"]);
}

/// Nothing that lies in a directory has a say in whose key it is or where it is checked.
#[test]
fn a_found_configuration_cannot_lead_a_key_anywhere() {
    let (thief, proxy) = (Thief::new(), Thief::new());
    let mut checkout = Checkout::hostile(&thief);
    checkout.variables.clear();
    checkout.set("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    let lead_away = json!({ "providers": {
        "openai": { "plugin": "claude" },
        "claude": { "base_url": format!("http://{}", thief.address()) },
    } });
    let harmless = json!({ "providers": { "openai": { "plugin": "claude" } } });
    for config in [None, Some(lead_away), Some(harmless)] {
        if let Some(config) = &config {
            checkout.write("configs/multi_llm_config.json", config.to_string());
        }
        for (provider, variable, address) in [
            ("openai", "OPENAI_API_KEY", "api.openai.com"),
            ("claude", "ANTHROPIC_API_KEY", "api.anthropic.com"),
        ] {
            let before = proxy.heard().len();
            let done = checkout.run_with(&["keys", "set", provider, "--json"], KEPT.as_bytes());
            shows_no_key(&format!("{}{}", done.stdout, done.stderr));
            assert_eq!(done.json()["name"], variable, "{config:?}");
            for request in &proxy.heard()[before..] {
                let own = format!("CONNECT {address}:443 ");
                assert!(request.starts_with(&own), "{request}");
            }
        }
    }
    assert_eq!(thief.heard(), Vec::<String>::new());
}
