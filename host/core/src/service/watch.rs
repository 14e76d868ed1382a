//! Reloading when a file changes that the configuration depends on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use super::MultiLlmService;
use super::reload::Reloaded;
use crate::config::Config;
use crate::error::{Error, Result};

/// How long files are let alone after a change: editors and copies write in several steps.
const SETTLE: Duration = Duration::from_millis(120);
/// How often the files are looked at without being told. The system tells of changes in a directory
/// that is watched, and of none where a link on the way to it is switched, where it is removed and made again, or
/// where it is mounted from elsewhere. A look is a dozen `stat` calls.
const LOOK: Duration = Duration::from_secs(2);
/// How long the configuration file may be away before that is told: it may be on its way back.
const PATIENCE: Duration = Duration::from_secs(4);

impl MultiLlmService {
    /// Reloads whenever the configuration file, a plugin's file or the price table changes, until the
    /// returned guard is dropped. `report` hears of each reload and of each refusal.
    ///
    /// # Errors
    ///
    /// `configuration`: the configuration came from no file, or the system does not watch files.
    pub fn watch(&self, report: impl Fn(Result<Reloaded>) + Send + 'static) -> Result<Watch> {
        if self.config().path.is_none() {
            return Err(Error::configuration(
                "the configuration came from no file: there is nothing to watch",
            ));
        }
        let failed = |error: notify::Error| {
            Error::configuration(format!("cannot watch the configuration: {error}"))
        };
        // One place: many events are one piece of news.
        let (sender, mut news) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if !matches!(event, Ok(event) if matches!(event.kind, EventKind::Access(_))) {
                let _ = sender.try_send(());
            }
        })
        .map_err(failed)?;
        let mut files = Files {
            watcher,
            directories: BTreeSet::new(),
            seen: vec![],
            away: None,
        };
        files.follow(&self.config()).map_err(failed)?;
        let inner = Arc::downgrade(&self.inner);
        let task = tokio::spawn(async move {
            loop {
                match tokio::time::timeout(LOOK, news.recv()).await {
                    Ok(None) => return,
                    Ok(Some(())) => {
                        tokio::time::sleep(SETTLE).await;
                        let _ = news.try_recv();
                    }
                    Err(_) => {}
                }
                let Some(inner) = inner.upgrade() else {
                    return;
                };
                let service = MultiLlmService {
                    inner,
                    caller: None,
                };
                let config = service.config();
                if !files.changed(&config) {
                    continue;
                }
                let outcome = service.reload().await;
                if let Err(error) = files.follow(&service.config()) {
                    tracing::warn!(%error, "a directory is not watched");
                }
                report(outcome);
            }
        });
        Ok(Watch { task })
    }
}

/// Watches files as long as it is kept.
#[derive(Debug)]
pub struct Watch {
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What tells that a file is no longer the same: when it was written, its length, which file it is
/// and where it really stands.
type Mark = Option<(SystemTime, u64, u64, PathBuf)>;

struct Files {
    watcher: notify::RecommendedWatcher,
    directories: BTreeSet<PathBuf>,
    seen: Vec<(PathBuf, Mark)>,
    /// Since when the configuration file is not there.
    away: Option<Instant>,
}

impl Files {
    /// Watches what a configuration depends on. Directories, not files: a file that is replaced
    /// is another file. Those that a link leads to are watched as well.
    fn follow(&mut self, config: &Config) -> notify::Result<()> {
        let files = files_of(config);
        self.seen = marks(files.clone());
        let real = self.seen.iter().flat_map(|(_, mark)| mark);
        let real = real.map(|(.., real)| real.clone());
        let wanted: BTreeSet<PathBuf> = files
            .into_iter()
            .chain(real)
            .filter_map(|file| match file.parent()? {
                directory if directory.as_os_str().is_empty() => Some(PathBuf::from(".")),
                directory => Some(directory.to_owned()),
            })
            .filter(|directory| directory.is_dir())
            .collect();
        for gone in self.directories.difference(&wanted) {
            let _ = self.watcher.unwatch(gone);
        }
        self.directories
            .retain(|directory| wanted.contains(directory));
        for directory in wanted {
            // Watched again even if it is: it may have been made anew.
            let _ = self.watcher.unwatch(&directory);
            self.watcher
                .watch(&directory, RecursiveMode::NonRecursive)?;
            self.directories.insert(directory);
        }
        Ok(())
    }

    /// Whether one of the files is another than before. Each change is told once; that the
    /// configuration is not there, when it does not come back at once.
    fn changed(&mut self, config: &Config) -> bool {
        let now = marks(files_of(config));
        if now == self.seen {
            self.away = None;
            return false;
        }
        let is_there = |marks: &[(PathBuf, Mark)]| {
            marks
                .iter()
                .all(|(file, mark)| mark.is_some() || Some(file) != config.path.as_ref())
        };
        if !is_there(&now) && is_there(&self.seen) {
            let since = *self.away.get_or_insert_with(Instant::now);
            if since.elapsed() < PATIENCE {
                return false;
            }
        }
        self.away = None;
        self.seen = now;
        true
    }
}

fn files_of(config: &Config) -> Vec<PathBuf> {
    let plugins = config.plugins.values().map(|plugin| plugin.path.clone());
    config
        .path
        .iter()
        .chain(&config.prices)
        .cloned()
        .chain(plugins)
        .collect()
}

fn marks(files: Vec<PathBuf>) -> Vec<(PathBuf, Mark)> {
    let mark = |file: &Path| {
        let about = std::fs::metadata(file).ok()?;
        let real = std::fs::canonicalize(file).ok()?;
        Some((about.modified().ok()?, about.len(), identity(&about), real))
    };
    files
        .into_iter()
        .map(|file| {
            let mark = mark(&file);
            (file, mark)
        })
        .collect()
}

/// Which file it is, where the system tells.
fn identity(about: &std::fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::ino(about);
    #[cfg(not(unix))]
    return {
        let _ = about;
        0
    };
}
