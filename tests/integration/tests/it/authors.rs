//! What an author of a plugin sees and has: the request that would be sent, what goes back and forth, a loop that
//! builds and serves, recordings of a real server, what is odd about a component.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::parley::{KEY, Parley};
use crate::person::section;
use crate::raw_server::{RawServer, http};
use crate::stage::{Stage, guest, root};

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let mut stage = Stage::new();
    let variables = std::mem::take(&mut stage.variables);
    let shown = stage.run(&[
        "query",
        "Hör zu",
        "--model",
        "claude",
        "--dry-run",
        "--system",
        "Be brief.",
    ]);
    let text = shown.answer();
    let (head, body) = text.split_once("\n\n").unwrap();
    let first = head.lines().next().unwrap();
    assert!(
        first.starts_with("POST http://127.0.0.1:") && first.ends_with("/v1/messages"),
        "{text}"
    );
    assert!(head.contains("\nx-api-key: ${TEST_CLAUDE_KEY}"), "{text}");
    assert!(head.contains("\ncontent-type: application/json"), "{text}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(body["messages"].to_string().contains("Hör zu"), "{body}");
    // Every vendor's, streamed and whole, as JSON; each with a reference and no key.
    for vendor in [
        "openai",
        "azure",
        "gemini",
        "claude",
        "cohere",
        "huggingface",
    ] {
        for more in [&[][..], &["--stream"]] {
            let arguments = [&["query", "Hi", "-m", vendor, "--dry-run", "--json"], more].concat();
            let told = stage.run(&arguments).json();
            let headers = told["headers"].to_string();
            assert!(headers.contains("${"), "{vendor}: {told}");
            assert!(
                told["url"]
                    .as_str()
                    .unwrap()
                    .starts_with("http://127.0.0.1:"),
                "{told}"
            );
            serde_json::from_str::<Value>(told["body"].as_str().unwrap()).unwrap();
        }
    }
    // What it shows is what is sent.
    stage.variables = variables;
    let told = stage
        .run(&["query", "Hi", "-m", "openai", "--dry-run", "--json"])
        .json();
    assert_eq!(stage.simulator.log().len(), 0, "nothing was sent");
    assert!(
        !stage.folder.path().join("history.db").exists(),
        "nothing was recorded"
    );
    stage.run(&["query", "Hi", "-m", "openai"]).answer();
    let sent = stage.only_exchange();
    assert_eq!(
        told["body"].as_str().unwrap().as_bytes(),
        sent.body,
        "{told}"
    );
    let embed = stage
        .run(&["embed", "sea", "-m", "openai", "--dry-run", "--json"])
        .json();
    assert!(
        embed["url"].as_str().unwrap().ends_with("/embeddings"),
        "{embed}"
    );
    let tokens = stage
        .run(&["tokens", "Hi", "-m", "gemini", "--dry-run"])
        .answer();
    assert!(tokens.contains(":countTokens"), "{tokens}");
    assert_eq!(stage.simulator.log().len(), 1, "nothing more was sent");
}

