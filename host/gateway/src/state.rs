//! What all requests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use multillm::config::{Config, Gateway as Policy};
use multillm::service::MultiLlmService;
use multillm::{Error, ErrorKind, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Options;
use crate::access::Log;
use crate::door::store::{KeyStore, Keys};
use crate::metrics::Metrics;
use crate::rest::Relieved;
use crate::traces::Traces;

/// What all requests share.
pub(crate) struct State {
    pub(crate) service: MultiLlmService,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Log,
    pub(crate) traces: Option<Arc<Traces>>,
    pub(crate) relieved: Option<Relieved>,
    store: Option<KeyStore>,
    keys: ArcSwap<Keys>,
    /// Requests at one time, and those of them that are translated.
    places: Arc<Semaphore>,
    translations: Arc<Semaphore>,
    stopping: AtomicBool,
}

impl State {
    /// # Errors
    ///
    /// The keys cannot be read, or the log cannot be opened.
    pub(crate) fn new(service: MultiLlmService, options: Options) -> Result<Self> {
        let config = service.config();
        let unusable = |error: crate::KeyError| Error::configuration(error.to_string());
        let keys = match &options.keys {
            Some(store) => store.read().map_err(unusable)?,
            None => Keys::default(),
        };
        let metrics = Arc::new(Metrics::new());
        let policy = &config.gateway;
        let traces = Traces::to(policy.traces.as_ref())?;
        let observed = (metrics.clone(), traces.clone());
        service.observe(move |record| {
            observed.0.exchange(record);
            if let Some(traces) = &observed.1 {
                traces.exchange(record);
            }
        });
        let places = usize::try_from(policy.max_requests).unwrap_or(usize::MAX);
        let translations = usize::try_from(config.limits.max_concurrency).unwrap_or(usize::MAX);
        Ok(State {
            log: Log::open(policy.access_log.as_ref(), options.lines)?,
            metrics,
            traces,
            relieved: options.relieved,
            store: options.keys,
            keys: ArcSwap::from_pointee(keys),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            translations: Arc::new(Semaphore::new(translations.min(Semaphore::MAX_PERMITS))),
            stopping: AtomicBool::new(false),
            service,
        })
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        self.service.config()
    }

    pub(crate) fn keys(&self) -> Arc<Keys> {
        self.keys.load_full()
    }

    /// Whether anybody may come in.
    pub(crate) fn is_open(&self) -> bool {
        self.keys.load().is_empty()
    }

    /// Reads the keys again. What cannot be read leaves those that are known.
    pub(crate) fn read_keys(&self) {
        let Some(store) = &self.store else { return };
        match store.read() {
            // A door that had keys does not open because the file is gone.
            Ok(keys) if keys.is_empty() && !self.is_open() => {
                tracing::warn!(
                    "{} is gone: the keys that are known stay in force",
                    store.path().display()
                );
            }
            Ok(keys) if keys == **self.keys.load() => {}
            Ok(keys) => self.keys.store(Arc::new(keys)),
            Err(error) => tracing::warn!("{error}: the keys that are known stay in force"),
        }
    }

    /// No new requests from now on.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// A place among the requests at one time.
    pub(crate) async fn place(&self, policy: &Policy) -> Result<OwnedSemaphorePermit> {
        place(&self.places, policy.queue, "gateway.max_requests").await
    }

    /// A place among those that are translated.
    pub(crate) async fn translation(&self, policy: &Policy) -> Result<OwnedSemaphorePermit> {
        place(&self.translations, policy.queue, "limits.max_concurrency").await
    }
}

async fn place(
    places: &Arc<Semaphore>,
    queue: Duration,
    what: &str,
) -> Result<OwnedSemaphorePermit> {
    if let Ok(place) = places.clone().try_acquire_owned() {
        return Ok(place);
    }
    let waiting = places.clone().acquire_owned();
    match tokio::time::timeout(queue, waiting).await {
        Ok(Ok(place)) => Ok(place),
        _ => {
            let message =
                format!("as many requests as {what} allows are under way: ask again later");
            let mut error = Error::new(ErrorKind::Overloaded, message).retryable(true);
            error.retry_after_ms = Some(1_000);
            error.status = Some(503);
            Err(error)
        }
    }
}

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
