//! What an untrusted file can make the compiler do: each attacker is a good component but for what
//! it holds beside, and is refused within seconds and by name, before anything is compiled or when
//! its share of time and memory is used up.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use multillm::plugin::PluginError;
use serde_json::json;

use crate::bad_plugins::Bench;
use crate::component::{Description, Guest};
use crate::stage::{Stage, guest, plugin_dir, program};

/// How long any refusal may take on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A good component that holds a core module of these fields beside its own.
fn with(fields: &str) -> Vec<u8> {
    beside(&Guest::describing(&Description::default()), fields)
}

fn beside(guest: &Guest, fields: &str) -> Vec<u8> {
    let module = wat::parse_str(format!("(module {fields})")).unwrap();
    [guest.build(), section(1, &module)].concat()
}

/// Reads, tests and writes locals in turn, so many times.
fn mixing(locals: usize, blocks: usize) -> String {
    (0..blocks).fold(String::new(), |mut text, at| {
        let (from, to) = (at * 7 % locals, at * 13 % locals);
        write!(
            text,
            " block local.get 0 br_if 0 local.get {from} i32.const 1 i32.add local.set {to} end"
        )
        .unwrap();
        text
    })
}

fn function(locals: usize, body: &str) -> String {
    format!("(func (param i32) (local{}) {body})", " i32".repeat(locals))
}

/// What is attacked, the component, and how the refusal counts.
pub(crate) fn attackers() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let nested = |count: usize| format!("{}{}", " block".repeat(count), " end".repeat(count));
    let targets = |count: usize| format!("block local.get 0 br_table{} end", " 0".repeat(count));
    vec![
        (
            "many locals in a large body",
            with(&function(50_000, &mixing(50_000, 5_000))),
            "locals in one function, at most",
        ),
        (
            "locals that meet at every branch",
            with(&function(3_000, &mixing(3_000, 20_000))),
            "locals times branches in one function, at most",
        ),
        (
            "functions without end",
            with(&"(func)".repeat(120_000)),
            "functions, at most 60000",
        ),
        (
            "locals in thousands of functions",
            with(&function(2_000, "").repeat(3_000)),
            "locals in all functions, at most",
        ),
        (
            "a table of branches",
            with(&function(0, &targets(150_000))),
            "branch table targets in one function, at most",
        ),
        (
            "blocks in blocks",
            with(&function(0, &nested(20_000))),
            "blocks within blocks in one function, at most",
        ),
        (
            "one endless function",
            with(&function(1, &"local.get 0 drop ".repeat(500_000))),
            "bytes in one function, at most",
        ),
        (
            "a function of many parameters",
            with(&format!("(func (param{}))", " i32".repeat(500))),
            "parameters of one function, at most",
        ),
        (
            "64-bit memory",
            with("(memory i64 1)"),
            "64-bit memories or tables, and none are allowed",
        ),
        (
            "components that double each other",
            doubling(40),
            "component instances, at most",
        ),
        (
            "types in types",
            nested_types(20_000),
            "component types within component types, at most",
        ),
    ]
}

/// Each component makes the one before it twice: the last stands for 2^`levels` of the first.
fn doubling(levels: u8) -> Vec<u8> {
    let mut text = PREAMBLE.to_vec();
    text.extend(section(4, PREAMBLE));
    for level in 1..levels {
        let mut inner = PREAMBLE.to_vec();
        // One alias: of a component, outer, one level out, that of this number.
        inner.extend(section(6, &[1, 4, 2, 1, level - 1]));
        // Two instances, each made of component 0 without arguments.
        inner.extend(section(5, &[2, 0, 0, 0, 0, 0, 0]));
        text.extend(section(4, &inner));
    }
    text
}

/// A type of a component that declares a type of a component that …, three bytes a level.
fn nested_types(levels: usize) -> Vec<u8> {
    let mut types = vec![1];
    for _ in 0..levels {
        types.extend([0x41, 0x01, 0x01]);
    }
    types.extend([0x41, 0x00]);
    [PREAMBLE.to_vec(), section(7, &types)].concat()
}

