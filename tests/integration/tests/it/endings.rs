//! The program is told to end: what is under way is given up and recorded with what had come, and the
//! exit code says why.
#![cfg(unix)]

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use multillm::stats::Entry;
use multillm_simulator::Options;
use serde_json::{Value, json};

use crate::stage::{Done, Stage};

/// The signals and the codes that shells give them.
const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

fn slow() -> Stage {
    Stage::with(Options {
        event_gap: Duration::from_millis(30),
        ..Options::default()
    })
}

/// Waits until something is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn begin(stage: &Stage, arguments: &[&str], input: &[u8]) -> Child {
    let config = stage.config_file().display().to_string();
    let arguments: Vec<&str> = [arguments, &["--config", &config]].concat();
    let mut child = stage.command(&arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn end(stage: &Stage, child: Child) -> Done {
    let begun = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "it went on");
    let done = Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    stage.holds_no_key(&done.stdout);
    stage.holds_no_key(&done.stderr);
    done
}

/// Runs the program until it has asked as many as that, and a little longer; then sends a signal.
fn interrupted(stage: &Stage, arguments: &[&str], input: &[u8], asked: u64, name: &str) -> Done {
    let before = stage.simulator.requests();
    let child = begin(stage, arguments, input);
    until("asked", || stage.simulator.requests() >= before + asked);
    std::thread::sleep(Duration::from_millis(600));
    signal(&child, name);
    end(stage, child)
}

fn rows(stage: &Stage) -> Vec<Entry> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { stage.rows(&stage.service()).await })
}

#[test]
fn an_interrupted_answer_is_recorded_with_what_had_come() {
    let stage = slow();
    for (name, code) in SIGNALS {
        let arguments = ["query", "write 900 words", "--stream", "--json"];
        let done = interrupted(&stage, &arguments, b"", 1, name);
        assert_eq!(done.code, Some(code), "{done:?}");
        let error: Value = serde_json::from_str(done.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(error["error"]["kind"], "cancelled", "{error}");
        assert!(done.stdout.lines().all(|line| line.starts_with('{')));
        let row = rows(&stage).pop().unwrap();
        assert_eq!(row.outcome, "cancelled");
        let answer = row.answer.as_deref().unwrap();
        assert!(
            answer.contains("word") && !answer.contains("word900"),
            "{answer}"
        );
        assert!(
            row.vendor_id.is_some() && row.vendor_model.is_some(),
            "{row:?}"
        );
        assert_eq!(row.completion_tokens, None, "nobody counted them");
    }
    let done = interrupted(
        &stage,
        &["query", "write 900 words", "--stream"],
        b"",
        1,
        "INT",
    );
    assert!(done.stdout.ends_with('\n'), "{done:?}");
    assert!(done.stderr.contains("ended by SIGINT"), "{done:?}");
}

#[test]
fn whatever_is_under_way_is_recorded_when_the_program_is_told_to_end() {
    let mut stage = slow();
    stage.config["models"]["openai"]["timeouts"] = json!({ "first_byte_ms": 60000 });
    let slow = "[[fault:slow-start ms=30000]]";
    for (name, code) in SIGNALS {
        let commands: [(&[&str], u64); 2] = [
            (&["query", slow], 1),
            (&["compare", slow, "--models", "openai", "claude"], 2),
        ];
        for (arguments, asked) in commands {
            let before = rows(&stage).len();
            let done = interrupted(&stage, arguments, b"", asked, name);
            assert_eq!(done.code, Some(code), "{arguments:?}: {done:?}");
            let rows = rows(&stage).split_off(before);
            assert_eq!(rows.len() as u64, asked, "{arguments:?}: {rows:?}");
            assert!(
                rows.iter().all(|row| row.outcome == "cancelled"),
                "{rows:?}"
            );
        }
    }
}

#[test]
fn health_is_recorded_when_it_is_told_to_end() {
    use multillm_simulator::Vendor;
    let stage = Stage::new();
    stage.simulator.fail_next(Vendor::OpenAi, "stall k=0", 1);
    let done = interrupted(&stage, &["health", "openai"], b"", 1, "TERM");
    assert_eq!(done.code, Some(143), "{done:?}");
    assert_eq!(rows(&stage).pop().unwrap().outcome, "cancelled");
}

#[test]
fn a_chat_keeps_what_was_said_when_it_is_told_to_end() {
    let stage = slow();
    for (name, code) in SIGNALS {
        let input = b"write 900 words\nnever asked\n";
        let done = interrupted(&stage, &["chat", "--stream"], input, 1, name);
        assert_eq!(done.code, Some(code), "{done:?}");
        let row = rows(&stage).pop().unwrap();
        assert_eq!(row.outcome, "cancelled");
        assert_eq!(row.prompt.as_deref(), Some("write 900 words"));
        // The conversation goes on from there.
        let said = stage.run_with(&["chat", "--continue"], b"and then?\n");
        assert!(said.stdout.contains("(turns: 3)"), "{name}: {said:?}");
    }
}

#[test]
fn a_program_that_fetches_a_key_ends_with_the_program() {
    let mut stage = Stage::new();
    let pid_file = stage.folder.path().join("pid");
    let script = format!(
        "echo $$ > '{0}.new'; mv '{0}.new' '{0}'; exec sleep 300",
        pid_file.display()
    );
    stage.config["models"]["slow-key"] = json!({
        "provider": "openai", "model_name": "gpt-4o-mini",
        "api_key_command": ["sh", "-c", script],
    });
    for (name, code) in SIGNALS {
        let _ = std::fs::remove_file(&pid_file);
        let child = begin(&stage, &["query", "Hello", "--model", "slow-key"], b"");
        until("run", || pid_file.exists());
        let pid = std::fs::read_to_string(&pid_file).unwrap();
        signal(&child, name);
        let done = end(&stage, child);
        assert_eq!(done.code, Some(code), "{done:?}");
        let mut alive = Command::new("kill");
        alive.args(["-0", pid.trim()]).stderr(Stdio::null());
        until("ended", || !alive.status().unwrap().success());
    }
}

#[test]
fn a_second_signal_and_one_while_nothing_is_under_way_end_at_once() {
    let stage = Stage::new();
    // Standard input stays open: it is being read.
    let config = stage.config_file().display().to_string();
    let mut child = stage
        .command(&["query", "x", "--config", &config])
        .spawn()
        .unwrap();
    let _open = child.stdin.take().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let begun = Instant::now();
    signal(&child, "TERM");
    let done = end(&stage, child);
    assert_eq!(done.code, Some(143), "{done:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_was_ignored_stays_ignored() {
    let stage = slow();
    let config = stage.config_file().display().to_string();
    let command = stage.command(&["query", "write 40 words", "--stream", "--config", &config]);
    let mut ignoring = Command::new("sh");
    ignoring
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(stage.folder.path())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = ignoring.spawn().unwrap();
    until("asked", || stage.simulator.requests() == 1);
    signal(&child, "HUP");
    let done = end(&stage, child);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("word40"), "{done:?}");
}
