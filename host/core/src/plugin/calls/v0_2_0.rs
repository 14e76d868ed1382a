//! Contract 0.2.0.

use bytes::Bytes;
use wasmtime::component::{Component, ResourceAny, TypedFunc};

use super::function::Function;
use super::{Answered, Called, Finder, Running, Wanted, absent};
use crate::chat::ChatRequest;
use crate::error::Error;
use crate::plugin::bindings::v0_2_0::exports::multillm::provider::{
    embeddings, metadata, models, relay,
};
use crate::plugin::bindings::v0_2_0::multillm::provider::{http, types};
use crate::plugin::convert::v0_2_0::{self as convert, asked};
use crate::plugin::wire;

type Target = asked::Target<'static>;
type Response = asked::Response<'static>;
type OrError<T> = (Result<T, types::Error>,);
type Frames = (ResourceAny, Vec<http::Frame>);
type Events = (Vec<types::ChatEvent>,);
type Asking<T> = Function<T, OrError<http::Request>>;
type Reading<T> = Function<(Target, Response), OrError<T>>;

/// The functions of a component.
pub(in crate::plugin) struct Exports {
    describe: Function<(), (metadata::Info,)>,
    encode: Asking<(Target, asked::ChatRequest<'static>, types::Mode)>,
    decode: Reading<types::ChatResponse>,
    decode_error: Function<(Target, Response), (types::Error,)>,
    decoder: Decoder,
    models: Option<Models>,
    embeddings: Option<Embeddings>,
    tokens: Option<Tokens>,
    relay: Option<Relay>,
}

struct Models {
    encode: Asking<(Target, Option<&'static str>)>,
    decode: Reading<models::Page>,
}

struct Embeddings {
    batch_limit: Function<(Target,), (u32,)>,
    encode: Asking<(Target, asked::EmbedRequest<'static>)>,
    decode: Reading<embeddings::Vectors>,
}

struct Tokens {
    encode: Asking<(Target, asked::ChatRequest<'static>)>,
    decode: Reading<u64>,
}

struct Relay {
    route: Function<(Target, relay::Operation, types::Mode), OrError<relay::Passage>>,
    read: Reading<types::ChatResponse>,
    reader: Decoder,
}

/// A resource that reads a stream.
struct Decoder {
    new: Function<(Target,), (ResourceAny,)>,
    push: Function<Frames, Events>,
    finish: Function<(ResourceAny,), Events>,
}

/// A decoder or reader of the guest's.
pub(in crate::plugin) struct Reader {
    resource: ResourceAny,
    push: TypedFunc<Frames, Events>,
    finish: TypedFunc<(ResourceAny,), Events>,
    wire: String,
}

impl Decoder {
    fn of(interface: &Finder<'_>, resource: &str) -> Result<Self, String> {
        Ok(Decoder {
            new: interface
                .function(&format!("[constructor]{resource}"))?
                .into(),
            push: interface
                .function(&format!("[method]{resource}.push"))?
                .into(),
            finish: interface
                .function(&format!("[method]{resource}.finish"))?
                .into(),
        })
    }

    fn check(&self, on: &mut Running) -> Called<()> {
        self.new.check(on)?;
        self.push.check(on)?;
        self.finish.check(on)
    }
}

impl Exports {
    pub(super) fn of(
        component: &Component,
        named: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let optional = |interface: &str| {
            let name = named(interface)?;
            Some(Finder::new(component, &name))
        };
        let required =
            |interface: &str| optional(interface).ok_or_else(|| format!("no {interface}"));
        let (metadata, chat) = (required("metadata")?, required("chat")?);
        let models = optional("models").map(|models| {
            Ok::<_, String>(Models {
                encode: models.function("encode-list")?.into(),
                decode: models.function("decode-list")?.into(),
            })
        });
        let embeddings = optional("embeddings").map(|embeddings| {
            Ok::<_, String>(Embeddings {
                batch_limit: embeddings.function("batch-limit")?.into(),
                encode: embeddings.function("encode-embed")?.into(),
                decode: embeddings.function("decode-embed")?.into(),
            })
        });
        let tokens = optional("tokens").map(|tokens| {
            Ok::<_, String>(Tokens {
                encode: tokens.function("encode-count")?.into(),
                decode: tokens.function("decode-count")?.into(),
            })
        });
        let relay = optional("relay").map(|relay| {
            Ok::<_, String>(Relay {
                route: relay.function("route")?.into(),
                read: relay.function("read")?.into(),
                reader: Decoder::of(&relay, "reader")?,
            })
        });
        Ok(Exports {
            describe: metadata.function("describe")?.into(),
            encode: chat.function("encode")?.into(),
            decode: chat.function("decode")?.into(),
            decode_error: chat.function("decode-error")?.into(),
            decoder: Decoder::of(&chat, "decoder")?,
            models: models.transpose()?,
            embeddings: embeddings.transpose()?,
            tokens: tokens.transpose()?,
            relay: relay.transpose()?,
        })
    }

