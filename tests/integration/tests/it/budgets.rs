//! A day's budget holds, however many ask at one time, in one process or in many, whatever becomes of
//! the history.

use std::path::Path;
use std::str::FromStr as _;

use futures_util::future::join_all;
use multillm::{ErrorKind, MultiLlmService};
use multillm_simulator::Vendor;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::asking::{ask, chat};
use crate::stage::Stage;

/// A budget of one dollar, of which an answer to "Hello" takes about a fifth.
fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.set("models.openai.cost_per_1k_tokens", 30.into());
    stage.set("models.openai.limits", json!({ "cost_per_day": 1 }));
    stage.once();
    stage
}

/// Asks so often at one time; gives what was answered in dollars.
async fn spend(service: &MultiLlmService, times: usize) -> (usize, f64) {
    let asked = (0..times).map(|number| ask(service, "openai", "Hello", number % 2 == 0));
    let mut answered = (0, 0.0);
    for asked in join_all(asked).await {
        match asked.result {
            Ok(answer) => {
                answered.0 += 1;
                answered.1 += f64::from_str(&answer.cost.unwrap().to_string()).unwrap();
            }
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::QuotaExhausted, "{error:?}");
                assert!(error.message.contains("cost_per_day"), "{error}");
            }
        }
    }
    answered
}

fn within(stage: &Stage, (answered, cost): (usize, f64)) {
    assert!(answered > 1, "a budget that lets nothing through is none");
    assert!(cost <= 1.0, "{answered} answers for ${cost}");
    assert_eq!(
        stage.simulator.requests(),
        answered as u64,
        "nothing else was sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_in_one_process_stay_within_a_budget() {
    let stage = stage();
    let service = stage.service();
    let spent = spend(&service, 50).await;
    within(&stage, spent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_s_budget_holds_for_all_its_models_together() {
    let mut stage = stage();
    stage.set("models.openai.limits", json!({}));
    stage.set("providers.openai.limits", json!({ "cost_per_day": 1 }));
    let service = stage.service();
    let spent = spend(&service, 20).await;
    within(&stage, spent);
}

#[test]
fn fifteen_processes_at_once_stay_within_a_budget() {
    let stage = stage();
    // Loaded and compiled once.
    let first = stage.run(&["query", "Hello", "--json", "--model", "openai-sees"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let before = stage.simulator.requests();
    let config = stage.config_file().display().to_string();
    let question = ["query", "Hello", "--json", "--config", &config];
    let done: Vec<_> = std::thread::scope(|scope| {
        let processes: Vec<_> = (0..15)
            .map(|_| scope.spawn(|| stage.run_bare(&question, b"")))
            .collect();
        processes
            .into_iter()
            .map(|process| process.join().unwrap())
            .collect()
    });
    let mut spent = (0, 0.0);
    for done in done {
        match done.code {
            Some(0) => {
                let answer = done.json();
                spent.0 += 1;
                spent.1 += answer["cost"].as_f64().unwrap();
            }
            _ => done.fails(1, &["quota_exhausted", "cost_per_day"]),
        }
    }
    assert!(spent.0 > 1 && spent.1 <= 1.0, "{spent:?}");
    assert_eq!(stage.simulator.requests() - before, spent.0 as u64);
}

/// Holds a database as another program would.
async fn hold(path: &Path) -> sqlx::SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    let mut holder = options.connect().await.unwrap();
    holder.execute("BEGIN EXCLUSIVE").await.unwrap();
    holder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_history_opens_no_budget() {
    let stage = stage();
    let warm = stage.service();
    chat(&warm, "claude", "Hello").await.answer();
    warm.close().await;
    let before = stage.simulator.requests();
    let holder = hold(&stage.folder.path().join("history.db")).await;
    let (one, other) = (stage.service(), stage.service());
    let spent = tokio::join!(spend(&one, 25), spend(&other, 25));
    let spent = (spent.0.0 + spent.1.0, spent.0.1 + spent.1.1);
    assert!(spent.1 <= 1.0, "{spent:?}");
    assert_eq!(stage.simulator.requests() - before, spent.0 as u64);
    holder.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_history_a_budget_holds_across_processes() {
    let mut stage = stage();
    stage.set("history.enabled", false.into());
    let (one, other) = (stage.service(), stage.service());
    let spent = tokio::join!(spend(&one, 10), spend(&other, 10));
    within(&stage, (spent.0.0 + spent.1.0, spent.0.1 + spent.1.1));
    assert!(!stage.folder.path().join("history.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_known_is_refused() {
    let mut stage = stage();
    stage.set("models.claude.limits", json!({ "cost_per_day": 1 }));
    stage.set("models.claude.model_name", "of-no-known-price".into());
    let service = stage.service();
    let error = chat(&service, "claude", "Hello").await.error();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.message.contains("price is not known"), "{error}");
    // The ledger, or the history by which a day begins, is no database.
    for name in ["history.budgets.db", "history.db"] {
        let mut stage = self::stage();
        stage.file(
            name,
            "something else, long enough to be looked at. ".repeat(50),
        );
        stage.set("models.openai.limits", json!({ "cost_per_day": 1 }));
        let error = chat(&stage.service(), "openai", "Hello").await.error();
        assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
        for word in ["cost_per_day", name] {
            assert!(error.message.contains(word), "no {word}: {error}");
        }
        assert_eq!(stage.simulator.requests(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_vendor_refuses_costs_nothing_and_what_is_cut_costs_as_expected() {
    let mut stage = stage();
    stage.set("models.openai.cost_per_1k_tokens", 1.into());
    stage.set("models.openai.limits", json!({ "cost_per_day": 5 }));
    let service = stage.service();
    for _ in 0..3 {
        stage.simulator.fail_next(Vendor::OpenAi, "500", 1);
        let error = chat(&service, "openai", "Hello").await.error();
        assert_eq!(error.status, Some(500), "{error:?}");
    }
    // Nobody knows what it cost: it counts as an answer of 4,096 tokens, and the next does not fit.
    stage.simulator.fail_next(Vendor::OpenAi, "cut k=3", 1);
    ask(&service, "openai", "Hello", true).await.error();
    let error = chat(&service, "openai", "Hello").await.error();
    assert_eq!(error.kind, ErrorKind::QuotaExhausted, "{error:?}");
    assert!(error.message.contains("has spent $4.09"), "{error}");
}
