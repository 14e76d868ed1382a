//! The list itself: read whole, checked for whose it is, and replaced whole under a lock.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::super::mark::Mark;
use super::{FORMAT, Installed, InstalledError};
use crate::files;

/// Far more than thousands of plugins take.
const LARGEST: u64 = 16 << 20;

type Known = BTreeMap<String, Installed>;

/// What was read, and of which file.
type Last = Option<(Mark, Arc<Known>)>;

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    #[serde(default)]
    plugins: Known,
}

#[derive(Debug, Clone)]
pub(super) struct List {
    dir: PathBuf,
    /// As it was last read: names are looked up with each request.
    last: Arc<Mutex<Last>>,
}

impl List {
    pub(super) fn in_dir(dir: &Path) -> Self {
        List {
            dir: dir.to_owned(),
            last: Arc::default(),
        }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    fn path(&self) -> PathBuf {
        self.dir.join("plugins.json")
    }

    pub(super) fn failed(&self, reason: impl ToString) -> InstalledError {
        InstalledError {
            path: self.dir.clone(),
            reason: reason.to_string(),
        }
    }

    /// What stands in it; nothing where it is not there.
    pub(super) fn read(&self) -> Result<Arc<Known>, InstalledError> {
        if self.dir.exists()
            && let Some(fault) = files::directory_fault(&self.dir)
        {
            return Err(self.failed(fault));
        }
        let mark = Mark::of(&self.path());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(mark), Some((seen, known))) = (&mark, last.as_ref())
            && seen == mark
        {
            return Ok(known.clone());
        }
        let known = Arc::new(self.read_now()?);
        // What was written within the clock's grain may change once more under the same mark.
        *last = mark
            .filter(Mark::is_settled)
            .map(|mark| (mark, known.clone()));
        Ok(known)
    }

    fn read_now(&self) -> Result<Known, InstalledError> {
        let bytes =
            files::read_private(&self.path(), LARGEST).map_err(|error| self.failed(error))?;
        let Some(bytes) = bytes else {
            return Ok(Known::new());
        };
        let content: Content = serde_json::from_slice(&bytes).map_err(|error| {
            self.failed(format!(
                "plugins.json is damaged ({error}): remove it, and add your plugins again"
            ))
        })?;
        if content.version != FORMAT {
            return Err(self.failed(format!(
                "plugins.json has format {}, this program reads {FORMAT}: use the program that wrote it",
                content.version
            )));
        }
        let sound = |(name, installed): (&String, &Installed)| {
            super::is_plugin_name(name)
                && installed.sha256.len() == 64
                && installed
                    .sha256
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit())
        };
        match content.plugins.iter().all(sound) {
            true => Ok(content.plugins),
            false => {
                Err(self.failed("plugins.json holds a name or digest that is none: remove it"))
            }
        }
    }

    /// Changes what stands in it, one process at a time; `change` may refuse, with the reason.
    pub(super) fn change(
        &self,
        change: impl FnOnce(&mut Known) -> Result<(), String>,
    ) -> Result<(), InstalledError> {
        let failed = |error: io::Error| self.failed(error);
        files::make_private_directory(&self.dir).map_err(failed)?;
        let _lock = files::lock(&self.dir.join("plugins.lock")).map_err(failed)?;
        let before = self.read_now()?;
        let mut known = before.clone();
        change(&mut known).map_err(|reason| self.failed(reason))?;
        if known == before {
            return Ok(());
        }
        let content = Content {
            version: FORMAT,
            plugins: known,
        };
        let text = serde_json::to_string_pretty(&content).map_err(|error| self.failed(error))?;
        files::write_lasting(&self.path(), text.as_bytes()).map_err(failed)
    }
}
