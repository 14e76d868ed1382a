//! A caller that goes away: the connection to the vendor is closed at once, and the exchange is
//! recorded as cancelled.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use multillm::stats::{Filter, History};
use multillm_simulator::{Options, Outcome};

use crate::answers::ask;
use crate::patience::Stalls;
use crate::stage::Stage;
use crate::vendors::LINES;

/// How soon the vendor must see it.
const AT_ONCE: Duration = Duration::from_millis(100);

fn slow() -> Stage {
    Stage::with(Options {
        event_gap: Duration::from_millis(20),
        ..Options::default()
    })
}

/// Lets the caller go, and waits until the simulator saw it: at once, but for what the machine
/// withheld meanwhile.
async fn goes(stage: &Stage, what: &str, leave: impl FnOnce()) {
    let stalls = Stalls::watch();
    let since = Instant::now();
    leave();
    loop {
        let last = stage.simulator.log().pop().unwrap();
        if matches!(last.outcome, Outcome::ClientGone { .. }) {
            break;
        }
        assert!(
            since.elapsed() < Duration::from_secs(5),
            "{what}: still open: {last:?}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (after, stall) = (since.elapsed(), stalls.longest());
    assert!(
        after < AT_ONCE + stall,
        "{what}: after {after:?}, of which the machine withheld {stall:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_stream_closes_the_connection_at_once() {
    let stage = slow();
    let service = stage.service();
    for line in &LINES {
        let mut answer = service
            .stream(ask("write 5000 words"), line.plugin)
            .await
            .unwrap();
        for _ in 0..3 {
            answer.next().await.unwrap().unwrap();
        }
        goes(&stage, line.plugin, || drop(answer)).await;
    }
    service.close().await;
    let path = service.history_path().unwrap().to_owned();
    let mut history = History::open(&path).await.unwrap();
    let entries = history.list(&Filter::default()).await.unwrap();
    assert_eq!(entries.len(), LINES.len());
    assert!(
        entries.iter().all(|entry| entry.outcome == "cancelled"),
        "{entries:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn giving_up_before_the_answer_begins_closes_the_connection_at_once() {
    let stage = Stage::new();
    let service = stage.service();
    service.chat(ask("Hello"), "openai").await.unwrap();
    for (question, streams) in [
        ("[[fault:slow-start ms=20000]]", true),
        ("[[fault:slow-start ms=20000]]", false),
        ("[[fault:slow-body ms=5000]]", false),
        ("[[fault:stall k=0]]", true),
    ] {
        // Read first: the question may arrive while this thread waits for its turn.
        let before = stage.simulator.requests();
        let asking = service.clone();
        let call = tokio::spawn(async move {
            match streams {
                true => asking.stream(ask(question), "openai").await.map(drop),
                false => asking.chat(ask(question), "openai").await.map(drop),
            }
        });
        let begun = Instant::now();
        while stage.simulator.requests() == before {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{question}: was never sent"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        goes(&stage, question, || call.abort()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_stream_leaves_the_connection_to_the_next() {
    let stage = Stage::new();
    let service = stage.service();
    for _ in 0..5 {
        let answer = service.stream(ask("Hello"), "openai").await.unwrap();
        answer.collect().await.unwrap();
    }
    // The caller has everything a moment before the simulator says that it has written it.
    let deadline = Instant::now() + Duration::from_secs(10);
    let ended = loop {
        let log = stage.simulator.log();
        let open = log.iter().any(|one| one.outcome == Outcome::Open);
        if !open || Instant::now() > deadline {
            break log;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(
        ended
            .iter()
            .all(|exchange| exchange.outcome == Outcome::Completed),
        "{ended:?}"
    );
}
