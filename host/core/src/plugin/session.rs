//! One fresh instance of a plugin, for one exchange.

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{InstancePre, ResourceTable};
use wasmtime::{Store, Trap};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::calls::{Exports, Running, Wanted};
use super::decoder::Decoder;
use super::limits::Meter;
use super::load::Inner;
use super::{PluginEngine, PluginError, compiler, last_words, wire};
use crate::chat::ChatRequest;
use crate::error::Error;

/// What the host keeps beside an instance.
pub(super) struct State {
    pub(super) meter: Meter,
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
    pub(super) running: Running,
    pub(super) plugin: std::sync::Arc<Inner>,
    _slot: OwnedSemaphorePermit,
}

/// Calls a function of the guest's, and says whose it was if it fails.
macro_rules! call {
    ($session:ident, $name:literal, |$exports:ident, $on:ident| $call:expr) => {{
        $session.running.store.data_mut().meter.begin_call();
        let ($exports, $on) = (&$session.plugin.exports, &mut $session.running);
        let called = $call.await;
        called.map_err(|error| $session.failed($name, &error))
    }};
}

impl Session {
    pub(super) async fn start(plugin: &std::sync::Arc<Inner>) -> Result<Self, PluginError> {
        let (running, slot) = instantiate(plugin).await?;
        Ok(Session {
            running,
            plugin: plugin.clone(),
            _slot: slot,
        })
    }

    /// Asks a plugin that is still being loaded to describe itself, if its functions have the types of
    /// the contract.
    pub(super) async fn describe(plugin: &Inner) -> Result<wire::Info, PluginError> {
        let (mut running, _slot) = instantiate(plugin).await?;
        let exports: &Exports = &plugin.exports;
        exports
            .check(&mut running)
            .map_err(|error| PluginError::WrongWorld {
                plugin: plugin.name().to_owned(),
                found: format!("functions of other types ({error:#})"),
                needed: super::Inspection::needed(),
            })?;
        let described = exports.describe(&mut running).await;
        described
            .map_err(|error| failure(plugin.name(), &mut running.store, "describe", &error))?
            .map_err(|reason| PluginError::BadDescription {
                plugin: plugin.name().to_owned(),
                reason,
            })
    }

    pub(super) fn failed(&mut self, call: &'static str, error: &wasmtime::Error) -> PluginError {
        failure(self.plugin.name(), &mut self.running.store, call, error)
    }

    /// The request that asks the vendor this, and the pictures and files that belong into it.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed; inside, it says that this cannot be asked.
    pub async fn encode(
        &mut self,
        target: &wire::Target,
        request: &ChatRequest,
        stream: bool,
    ) -> Result<Result<wire::Encoded, Error>, PluginError> {
        call!(self, "encode", |exports, on| exports.encode(
            on,
            self.plugin.name(),
            target,
            request,
            stream
        ))
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
        call!(self, "decode", |exports, on| exports
            .decode(on, target, &response))
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
        call!(self, "decode-error", |exports, on| exports
            .decode_error(on, target, &response))
    }

    /// Begins to read a stream.
    ///
    /// # Errors
    ///
    /// The plugin failed.
    pub async fn into_decoder(self, target: &wire::Target) -> Result<Decoder, PluginError> {
        match self.into_reader_of(target, Wanted::Answer).await? {
            Ok(decoder) => Ok(decoder),
            Err(error) => Err(PluginError::Engine(error.message.clone())),
        }
    }

    /// Begins to read how a stream ends and what it takes, and nothing else of it: for an answer to a
    /// body that the caller wrote.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed; inside, it relays nothing.
    pub async fn into_reader(
        self,
        target: &wire::Target,
    ) -> Result<Result<Decoder, Error>, PluginError> {
        self.into_reader_of(target, Wanted::End).await
    }

    async fn into_reader_of(
        mut self,
        target: &wire::Target,
        wanted: Wanted,
    ) -> Result<Result<Decoder, Error>, PluginError> {
        let made = call!(self, "decoder", |exports, on| exports
            .reader(on, target, wanted))?;
        Ok(made.map(|reader| Decoder::new(self, reader)))
    }

    /// The request for a page of the vendor's list of models.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed; inside, it says that there is none here.
    pub async fn encode_list(
        &mut self,
        target: &wire::Target,
        cursor: Option<&str>,
    ) -> Result<Result<wire::Request, Error>, PluginError> {
        call!(self, "encode-list", |exports, on| exports
            .encode_list(on, target, cursor))
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
        call!(self, "decode-list", |exports, on| exports
            .decode_list(on, target, &response))
    }

    /// The way to the vendor of a body that the caller wrote in the target's wire.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed; inside, it does not relay this.
    pub async fn route(
        &mut self,
        target: &wire::Target,
        operation: wire::Operation,
        stream: bool,
    ) -> Result<Result<wire::Route, Error>, PluginError> {
        call!(self, "route", |exports, on| exports
            .route(on, target, operation, stream))
    }

