//! Trying again: when, how often, and when not.

use std::time::Duration;

use multillm::ErrorKind;
use multillm_simulator::Vendor;
use serde_json::json;

use crate::asking::{ask, chat};
use crate::stage::Stage;
use crate::vendors::LINES;

#[tokio::test(flavor = "multi_thread")]
async fn two_failures_are_repaired_and_recorded() {
    let stage = Stage::new();
    let service = stage.service();
    let mut asked = 0;
    for line in &LINES {
        for streamed in [false, true] {
            let question = format!("{streamed} [[fault:500 times=2]]");
            let answer = ask(&service, line.plugin, &question, streamed)
                .await
                .answer();
            assert_eq!(answer.attempts, 3, "{}", line.plugin);
            assert_eq!(answer.failed_before.len(), 2);
            for error in &answer.failed_before {
                assert_eq!((error.kind, error.status), (ErrorKind::Server, Some(500)));
                assert_eq!(error.model.as_deref(), Some(line.plugin));
            }
            asked += 3;
            assert_eq!(stage.simulator.requests(), asked);
        }
    }
    let rows = stage.rows(&service).await;
    assert_eq!(rows.len() as u64, asked);
    for attempts in rows.chunks(3) {
        let told: Vec<_> = attempts
            .iter()
            .map(|row| (row.attempt, row.last, row.outcome.as_str()))
            .collect();
        let right = [
            (1, false, "error"),
            (2, false, "error"),
            (3, true, "success"),
        ];
        assert_eq!(told, right);
        assert!(
            attempts
                .iter()
                .all(|row| row.request_id == attempts[0].request_id)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_hint_is_waited_for() {
    let stage = Stage::new();
    let service = stage.service();
    // Says a second too, and the milliseconds are more exact.
    let question = "[[fault:429-retry-after ms=300 times=1]]";
    let answer = chat(&service, "openai", question).await.answer();
    assert_eq!(answer.attempts, 2);
    assert_eq!(answer.failed_before[0].retry_after_ms, Some(300));
    assert!(
        answer.latency >= Duration::from_millis(300),
        "{:?}",
        answer.latency
    );
    // Gemini says it in the body.
    let answer = chat(&service, "gemini", question).await.answer();
    assert_eq!(answer.failed_before[0].kind, ErrorKind::RateLimited);
    assert!(
        answer.latency >= Duration::from_millis(300),
        "{:?}",
        answer.latency
    );
    // Zero is no hint; what stands beside it is.
    let answer = chat(&service, "azure", "[[fault:429-zero-hint times=1]]")
        .await
        .answer();
    assert!(
        answer.latency >= Duration::from_millis(900),
        "{:?}",
        answer.latency
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_beyond_the_deadline_is_not_waited_for() {
    let mut stage = Stage::new();
    stage.set(
        "retry",
        json!({ "max_attempts": 5, "base_ms": 1, "max_ms": 1, "max_total_ms": 2000 }),
    );
    let service = stage.service();
    let begun = std::time::Instant::now();
    for fault in ["seconds=60", "date=60", "ms=2500"] {
        let question = format!("[[fault:429-retry-after {fault}]]");
        let error = chat(&service, "openai", &question).await.error();
        assert_eq!(error.kind, ErrorKind::RateLimited);
        assert!(
            error.retryable && error.retry_after_ms > Some(2000),
            "{error:?}"
        );
    }
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(stage.simulator.requests(), 3);
    // The deadline ends a series of short waits too.
    let error = chat(&service, "openai", "[[fault:429-retry-after ms=900]]")
        .await
        .error();
    assert_eq!(
        error.attempts,
        Some(3),
        "at 0, 0.9 and 1.8 seconds: {error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_succeed_is_asked_once() {
    let stage = Stage::new();
    let service = stage.service();
    let cases = [
        ("openai", "429-quota", ErrorKind::QuotaExhausted),
        ("openai", "429-too-large", ErrorKind::RateLimited),
        ("claude", "429-no-retry", ErrorKind::RateLimited),
        ("claude", "500-no-retry", ErrorKind::Server),
        ("openai", "402", ErrorKind::Billing),
        ("openai", "401", ErrorKind::Authentication),
        ("openai", "context-length", ErrorKind::ContextLength),
    ];
    for (asked, (model, fault, kind)) in (1..).zip(cases) {
        let error = chat(&service, model, &format!("[[fault:{fault}]]"))
            .await
            .error();
        assert!(!error.retryable, "{fault}: {error:?}");
        if fault != "429-too-large" {
            assert_eq!(error.kind, kind, "{fault}: {error:?}");
        }
        assert_eq!(stage.simulator.requests(), asked, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_repeated_once_the_caller_has_heard_something() {
    let stage = Stage::new();
    let service = stage.service();
    for (asked, line) in (1..).zip(&LINES) {
        // The next one would succeed.
        stage.simulator.fail_next(line.vendor, "cut k=5", 1);
        let asked_for = ask(&service, line.plugin, "write 40 words", true).await;
        assert!(!asked_for.shown.is_empty(), "{}", line.plugin);
        let shown = asked_for.shown.clone();
        let error = asked_for.error();
        assert_eq!(error.kind, ErrorKind::Truncated, "{error:?}");
        assert_eq!(error.partial, Some(shown.clone()));
        assert_eq!(stage.simulator.requests(), asked, "{}", line.plugin);
        let rows = stage.rows(&service).await;
        let row = rows.last().unwrap();
        assert_eq!(row.error_kind.as_deref(), Some("truncated"));
        assert_eq!(row.answer, Some(shown), "what came is kept");
        assert!(row.last);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_before_the_first_piece_is_repaired_unseen() {
    let stage = Stage::new();
    let service = stage.service();
    for line in &LINES {
        for fault in ["cut k=0", "reset k=0", "close-before-headers"] {
            stage.simulator.fail_next(line.vendor, fault, 1);
            let asked = ask(&service, line.plugin, "Hello", true).await;
            let shown = asked.shown.clone();
            let answer = asked.answer();
            assert_eq!(answer.attempts, 2, "{} {fault}", line.plugin);
            assert_eq!(answer.content(), shown, "and is told once");
        }
    }
    let rows = stage.rows(&service).await;
    assert_eq!(rows.len() as u64, stage.simulator.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_of_a_kept_connection_is_seen_and_counted() {
    let mut stage = Stage::new();
    stage.once();
    let service = stage.service();
    chat(&service, "openai", "Hello").await.answer();
    stage
        .simulator
        .fail_next(Vendor::OpenAi, "close-before-headers", 1);
    let error = chat(&service, "openai", "Hello").await.error();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.retryable);
    assert_eq!(stage.simulator.requests(), 2, "no hidden second try");
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_between_two_attempts_keeps_the_record_of_the_first() {
    let mut stage = Stage::new();
    stage.set("retry.base_ms", 20_000.into());
    stage.set("retry.max_ms", 20_000.into());
    stage.set("retry.max_total_ms", 60_000.into());
    let service = stage.service();
    let asked = chat(&service, "openai", "[[fault:500]]");
    let left = tokio::time::timeout(Duration::from_secs(3), asked).await;
    assert!(left.is_err(), "it was to wait: {left:?}");
    let rows = stage.rows(&service).await;
    assert_eq!((rows.len(), stage.simulator.requests()), (1, 1));
    assert_eq!(rows[0].outcome, "error");
    assert_eq!(rows[0].error_kind.as_deref(), Some("server"));
    assert!(rows[0].last, "no other attempt followed: {:?}", rows[0]);
}
