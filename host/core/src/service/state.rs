//! Everything that one configuration makes. A reload swaps it whole; an exchange keeps the one that
//! it began with.

mod filters;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::cache::Cache;
use super::exchange::Peer;
use super::pricing::PriceList;
use crate::config::{self, Config, Endpoint, Mark, PluginSource, Proxy};
use crate::error::{Error, Result};
use crate::plugin::{
    EngineOptions, ExchangeLimits, Filter, Limits, LoadOptions, Plugin, PluginEngine, PluginError,
    code_directory,
};
use crate::transport::{ClientOptions, HttpClient, ProxyChoice};

/// What tells one HTTP client from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ClientKey {
    proxy: Proxy,
    ca_file: Option<PathBuf>,
    client_cert: Option<PathBuf>,
    client_key: Option<PathBuf>,
    connect: Duration,
}

/// Models without an entry for which something is kept at one time: more than anybody asks in turn.
const MOST_IMPLIED: usize = 256;

/// A plugin that is loaded, or being loaded.
#[derive(Clone, Default)]
struct Loaded {
    mark: Option<Mark>,
    cell: Arc<OnceCell<Plugin>>,
}

pub(super) struct State {
    pub(super) config: Arc<Config>,
    engine: OnceLock<Result<PluginEngine>>,
    /// By name, with what the file was for those that are looked for each time.
    plugins: Mutex<HashMap<String, Loaded>>,
    /// Filters have room of their own, so that none waits for what waits for it.
    filter_engine: OnceLock<Result<PluginEngine>>,
    filters: Mutex<HashMap<String, Arc<OnceCell<Filter>>>>,
    clients: Mutex<HashMap<ClientKey, HttpClient>>,
    /// What is prepared for exchanges with models, by their names.
    peers: Mutex<HashMap<String, Arc<Peer>>>,
    cache: Option<Arc<Cache>>,
    prices: Arc<PriceList>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Whether loading a plugin again would give what is loaded.
fn is_as_loaded(plugin: &config::Plugin, loaded: &Plugin) -> bool {
    let digest = loaded.digest();
    let pinned = plugin
        .sha256
        .as_deref()
        .is_none_or(|pin| pin.eq_ignore_ascii_case(digest));
    let same_place = match plugin.source() {
        Ok(PluginSource::File(path)) => loaded.path() == Some(path),
        Ok(PluginSource::Embedded(_)) => loaded.path().is_none(),
        Err(_) => false,
    };
    pinned && same_place && (plugin.wasi.is_some() || !loaded.has_wasi()) && loaded.is_current()
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        State {
            cache: Cache::new(&config.cache).map(Arc::new),
            prices: Arc::new(PriceList::new(
                config.prices.clone(),
                config.user_prices.clone(),
            )),
            config: Arc::new(config),
            engine: OnceLock::new(),
            plugins: Mutex::default(),
            filter_engine: OnceLock::new(),
            filters: Mutex::default(),
            clients: Mutex::default(),
            peers: Mutex::default(),
        }
    }

    /// Takes over what the state before has and this one would make alike: the engine, components
    /// whose files are the same, connections, kept answers. Components that are new or changed are
    /// loaded now; gives their names.
    pub(super) async fn succeed(&mut self, old: &State) -> Result<Vec<String>> {
        // How many exchanges run at one time is settled when the engine is made.
        let of_plugins = |limits: &config::Limits| {
            (
                limits.plugin_memory,
                limits.plugin_cpu,
                limits.plugin_output,
                limits.exchange_cpu,
                limits.exchange_events,
                limits.exchange_output,
            )
        };
        let same_engine = of_plugins(&self.config.limits) == of_plugins(&old.config.limits);
        if let (true, Some(Ok(engine))) = (same_engine, old.engine.get()) {
            let _ = self.engine.set(Ok(engine.clone()));
        }
        if self.config.cache == old.config.cache {
            self.cache.clone_from(&old.cache);
        }
        // A certificate may have changed in its file.
        let clients = lock(&old.clients).clone().into_iter();
        lock(&self.clients)
            .extend(clients.filter(|(key, _)| key.ca_file.is_none() && key.client_cert.is_none()));
        let needed: BTreeMap<_, _> = self
            .config
            .models
            .values()
            .filter(|model| model.enabled)
            .map(|model| (&model.provider.plugin.name, &model.provider.plugin))
            .collect();
        // Those that are looked for each time are what they are, whatever the configuration says.
        if same_engine {
            let looked_for = lock(&old.plugins).clone().into_iter();
            lock(&self.plugins).extend(looked_for.filter(|(_, loaded)| loaded.mark.is_some()));
        }
        let mut changed = vec![];
        for (name, plugin) in needed {
            let loaded = lock(&old.plugins)
                .get(name)
                .and_then(|loaded| loaded.cell.get().cloned());
            match loaded {
                Some(loaded) if same_engine && is_as_loaded(plugin, &loaded) => {
                    let cell = Arc::new(OnceCell::new_with(Some(loaded)));
                    let mark = plugin.mark.clone();
                    lock(&self.plugins).insert(name.clone(), Loaded { mark, cell });
                }
                None if plugin.source().is_err() => {}
                loaded => {
                    let now = self.plugin(plugin).await?;
                    if loaded.is_some_and(|loaded| loaded.digest() != now.digest()) {
                        changed.push(name.clone());
                    }
                }
            }
        }
        changed.extend(self.succeed_filters(old, same_engine).await?);
        Ok(changed)
    }

    /// The provider of this name.
    pub(super) fn provider(&self, name: &str) -> Result<Arc<config::Provider>> {
        let found = self.config.provider(name);
        found.ok_or_else(|| Error::configuration(self.config.unknown_provider(name)))
    }