/// What a component begins with.
const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";

fn section(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    [&bytes, content].concat()
}

#[tokio::test]
async fn what_compilers_are_slow_at_is_counted_first() {
    let bench = Bench::new();
    for (name, bytes, words) in attackers() {
        let begun = Instant::now();
        let error = bench.load(&bytes).await.unwrap_err();
        assert!(
            matches!(error, PluginError::TooMuch { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(words), "{name}: {error}");
        assert!(begun.elapsed() < SOON, "{name} took {:?}", begun.elapsed());
    }
    let cache = bench.folder.path().join("cache");
    assert!(!cache.exists(), "something was compiled");
}

#[test]
fn commands_refuse_it_before_they_compile() {
    let mut stage = Stage::new();
    let bytes = with(&function(50_000, &mixing(50_000, 5_000)));
    let file = stage.file("bomb.wasm", bytes);
    stage.config["plugins"]["bomb"] = json!({ "path": file });
    stage.config["providers"]["bomb"] =
        json!({ "plugin": "bomb", "base_url": "http://127.0.0.1:9", "api_key": false });
    stage.config["models"]["bomb"] = json!({ "provider": "bomb", "model_name": "x" });
    let arguments: [&[&str]; 4] = [
        &["plugin", "inspect", &file],
        &["query", "hi", "--model", "bomb"],
        &["health", "bomb"],
        &["compare", "hi", "--models", "bomb"],
    ];
    for arguments in arguments {
        let begun = Instant::now();
        let done = stage.run(arguments);
        assert_ne!(done.code, Some(0), "{done:?}");
        let said = format!("{}{}", done.stdout, done.stderr);
        assert!(said.contains("has 50000 locals in one function"), "{said}");
        assert!(
            begun.elapsed() < SOON,
            "{arguments:?}: {:?}",
            begun.elapsed()
        );
    }
    assert!(stage.simulator.log().is_empty());
}

#[tokio::test]
async fn a_foreign_contract_and_imports_are_told_before_the_rest_is_counted() {
    let bench = Bench::new();
    let heavy = function(50_000, &mixing(50_000, 5_000));
    let foreign = beside(&Guest::new().version("0.3.0"), &heavy);
    let error = bench.load(&foreign).await.unwrap_err();
    assert!(
        matches!(error, PluginError::ForeignContract { .. }),
        "{error}"
    );
    let importing = &Guest::describing(&Description::default())
        .package("package evil:clock@1.0.0; interface time { now: func() -> u64; }")
        .world("world w { import evil:clock/time@1.0.0; include provider; }")
        .import("evil:clock/time@1.0.0", "now", "(result i64)");
    let error = bench.load(&beside(importing, &heavy)).await.unwrap_err();
    assert!(matches!(error, PluginError::Imports { .. }), "{error}");
}

#[tokio::test]
async fn two_memories_are_admitted() {
    let bench = Bench::new();
    let plugin = bench.load(&with("(memory 1) (memory 1)")).await.unwrap();
    assert_eq!(plugin.info().name, "handmade");
}

/// The process that compiles, asked as the program asks it, with these bounds.
fn compile(bytes: &[u8], seconds: u64, megabytes: u64) -> Output {
    let mut child = Command::new(program())
        .args(["__compile", &key(), &bytes.len().to_string(), "0"])
        .args([seconds.to_string(), (megabytes << 20).to_string()])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Kept open: as soon as it is closed nobody wants the code.
    let mut input = child.stdin.take().unwrap();
    let _ = input.write_all(bytes);
    let _ = input.flush();
    let output = child.wait_with_output().unwrap();
    drop(input);
    output
}

/// The name of the engine, as it stands in the names of compiled files.
fn key() -> String {
    let stage = Stage::new();
    let folder = stage.folder.path().join("own");
    let done = Command::new(program())
        .args(["query", "hi", "--config"])
        .arg(stage.config_file())
        .env_clear()
        .env("HOME", &folder)
        .envs(stage.variables.iter().cloned())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let files = found(&folder);
    let name = files
        .first()
        .unwrap()
        .file_stem()
        .unwrap()
        .to_string_lossy();
    name.split_once('-').unwrap().1.to_owned()
}

/// Compiled files anywhere below.
fn found(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(found(&path)),
            false if path.extension().is_some_and(|kind| kind == "cwasm") => files.push(path),
            false => {}
        }
    }
    files
}

