//! What a test stands on: a simulator, a folder, a configuration for it, and the program or the
//! library that uses it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use multillm::MultiLlmService;
use multillm::config::{Config, Env};
use multillm_simulator::{Exchange, Options, Simulator};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::leaks;
use crate::patience::Watch;
use crate::soak;
use crate::vendors::{self, LINES};

/// A 3×2 PNG.
pub(crate) const PICTURE: [u8; 73] = *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0\x12\x16\xf1M\0\0\0\x10IDATx\xdac\xb8cc\x03A\x0cp\x16\0S\x80\x07\xf9b1\xd7\x07\0\0\0\0IEND\xaeB`\x82";

/// A simulator with its folder and configuration. The folder goes with it.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) folder: TempDir,
    /// Goes into the environment of program and library.
    pub(crate) variables: Vec<(String, String)>,
    /// The configuration; what a test changes here is written with the next run.
    pub(crate) config: Value,
    _watch: Watch,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let simulator = Simulator::background(options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (providers, models) = vendors::entries(&simulator);
        let variables = LINES
            .iter()
            .filter_map(|line| Some((line.key_variable()?, line.vendor.key())))
            .collect();
        let config = json!({
            "default_model": "openai",
            "plugin_dir": plugin_dir(),
            "providers": providers,
            "models": models,
            "retry": { "max_attempts": 3, "base_ms": 1, "max_ms": 5, "max_total_ms": 4000 },
            "breaker": { "enabled": false },
            "history": { "path": folder.path().join("history.db") },
        });
        Stage {
            simulator,
            folder,
            variables,
            config,
            _watch: Watch::new(soak::asked_for()),
        }
    }

    /// A file in the folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The hostile guest as a provider, and a model of it for an attack.
    pub(crate) fn admit_hostile(&mut self, model: &str, settings: Value) {
        let base_url = self.simulator.base_url(multillm_simulator::Vendor::OpenAi);
        self.variables
            .push(("HOSTILE_API_KEY".into(), "sk-sim-openai".into()));
        self.config["plugins"]["hostile"]["path"] = guest("hostile").display().to_string().into();
        // A plugin that is none of the program's own gets a key if both key and address are named.
        self.config["providers"]["hostile"] = json!({
            "plugin": "hostile", "base_url": base_url, "api_key_env": "HOSTILE_API_KEY",
        });
        self.config["models"][model] = json!({
            "provider": "hostile", "model_name": "gpt-4o-mini", "settings": settings,
        });
    }

    /// Writes the configuration as it is now. Who reads the former one meanwhile reads it whole.
    pub(crate) fn config_file(&self) -> PathBuf {
        let path = self.folder.path().join("config.json");
        let next = self.folder.path().join("config.next");
        fs::write(&next, self.config.to_string()).unwrap();
        fs::rename(&next, &path).unwrap();
        path
    }

    /// A service in this process.
    pub(crate) fn service(&self) -> MultiLlmService {
        leaks::know(&self.variables);
        let env = Env::fixed(self.folder.path(), self.variables.clone());
        let config = Config::load(&self.config_file(), &env)
            .unwrap_or_else(|error| panic!("the test's configuration: {error}"));
        MultiLlmService::new(config, env)
    }

    /// Runs the program with this configuration and nothing on standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, b"")
    }

    /// Runs the program with something on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Done {
        let config = self.config_file().display().to_string();
        let arguments: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(["--config", &config])
            .collect();
        self.run_bare(&arguments, input)
    }

    /// The program in the folder, with what it needs around it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("XDG_CACHE_HOME", cache_dir())
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program in the folder, without a configuration being named.
    pub(crate) fn run_bare(&self, arguments: &[&str], input: &[u8]) -> Done {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // Whoever ends without reading everything closes the pipe, which is no failure here.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let done = Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        // A plugin's panic is told, and is none of the program's.
        let of_ours = |line: &str| line.starts_with("thread '") && line.contains("panicked");
        assert!(!done.stderr.lines().any(of_ours), "it panicked: {done:?}");
        self.holds_no_key(&done.stdout);
        self.holds_no_key(&done.stderr);
        done
    }

    /// What a program printed may hold no key.
    pub(crate) fn holds_no_key(&self, printed: &str) {
        let key = leaks::found(&self.variables, printed.as_bytes());
        assert_eq!(key, None, "a key was printed: {printed}");
    }

    /// The only request so far.
    pub(crate) fn only_exchange(&self) -> Exchange {
        let mut log = self.simulator.log();
        assert_eq!(log.len(), 1, "{log:?}");
        log.remove(0)
    }
}

impl Drop for Stage {
    /// What a test leaves behind may hold no key.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let file = leaks::found_below(&self.variables, self.folder.path());
            assert_eq!(file, None, "this file holds a key");
        }
    }
}

impl Done {
    /// Its standard output, if it succeeded.
    pub(crate) fn answer(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// Its standard output as one JSON value, if it succeeded.
    pub(crate) fn json(self) -> Value {
        let text = self.answer();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// It failed with this code, and says each of these.
    pub(crate) fn fails(self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {self:?}");
        }
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_owned()
}

/// Where the product's components are.
pub(crate) fn plugin_dir() -> PathBuf {
    let dir = root().join("configs").join("plugins");
    for line in &LINES {
        let file = dir.join(format!("{}.wasm", line.plugin));
        assert!(file.is_file(), "{file:?} is missing: cargo xtask plugins");
    }
    dir
}

/// The component of a guest under `tests/guests`.
pub(crate) fn guest(name: &str) -> PathBuf {
    let file = target_dir().join("guests").join(format!("{name}.wasm"));
    assert!(file.is_file(), "{file:?} is missing: cargo xtask plugins");
    file
}

/// The program: of the profile that the tests are built with, else any.
pub(crate) fn program() -> PathBuf {
    let name = format!("multillm{}", std::env::consts::EXE_SUFFIX);
    let own = profile_dir();
    let places = [
        own,
        target_dir().join("debug"),
        target_dir().join("release"),
    ];
    let mut programs = places.iter().map(|place| place.join(&name));
    programs
        .find(|program| program.is_file())
        .expect("the program is missing: cargo build")
}

/// Compiled plugins, shared by all tests: compiling takes longer than the rest.
pub(crate) fn cache_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// `target/debug` of `target/debug/deps/it-…`.
fn profile_dir() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    exe.ancestors().nth(2).unwrap().to_owned()
}

fn target_dir() -> PathBuf {
    profile_dir().parent().unwrap().to_owned()
}