    /// How a whole answer to such a body ended, and what it took.
    ///
    /// # Errors
    ///
    /// As [`Session::decode`].
    pub async fn read(
        &mut self,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Result<Result<wire::Answer, Error>, PluginError> {
        call!(self, "read", |exports, on| exports
            .read(on, target, response))
    }

    /// The most inputs that one request for embeddings may hold.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed; inside, it has no embeddings.
    pub async fn batch_limit(
        &mut self,
        target: &wire::Target,
    ) -> Result<Result<u32, Error>, PluginError> {
        call!(self, "batch-limit", |exports, on| exports
            .batch_limit(on, target))
    }

    /// The request for embeddings.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed; inside, it says that this cannot be asked.
    pub async fn encode_embed(
        &mut self,
        target: &wire::Target,
        request: &wire::EmbedRequest,
    ) -> Result<Result<wire::Request, Error>, PluginError> {
        call!(self, "encode-embed", |exports, on| exports
            .encode_embed(on, target, request))
    }

    /// Reads embeddings.
    ///
    /// # Errors
    ///
    /// As [`Session::decode`].
    pub async fn decode_embed(
        &mut self,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Result<Result<wire::Vectors, Error>, PluginError> {
        call!(self, "decode-embed", |exports, on| exports
            .decode_embed(on, target, response))
    }

    /// The request that counts the tokens of a chat, and the pictures and files that belong into it.
    ///
    /// # Errors
    ///
    /// Outside, the plugin failed; inside, it says that this cannot be asked.
    pub async fn encode_count(
        &mut self,
        target: &wire::Target,
        request: &ChatRequest,
    ) -> Result<Result<(wire::Request, Vec<Bytes>), Error>, PluginError> {
        call!(self, "encode-count", |exports, on| exports.encode_count(
            on,
            self.plugin.name(),
            target,
            request
        ))
    }

    /// Reads the tokens of input.
    ///
    /// # Errors
    ///
    /// As [`Session::decode`].
    pub async fn decode_count(
        &mut self,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Result<Result<u64, Error>, PluginError> {
        call!(self, "decode-count", |exports, on| exports
            .decode_count(on, target, response))
    }
}

/// An instance, and its place among the others.
async fn instantiate(plugin: &Inner) -> Result<(Running, OwnedSemaphorePermit), PluginError> {
    let shared = &plugin.engine.inner;
    let closed = |_| PluginError::Engine("it was shut down".to_owned());
    let slots = || shared.slots.clone();
    let slot = match slots().try_acquire_many_owned(plugin.permits) {
        Ok(slot) => slot,
        Err(_) => {
            shared.tell_of_waiting();
            let waiting = slots().acquire_many_owned(plugin.permits);
            waiting.await.map_err(closed)?
        }
    };
    let running = begin(&plugin.engine, &plugin.pre, plugin.name()).await?;
    Ok((running, slot))
}

/// An instance, for whoever has a place.
pub(super) async fn begin(
    engine: &PluginEngine,
    pre: &InstancePre<State>,
    name: &str,
) -> Result<Running, PluginError> {
    let shared = &engine.inner;
    engine.start_clock()?;
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
    let instance = pre
        .instantiate_async(&mut store)
        .await
        .map_err(|error| failure(name, &mut store, "start", &error))?;
    Ok(Running { store, instance })
}

/// What a failed call means.
pub(super) fn failure(
    name: &str,
    store: &mut Store<State>,
    call: &'static str,
    error: &wasmtime::Error,
) -> PluginError {
    let name = name.to_owned();
    let meter = &store.data().meter;
    let limits = *meter.limits();
    if meter.out_of_time {
        return PluginError::Cpu {
            plugin: name,
            call,
            limit_ms: limits.cpu_ms,
        };
    }
    if meter.out_of_memory {
        return PluginError::Memory {
            plugin: name,
            call,
            limit_mb: (limits.memory_bytes >> 20) as u64,
        };
    }
    if compiler::is_memory(error) {
        return PluginError::Engine(format!(
            "there is no memory for an instance of plugin {name:?}: the system gives this program \
             too little (ulimit -v, or the limit of the container): raise it"
        ));
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        let kind = trap.to_string().replace("wasm trap: ", "");
        let reason = match last_words::of(store, error) {
            // That a panic ends with an instruction which cannot be reached is no news.
            Some(words) if words.starts_with("panicked") => words,
            Some(words) => format!("{kind} {words}"),
            None => kind,
        };
        return PluginError::Trap {
            plugin: name,
            call,
            reason,
        };
    }
    let reason = format!("{:#}", error.root_cause());
    match reason.contains("fuel") {
        true => PluginError::Output {
            plugin: name,
            call,
            reason: format!("more than {} bytes", limits.output_bytes),
        },
        false => PluginError::Trap {
            plugin: name,
            call,
            reason,
        },
    }
}
