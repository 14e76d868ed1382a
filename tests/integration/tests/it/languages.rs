//! Adapters in other languages than Rust: a project of `plugin new` for each builds with that language's tools, passes its
//! own tests and the kit's, imports nothing, and answers. Its files are those of `examples/`.
//!
//! The tools come from their registries into cargo's folder for tests, once. Where they cannot be had, it is said and
//! the test has nothing to try.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::parley::{KEY, Parley};
use crate::raw_server::{RawServer, http};
use crate::stage::{Done, Stage, guest};

/// Longer than any of these takes on a machine that does much besides.
const PATIENCE: Duration = Duration::from_secs(600);
const PYTHON_TOOLS: [&str; 2] = ["componentize-py==0.25.1", "ziglang==0.17.1"];

/// Where tools are installed.
fn tools() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Where zig keeps what it built, whoever's home it is.
const ZIG_CACHE: (&str, &str) = ("ZIG_GLOBAL_CACHE_DIR", "zig-cache");

fn zig_cache() -> PathBuf {
    tools().join(ZIG_CACHE.1)
}

/// Runs a command to its end, or not longer than is bearable; what it said if it failed.
fn run(command: &mut Command) -> Result<(), String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log.reopen().unwrap())
        .stderr(log.reopen().unwrap())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let begun = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) if status.success() => return Ok(()),
            Some(status) => {
                let said = fs::read_to_string(log.path()).unwrap_or_default();
                return Err(format!("{command:?}: {status}\n{said}"));
            }
            None if begun.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{command:?} takes too long"));
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// The folder of Python's tools' programs; nothing, and a word, where they cannot be had.
fn of_python() -> Option<PathBuf> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one_at_a_time = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tools().join("python");
    let bin = folder.join("bin");
    let done = folder.join("installed");
    let wanted = PYTHON_TOOLS.join("\n");
    if fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Some(bin);
    }
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&folder)).and_then(|()| {
        let mut pip = Command::new(bin.join("python3"));
        run(pip
            .args(["-m", "pip", "install", "--quiet"])
            .args(PYTHON_TOOLS))
    });
    match made {
        Ok(()) => {
            fs::write(done, wanted).unwrap();
            Some(bin)
        }
        Err(reason) => {
            eprintln!("skipped: Python's tools cannot be installed: {reason}");
            None
        }
    }
}

/// The folder with JavaScript's tools.
fn of_javascript() -> Option<PathBuf> {
    let folder = tools().join("javascript");
    if folder
        .join("node_modules/componentize-qjs/package.json")
        .is_file()
    {
        return Some(folder.join("node_modules"));
    }
    fs::create_dir_all(&folder).unwrap();
    let package = fs::read(crate::stage::root().join("examples/javascript/package.json")).unwrap();
    fs::write(folder.join("package.json"), package).unwrap();
    let mut npm = Command::new("npm");
    match run(npm
        .args(["install", "--no-audit", "--no-fund"])
        .current_dir(&folder))
    {
        Ok(()) => Some(folder.join("node_modules")),
        Err(reason) => {
            eprintln!("skipped: JavaScript's tools cannot be installed: {reason}");
            None
        }
    }
}

/// A project of a language, and where its tools are.
struct Workshop {
    stage: Stage,
    project: PathBuf,
    path: String,
}

impl Workshop {
    fn new(lang: &str, tools: &Path) -> Self {
        let stage = Stage::new();
        stage
            .run_bare(&["plugin", "new", "parley", "--lang", lang], b"")
            .answer();
        let path = std::env::var("PATH").unwrap_or_default();
        Workshop {
            project: stage.folder.path().join("parley"),
            stage,
            path: format!("{}:{path}", tools.display()),
        }
    }

