//! Texts of others in every output: nothing of them steers a terminal, hides, turns round or makes
//! a line that looks like ours.

use serde_json::{Value, json};

use crate::raw_server::{RawServer, http, sse};
use crate::stage::{Done, Stage};

/// Steers, hides, turns round, and tries to begin a line of its own.
const EVIL: &str = "x\u{1b}]0;owned\u{7}\u{9b}2J\u{7f}\u{202e}y\u{2066}\u{200b}\u{feff}\u{e0041}\u{e007f}\
                    z\r\nerror: forged\u{2028}note: forged\u{85}w\u{200d}v";

/// What must be nowhere in what is printed.
const HARMFUL: [char; 14] = [
    '\u{1b}',
    '\u{7}',
    '\u{9b}',
    '\u{7f}',
    '\u{202e}',
    '\u{2066}',
    '\u{200b}',
    '\u{feff}',
    '\u{e0041}',
    '\u{e007f}',
    '\u{2028}',
    '\u{85}',
    '\r',
    '\u{200d}',
];

fn stage_at(server: &RawServer, plugin: &str) -> Stage {
    let mut stage = Stage::new();
    stage.config["providers"]["other"] = json!({
        "plugin": plugin, "base_url": server.origin, "api_key": false, "settings": { "auth": "none" },
    });
    stage.config["models"]["m"] = json!({ "provider": "other", "model_name": "x" });
    stage.config["retry"] = json!({ "max_attempts": 1 });
    stage
}

#[track_caller]
fn is_harmless(what: &str, text: &str) {
    for c in HARMFUL {
        assert!(!text.contains(c), "{what}: {c:?} in {text:?}");
    }
}

/// Neither stream holds what is harmful, and no line is forged.
#[track_caller]
fn shows_nothing_of_it(what: &str, done: &Done) {
    for text in [&done.stdout, &done.stderr] {
        is_harmless(what, text);
        for line in text.lines() {
            let forged = ["error: forged", "note: forged"];
            assert!(
                !forged.iter().any(|start| line.starts_with(start)),
                "{what}: {text}"
            );
        }
    }
}

fn answer(content: &str) -> Value {
    json!({
        "id": EVIL, "model": EVIL,
        "choices": [{
            "index": 0, "finish_reason": EVIL,
            "message": {
                "role": "assistant", "content": content, "reasoning_content": EVIL,
                "tool_calls": [{
                    "id": EVIL, "type": "function",
                    "function": { "name": EVIL, "arguments": json!({ "a": EVIL }).to_string() },
                }],
            },
        }],
    })
}

#[test]
fn an_error_of_others_is_one_harmless_line() {
    let body =
        json!({ "error": { "message": EVIL, "code": EVIL, "type": "server_error" } }).to_string();
    for answer in [
        http(400, "application/json", "", &body),
        http(500, "text/html", "", &format!("<p>\n{EVIL}\n</p>")),
        http(
            200,
            "text/html",
            "",
            &format!("<html><title>{EVIL}</title>"),
        ),
        http(200, "text/event-stream", "", &sse(&[&body])),
        http(302, "text/plain", "location: http://[x\r\n", ""),
    ] {
        let server = RawServer::always(answer);
        let stage = stage_at(&server, "openai");
        for command in [
            &["query", "Hello", "--model", "m"][..],
            &["query", "Hello", "--model", "m", "--stream"],
            &["query", "Hello", "--model", "m", "-v"],
            &["query", "Hello", "--model", "m", "--json"],
            &["compare", "Hello", "--models", "m,m"],
            &["compare", "Hello", "--models", "m", "--json"],
            &["health", "m"],
            &["health", "m", "--json"],
            &["list", "--provider", "other"],
            &["history", "list"],
            &["history", "show", "1"],
            &["history", "show", "1", "--json"],
            &["history", "export"],
        ] {
            let done = stage.run(command);
            shows_nothing_of_it(&command.join(" "), &done);
            if command.len() == 4 && command[0] == "query" {
                let lines: Vec<&str> = done.stderr.trim_end().lines().collect();
                let ours = |line: &&str| line.starts_with("error: ") || line.starts_with("  fix: ");
                assert!(lines.len() <= 2 && lines.iter().all(ours), "{done:?}");
            }
        }
        let done = stage.run_with(&["chat", "--model", "m"], b"Hello\n/stats\n");
        shows_nothing_of_it("chat", &done);
    }
}

#[test]
fn an_answer_is_harmless_wherever_it_is_no_plain_data() {
    let whole = answer(&format!("{EVIL}\n=== m\n--- 1 s"));
    let server = RawServer::always(http(200, "application/json", "", &whole.to_string()));
    let stage = stage_at(&server, "openai");
    for command in [
        &["query", "Hello", "--model", "m", "--json"][..],
        &["query", "Hello", "--model", "m", "--json", "--stream"],
        &["query", "Hello", "--model", "m", "--json", "-vv"],
        &["compare", "Hello", "--models", "m,openai", "--json"],
        &["health", "m"],
        &["history", "list"],
        &["history", "show", "1", "--json"],
        &["history", "export"],
        &["stats"],
    ] {
        let done = stage.run(command);
        shows_nothing_of_it(&command.join(" "), &done);
    }
    // The text of an answer has lines of its own; all else is checked.
    for command in [
        &["compare", "Hello", "--models", "m,openai"][..],
        &["history", "show", "1"],
    ] {
        let done = stage.run(command);
        is_harmless(&command.join(" "), &done.stdout);
        is_harmless(&command.join(" "), &done.stderr);
        assert_eq!(
            done.stdout.lines().filter(|line| *line == "=== m").count(),
            usize::from(command[0] == "compare" || done.stdout.contains("ANSWER")),
            "{done:?}"
        );
    }
    // JSON says what was said, in escapes.
    let done = stage.run(&["query", "Hello", "--model", "m", "--json"]);
    assert_eq!(done.json()["vendor_model"], EVIL);
}

#[test]
fn an_answer_in_a_pipe_is_what_the_model_wrote() {
    let mut whole = answer(EVIL);
    whole["choices"][0]["message"]["tool_calls"] = Value::Null;
    let server = RawServer::always(http(200, "application/json", "", &whole.to_string()));
    let stage = stage_at(&server, "openai");
    let done = stage.run(&["query", "Hello", "--model", "m"]);
    assert_eq!(done.stdout, format!("{EVIL}\n"));
    is_harmless("the note", &done.stderr);
    assert_eq!(done.stderr.trim_end().lines().count(), 1, "{done:?}");
}

#[test]
fn a_vendors_list_of_models_is_harmless() {
    let list = json!({ "data": [{ "id": EVIL, "object": "model", "owned_by": EVIL }] });
    let server = RawServer::always(http(200, "application/json", "", &list.to_string()));
    let stage = stage_at(&server, "openai");
    for command in [
        &["list", "--provider", "other"][..],
        &["list", "--provider", "other", "--json"],
    ] {
        let done = stage.run(command);
        assert_eq!(done.code, Some(0), "{done:?}");
        shows_nothing_of_it(&command.join(" "), &done);
    }
}
