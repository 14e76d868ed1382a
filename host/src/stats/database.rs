//! The SQLite file: where it is, how it is opened, how its schema is brought up to date.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Row as _};

use super::StatsError;

/// Number of migrations; kept in the file's `user_version`, so that a current file costs one look.
const VERSION: i64 = 2;
/// How long a writer waits for the others.
const BUSY: Duration = Duration::from_secs(30);

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// An open database.
pub struct Database {
    pub(super) connection: SqliteConnection,
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
            reason: "not known, because no home directory is".to_owned(),
        })
}

impl Database {
    /// Opens the file, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// [`StatsError`] that says which file and why.
    pub async fn open(path: &Path) -> Result<Self, StatsError> {
        let place = |error: std::io::Error| StatsError::Place {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        if let Some(parent) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            make_directory(parent).map_err(place)?;
        }
        make_private(path).map_err(place)?;
        Self::open_made(path)
            .await
            .map_err(|error| damaged(path, error))
    }

    async fn open_made(path: &Path) -> Result<Self, StatsError> {
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit survives the end of the process at once, and that of the machine soon.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY)
            .disable_statement_logging()
            .connect()
            .await?;
        if version(&mut connection).await? < VERSION {
            migrate(&mut connection, path).await?;
        }
        Ok(Database { connection })
    }

    /// Closes the file; the last one out tidies up.
    pub async fn close(self) {
        use sqlx::Connection as _;
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "history is not closed cleanly");
        }
    }
}

/// Says which file it is that SQLite cannot read: <https://www.sqlite.org/rescode.html>.
fn damaged(path: &Path, error: StatsError) -> StatsError {
    const CORRUPT: &str = "11";
    const NO_DATABASE: &str = "26";
    let database = match &error {
        StatsError::Database(sqlx::Error::Database(database)) => database,
        StatsError::Migration(sqlx::migrate::MigrateError::Execute(sqlx::Error::Database(
            database,
        ))) => database,
        _ => return error,
    };
    match database.code().as_deref() {
        Some(CORRUPT | NO_DATABASE) => StatsError::File {
            path: path.display().to_string(),
            reason: database.message().to_owned(),
        },
        _ => error,
    }
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, StatsError> {
    let row = sqlx::query("PRAGMA user_version")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

/// Brings the schema up to date, one process at a time.
async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StatsError> {
    let lock_path = path.with_extension("lock");
    let place = |error: std::io::Error| StatsError::Place {
        path: lock_path.display().to_string(),
        reason: error.to_string(),
    };
    let lock = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(place)?;
    lock.lock().map_err(place)?;
    if version(connection).await? < VERSION {
        // Not `run`: it takes a connection so generally that the compiler can no longer tell that
        // futures around it are `Send`, and nobody could spawn them.
        MIGRATIONS.run_direct(None, connection, false).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "PRAGMA user_version = {VERSION}"
        )))
        .execute(&mut *connection)
        .await?;
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
fn make_private(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
