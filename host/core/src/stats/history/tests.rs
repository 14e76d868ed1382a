//! A database in a temporary directory.

mod files;

use std::time::Duration;

use sqlx::ConnectOptions as _;

use super::*;
use crate::chat::{Billing, FinishReason, Usage};
use crate::error::ErrorKind;
use crate::stats::{Outcome, Record, Recorder, write_csv};

/// An answered exchange of which nothing else is known.
pub(in crate::stats) fn made(model: &str, provider: &str) -> Entry {
    Entry {
        id: 1,
        at_ms: 1_795_435_200_000,
        request_id: "r".into(),
        conversation_id: None,
        caller: None,
        session: None,
        agent: None,
        model: model.into(),
        provider: provider.into(),
        plugin: provider.into(),
        plugin_digest: "0".into(),
        route: None,
        vendor_model: None,
        vendor_id: None,
        attempt: 1,
        last: true,
        streamed: false,
        outcome: "success".into(),
        finish_reason: Some("stop".into()),
        error_kind: None,
        error_message: None,
        status: None,
        prompt_tokens: None,
        completion_tokens: None,
        total_tokens: None,
        cached_tokens: None,
        cache_write_tokens: None,
        reasoning_tokens: None,
        cost: None,
        tier: None,
        unpriced: vec![],
        warnings: vec![],
        latency_ms: 1.0,
        ttft_ms: None,
        cached: false,
        prompt: None,
        answer: None,
    }
}

pub(in crate::stats) fn record(model: &str, prompt: &str, answer: &str) -> Record {
    Record {
        at_ms: 1_795_435_200_000,
        request_id: "r".into(),
        conversation_id: None,
        caller: None,
        session: None,
        agent: None,
        model: model.into(),
        provider: "openai".into(),
        plugin: "openai".into(),
        plugin_digest: "0".into(),
        route: None,
        vendor_model: None,
        vendor_id: None,
        attempt: 1,
        last: true,
        streamed: false,
        outcome: Outcome::Success(FinishReason::Stop),
        usage: Usage::default(),
        cost: None,
        billing: Billing::default(),
        warnings: vec![],
        latency: Duration::from_millis(5),
        ttft: None,
        cached: false,
        prompt: Some(prompt.into()),
        answer: Some(answer.into()),
    }
}

async fn filled(path: &Path, records: Vec<Record>) -> History {
    let recorder = Recorder::start(path.to_owned());
    for record in records {
        recorder.record(record);
    }
    recorder.flush().await;
    History::open(path).await.unwrap()
}

fn with_text(text: &str) -> Filter {
    Filter {
        text: Some(text.into()),
        ..Filter::default()
    }
}

#[tokio::test]
async fn texts_are_found_in_any_script_and_length() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = filled(
        &dir.path().join("h.db"),
        vec![
            record("a", "今天北京的天气怎么样", "晴，二十度"),
            record("b", "What is a Monad?", "A \"monoid\" in a category"),
            record("c", "100% sure_thing", "ok"),
        ],
    )
    .await;
    for (text, expected) in [
        ("天气", vec!["a"]),
        ("北京的天气", vec!["a"]),
        ("度", vec!["a"]),
        ("monad", vec!["b"]),
        ("\"monoid\"", vec!["b"]),
        ("OK", vec!["c"]),
        ("0%", vec!["c"]),
        ("e_t", vec!["c"]),
        ("上海", vec![]),
        ("NEAR OR AND", vec![]),
    ] {
        let found = history.list(&with_text(text)).await.unwrap();
        let models: Vec<&str> = found.iter().map(|entry| entry.model.as_str()).collect();
        assert_eq!(models, expected, "{text}");
        assert_eq!(
            history.count(&with_text(text), u64::MAX).await.unwrap(),
            expected.len() as u64
        );
    }
}

