//! The SQLite file: where it is, whose it is, how it is opened, how its schema is brought up to date.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqlSafeStr as _};

use super::StatsError;

/// Number of migrations; kept in the file's `user_version`, so that a current file costs one look.
#[allow(clippy::cast_possible_wrap, reason = "a handful")]
const VERSION: i64 = MIGRATIONS.len() as i64;
/// How long a statement waits for other programs. Many writers of this one take turns within
/// milliseconds; whoever holds the file for longer is told of.
const BUSY: Duration = Duration::from_secs(2);
/// How soon the lock of a migration is tried again, at first and at most: making a new file takes some milliseconds.
const LOCK_STEP: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// The files of `migrations` in order, the first for version 1: each brings a history from the version before it to its
/// own. What was released is never edited: the files of users remember the digest of what made them.
const MIGRATIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// An open database.
pub struct Database {
    pub(super) connection: SqliteConnection,
}

/// Whose a file is, by the tables in it.
enum Owner {
    /// Nobody's: it is empty.
    Nobody,
    /// Ours, in this form.
    Us(i64),
    /// Another program's.
    Other,
}

/// The database file in the user's data directory.
///
/// # Errors
///
/// There is no such directory.
pub fn default_path() -> Result<PathBuf, StatsError> {
    directories::ProjectDirs::from("", "", "multillm")
        .map(|dirs| dirs.data_dir().join("history.db"))
        .ok_or_else(|| StatsError::Place {
            path: "the user's data directory".to_owned(),
            reason: "not known, because no home directory is (HOME is not set)".to_owned(),
        })
}

impl Database {
    /// Opens the file to read and write, and makes it if it is not there. A file of another program or
    /// of a newer one is not touched.
    ///
    /// # Errors
    ///
    /// [`StatsError`] that says which file and why.
    pub async fn open(path: &Path) -> Result<Self, StatsError> {
        prepare_file(path)?;
        let opened = async {
            let mut connection = options(path).connect().await?;
            let version = match owner(&mut connection).await? {
                Owner::Nobody => 0,
                Owner::Us(version @ ..=VERSION) => version,
                Owner::Us(found) => return Err(newer(path, found)),
                Owner::Other => return Err(foreign(path)),
            };
            // Before anything is written: without a log each step of a migration waits for the disk.
            sqlx::query("PRAGMA journal_mode = WAL")
                .execute(&mut connection)
                .await?;
            if version < VERSION {
                migrate(&mut connection, path).await?;
            }
            Ok(Database { connection })
        };
        opened.await.map_err(|error: StatsError| error.at(path))
    }

    /// Opens the file as [`Database::open`] does, or only to read where it may not be written.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub async fn open_to_read(path: &Path) -> Result<Self, StatsError> {
        let refused = match Self::open(path).await {
            Err(error @ (StatsError::ReadOnly { .. } | StatsError::Full { .. }))
                if path.is_file() =>
            {
                error
            }
            other => return other,
        };
        let only = options(path).read_only(true);
        // A file with no log beside it and no place for one is read as it stands.
        for options in [only.clone(), only.immutable(true)] {
            let opened = async {
                let mut connection = options.connect().await?;
                match owner(&mut connection).await? {
                    Owner::Us(..=VERSION) => Ok(Some(Database { connection })),
                    Owner::Us(found) => Err(newer(path, found)),
                    Owner::Other => Err(foreign(path)),
                    Owner::Nobody => Ok(None),
                }
            };
            match opened.await {
                Ok(Some(database)) => return Ok(database),
                Err(error @ (StatsError::Newer { .. } | StatsError::Foreign { .. })) => {
                    return Err(error);
                }
                Ok(None) | Err(_) => {}
            }
        }
        Err(refused)
    }

    /// Closes the file; the last one out tidies up.
    pub async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "history is not closed cleanly");
        }
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        // A commit survives the end of the process at once, and that of the machine soon.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

fn newer(path: &Path, found: i64) -> StatsError {
    StatsError::Newer {
        path: path.display().to_string(),
        found,
        known: VERSION,
    }
}

