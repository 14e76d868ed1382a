//! Reads a stream of JSON lines.
//!
//! Each line adds thoughts, text or whole tool calls; the one with `done` completes the answer
//! and has the counts.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::{Decoder, Error, Frame, Target, ToolCallStart};

use crate::decode::{chunk, finish, pictures, tool_call, usage};
use crate::wire::{Call, Said};

/// One streamed answer.
pub struct Lines {
    /// The model's name has been reported.
    named: bool,
    /// Tool calls so far. Old servers do not number them.
    calls: u32,
    /// Something of the answer came.
    said: bool,
}

impl Decoder for Lines {
    fn new(_: &Target) -> Self {
        Lines {
            named: false,
            calls: 0,
            said: false,
        }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        let line = frame.data.trim();
        if line.is_empty() {
            return Ok(());
        }
        let mut chunk = chunk(line)?;
        if let Some(model) = chunk
            .model
            .as_deref()
            .filter(|name| !self.named && !name.is_empty())
        {
            self.named = true;
            events.started(None, Some(model));
        }
        if let Some(said) = chunk.message.take() {
            self.said(said, events);
        }
        if chunk.done == Some(true) {
            let usage = usage(&chunk, self.said);
            if !usage.is_unknown() {
                events.usage(usage);
            }
            let finish = finish(chunk.done_reason, self.calls > 0);
            events.finished(finish.reason, finish.raw);
            events.done();
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Events) -> Result<(), Error> {
        Err(Error::truncated())
    }
}

impl Lines {
    fn said(&mut self, said: Said<'_>, events: &mut Events) {
        let thinking = said.thinking.unwrap_or_default();
        let content = said.content.unwrap_or_default();
        let pictures = said.images.and_then(pictures);
        self.said |= !thinking.is_empty() || !content.is_empty() || pictures.is_some();
        events.reasoning(thinking);
        events.text(content);
        if let Some(pictures) = pictures {
            events.opaque(pictures);
        }
        for call in said.tool_calls.unwrap_or_default() {
            self.call(call, events);
        }
    }

    fn call(&mut self, call: Call<'_>, events: &mut Events) {
        let Some(call) = tool_call(call) else {
            return;
        };
        let index = self.calls;
        self.calls = index.saturating_add(1);
        self.said = true;
        events.tool_call_start(ToolCallStart {
            index,
            id: call.id,
            name: call.name,
            signature: None,
        });
        events.tool_call_delta(index, call.arguments);
    }
}

#[cfg(test)]
mod tests;
