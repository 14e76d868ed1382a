//! What a service can tell of itself without asking a vendor: use, cost, history, readiness.

use serde::Serialize;

use super::MultiLlmService;
use super::exchange::Peer;
use crate::error::{Error, Result};
#[cfg(feature = "history")]
use crate::stats::{Filter, Grouping, History, Summary};
use crate::stats::{PriceTable, StatsError};

/// Whether a model could be asked: its plugin loads, its settings are known, its key is
/// there, its certificates and proxy can be used.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Readiness {
    /// The configured model.
    pub model: String,
    /// Its provider.
    pub provider: String,
    /// Nothing is missing.
    pub ready: bool,
    /// What is missing, and what to do.
    pub problem: Option<String>,
}

impl From<StatsError> for Error {
    fn from(error: StatsError) -> Self {
        Error::configuration(error.to_string())
    }
}

impl MultiLlmService {
    /// What the recorded exchanges add up to.
    ///
    /// # Errors
    ///
    /// `configuration`: there is no history, or it cannot be read.
    #[cfg(feature = "history")]
    pub async fn stats(&self, filter: &Filter, grouping: Grouping) -> Result<Summary> {
        let mut history = self.history().await?;
        let summary = history.summary(filter, grouping).await;
        history.close().await;
        Ok(summary?)
    }

    /// The history, with everything in it that was recorded before.
    ///
    /// # Errors
    ///
    /// `configuration`: there is none, or it cannot be opened.
    #[cfg(feature = "history")]
    pub async fn history(&self) -> Result<History> {
        let path = self.history_path().ok_or_else(|| {
            Error::configuration("no history is kept: set history.enabled to true")
        })?;
        self.close().await;
        Ok(History::open(path).await?)
    }

    /// Whether each model that is switched on could be asked, in the order of the configuration.
    /// No vendor is asked; programs that print keys are run, and certificates loaded.
    pub async fn readiness(&self) -> Vec<Readiness> {
        let state = self.state();
        let mut found = vec![];
        for model in state.config.models.values().filter(|model| model.enabled) {
            let way = async {
                let peer = Peer::anew(&state, &self.inner.env, model).await?;
                peer.check_way().await
            };
            let problem = way.await.err().map(|error| error.message.clone());
            found.push(Readiness {
                model: model.name.clone(),
                provider: model.provider.name.clone(),
                ready: problem.is_none(),
                problem,
            });
        }
        found
    }

    /// What is wrong with the configured price table.
    ///
    /// # Errors
    ///
    /// `configuration`: it cannot be read, or is none.
    pub fn check_prices(&self) -> Result<()> {
        match &self.config().prices {
            Some(path) if path.exists() => PriceTable::load(path)
                .map(drop)
                .map_err(|error| Error::configuration(error.to_string())),
            _ => Ok(()),
        }
    }
}
