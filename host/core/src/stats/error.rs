//! Why the history or the ledger of budgets cannot be read or written, in words.

#[cfg(feature = "history")]
use std::error::Error as _;
#[cfg(feature = "history")]
use std::path::Path;

use thiserror::Error;

/// Why the history cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StatsError {
    /// The place of the database is unknown or cannot be made.
    #[error("history: {path}: {reason}: set history.path, or history.enabled to false")]
    Place {
        /// The file or directory.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Something stands there that is no file, such as a directory or a pipe.
    #[error("history: {path} is a {what}, not a file: name a file with history.path")]
    NoFile {
        /// Where.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// The file is no database, or no longer a whole one.
    #[error(
        "history: {path} is no history, or is damaged ({reason}): move it away and a new one is \
         made, or name another with history.path"
    )]
    File {
        /// The file.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// The file is a database of another program. Nothing in it was changed.
    #[error(
        "history: {path} is a database of another program and is left alone: name another file \
         with history.path"
    )]
    Foreign {
        /// The file.
        path: String,
    },
    /// The file was made by a program that knows more than this one. Nothing in it was changed.
    #[error(
        "history: {path} was made by a newer multillm (its form is {found}, this one knows {known}): \
         use that one, or name another file with history.path"
    )]
    Newer {
        /// The file.
        path: String,
        /// The number of its form.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// Another program holds the file.
    #[error(
        "history: {path} is locked by another program: let it end, or name another file with history.path"
    )]
    Busy {
        /// The file.
        path: String,
    },
    /// There is no room.
    #[error("history: {path}: the disk is full: make room, or name another file with history.path")]
    Full {
        /// The file.
        path: String,
    },
    /// The file or its directory may not be written.
    #[error(
        "history: {path} may not be written, or its directory may not: change their mode, name another file \
         with history.path, or set history.enabled to false"
    )]
    ReadOnly {
        /// The file.
        path: String,
    },
    /// The system failed.
    #[error("history: {path}: {reason}: check the disk, or name another file with history.path")]
    System {
        /// The file.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// The database failed.
    #[cfg(feature = "history")]
    #[error("history: {0}")]
    Database(sqlx::Error),
    /// The schema cannot be brought to this program's.
    #[cfg(feature = "history")]
    #[error("history: {0}: name another file with history.path")]
    Migration(sqlx::migrate::MigrateError),
    /// A stored value is not what it should be.
    #[error("history: row {row}: {reason}")]
    Damaged {
        /// Its id.
        row: i64,
        /// What is wrong.
        reason: String,
    },
}

#[cfg(feature = "history")]
/// What stands for a path that is not known where an error arises.
const ITS_FILE: &str = "the file";

impl StatsError {
    /// Whether it may be better in a moment: what was to be written is worth keeping until then.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(
            self,
            StatsError::Busy { .. } | StatsError::Full { .. } | StatsError::System { .. }
        )
    }

    /// The same with the file's name, where it is not known yet.
    #[cfg(feature = "history")]
    #[must_use]
    pub(super) fn at(mut self, file: &Path) -> Self {
        match &mut self {
            StatsError::File { path, .. }
            | StatsError::Busy { path }
            | StatsError::Full { path }
            | StatsError::ReadOnly { path }
            | StatsError::System { path, .. }
                if path == ITS_FILE =>
            {
                *path = file.display().to_string();
            }
            _ => {}
        }
        self
    }

    /// What the system said of a file or directory.
    #[cfg(feature = "history")]
    pub(super) fn of_place(file: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let path = file.display().to_string();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StatsError::Full { path },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                StatsError::ReadOnly { path }
            }
            _ => StatsError::Place {
                path,
                reason: error.to_string(),
            },
        }
    }
}

#[cfg(feature = "history")]
impl From<sqlx::Error> for StatsError {
    fn from(error: sqlx::Error) -> Self {
        classified(&error).unwrap_or(StatsError::Database(error))
    }
}

#[cfg(feature = "history")]
impl From<sqlx::migrate::MigrateError> for StatsError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        let mut cause = error.source();
        while let Some(inner) = cause {
            if let Some(known) = inner.downcast_ref::<sqlx::Error>().and_then(classified) {
                return known;
            }
            cause = inner.source();
        }
        StatsError::Migration(error)
    }
}

#[cfg(feature = "history")]
/// What SQLite's code means: <https://www.sqlite.org/rescode.html>. The lower eight bits are the kind.
fn classified(error: &sqlx::Error) -> Option<StatsError> {
    let database = error.as_database_error()?;
    let code: u32 = database.code()?.parse().ok()?;
    let path = ITS_FILE.to_owned();
    let reason = database.message().to_owned();
    Some(match code & 0xff {
        // BUSY, LOCKED, PROTOCOL
        5 | 6 | 15 => StatsError::Busy { path },
        // PERM, READONLY, CANTOPEN
        3 | 8 | 14 => StatsError::ReadOnly { path },
        // IOERR
        10 => StatsError::System { path, reason },
        // CORRUPT, NOTADB
        11 | 26 => StatsError::File { path, reason },
        // FULL
        13 => StatsError::Full { path },
        _ => return None,
    })
}
