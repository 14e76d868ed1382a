//! Files that are no history of ours, or none that can be written.

use super::*;

/// Nothing in the file changes, and the error says whose it is.
async fn is_left_alone(path: &Path, words: &str) {
    let before = std::fs::read(path).unwrap();
    let opened = History::open(path).await.map(drop);
    let error = opened.unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
    assert!(error.contains(&path.display().to_string()), "{error}");
    let recorder = Recorder::start(path.to_owned());
    recorder.record(record("a", "hi", "ho"));
    recorder.flush().await;
    assert_eq!(recorder.lost(), 1);
    assert_eq!(std::fs::read(path).unwrap(), before);
}

#[tokio::test]
async fn databases_of_others_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (name, steps) in [
        ("plain.db", vec!["CREATE TABLE t (x)"]),
        (
            "numbered.db",
            vec!["CREATE TABLE t (x)", "PRAGMA user_version = 3"],
        ),
        ("empty.db", vec!["PRAGMA user_version = 3"]),
    ] {
        let path = dir.path().join(name);
        let mut other = options_of(&path).connect().await.unwrap();
        for step in steps {
            sqlx::query(step).execute(&mut other).await.unwrap();
        }
        sqlx::Connection::close(other).await.unwrap();
        is_left_alone(&path, "another program").await;
    }
    let path = dir.path().join("notes.txt");
    std::fs::write(
        &path,
        "these are notes, and no database at all\n".repeat(40),
    )
    .unwrap();
    is_left_alone(&path, "is no history").await;
}

fn options_of(path: &Path) -> sqlx::sqlite::SqliteConnectOptions {
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_left_alone_and_called_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let mut newer = Database::open(&path).await.unwrap();
    for step in [
        "PRAGMA user_version = 99",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        sqlx::query(step)
            .execute(&mut newer.connection)
            .await
            .unwrap();
    }
    newer.close().await;
    is_left_alone(&path, "newer multillm").await;
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let socket = dir.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for (path, what) in [
        (pipe.as_path(), "pipe"),
        (socket.as_path(), "socket"),
        (dir.path(), "directory"),
        (Path::new("/dev/null"), "device"),
    ] {
        let opening = History::open(path);
        let opened = tokio::time::timeout(Duration::from_secs(5), opening).await;
        let error = opened.expect("it waits").map(drop).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
        let recorder = Recorder::start(path.to_owned());
        recorder.record(record("a", "hi", "ho"));
        recorder.flush().await;
        assert_eq!(recorder.lost(), 1, "{what}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_history_that_may_only_be_read_can_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let mut history = filled(&path, vec![record("a", "hi", "ho")]).await;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut history.database.connection)
        .await
        .unwrap();
    history.close().await;
    // As if no other could be opened, whoever runs the test: root may write anywhere.
    let only = options_of(&path).read_only(true).immutable(true);
    let connection = only.connect().await.unwrap();
    let mut history = History {
        database: Database { connection },
    };
    assert_eq!(history.list(&with_text("hi")).await.unwrap().len(), 1);
    let error = history.clear(&Filter::default()).await.unwrap_err();
    assert!(matches!(error, StatsError::ReadOnly { .. }), "{error:?}");
    history.close().await;
    let mode = |mode| std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode));
    mode(0o555).unwrap();
    let opened = History::open(&path).await;
    mode(0o755).unwrap();
    assert_eq!(
        opened
            .unwrap()
            .list(&Filter::default())
            .await
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn codes_of_sqlite_are_told_in_words() {
    let of = |kind: std::io::ErrorKind| {
        StatsError::of_place(Path::new("/x/h.db"), &std::io::Error::from(kind)).to_string()
    };
    assert!(of(std::io::ErrorKind::StorageFull).contains("the disk is full"));
    assert!(of(std::io::ErrorKind::PermissionDenied).contains("may not be written"));
    assert!(of(std::io::ErrorKind::ReadOnlyFilesystem).contains("may not be written"));
}

/// A page limit stands for a disk that is full: SQLite fails alike.
#[tokio::test]
async fn a_full_disk_is_called_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut history = filled(&dir.path().join("h.db"), vec![record("a", "hi", "ho")]).await;
    sqlx::query("PRAGMA max_page_count = 1")
        .execute(&mut history.database.connection)
        .await
        .unwrap();
    let chat = Conversation {
        id: "a".into(),
        title: "x".repeat(100_000),
        model: "m".into(),
        created_ms: 1,
        updated_ms: 1,
        messages: vec![],
    };
    let error = history.save_conversation(&chat).await.unwrap_err();
    assert!(matches!(error, StatsError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("the disk is full"), "{error}");
}
