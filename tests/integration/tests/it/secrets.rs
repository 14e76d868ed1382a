//! A key goes into its header and nowhere else: not to the plugin, not to anything that is written.

use std::fs;
use std::path::Path;

use memchr::memmem;
use multillm_simulator::Options;
use serde_json::json;

use crate::leaks;
use crate::stage::Stage;
use crate::vendors::LINES;

/// A key that occurs nowhere by chance.
const KEY: &str = "sk-7Qv2xGm4ZtR9wLc1";

fn stage_with_key() -> Stage {
    let mut stage = Stage::with(Options {
        keys: vec![KEY.into()],
        ..Options::default()
    });
    for (_, value) in &mut stage.variables {
        KEY.clone_into(value);
    }
    leaks::know(&stage.variables);
    stage
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Does any file below this folder hold the key.
fn holds_key(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => holds_key(&path),
            false => memmem::find(&fs::read(&path).unwrap(), KEY.as_bytes()).is_some(),
        }
    })
}

#[test]
fn the_key_is_in_nothing_that_the_program_writes() {
    let mut stage = stage_with_key();
    // Kept answers are files too, and are scanned with the rest.
    let kept = stage.folder.path().join("kept");
    stage.config["cache"] = json!({ "enabled": true, "path": kept });
    // Every level of every library, not only our own.
    stage
        .variables
        .push(("MULTILLM_LOG".into(), "trace".into()));
    let faults = [
        "Hello",
        "[[fault:echo-key]]",
        "[[fault:500]]",
        "[[fault:502-html]]",
        "[[fault:cut k=1]]",
        "[[fault:reset k=1]]",
        "[[fault:redirect]]",
        "[[fault:malformed-json]]",
    ];
    let mut refused = 0;
    let mut traced = 0;
    for line in &LINES {
        for question in faults {
            for options in [&["-vv"][..], &["-vv", "--stream"], &["-vv", "--json"]] {
                let asked = ["query", question, "--model", line.plugin];
                let arguments: Vec<&str> = asked.iter().chain(options).copied().collect();
                let done = stage.run(&arguments);
                let shown = format!("{}{}", done.stdout, done.stderr);
                assert!(!shown.contains(KEY), "{arguments:?}: {shown}");
                refused += usize::from(done.code != Some(0));
                traced += usize::from(shown.contains("TRACE"));
            }
        }
    }
    assert!(refused > LINES.len(), "most of the faults were to fail");
    assert!(traced > LINES.len(), "most of the runs were to trace");
    for format in ["json", "csv"] {
        let export = stage.run(&["history", "export", "--format", format, "-vv"]);
        assert!(!export.stderr.contains(KEY), "{export:?}");
        let exported = export.answer();
        assert!(
            exported.contains("echo-key"),
            "the failures were to be in it: {exported}"
        );
        assert!(!exported.contains(KEY), "{exported}");
    }
    assert!(kept.is_dir(), "answers were to be kept");
    assert!(!holds_key(stage.folder.path()), "a file holds the key");
    let log = stage.simulator.log();
    let with_key = |exchange: &multillm_simulator::Exchange| {
        exchange
            .headers
            .iter()
            .any(|(_, value)| value.contains(KEY))
    };
    assert!(log.iter().filter(|exchange| with_key(exchange)).count() > LINES.len());
    assert!(
        log.iter()
            .all(|exchange| !exchange.path.contains("redirect-target")),
        "a redirect was followed"
    );
}

#[test]
fn an_error_that_repeats_the_key_is_cleaned() {
    let stage = stage_with_key();
    let done = stage.run(&["query", "[[fault:echo-key]]"]);
    assert!(!done.stderr.contains(KEY), "{done:?}");
    done.fails(1, &["authentication"]);
    // The simulator does repeat it: without that, this test shows nothing.
    let service = stage.service();
    assert!(!format!("{service:?}").contains(KEY));
}

#[test]
fn the_key_is_nowhere_in_the_memory_of_a_plugin() {
    let mut stage = stage_with_key();
    stage.admit_hostile("dump", json!({ "attack": "memory-dump" }));
    stage
        .variables
        .retain(|(name, _)| name != "HOSTILE_API_KEY");
    stage.variables.push(("HOSTILE_API_KEY".into(), KEY.into()));
    let service = stage.service();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let prompt = "a text that the plugin may well see";
    for exchange in 0..4 {
        let messages = [multillm::ChatMessage::user(prompt)];
        runtime
            .block_on(service.chat_completion(&messages, "dump"))
            .unwrap_or_else(|error| panic!("exchange {exchange}: {error}"));
    }
    let log = stage.simulator.log();
    assert_eq!(log.len(), 4);
    for exchange in &log {
        let sent = String::from_utf8(exchange.body.to_vec()).unwrap();
        assert!(
            sent.contains(&hex(prompt)),
            "the dump holds what the plugin saw"
        );
        assert!(sent.len() > 2 * (1 << 20), "the dump is the whole memory");
        assert!(
            !sent.contains(&hex(KEY)),
            "the key is in the plugin's memory"
        );
        assert_eq!(
            exchange.header("authorization"),
            Some(&*format!("Bearer {KEY}"))
        );
    }
}

#[test]
fn nor_after_the_vendor_repeated_it() {
    let mut stage = stage_with_key();
    stage.admit_hostile("dump", json!({ "attack": "dump-in-error" }));
    stage.admit_hostile("answer", json!({ "attack": "dump-in-answer" }));
    stage
        .variables
        .retain(|(name, _)| name != "HOSTILE_API_KEY");
    stage.variables.push(("HOSTILE_API_KEY".into(), KEY.into()));
    let service = stage.service();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ask = |question: &str, model: &str| {
        let messages = [multillm::ChatMessage::user(question)];
        runtime.block_on(service.chat_completion(&messages, model))
    };
    let error = ask("[[fault:echo-key]]", "dump").unwrap_err();
    assert!(
        error.message.contains(&hex("invalid_api_key")),
        "the dump holds the vendor's body"
    );
    assert!(
        !error.message.contains(&hex(KEY)),
        "the vendor's echo reached the plugin"
    );
    let answer = ask("Hello", "answer").unwrap();
    assert!(
        answer.content().contains(&hex("Hello")),
        "the dump holds the answer"
    );
    assert!(
        !answer.content().contains(&hex(KEY)),
        "the key is in the plugin's memory"
    );
}