    /// A command in the project.
    fn run(&self, line: &str) {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).current_dir(&self.project);
        command.env(ZIG_CACHE.0, zig_cache());
        if let Err(reason) = run(command.env("PATH", &self.path)) {
            panic!("{reason}");
        }
    }

    /// The commands of the project's own tests, all of which pass.
    fn passes_its_tests(&self) {
        let about = fs::read_to_string(self.project.join("plugin.json")).unwrap();
        let about: Value = serde_json::from_str(&about).unwrap();
        for line in about["test"].as_array().unwrap() {
            self.run(line.as_str().unwrap());
        }
    }

    fn multillm(&self, arguments: &[&str]) -> Done {
        let mut command = self.stage.command(arguments);
        command.env(ZIG_CACHE.0, zig_cache());
        let output = command.env("PATH", &self.path).output().unwrap();
        Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Builds it, which keeps every rule, and asks through it; gives what the checks found.
    fn answers(mut self) -> Value {
        let folder = self.project.display().to_string();
        let done = self.multillm(&["plugin", "dev", &folder, "--once", "--json"]);
        assert_eq!(done.code, Some(0), "{done:?}");
        let round: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(round["state"], "ready", "{round}");
        let component = self
            .project
            .join(".multillm/parley.wasm")
            .display()
            .to_string();
        let about = self
            .multillm(&["plugin", "inspect", &component, "--json"])
            .json();
        assert_eq!(about["function_imports"], json!([]), "{about}");
        assert_eq!(about["odd"], json!([]), "{about}");
        let parley = Parley::start();
        self.stage.variables.push(("PARLEY_KEY".into(), KEY.into()));
        self.stage.config["plugins"]["parley"]["path"] = component.into();
        self.stage.config["providers"]["parley"] =
            json!({ "base_url": parley.base_url, "api_key_env": "PARLEY_KEY" });
        self.stage.config["models"]["guest"] = json!({ "provider": "parley", "model_name": "parley-2", "settings": { "voice": "calm" } });
        let question = "Grüß dich 🦀 \"du\"\n\\";
        for more in [&[][..], &["--stream"]] {
            let arguments = [&["query", question, "-m", "guest", "--json"], more].concat();
            let answer = self.stage.run(&arguments).answer();
            let answer: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
            let answer = answer.get("response").unwrap_or(&answer);
            let content = answer["content"].as_str().unwrap();
            assert!(
                content.contains(&format!("/v1/talk heard {question:?} as \"calm\"")),
                "{answer}"
            );
            assert!(!content.contains(KEY), "{answer}");
            assert_eq!(answer["usage"]["completion_tokens"], 3, "{answer}");
            assert_eq!(answer["usage"]["cached_tokens"], Value::Null, "{answer}");
        }
        let refused = self
            .stage
            .run(&["query", "Hi", "-m", "guest", "--top-k", "3", "--json"]);
        assert!(
            refused.stderr.contains("\"unsupported\"") && refused.stderr.contains("top_k"),
            "{refused:?}"
        );
        self.stage
            .variables
            .retain(|(name, _)| name != "PARLEY_KEY");
        self.stage
            .variables
            .push(("PARLEY_KEY".into(), "pass-of-somebody-else-51".into()));
        let stranger = self.stage.run(&["query", "Hi", "-m", "guest", "--json"]);
        assert!(
            stranger.stderr.contains("\"authentication\""),
            "{stranger:?}"
        );
        round
    }
}

#[test]
fn an_adapter_in_python_is_whole() {
    let Some(tools) = of_python() else { return };
    let workshop = Workshop::new("python", &tools);
    workshop.run("componentize-py -d wit -w provider bindings bindings");
    workshop.passes_its_tests();
    let round = workshop.answers();
    assert!(round["size"].as_u64().unwrap() < 25_000_000, "{round}");
}

#[test]
fn an_adapter_in_javascript_is_whole() {
    let Some(modules) = of_javascript() else {
        return;
    };
    let workshop = Workshop::new("javascript", &modules.join(".bin"));
    std::os::unix::fs::symlink(&modules, workshop.project.join("node_modules")).unwrap();
    workshop.passes_its_tests();
    let round = workshop.answers();
    assert!(round["size"].as_u64().unwrap() < 4_000_000, "{round}");
}

#[test]
fn an_adapter_in_c_is_whole() {
    let Some(tools) = of_python() else { return };
    let workshop = Workshop::new("c", &tools);
    workshop.passes_its_tests();
    let round = workshop.answers();
    assert!(round["size"].as_u64().unwrap() < 200_000, "{round}");
}

