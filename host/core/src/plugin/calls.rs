//! What a component exports, and calling it: a file for each version of the contract. Nothing outside
//! `plugin` knows of versions.

mod function;
mod v0_1_0;
mod v0_2_0;

use bytes::Bytes;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance};

pub(super) use self::function::Function;
use super::inspect::Version;
use super::session::State;
use super::wire;
use crate::chat::ChatRequest;
use crate::error::{Error, ErrorKind};

/// A running instance.
pub(super) struct Running {
    pub(super) store: Store<State>,
    pub(super) instance: Instance,
}

/// A call's result: outside, the guest failed; inside, what it returned.
pub(super) type Called<T> = wasmtime::Result<T>;
/// The same of a function that may say no.
pub(super) type Answered<T> = wasmtime::Result<Result<T, Error>>;

/// The functions of a component, found once when it is loaded.
pub(super) enum Exports {
    V0_1(v0_1_0::Exports),
    V0_2(Box<v0_2_0::Exports>),
}

/// Reads one stream inside an instance, until the instance ends.
pub(super) enum Reader {
    V0_1(v0_1_0::Reader),
    V0_2(v0_2_0::Reader),
}

/// Whether what a decoder says is wanted, or only how an answer ends and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Answer,
    End,
}

/// Finds an interface and its functions.
pub(super) struct Finder<'a> {
    component: &'a Component,
    /// As it is exported, version and all.
    interface: String,
    index: Option<ComponentExportIndex>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(component: &'a Component, interface: &str) -> Self {
        Finder {
            component,
            interface: interface.to_owned(),
            index: component.get_export_index(None, interface),
        }
    }

    pub(super) fn function(&self, name: &str) -> Result<ComponentExportIndex, String> {
        let found = self
            .index
            .as_ref()
            .and_then(|index| self.component.get_export_index(Some(index), name));
        found.ok_or_else(|| format!("{} without {name}", self.interface))
    }
}

/// Calls the same function of whichever version.
macro_rules! of_either {
    ($self:ident, $exports:ident => $call:expr) => {
        match $self {
            Exports::V0_1($exports) => $call,
            Exports::V0_2($exports) => $call,
        }
    };
}

impl Exports {
    /// Finds the functions that a version has, under the names by which the component exports them.
    ///
    /// # Errors
    ///
    /// Says what is missing.
    pub(super) fn of(
        component: &Component,
        version: Version,
        named: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        Ok(match version {
            Version::V0_1 => Exports::V0_1(v0_1_0::Exports::of(component, named)?),
            Version::V0_2 => Exports::V0_2(Box::new(v0_2_0::Exports::of(component, named)?)),
        })
    }

    /// Whether all functions have the types that the contract gives them.
    pub(super) fn check(&self, on: &mut Running) -> Called<()> {
        of_either!(self, exports => exports.check(on))
    }

    pub(super) fn lists_models(&self) -> bool {
        of_either!(self, exports => exports.lists_models())
    }

    /// Whether it takes bodies that a caller wrote in its wire.
    pub(super) fn relays(&self) -> bool {
        matches!(self, Exports::V0_2(exports) if exports.relays())
    }

    /// The description; inside, what is wrong with it.
    pub(super) async fn describe(&self, on: &mut Running) -> Called<Result<wire::Info, String>> {
        of_either!(self, exports => exports.describe(on).await)
    }

    pub(super) async fn encode(
        &self,
        on: &mut Running,
        plugin: &str,
        target: &wire::Target,
        request: &ChatRequest,
        stream: bool,
    ) -> Answered<wire::Encoded> {
        of_either!(self, exports => exports.encode(on, plugin, target, request, stream).await)
    }

