//! One fresh instance of a plugin, for one exchange.

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{Instance, ResourceAny, ResourceTable};
use wasmtime::{Store, Trap};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::bindings::Provider;
use super::bindings::listing::ModelsOnly;
use super::limits::{Meter, Used};
use super::load::Inner;
use super::{PluginError, compiler, convert, wire};
use crate::chat::ChatRequest;
use crate::error::Error;

/// The most events that one batch of frames may mean, for each frame and for a batch.
const MAX_EVENTS: usize = 100_000;

/// What the host keeps beside an instance.
pub(super) struct State {
    meter: Meter,
    /// Only for plugins that were given an empty WASI.
    wasi: Option<(WasiCtx, ResourceTable)>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (ctx, table) = self
            .wasi
            .get_or_insert_with(|| (WasiCtx::builder().build(), ResourceTable::new()));
        WasiCtxView { ctx, table }
    }
}

/// A fresh instance.
pub struct Session {
    store: Store<State>,
    instance: Instance,
    provider: Provider,
    plugin: std::sync::Arc<Inner>,
    _slot: OwnedSemaphorePermit,
}

/// A stream decoder inside a session.
pub struct Decoder {
    session: Session,
    resource: ResourceAny,
    used: Used,
}

impl Session {
    pub(super) async fn start(plugin: &std::sync::Arc<Inner>) -> Result<Self, PluginError> {
        let started = instantiate(plugin).await?;
        Ok(Session {
            store: started.store,
            instance: started.instance,
            provider: started.provider,
            plugin: plugin.clone(),
            _slot: started.slot,
        })
    }

    /// Asks a plugin that is still being loaded to describe itself.
    pub(super) async fn describe(plugin: &Inner) -> Result<wire::Info, PluginError> {
        let mut started = instantiate(plugin).await?;
        let described = started
            .provider
            .multillm_provider_metadata()
            .call_describe(&mut started.store)
            .await
            .map_err(|error| failure(plugin, &started.store, "describe", &error))?;
        convert::info(described).map_err(|reason| PluginError::BadDescription {
            plugin: plugin.name().to_owned(),
            reason,
        })
    }

    fn begin(&mut self) {
        self.store.data_mut().meter.begin_call();
    }

    fn failed(&self, call: &'static str, error: &wasmtime::Error) -> PluginError {
        failure(&self.plugin, &self.store, call, error)
    }

    /// The request that asks the vendor this, and the pictures that belong into it.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed; inside, it says that this cannot be asked.
    pub async fn encode(
        &mut self,
        target: &wire::Target,
        request: &ChatRequest,
        stream: bool,
    ) -> Result<Result<(wire::Request, Vec<Bytes>), Error>, PluginError> {
        self.begin();
        let (request, blobs) = convert::chat_request(request, self.plugin.name());
        self.provider
            .multillm_provider_chat()
            .call_encode(
                &mut self.store,
                &convert::target(target),
                &request,
                convert::mode(stream),
            )
            .await
            .map(|encoded| {
                encoded
                    .map(|encoded| (convert::request(encoded), blobs))
                    .map_err(convert::error)
            })
            .map_err(|error| self.failed("encode", &error))
    }

    /// Reads a success that came whole.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed; inside, the answer did.
    pub async fn decode(
        &mut self,
        target: &wire::Target,
        response: wire::Response,
    ) -> Result<Result<wire::Answer, Error>, PluginError> {
        self.begin();
        self.provider
            .multillm_provider_chat()
            .call_decode(
                &mut self.store,
                &convert::target(target),
                &convert::response(response),
            )
            .await
            .map(|decoded| decoded.map(convert::answer).map_err(convert::error))
            .map_err(|error| self.failed("decode", &error))
    }

    /// Classifies a failure.
    ///
    /// # Errors
    ///
    /// The plugin failed.
    pub async fn decode_error(
        &mut self,
        target: &wire::Target,
        response: wire::Response,
    ) -> Result<Error, PluginError> {
        self.begin();
        self.provider
            .multillm_provider_chat()
            .call_decode_error(
                &mut self.store,
                &convert::target(target),
                &convert::response(response),
            )
            .await
            .map(convert::error)
            .map_err(|error| self.failed("decode-error", &error))
    }

    /// Begins to read a stream.
    ///
    /// # Errors
    ///
    /// The plugin failed.
    pub async fn into_decoder(mut self, target: &wire::Target) -> Result<Decoder, PluginError> {
        self.begin();
        let made = self
            .provider
            .multillm_provider_chat()
            .decoder()
            .call_constructor(&mut self.store, &convert::target(target))
            .await;
        match made {
            Ok(resource) => Ok(Decoder {
                session: self,
                resource,
                used: Used::default(),
            }),
            Err(error) => Err(self.failed("decoder", &error)),
        }
    }

    /// The request for a page of the vendor's list of models.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed or has no list; inside, it says that there is none here.
    pub async fn encode_list(
        &mut self,
        target: &wire::Target,
        cursor: Option<&str>,
    ) -> Result<Result<wire::Request, Error>, PluginError> {
        self.begin();
        let listing = self.listing()?;
        listing
            .multillm_provider_models()
            .call_encode_list(&mut self.store, &convert::target(target), cursor)
            .await
            .map(|encoded| encoded.map(convert::request).map_err(convert::error))
            .map_err(|error| self.failed("encode-list", &error))
    }