/// A C plugin that gives up says why, and one that needs WASI is told what it needs.
#[test]
fn a_defect_in_c_is_told() {
    let Some(tools) = of_python() else { return };
    let workshop = Workshop::new("c", &tools);
    let source = workshop.project.join("adapter.c");
    let code = fs::read_to_string(&source).unwrap();
    let begins = "  slice body = given(response->body), problem = {0};";
    assert!(code.contains(begins));
    let broken = code.replace(
        begins,
        &format!("{begins}\n  if (body.length == 7) FAIL(\"seven\");"),
    );
    fs::write(&source, &broken).unwrap();
    let folder = workshop.project.display().to_string();
    let done = workshop.multillm(&["plugin", "dev", &folder, "--once"]);
    // An empty answer of status 500 is not seven bytes long; the recordings are not either.
    assert_eq!(done.code, Some(0), "{done:?}");
    let recording = r#"{ "status": 500, "body": "seven!!" }"#;
    fs::write(workshop.project.join("recordings/seven.json"), recording).unwrap();
    let done = workshop.multillm(&["plugin", "dev", &folder, "--once"]);
    assert!(done.stdout.contains("panicked at adapter.c:"), "{done:?}");
    assert!(done.stdout.contains(": seven"), "{done:?}");
    fs::write(
        &source,
        code.replace(
            "#include <string.h>",
            "#include <string.h>\n#include <stdio.h>",
        )
        .replace(
            begins,
            &format!("{begins}\n  printf(\"%d\", (int)body.length);"),
        ),
    )
    .unwrap();
    let done = workshop.multillm(&["plugin", "dev", &folder, "--once"]);
    assert!(done.stdout.contains("refused by pack"), "{done:?}");
    assert!(
        done.stdout.contains("wasi_snapshot_preview1#fd_write"),
        "{done:?}"
    );
}

/// The example in Rust: what the template has not.
#[test]
fn an_adapter_with_tools_events_and_a_list_is_whole() {
    let mut stage = Stage::new();
    let component = guest("harbor").display().to_string();
    let report = stage
        .run_bare(&["plugin", "check", &component, "--json"], b"")
        .json();
    let failed: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["verdict"] == "failed")
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
    let events = [
        ("text", json!({ "text": "Let me look." })),
        ("call", json!({ "index": 0, "id": "c-1", "tool": "tide" })),
        ("input", json!({ "index": 0, "part": "{\"at\":1.50}" })),
        (
            "end",
            json!({ "id": "h-1", "model": "harbor-1", "end": "done", "used": { "in": 9, "out": 4 } }),
        ),
    ];
    let stream: String = events
        .iter()
        .map(|(event, data)| format!("event: {event}\ndata: {data}\n\n"))
        .collect();
    let pages = [
        json!({ "models": [{ "id": "harbor-1", "window": 8000 }, { "id": "harbor-2" }], "more": true }),
        json!({ "models": [{ "id": "harbor-3" }] }),
    ];
    let server = RawServer::new(move |number| match number {
        0 => http(200, "text/event-stream", "", &stream),
        _ => http(200, "application/json", "", &pages[number - 1].to_string()),
    });
    stage
        .variables
        .push(("HARBOR_KEY".into(), "harbor-key-5512".into()));
    stage.config["plugins"]["harbor"]["path"] = component.into();
    stage.config["providers"]["harbor"] =
        json!({ "base_url": server.origin, "api_key_env": "HARBOR_KEY" });
    stage.config["models"]["quay"] = json!({ "provider": "harbor", "model_name": "harbor-1" });
    let answer = stage
        .run(&[
            "query",
            "How is the tide?",
            "-m",
            "quay",
            "--stream",
            "--json",
        ])
        .answer();
    let answer: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
    let answer = answer.get("response").unwrap_or(&answer);
    assert_eq!(
        answer["tool_calls"][0]["arguments"], "{\"at\":1.50}",
        "{answer}"
    );
    assert_eq!(answer["finish_reason"], "tool_calls", "{answer}");
    let list = stage
        .run(&["list", "--provider", "harbor", "--json"])
        .answer();
    for model in ["harbor-1", "harbor-2", "harbor-3"] {
        assert!(list.contains(model), "{list}");
    }
}
