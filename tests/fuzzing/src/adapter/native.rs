//! An adapter as plain Rust, with results as the host would get them.

use multillm::error::{Error, Result};
use multillm::plugin::wire;
use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::surrogates::{Halves, mend};
use multillm_plugin_sdk::{ChatEvent, Decoder as _, Frame, ListModels, Response, Target};

use super::convert;

/// The functions of an adapter, whichever it is.
pub(super) struct Native {
    wire: fn() -> Option<String>,
    whole: fn(&Target, &Response) -> Result<wire::Answer>,
    failure: fn(&Target, &Response) -> Error,
    page: fn(&Target, &Response) -> Result<wire::ModelPage>,
    stream: fn(&Target, &[wire::Frame]) -> Vec<wire::Event>,
}

impl Native {
    pub(super) const fn of<P: ListModels>() -> Self {
        Native {
            wire: || P::describe().wires.into_iter().next(),
            whole: |target, response| {
                P::decode(target, response)
                    .map(|answer| convert::answer(answer, &target.wire))
                    .map_err(convert::error)
            },
            failure: |target, response| convert::error(P::decode_error(target, response)),
            page: |target, response| {
                P::decode_list(target, response)
                    .map(convert::page)
                    .map_err(convert::error)
            },
            stream: stream::<P>,
        }
    }

    /// The wire that it encodes.
    pub(super) fn wire(&self) -> String {
        (self.wire)().expect("a wire")
    }

    pub(super) fn whole(&self, on: &wire::Target, answer: &wire::Response) -> Result<wire::Answer> {
        (self.whole)(&target_of(on), &response(answer))
    }

    pub(super) fn failure(&self, on: &wire::Target, answer: &wire::Response) -> Error {
        (self.failure)(&target_of(on), &response(answer))
    }

    pub(super) fn page(&self, on: &wire::Target, page: &wire::Response) -> Result<wire::ModelPage> {
        (self.page)(&target_of(on), &response(page))
    }

    pub(super) fn stream(&self, on: &wire::Target, frames: &[wire::Frame]) -> Vec<wire::Event> {
        (self.stream)(&target_of(on), frames)
    }
}

/// Frame by frame up to the end, whichever it is.
fn stream<P: ListModels>(target: &Target, frames: &[wire::Frame]) -> Vec<wire::Event> {
    let mut decoder = P::Decoder::new(target);
    let mut halves = Halves::default();
    let mut events = Events::new();
    let mut read = Ok(());
    for frame in frames {
        let mut frame = Frame {
            event: frame.event.clone(),
            data: frame.data.clone(),
        };
        halves.mark(&mut frame.data);
        read = decoder.frame(&frame, &mut events);
        if read.is_err() || events.is_over() {
            break;
        }
    }
    if read.is_ok() && !events.is_over() {
        read = decoder.end(&mut events);
    }
    let failed = read.err().map(ChatEvent::Failed);
    let events = events.into_inner().into_iter().chain(failed).collect();
    convert::events(halves.join(events, true), &target.wire)
}

fn target_of(on: &wire::Target) -> Target {
    Target {
        model: on.model.clone(),
        settings: on.settings.clone(),
        wire: on.wire.clone(),
    }
}

fn response(response: &wire::Response) -> Response {
    let mut response = Response {
        status: response.status,
        headers: response.headers.clone(),
        body: response.body.clone(),
    };
    mend(&mut response.body);
    response
}