    /// Reads a page of the vendor's list of models.
    ///
    /// # Errors
    ///
    /// As [`Session::decode`].
    pub async fn decode_list(
        &mut self,
        target: &wire::Target,
        response: wire::Response,
    ) -> Result<Result<wire::ModelPage, Error>, PluginError> {
        self.begin();
        let listing = self.listing()?;
        listing
            .multillm_provider_models()
            .call_decode_list(
                &mut self.store,
                &convert::target(target),
                &convert::response(response),
            )
            .await
            .map(|decoded| decoded.map(convert::page).map_err(convert::error))
            .map_err(|error| self.failed("decode-list", &error))
    }

    /// The listing half of the same instance.
    fn listing(&mut self) -> Result<ModelsOnly, PluginError> {
        let missing = || PluginError::WrongWorld {
            plugin: self.plugin.name().to_owned(),
            found: "no models".to_owned(),
            needed: "multillm:provider/models@0.1.0".to_owned(),
        };
        let indices = self.plugin.listing.as_ref().ok_or_else(missing)?;
        indices
            .load(&mut self.store, &self.instance)
            .map_err(|_| missing())
    }
}

impl Decoder {
    /// What a batch of frames means.
    ///
    /// # Errors
    ///
    /// The plugin failed.
    pub async fn push(
        &mut self,
        frames: Vec<wire::Frame>,
    ) -> Result<Vec<wire::Event>, PluginError> {
        self.session.begin();
        let frames = convert::frames(frames);
        let chat = self.session.provider.multillm_provider_chat();
        let decoder = chat.decoder();
        let call = decoder.call_push(&mut self.session.store, self.resource, &frames);
        let events = self
            .used
            .computing(call)
            .await
            .map_err(|error| self.session.failed("decoder.push", &error))?;
        self.checked("decoder.push", convert::events(events))
    }

    /// The body has ended.
    ///
    /// # Errors
    ///
    /// The plugin failed.
    pub async fn finish(&mut self) -> Result<Vec<wire::Event>, PluginError> {
        self.session.begin();
        let chat = self.session.provider.multillm_provider_chat();
        let decoder = chat.decoder();
        let call = decoder.call_finish(&mut self.session.store, self.resource);
        let events = self
            .used
            .computing(call)
            .await
            .map_err(|error| self.session.failed("decoder.finish", &error))?;
        self.checked("decoder.finish", convert::events(events))
    }

    /// Gives the session back, to read a body that turned out to be no stream.
    #[must_use]
    pub fn into_session(self) -> Session {
        self.session
    }

    fn checked(
        &mut self,
        call: &'static str,
        events: Vec<wire::Event>,
    ) -> Result<Vec<wire::Event>, PluginError> {
        if events.len() > MAX_EVENTS {
            return Err(PluginError::Output {
                plugin: self.session.plugin.name().to_owned(),
                call,
                reason: format!("{} events, at most {MAX_EVENTS} are read", events.len()),
            });
        }
        let limits = &self.session.plugin.engine.inner.limits.exchange;
        match self.used.gave(&events, limits) {
            None => Ok(events),
            Some(what) => Err(PluginError::Exchange {
                plugin: self.session.plugin.name().to_owned(),
                what,
            }),
        }
    }
}

/// A running instance and its place among the others.
struct Started {
    store: Store<State>,
    instance: Instance,
    provider: Provider,
    slot: OwnedSemaphorePermit,
}

async fn instantiate(plugin: &Inner) -> Result<Started, PluginError> {
    let shared = &plugin.engine.inner;
    let closed = |_| PluginError::Engine("it was shut down".to_owned());
    let slot = shared.slots.clone().acquire_owned().await.map_err(closed)?;
    plugin.engine.start_clock()?;
    let mut store = Store::new(
        &shared.engine,
        State {
            meter: Meter::new(shared.limits),
            wasi: None,
        },
    );
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(shared.limits.output_bytes);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| Ok(context.data_mut().meter.tick()));
    let instance = plugin
        .pre
        .instantiate_async(&mut store)
        .await
        .map_err(|error| failure(plugin, &store, "start", &error))?;
    let provider = plugin
        .provider
        .load(&mut store, &instance)
        .map_err(|error| failure(plugin, &store, "start", &error))?;
    Ok(Started {
        store,
        instance,
        provider,
        slot,
    })
}

/// What a failed call means.
fn failure(
    plugin: &Inner,
    store: &Store<State>,
    call: &'static str,
    error: &wasmtime::Error,
) -> PluginError {
    let name = plugin.name().to_owned();
    let meter = &store.data().meter;
    if meter.out_of_time {
        return PluginError::Cpu {
            plugin: name,
            call,
            limit_ms: meter.limits().cpu_ms,
        };
    }
    if meter.out_of_memory {
        return PluginError::Memory {
            plugin: name,
            call,
            limit_mb: (meter.limits().memory_bytes >> 20) as u64,
        };
    }
    if compiler::is_memory(error) {
        return PluginError::Engine(format!(
            "there is no memory for an instance of plugin {name:?}: the system gives this program \
             too little (ulimit -v, or the limit of the container): raise it"
        ));
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return PluginError::Trap {
            plugin: name,
            call,
            reason: trap.to_string().replace("wasm trap: ", ""),
        };
    }
    let reason = format!("{:#}", error.root_cause());
    match reason.contains("fuel") {
        true => PluginError::Output {
            plugin: name,
            call,
            reason: format!("more than {} bytes", meter.limits().output_bytes),
        },
        false => PluginError::Trap {
            plugin: name,
            call,
            reason,
        },
    }
}