fn foreign(path: &Path) -> StatsError {
    StatsError::Foreign {
        path: path.display().to_string(),
    }
}

/// Sees to it that there is a file to open, with its directory. Whatever else stands there is not
/// opened: a pipe would never come to an end.
pub(super) fn prepare_file(path: &Path) -> Result<(), StatsError> {
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(parent) = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
            {
                make_directory(parent).map_err(|error| StatsError::of_place(parent, &error))?;
            }
            return make_private(path).map_err(|error| StatsError::of_place(path, &error));
        }
        Err(error) => return Err(StatsError::of_place(path, &error)),
    };
    if about.is_file() {
        return super::owner::secure(path).map_err(|error| StatsError::Place {
            path: path.display().to_string(),
            reason: error.to_string(),
        });
    }
    Err(StatsError::NoFile {
        path: path.display().to_string(),
        what: kind_of(&about),
    })
}

fn kind_of(about: &std::fs::Metadata) -> &'static str {
    if about.is_dir() {
        return "directory";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = about.file_type();
        if kind.is_fifo() {
            return "pipe";
        }
        if kind.is_socket() {
            return "socket";
        }
    }
    "device"
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, StatsError> {
    Ok(sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await?)
}

async fn owner(connection: &mut SqliteConnection) -> Result<Owner, StatsError> {
    const FIRST: &str = "_sqlx_migrations";
    let row = sqlx::query(
        "SELECT (SELECT user_version FROM pragma_user_version), (
            SELECT group_concat(name, char(10)) FROM sqlite_master
            WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'
         )",
    )
    .fetch_one(connection)
    .await?;
    let version: i64 = row.try_get(0)?;
    let tables: Option<String> = row.try_get(1)?;
    let tables: Vec<&str> = tables.iter().flat_map(|names| names.lines()).collect();
    Ok(
        if tables.contains(&FIRST) && tables.contains(&"exchanges") {
            Owner::Us(version)
        } else if version == 0 && tables.iter().all(|table| *table == FIRST) {
            // A process that was killed in its first moment leaves the first of our tables alone.
            Owner::Nobody
        } else {
            Owner::Other
        },
    )
}

fn migrator() -> Migrator {
    let migration = |(version, &(name, text)): (i64, &(&'static str, &'static str))| {
        let kind = MigrationType::Simple;
        Migration::new(version, name.into(), kind, text.into_sql_str(), false)
    };
    Migrator::with_migrations((1..).zip(MIGRATIONS).map(migration).collect())
}

/// Brings the schema up to date, one at a time, in whatever process.
async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StatsError> {
    let busy = || StatsError::Busy {
        path: path.display().to_string(),
    };
    let lock_path = path.with_extension("lock");
    let place = |error: std::io::Error| StatsError::of_place(&lock_path, &error);
    if lock_path.exists() && !lock_path.is_file() {
        return Err(StatsError::NoFile {
            path: lock_path.display().to_string(),
            what: "pipe, directory or device",
        });
    }
    let lock = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(place)?;
    let deadline = Instant::now() + BUSY;
    let (mut step, longest) = LOCK_STEP;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() < deadline => {
                tokio::time::sleep(step).await;
                step = longest.min(step * 2);
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(busy()),
            Err(std::fs::TryLockError::Error(error)) => return Err(place(error)),
        }
    }
    if version(connection).await? < VERSION {
        // All steps or none, and written once.
        let mut all = connection.begin_with("BEGIN IMMEDIATE").await?;
        // Not `run`: it takes a connection so generally that the compiler can no longer tell that
        // futures around it are `Send`, and nobody could spawn them.
        migrator().run_direct(None, &mut *all, false).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "PRAGMA user_version = {VERSION}"
        )))
        .execute(&mut *all)
        .await?;
        all.commit().await?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_directory(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

#[cfg(not(unix))]
fn make_directory(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)
}

/// What people said is nobody else's business: the file is made readable by its owner alone.
#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map(drop)
}
