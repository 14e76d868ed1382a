//! Contract 0.1.0.

use wasmtime::component::{Component, ComponentExportIndex, ResourceAny, TypedFunc};

use super::{Answered, Called, Finder, Running, absent};
use crate::chat::{ChatRequest, Unsupported};
use crate::error::{Error, ErrorKind};
use crate::plugin::bindings::v0_1_0::exports::multillm::provider::{chat, metadata};
use crate::plugin::bindings::v0_1_0::listing::exports::multillm::provider::models;
use crate::plugin::bindings::v0_1_0::multillm::provider::{http, types};
use crate::plugin::convert::v0_1_0 as convert;
use crate::plugin::wire;

type Encode<'a> = (&'a types::Target, &'a types::ChatRequest, chat::Mode);
type Decode<'a> = (&'a types::Target, &'a http::Response);
type Push = TypedFunc<(ResourceAny, Vec<http::Frame>), (Vec<chat::ChatEvent>,)>;
type Finish = TypedFunc<(ResourceAny,), (Vec<chat::ChatEvent>,)>;
type OrError<T> = (Result<T, types::Error>,);

/// Says that nothing is left out by a plugin of this contract, where that is wished.
fn leaves_nothing_out(mut error: Error, plugin: &str) -> Error {
    if error.kind == ErrorKind::Unsupported {
        error.message += &format!(
            " (\"unsupported\": \"drop\" does not reach the plugin {plugin:?}, which is built for contract 0.1.0)"
        );
    }
    error
}

/// The functions of a component.
pub(in crate::plugin) struct Exports {
    describe: ComponentExportIndex,
    encode: ComponentExportIndex,
    decode: ComponentExportIndex,
    decode_error: ComponentExportIndex,
    new_decoder: ComponentExportIndex,
    push: ComponentExportIndex,
    finish: ComponentExportIndex,
    models: Option<Models>,
}

struct Models {
    encode: ComponentExportIndex,
    decode: ComponentExportIndex,
}

/// A decoder of the guest's.
pub(in crate::plugin) struct Reader {
    resource: ResourceAny,
    push: Push,
    finish: Finish,
}

impl Exports {
    pub(super) fn of(
        component: &Component,
        named: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let required = |interface: &str| {
            let name = named(interface).ok_or_else(|| format!("no {interface}"))?;
            Ok::<_, String>(Finder::new(component, &name))
        };
        let (metadata, chat) = (required("metadata")?, required("chat")?);
        let models = named("models").map(|name| Finder::new(component, &name));
        Ok(Exports {
            describe: metadata.function("describe")?,
            encode: chat.function("encode")?,
            decode: chat.function("decode")?,
            decode_error: chat.function("decode-error")?,
            new_decoder: chat.function("[constructor]decoder")?,
            push: chat.function("[method]decoder.push")?,
            finish: chat.function("[method]decoder.finish")?,
            models: match models {
                Some(models) => Some(Models {
                    encode: models.function("encode-list")?,
                    decode: models.function("decode-list")?,
                }),
                None => None,
            },
        })
    }

    pub(super) fn check(&self, on: &mut Running) -> Called<()> {
        let Running { store, instance } = on;
        instance.get_typed_func::<(), (metadata::Info,)>(&mut *store, &self.describe)?;
        instance.get_typed_func::<Encode<'_>, OrError<http::Request>>(&mut *store, &self.encode)?;
        instance
            .get_typed_func::<Decode<'_>, OrError<chat::ChatResponse>>(&mut *store, &self.decode)?;
        instance.get_typed_func::<Decode<'_>, (types::Error,)>(&mut *store, &self.decode_error)?;
        instance
            .get_typed_func::<(&types::Target,), (ResourceAny,)>(&mut *store, &self.new_decoder)?;
        let _: Push = instance.get_typed_func(&mut *store, self.push)?;
        let _: Finish = instance.get_typed_func(&mut *store, self.finish)?;
        if let Some(models) = &self.models {
            instance.get_typed_func::<(&types::Target, Option<&str>), OrError<http::Request>>(
                &mut *store,
                &models.encode,
            )?;
            instance
                .get_typed_func::<Decode<'_>, OrError<models::Page>>(&mut *store, &models.decode)?;
        }
        Ok(())
    }

