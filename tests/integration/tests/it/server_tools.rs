//! Tools that the vendor runs, from the command line: asked for, told, refused by name; what answers rest on, numbered
//! for people; pictures that a model made, saved and shown.

use std::fs;

use serde_json::{Value, json};

use crate::raw_server::{RawServer, http};
use crate::stage::Stage;

fn stage() -> Stage {
    let mut stage = Stage::new();
    for (name, provider, model) in [
        ("responses", "openai", "gpt-4o"),
        ("azure-responses", "azure", "gpt-4o"),
    ] {
        let mut settings = json!({ "api": "responses" });
        if provider == "azure" {
            settings["api_version"] = "v1".into();
        }
        stage.config["models"][name] =
            json!({ "provider": provider, "model_name": model, "settings": settings });
    }
    stage.config["models"]["draws"] =
        json!({ "provider": "gemini", "model_name": "gemini-2.5-flash" });
    stage.once();
    stage
}

fn sent(stage: &Stage) -> Value {
    let last = stage.simulator.log().pop().expect("something was sent");
    serde_json::from_slice(&last.body).unwrap()
}

#[test]
fn a_search_is_asked_for_told_and_cited() {
    let stage = stage();
    for model in ["claude", "gemini", "responses", "azure-responses"] {
        let asked = [
            "query",
            "Please search the web",
            "--web-search",
            "-m",
            model,
        ];
        for way in ["--no-stream", "--stream"] {
            let done = stage.run(&[&asked[..], &[way]].concat());
            assert_eq!(done.code, Some(0), "{model}: {done:?}");
            // What is piped is the text and nothing else.
            assert!(!done.stdout.contains("search.example"), "{model}: {done:?}");
            assert!(!done.stdout.contains("[1]"), "{model}: {done:?}");
            if model != "gemini" {
                assert!(
                    done.stderr.contains("web-search Please search the web"),
                    "{model}: {done:?}"
                );
            }
        }
        let listed = stage.run(&[&asked[..], &["--sources"]].concat()).answer();
        assert!(listed.contains("[1]"), "{model}: {listed}");
        assert!(
            listed.ends_with("\nSources:\n[1] The first result — https://search.example/first\n"),
            "{model}: {listed}"
        );
        let streamed = stage
            .run(&[&asked[..], &["--sources", "--stream"]].concat())
            .answer();
        assert!(
            streamed.ends_with("\nSources:\n[1] The first result — https://search.example/first\n"),
            "{model}: {streamed}"
        );
        let answer = stage.run(&[&asked[..], &["--json"]].concat()).json();
        let parts = answer["parts"].as_array().unwrap();
        let cited = parts
            .iter()
            .find_map(|part| part["citations"].get(0))
            .unwrap();
        assert_eq!(
            cited["source"]["url"], "https://search.example/first",
            "{model}"
        );
        let events = stage
            .run(&[&asked[..], &["--json", "--stream"]].concat())
            .answer();
        let kinds: Vec<Value> = events
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone())
            .collect();
        assert!(kinds.contains(&json!("citation")), "{model}: {kinds:?}");
        if model != "gemini" {
            assert!(
                kinds.contains(&json!("server_tool_call")),
                "{model}: {kinds:?}"
            );
        }
    }
}

#[test]
fn code_runs_beside_functions_and_options_are_the_vendors_own() {
    let stage = stage();
    let tools = stage.file(
        "tools.json",
        r#"[{"name":"look","parameters":{"type":"object","properties":{}}}]"#,
    );
    for model in ["claude", "responses"] {
        let asked = ["query", "run code", "-m", model, "--tools", &tools];
        let done = stage.run(&[&asked[..], &["--server-tool", "code-execution"]].concat());
        assert_eq!(done.code, Some(0), "{model}: {done:?}");
        assert!(
            done.stderr.contains("code-execution print(6 * 7)"),
            "{model}: {done:?}"
        );
        assert!(
            done.stderr.contains("code-execution → 42"),
            "{model}: {done:?}"
        );
        assert_eq!(
            sent(&stage)["tools"].as_array().unwrap().len(),
            2,
            "{model}"
        );
    }
    stage
        .run(&[
            "query",
            "hi",
            "-m",
            "claude",
            "--server-tool",
            r#"web-search={"max_uses":3,"allowed_domains":["a.org"]}"#,
        ])
        .answer();
    let tool = sent(&stage)["tools"][0].clone();
    assert_eq!(
        (&tool["max_uses"], &tool["allowed_domains"]),
        (&json!(3), &json!(["a.org"]))
    );
    stage
        .run(&["query", "hi", "--server-tool", "web-search=[1]"])
        .fails(2, &["web-search", "JSON object"]);
    stage
        .run(&["query", "hi", "--server-tool", "a b"])
        .fails(2, &["NAME or NAME=JSON"]);
}

