//! The service around the models: what a program uses.
//!
//! [`MultiLlmService`] picks the model, runs exchanges through fresh plugin instances, retries,
//! fails over, prices and records. Only [`exchange`], with [`state`] and [`failure`], knows both
//! plugins and HTTP. [`filtering`] is what stands between a caller and a model.

mod advice;
mod asked;
mod breaker;
mod budget;
mod builder;
mod cache;
mod call;
mod caller;
mod compare;
mod conversation;
mod count;
mod dry_run;
mod embed;
mod exchange;
mod expectation;
mod failure;
mod fetching;
mod filtering;
mod flight;
mod health;
mod hidden;
mod insight;
mod limits;
mod listing;
mod live;
mod pricing;
mod recording;
mod relay;
mod reload;
mod request;
mod retry;
mod router;
mod rows;
mod state;
mod stream;
mod ticket;
mod usual;
#[cfg(feature = "watch")]
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use budget::Budgets;
use tokio_util::task::TaskTracker;

use crate::chat::{ChatMessage, ChatRequest, ChatResponse};
use crate::config::{Config, Env, History, Model};
use crate::error::{Error, Result};
use crate::plugin::Plugin;
use crate::stats::Recorder;
pub use advice::advice;
pub use builder::Builder;
pub use caller::Caller;
pub use compare::{CompareProgress, Comparison};
pub use dry_run::DryRun;
pub use expectation::{Shortfall, shortfall};
pub use fetching::fetch_text;
pub use health::ModelHealth;
pub use insight::Readiness;
pub use listing::{ModelInfo, ProviderInfo};
use live::Live;
pub use relay::{Lane, Operation, RelayRequest, RelayStream, Relayed, RelayedBody};
pub use reload::Reloaded;
use rows::Observer;
use state::State;
pub use stream::ChatStream;
pub use usual::{Because, MODEL_VARIABLE, UsualModel};
#[cfg(feature = "watch")]
pub use watch::Watch;

/// Asks models. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct MultiLlmService {
    inner: Arc<Inner>,
    /// On whose behalf.
    caller: Option<Arc<Caller>>,
}

/// How long to wait for what is still read of answers that were handed on.
const PATIENCE: Duration = Duration::from_secs(4);

struct Inner {
    env: Arc<Env>,
    state: ArcSwap<State>,
    /// Held while a new state is made.
    reloading: tokio::sync::Mutex<()>,
    live: Arc<Live>,
    recorder: Option<Recorder>,
    history: Option<PathBuf>,
    budgets: Arc<Budgets>,
    observer: OnceLock<Observer>,
    /// What is still being read of answers that were handed on.
    tasks: TaskTracker,
}

