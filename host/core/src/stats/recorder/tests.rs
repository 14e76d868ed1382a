use std::path::Path;
use std::time::Instant;

use sqlx::Executor as _;

use super::*;
use crate::stats::history::tests::record;
use crate::stats::{Database, Filter, History};

/// Holds a history as another program would.
async fn holder(path: &Path) -> Database {
    let mut database = Database::open(path).await.unwrap();
    database
        .connection
        .execute("BEGIN EXCLUSIVE")
        .await
        .unwrap();
    database
}

async fn recorded(path: &Path) -> usize {
    let mut history = History::open(path).await.unwrap();
    history.list(&Filter::default()).await.unwrap().len()
}

#[tokio::test]
async fn a_locked_history_holds_nobody_for_long_and_gets_its_rows_later() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let mut holder = holder(&path).await;
    let recorder = Recorder::start(path.clone());
    for _ in 0..3 {
        recorder.record(record("a", "hi", "ho"));
    }
    let begun = Instant::now();
    recorder.flush().await;
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_secs(3),
        "given up after {waited:?}"
    );
    assert!(waited < Duration::from_secs(10), "held for {waited:?}");
    let problem = recorder.0.shared.problem().unwrap();
    assert!(problem.contains("locked by another program"), "{problem}");
    assert!(problem.contains("h.db"), "{problem}");
    holder.connection.execute("COMMIT").await.unwrap();
    recorder.flush().await;
    assert_eq!(recorded(&path).await, 3);
    assert_eq!(recorder.lost(), 0);
    assert_eq!(recorder.0.shared.problem(), None);
}

#[tokio::test]
async fn a_history_is_made_when_a_row_is_expected_and_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let recorder = Recorder::start(path.clone());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!path.exists());
    recorder.expect();
    let log = path.with_extension("db-wal");
    let made = async {
        while !log.metadata().is_ok_and(|log| log.len() > 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let made = tokio::time::timeout(Duration::from_secs(10), made).await;
    assert!(made.is_ok(), "nothing was made");
    recorder.record(record("a", "hi", "ho"));
    recorder.flush().await;
    assert_eq!(recorded(&path).await, 1);
    assert_eq!(recorder.lost(), 0);
}

#[tokio::test]
async fn what_keeps_an_expected_row_out_is_known_and_forgotten_once_it_is_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    // Another program makes the file, and takes its time.
    let lock = std::fs::File::create(path.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let recorder = Recorder::start(path.clone());
    recorder.expect();
    let known = async {
        while recorder.0.shared.problem().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let known = tokio::time::timeout(Duration::from_secs(10), known).await;
    assert!(known.is_ok(), "nobody knows why it is not there");
    lock.unlock().unwrap();
    recorder.record(record("a", "hi", "ho"));
    recorder.flush().await;
    assert_eq!(recorder.0.shared.problem(), None);
    assert_eq!(recorded(&path).await, 1);
}

#[tokio::test]
async fn a_new_history_is_made_once_whoever_opens_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let opening = (0..8).map(|_| Database::open(&path));
    for opened in futures_util::future::join_all(opening).await {
        let mut database = opened.unwrap();
        let steps: i64 = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations")
            .fetch_one(&mut database.connection)
            .await
            .unwrap();
        let version: i64 = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&mut database.connection)
            .await
            .unwrap();
        assert!(steps > 0 && steps == version, "{steps} {version}");
    }
}

#[tokio::test]
async fn a_queue_that_is_full_keeps_nobody_waiting_and_counts_what_it_drops() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let mut holder = holder(&path).await;
    let recorder = Recorder::with_room(path.clone(), None, (4, TEXT));
    let begun = Instant::now();
    for _ in 0..400 {
        recorder.record(record("a", "hi", "ho"));
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(recorder.lost() > 0);
    holder.connection.execute("COMMIT").await.unwrap();
    recorder.flush().await;
    let lost = usize::try_from(recorder.lost()).unwrap();
    assert_eq!(recorded(&path).await + lost, 400);
}

#[tokio::test]
async fn when_much_waits_what_was_said_goes_first_and_the_counts_stay() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let mut holder = holder(&path).await;
    let recorder = Recorder::with_room(path.clone(), None, (100, 25));
    for _ in 0..5 {
        recorder.record(record("a", "0123456789", ""));
    }
    holder.connection.execute("COMMIT").await.unwrap();
    recorder.flush().await;
    let mut history = History::open(&path).await.unwrap();
    let entries = history.list(&Filter::default()).await.unwrap();
    let kept = entries.iter().filter(|entry| entry.prompt.is_some());
    assert_eq!((entries.len(), kept.count()), (5, 2));
    // What is written makes room again.
    recorder.record(record("a", "0123456789", ""));
    recorder.flush().await;
    let entries = history.list(&Filter::default()).await.unwrap();
    assert!(entries[0].prompt.is_some());
}

#[tokio::test]
async fn rows_that_are_too_old_are_removed_and_the_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.db");
    let now = jiff::Timestamp::now().as_millisecond();
    let made = |days: i64| Record {
        at_ms: now - days * 86_400_000,
        ..record("m", "q", "a")
    };
    let before = Recorder::start(path.clone());
    for number in 0..100 {
        before.record(made(if number % 2 == 0 { 40 } else { 2 }));
    }
    before.flush().await;
    drop(before);
    let keeping = Recorder::keeping(path.clone(), Some(30));
    keeping.record(made(0));
    keeping.flush().await;
    let mut history = History::open(&path).await.unwrap();
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let left = history.count(&Filter::default(), 1000).await.unwrap();
        if left == 51 {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{left} rows are left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