#[tokio::test]
async fn filters_and_limit_choose_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let failed = Record {
        outcome: Outcome::Error {
            kind: ErrorKind::Server,
            message: "it broke".into(),
            status: Some(500),
        },
        at_ms: 2000,
        ..record("b", "q", "")
    };
    let early = Record {
        at_ms: 1000,
        ..record("a", "q", "")
    };
    let mut history = filled(
        &dir.path().join("h.db"),
        vec![early, failed, record("a", "q", "")],
    )
    .await;
    let mut ids = async |filter: Filter| -> Vec<i64> {
        let found = history.list(&filter).await.unwrap();
        found.iter().map(|entry| entry.id).collect()
    };
    assert_eq!(ids(Filter::default()).await, [3, 2, 1]);
    let limit = Some(1);
    assert_eq!(
        ids(Filter {
            limit,
            ..Filter::default()
        })
        .await,
        [3]
    );
    let failed = true;
    assert_eq!(
        ids(Filter {
            failed,
            ..Filter::default()
        })
        .await,
        [2]
    );
    let model = Some("a".to_owned());
    let until_ms = Some(2000);
    assert_eq!(
        ids(Filter {
            model,
            until_ms,
            ..Filter::default()
        })
        .await,
        [1]
    );
    let since_ms = Some(2000);
    assert_eq!(
        ids(Filter {
            since_ms,
            ..Filter::default()
        })
        .await,
        [3, 2]
    );
}

#[tokio::test]
async fn money_comes_back_to_the_last_digit() {
    let dir = tempfile::tempdir().unwrap();
    let cost: Decimal = "0.0000000000000000000000000001".parse().unwrap();
    let priced = Record {
        cost: Some(cost),
        ..record("a", "q", "=1+1, \"x\"\n二")
    };
    let mut history = filled(&dir.path().join("h.db"), vec![priced, record("a", "q", "")]).await;
    let entries = history.list(&Filter::default()).await.unwrap();
    assert_eq!(entries[1].cost, Some(cost));
    assert_eq!(entries[0].cost, None);
    let json = serde_json::to_string(&entries[1]).unwrap();
    assert!(
        json.contains("\"cost\":0.0000000000000000000000000001,"),
        "{json}"
    );
    let mut csv = vec![];
    write_csv(&entries, &mut csv).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|field| field == name).unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(&rows[1][column("cost")], "0.0000000000000000000000000001");
    assert_eq!(&rows[0][column("cost")], "");
    // A cell that a table program would compute is defused.
    assert_eq!(&rows[1][column("answer")], "'=1+1, \"x\"\n二");
    assert_eq!(&rows[1][column("at")], "2026-11-23T12:00:00Z");
    let summary = history
        .summary(&Filter::default(), Grouping::Model)
        .await
        .unwrap();
    assert_eq!(summary.total.total_cost, Some(cost));
    assert_eq!(summary.total.priced_requests, 1);
}

#[tokio::test]
async fn what_is_cleared_is_no_longer_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let mut history = filled(
        &path,
        vec![
            record("a", "the secret plan", ""),
            record("b", "stays here", ""),
        ],
    )
    .await;
    let model = Some("a".to_owned());
    let only_a = Filter {
        model,
        ..Filter::default()
    };
    assert_eq!(history.clear(&only_a).await.unwrap(), 1);
    assert!(history.list(&with_text("secret")).await.unwrap().is_empty());
    assert_eq!(history.list(&with_text("stays")).await.unwrap().len(), 1);
    assert_eq!(history.clear(&Filter::default()).await.unwrap(), 1);
    history.close().await;
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(11).any(|bytes| bytes == b"secret plan"));
}

#[tokio::test]
async fn a_damaged_file_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    std::fs::write(&path, "this is no database at all, ".repeat(100)).unwrap();
    let Err(error) = History::open(&path).await else {
        panic!("it opened");
    };
    let message = error.to_string();
    assert!(
        message.contains("h.db is no history, or is damaged"),
        "{message}"
    );
    assert!(message.contains("move it away"), "{message}");
    // Whoever writes to it goes on without it.
    let recorder = Recorder::start(path.clone());
    recorder.record(record("a", "q", ""));
    recorder.flush().await;
}