#[test]
fn who_has_no_such_tool_says_so_before_anything_is_sent() {
    let stage = stage();
    for (model, tool) in [
        ("cohere", "web-search"),
        ("ollama", "web-search"),
        ("huggingface", "web-search"),
        ("openai", "code-execution"),
        ("claude", "file-search"),
        ("gemini", "mcp"),
        ("responses", "web-fetch"),
    ] {
        stage
            .run(&["query", "hi", "-m", model, "--server-tool", tool])
            .fails(1, &["unsupported", tool]);
    }
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
fn a_chat_lets_the_vendor_run_tools() {
    let stage = stage();
    let lines =
        b"/server-tool web-search\n/server-tool\nPlease search the web\n/server-tool none\nagain\n";
    let done = stage.run_with(&["chat", "-m", "claude"], lines);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stderr.contains("may run web-search"), "{done:?}");
    assert!(
        done.stderr.contains("web-search Please search the web"),
        "{done:?}"
    );
    let log = stage.simulator.log();
    let bodies: Vec<Value> = log
        .iter()
        .map(|exchange| serde_json::from_slice(&exchange.body).unwrap())
        .collect();
    assert_eq!(bodies[0]["tools"][0]["name"], "web_search");
    assert_eq!(bodies[1]["tools"], Value::Null);
    let flagged = stage.run_with(&["chat", "-m", "claude", "--web-search"], b"Hello\n");
    assert_eq!(flagged.code, Some(0), "{flagged:?}");
    assert_eq!(sent(&stage)["tools"][0]["name"], "web_search");
}

/// The files in the folder that a model made.
fn made(stage: &Stage) -> Vec<String> {
    let all = fs::read_dir(stage.folder.path()).unwrap();
    let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("answer-")).collect();
    names.sort();
    names
}

#[test]
fn a_picture_is_saved_beside_the_text_and_replaces_nothing() {
    let stage = stage();
    for model in ["draws", "responses"] {
        let before = made(&stage).len();
        let more: &[&str] = match model {
            "responses" => &["--server-tool", "image-generation"],
            _ => &[
                "--param",
                r#"generationConfig={"responseModalities":["TEXT","IMAGE"]}"#,
            ],
        };
        let asked = [&["query", "draw a picture", "-m", model][..], more].concat();
        for way in ["--no-stream", "--stream"] {
            let done = stage.run(&[&asked[..], &[way]].concat());
            assert_eq!(done.code, Some(0), "{model}: {done:?}");
            assert!(
                done.stderr
                    .contains("saved 1 image/png (70 bytes) as answer-"),
                "{model}: {done:?}"
            );
            assert!(!done.stdout.contains('\u{1b}'), "{model}: {done:?}");
        }
        let files = made(&stage);
        assert_eq!(files.len(), before + 2, "{model}: {files:?}");
        for name in &files {
            let path = stage.folder.path().join(name);
            assert!(fs::read(&path).unwrap().starts_with(b"\x89PNG"), "{name}");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(
                    fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                    0o600
                );
            }
        }
        // Programs find it in the parts, and nothing is written for them.
        let answer = stage.run(&[&asked[..], &["--json"]].concat()).json();
        assert!(
            answer["parts"].to_string().contains("image/png"),
            "{answer}"
        );
        assert_eq!(made(&stage).len(), files.len());
        // A file that is named for it gets it, and the text is shown.
        let out = stage.folder.path().join(format!("{model}.png"));
        let named = out.display().to_string();
        let done = stage.run(&[&asked[..], &["--out", &named]].concat());
        assert!(fs::read(&out).unwrap().starts_with(b"\x89PNG"), "{done:?}");
        assert!(done.stdout.contains("You said: draw a picture"), "{done:?}");
        // A file for the text gets that, with the picture beside it.
        let text = stage.folder.path().join(format!("{model}.md"));
        let done = stage.run(&[&asked[..], &["--out", &text.display().to_string()]].concat());
        assert!(
            fs::read_to_string(&text)
                .unwrap()
                .contains("draw a picture"),
            "{done:?}"
        );
        let beside = stage.folder.path().join(format!("{model}-1.png"));
        assert!(
            fs::read(beside).unwrap().starts_with(b"\x89PNG"),
            "{done:?}"
        );
    }
    let chat = stage.run_with(
        &["chat", "-m", "responses"],
        b"/server-tool image-generation\ndraw a picture\nagain\n",
    );
    assert!(chat.stderr.contains("saved 1 image/png"), "{chat:?}");
    assert_eq!(chat.code, Some(0), "{chat:?}");
}

