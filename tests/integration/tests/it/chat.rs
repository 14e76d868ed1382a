//! Chats, comparisons, health and templates as a person meets them: by a pipe, and on a
//! pseudo-terminal that `script` makes.

use std::io::{Read as _, Write as _};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use multillm_simulator::{Options, Vendor};
use serde_json::{Value, json};

use crate::stage::{PICTURE, Stage, program};
use crate::vendors::LINES;

fn talk(stage: &Stage, arguments: &[&str], lines: &[&str]) -> crate::stage::Done {
    let arguments: Vec<&str> = ["chat"].iter().chain(arguments).copied().collect();
    stage.run_with(&arguments, lines.join("\n").as_bytes())
}

#[test]
fn a_conversation_goes_on_from_line_to_line_and_from_day_to_day() {
    let stage = Stage::new();
    let said = talk(
        &stage,
        &["--stream"],
        &["one", "two \\", "lines", "```", "a", "", "b", "```"],
    );
    let said = said.answer();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].ends_with("You said: one (turns: 1)"), "{said}");
    assert!(said.contains("You said: two \nlines (turns: 3)"), "{said}");
    assert!(said.contains("You said: a\n\nb (turns: 5)"), "{said}");

    let said = talk(&stage, &["--continue"], &["more"]).answer();
    assert!(said.ends_with("You said: more (turns: 7)\n"), "{said}");
    let said = talk(&stage, &["--continue"], &["/undo", "/undo", "/retry"]);
    assert!(
        said.stdout.contains("You said: two \nlines (turns: 3)"),
        "{said:?}"
    );
    talk(&stage, &["--conversation", "nothing"], &["x"]).fails(2, &["\"nothing\""]);
}

#[test]
fn every_vendor_goes_on_with_what_every_other_began() {
    let stage = Stage::new();
    let mut lines = vec![];
    for one in &LINES {
        for other in &LINES {
            for line in [one, other] {
                lines.push(format!("/model {}", line.thinks()));
                lines.push("reasoning=5 and on".to_owned());
            }
        }
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let done = talk(&stage, &["--stream", "--model", &LINES[0].thinks()], &lines);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let turns = 2 * LINES.len() * LINES.len();
    assert_eq!(done.stdout.matches("You said:").count(), turns);
    assert_eq!(stage.simulator.requests(), turns as u64);
}

#[test]
fn commands_do_what_they_say() {
    let stage = Stage::new();
    stage.file("note.txt", "the note's text");
    stage.file("photo.png", PICTURE);
    let done = talk(
        &stage,
        &[],
        &[
            "/system Be brief.",
            "/file note.txt what is it?",
            "/image photo.png",
            "look",
            "/save talk.json",
            "/save talk.md",
            "/clear",
            "fresh",
            "/load talk.json",
            "again",
            "//undo",
            "// no command",
            "/etc/hosts?",
        ],
    );
    let said = done.answer();
    assert!(
        said.contains("the note's text") && said.contains("system: Be brief."),
        "{said}"
    );
    assert!(said.contains("images: image/png 3x2"), "{said}");
    assert!(
        said.contains("You said: fresh") && said.contains("You said: again"),
        "{said}"
    );
    for question in ["/undo (", "// no command (", "/etc/hosts? ("] {
        assert!(said.contains(&format!("You said: {question}")), "{said}");
    }
    let saved = std::fs::read_to_string(stage.folder.path().join("talk.json")).unwrap();
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(saved["messages"].as_array().unwrap().len(), 5);
    assert!(stage.folder.path().join("talk.md").is_file());
}

#[test]
fn a_failed_turn_is_told_and_leaves_no_trace() {
    let stage = Stage::new();
    let done = talk(
        &stage,
        &[],
        &["one", "[[fault:401]]", "two", "/modle x", "/model nobody"],
    );
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stdout.contains("You said: two (turns: 3)"), "{done:?}");
    for words in [
        "authentication",
        "did you mean \"/model\"?",
        "no model \"nobody\"",
    ] {
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    }
    talk(&stage, &["--model", "nobody"], &["x"]).fails(2, &["no model \"nobody\""]);
}