    /// The engine, made when it is first needed.
    fn engine(&self) -> Result<PluginEngine> {
        self.engine
            .get_or_init(|| self.new_engine(self.config.limits.max_concurrency))
            .clone()
    }

    /// An engine for so many instances at one time.
    fn new_engine(&self, max_instances: u32) -> Result<PluginEngine> {
        let limits = &self.config.limits;
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        PluginEngine::new(EngineOptions {
            limits: Limits {
                memory_bytes: bytes(limits.plugin_memory),
                cpu_ms: millis(limits.plugin_cpu),
                output_bytes: bytes(limits.plugin_output),
                exchange: ExchangeLimits {
                    cpu_ms: millis(limits.exchange_cpu),
                    events: limits.exchange_events,
                    output_bytes: limits.exchange_output,
                },
            },
            max_instances,
            cache_dir: code_directory(),
        })
        .map_err(Error::from)
    }

    /// A plugin, loaded when it is first needed. Those who come meanwhile wait for the same.
    pub(super) async fn plugin(&self, plugin: &config::Plugin) -> Result<Plugin> {
        let cell = {
            let mut plugins = lock(&self.plugins);
            let loaded = plugins.entry(plugin.name.clone()).or_default();
            if loaded.mark != plugin.mark {
                *loaded = Loaded {
                    mark: plugin.mark.clone(),
                    cell: Arc::default(),
                };
            }
            loaded.cell.clone()
        };
        cell.get_or_try_init(|| async {
            let missing =
                |missing: config::MissingPlugin| Error::configuration(missing.to_string());
            let (file, embedded) = match plugin.source().map_err(missing)? {
                PluginSource::File(path) => (Some(path.to_owned()), None),
                PluginSource::Embedded(embedded) => (None, Some(embedded)),
            };
            let options = LoadOptions {
                sha256: plugin.sha256.clone(),
                wasi_deny_all: plugin.wasi.is_some(),
            };
            let (engine, name) = (self.engine()?, plugin.name.clone());
            // Compiling takes most of a second: not on a thread that serves others.
            let handle = tokio::runtime::Handle::current();
            let loaded = tokio::task::spawn_blocking(move || {
                handle.block_on(async {
                    match (file, embedded) {
                        (Some(file), _) => engine.load(&name, &file, &options).await,
                        (None, Some(embedded)) => engine.load_embedded(embedded, &options).await,
                        (None, None) => Err(PluginError::Engine("no component".to_owned())),
                    }
                })
            })
            .await
            .map_err(|error| Error::configuration(format!("loading failed: {error}")))?;
            let loaded =
                loaded.map_err(|error| Error::configuration(Error::from(error).message.clone()))?;
            // No error: a name gives a component nothing, and files are renamed for good reasons.
            if loaded.info().name != loaded.name() {
                tracing::warn!(
                    "the plugin {:?} ({}) calls itself {:?}: is it the right file?",
                    loaded.name(),
                    loaded
                        .path()
                        .unwrap_or(Path::new("of this program"))
                        .display(),
                    loaded.info().name
                );
            }
            Ok(loaded)
        })
        .await
        .cloned()
    }

    /// Whether this is still what is loaded of a plugin whose file is looked at each time.
    pub(super) fn holds(&self, plugin: &config::Plugin, used: &Plugin) -> bool {
        let is_used = |loaded: &Loaded| {
            let now = loaded.cell.get();
            loaded.mark == plugin.mark && now.is_some_and(|now| now.digest() == used.digest())
        };
        plugin.mark.is_none() || lock(&self.plugins).get(&plugin.name).is_some_and(is_used)
    }

    /// What was prepared for exchanges with a model.
    pub(super) fn peer(&self, model: &str) -> Option<Arc<Peer>> {
        lock(&self.peers).get(model).cloned()
    }

    /// Keeps what was prepared for the next exchanges.
    pub(super) fn keep_peer(&self, model: &str, peer: Arc<Peer>) {
        let mut peers = lock(&self.peers);
        // Any name behind a provider's is a model: callers may name more than there are.
        if peers.len() >= self.config.models.len() + MOST_IMPLIED {
            peers.retain(|name, _| self.config.models.contains_key(name));
        }
        peers.insert(model.to_owned(), peer);
    }

    /// The HTTP client for an endpoint; endpoints that are reached alike share one.
    pub(super) fn client(&self, endpoint: &Endpoint) -> HttpClient {
        let key = ClientKey {
            proxy: endpoint.proxy.clone(),
            ca_file: endpoint.ca_file.clone(),
            client_cert: endpoint.client_cert.clone(),
            client_key: endpoint.client_key.clone(),
            connect: endpoint.timeouts.connect,
        };
        lock(&self.clients)
            .entry(key.clone())
            .or_insert_with(|| {
                HttpClient::new(ClientOptions {
                    connect_timeout: key.connect,
                    ca_file: key.ca_file,
                    client_cert: key.client_cert,
                    client_key: key.client_key,
                    proxy: match key.proxy {
                        Proxy::Environment => ProxyChoice::Environment,
                        Proxy::None => ProxyChoice::None,
                        Proxy::Through(url) => ProxyChoice::Fixed(url.into()),
                    },
                })
            })
            .clone()
    }

    /// What answers cost.
    pub(super) fn prices(&self) -> Arc<PriceList> {
        self.prices.clone()
    }

    /// Kept answers, if they are kept.
    pub(super) fn cache(&self) -> Option<Arc<Cache>> {
        self.cache.clone()
    }
}