    pub(super) fn check(&self, on: &mut Running) -> Called<()> {
        self.describe.check(on)?;
        self.encode.check(on)?;
        self.decode.check(on)?;
        self.decode_error.check(on)?;
        self.decoder.check(on)?;
        if let Some(models) = &self.models {
            models.encode.check(on)?;
            models.decode.check(on)?;
        }
        if let Some(embeddings) = &self.embeddings {
            embeddings.batch_limit.check(on)?;
            embeddings.encode.check(on)?;
            embeddings.decode.check(on)?;
        }
        if let Some(tokens) = &self.tokens {
            tokens.encode.check(on)?;
            tokens.decode.check(on)?;
        }
        if let Some(relay) = &self.relay {
            relay.route.check(on)?;
            relay.read.check(on)?;
            relay.reader.check(on)?;
        }
        Ok(())
    }

    pub(super) fn lists_models(&self) -> bool {
        self.models.is_some()
    }

    pub(super) fn relays(&self) -> bool {
        self.relay.is_some()
    }

    pub(super) async fn describe(&self, on: &mut Running) -> Called<Result<wire::Info, String>> {
        let call = self.describe.on(on)?;
        let (info,) = call.call_async(&mut on.store, ()).await?;
        Ok(convert::info(info))
    }

    pub(super) async fn encode(
        &self,
        on: &mut Running,
        plugin: &str,
        target: &wire::Target,
        request: &ChatRequest,
        stream: bool,
    ) -> Answered<wire::Encoded> {
        let (request, blobs) = convert::chat_request(request, plugin, &target.wire);
        let call = self.encode.on(on)?;
        let asked = (target.into(), request, convert::mode(stream));
        let (encoded,) = call.call_async(&mut on.store, asked).await?;
        Ok(encoded
            .map(|encoded| convert::encoded(encoded, blobs))
            .map_err(convert::error))
    }

