//! What a person sees while an answer comes: drawn Markdown at any width, links, resized windows, editors,
//! names that are completed. By pseudo-terminals of `script`, and by `tmux` where the window changes.

#![cfg(target_os = "linux")]

use std::time::Duration;

use multillm_simulator::Options;
use serde_json::json;

use crate::chat::on_columns;
use crate::screens::without_escapes;
use crate::stage::{Stage, program};
use crate::window::Window;

/// Markdown whose every form is drawn, as a file that the simulator's answer repeats.
const DOCUMENT: &str = "# Title\n\nSome **bold** words, *more* of them and `code`, so that a line is full and goes on.\n\
- an item that is long enough to be wrapped under its own text and not under its mark\n\
> quoted\n\n```rust\nfn a() { /* this line of code is longer than the window and stays one line of the answer */ }\n```\n\
| 名 | b |\n|---|---|\n| 你好 | 1 |\n\nSee [the docs](https://a.org/x_y) and https://b.org/c_d.\n\
这是一段没有空格的文字，它比一行的宽度更长一些，所以要在中间换行。\n\nlast words";

fn slow() -> Stage {
    let stage = Stage::with(Options {
        event_gap: Duration::from_millis(5),
        ..Options::default()
    });
    stage.file("document.md", DOCUMENT);
    stage
}

#[test]
fn a_terminal_streams_and_draws_and_a_pipe_gets_the_whole_as_it_is() {
    let mut stage = slow();
    let arguments = "query -q --no-stdin \"$(cat document.md)\"";
    let seen = on_columns(60, &stage, arguments, &[]);
    assert!(stage.only_exchange().json()["stream"] == json!(true));
    insta::assert_snapshot!("drawn_answer", seen.replace("\x1b", "␛").replace('\r', ""));
    // In a pipe nothing is streamed or drawn.
    let piped = stage.run(&["query", DOCUMENT]).answer();
    assert!(piped.contains(DOCUMENT), "{piped}");
    assert_ne!(
        stage.simulator.log().pop().unwrap().json()["stream"],
        json!(true)
    );
    // Nor where that is not wanted; drawn it is all the same.
    let seen = on_columns(60, &stage, &format!("{arguments} --no-stream"), &[]);
    assert_ne!(
        stage.simulator.log().pop().unwrap().json()["stream"],
        json!(true)
    );
    assert!(seen.contains("\x1b[1mbold\x1b[22m"), "{seen}");
    stage.config["terminal"] = json!({ "stream": false, "markdown": false });
    let seen = on_columns(60, &stage, arguments, &[]);
    assert_ne!(
        stage.simulator.log().pop().unwrap().json()["stream"],
        json!(true)
    );
    assert!(
        seen.contains("Some **bold** words") && !seen.contains('\x1b'),
        "{seen}"
    );
    let seen = on_columns(60, &stage, &format!("{arguments} --stream"), &[]);
    assert_eq!(
        stage.simulator.log().pop().unwrap().json()["stream"],
        json!(true)
    );
    assert!(seen.contains("Some **bold** words"), "{seen}");
    // A model that does not stream is not made to.
    stage.config["terminal"] = json!(null);
    stage.config["models"]["openai"]["capabilities"] = json!({ "streaming": false });
    let seen = on_columns(60, &stage, arguments, &[]);
    assert_ne!(
        stage.simulator.log().pop().unwrap().json()["stream"],
        json!(true)
    );
    assert!(seen.contains("\x1b[1mbold\x1b[22m"), "{seen}");
}

#[test]
fn no_width_loses_a_word_of_an_answer() {
    let stage = slow();
    let bare = |text: &str| text.replace([' ', '\n', '\r', '│', '•'], "");
    for columns in [0, 1, 12, 30, 200] {
        let seen = on_columns(
            columns,
            &stage,
            "query -q --no-stdin \"$(cat document.md)\"",
            &[],
        );
        let seen = bare(&without_escapes(&seen));
        for words in [
            "anitemthatislongenoughtobewrappedunderitsowntextandnotunderitsmark",
            "fna(){/*thislineofcodeislongerthanthewindowandstaysonelineoftheanswer*/}",
            "这是一段没有空格的文字，它比一行的宽度更长一些，所以要在中间换行。",
            "Seethedocs(https://a.org/x_y)andhttps://b.org/c_d.",
            "lastwords(turns:1)",
        ] {
            assert!(seen.contains(words), "{words} at {columns}: {seen}");
        }
    }
}

