//! Whom files belong to, and what is written where something stands already.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use crate::stage::Stage;

/// A user that is nobody here.
const STRANGER: u32 = 65_534;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_history_that_was_open_to_others_is_closed() {
    let stage = Stage::new();
    let history = stage.folder.path().join("history.db");
    stage.run(&["query", "one"]).answer();
    fs::set_permissions(&history, fs::Permissions::from_mode(0o666)).unwrap();
    stage.run(&["query", "two"]).answer();
    assert_eq!(mode(&history), 0o600);
    let listed = stage.run(&["history", "list", "--json"]).answer();
    assert!(listed.contains("one") && listed.contains("two"), "{listed}");
}

#[test]
fn a_history_of_somebody_else_is_neither_written_nor_read() {
    let stage = Stage::new();
    let history = stage.folder.path().join("history.db");
    stage.run(&["query", "mine"]).answer();
    if chown(&history, Some(STRANGER), None).is_err() {
        return; // Only root may give files away.
    }
    let before = fs::read(&history).unwrap();
    let done = stage.run(&["query", "secret plan"]);
    assert_eq!(
        done.code,
        Some(0),
        "the answer is not lost over it: {done:?}"
    );
    assert!(done.stderr.contains("belongs to another user"), "{done:?}");
    assert_eq!(fs::read(&history).unwrap(), before);
    let listed = stage.run(&["history", "list"]);
    listed.fails(2, &["belongs to another user", "chown"]);
}

#[test]
fn compiled_code_and_kept_answers_of_somebody_else_are_not_used() {
    let mut stage = Stage::new();
    let cache = stage.folder.path().join("answers");
    stage.config["cache"] = serde_json::json!({ "enabled": true, "path": cache });
    stage.run(&["query", "the same"]).answer();
    let kept = fs::read_dir(&cache)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert_eq!((mode(&cache), mode(&kept)), (0o700, 0o600));
    stage.run(&["query", "the same"]).answer();
    assert_eq!(stage.simulator.log().len(), 1, "the second answer was kept");
    let forged = fs::read_to_string(&kept)
        .unwrap()
        .replace("the same", "a forgery");
    fs::write(&kept, forged).unwrap();
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o666)).unwrap();
    let said = stage.run(&["query", "the same"]).answer();
    assert!(!said.contains("forgery"), "{said}");
    assert_eq!(stage.simulator.log().len(), 2);
    fs::remove_file(&kept).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    let done = stage.run(&["query", "the same"]);
    assert!(done.stderr.contains("chmod go-w"), "{done:?}");
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
}

#[test]
fn what_is_there_is_not_overwritten_by_a_chat() {
    let stage = Stage::new();
    let notes = stage.folder.path().join("notes.md");
    fs::write(&notes, "precious").unwrap();
    let target = stage.folder.path().join("target");
    symlink(&target, stage.folder.path().join("link.md")).unwrap();
    let lines = b"hello\n/save notes.md\n/save link.md\n/save new.md\nand more\n/save new.md\n";
    let done = stage.run_with(&["chat"], lines);
    assert!(
        done.stderr.contains("notes.md is there already"),
        "{done:?}"
    );
    assert!(done.stderr.contains("name the file itself"), "{done:?}");
    assert_eq!(fs::read_to_string(&notes).unwrap(), "precious");
    assert!(!target.exists());
    let new = stage.folder.path().join("new.md");
    let saved = fs::read_to_string(&new).unwrap();
    assert!(
        saved.contains("and more"),
        "its own file is brought up to date: {saved}"
    );
    assert_eq!(mode(&new), 0o600);
}

#[test]
fn files_that_commands_write_do_not_follow_links() {
    let stage = Stage::new();
    let folder = stage.folder.path();
    let target = folder.join("target");
    for name in [
        "multi_llm_config.json",
        ".env.example",
        "out.csv",
        "prices.json",
    ] {
        symlink(&target, folder.join(name)).unwrap();
    }
    let init = ["config", "init", "--vendor", "openai"];
    stage.run_bare(&init, b"").fails(2, &["is there already"]);
    let forced = [&init[..], &["--force"]].concat();
    stage
        .run_bare(&forced, b"")
        .fails(2, &["name the file itself"]);
    stage.run(&["query", "hi"]).answer();
    stage
        .run(&[
            "history", "export", "--output", "out.csv", "--format", "csv",
        ])
        .fails(2, &["name the file itself"]);
    let list = stage.file(
        "list.json",
        r#"{"m":{"input_cost_per_token":1e-6,"output_cost_per_token":2e-6,"mode":"chat","litellm_provider":"openai"}}"#,
    );
    stage
        .run_bare(
            &["config", "import-prices", &list, "-o", "prices.json"],
            b"",
        )
        .fails(2, &["name the file itself"]);
    assert!(!target.exists(), "a link was followed");
    stage
        .run(&[
            "history",
            "export",
            "--output",
            "plain.csv",
            "--format",
            "csv",
        ])
        .answer();
    stage
        .run(&[
            "history",
            "export",
            "--output",
            "plain.csv",
            "--format",
            "csv",
        ])
        .answer();
    assert_eq!(mode(&folder.join("plain.csv")), 0o600);
}

#[test]
fn a_table_for_spreadsheets_holds_no_formula() {
    let stage = Stage::new();
    stage
        .run(&["query", "=HYPERLINK(\"http://evil.example\")"])
        .answer();
    let table = stage
        .run(&["history", "export", "--format", "csv"])
        .answer();
    assert!(table.contains("\"'=HYPERLINK("), "{table}");
    let row = table.lines().nth(1).unwrap();
    assert!(row.starts_with("1,"), "numbers stay numbers: {row}");
}