#[test]
fn health_tells_who_answers_and_what_to_do() {
    let mut stage = Stage::new();
    stage.config["models"]["keyless"] = json!({
        "provider": "openai", "model_name": "gpt-4o-mini", "api_key_env": "NO_SUCH_KEY",
    });
    stage.config["models"]["gone"] = json!({ "provider": "openai", "model_name": "gpt-0" });
    let done = stage.run(&[
        "health",
        "openai",
        "keyless",
        "gone",
        "claude-thinks",
        "--json",
    ]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(found[0]["reachable"], true);
    assert_eq!(found[1]["error"]["kind"], "configuration");
    assert_eq!(found[1]["latency_ms"], Value::Null);
    assert_eq!(found[2]["error"]["kind"], "not_found");
    assert!(
        found[2]["fix"].as_str().unwrap().contains("model_name"),
        "{found}"
    );
    assert_eq!(found[3]["reachable"], true);
    assert_eq!(stage.simulator.requests(), 3, "a missing key needs no call");

    stage.simulator.fail_next(Vendor::OpenAi, "stall k=0", 1);
    let done = stage.run(&["health", "openai", "--timeout", "0.3"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stdout.contains("no answer within 0.3 s"), "{done:?}");
    assert_eq!(stage.run(&["health", "openai"]).code, Some(0));
}

#[test]
fn one_failure_does_not_spoil_a_comparison() {
    let stage = Stage::new();
    stage.simulator.fail_next(Vendor::Cohere, "401", 1);
    let models = ["openai", "cohere", "claude"];
    let arguments = ["compare", "write 20 words", "--json", "--models"];
    let arguments: Vec<&str> = arguments.into_iter().chain(models).collect();
    let report = stage.run(&arguments).json();
    let results = report["results"].as_array().unwrap();
    for (result, model) in results.iter().zip(models) {
        assert_eq!(result["model"], model);
    }
    assert_eq!(results[1]["error"]["kind"], "authentication");
    for result in [&results[0], &results[2]] {
        assert_eq!(result["usage"]["completion_tokens"], 20);
        assert!(result["time_to_first_token_ms"].is_u64(), "{result}");
    }
    let before = stage.simulator.requests();
    stage
        .run(&["compare", "x", "-m", "openai,nobody"])
        .fails(2, &["no model \"nobody\""]);
    assert_eq!(stage.simulator.requests(), before);
}

#[test]
fn templates_ask_with_their_own_parameters() {
    let stage = Stage::new();
    std::fs::create_dir(stage.folder.path().join("templates")).unwrap();
    stage.file(
        "templates/greet.json",
        r#"{ "system": "Speak {{tongue}}.", "prompt": "Greet {{who}} in {{city}}: {{input}}",
             "defaults": { "tongue": "Latin" }, "model": "claude", "parameters": { "max_tokens": 50 } }"#,
    );
    stage
        .run(&["query", "--template", "greet"])
        .fails(2, &["\"who\", \"city\", \"input\""]);
    stage
        .run(&["query", "--template", "gret", "x"])
        .fails(2, &["did you mean \"greet\"?"]);
    let arguments = [
        "query",
        "--template",
        "greet",
        "-p",
        "who=李雷",
        "-p",
        "city=Rome",
        "friendly",
    ];
    let said = stage.run(&arguments).answer();
    assert!(
        said.contains("claude") && said.contains("Greet 李雷 in Rome: friendly"),
        "{said}"
    );
    assert!(said.contains("system: Speak Latin."), "{said}");
    let sent: Value = serde_json::from_slice(&stage.only_exchange().body).unwrap();
    assert_eq!(sent["max_tokens"], 50);
    let said = talk(
        &stage,
        &[],
        &["/template greet who=Ann city=Bonn hello there"],
    )
    .answer();
    assert!(said.contains("Greet Ann in Bonn: hello there"), "{said}");
}

/// What a person sees on a terminal of 100 columns, after these inputs with pauses.
pub(crate) fn on_a_terminal(stage: &Stage, arguments: &str, inputs: &[(&str, u64)]) -> String {
    on_columns(100, stage, arguments, inputs)
}

/// What a program writes to a terminal, as it comes.
#[derive(Clone, Default)]
struct Screen {
    seen: Arc<Mutex<Vec<u8>>>,
    over: Arc<AtomicBool>,
}

impl Screen {
    fn of(mut output: ChildStdout) -> Self {
        let screen = Screen::default();
        let writes = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                writes.seen.lock().unwrap().extend(&bytes[..count]);
            }
            writes.over.store(true, Ordering::SeqCst);
        });
        screen
    }

    fn length(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Waits until nothing was written for a while, or, if asked, until words of an answer stand behind `before`.
    fn settles(&self, before: usize, words: bool) {
        let begun = Instant::now();
        let (mut length, mut since) = (self.length(), Instant::now());
        while begun.elapsed() < Duration::from_secs(60) && !self.over.load(Ordering::SeqCst) {
            let seen = self.seen.lock().unwrap()[before..].to_vec();
            if words && String::from_utf8_lossy(&seen).contains("word1") {
                return;
            }
            if length > 0 && since.elapsed() > Duration::from_millis(400) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
            if self.length() != length {
                (length, since) = (self.length(), Instant::now());
            }
        }
    }

    /// Everything, once the program has ended.
    fn whole(&self) -> String {
        while !self.over.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }
}

