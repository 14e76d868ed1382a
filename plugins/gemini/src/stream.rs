//! Reads an answer, event by event.
//!
//! A whole answer is one event and goes through the same [`Reader`], so that
//! streamed and unstreamed answers cannot come out differently.
//!
//! The wire has no end marker: an answer is over when the body ends after a finish reason that
//! nothing took back. Parts that follow take it back, and so does code of its own chunk that the
//! model has not spoken of yet: the vendor says `STOP` each time the model hands code over to be run.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::outcome::{finish_reason, tool_arguments};
use multillm_plugin_sdk::{
    Decoder, Error, Finish, FinishReason, Frame, Media, Opaque, Target, ToolCallStart, Usage,
};

use crate::billing::Extras;
use crate::error;
use crate::extra::Extra;
use crate::grounding::Grounding;
use crate::media;
use crate::partial::PendingCall;
use crate::servers::{self, Made};
use crate::usage::Counts;
use crate::wire;

/// Reads a `streamGenerateContent` stream.
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
        match self.reader.is_over() {
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
    /// Something of the answer came.
    said: bool,
    raw_finish: Option<String>,
    /// The last finish reason came with code that the model has still to speak of.
    in_code: bool,
    block_reason: Option<String>,
    finish: Option<Finish>,
    extras: Extras,
    grounding: Grounding,
    extra: Extra,
    recognised: bool,
}

impl Reader {
    /// Reads an event, or an array of them (a stream that was asked for without `alt=sse`).
    ///
    /// # Errors
    ///
    /// The vendor's own error if there is one, `malformed-response` for what cannot be read.
    pub(crate) fn read(&mut self, text: &str, events: &mut Events) -> Result<(), Error> {
        let json = Json::parse(text)
            .map_err(|error| Error::malformed(format!("not an answer of Gemini's: {error}")))?;
        let chunks = match &json {
            Json::List(chunks) => chunks.as_slice(),
            chunk => std::slice::from_ref(chunk),
        };
        for chunk in chunks {
            self.chunk(chunk, events)?;
        }
        Ok(())
    }

    /// Whether the vendor said why the answer ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether a body that ends here is complete.
    fn is_over(&self) -> bool {
        self.is_finished() && !self.in_code
    }

    /// Whether anything was read that only this vendor sends.
    pub(crate) fn is_recognised(&self) -> bool {
        self.recognised
    }

    /// How many tools were called.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }

    /// Nothing more comes: ends a call whose end was not sent, and says what is not in the counts.
    pub(crate) fn close(&mut self, events: &mut Events) {
        self.end_call(events);
        self.grounding.close(events);
        self.settle(events);
        if let Some(extra) = self.extra.take() {
            events.extra(extra);
        }
        let mut usage = self.usage.clone().unwrap_or(Usage::UNKNOWN);
        self.extras.bill(&mut usage);
        if !usage.is_plain() {
            events.usage(usage);
        }
    }