#[test]
fn details_are_bounded_and_cannot_steer_a_terminal() {
    let mut stage = Stage::new();
    let long = "x".repeat(100_000);
    let body = json!({ "id": "a", "object": "chat.completion", "model": "m", "choices": [{ "index": 0,
        "finish_reason": "stop", "message": { "role": "assistant", "content": format!("a\u{1b}]0;evil\u{7}b{long}") } }] });
    let server = RawServer::always(http(200, "application/json", "", &body.to_string()));
    stage.config["providers"]["openai"]["base_url"] = server.origin.clone().into();
    let done = stage.run(&["query", "Ping", "-m", "openai", "-vv"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stderr.contains("request body: {"), "{}", done.stderr);
    assert!(done.stderr.contains("\"Ping\"") && done.stderr.contains("answer body: {"));
    assert!(done.stderr.contains("bytes in all)"), "it is cut");
    assert!(!done.stderr.contains('\u{1b}') && !done.stderr.contains('\u{7}'));
    assert!(!done.stderr.contains(&long[..20_000]));
    // Once is not twice.
    let done = stage.run(&["query", "Ping", "-m", "openai", "-v"]);
    assert!(!done.stderr.contains("request body"), "{}", done.stderr);
    let stage = Stage::new();
    let done = stage.run(&["query", "Hello", "-m", "claude", "-vv", "--stream"]);
    assert!(
        done.stderr.contains("frame content_block_delta: {"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_panic_is_told_with_its_place() {
    let mut stage = Stage::new();
    for (model, attack, call, arguments) in [
        ("a", "panic@encode", "encode", &["--stream"][..]),
        ("b", "panic@push", "decoder.push", &["--stream"]),
        ("c", "panic@decode", "decode", &[]),
    ] {
        stage.admit_hostile(model, json!({ "attack": attack, "count": 7 }));
        let done = stage.run(&[&["query", "Hi", "-m", model][..], arguments].concat());
        assert_eq!(done.code, Some(1), "{done:?}");
        let place = format!("crashed in {call}: panicked at tests/guests/hostile/src/attack.rs:");
        assert!(done.stderr.contains(&place), "{}", done.stderr);
        // The escape in it is gone, and the words are there.
        assert!(
            done.stderr.contains(": the sails are torn: [31m7"),
            "{}",
            done.stderr
        );
    }
}

/// A project whose sources are components: it is built by copying.
struct Workshop {
    stage: Stage,
    project: PathBuf,
}

impl Workshop {
    fn new() -> Self {
        let stage = Stage::new();
        let project = stage.folder.path().join("parley");
        fs::create_dir_all(project.join("recordings")).unwrap();
        for entry in fs::read_dir(root().join("examples/recordings"))
            .unwrap()
            .flatten()
        {
            fs::copy(
                entry.path(),
                project.join("recordings").join(entry.file_name()),
            )
            .unwrap();
        }
        let about = json!({
            "name": "parley", "build": ["cp source.wasm raw.wasm"], "module": "raw.wasm",
            "watch": ["source.wasm"], "recordings": "recordings", "model": "parley-2",
        });
        fs::write(project.join("plugin.json"), about.to_string()).unwrap();
        let workshop = Workshop { stage, project };
        workshop.write(&good("x-parley-key"));
        workshop
    }

    fn write(&self, source: &[u8]) {
        fs::write(self.project.join("source.wasm"), source).unwrap();
    }

    fn config(&self) -> String {
        self.project
            .join(".multillm/dev.json")
            .display()
            .to_string()
    }
}

/// The template's component, which puts the key into this header.
fn good(header: &str) -> Vec<u8> {
    let mut component = fs::read(guest("template")).unwrap();
    replace(&mut component, b"x-parley-key", header.as_bytes());
    component
}

#[test]
fn a_component_that_is_built_is_checked_and_put_in_its_place() {
    let workshop = Workshop::new();
    let folder = workshop.project.display().to_string();
    let dev = ["plugin", "dev", &folder, "--once", "--json"];
    let round = workshop.stage.run_bare(&dev, b"").json();
    assert_eq!(round["state"], "ready", "{round}");
    let placed = workshop.project.join(".multillm/parley.wasm");
    let before = fs::read(&placed).unwrap();
    for (source, step, reason) in [
        (b"#!/bin/sh".to_vec(), "pack", "no WebAssembly"),
        // Another plugin under this name: it does not bear it, among other things.
        (
            fs::read(guest("hostile")).unwrap(),
            "check",
            "keep what its users rely on",
        ),
    ] {
        workshop.write(&source);
        let done = workshop.stage.run_bare(&dev, b"");
        assert_eq!(done.code, Some(1), "{done:?}");
        let round: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(
            (&round["state"], &round["step"]),
            (&"refused".into(), &step.into())
        );
        assert!(
            round["reason"].as_str().unwrap().contains(reason),
            "{round}"
        );
        assert_eq!(fs::read(&placed).unwrap(), before, "the old one goes on");
    }
    fs::remove_file(workshop.project.join("source.wasm")).unwrap();
    let done = workshop.stage.run_bare(&dev[..4], b"");
    assert!(done.stdout.contains("refused by build"), "{done:?}");
    assert!(
        done.stdout.contains("source.wasm"),
        "what cp said: {done:?}"
    );
}

/// A filter says it as a provider does.
#[test]
fn a_filter_says_who_made_it() {
    let stage = Stage::new();
    let mut component = fs::read(guest("guard")).unwrap();
    component.extend(section("authors", "Ann of Rules"));
    let file = stage.file("guard.wasm", component);
    let inspected = stage
        .run_bare(&["plugin", "inspect", &file, "--json"], b"")
        .json();
    assert_eq!(inspected["origin"]["authors"], "Ann of Rules");
    let text = stage.run_bare(&["plugin", "inspect", &file], b"").answer();
    assert!(
        text.contains("it says: author") && text.contains("Ann of Rules"),
        "{text}"
    );
}

/// Who made a component stands in it, as the project says or as whoever packs it says.
#[test]
fn a_component_says_who_made_it() {
    let workshop = Workshop::new();
    let about = json!({
        "name": "parley", "build": ["cp source.wasm raw.wasm"], "module": "raw.wasm", "watch": [],
        "origin": { "authors": "Ann of Parley", "licenses": "MIT", "version": "0.1.0" },
    });
    fs::write(workshop.project.join("plugin.json"), about.to_string()).unwrap();
    fs::write(workshop.project.join("raw.wasm"), good("x-parley-key")).unwrap();
    let pack = |more: &[&str]| {
        let mut command = workshop
            .stage
            .command(&["plugin", "pack", "raw.wasm", "--out", "p.wasm"]);
        let done = command
            .args(more)
            .current_dir(&workshop.project)
            .output()
            .unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let said = || {
        let file = workshop.project.join("p.wasm").display().to_string();
        let inspected = workshop
            .stage
            .run_bare(&["plugin", "inspect", &file, "--json"], b"")
            .json();
        let mut origin = inspected["origin"].as_object().unwrap().clone();
        origin.retain(|_, text| !text.is_null());
        Value::Object(origin)
    };
    let (code, told) = pack(&[]);
    assert!(code == Some(0) && !told.contains("--author"), "{told}");
    assert_eq!(
        said(),
        json!({"authors": "Ann of Parley", "licenses": "MIT", "version": "0.1.0"})
    );
    let (code, _) = pack(&["--license", "Apache-2.0", "--plugin-version", "0.2.0"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        said(),
        json!({"authors": "Ann of Parley", "licenses": "Apache-2.0", "version": "0.2.0"})
    );
    let (code, error) = pack(&["--license", "whatever you like"]);
    assert!(code == Some(2) && error.contains("SPDX"), "{error}");
    // Of a module that is not the project's nothing is known.
    fs::copy(
        workshop.project.join("raw.wasm"),
        workshop.project.join("other.wasm"),
    )
    .unwrap();
    let mut other = workshop
        .stage
        .command(&["plugin", "pack", "other.wasm", "--out", "p.wasm"]);
    let done = other.current_dir(&workshop.project).output().unwrap();
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(
        done.status.success() && told.contains("--author and --license"),
        "{told}"
    );
    assert_eq!(said(), json!({}));
}

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_change_reaches_a_running_chat_and_a_wrong_one_does_not() {
    use std::io::{BufRead as _, BufReader};

    use crate::window::Window;

    let workshop = Workshop::new();
    let parley = Parley::start();
    let folder = workshop.project.display().to_string();
    let arguments = [
        "plugin",
        "dev",
        &folder,
        "--base-url",
        &parley.base_url,
        "--key-env",
        "PARLEY_DEV_KEY",
        "--json",
    ];
    let mut child = workshop.stage.command(&arguments).spawn().unwrap();
    let mut rounds = BufReader::new(child.stdout.take().unwrap()).lines();
    let _dev = Running(child);
    let mut round = || serde_json::from_str::<Value>(&rounds.next().unwrap().unwrap()).unwrap();
    assert_eq!(round()["state"], "ready");
    let program = crate::stage::program().display().to_string();
    let line = format!("{program} --config {} chat; sleep 600", workshop.config());
    let variables = [("PARLEY_DEV_KEY", KEY.to_owned())];
    let Some(window) = Window::running(&workshop.stage, 120, &line, &variables) else {
        return;
    };
    window.until("parley-2");
    window.keys(&["first", "Enter"]);
    window.until("in x-parley-key");
    workshop.write(&good("x-parley-kez"));
    assert_eq!(round()["state"], "ready");
    let built = Instant::now();
    // Asked again and again: it has to be taken over within two seconds, and a question takes some of them.
    loop {
        window.keys(&["next", "Enter"]);
        std::thread::sleep(Duration::from_millis(300));
        if window.seen().contains("in x-parley-kez") {
            break;
        }
        assert!(
            built.elapsed() < Duration::from_secs(30),
            "{}",
            window.seen()
        );
    }
    eprintln!("a change reached the chat after {:?}", built.elapsed());
    workshop.write(b"\0asm\x01\0\0\0");
    let refused = round();
    assert_eq!(refused["state"], "refused", "{refused}");
    assert!(
        refused["reason"].as_str().unwrap().contains("world"),
        "{refused}"
    );
    window.keys(&["after", "Enter"]);
    let seen = window.until("heard \"after\"");
    let line = seen
        .lines()
        .find(|line| line.contains("heard \"after\""))
        .unwrap();
    assert!(line.contains("in x-parley-kez"), "{seen}");
}

#[test]
fn recordings_of_a_server_hold_no_key_and_are_read_again() {
    let mut stage = Stage::new();
    let parley = Parley::start();
    stage.variables.push(("PARLEY_KEY".into(), KEY.into()));
    let component = stage.file("parley.wasm", fs::read(guest("template")).unwrap());
    let out = stage.folder.path().join("cases");
    let cases = out.display().to_string();
    let record = [
        "plugin",
        "record",
        &component,
        "--base-url",
        &parley.base_url,
        "--model",
        "parley-2",
        "--key-env",
        "PARLEY_KEY",
        "--out",
        &cases,
    ];
    let printed = stage.run_bare(&record, b"").answer();
    for name in ["whole", "stream", "wrong-key", "unknown-model"] {
        let text = fs::read_to_string(out.join(format!("{name}.json"))).unwrap();
        assert!(!text.contains(KEY), "{text}");
        let case: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(case["request"]["path"], "/v1/talk", "{case}");
        assert!(printed.contains(&format!("{name}.json")), "{printed}");
    }
    let case = |name: &str| -> Value {
        let text = fs::read_to_string(out.join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(case("wrong-key.json")["expect"]["error"], "authentication");
    assert_eq!(case("unknown-model.json")["status"], 404);
    let said = case("whole.json")["expect"]["content"].clone();
    assert!(said.as_str().unwrap().contains("/v1/talk heard"), "{said}");
    assert_eq!(said, case("stream.json")["expect"]["content"]);
    let check = [
        "plugin",
        "check",
        &component,
        "--recordings",
        &cases,
        "--json",
    ];
    let report = stage.run_bare(&check, b"").json();
    let read = report["findings"].as_array().unwrap().iter();
    let read: Vec<_> = read
        .filter(|finding| finding["code"] == "recorded-read")
        .collect();
    assert_eq!(read[0]["verdict"], "passed", "{report}");
    // What is there is not replaced unasked, and nothing is recorded without the key.
    let again = stage.run_bare(&record, b"");
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("--force"), "{again:?}");
    stage.variables.clear();
    let without = stage.run_bare(&record, b"");
    assert!(
        without.stderr.contains("PARLEY_KEY is not set"),
        "{without:?}"
    );
}

#[test]
fn what_is_odd_about_a_component_is_told() {
    let stage = Stage::new();
    let renamed = stage.file("other.wasm", fs::read(guest("template")).unwrap());
    let report = stage
        .run_bare(&["plugin", "inspect", &renamed, "--json"], b"")
        .json();
    let codes: Vec<&str> = report["odd"]
        .as_array()
        .unwrap()
        .iter()
        .map(|odd| odd["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["describe-name"], "{report}");
    let text = stage
        .run_bare(&["plugin", "inspect", &renamed], b"")
        .answer();
    assert!(
        text.contains("odd               the file is called \"other\" and the plugin \"parley\""),
        "{text}"
    );
    let mut component = fs::read(guest("template")).unwrap();
    replace(&mut component, b"PARLEY_API_KEY", b"OPENAI_API_KEY");
    replace(&mut component, b"https://api.parley", b"parleyparleyparley");
    replace(
        &mut component,
        br#"{"enum":["calm","brisk"]}"#,
        br#"{"type":"calmorbrisk"}   "#,
    );
    let wrong = stage.file("parley.wasm", component);
    let text = stage.run_bare(&["plugin", "inspect", &wrong], b"").answer();
    for said in [
        "is the variable of openai",
        "is no URL",
        "the schema of \"voice\" is none",
    ] {
        assert!(text.contains(said), "no {said:?} in {text}");
    }
    // The program's own have nothing odd.
    let report = stage
        .run_bare(&["plugin", "inspect", "openai", "--json"], b"")
        .json();
    assert_eq!(report["odd"], json!([]), "{report}");
}

fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let places: Vec<usize> = (0..bytes.len() - old.len())
        .filter(|at| bytes[*at..].starts_with(old))
        .collect();
    assert!(
        !places.is_empty(),
        "{} is not there",
        String::from_utf8_lossy(old)
    );
    for at in places {
        bytes[at..at + old.len()].copy_from_slice(new);
    }
}

/// The compiled code is kept where the program keeps it: who looked at a component need not wait again.
#[test]
fn looking_at_a_component_compiles_it_once() {
    let stage = Stage::new();
    let component = stage.file("parley.wasm", good("x-parley-kex"));
    let cache = stage.folder.path().join("cache");
    let kept =
        |cache: &Path| fs::read_dir(cache.join("multillm/compiled")).map_or(0, Iterator::count);
    for _ in 0..2 {
        let mut command = stage.command(&["plugin", "inspect", &component]);
        let done = command.env("XDG_CACHE_HOME", &cache).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        assert_eq!(kept(&cache), 2, "code and its digest");
    }
}