#[tokio::test]
async fn a_conversation_is_found_by_the_beginning_of_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = History::open(&dir.path().join("h.db")).await.unwrap();
    let chat = |id: &str, updated_ms: i64| Conversation {
        id: id.into(),
        title: "你好".into(),
        model: "m".into(),
        created_ms: 1,
        updated_ms,
        messages: vec![ChatMessage::user("你好")],
    };
    for chat in [chat("abc", 1), chat("abd", 3), chat("xyz", 2)] {
        history.save_conversation(&chat).await.unwrap();
    }
    let mut id = async |begins: Option<&str>| {
        let found = history.conversation(begins).await.unwrap();
        found.map(|chat| chat.id)
    };
    assert_eq!(id(None).await.as_deref(), Some("abd"));
    assert_eq!(id(Some("abc")).await.as_deref(), Some("abc"));
    assert_eq!(id(Some("x")).await.as_deref(), Some("xyz"));
    assert_eq!(id(Some("q")).await, None);
    let long = Conversation {
        messages: vec![
            ChatMessage::system("be brief"),
            ChatMessage::user("a"),
            ChatMessage::assistant("b"),
            ChatMessage::user("c"),
        ],
        ..chat("long", 9)
    };
    history.save_conversation(&long).await.unwrap();
    let talks = history.talks(2).await.unwrap();
    let talks: Vec<_> = talks.iter().map(|talk| (&*talk.id, talk.turns)).collect();
    assert_eq!(talks, [("long", 2), ("abd", 1)]);
    history.clear(&Filter::default()).await.unwrap();
    assert!(history.conversations(9).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_text_index_follows_what_comes_and_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let silent = Record {
        prompt: None,
        answer: None,
        ..record("silent", "", "")
    };
    let some = (0..500).map(|number| record("a", &format!("question {number}."), ""));
    let mut history = filled(&path, some.chain([silent]).collect()).await;
    let found = async |history: &mut History, text: &str| {
        history.count(&with_text(text), u64::MAX).await.unwrap()
    };
    assert_eq!(found(&mut history, "question").await, 500);
    assert_eq!(found(&mut history, "question 499.").await, 1);
    // Rows that are in the index and rows that are not yet go alike.
    let mut more = filled(&path, vec![record("b", "another question", "")]).await;
    let model = Some("b".to_owned());
    let of_b = Filter {
        model,
        ..Filter::default()
    };
    assert_eq!(more.clear(&of_b).await.unwrap(), 1);
    assert_eq!(more.clear(&with_text("question 7.")).await.unwrap(), 1);
    assert_eq!(found(&mut more, "question").await, 499);
    assert_eq!(more.clear(&Filter::default()).await.unwrap(), 500);
    assert_eq!(found(&mut more, "question").await, 0);
    more.check().await.unwrap();
    // The ids of what went do not come again, so that new rows are found.
    let mut anew = filled(&path, vec![record("c", "a new question", "")]).await;
    assert_eq!(found(&mut anew, "question").await, 1);
    anew.check().await.unwrap();
}

#[tokio::test]
async fn the_recorder_indexes_when_it_has_nothing_to_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let recorder = Recorder::start(path.clone());
    for number in 0..300 {
        recorder.record(record("a", &format!("question {number}"), "an answer"));
    }
    recorder.flush().await;
    let mut history = History::open(&path).await.unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let upto: i64 = sqlx::query_scalar("SELECT upto FROM text_index")
            .fetch_one(&mut history.database.connection)
            .await
            .unwrap();
        if upto == 300 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "only up to {upto}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        history
            .count(&with_text("question 299"), u64::MAX)
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn what_the_vendor_said_of_the_price_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let said = Billing::read(r#"{"tier": "flex", "unpriced": ["2 searches", "a, b"]}"#);
    let told = Record {
        billing: said.clone(),
        ..record("a", "hi", "ho")
    };
    let plain = record("b", "hi", "ho");
    let mut history = filled(&dir.path().join("h.db"), vec![told, plain]).await;
    let entries = history.list(&Filter::default()).await.unwrap();
    assert_eq!(
        (entries[1].tier.as_ref(), &entries[1].unpriced),
        (said.tier.as_ref(), &said.unpriced())
    );
    assert_eq!(
        (entries[0].tier.as_ref(), entries[0].unpriced.len()),
        (None, 0)
    );
    let mut table = vec![];
    write_csv(&entries, &mut table).unwrap();
    assert!(
        String::from_utf8(table)
            .unwrap()
            .contains(",flex,\"2 searches; a, b\"")
    );
    let totals = history
        .summary(&Filter::default(), Grouping::Model)
        .await
        .unwrap()
        .total;
    assert_eq!((totals.priced_requests, totals.total_requests), (0, 2));
}

