//! Reads an answer as it comes. A whole answer is read here too, as a stream of one chunk.

use super::dialect::{Dialect, DoneMarker, ReasoningField};
use super::wire::{arguments, index, one_or_many, scalar, usage};
use crate::error::Report;
use crate::events::Events;
use crate::json::Json;
use crate::outcome::{finish_reason, tool_arguments};
use crate::{Error, Finish, FinishReason, Frame, ToolCallStart, Usage};

/// The signature of a call whose arguments are free text and no JSON ("custom tools").
pub(super) const CUSTOM: &str = "custom";

/// What has been read of one answer.
pub struct Stream {
    dialect: Dialect,
    /// Anything at all was read.
    begun: bool,
    id: bool,
    model: bool,
    calls: Vec<Call>,
    refused: bool,
    raw_finish: Option<String>,
    finish: Option<Finish>,
    usage: Usage,
}

/// A tool call under way. Its place in the list is its index for the host.
struct Call {
    key: Key,
    id: String,
    name: String,
    custom: bool,
    started: bool,
    /// Arguments not yet reported.
    held: String,
    /// Some arguments were reported.
    reported: bool,
}

/// By which the server tells calls apart.
#[derive(PartialEq)]
enum Key {
    Index(u32),
    /// The server numbers nothing.
    Unnumbered,
    /// The one call of the legacy form.
    Legacy,
}