    pub(super) async fn decode(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<wire::Answer> {
        of_either!(self, exports => exports.decode(on, target, response).await)
    }

    pub(super) async fn decode_error(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Called<Error> {
        of_either!(self, exports => exports.decode_error(on, target, response).await)
    }

    pub(super) async fn encode_list(
        &self,
        on: &mut Running,
        target: &wire::Target,
        cursor: Option<&str>,
    ) -> Answered<wire::Request> {
        of_either!(self, exports => exports.encode_list(on, target, cursor).await)
    }

    pub(super) async fn decode_list(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<wire::ModelPage> {
        of_either!(self, exports => exports.decode_list(on, target, response).await)
    }

    /// Begins to read a stream.
    pub(super) async fn reader(
        &self,
        on: &mut Running,
        target: &wire::Target,
        wanted: Wanted,
    ) -> Answered<Reader> {
        match self {
            Exports::V0_1(exports) => {
                let reader = exports.reader(on, target).await?;
                Ok(Ok(Reader::V0_1(reader)))
            }
            Exports::V0_2(exports) => {
                let reader = exports.reader(on, target, wanted).await?;
                Ok(reader.map(Reader::V0_2))
            }
        }
    }

    /// The way of a body that a caller wrote.
    pub(super) async fn route(
        &self,
        on: &mut Running,
        target: &wire::Target,
        operation: wire::Operation,
        stream: bool,
    ) -> Answered<wire::Route> {
        match self {
            Exports::V0_1(_) => Ok(Err(absent("bodies of callers are not passed on"))),
            Exports::V0_2(exports) => exports.route(on, target, operation, stream).await,
        }
    }

    /// How an answer to such a body ended, and what it took.
    pub(super) async fn read(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<wire::Answer> {
        match self {
            Exports::V0_1(_) => Ok(Err(absent("bodies of callers are not passed on"))),
            Exports::V0_2(exports) => exports.read(on, target, response).await,
        }
    }

    /// The most inputs of one request for embeddings.
    pub(super) async fn batch_limit(
        &self,
        on: &mut Running,
        target: &wire::Target,
    ) -> Answered<u32> {
        match self {
            Exports::V0_1(_) => Ok(Err(absent("there are no embeddings"))),
            Exports::V0_2(exports) => exports.batch_limit(on, target).await,
        }
    }

    pub(super) async fn encode_embed(
        &self,
        on: &mut Running,
        target: &wire::Target,
        request: &wire::EmbedRequest,
    ) -> Answered<wire::Request> {
        match self {
            Exports::V0_1(_) => Ok(Err(absent("there are no embeddings"))),
            Exports::V0_2(exports) => exports.encode_embed(on, target, request).await,
        }
    }

    pub(super) async fn decode_embed(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<wire::Vectors> {
        match self {
            Exports::V0_1(_) => Ok(Err(absent("there are no embeddings"))),
            Exports::V0_2(exports) => exports.decode_embed(on, target, response).await,
        }
    }

    pub(super) async fn encode_count(
        &self,
        on: &mut Running,
        plugin: &str,
        target: &wire::Target,
        request: &ChatRequest,
    ) -> Answered<(wire::Request, Vec<Bytes>)> {
        match self {
            Exports::V0_1(_) => Ok(Err(absent("tokens are not counted"))),
            Exports::V0_2(exports) => exports.encode_count(on, plugin, target, request).await,
        }
    }

    pub(super) async fn decode_count(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<u64> {
        match self {
            Exports::V0_1(_) => Ok(Err(absent("tokens are not counted"))),
            Exports::V0_2(exports) => exports.decode_count(on, target, response).await,
        }
    }
}

impl Reader {
    pub(super) async fn push(
        &self,
        on: &mut Running,
        frames: Vec<wire::Frame>,
    ) -> Called<Vec<wire::Event>> {
        match self {
            Reader::V0_1(reader) => reader.push(on, frames).await,
            Reader::V0_2(reader) => reader.push(on, frames).await,
        }
    }

    pub(super) async fn finish(&self, on: &mut Running) -> Called<Vec<wire::Event>> {
        match self {
            Reader::V0_1(reader) => reader.finish(on).await,
            Reader::V0_2(reader) => reader.finish(on).await,
        }
    }
}

/// What a plugin has no interface for.
fn absent(what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("{what} by this plugin: it has no interface for it"),
    )
}