#[test]
#[cfg(target_os = "linux")]
fn the_compiler_is_ended_by_the_system_at_its_bounds() {
    use std::os::unix::process::ExitStatusExt as _;
    let good = fs::read(plugin_dir().join("openai.wasm")).unwrap();
    let done = compile(&good, 60, 320);
    assert!(
        done.status.success() && !done.stdout.is_empty(),
        "{:?}",
        done.status
    );
    // Within every count, and yet too much for little time or memory.
    let heavy = with(&function(200, &mixing(200, 10_000)).repeat(6));
    let begun = Instant::now();
    let slow = compile(&heavy, 1, 4_000);
    const TIME_IS_UP: i32 = 24;
    assert_eq!(slow.status.signal(), Some(TIME_IS_UP), "{slow:?}");
    assert!(begun.elapsed() < SOON);
    let large = compile(&heavy, 60, 40);
    assert!(
        !large.status.success() && large.stdout.is_empty(),
        "{:?}",
        large.status
    );
}

#[test]
fn what_is_no_component_is_said_by_the_compiler_as_its_reason() {
    let module = wat::parse_str("(module (func (result i32)))").unwrap_or_default();
    let done = compile(&module, 10, 320);
    assert_eq!(done.status.code(), Some(2), "{done:?}");
    assert!(!done.stderr.is_empty() && done.stdout.is_empty());
}

#[test]
fn hostile_and_own_plugins_compile_within_the_bounds() {
    let stage = Stage::new();
    for file in [plugin_dir().join("cohere.wasm"), guest("hostile")] {
        let done = stage.run_bare(&["plugin", "inspect", &file.display().to_string()], b"");
        assert!(done.stdout.contains("contract          fits"), "{done:?}");
    }
}

#[test]
fn compiling_is_nobodys_latency() {
    let commands: [&[&str]; 4] = [
        &["query", "hi", "--json"],
        &["query", "hi", "--json", "--stream"],
        &["health", "openai", "claude", "--json"],
        &["compare", "hi", "--models", "openai", "gemini", "--json"],
    ];
    for arguments in commands {
        // Others may use the processors while it is measured: the best of three counts.
        let shares = (0..3).map(|_| {
            let stage = Stage::new();
            let begun = Instant::now();
            let done = Command::new(program())
                .args(arguments)
                .arg("--config")
                .arg(stage.config_file())
                .env_clear()
                .env("HOME", stage.folder.path())
                .envs(stage.variables.iter().cloned())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let whole = begun.elapsed().as_secs_f64() * 1000.0;
            assert!(done.status.success(), "{done:?}");
            assert!(
                !found(stage.folder.path()).is_empty(),
                "nothing was compiled"
            );
            let text = String::from_utf8(done.stdout).unwrap();
            let times = text.split("\"latency_ms\":").skip(1).map(|rest| {
                let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
                rest[..digits].parse::<f64>().unwrap()
            });
            times.fold(0.0, f64::max) / whole
        });
        let best = shares.fold(f64::INFINITY, f64::min);
        assert!(
            best < 0.5,
            "{arguments:?}: latency is {best} of all the time"
        );
    }
}

#[test]
fn a_plugin_may_take_no_longer_than_the_exchange_to_be_ready() {
    let mut stage = Stage::new();
    stage.config["timeouts"] = json!({ "total_ms": 1 });
    let done = Command::new(program())
        .args(["query", "hi", "--config"])
        .arg(stage.config_file())
        .env_clear()
        .env("HOME", stage.folder.path())
        .envs(stage.variables.iter().cloned())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(
        said.contains("timeout") && said.contains("total_ms"),
        "{said}"
    );
}
