//! Reads an answer, event by event.
//!
//! A whole answer is one event and goes through the same [`Reader`], so that
//! streamed and unstreamed answers cannot come out differently.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::outcome::{finish_reason, tool_arguments};
use multillm_plugin_sdk::{
    Decoder, Error, Finish, FinishReason, Frame, Opaque, Target, ToolCallStart, Usage,
};
use serde_json::value::RawValue;

use crate::error;
use crate::partial::PendingCall;
use crate::usage::Counts;
use crate::wire::{self, Candidate, Chunk, FunctionCall, Part};

/// Reads a `streamGenerateContent` stream.
///
/// There is no end marker but the finish reason; the connection's end follows it.
pub struct Stream {
    reader: Reader,
}

impl Decoder for Stream {
    fn new(_: &Target) -> Self {
        Stream {
            reader: Reader::default(),
        }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        match frame.data.trim() {
            // no marker of this vendor's, but proxies in front of it add it
            "" | "[DONE]" => Ok(()),
            data => self.reader.read(data, events),
        }
    }

    fn end(&mut self, events: &mut Events) -> Result<(), Error> {
        self.reader.close(events);
        match self.reader.is_finished() {
            true => {
                events.done();
                Ok(())
            }
            false => Err(Error::truncated()),
        }
    }
}

/// The run of unsigned parts that further text would join.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Run {
    #[default]
    None,
    Text,
    Thought,
}

/// What was read so far.
#[derive(Default)]
pub(crate) struct Reader {
    id: String,
    model: String,
    counts: Counts,
    usage: Option<Usage>,
    run: Run,
    calls: u32,
    pending: Option<PendingCall>,
    raw_finish: Option<String>,
    block_reason: Option<String>,
    finish: Option<Finish>,
    recognised: bool,
}

impl Reader {
    /// Reads an event, or an array of them (a stream that was asked for without `alt=sse`).
    ///
    /// # Errors
    ///
    /// The vendor's own error if there is one, `malformed-response` for what cannot be read.
    pub(crate) fn read(&mut self, json: &str, events: &mut Events) -> Result<(), Error> {
        if !json.starts_with('[') {
            return self.chunk(json, events);
        }
        let chunks: Vec<&RawValue> = serde_json::from_str(json).map_err(unreadable)?;
        for chunk in chunks {
            self.chunk(chunk.get(), events)?;
        }
        Ok(())
    }

    /// Whether the vendor said why the answer ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether anything was read that only this vendor sends.
    pub(crate) fn is_recognised(&self) -> bool {
        self.recognised
    }

    /// How many tools were called.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }

    /// Nothing more comes: ends a call whose end was not sent.
    pub(crate) fn close(&mut self, events: &mut Events) {
        self.end_call(events);
        self.settle(events);
    }

    fn chunk(&mut self, json: &str, events: &mut Events) -> Result<(), Error> {
        if !json.starts_with('{') {
            return Err(Error::malformed(
                "not an answer of Gemini's: no JSON object",
            ));
        }
        let chunk: Chunk<'_> = serde_json::from_str(json).map_err(unreadable)?;
        if let Some(failure) = chunk.error {
            return Err(error::in_band(failure.get()));
        }
        self.recognised |= chunk.candidates.is_some()
            || chunk.prompt_feedback.is_some()
            || chunk.usage_metadata.is_some();
        self.name(
            chunk.response_id.text().unwrap_or_default(),
            chunk.model_version.text().unwrap_or_default(),
            events,
        );
        for candidate in chunk.candidates.into_iter().flatten() {
            if candidate.index.unwrap_or(0) == 0 {
                self.candidate(candidate, events)?;
            }
        }
        if let Some(reason) = chunk
            .prompt_feedback
            .as_ref()
            .and_then(|f| f.block_reason.text())
        {
            self.block_reason = Some(reason.to_owned());
        }
        if let Some(counts) = chunk.usage_metadata {
            self.count(counts, events);
        }
        self.settle(events);
        Ok(())
    }

    fn name(&mut self, id: &str, model: &str, events: &mut Events) {
        let new = |known: &mut String, given: &str| {
            let new = !given.is_empty() && known != given;
            if new {
                given.clone_into(known);
            }
            new
        };
        if new(&mut self.id, id) | new(&mut self.model, model) {
            events.started(Some(&self.id), Some(&self.model));
        }
    }

    fn count(&mut self, counts: Counts, events: &mut Events) {
        self.counts.update(counts);
        let usage = self.counts.unified();
        if !usage.is_unknown() && self.usage.as_ref() != Some(&usage) {
            events.usage(usage);
            self.usage = Some(usage);
        }
    }