impl Stream {
    /// Nothing has been read.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Stream {
            dialect,
            begun: false,
            id: false,
            model: false,
            calls: Vec::new(),
            refused: false,
            raw_finish: None,
            finish: None,
            usage: Usage::UNKNOWN,
        }
    }

    /// Reads one server-sent event.
    ///
    /// # Errors
    ///
    /// The server's error; `malformed-response` for what is no JSON.
    pub fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        let data = frame.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            if !self.begun {
                return Err(Error::malformed("the stream ended before it said anything"));
            }
            self.close(events);
            events.done();
            return Ok(());
        }
        if frame.event.as_deref() == Some("error") {
            let report = Report::read(data).unwrap_or_else(|| Report::said(data));
            return Err(report.into_error(self.dialect.errors));
        }
        let chunk = Json::parse(data)
            .map_err(|error| Error::malformed(format!("a stream event is no JSON: {error}")))?;
        if (chunk.get("error").is_some() || chunk.get("choices").is_none())
            && let Some(report) = Report::of(&chunk)
        {
            return Err(report.into_error(self.dialect.errors));
        }
        if !matches!(chunk, Json::Object(_)) {
            return Err(Error::malformed("a stream event is no JSON object"));
        }
        self.chunk(&chunk, events);
        Ok(())
    }

    /// The body has ended without the marker.
    ///
    /// # Errors
    ///
    /// [`Error::truncated`], unless the dialect allows it and the answer is complete.
    pub fn end(&mut self, events: &mut Events) -> Result<(), Error> {
        if self.dialect.done == DoneMarker::Required || self.raw_finish.is_none() {
            return Err(Error::truncated());
        }
        self.close(events);
        events.done();
        Ok(())
    }

    /// Reads a chunk that is no error.
    fn chunk(&mut self, chunk: &Json<'_>, events: &mut Events) {
        self.shell(chunk, events);
        for choice in one_or_many(chunk.get("choices")) {
            self.begun = true;
            if index(choice).unwrap_or(0) == 0 {
                self.choice(choice, events);
            }
        }
    }

    /// Reads what a chunk says beside its choices.
    pub(super) fn shell(&mut self, chunk: &Json<'_>, events: &mut Events) {
        if !(self.id && self.model) {
            let id = scalar(chunk, "id").filter(|_| !self.id);
            let model = scalar(chunk, "model").filter(|_| !self.model);
            self.id |= id.is_some();
            self.model |= model.is_some();
            events.started(id.as_deref(), model.as_deref());
        }
        if let Some(usage) = usage(chunk).filter(|usage| *usage != self.usage) {
            self.begun = true;
            self.usage = usage;
            events.usage(usage);
        }
    }

    /// Reads a choice, or more of it.
    pub(super) fn choice(&mut self, choice: &Json<'_>, events: &mut Events) {
        if let Some(delta) = choice.get("delta") {
            self.message(delta, false, events);
        } else if let Some(message) = choice.get("message") {
            self.message(message, true, events);
        } else if let Some(text) = choice.text("text") {
            events.text(text);
        }
        if let Some(raw) = choice.text("finish_reason") {
            self.raw_finish = Some(raw.to_owned());
            self.close(events);
        }
    }

    /// Reads a message, or more of it. In a whole one no two calls are the same.
    fn message(&mut self, message: &Json<'_>, whole: bool, events: &mut Events) {
        let (first, second) = (message.text("reasoning_content"), message.text("reasoning"));
        let thoughts = match self.dialect.reasoning_field {
            ReasoningField::Auto => first.or(second),
            ReasoningField::ReasoningContent => first,
            ReasoningField::Reasoning => second,
            ReasoningField::None => None,
        };
        events.reasoning(thoughts.unwrap_or_default());
        match message.get("content") {
            Some(Json::Text(text)) => events.text(&**text),
            content => self.pieces(one_or_many(content), events),
        }
        self.refusal(message, events);
        for call in one_or_many(message.get("tool_calls")) {
            self.call(call, whole, events);
        }
        if let Some(function) = message.get("function_call") {
            let at = self.find(Key::Legacy, "", false);
            self.add(at, function, &arguments(function), events);
            self.start(at, events);
        }
    }

    fn refusal(&mut self, place: &Json<'_>, events: &mut Events) {
        if let Some(refusal) = place.text("refusal") {
            self.refused = true;
            events.text(refusal);
        }
    }

    /// Content in pieces: text, and thoughts that are text or in pieces themselves.
    fn pieces(&mut self, pieces: &[Json<'_>], events: &mut Events) {
        for piece in pieces {
            match piece.get("thinking") {
                Some(Json::Text(text)) => events.reasoning(&**text),
                thoughts => {
                    for thought in one_or_many(thoughts) {
                        events.reasoning(thought.text("text").unwrap_or_default());
                    }
                }
            }
            let text = piece.str().or_else(|| piece.text("text"));
            events.text(text.unwrap_or_default());
            self.refusal(piece, events);
        }
    }

    fn call(&mut self, call: &Json<'_>, whole: bool, events: &mut Events) {
        let id = scalar(call, "id").unwrap_or_default();
        let key = index(call).map_or(Key::Unnumbered, Key::Index);
        let custom = call
            .get("custom")
            .filter(|_| call.get("function").is_none());
        let called = custom
            .or_else(|| call.get("function"))
            .unwrap_or(&Json::Null);
        let at = if whole {
            self.begin(key)
        } else {
            self.find(key, &id, called.text("name").is_some())
        };
        if let Some(known) = self.calls.get_mut(at) {
            known.custom |= custom.is_some();
            if known.id.is_empty() {
                known.id = id.into_owned();
            }
        }
        match custom.map(|custom| custom.text("input").unwrap_or_default()) {
            Some(input) => self.add(at, called, input, events),
            None => self.add(at, called, &arguments(called), events),
        }
    }

    fn add(&mut self, at: usize, called: &Json<'_>, more: &str, events: &mut Events) {
        if let Some(known) = self.calls.get_mut(at) {
            if known.name.is_empty() {
                known.name.push_str(called.text("name").unwrap_or_default());
            }
            known.held.push_str(more);
        }
        self.report(at, events);
    }

    /// The call that a piece belongs to; a new one if it begins one.
    ///
    /// Some servers give all calls the same number, some give none: then another id on a
    /// named piece tells that another call begins.
    fn find(&mut self, key: Key, id: &str, named: bool) -> usize {
        let begins_another = |call: &Call| {
            named
                && if id.is_empty() {
                    call.key == Key::Unnumbered && !call.name.is_empty()
                } else {
                    !call.id.is_empty() && call.id != id
                }
        };
        let known = match key {
            Key::Unnumbered if !id.is_empty() => self
                .calls
                .iter()
                .rposition(|call| call.id == id || (call.id.is_empty() && !named)),
            // A piece that says nothing of its call goes on with the last one.
            Key::Unnumbered if !named => self.calls.len().checked_sub(1),
            _ => self.calls.iter().rposition(|call| call.key == key),
        };
        if let Some(at) = known
            && self.calls.get(at).is_some_and(|call| !begins_another(call))
        {
            return at;
        }
        self.begin(key)
    }

    /// A new call.
    fn begin(&mut self, key: Key) -> usize {
        self.calls.push(Call {
            key,
            id: String::new(),
            name: String::new(),
            custom: false,
            started: false,
            held: String::new(),
            reported: false,
        });
        self.calls.len() - 1
    }

    /// Reports what can be said of a call by now.
    fn report(&mut self, at: usize, events: &mut Events) {
        let Some(call) = self.calls.get(at) else {
            return;
        };
        if !call.started {
            if call.id.is_empty() || call.name.is_empty() {
                return;
            }
            self.start(at, events);
        }
        let index = index_of(at);
        if let Some(call) = self.calls.get_mut(at)
            && (call.reported || call.custom || !"null".starts_with(call.held.trim()))
            && !call.held.is_empty()
        {
            call.reported = true;
            events.tool_call_delta(index, std::mem::take(&mut call.held));
        }
    }

    /// Reports the beginning of a call, after those of all earlier ones.
    fn start(&mut self, at: usize, events: &mut Events) {
        for earlier in 0..=at {
            let Some((before, [call, ..])) = self.calls.split_at_mut_checked(earlier) else {
                return;
            };
            if std::mem::replace(&mut call.started, true) {
                continue;
            }
            let repeated = before.iter().any(|other| other.id == call.id);
            events.tool_call_start(ToolCallStart {
                index: index_of(earlier),
                id: Some(call.id.clone()).filter(|id| !id.is_empty() && !repeated),
                name: call.name.clone(),
                signature: call.custom.then(|| CUSTOM.to_owned()),
            });
        }
    }

    /// Reports what was held back, and how the answer ended.
    pub(super) fn close(&mut self, events: &mut Events) {
        if let Some(last) = self.calls.len().checked_sub(1) {
            self.start(last, events);
        }
        for (at, call) in self.calls.iter_mut().enumerate() {
            let held = std::mem::take(&mut call.held);
            if call.reported || call.custom {
                events.tool_call_delta(index_of(at), held);
            } else {
                events.tool_call_delta(index_of(at), tool_arguments(&held));
            }
            call.reported = true;
        }
        let reason = match self
            .raw_finish
            .as_deref()
            .map_or(FinishReason::Other, unified)
        {
            FinishReason::Stop if self.refused => FinishReason::ContentFilter,
            FinishReason::Other if self.raw_finish.is_none() && !self.calls.is_empty() => {
                FinishReason::ToolCalls
            }
            reason => finish_reason(reason, !self.calls.is_empty()),
        };
        let finish = Finish {
            reason,
            raw: self.raw_finish.clone(),
        };
        if self.finish.as_ref() != Some(&finish) {
            events.finished(finish.reason, finish.raw.clone());
            self.finish = Some(finish);
        }
    }
}

fn index_of(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The words of OpenAI and of the engines behind compatible servers.
fn unified(raw: &str) -> FinishReason {
    const WORDS: &[(&str, FinishReason)] = &[
        ("stop", FinishReason::Stop),
        ("eos_token", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("eos", FinishReason::Stop),
        ("length", FinishReason::Length),
        ("model_length", FinishReason::Length),
        ("max_tokens", FinishReason::Length),
        ("tool_calls", FinishReason::ToolCalls),
        ("function_call", FinishReason::ToolCalls),
        ("content_filter", FinishReason::ContentFilter),
        ("error", FinishReason::Error),
    ];
    WORDS
        .iter()
        .find(|(word, _)| raw.eq_ignore_ascii_case(word))
        .map_or(FinishReason::Other, |(_, reason)| *reason)
}

#[cfg(test)]
mod tests;