/// The digests that the files of users hold: a migration that was edited would refuse to open them.
#[tokio::test]
async fn what_was_released_of_the_schema_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut fresh = Database::open(&dir.path().join("h.db")).await.unwrap();
    let made = "SELECT lower(hex(substr(checksum, 1, 8))) FROM _sqlx_migrations ORDER BY version";
    let made: Vec<String> = sqlx::query_scalar(made)
        .fetch_all(&mut fresh.connection)
        .await
        .unwrap();
    let released = ["8850ecb3101883e7", "ad0bace53559d105", "027ab0ac9fa9ff6a"];
    assert!(made.iter().take(3).eq(&released), "{made:?}");
}

/// What takes a history back from each version of its schema to the one before, the newest first; the first is
/// 0.1.0's.
const BACK: &[&[&str]] = &[
    &["ALTER TABLE exchanges DROP COLUMN warnings"],
    &[
        "DROP INDEX exchanges_caller",
        "ALTER TABLE exchanges DROP COLUMN caller",
        "ALTER TABLE exchanges DROP COLUMN session",
        "ALTER TABLE exchanges DROP COLUMN agent",
    ],
    &[
        "DROP TRIGGER exchanges_pairs_delete",
        "DROP TABLE exchanges_pairs",
        "ALTER TABLE text_index DROP COLUMN pairs_upto",
    ],
    &[
        "ALTER TABLE exchanges DROP COLUMN tier",
        "ALTER TABLE exchanges DROP COLUMN unpriced",
    ],
];

#[tokio::test]
async fn an_older_history_gets_the_new_columns_and_keeps_its_rows() {
    for back in 1..=BACK.len() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h.db");
        filled(&path, vec![record("a", "hi", "ho")])
            .await
            .close()
            .await;
        let mut old = Database::open(&path).await.unwrap();
        let made: i64 = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations")
            .fetch_one(&mut old.connection)
            .await
            .unwrap();
        assert_eq!(made, BACK.len() as i64 + 1, "no way back from the newest");
        let version = made - back as i64;
        let marks = [
            format!("DELETE FROM _sqlx_migrations WHERE version > {version}"),
            format!("PRAGMA user_version = {version}"),
        ];
        let steps = BACK.iter().take(back).flat_map(|steps| *steps);
        for step in steps.map(|step| (*step).to_owned()).chain(marks) {
            sqlx::query(sqlx::AssertSqlSafe(step))
                .execute(&mut old.connection)
                .await
                .unwrap();
        }
        old.close().await;
        let mut history = filled(&path, vec![record("b", "hi", "ho")]).await;
        assert_eq!(
            history.list(&Filter::default()).await.unwrap().len(),
            2,
            "version {version}"
        );
        for text in ["hi", "h"] {
            assert_eq!(history.list(&with_text(text)).await.unwrap().len(), 2);
        }
    }
}

#[tokio::test]
async fn short_texts_are_found_in_indexed_rows_and_in_those_that_are_not_yet() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let rows = [
        record("a", "今天北京的天气", "晴"),
        record("b", "Ab C", ""),
        record("c", "plain", "晴天"),
    ];
    let mut history = filled(&path, rows.to_vec()).await;
    for indexed in [false, true] {
        if indexed {
            text_index::complete(&mut history.database.connection)
                .await
                .unwrap();
        }
        for (text, expected) in [
            ("天", vec!["c", "a"]),
            ("天气", vec!["a"]),
            ("气天", vec![]),
            ("晴", vec!["c", "a"]),
            ("AB", vec!["b"]),
            ("b c", vec!["b"]),
            ("b ", vec!["b"]),
            ("z", vec![]),
            ("北京的", vec!["a"]),
        ] {
            let found = history.list(&with_text(text)).await.unwrap();
            let models: Vec<_> = found.iter().map(|entry| entry.model.as_str()).collect();
            assert_eq!(models, expected, "{text:?}, indexed: {indexed}");
        }
        let one = Filter {
            limit: Some(1),
            ..with_text("天")
        };
        assert_eq!(history.list(&one).await.unwrap().len(), 1);
    }
    let of_c = Filter {
        model: Some("c".into()),
        ..Filter::default()
    };
    history.clear(&of_c).await.unwrap();
    assert_eq!(history.list(&with_text("晴")).await.unwrap().len(), 1);
    history.check().await.unwrap();
}
