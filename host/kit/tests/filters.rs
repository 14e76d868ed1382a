//! The filters of the examples keep the kit's rules; the one that breaks rules is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use multillm::chat::JsonObject;
use multillm_kit::{Report, Subject, Verdict, check};

/// `guests` beside the profile's folder that this test is in.
fn guest(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let file = target.join("guests").join(format!("{name}.wasm"));
    assert!(
        Path::new(&file).is_file(),
        "{file:?} is missing: cargo xtask plugins"
    );
    file
}

async fn report(name: &str, settings: &str) -> Report {
    let subject = Subject {
        settings: JsonObject::parse(settings).unwrap(),
        ..Subject::file(guest(name))
    };
    check(&subject).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_keep_every_rule() {
    let rule =
        r#"{"rules":[{"name":"r","contains":["never said"],"applies_to":["question","answer"]}]}"#;
    for (name, settings) in [("pii", "{}"), ("guard", "{}"), ("guard", rule)] {
        let report = report(name, settings).await;
        assert!(report.is_clean(), "{report}");
        let passed = |code: &str| {
            let mut findings = report.findings.iter();
            findings.any(|one| one.code == code && one.verdict == Verdict::Passed)
        };
        assert!(
            passed("filter-deterministic") && passed("filter-malformed"),
            "{report}"
        );
        let reads = settings == rule || name == "pii";
        assert_eq!(
            passed("filter-batches") && passed("filter-ends"),
            reads,
            "{name} {report}"
        );
        assert_eq!(report.contract.as_deref(), Some("filter 0.1.0"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unruly_filters_are_found() {
    for (what, code) in [
        ("trap", "filter-prepares"),
        ("misconfigured", "filter-prepares"),
        ("no-json", "filter-prepares"),
        ("answer-trap", "filter-malformed"),
        ("answer-endless", "filter-ends"),
        ("answer-split", "filter-batches"),
    ] {
        let report = report("unruly", &format!(r#"{{"do":"{what}"}}"#)).await;
        let failed: Vec<&str> = report.failures().map(|finding| finding.code).collect();
        assert!(failed.contains(&code), "{what}: {report}");
    }
}
