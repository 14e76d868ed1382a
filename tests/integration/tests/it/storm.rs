//! A thousand callers at one time while a third of the exchanges fail: each gets a complete answer or
//! a typed error, and everything that was sent is in the history.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use multillm::ErrorKind;
use multillm::stats::{Filter, History};
use multillm_simulator::Options;

use crate::answers::ask;
use crate::stage::Stage;
use crate::vendors::LINES;

const CALLERS: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_streams_with_faults_are_all_accounted_for() {
    let stage = Stage::with(Options {
        random_fault_rate: 0.3,
        seed: 7,
        ..Options::default()
    });
    let service = stage.service();
    let begun = Instant::now();
    let outcomes: Vec<_> = stream::iter(0..CALLERS)
        .map(|number| {
            let service = service.clone();
            let model = LINES[number % LINES.len()].plugin;
            tokio::spawn(async move {
                let question = ask(&format!("caller {number} write 60 words"));
                let call = async { service.stream(question, model).await?.collect().await };
                tokio::time::timeout(Duration::from_secs(60), call).await
            })
        })
        .buffer_unordered(CALLERS)
        .collect()
        .await;
    let mut answered = 0;
    for outcome in outcomes {
        match outcome.unwrap().expect("a caller waited for ever") {
            Ok(answer) => {
                assert_eq!(answer.content().split(' ').count(), 60);
                answered += 1;
            }
            Err(error) => {
                let passing = [
                    ErrorKind::Server,
                    ErrorKind::Overloaded,
                    ErrorKind::RateLimited,
                    ErrorKind::Unavailable,
                    ErrorKind::Truncated,
                ];
                assert!(passing.contains(&error.kind), "{error:?}");
            }
        }
    }
    assert!(
        answered > CALLERS / 2,
        "{answered} in {:?}",
        begun.elapsed()
    );
    service.close().await;
    let path = service.history_path().unwrap().to_owned();
    let mut history = History::open(&path).await.unwrap();
    let entries = history.list(&Filter::default()).await.unwrap();
    let succeeded = entries
        .iter()
        .filter(|entry| entry.outcome == "success")
        .count();
    assert_eq!(succeeded, answered);
    assert_eq!(entries.iter().filter(|entry| entry.last).count(), CALLERS);
    assert_eq!(entries.len() as u64, stage.simulator.requests());
}
