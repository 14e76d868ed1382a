//! Reads a stream of JSON lines.
//!
//! Each line adds thoughts, text or whole tool calls; the one with `done` completes the answer
//! and has the counts.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::{Decoder, Error, Frame, Target, ToolCallStart};

use crate::decode::{chunk, finish, tool_call, usage};
use crate::wire::{Call, Said};

/// One streamed answer.
pub struct Lines {
    /// The model's name has been reported.
    named: bool,
    /// Tool calls so far. Old servers do not number them.
    calls: u32,
}

impl Decoder for Lines {
    fn new(_: &Target) -> Self {
        Lines {
            named: false,
            calls: 0,
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
            let usage = usage(&chunk);
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
        events.reasoning(said.thinking.unwrap_or_default());
        events.text(said.content.unwrap_or_default());
        for call in said.tool_calls.unwrap_or_default() {
            self.call(call, events);
        }
    }

    fn call(&mut self, call: Call<'_>, events: &mut Events) {
        let index = self.calls;
        self.calls = index.saturating_add(1);
        let call = tool_call(call);
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
