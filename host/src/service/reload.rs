//! Another configuration while requests run.
//!
//! The new state is made and proved whole before it takes the old one's place: plugins are loaded
//! first, and anything wrong leaves everything as it was. Exchanges under way keep the state that
//! they began with; health, speed and limits of models are kept beside it and outlive the change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use notify::{EventKind, RecursiveMode, Watcher as _};
use serde::Serialize;
use tokio::sync::mpsc;

use super::MultiLlmService;
use super::state::State;
use crate::config::Config;
use crate::error::{Error, Result};

/// How long files are let alone after a change: editors and copies write in several steps.
const SETTLE: Duration = Duration::from_millis(120);

/// What a reload changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reloaded {
    /// Models and routes that are new.
    pub added: Vec<String>,
    /// Models and routes that are gone.
    pub removed: Vec<String>,
    /// Plugins whose component is another one now.
    pub plugins: Vec<String>,
    /// What takes effect only at the next start.
    pub notes: Vec<String>,
}

impl MultiLlmService {
    /// Reads the configuration file again and puts it in force, atomically. Plugins whose files
    /// changed are loaded anew, and loaded before anything changes.
    ///
    /// # Errors
    ///
    /// `configuration`, with everything that is wrong; the old configuration stays in force then. So
    /// it does if the file was merely found and now asks for what the user has not allowed.
    pub async fn reload(&self) -> Result<Reloaded> {
        let again = self.config().read_again(&self.inner.env);
        let config = again.ok_or_else(|| {
            Error::configuration(
                "the configuration came from no file: hand a new one to reload_with",
            )
        })??;
        self.reload_with(config).await
    }

    /// Puts another configuration in force, atomically.
    ///
    /// # Errors
    ///
    /// As [`MultiLlmService::reload`].
    pub async fn reload_with(&self, config: Config) -> Result<Reloaded> {
        let _one_at_a_time = self.inner.reloading.lock().await;
        let old = self.state();
        let mut new = State::new(config);
        let plugins = new.succeed(&old).await?;
        let mut done = differences(&old.config, &new.config);
        done.plugins = plugins;
        self.inner.state.store(Arc::new(new));
        tracing::debug!(?done, "the configuration was reloaded");
        Ok(done)
    }

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
        };
        files.follow(&self.config()).map_err(failed)?;
        let inner = Arc::downgrade(&self.inner);
        let task = tokio::spawn(async move {
            while news.recv().await.is_some() {
                tokio::time::sleep(SETTLE).await;
                let _ = news.try_recv();
                let Some(inner) = inner.upgrade() else {
                    return;
                };
                let service = MultiLlmService { inner };
                if !files.changed(&service.config()) {
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

/// What tells that a file is no longer the same.
type Mark = Option<(SystemTime, u64, PathBuf)>;

struct Files {
    watcher: notify::RecommendedWatcher,
    directories: BTreeSet<PathBuf>,
    seen: Vec<(PathBuf, Mark)>,
}

impl Files {
    /// Watches what a configuration depends on. Directories, not files: a file that is replaced
    /// is another file.
    fn follow(&mut self, config: &Config) -> notify::Result<()> {
        let files = files_of(config);
        for directory in files.iter().filter_map(|file| file.parent()) {
            let directory = match directory.as_os_str().is_empty() {
                true => Path::new("."),
                false => directory,
            };
            if directory.is_dir() && !self.directories.contains(directory) {
                self.watcher.watch(directory, RecursiveMode::NonRecursive)?;
                self.directories.insert(directory.to_owned());
            }
        }
        self.seen = marks(files);
        Ok(())
    }

    /// Whether one of the files is another than before. Each change is told once.
    fn changed(&mut self, config: &Config) -> bool {
        let now = marks(files_of(config));
        let changed = now != self.seen;
        self.seen = now;
        changed
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
        Some((about.modified().ok()?, about.len(), real))
    };
    files
        .into_iter()
        .map(|file| {
            let mark = mark(&file);
            (file, mark)
        })
        .collect()
}

fn differences(old: &Config, new: &Config) -> Reloaded {
    fn names(config: &Config) -> BTreeSet<&String> {
        config.models.keys().chain(config.routes.keys()).collect()
    }
    let (before, after) = (names(old), names(new));
    let mut notes = vec![];
    let place = |config: &Config| (config.history.enabled, config.history.path.clone());
    if place(old) != place(new) {
        notes.push("history.enabled and history.path take effect at the next start".to_owned());
    }
    Reloaded {
        added: after.difference(&before).map(ToString::to_string).collect(),
        removed: before.difference(&after).map(ToString::to_string).collect(),
        plugins: vec![],
        notes,
    }
}