#[test]
fn colours_forms_and_links_are_for_terminals_that_want_them() {
    let stage = slow();
    let arguments = "query -q --no-stdin \"$(cat document.md)\"";
    let with = |variables: &[(&str, &str)]| {
        let mut stage = Stage::new();
        stage.file("document.md", DOCUMENT);
        let more = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        stage.variables.extend(more);
        on_columns(60, &stage, arguments, &[])
    };
    for variables in [[("NO_COLOR", "1")], [("TERM", "dumb")]] {
        let seen = with(&variables);
        assert!(!seen.contains('\x1b'), "{variables:?}: {seen}");
        assert!(seen.contains("Some **bold** words"), "{seen}");
    }
    let seen = with(&[("FORCE_HYPERLINK", "1")]);
    for link in [
        "\x1b]8;id=1;https://a.org/x_y\x1b\\the docs\x1b]8;;\x1b\\",
        " (a.org)",
        "\x1b]8;id=2;https://b.org/c_d\x1b\\https://b.org/c_d\x1b]8;;\x1b\\",
    ] {
        assert!(seen.contains(link), "{link:?} in {seen:?}");
    }
    let seen = on_columns(60, &stage, &format!("{arguments} --raw"), &[]);
    assert!(seen.contains("[the docs](https://a.org/x_y)"), "{seen}");
}

#[test]
fn an_answer_of_others_cannot_steer_or_mislead() {
    let mut stage = Stage::new();
    stage.variables.push(("FORCE_HYPERLINK".into(), "1".into()));
    stage.file(
        "evil.md",
        "a\u{1b}]0;owned\u{7}b [https://bank.org](https://evil.org/\u{1b}[2J) [x](javascript:alert) \u{202e}c \u{1b}]8;;https://evil.org\u{1b}\\d",
    );
    let seen = on_columns(80, &stage, "query -q --no-stdin \"$(cat evil.md)\"", &[]);
    for harmful in ["\x1b]0;", "\x07", "\u{202e}", "\x1b[2J", "\x1b]8;;https"] {
        assert!(!seen.contains(harmful), "{harmful:?} in {seen:?}");
    }
    // Where it leads is said.
    assert!(without_escapes(&seen).contains("(evil.org)"), "{seen:?}");
    assert!(seen.contains("(javascript:alert)"), "{seen:?}");
}

#[test]
fn an_interrupted_answer_shows_all_that_had_come() {
    let stage = Stage::with(Options {
        event_gap: Duration::from_millis(50),
        ..Options::default()
    });
    let Some(window) = Window::asking(&stage, 60, "query --no-stdin 'write 2000 words'") else {
        return;
    };
    window.until("word20");
    window.keys(&["C-c"]);
    let seen = window.until("ended by SIGINT");
    // The error stands on a line of its own, behind the last word that had come.
    let lines: Vec<&str> = seen.lines().collect();
    let error = lines.iter().position(|line| line.starts_with("error: "));
    let before = lines[error.unwrap() - 1];
    assert!(
        before.contains("word") && !seen.contains("word2000"),
        "{seen}"
    );
}

#[test]
fn a_window_shows_the_drawn_answer() {
    let stage = slow();
    let Some(window) = Window::asking(&stage, 50, "query -q --no-stdin \"$(cat document.md)\"")
    else {
        return;
    };
    window.until("(turns: 1)");
    insta::assert_snapshot!("window_of_an_answer", window.seen());
}