    fn chunk(&mut self, chunk: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        if !matches!(chunk, Json::Object(_)) {
            return Err(Error::malformed(
                "not an answer of Gemini's: no JSON object",
            ));
        }
        if let Some(failure) = error::inside(chunk) {
            return Err(failure);
        }
        self.recognised |= ["candidates", "promptFeedback", "usageMetadata"]
            .iter()
            .any(|field| chunk.get(field).is_some());
        self.name(
            chunk.text("responseId").unwrap_or_default(),
            chunk.text("modelVersion").unwrap_or_default(),
            events,
        );
        let candidates = match chunk.get("candidates") {
            Some(Json::List(candidates)) => candidates.as_slice(),
            Some(_) => return Err(Error::malformed("candidates that are no list")),
            None => &[],
        };
        // The first candidate's index is zero, and then left out. Where none has an index the
        // first one counts.
        let is_first =
            |candidate: &&Json<'_>| candidate.get("index").and_then(Json::count).unwrap_or(0) == 0;
        self.extra.event(chunk);
        let first = candidates.iter().position(|candidate| is_first(&candidate));
        for (at, candidate) in candidates.iter().enumerate() {
            match Some(at) == first {
                true => self.candidate(candidate, events)?,
                false => self.extra.other(candidate),
            }
        }
        let feedback = chunk.get("promptFeedback");
        if let Some(reason) = feedback.and_then(|feedback| wire::word(feedback, "blockReason")) {
            self.block_reason = Some(reason.into_owned());
        }
        if let Some(metadata) = chunk.get("usageMetadata") {
            self.count(metadata, events);
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

    fn count(&mut self, metadata: &Json<'_>, events: &mut Events) {
        self.counts.update(metadata);
        self.extras.metadata(metadata);
        let usage = self.counts.unified(self.said);
        if !usage.is_unknown() && self.usage.as_ref() != Some(&usage) {
            events.usage(usage.clone());
            self.usage = Some(usage);
        }
    }

    fn candidate(&mut self, candidate: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        self.extras.candidate(candidate);
        self.extra.candidate(candidate);
        self.grounding.candidate(candidate);
        let parts = candidate.at(&["content", "parts"]);
        let mut in_code = false;
        for part in parts.map_or(&[][..], Json::list) {
            self.grounding.part();
            self.part(part, events)?;
            in_code = match wire::kind(part) {
                Some("executableCode" | "codeExecutionResult") => true,
                Some("functionCall") => false,
                _ => in_code && part.text("text").is_none(),
            };
        }
        self.grounding.tell(events);
        if let Some(reason) = wire::word(candidate, "finishReason") {
            self.end_call(events);
            self.in_code = in_code && wire::finish_reason(&reason) == FinishReason::Stop;
            self.raw_finish = Some(reason.into_owned());
        }
        Ok(())
    }

    /// More of the answer comes: whatever ended it before did not.
    fn go_on(&mut self) {
        self.said = true;
        self.raw_finish = None;
        self.block_reason = None;
        self.finish = None;
    }

    fn part(&mut self, part: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        let signature = part.text("thoughtSignature");
        match (part.get("functionCall"), part.get("text"), wire::kind(part)) {
            (Some(call @ Json::Object(_)), _, _) => return self.call(call, signature, events),
            (_, Some(Json::Text(_)), _) | (_, _, None) => self.text(part, signature, events),
            (_, _, Some(kind)) => self.whole(kind, part, events),
        }
        Ok(())
    }

    fn text(&mut self, part: &Json<'_>, signature: Option<&str>, events: &mut Events) {
        let text = part.text("text").unwrap_or_default();
        if text.is_empty() && signature.is_none() {
            return;
        }
        let run = match part.get("thought") {
            Some(Json::Bool(true)) => Run::Thought,
            _ => Run::Text,
        };
        if text.is_empty() && self.run == run && part.get("text").is_some() {
            // A signed empty part after unsigned text is a part of its own. As a
            // signature it would move to the text before it.
            self.whole("text", part, events);
            return;
        }
        self.go_on();
        self.end_call(events);
        if self.run == Run::Text && run != Run::Text {
            self.grounding.end(events);
        }
        self.run = match signature {
            Some(_) => Run::None,
            None => run,
        };
        match (run, signature) {
            (Run::Thought, signature) => {
                events.reasoning(text);
                if let Some(signature) = signature {
                    events.reasoning_signature(signature);
                }
            }
            (_, signature) => {
                self.grounding.text(text);
                events.text(text);
                if let Some(signature) = signature {
                    self.grounding.end(events);
                    events.text_signature(signature);
                }
            }
        }
    }

    /// A part that comes whole: media, a tool that the vendor runs, or whatever is only kept to be
    /// sent back.
    fn whole(&mut self, kind: &str, part: &Json<'_>, events: &mut Events) {
        self.go_on();
        self.end_call(events);
        self.grounding.end(events);
        self.run = Run::None;
        match servers::made(kind, part) {
            Some(Made::Call(call)) => events.server_tool_call(call),
            Some(Made::Result(result)) => events.server_tool_result(result),
            None => match media::made(kind, part).and_then(Media::readable) {
                Some(media) => events.media(media),
                None => events.opaque(Opaque {
                    kind: kind.to_owned(),
                    data: part.to_string(),
                }),
            },
        }
    }

    fn call(
        &mut self,
        call: &Json<'_>,
        signature: Option<&str>,
        events: &mut Events,
    ) -> Result<(), Error> {
        if let Some(name) = call.text("name") {
            self.end_call(events);
            self.pending = Some(PendingCall::new(name));
        }
        if self.pending.is_some() {
            self.go_on();
        }
        let Some(pending) = &mut self.pending else {
            return Ok(());
        };
        let first = |known: &mut Option<String>, given: Option<&str>| {
            if known.is_none() {
                *known = given.map(str::to_owned);
            }
        };
        first(&mut pending.id, call.text("id"));
        first(&mut pending.signature, signature);
        if let Some(arguments) = call.get("args") {
            pending.whole = Some(arguments.to_string());
        }
        for piece in call.get("partialArgs").map_or(&[][..], Json::list) {
            pending.add(piece)?;
        }
        if call.get("willContinue") != Some(&Json::Bool(true)) {
            self.end_call(events);
        }
        Ok(())
    }

    /// Reports the call that was being put together, if there is one.
    fn end_call(&mut self, events: &mut Events) {
        let Some(call) = self.pending.take() else {
            return;
        };
        let index = self.calls;
        self.calls += 1;
        self.grounding.end(events);
        self.run = Run::None;
        let arguments = call.arguments();
        events.tool_call_start(ToolCallStart {
            index,
            id: call.id,
            name: call.name,
            signature: call.signature,
            extra: None,
        });
        events.tool_call_delta(index, tool_arguments(&arguments));
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

#[cfg(test)]
mod tests;
