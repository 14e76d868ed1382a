//! Another configuration while requests run.
//!
//! The new state is made and proved whole before it takes the old one's place: plugins are loaded
//! first, and anything wrong leaves everything as it was. Exchanges under way keep the state that
//! they began with; health, speed and limits of models are kept beside it and outlive the change.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::MultiLlmService;
use super::state::State;
use crate::config::Config;
use crate::error::{Error, Result};

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