#[test]
fn a_window_that_is_resized_while_an_answer_comes_loses_nothing() {
    let stage = Stage::with(Options {
        event_gap: Duration::from_millis(30),
        ..Options::default()
    });
    let Some(window) = Window::asking(&stage, 40, "query --no-stdin 'write 400 words'") else {
        return;
    };
    let words = |seen: &str| -> Vec<String> {
        let words = seen
            .split_whitespace()
            .filter(|word| word.starts_with("word"));
        words
            .map(|word| word.trim_end_matches(['.', ',']).to_owned())
            .collect()
    };
    for (after, columns) in [("word20 ", "75"), ("word60 ", "33"), ("word120 ", "90")] {
        window.until(after.trim());
        window.tmux(&["resize-window", "-x", columns]);
    }
    window.until("word400");
    let seen = window.tmux(&["capture-pane", "-p", "-J", "-S", "-"]);
    let found = words(&seen);
    let wanted: Vec<String> = (1..=400).map(|number| format!("word{number}")).collect();
    assert_eq!(found, wanted, "{seen}");
    // The later lines are those of the later width.
    let longest = seen
        .lines()
        .map(|line| line.trim_end().len())
        .max()
        .unwrap();
    assert!((76..=90).contains(&longest), "{longest}: {seen}");
}

#[test]
fn a_window_goes_on_with_a_conversation_and_lists_it() {
    let stage = Stage::new();
    stage.run(&["query", "What is a monad?"]).answer();
    let config = stage.config_file().display().to_string();
    let arguments = format!(
        "query --no-stdin --continue 'And **in short**?'; {program} -C {config} history conversations; \
         {program} -C {config} history show last; echo done",
        program = program().display()
    );
    let Some(window) = Window::asking(&stage, 90, &arguments) else {
        return;
    };
    let seen = window.until("done");
    let hidden = |line: &str| -> String {
        let words = line.split(' ').map(|word| match word {
            word if word.len() >= 8 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-') => {
                "#"
            }
            word if word.matches(':').count() == 2 => "TIME",
            word => word,
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let seen: Vec<String> = seen.lines().map(hidden).collect();
    insta::assert_snapshot!("window_of_a_conversation", seen.join("\n"));
}

#[test]
fn a_chat_completes_names_of_models_and_files() {
    let stage = Stage::new();
    stage.file("notes of mine.md", "the note's text");
    let Some(window) = Window::asking(&stage, 100, "chat") else {
        return;
    };
    window.until("openai>");
    window.keys(&["/mod", "Tab", " coh", "Tab"]);
    window.until("/model cohere");
    window.keys(&["-th", "Tab", "Enter"]);
    window.until("asking cohere-thinks from now on");
    window.keys(&["/file note", "Tab", " what is it?", "Enter"]);
    let seen = window.until("(turns: 1)");
    assert!(seen.contains("the note's text"), "{seen}");
}

#[test]
fn questions_and_templates_are_written_in_an_editor() {
    let mut stage = Stage::new();
    let editor = stage.file(
        "editor",
        "#!/bin/sh\nfor file; do :; done\nprintf ' more\\n**words**' >> \"$file\"\n",
    );
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    stage
        .variables
        .push(("VISUAL".into(), format!("{editor} --wait")));
    stage.variables.push(("EDITOR".into(), "false".into()));
    let Some(window) = Window::asking(&stage, 100, "chat") else {
        return;
    };
    window.until("openai>");
    window.keys(&["/edit begun", "Enter"]);
    window.until("(turns: 1)");
    let body = stage.only_exchange().json();
    let asked = body["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(asked["content"], "begun more\n**words**");
    drop(window);
    // What was written makes no template: it is said, and the file stays to be corrected.
    let window = Window::asking(&stage, 100, "template new broken").unwrap();
    window.until("correct ");
    assert!(stage.folder.path().join("templates/broken.json").is_file());
    drop(window);
    stage
        .variables
        .push(("VISUAL".into(), "no-such-editor".into()));
    let window = Window::asking(&stage, 100, "chat").unwrap();
    window.until("openai>");
    window.keys(&["/edit", "Enter"]);
    window.until("cannot run no-such-editor");
    drop(window);
    // No `.env` names a program that is run, and a pipe is no place for an editor.
    stage
        .variables
        .retain(|(name, _)| name != "VISUAL" && name != "EDITOR");
    stage.file(".env", format!("VISUAL={editor}\nEDITOR={editor}\n"));
    let window = Window::asking(&stage, 100, "chat").unwrap();
    window.until("openai>");
    window.keys(&["/edit", "Enter"]);
    window.until("no editor is named");
    let done = stage.run_with(&["chat"], b"/edit\n");
    assert!(done.stderr.contains("needs a terminal"), "{done:?}");
}
