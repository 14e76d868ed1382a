//! Names that stand for several models: who is asked, in which order, and who is left alone.

use std::time::Duration;

use multillm::ErrorKind;
use multillm_simulator::{Options, Vendor};
use serde_json::json;

use crate::asking::{ask, chat};
use crate::stage::Stage;

fn with_route(stage: &mut Stage, strategy: &str, models: serde_json::Value) {
    let route = json!({ "strategy": strategy, "models": models });
    stage.set("routes", json!({ "any": route }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_names_who_gave_it_and_what_failed_before() {
    let mut stage = Stage::new();
    with_route(
        &mut stage,
        "fallback",
        json!(["openai", "claude", "gemini"]),
    );
    stage.set("retry.max_attempts", 2.into());
    let service = stage.service();
    for (asked, streamed) in [(1, false), (2, true)] {
        stage.simulator.fail_next(Vendor::OpenAi, "500", 2);
        stage.simulator.fail_next(Vendor::Anthropic, "401", 1);
        let answer = ask(&service, "any", "Hello", streamed).await.answer();
        assert_eq!(
            (answer.model.as_str(), answer.provider.as_str()),
            ("gemini", "gemini")
        );
        let failed: Vec<_> = answer
            .failed_before
            .iter()
            .map(|error| (error.model.as_deref().unwrap(), error.kind))
            .collect();
        assert_eq!(
            failed,
            [
                ("openai", ErrorKind::Server),
                ("openai", ErrorKind::Server),
                ("claude", ErrorKind::Authentication),
            ]
        );
        assert_eq!(answer.attempts, 4);
        assert_eq!(stage.simulator.requests(), asked * 4);
    }
    let rows = stage.rows(&service).await;
    assert_eq!(rows.len(), 8);
    for attempts in rows.chunks(4) {
        assert!(
            attempts
                .iter()
                .all(|row| row.route.as_deref() == Some("any"))
        );
        let last: Vec<_> = attempts.iter().map(|row| row.last).collect();
        assert_eq!(last, [false, false, false, true]);
    }
}

/// An error inside a success is an error: as long as nothing was shown it is repaired unseen, by
/// another attempt or another model.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_inside_a_success_is_repaired_while_nothing_was_shown() {
    let mut stage = Stage::new();
    with_route(&mut stage, "fallback", json!(["openai", "claude"]));
    stage.set("retry.max_attempts", 2.into());
    let service = stage.service();
    stage
        .simulator
        .fail_next(Vendor::OpenAi, "first-event-error", 1);
    let answer = ask(&service, "any", "Hello", true).await.answer();
    assert_eq!((answer.model.as_str(), answer.attempts), ("openai", 2));
    stage
        .simulator
        .fail_next(Vendor::OpenAi, "first-event-error", 2);
    let asked = ask(&service, "any", "Hello", true).await;
    assert_eq!(asked.shown, asked.result.as_ref().unwrap().content());
    let answer = asked.answer();
    assert_eq!((answer.model.as_str(), answer.attempts), ("claude", 3));
    // After a piece of the answer nobody is asked again.
    let before = stage.simulator.requests();
    stage
        .simulator
        .fail_next(Vendor::OpenAi, "mid-stream-error k=3", 1);
    let asked = ask(&service, "any", "write 30 words", true).await;
    assert!(!asked.shown.is_empty());
    asked.error();
    assert_eq!(stage.simulator.requests(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_wrong_is_wrong_for_all() {
    let mut stage = Stage::new();
    with_route(&mut stage, "fallback", json!(["openai", "claude"]));
    let service = stage.service();
    stage.simulator.fail_next(Vendor::OpenAi, "400", 1);
    let error = chat(&service, "any", "Hello").await.error();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    assert_eq!(stage.simulator.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_model_goes_on_with_what_was_begun() {
    let mut stage = Stage::new();
    with_route(&mut stage, "fallback", json!(["openai", "claude"]));
    let service = stage.service();
    stage
        .simulator
        .fail_next(Vendor::OpenAi, "mid-stream-error k=5", 1);
    let asked = ask(&service, "any", "write 40 words", true).await;
    assert!(!asked.shown.is_empty());
    let error = asked.error();
    assert_eq!(error.model.as_deref(), Some("openai"));
    assert_eq!(stage.simulator.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_long_a_conversation_goes_to_a_longer_window() {
    let mut stage = Stage::new();
    with_route(
        &mut stage,
        "fallback",
        json!(["openai", "cohere", "claude"]),
    );
    stage.set("models.openai.context_window", 8000.into());
    stage.set("models.cohere.context_window", 4000.into());
    stage.set("models.claude.context_window", 200_000.into());
    let service = stage.service();
    stage
        .simulator
        .fail_next(Vendor::OpenAi, "context-length", 1);
    let answer = chat(&service, "any", "Hello").await.answer();
    assert_eq!(answer.model, "claude", "a shorter one is not asked");
    assert_eq!(answer.failed_before[0].kind, ErrorKind::ContextLength);
    assert_eq!(stage.simulator.requests(), 2);
    stage.set("models.claude.context_window", 100.into());
    let service = stage.service();
    stage
        .simulator
        .fail_next(Vendor::OpenAi, "context-length", 1);
    let error = chat(&service, "any", "Hello").await.error();
    assert_eq!(error.kind, ErrorKind::ContextLength);
    assert_eq!(stage.simulator.requests(), 3, "nobody could take it");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_fail_the_last_error_is_told() {
    let mut stage = Stage::new();
    with_route(&mut stage, "fallback", json!(["openai", "claude"]));
    let service = stage.service();
    stage.simulator.fail_next(Vendor::OpenAi, "500", 3);
    stage.simulator.fail_next(Vendor::Anthropic, "529", 3);
    let error = chat(&service, "any", "Hello").await.error();
    assert_eq!(error.kind, ErrorKind::Overloaded);
    assert_eq!(error.model.as_deref(), Some("claude"));
    assert_eq!(error.attempts, Some(6));
    let rows = stage.rows(&service).await;
    assert_eq!(rows.len() as u64, stage.simulator.requests());
    assert_eq!(rows.iter().filter(|row| row.last).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_model_is_left_alone_and_probed() {
    let mut stage = Stage::new();
    with_route(&mut stage, "fallback", json!(["openai", "claude"]));
    stage
        .once()
        .set("breaker", json!({ "failures": 3, "open_ms": 1500 }));
    let service = stage.service();
    stage.simulator.fail_next(Vendor::OpenAi, "503", 3);
    for _ in 0..3 {
        let error = chat(&service, "openai", "Hello").await.error();
        assert_eq!(error.status, Some(503));
    }
    let opened = std::time::Instant::now();
    let error = chat(&service, "openai", "Hello").await.error();
    assert_eq!((error.kind, error.status), (ErrorKind::Unavailable, None));
    assert!(
        error.retryable && error.retry_after_ms.is_some(),
        "{error:?}"
    );
    assert_eq!(stage.simulator.requests(), 3, "it is not asked");
    let answer = chat(&service, "any", "Hello").await.answer();
    assert_eq!(answer.model, "claude", "the route goes round it");
    assert_eq!(stage.simulator.requests(), 4);
    let left = Duration::from_millis(1600).saturating_sub(opened.elapsed());
    tokio::time::sleep(left).await;
    chat(&service, "openai", "the probe").await.answer();
    chat(&service, "openai", "closed again").await.answer();
    assert_eq!(stage.simulator.requests(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_does_not_open_the_breaker() {
    let mut stage = Stage::new();
    stage.once().set("breaker", json!({ "failures": 2 }));
    let service = stage.service();
    stage.simulator.fail_next(Vendor::OpenAi, "400", 4);
    for _ in 0..4 {
        let error = chat(&service, "openai", "Hello").await.error();
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
    }
    chat(&service, "openai", "Hello").await.answer();
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_decide_how_often() {
    let mut stage = Stage::new();
    let models = json!([{ "model": "openai", "weight": 3 }, { "model": "claude", "weight": 1 }]);
    with_route(&mut stage, "weighted", models);
    let service = stage.service();
    for _ in 0..200 {
        chat(&service, "any", "Hello").await.answer();
    }
    let log = stage.simulator.log();
    let openai = log
        .iter()
        .filter(|one| one.vendor == Some(Vendor::OpenAi))
        .count();
    // 150 are expected; six standard deviations of 6.1 to either side.
    assert!((113..=187).contains(&openai), "{openai} of 200");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_faster_model_is_preferred() {
    let slow = Options {
        faults: Some(std::sync::Arc::new(|vendor, _| {
            (vendor == Vendor::OpenAi).then(|| "slow-start ms=150".to_owned())
        })),
        ..Options::default()
    };
    let mut stage = Stage::with(slow);
    with_route(&mut stage, "latency", json!(["openai", "claude"]));
    let service = stage.service();
    for model in ["openai", "claude", "claude"] {
        // The first one compiles the plugin, which is no latency of the vendor's.
        chat(&service, model, "Hello").await.answer();
    }
    for _ in 0..20 {
        chat(&service, "any", "Hello").await.answer();
    }
    let log = stage.simulator.log();
    let slow = log[3..]
        .iter()
        .filter(|one| one.vendor == Some(Vendor::OpenAi))
        .count();
    assert!(slow <= 2, "the slow one was asked {slow} times of 20");
}
