//! Each mistake of the careless guest is found, and named by its rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::PathBuf;

use multillm::chat::JsonObject;
use multillm_kit::{Recording, Report, Said, Subject, check};

/// A mistake, and the rule that names it.
const MISTAKES: &[(&str, &str)] = &[
    ("drops-system", "text-kept"),
    ("last-turn-only", "text-kept"),
    ("first-part-only", "text-kept"),
    ("trims-texts", "text-kept"),
    ("plain-letters-only", "text-kept"),
    ("swaps-turns", "text-kept"),
    ("drops-tools", "tools-kept"),
    ("drops-descriptions", "tools-kept"),
    ("drops-results", "tools-kept"),
    ("refuses-seed", "promise-kept"),
    ("drops-temperature", "sampling-kept"),
    ("drops-stop", "sampling-kept"),
    ("drops-seed", "sampling-kept"),
    ("drops-limit", "sampling-kept"),
    ("drops-effort", "effort-kept"),
    ("drops-format", "format-kept"),
    ("drops-pictures", "media-kept"),
    ("drops-extra", "extra-merged"),
    ("sorts-keys", "schema-order"),
    ("keeps-a-count", "stateless"),
    ("another-model", "model-sent"),
    ("writes-json-by-hand", "json-body"),
    ("model-in-the-path", "path-safe"),
    ("upper-case", "headers"),
    ("own-host", "headers"),
    ("no-secret", "secret-placed"),
    ("another-secret", "secret-placed"),
    ("never-streams", "stream-asked"),
    ("answers-whatever-comes", "malformed-answer"),
    ("answers-whatever-comes", "unknown-not-zero"),
    ("traps-on-junk", "malformed-answer"),
    ("traps-on-junk", "junk-frames"),
    ("ends-with-anything", "junk-frames"),
    ("ends-with-the-body", "cut-stream"),
    ("ends-with-the-reason", "recorded-read"),
    ("gives-up-on-429", "errors-classified"),
    ("repeats-401", "errors-classified"),
    ("all-are-the-same", "errors-classified"),
    ("says-nothing", "error-words"),
    ("adds-words", "recorded-provenance"),
    ("invents-ids", "recorded-provenance"),
    ("counts-itself", "recorded-provenance"),
    ("loses-content", "recorded-read"),
    ("breaks-on-unknown", "recorded-unknown"),
    ("zero-for-missing", "recorded-missing"),
];

fn recordings() -> Vec<Recording> {
    let whole = r#"{"id":"chatcmpl-77","object":"chat.completion","created":1,"model":"sea-1","choices":[{"index":0,
        "message":{"role":"assistant","content":"The sea is wide."},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}"#;
    let piece = |delta: &str, end: &str| {
        format!(
            r#"data: {{"id":"chatcmpl-78","object":"chat.completion.chunk","created":1,"model":"sea-1","choices":[{{"index":0,"delta":{delta},"finish_reason":{end}}}]}}"#
        ) + "\n\n"
    };
    let streamed = [
        piece(r#"{"role":"assistant","content":""}"#, "null"),
        piece(r#"{"content":"The sea "}"#, "null"),
        piece(r#"{"content":"is "}"#, "null"),
        piece(r#"{"content":"very "}"#, "null"),
        piece(r#"{"content":"wide."}"#, "null"),
        piece("{}", r#""stop""#),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let of = |name: &str, stream, body: String, content: &str| Recording {
        name: name.to_owned(),
        stream,
        status: 200,
        headers: vec![],
        body,
        request: None,
        expect: Some(Said {
            content: Some(content.to_owned()),
            finish_reason: Some("stop".to_owned()),
            ..Said::default()
        }),
    };
    vec![
        of("whole", false, whole.to_owned(), "The sea is wide."),
        of("streamed", true, streamed, "The sea is very wide."),
    ]
}

async fn checked(fault: &str) -> Report {
    let guests = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../guests");
    let file = guests.join("careless.wasm");
    assert!(
        file.is_file(),
        "build the guests with `cargo xtask plugins`"
    );
    let mut settings = JsonObject::new();
    if !fault.is_empty() {
        settings.insert("fault", fault);
    }
    let subject = Subject {
        settings,
        recordings: recordings(),
        ..Subject::file(file)
    };
    check(&subject).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mistake_nothing_is_found() {
    let report = checked("").await;
    assert!(report.is_clean(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_found_and_named() {
    let mut missed = vec![];
    for (fault, code) in MISTAKES {
        let report = checked(fault).await;
        if !report.failures().any(|finding| finding.code == *code) {
            let found: Vec<_> = report.failures().map(|finding| finding.code).collect();
            missed.push(format!("{fault}: {code} holds, found {found:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
