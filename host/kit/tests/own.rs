//! The project's own plugins pass their own checks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;

use multillm_kit::{Subject, check};

#[tokio::test(flavor = "multi_thread")]
async fn our_own_plugins_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/plugins");
    let mut faults = String::new();
    for (name, model, settings) in [
        ("openai", "gpt-4o-mini", "{}"),
        ("azure", "gpt-4o", r#"{"api_version":"2024-10-21"}"#),
        ("huggingface", "meta-llama/Llama-3.3-70B-Instruct", "{}"),
        ("gemini", "gemini-2.5-flash", "{}"),
        ("claude", "claude-sonnet-4-5", "{}"),
        ("cohere", "command-a-03-2025", "{}"),
        ("ollama", "llama3.2", "{}"),
    ] {
        let file = folder.join(format!("{name}.wasm"));
        assert!(
            file.is_file(),
            "build the plugins with `cargo xtask plugins`"
        );
        let subject = Subject {
            model: model.to_owned(),
            settings: multillm::chat::JsonObject::parse(settings).unwrap(),
            ..Subject::file(file)
        };
        let report = check(&subject).await.unwrap();
        if !report.is_clean() {
            faults += &format!("{name}:\n{report}\n\n");
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