impl Inner {
    /// Waits until what was handed on is read, so that it can be recorded.
    async fn read_to_end(&self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.tasks.is_empty() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What outlives the process, as the configuration wants it.
struct Kept {
    history: Option<PathBuf>,
    recorder: Option<Recorder>,
    budgets: Budgets,
}

impl Kept {
    #[cfg(feature = "history")]
    fn new(policy: &History) -> Self {
        let named = policy.path.clone();
        let place = named.map_or_else(crate::stats::default_path, Ok);
        if let (true, Err(error)) = (policy.enabled, &place) {
            tracing::warn!("{error}: nothing is recorded");
        }
        // Where no history is kept, its place is still that of the ledger of budgets.
        let place = place.ok();
        let history = place.clone().filter(|_| policy.enabled);
        Kept {
            recorder: history
                .clone()
                .map(|path| Recorder::keeping(path, policy.keep_days)),
            budgets: Budgets::new(place, history.clone()),
            history,
        }
    }

    #[cfg(not(feature = "history"))]
    fn new(policy: &History) -> Self {
        if policy.path.is_some() {
            tracing::warn!(
                "history.path means nothing here: this program is built without a history"
            );
        }
        Kept {
            history: None,
            recorder: None,
            budgets: Budgets::default(),
        }
    }
}

impl MultiLlmService {
    /// A service by a configuration in memory.
    #[must_use]
    pub fn new(config: Config, env: Env) -> Self {
        let kept = Kept::new(&config.history);
        MultiLlmService {
            inner: Arc::new(Inner {
                env: Arc::new(env),
                state: ArcSwap::from_pointee(State::new(config)),
                reloading: tokio::sync::Mutex::default(),
                live: Arc::default(),
                recorder: kept.recorder,
                budgets: Arc::new(kept.budgets),
                history: kept.history,
                observer: OnceLock::new(),
                tasks: TaskTracker::new(),
            }),
            caller: None,
        }
    }

    /// Asks a model or route, and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// An [`Error`] of any kind, after the retries that its kind allows.
    pub async fn chat_completion(
        &self,
        messages: &[ChatMessage],
        model: &str,
    ) -> Result<ChatResponse> {
        self.chat(ChatRequest::new(messages), model).await
    }

    /// Asks a model or route, and returns when the first piece of the answer is there.
    ///
    /// Dropping the stream cancels the exchange at once.
    ///
    /// # Errors
    ///
    /// As [`MultiLlmService::chat_completion`]; later failures come through the stream.
    pub async fn stream_completion(
        &self,
        messages: &[ChatMessage],
        model: &str,
    ) -> Result<ChatStream> {
        self.stream(ChatRequest::new(messages), model).await
    }

    /// As [`MultiLlmService::chat_completion`], with everything that can be asked.
    ///
    /// # Errors
    ///
    /// As [`MultiLlmService::chat_completion`].
    pub async fn chat(&self, request: ChatRequest, model: &str) -> Result<ChatResponse> {
        let call = call::Call::begin(self, request, model, false)?;
        match call.run().await? {
            call::Opened::Whole(answer) => Ok(*answer),
            call::Opened::Stream(stream) => stream.collect().await,
            call::Opened::Relayed(_) => Err(call::another()),
        }
    }

    /// As [`MultiLlmService::stream_completion`], with everything that can be asked.
    ///
    /// # Errors
    ///
    /// As [`MultiLlmService::stream_completion`].
    pub async fn stream(&self, request: ChatRequest, model: &str) -> Result<ChatStream> {
        let call = call::Call::begin(self, request, model, true)?;
        match call.run().await? {
            call::Opened::Whole(answer) => Ok(ChatStream::of_whole(*answer)),
            call::Opened::Stream(stream) => Ok(stream),
            call::Opened::Relayed(_) => Err(call::another()),
        }
    }

    /// The model that the configuration asks where none is named. See
    /// [`MultiLlmService::usual_model`] for what to ask where it says nothing.
    ///
    /// # Errors
    ///
    /// `configuration`: there is no `default_model`.
    pub fn default_model(&self) -> Result<String> {
        self.state().config.default_model.clone().ok_or_else(|| {
            Error::configuration(
                "no model is named: use --model, or write default_model into the configuration",
            )
        })
    }

    /// The plugin of a provider, loaded if it is not yet.
    ///
    /// # Errors
    ///
    /// `configuration`: no such provider, or its plugin cannot be used.
    pub async fn plugin_of(&self, provider: &str) -> Result<Plugin> {
        let state = self.state();
        let provider = state.provider(provider)?;
        state.plugin(&provider.plugin).await
    }

    /// Loads the plugins of models. Whoever asks a model whose plugin cannot be used is told why.
    async fn make_ready(&self, models: &[Arc<Model>]) {
        let state = self.state();
        let loading = models
            .iter()
            .map(|model| state.plugin(&model.provider.plugin));
        futures_util::future::join_all(loading).await;
    }

    /// What is odd in the configuration without being wrong.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.state()
            .config
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.state().config.clone()
    }

    /// The history database, if there is to be one.
    #[must_use]
    pub fn history_path(&self) -> Option<&Path> {
        self.inner.history.as_deref()
    }

    /// Waits until everything that was recorded is in the history, but not longer than some seconds
    /// if it cannot be written; a warning says so then.
    pub async fn close(&self) {
        self.inner.read_to_end().await;
        self.inner.budgets.flush().await;
        if let Some(recorder) = &self.inner.recorder {
            recorder.flush().await;
        }
    }

    fn state(&self) -> Arc<State> {
        self.inner.state.load_full()
    }
}

impl std::fmt::Debug for MultiLlmService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MultiLlmService")
            .field("history", &self.inner.history)
            .finish_non_exhaustive()
    }
}
