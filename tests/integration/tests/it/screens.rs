//! What a person sees: each command on a terminal of 100 columns, as a snapshot. Times differ from
//! run to run and are shown as `#`; colours are left out, and columns are closed up.

#![cfg(target_os = "linux")]

use serde_json::json;

use crate::chat::{on_a_terminal, on_columns};
use crate::stage::Stage;

/// Two models that answer, one whose key is missing.
fn stage() -> Stage {
    let mut stage = Stage::new();
    let nokey = stage.config["providers"]["openai"]["base_url"].clone();
    stage.config["providers"]["nokey"] =
        json!({ "plugin": "openai", "base_url": nokey, "api_key_env": "NOBODY_SET_THIS" });
    let models = stage.config["models"].as_object_mut().unwrap();
    models.retain(|name, _| ["openai", "claude"].contains(&name.as_str()));
    for model in models.values_mut() {
        model["cost_per_1k_tokens"] = json!(0.01);
    }
    models.insert(
        "keyless".into(),
        json!({ "provider": "nokey", "model_name": "gpt-4o-mini" }),
    );
    stage
}

/// The text of a screen without what differs from run to run.
fn steady(stage: &Stage, seen: &str) -> String {
    let folder = stage.folder.path().display().to_string();
    let text = without_escapes(seen).replace(&folder, "FOLDER");
    let lines = text.lines().map(|line| {
        let line = closed_up(
            line.rsplit('\r')
                .find(|part| !part.is_empty())
                .unwrap_or(""),
        );
        let line: Vec<&str> = line.split(' ').map(undated).collect();
        hidden(&hidden(&line.join(" "), " ms"), " tokens/s")
    });
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// Without `ESC [ … letter`.
pub(crate) fn without_escapes(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |whole, part| {
        let end = part
            .find(|c: char| c.is_ascii_alphabetic())
            .map_or(part.len(), |at| at + 1);
        whole + &part[end..]
    })
}

/// Runs of spaces and of lines become one: their length depends on what is hidden.
fn closed_up(line: &str) -> String {
    let mut closed = String::new();
    for c in line.trim_end().chars() {
        if !([' ', '─', '═', '╌'].contains(&c) && closed.ends_with(c)) {
            closed.push(c);
        }
    }
    closed
}

/// A day or a time of day by its name, a rate as `#`.
fn undated(word: &str) -> &str {
    if let Some((whole, tenth)) = word.split_once('.')
        && tenth.len() == 1
        && (whole.to_owned() + tenth).parse::<u64>().is_ok()
    {
        return "#";
    }
    let digits = word.chars().filter(char::is_ascii_digit).count();
    match word.chars().find(|c| !c.is_ascii_digit()) {
        Some('-') if digits >= 8 => "DAY",
        Some(':') if digits >= 4 => "TIME",
        _ => word,
    }
}

/// With `#` in place of every number before a unit.
fn hidden(line: &str, unit: &str) -> String {
    let mut parts: Vec<String> = line.split(unit).map(str::to_owned).collect();
    let last = parts.pop().unwrap_or_default();
    for part in &mut parts {
        let kept = part
            .trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
            .len();
        if kept < part.len() {
            part.replace_range(kept.., "#");
        }
        part.push_str(unit);
    }
    parts.concat() + &last
}

#[test]
fn numbers_and_widths_are_hidden_and_nothing_else() {
    assert_eq!(
        hidden("12 ms · 3.5 ms, 7 s, ms", " ms"),
        "# ms · # ms, 7 s, ms"
    );
    assert_eq!(closed_up("a   b ───┬── c  "), "a b ─┬─ c");
    assert_eq!(
        without_escapes("\x1b[1mbold\x1b[22m \x1b[38;5;2mx"),
        "bold x"
    );
}

#[test]
fn each_command_on_a_terminal() {
    let stage = stage();
    let shows = |name: &str, arguments: &str| {
        let seen = on_a_terminal(&stage, arguments, &[]);
        insta::assert_snapshot!(name, steady(&stage, &seen));
    };
    shows("list", "list");
    shows("query", "query '你好 world' --stream");
    shows("health", "health");
    shows(
        "compare",
        "compare 'what is a monad' --models openai claude keyless",
    );
    shows("stats", "stats");
    shows("history", "history search world");
    shows("no_such_model", "query hello --model gpt-9");
}

#[test]
fn no_width_breaks_words() {
    let stage = stage();
    stage
        .run(&["query", "question number one of several words"])
        .answer();
    stage.run(&["query", "[[fault:401]]"]);
    for (arguments, words) in [
        (
            "stats",
            &[
                "REQUESTS",
                "THOUGHT",
                "AVERAGE",
                "TOKENS/S",
                "CANCELLED",
                "errors",
            ][..],
        ),
        (
            "history list",
            &[
                "OUTCOME", "LATENCY", "PROMPT", "success", "question", "several",
            ],
        ),
        (
            "list",
            &["PROVIDER", "VENDOR'S", "claude-sonnet-4-5", "gpt-4o-mini"],
        ),
        (
            "health openai keyless",
            &[
                "LATENCY",
                "configuration",
                "gpt-4o-mini-2024-07-18",
                "NOBODY_SET_THIS",
            ],
        ),
        ("compare hello -m openai claude", &["hello", "claude"]),
        ("template list", &[]),
    ] {
        for columns in [0, 30, 80] {
            let seen = without_escapes(&on_columns(columns, &stage, arguments, &[]));
            let seen: Vec<&str> = seen.split_whitespace().collect();
            for word in words {
                assert!(
                    seen.iter().any(|one| one.contains(word)),
                    "{word} in {arguments} at {columns}: {seen:?}"
                );
            }
        }
    }
}
