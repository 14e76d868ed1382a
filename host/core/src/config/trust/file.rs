//! The private file that consent is kept in: read whole, checked for whose it is, and replaced whole
//! under a lock.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{FileGrant, PluginGrant, Publisher, TrustError};
use crate::files;

/// Far more than thousands of files and plugins take.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Content {
    #[serde(default)]
    pub(super) files: Vec<FileGrant>,
    #[serde(default)]
    pub(super) plugins: Vec<PluginGrant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) publishers: Vec<Publisher>,
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
        files::make_private_directory(dir).map_err(|error| self.failed(error))?;
        let lock = files::lock(&self.path.with_extension("lock"));
        let _lock = lock.map_err(|error| self.failed(error))?;
        let mut content = self.read()?;
        let changed = change(&mut content);
        if changed {
            self.replace(&content).map_err(|error| self.failed(error))?;
        }
        Ok(changed)
    }

    /// Whoever reads meanwhile finds the old or the new, whole.
    fn replace(&self, content: &Content) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(content)?;
        files::write_lasting(&self.path, text.as_bytes())
    }
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