#[test]
fn nothing_of_a_vendors_becomes_a_path() {
    let picture = json!({ "inlineData": { "mimeType": "image/../../../../tmp/x\u{1b}]0;y\u{7}.png", "data": "aGVsbG8gd29ybGQ=" } });
    let body = json!({
        "candidates": [{ "content": { "role": "model", "parts": [picture] }, "finishReason": "STOP" }],
    });
    let server = RawServer::always(http(200, "application/json", "", &body.to_string()));
    let mut stage = Stage::new();
    stage.config["providers"]["other"] =
        json!({ "plugin": "gemini", "base_url": server.origin, "api_key": false });
    stage.config["models"]["m"] = json!({ "provider": "other", "model_name": "x" });
    let done = stage.run(&["query", "draw", "-m", "m"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(!done.stderr.contains('\u{1b}'), "{done:?}");
    let files = made(&stage);
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].ends_with("-1.bin"), "{files:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_that_can_is_shown_the_picture_and_the_sources() {
    use std::process::Command;
    let stage = stage();
    let config = stage.config_file().display().to_string();
    let program = crate::stage::program().display().to_string();
    let on_a_terminal = |variables: &[(&str, &str)], arguments: &str| {
        let line = format!("{program} query {arguments} --config {config}");
        let output = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .current_dir(stage.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", stage.folder.path())
            .env("XDG_CACHE_HOME", crate::stage::cache_dir())
            .env("TERM", "xterm-256color")
            .envs(stage.variables.iter().cloned())
            .envs(variables.iter().copied())
            .stdin(std::process::Stdio::null())
            .output();
        output
            .ok()
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let drawing = "'draw a picture' -m responses --server-tool image-generation --no-stdin";
    let Some(plain) = on_a_terminal(&[], drawing) else {
        eprintln!("skipped: script is not installed (apt-get install bsdutils)");
        return;
    };
    assert!(plain.contains("saved 1 image/png"), "{plain:?}");
    assert!(
        !plain.contains("\u{1b}_G") && !plain.contains("1337"),
        "{plain:?}"
    );
    let kitty = on_a_terminal(&[("TERM", "xterm-kitty")], drawing).unwrap();
    assert!(
        kitty.contains("\u{1b}_Ga=T,f=100,q=2,m=0;iVBOR"),
        "{kitty:?}"
    );
    let iterm = on_a_terminal(&[("TERM_PROGRAM", "iTerm.app")], drawing).unwrap();
    assert!(
        iterm.contains("\u{1b}]1337;File=inline=1;size=70"),
        "{iterm:?}"
    );
    let searching = "'search the web' -m claude --web-search --no-stdin --no-stream";
    let seen = on_a_terminal(&[], searching).unwrap();
    assert!(
        seen.contains("Sources:") && seen.contains("[1] The first result"),
        "{seen:?}"
    );
}