    fn candidate(&mut self, candidate: Candidate<'_>, events: &mut Events) -> Result<(), Error> {
        let parts = candidate.content.and_then(|content| content.parts);
        for part in parts.into_iter().flatten() {
            self.part(part, events)?;
        }
        if let Some(reason) = candidate.finish_reason.text() {
            self.end_call(events);
            self.raw_finish = Some(reason.to_owned());
        }
        Ok(())
    }

    fn part(&mut self, raw: &RawValue, events: &mut Events) -> Result<(), Error> {
        if !raw.get().starts_with('{') {
            return Ok(());
        }
        // a part that does not read as one of ours is one of the vendor's own
        let Ok(part) = serde_json::from_str::<Part<'_>>(raw.get()) else {
            if let Some(kind) = wire::kind(raw.get()) {
                self.opaque(&kind, raw, events);
            }
            return Ok(());
        };
        let signature = part.thought_signature.text().map(str::to_owned);
        if let Some(call) = part.function_call {
            return self.call(call, signature, events);
        }
        let run = match part.thought {
            Some(true) => Run::Thought,
            _ => Run::Text,
        };
        match part.text.0 {
            Some(text) => self.text(run, text.into_owned(), signature, Some(raw), events),
            None => match wire::kind(raw.get()) {
                Some(kind) => self.opaque(&kind, raw, events),
                None => self.text(run, String::new(), signature, None, events),
            },
        }
        Ok(())
    }

    fn text(
        &mut self,
        run: Run,
        text: String,
        signature: Option<String>,
        raw: Option<&RawValue>,
        events: &mut Events,
    ) {
        if text.is_empty() && signature.is_none() {
            return;
        }
        if let Some(raw) = raw.filter(|_| text.is_empty() && self.run == run) {
            // A signed empty part after unsigned text is a part of its own. As a
            // signature it would move to the text before it.
            self.opaque("text", raw, events);
            return;
        }
        self.end_call(events);
        self.run = match signature {
            Some(_) => Run::None,
            None => run,
        };
        if run == Run::Thought {
            events.reasoning(text);
            if let Some(signature) = signature {
                events.reasoning_signature(signature);
            }
        } else {
            events.text(text);
            if let Some(signature) = signature {
                events.text_signature(signature);
            }
        }
    }

    /// Keeps a part as it is, so that it can be sent back.
    fn opaque(&mut self, kind: &str, raw: &RawValue, events: &mut Events) {
        self.end_call(events);
        self.run = Run::None;
        events.opaque(Opaque {
            kind: kind.to_owned(),
            data: wire::compact(raw.get()),
        });
    }

    fn call(
        &mut self,
        call: FunctionCall<'_>,
        signature: Option<String>,
        events: &mut Events,
    ) -> Result<(), Error> {
        if let Some(name) = call.name.text() {
            self.end_call(events);
            self.pending = Some(PendingCall::new(name));
        }
        let Some(pending) = &mut self.pending else {
            return Ok(());
        };
        pending.id = pending.id.take().or(call.id.text().map(str::to_owned));
        pending.signature = pending.signature.take().or(signature);
        let continues = call.will_continue == Some(true);
        if let Some(arguments) = call.args {
            if !continues && call.partial_args.is_none() {
                // the usual case: it came whole, and stays as the vendor wrote it
                let arguments = wire::compact(arguments.get());
                if let Some(pending) = self.pending.take() {
                    self.emit(pending, &arguments, events);
                }
                return Ok(());
            }
            pending.set(arguments.get());
        }
        for piece in call.partial_args.iter().flatten() {
            pending.add(piece)?;
        }
        if !continues {
            self.end_call(events);
        }
        Ok(())
    }

    fn end_call(&mut self, events: &mut Events) {
        if let Some(pending) = self.pending.take() {
            let arguments = pending.arguments();
            self.emit(pending, &arguments, events);
        }
    }

    fn emit(&mut self, call: PendingCall, arguments: &str, events: &mut Events) {
        let index = self.calls;
        self.calls += 1;
        self.run = Run::None;
        events.tool_call_start(ToolCallStart {
            index,
            id: call.id,
            name: call.name,
            signature: call.signature,
        });
        events.tool_call_delta(index, tool_arguments(arguments));
    }

    /// Reports the end as it is known now.
    fn settle(&mut self, events: &mut Events) {
        let finish = if let Some(raw) = &self.raw_finish {
            Finish {
                reason: finish_reason(wire::finish_reason(raw), self.calls > 0),
                raw: Some(raw.clone()),
            }
        } else if let Some(raw) = &self.block_reason {
            Finish {
                reason: FinishReason::ContentFilter,
                raw: Some(raw.clone()),
            }
        } else {
            return;
        };
        if self.finish.as_ref() != Some(&finish) {
            events.finished(finish.reason, finish.raw.clone());
            self.finish = Some(finish);
        }
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::malformed(format!("not an answer of Gemini's: {error}"))
}

#[cfg(test)]
mod tests;
