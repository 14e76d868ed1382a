//! One process at a time: a lock beside a file that several may change.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait before looking again. Whoever holds it writes a few kilobytes.
const PAUSE: Duration = Duration::from_millis(20);

/// Holds this file until what it gives is dropped. It is made for its user alone, holds nothing, and
/// stays.
///
/// # Errors
///
/// It cannot be made, or another process keeps it.
pub fn lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                std::thread::sleep(PAUSE);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other(
                    "another process keeps it locked: try again",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}