    pub(super) fn lists_models(&self) -> bool {
        self.models.is_some()
    }

    pub(super) async fn describe(&self, on: &mut Running) -> Called<Result<wire::Info, String>> {
        let Running { store, instance } = on;
        let call = instance.get_typed_func::<(), (metadata::Info,)>(&mut *store, &self.describe)?;
        let (info,) = call.call_async(store, ()).await?;
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
        let drops = request.unsupported == Some(Unsupported::Drop);
        let refused = |error| match drops {
            true => leaves_nothing_out(error, plugin),
            false => error,
        };
        let (request, blobs) = match convert::chat_request(request, plugin) {
            Ok(converted) => converted,
            Err(error) => return Ok(Err(refused(error))),
        };
        let Running { store, instance } = on;
        let call = instance
            .get_typed_func::<Encode<'_>, OrError<http::Request>>(&mut *store, &self.encode)?;
        let target = convert::target(target);
        let asked = (&target, &request, convert::mode(stream));
        let (encoded,) = call.call_async(store, asked).await?;
        Ok(encoded
            .map(|encoded| wire::Encoded {
                request: convert::request(encoded),
                blobs,
                warnings: vec![],
            })
            .map_err(|error| refused(convert::error(error))))
    }

    pub(super) async fn decode(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Answered<wire::Answer> {
        let Running { store, instance } = on;
        let call = instance
            .get_typed_func::<Decode<'_>, OrError<chat::ChatResponse>>(&mut *store, &self.decode)?;
        let (target, response) = (convert::target(target), convert::response(response));
        let (decoded,) = call.call_async(store, (&target, &response)).await?;
        Ok(decoded.map(convert::answer).map_err(convert::error))
    }

    pub(super) async fn decode_error(
        &self,
        on: &mut Running,
        target: &wire::Target,
        response: &wire::Response,
    ) -> Called<Error> {
        let Running { store, instance } = on;
        let call = instance
            .get_typed_func::<Decode<'_>, (types::Error,)>(&mut *store, &self.decode_error)?;
        let (target, response) = (convert::target(target), convert::response(response));
        let (error,) = call.call_async(store, (&target, &response)).await?;
        Ok(convert::error(error))
    }

    pub(super) async fn reader(&self, on: &mut Running, target: &wire::Target) -> Called<Reader> {
        let Running { store, instance } = on;
        let call = instance
            .get_typed_func::<(&types::Target,), (ResourceAny,)>(&mut *store, &self.new_decoder)?;
        let target = convert::target(target);
        let (resource,) = call.call_async(&mut *store, (&target,)).await?;
        Ok(Reader {
            resource,
            push: instance.get_typed_func(&mut *store, self.push)?,
            finish: instance.get_typed_func(&mut *store, self.finish)?,
        })
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
        let Running { store, instance } = on;
        let call = instance
            .get_typed_func::<(&types::Target, Option<&str>), OrError<http::Request>>(
                &mut *store,
                &models.encode,
            )?;
        let target = convert::target(target);
        let (encoded,) = call.call_async(store, (&target, cursor)).await?;
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
        let Running { store, instance } = on;
        let call = instance
            .get_typed_func::<Decode<'_>, OrError<models::Page>>(&mut *store, &models.decode)?;
        let (target, response) = (convert::target(target), convert::response(response));
        let (page,) = call.call_async(store, (&target, &response)).await?;
        Ok(page.map(convert::page).map_err(convert::error))
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
        Ok(convert::events(events))
    }

    pub(super) async fn finish(&self, on: &mut Running) -> Called<Vec<wire::Event>> {
        let (events,) = self
            .finish
            .call_async(&mut on.store, (self.resource,))
            .await?;
        Ok(convert::events(events))
    }
}
