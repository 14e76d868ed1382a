//! Reads a stream of JSON lines.
//!
//! Each line adds thoughts, text or whole tool calls; the one with `done` completes the answer
//! and has the counts.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Decoder, Error, Frame, Target, ToolCallStart};

use crate::decode::{beyond, chunk, finish, pictures, tool_call, usage};
use crate::wire::{Call, Said};

/// One streamed answer.
pub struct Lines {
    /// The model's name has been reported.
    named: bool,
    /// Tool calls so far. Old servers do not number them.
    calls: u32,
    /// Something of the answer came.
    said: bool,
    /// The probabilities of the tokens so far.
    logprobs: Vec<Json<'static>>,
}

impl Decoder for Lines {
    fn new(_: &Target) -> Self {
        Lines {
            named: false,
            calls: 0,
            said: false,
            logprobs: vec![],
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
        if let Some(said) = chunk.take_said() {
            self.said(said, events);
        }
        let done = chunk.done == Some(true);
        if line.contains(LOGPROBS) || done {
            self.beyond(line, done, events);
        }
        if done {
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

/// The member with the probabilities of a line's tokens.
const LOGPROBS: &str = "logprobs";

impl Lines {
    /// What a line says beyond the contract: each may have probabilities, the last has the rest.
    fn beyond(&mut self, line: &str, done: bool, events: &mut Events) {
        let mut extra = beyond(line);
        if let Some(Json::Object(members)) = &mut extra {
            let at = members.iter().position(|(name, _)| name == LOGPROBS);
            if let Some((_, Json::List(list))) = at.map(|at| members.remove(at)) {
                self.logprobs.extend(list);
            }
        }
        if !done {
            return;
        }
        let mut extra = extra.unwrap_or_else(|| Json::object([]));
        if !self.logprobs.is_empty() {
            let all = std::mem::take(&mut self.logprobs);
            extra.merge(Json::object([(LOGPROBS, Json::List(all))]));
        }
        if extra != Json::object([]) {
            events.extra(extra.to_string());
        }
    }

    fn said(&mut self, said: Said<'_>, events: &mut Events) {
        let thinking = said.thinking.unwrap_or_default();
        let content = said.content.unwrap_or_default();
        let pictures = pictures(said.images, said.image);
        self.said |= !thinking.is_empty() || !content.is_empty() || !pictures.is_empty();
        events.reasoning(thinking);
        events.text(content);
        for picture in pictures {
            events.media(picture);
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
            ..ToolCallStart::default()
        });
        events.tool_call_delta(index, call.arguments);
    }
}

#[cfg(test)]
mod tests;
