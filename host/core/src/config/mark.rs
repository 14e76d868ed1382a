//! What tells that a file is no longer the same, without reading it.

use std::path::Path;
use std::time::{Duration, SystemTime};

/// When a file was written, its length, which file it is and, where the system tells, when anything about it was
/// last changed, its mode included.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mark {
    written: SystemTime,
    length: u64,
    identity: (u64, i64, i64),
}

impl Mark {
    /// That of a file; nothing where it is not there.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        Some(Mark {
            written: about.modified().ok()?,
            length: about.len(),
            identity: identity(&about),
        })
    }

    /// It was changed long enough ago that the next change would have another time.
    pub(crate) fn is_settled(&self) -> bool {
        const GRAIN: Duration = Duration::from_millis(50);
        let changed = self.changed().unwrap_or(self.written);
        changed.elapsed().is_ok_and(|since| since > GRAIN)
    }

    fn changed(&self) -> Option<SystemTime> {
        let (_, seconds, nanoseconds) = self.identity;
        let since = Duration::new(
            u64::try_from(seconds).ok()?,
            u32::try_from(nanoseconds).ok()?,
        );
        (seconds > 0).then(|| SystemTime::UNIX_EPOCH + since)
    }
}

#[cfg(unix)]
fn identity(about: &std::fs::Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (about.ino(), about.ctime(), about.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_about: &std::fs::Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}
