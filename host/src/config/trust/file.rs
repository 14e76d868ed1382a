//! The private file that consent is kept in: read whole, checked for whose it is, and replaced whole
//! under a lock.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{FileGrant, PluginGrant, TrustError};

/// Far more than thousands of files and plugins take.
const LARGEST: u64 = 16 * 1024 * 1024;

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// What stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Content {
    #[serde(default)]
    pub(super) files: Vec<FileGrant>,
    #[serde(default)]
    pub(super) plugins: Vec<PluginGrant>,
}

#[derive(Debug, Clone)]
pub(super) struct File {
    path: PathBuf,
}

impl File {
    pub(super) fn in_dir(dir: &Path) -> Self {
        File {
            path: dir.join("trust.json"),
        }
    }

    fn failed(&self, reason: impl ToString) -> TrustError {
        TrustError {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }

    /// What stands in it; nothing where it is not there.
    pub(super) fn read(&self) -> Result<Content, TrustError> {
        let about = match fs::symlink_metadata(&self.path) {
            Ok(about) => about,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Content::default());
            }
            Err(error) => return Err(self.failed(error)),
        };
        if !about.is_file() {
            return Err(self.failed("is no plain file: remove it"));
        }
        let dir = self.path.parent().unwrap_or(Path::new("."));
        for path in [dir, &self.path] {
            if !is_private(path) {
                let path = path.display();
                let fix = format!("{path} is another's, or others may write it: chmod go-w {path}");
                return Err(self.failed(fix));
            }
        }
        let mut text = String::new();
        fs::File::open(&self.path)
            .and_then(|file| file.take(LARGEST).read_to_string(&mut text))
            .map_err(|error| self.failed(error))?;
        serde_json::from_str(&text)
            .map_err(|_| self.failed("is damaged: remove it, and allow anew what you trust"))
    }

    /// Changes what stands in it, unless `change` says that there is nothing to change; gives what it says.
    pub(super) fn change(
        &self,
        change: impl FnOnce(&mut Content) -> bool,
    ) -> Result<bool, TrustError> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        make_private_dir(dir).map_err(|error| self.failed(error))?;
        let _lock = self.lock()?;
        let mut content = self.read()?;
        let changed = change(&mut content);
        if changed {
            self.replace(dir, &content)
                .map_err(|error| self.failed(error))?;
        }
        Ok(changed)
    }

    /// Held until it is dropped.
    fn lock(&self) -> Result<fs::File, TrustError> {
        let path = self.path.with_extension("lock");
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        private_mode(&mut options);
        let file = options.open(&path).map_err(|error| self.failed(error))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(self.failed("another process keeps it locked: try again"));
                }
                Err(fs::TryLockError::Error(error)) => return Err(self.failed(error)),
            }
        }
    }

    /// Whoever reads meanwhile finds the old or the new, whole.
    fn replace(&self, dir: &Path, content: &Content) -> std::io::Result<()> {
        let next = dir.join(format!(
            ".trust-{}-{:016x}",
            std::process::id(),
            fastrand::u64(..)
        ));
        let mut options = fs::OpenOptions::new();
        options.create_new(true).write(true);
        private_mode(&mut options);
        let text = serde_json::to_string_pretty(content)?;
        let written = options
            .open(&next)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&next, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&next);
        }
        written
    }
}

#[cfg(unix)]
fn private_mode(options: &mut fs::OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn private_mode(_: &mut fs::OpenOptions) {}

#[cfg(unix)]
fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

#[cfg(not(unix))]
fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir)
}

/// Belongs to this user, and nobody else may write it.
#[cfg(unix)]
fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = rustix::process::geteuid().as_raw();
    fs::metadata(path).is_ok_and(|about| about.mode() & 0o022 == 0 && about.uid() == own)
}

#[cfg(not(unix))]
fn is_private(path: &Path) -> bool {
    path.exists()
}