    pub(super) async fn decode(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<wire::Answer> {
        let call = self.decode.on(on)?;
        let asked = (target.into(), response.into());
        let (decoded,) = call.call_async(&mut on.store, asked).await?;
        Ok(decoded
            .map(|answer| convert::answer(answer, &target.wire))
            .map_err(convert::error))
    }

    pub(super) async fn decode_error(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Called<Error> {
        let call = self.decode_error.on(on)?;
        let asked = (target.into(), response.into());
        let (error,) = call.call_async(&mut on.store, asked).await?;
        Ok(convert::error(error))
    }

    pub(super) async fn reader(
        &self,
        on: &mut Running,
        target: &wire::Target,
        wanted: Wanted,
    ) -> Answered<Reader> {
        let decoder = match (wanted, &self.relay) {
            (Wanted::Answer, _) => &self.decoder,
            (Wanted::End, Some(relay)) => &relay.reader,
            (Wanted::End, None) => {
                return Ok(Err(absent("bodies of callers are not passed on")));
            }
        };
        let call = decoder.new.on(on)?;
        let (resource,) = call.call_async(&mut on.store, (target.into(),)).await?;
        Ok(Ok(Reader {
            resource,
            push: decoder.push.on(on)?,
            finish: decoder.finish.on(on)?,
            wire: target.wire.clone(),
        }))
    }

    pub(super) async fn encode_list(
        &self,
        on: &mut Running,
        target: &wire::Target,
        cursor: Option<&str>,
    ) -> Answered<wire::Request> {
        let Some(models) = &self.models else {
            return Ok(Err(absent("models are not listed")));
        };
        let call = models.encode.on(on)?;
        let (encoded,) = call
            .call_async(&mut on.store, (target.into(), cursor))
            .await?;
        Ok(encoded.map(convert::request).map_err(convert::error))
    }

    pub(super) async fn decode_list(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<wire::ModelPage> {
        let Some(models) = &self.models else {
            return Ok(Err(absent("models are not listed")));
        };
        let call = models.decode.on(on)?;
        let asked = (target.into(), response.into());
        let (page,) = call.call_async(&mut on.store, asked).await?;
        Ok(page.map(convert::page).map_err(convert::error))
    }

    pub(super) async fn route(
        &self,
        on: &mut Running,
        target: &wire::Target,
        operation: wire::Operation,
        stream: bool,
    ) -> Answered<wire::Route> {
        let Some(relay) = &self.relay else {
            return Ok(Err(absent("bodies of callers are not passed on")));
        };
        let call = relay.route.on(on)?;
        let asked = (
            target.into(),
            convert::operation(operation),
            convert::mode(stream),
        );
        let (route,) = call.call_async(&mut on.store, asked).await?;
        Ok(route.map(convert::route).map_err(convert::error))
    }

    pub(super) async fn read(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<wire::Answer> {
        let Some(relay) = &self.relay else {
            return Ok(Err(absent("bodies of callers are not passed on")));
        };
        let call = relay.read.on(on)?;
        let asked = (target.into(), response.into());
        let (read,) = call.call_async(&mut on.store, asked).await?;
        Ok(read
            .map(|answer| convert::answer(answer, &target.wire))
            .map_err(convert::error))
    }

    pub(super) async fn batch_limit(
        &self,
        on: &mut Running,
        target: &wire::Target,
    ) -> Answered<u32> {
        let Some(embeddings) = &self.embeddings else {
            return Ok(Err(absent("there are no embeddings")));
        };
        let call = embeddings.batch_limit.on(on)?;
        let (limit,) = call.call_async(&mut on.store, (target.into(),)).await?;
        Ok(Ok(limit))
    }

    pub(super) async fn encode_embed(
        &self,
        on: &mut Running,
        target: &wire::Target,
        request: &wire::EmbedRequest,
    ) -> Answered<wire::Request> {
        let Some(embeddings) = &self.embeddings else {
            return Ok(Err(absent("there are no embeddings")));
        };
        let call = embeddings.encode.on(on)?;
        let asked = (target.into(), convert::embed_request(request));
        let (encoded,) = call.call_async(&mut on.store, asked).await?;
        Ok(encoded.map(convert::request).map_err(convert::error))
    }

    pub(super) async fn decode_embed(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<wire::Vectors> {
        let Some(embeddings) = &self.embeddings else {
            return Ok(Err(absent("there are no embeddings")));
        };
        let call = embeddings.decode.on(on)?;
        let asked = (target.into(), response.into());
        let (vectors,) = call.call_async(&mut on.store, asked).await?;
        Ok(vectors
            .map(|vectors| convert::vectors(vectors, &target.wire))
            .map_err(convert::error))
    }

    pub(super) async fn encode_count(
        &self,
        on: &mut Running,
        plugin: &str,
        target: &wire::Target,
        request: &ChatRequest,
    ) -> Answered<(wire::Request, Vec<Bytes>)> {
        let Some(tokens) = &self.tokens else {
            return Ok(Err(absent("tokens are not counted")));
        };
        let (request, blobs) = convert::chat_request(request, plugin, &target.wire);
        let call = tokens.encode.on(on)?;
        let (encoded,) = call
            .call_async(&mut on.store, (target.into(), request))
            .await?;
        Ok(encoded
            .map(|encoded| (convert::request(encoded), blobs))
            .map_err(convert::error))
    }

    pub(super) async fn decode_count(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<u64> {
        let Some(tokens) = &self.tokens else {
            return Ok(Err(absent("tokens are not counted")));
        };
        let call = tokens.decode.on(on)?;
        let asked = (target.into(), response.into());
        let (counted,) = call.call_async(&mut on.store, asked).await?;
        Ok(counted.map_err(convert::error))
    }
}

impl Reader {
    pub(super) async fn push(
        &self,
        on: &mut Running,
        frames: Vec<wire::Frame>,
    ) -> Called<Vec<wire::Event>> {
        let frames = convert::frames(frames);
        let (events,) = self
            .push
            .call_async(&mut on.store, (self.resource, frames))
            .await?;
        Ok(convert::events(events, &self.wire))
    }

    pub(super) async fn finish(&self, on: &mut Running) -> Called<Vec<wire::Event>> {
        let (events,) = self
            .finish
            .call_async(&mut on.store, (self.resource,))
            .await?;
        Ok(convert::events(events, &self.wire))
    }
}