/// As [`on_a_terminal`], of another width; 0 is what terminals say that do not know it.
pub(crate) fn on_columns(
    columns: u16,
    stage: &Stage,
    arguments: &str,
    inputs: &[(&str, u64)],
) -> String {
    let command = format!(
        "stty cols {columns} rows 40; {} --config {} {arguments}",
        program().display(),
        stage.config_file().display()
    );
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(stage.folder.path())
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .env("HOME", stage.folder.path())
        .envs(stage.variables.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("`script`, of Debian's bsdutils or Fedora's util-linux-script, is not installed");
    let mut keys = child.stdin.take().unwrap();
    let screen = Screen::of(child.stdout.take().unwrap());
    for (at, (text, pause)) in [("", 2500)].iter().chain(inputs).enumerate() {
        let before = screen.length();
        keys.write_all(text.as_bytes()).unwrap();
        keys.flush().unwrap();
        std::thread::sleep(Duration::from_millis(*pause));
        // A busy machine may need longer: whoever types waits until nothing moves any more, or, to stop an answer, until
        // it has begun.
        let stops = inputs.get(at).is_some_and(|(next, _)| *next == "\x03");
        screen.settles(before, stops);
    }
    child.wait().unwrap();
    drop(keys);
    let seen = screen.whole();
    stage.holds_no_key(&seen);
    seen
}

#[test]
#[cfg(target_os = "linux")]
fn a_chat_on_a_terminal_is_drawn_stopped_and_left() {
    let stage = Stage::with(Options {
        event_gap: Duration::from_millis(20),
        ..Options::default()
    });
    let inputs = [
        ("say **bold** and `code` 你好\r", 1500),
        ("write 500 words\r", 1500),
        ("\x03", 700),
        ("after\r", 1500),
        ("\x04", 300),
    ];
    let seen = on_a_terminal(&stage, "chat --stream", &inputs);
    assert!(
        seen.contains("\x1b[1mbold\x1b[22m and \x1b[36mcode\x1b[39m 你好"),
        "{seen}"
    );
    assert!(
        seen.contains("(stopped)") && !seen.contains("word500"),
        "{seen}"
    );
    assert!(seen.contains("You said: after (turns: 5)"), "{seen}");
    assert!(
        seen.contains("tokens ·") && seen.contains("chat --conversation "),
        "{seen}"
    );
    let lines = std::fs::read_to_string(stage.folder.path().join("chat_lines")).unwrap();
    assert!(lines.contains("write 500 words"), "{lines}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_comparison_stands_side_by_side() {
    let stage = Stage::new();
    let arguments = "compare '你好 wide' --models openai claude";
    let seen = on_a_terminal(&stage, arguments, &[]);
    let table = seen.get(seen.find('┌').unwrap()..).unwrap();
    assert!(
        table.contains("│ openai") && table.contains("┆ claude"),
        "{table}"
    );
    assert!(table.contains("first after"), "{table}");
    assert!(!table.contains("tokens/s"), "a burst has no speed: {table}");
}
