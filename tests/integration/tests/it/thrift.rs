//! What is not sent costs nothing: kept answers, budgets, rate limits and places in the queue.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use multillm::{ChatMessage, ErrorKind};
use multillm_simulator::{Options, Vendor};
use serde_json::json;

use crate::asking::{ask, chat};
use crate::stage::Stage;

fn with_cache(options: Options) -> Stage {
    let mut stage = Stage::with(options);
    stage.set("cache", json!({ "enabled": true }));
    stage.set("models.openai.cost_per_1k_tokens", json!(0.5));
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_answer_costs_nothing_and_says_so() {
    let stage = with_cache(Options::default());
    let service = stage.service();
    let first = chat(&service, "openai", "Hello").await.answer();
    assert!(!first.cached && first.cost.is_some_and(|cost| !cost.is_zero()));
    for streamed in [false, true] {
        let asked = ask(&service, "openai", "Hello", streamed).await;
        if streamed {
            assert_eq!(asked.shown, first.content(), "and can be streamed");
        }
        let kept = asked.answer();
        assert_eq!(kept.content(), first.content());
        assert_eq!(kept.finish_reason, first.finish_reason);
        assert!(kept.cached);
        assert!(kept.cost.is_some_and(|cost| cost.is_zero()), "{kept:?}");
        assert_eq!(kept.usage.total(), Some(0));
    }
    assert_eq!(stage.simulator.requests(), 1);
    chat(&service, "openai", "Hello!").await.answer();
    chat(&service, "azure", "Hello").await.answer();
    assert_eq!(
        stage.simulator.requests(),
        3,
        "another request, another model"
    );
    let rows = stage.rows(&service).await;
    let kept = rows.iter().filter(|row| row.cached).count();
    assert_eq!((rows.len(), kept), (5, 2), "hits are counted, and marked");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_who_ask_the_same_at_once_make_one_request() {
    let stage = with_cache(Options {
        event_gap: Duration::from_millis(5),
        ..Options::default()
    });
    let service = stage.service();
    for streamed in [false, true] {
        let before = stage.simulator.requests();
        let question = format!("the same, streamed {streamed}");
        let callers = (0..50).map(|_| ask(&service, "openai", &question, streamed));
        let answers: Vec<_> = join_all(callers)
            .await
            .into_iter()
            .map(|asked| asked.answer())
            .collect();
        assert!(
            answers
                .iter()
                .all(|answer| answer.content() == answers[0].content())
        );
        assert_eq!(answers.iter().filter(|answer| !answer.cached).count(), 1);
        assert_eq!(stage.simulator.requests() - before, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_and_broken_streams_are_not_kept() {
    let mut stage = with_cache(Options::default());
    stage.once();
    let service = stage.service();
    stage.simulator.fail_next(Vendor::OpenAi, "500", 1);
    chat(&service, "openai", "Hello").await.error();
    stage.simulator.fail_next(Vendor::OpenAi, "cut k=3", 1);
    ask(&service, "openai", "Hello", true).await.error();
    let answer = chat(&service, "openai", "Hello").await.answer();
    assert!(!answer.cached);
    // One who gives up does not leave the others waiting.
    let leader = ask(&service, "openai", "[[fault:stall k=0]]", true);
    let left = tokio::time::timeout(Duration::from_millis(500), leader).await;
    assert!(left.is_err());
    let next = ask(&service, "openai", "[[fault:stall k=0]]", true);
    let next = tokio::time::timeout(Duration::from_millis(500), next).await;
    assert!(next.is_err());
    assert_eq!(
        stage.simulator.requests(),
        5,
        "the next one asked for itself"
    );
}

/// Eight who ask the same of a vendor that hangs wait together and not one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_long_for_one_that_hangs() {
    const PATIENCE: Duration = Duration::from_millis(1500);
    let mut stage = with_cache(Options::default());
    stage.once();
    let patience =
        json!({ "first_byte_ms": PATIENCE.as_millis(), "idle_ms": PATIENCE.as_millis() });
    stage.set("timeouts", patience);
    let service = stage.service();
    chat(&service, "openai", "Hello").await.answer();
    for streamed in [false, true] {
        let begun = Instant::now();
        let question = "[[fault:stall k=0]] the same";
        let callers = (0..8).map(|_| ask(&service, "openai", question, streamed));
        for asked in join_all(callers).await {
            assert_eq!(asked.error().kind, ErrorKind::Timeout);
        }
        let took = begun.elapsed();
        assert!(took < PATIENCE * 4, "streamed {streamed}: {took:?}");
    }
}

/// A stream that its caller does not read holds nobody up.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_an_answer_that_is_not_read() {
    let stage = with_cache(Options::default());
    let service = stage.service();
    let messages = [ChatMessage::user("write 300 words")];
    let unread = service.stream_completion(&messages, "openai").await;
    let mut unread = unread.unwrap();
    let begun = Instant::now();
    for streamed in [true, false] {
        let asked = ask(&service, "openai", "write 300 words", streamed).await;
        asked.answer();
    }
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    unread.next().await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_on_disk_it_outlasts_the_process() {
    let mut stage = with_cache(Options::default());
    let folder = stage.folder.path().join("kept");
    stage.set("cache.path", folder.display().to_string().into());
    let first = chat(&stage.service(), "openai", "Hello").await.answer();
    let again = chat(&stage.service(), "openai", "Hello").await.answer();
    assert!(again.cached);
    assert_eq!(again.content(), first.content());
    assert_eq!(stage.simulator.requests(), 1);
    for file in std::fs::read_dir(&folder).unwrap() {
        std::fs::write(file.unwrap().path(), "{").unwrap();
    }
    let anew = chat(&stage.service(), "openai", "Hello").await.answer();
    assert!(!anew.cached, "a damaged file is no answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_being_asked_for_nothing_is_kept() {
    let stage = Stage::new();
    let service = stage.service();
    for _ in 0..2 {
        assert!(!chat(&service, "openai", "Hello").await.answer().cached);
    }
    assert_eq!(stage.simulator.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_rate_are_refused_before_they_are_sent() {
    let mut stage = Stage::new();
    stage.set("models.openai.limits", json!({ "requests_per_minute": 2 }));
    stage.set(
        "providers.claude.limits",
        json!({ "requests_per_minute": 1 }),
    );
    stage.set("models.cohere.limits", json!({ "tokens_per_minute": 3 }));
    stage.set(
        "routes",
        json!({ "any": { "models": ["openai", "gemini"] } }),
    );
    let service = stage.service();
    for _ in 0..2 {
        chat(&service, "openai", "Hello").await.answer();
    }
    chat(&service, "claude", "Hello").await.answer();
    let refused = [
        ("openai", "requests_per_minute", ErrorKind::RateLimited),
        // Another model of the same provider.
        ("claude-sees", "requests_per_minute", ErrorKind::RateLimited),
        // More than a whole minute's: waiting does not help.
        ("cohere", "tokens_per_minute", ErrorKind::PayloadTooLarge),
    ];
    for (model, limit, kind) in refused {
        let error = chat(&service, model, "a question of more than three tokens")
            .await
            .error();
        assert_eq!(error.kind, kind, "{error:?}");
        assert!(error.message.contains(limit), "{error}");
        assert_eq!(error.status, None, "no vendor said so");
        assert_eq!(stage.simulator.requests(), 3);
    }
    let answer = chat(&service, "any", "Hello").await.answer();
    assert_eq!(answer.model, "gemini", "a route goes round a limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_holds_beyond_the_process() {
    let mut stage = Stage::new();
    stage.set("models.openai.cost_per_1k_tokens", 100.into());
    stage.set("models.openai.limits", json!({ "cost_per_day": 1 }));
    let service = stage.service();
    let answer = chat(&service, "openai", "Hello").await.answer();
    let cost = answer.cost.unwrap();
    assert!(
        cost < 1.into() && cost + cost > 1.into(),
        "{cost}: one fits, two do not"
    );
    let error = chat(&service, "openai", "Hello").await.error();
    assert_eq!(error.kind, ErrorKind::QuotaExhausted);
    assert!(error.message.contains("cost_per_day"), "{error}");
    service.close().await;
    let error = ask(&stage.service(), "openai", "Hello", true).await.error();
    assert_eq!(
        error.kind,
        ErrorKind::QuotaExhausted,
        "another process knows: {error:?}"
    );
    assert_eq!(stage.simulator.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_the_queue_is_given_back() {
    let mut stage = Stage::with(Options {
        event_gap: Duration::from_millis(20),
        ..Options::default()
    });
    stage.set("models.openai.max_concurrency", 1.into());
    let service = stage.service();
    let messages = [ChatMessage::user("write 3000 words")];
    let mut events = service
        .stream_completion(&messages, "openai")
        .await
        .unwrap();
    events.next().await.unwrap().unwrap();
    let second = chat(&service, "openai", "Hello");
    tokio::pin!(second);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut second).await;
    assert!(early.is_err(), "one at a time: {early:?}");
    assert_eq!(stage.simulator.requests(), 1);
    drop(events);
    second.await.answer();
}
