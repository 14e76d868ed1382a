use std::path::Path;

use super::*;
use crate::stats::history::tests::record;
use crate::stats::{Record, Recorder};

const NOW: i64 = 1_795_435_200_000;
const DAY: i64 = NOW / 86_400_000;

fn dollars(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn order(id: &str, limit: &str, whole: &str) -> Order {
    Order {
        id: id.into(),
        model: "m".into(),
        budgets: vec![Budget {
            account: "model \"m\"".into(),
            limit: dollars(limit),
            period: Period::Day,
            filter: Filter {
                model: Some("m".into()),
                ..Filter::default()
            },
        }],
        estimate: Estimate {
            input: Decimal::ZERO,
            whole: dollars(whole),
            bounded: false,
        },
        day: DAY,
        now_ms: NOW,
    }
}

fn ledger(path: &Path) -> Ledger {
    Ledger::start(path.to_owned(), None)
}

async fn begin(ledger: &Ledger, order: Order) -> Held {
    match ledger.reserve(order).await.unwrap() {
        Answer::Begin(held) => held,
        other => panic!("it does not begin: {other:?}"),
    }
}

async fn spent(ledger: &Ledger) -> Decimal {
    match ledger.reserve(order("look", "0", "1")).await.unwrap() {
        Answer::Refused { spent, .. } => spent,
        other => panic!("something fits into nothing: {other:?}"),
    }
}

#[tokio::test]
async fn what_one_process_holds_and_spends_the_others_know() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.db");
    let (one, other) = (ledger(&path), ledger(&path));
    let held = begin(&one, order("a", "1", "0.1")).await;
    let waits = other.reserve(order("b", "1", "0.1")).await.unwrap();
    assert!(matches!(waits, Answer::Wait), "{waits:?}");
    one.settle(held, Paid::Known(dollars("0.4")));
    one.flush().await;
    let held = begin(&other, order("c", "1", "0.1")).await;
    // The dearest so far is what the next may cost.
    let waits = one.reserve(order("d", "1", "0.1")).await.unwrap();
    assert!(matches!(waits, Answer::Wait), "{waits:?}");
    other.settle(held, Paid::Nothing);
    other.flush().await;
    assert_eq!(spent(&one).await, dollars("0.4"));
}

#[tokio::test]
async fn a_cost_that_nobody_knows_counts_as_expected() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(&dir.path().join("b.db"));
    let held = begin(&ledger, order("a", "1", "0.3")).await;
    ledger.settle(held, Paid::Unknown);
    assert_eq!(spent(&ledger).await, dollars("0.3"));
}

#[tokio::test]
async fn who_dies_holds_for_a_while_and_then_has_spent_what_was_expected() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.db");
    let dying = ledger(&path);
    let held = begin(&dying, order("a", "1", "0.3")).await;
    let other = ledger(&path);
    let soon = other.reserve(order("b", "1", "0.3")).await.unwrap();
    assert!(matches!(soon, Answer::Wait), "{soon:?}");
    let mut late = order("c", "1", "0.3");
    late.now_ms = NOW + LEASE_MS + 1;
    let next = begin(&other, late).await;
    other.settle(next, Paid::Nothing);
    assert_eq!(spent(&other).await, dollars("0.3"));
    // It was alive after all: what it cost takes the place of what was expected.
    dying.settle(held, Paid::Known(dollars("0.5")));
    dying.flush().await;
    assert_eq!(spent(&other).await, dollars("0.5"));
}

#[tokio::test]
async fn a_day_begins_with_what_the_history_says_and_another_day_with_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let history = dir.path().join("h.db");
    let recorder = Recorder::start(history.clone());
    recorder.record(Record {
        at_ms: NOW,
        cost: Some(dollars("0.7")),
        ..record("m", "hi", "ho")
    });
    recorder.flush().await;
    let ledger = Ledger::start(Ledger::beside(&history), Some(history));
    let mut first = order("a", "1", "0.5");
    first.budgets[0].filter.since_ms = Some(DAY * 86_400_000);
    let refused = ledger.reserve(first.clone()).await.unwrap();
    let Answer::Refused { spent, needs, .. } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((spent, needs), (dollars("0.7"), dollars("0.5")));
    first.day += 1;
    first.now_ms += 86_400_000;
    first.budgets[0].filter.since_ms = Some((DAY + 1) * 86_400_000);
    begin(&ledger, first).await;
}

#[tokio::test]
async fn a_ledger_or_history_that_cannot_be_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let nonsense = dir.path().join("nonsense.db");
    std::fs::write(&nonsense, "no database, however long it is".repeat(99)).unwrap();
    let error = ledger(&nonsense)
        .reserve(order("a", "1", "0.1"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("nonsense.db"), "{error}");
    let blind = Ledger::start(dir.path().join("b.db"), Some(nonsense));
    let error = blind.reserve(order("a", "1", "0.1")).await.unwrap_err();
    assert!(error.to_string().contains("nonsense.db"), "{error}");
}

/// Many at once, through connections of their own as processes have them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_ask_at_once_no_more_is_spent_than_the_budget() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.db");
    let ask = |process: usize| {
        let ledger = ledger(&path);
        async move {
            let mut paid = 0;
            for number in 0..4 {
                loop {
                    let id = format!("{process}.{number}");
                    match ledger.reserve(order(&id, "1", "0.01")).await.unwrap() {
                        Answer::Begin(held) => {
                            tokio::time::sleep(Duration::from_millis(2)).await;
                            ledger.settle(held, Paid::Known(dollars("0.15")));
                            paid += 1;
                            break;
                        }
                        Answer::Wait => tokio::time::sleep(Duration::from_millis(3)).await,
                        Answer::Refused { .. } => break,
                    }
                }
            }
            ledger.flush().await;
            paid
        }
    };
    let paid: i32 = futures_util::future::join_all((0..8).map(ask))
        .await
        .into_iter()
        .sum();
    assert_eq!(paid, 6, "six times $0.15 fit into $1");
    assert_eq!(spent(&ledger(&path)).await, dollars("0.9"));
}
