//! An answer as it comes: named events, of which `message_stop` is the last.
//!
//! What an event is says its `type`. Unknown events, blocks and deltas are passed over: the
//! vendor's versioning policy allows new ones at any time.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, Frame, Target};

use crate::error;
use crate::extra::Extra;
use crate::usage::Counts;
use crate::wire;

pub(crate) mod blocks;
mod call;
mod own;

use blocks::Blocks;

/// Reads one stream.
#[derive(Default)]
pub struct Decoder {
    blocks: Blocks,
    counts: Counts,
    extra: Extra,
    finished: bool,
}

/// The events that mean something here.
fn is_known(kind: &str) -> bool {
    matches!(
        kind,
        "message_start"
            | "content_block_start"
            | "content_block_delta"
            | "content_block_stop"
            | "message_delta"
            | "message_stop"
            | "error"
    )
}

impl multillm_plugin_sdk::Decoder for Decoder {
    fn new(_: &Target) -> Self {
        Self::default()
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        let named = frame.event.as_deref().unwrap_or_default();
        let event = match Json::parse(&frame.data) {
            Ok(event @ Json::Object(_)) => event,
            _ => return unreadable(frame, named),
        };
        match event.text("type").unwrap_or(named) {
            "message_start" => self.start(&event, events),
            "content_block_start" => {
                if let Some(block) = event.get("content_block") {
                    self.counts.own_block(block);
                }
                self.blocks.start(&event, &frame.data, events)?;
            }
            "content_block_delta" => self.blocks.delta(&event, events)?,
            "content_block_stop" => self.blocks.stop(&event, events),
            "message_delta" => self.delta(&event, events)?,
            "message_stop" => {
                self.blocks.stop_all(events);
                if !self.finished {
                    self.finish(None, events);
                }
                let usage = self.counts.billed(self.blocks.any());
                if !usage.is_plain() {
                    events.usage(usage);
                }
                if let Some(container) = self.extra.container() {
                    events.opaque(container);
                }
                if let Some(extra) = self.extra.text() {
                    events.extra(extra);
                }
                events.done();
            }
            "error" => return Err(error::in_band(&event)),
            _ => {
                if let Some(failure) = error::inside(&event) {
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Events) -> Result<(), Error> {
        Err(Error::truncated())
    }
}

impl Decoder {
    fn start(&mut self, event: &Json<'_>, events: &mut Events) {
        if let Some(message) = event.get("message") {
            events.started(message.text("id"), message.text("model"));
            self.counts.begin(message);
            self.extra.message(message);
            self.count(events);
        }
    }

    fn delta(&mut self, event: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        self.counts.update(event);
        self.extra.event(event);
        self.count(events);
        let delta = event.get("delta");
        if let Some(reason) = delta.and_then(|delta| delta.text("stop_reason")) {
            self.blocks.stop_all(events);
            if let Some(failure) = wire::failed(Some(reason)) {
                return Err(failure);
            }
            self.finish(Some(reason), events);
        }
        Ok(())
    }

    fn count(&mut self, events: &mut Events) {
        let usage = self.counts.unified(self.blocks.any());
        if !usage.is_unknown() {
            events.usage(usage);
        }
    }

    fn finish(&mut self, raw: Option<&str>, events: &mut Events) {
        let finish = wire::finish(raw, self.blocks.has_tool_calls());
        events.finished(finish.reason, finish.raw);
        self.finished = true;
    }
}

/// A frame that is no event as known here: passed over if its name says so.
fn unreadable(frame: &Frame, named: &str) -> Result<(), Error> {
    let data = frame.data.trim();
    if named == "error" {
        let mut error = error::in_band(&Json::parse(data).unwrap_or_default());
        if !data.is_empty() {
            data.clone_into(&mut error.message);
        }
        return Err(error);
    }
    // Gateways end their streams with `[DONE]`, whatever the vendor behind them does.
    let is_foreign = !named.is_empty() && !is_known(named);
    if is_foreign || data.is_empty() || data == "[DONE]" {
        return Ok(());
    }
    Err(Error::malformed("an event of the stream is no JSON object"))
}

#[cfg(test)]
mod tests;
