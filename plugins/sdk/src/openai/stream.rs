//! Reads an answer as it comes. A whole answer is read here too, as a stream of one chunk.

use std::borrow::Cow;

use super::dialect::{Dialect, DoneMarker, ReasoningField};
use super::error::Report;
use super::wire::{Call as WireCall, Choice, Content, Function, Message, Piece, Reply, Str};
use crate::events::Events;
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
            return Err(report.into_error(&self.dialect));
        }
        match serde_json::from_str::<Reply<'_>>(data) {
            Ok(reply) if reply.error.is_none() && reply.choices.is_some() => {
                self.chunk(reply, events);
                Ok(())
            }
            parsed => {
                if let Some(report) = Report::read(data) {
                    return Err(report.into_error(&self.dialect));
                }
                let reply = parsed.map_err(|error| {
                    Error::malformed(format!("a stream event cannot be read: {error}"))
                })?;
                self.chunk(reply, events);
                Ok(())
            }
        }
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
    pub(super) fn chunk(&mut self, reply: Reply<'_>, events: &mut Events) {
        if !(self.id && self.model) {
            let id = Str::of(&reply.id).filter(|_| !self.id);
            let model = Str::of(&reply.model).filter(|_| !self.model);
            self.id |= id.is_some();
            self.model |= model.is_some();
            events.started(id, model);
        }
        let usage = reply.usage().filter(|usage| *usage != self.usage);
        for choice in reply.choices.into_iter().flatten() {
            self.begun = true;
            if choice.index.unwrap_or(0) == 0 {
                self.choice(choice, events);
            }
        }
        if let Some(usage) = usage {
            self.begun = true;
            self.usage = usage;
            events.usage(usage);
        }
    }

    fn choice(&mut self, choice: Choice<'_>, events: &mut Events) {
        if let Some(message) = choice.delta.or(choice.message) {
            self.message(message, events);
        } else if let Some(text) = choice.text {
            events.text(text.0);
        }
        if let Some(raw) = Str::of(&choice.finish_reason) {
            self.raw_finish = Some(raw.to_owned());
            self.close(events);
        }
    }

    fn message(&mut self, message: Message<'_>, events: &mut Events) {
        let field = self.dialect.reasoning_field;
        let (first, second) = (message.reasoning_content, message.reasoning);
        let thoughts = match field {
            ReasoningField::Auto => first.filter(|text| !text.0.is_empty()).or(second),
            ReasoningField::ReasoningContent => first,
            ReasoningField::Reasoning => second,
            ReasoningField::None => None,
        };
        if let Some(thoughts) = thoughts {
            events.reasoning(thoughts.0);
        }
        match message.content {
            Some(Content::Text(text)) => events.text(text),
            Some(Content::Pieces(pieces)) => self.pieces(pieces, events),
            None => {}
        }
        self.refusal(message.refusal, events);
        for call in message.tool_calls.into_iter().flat_map(|calls| calls.0) {
            self.call(call, events);
        }
        if let Some(function) = message.function_call {
            let at = self.find(Key::Legacy, "", false);
            self.function(at, function, events);
            self.start(at, events);
        }
    }

    fn refusal(&mut self, refusal: Option<Str<'_>>, events: &mut Events) {
        if let Some(refusal) = refusal.filter(|text| !text.0.is_empty()) {
            self.refused = true;
            events.text(refusal.0);
        }
    }

    fn pieces(&mut self, pieces: Vec<Piece<'_>>, events: &mut Events) {
        for piece in pieces {
            match piece.thinking {
                Some(Content::Text(text)) => events.reasoning(text),
                Some(Content::Pieces(thoughts)) => {
                    for text in thoughts.into_iter().filter_map(|thought| thought.text) {
                        events.reasoning(text.0);
                    }
                }
                None => {}
            }
            if let Some(text) = piece.text {
                events.text(text.0);
            }
            self.refusal(piece.refusal, events);
        }
    }

    fn call(&mut self, call: WireCall<'_>, events: &mut Events) {
        let id = Str::of(&call.id).unwrap_or_default();
        let name = match (&call.function, &call.custom) {
            (Some(function), _) => Str::of(&function.name),
            (None, Some(custom)) => Str::of(&custom.name),
            (None, None) => None,
        };
        let key = call.index.map_or(Key::Unnumbered, Key::Index);
        let at = self.find(key, id, name.is_some());
        if let Some(known) = self.calls.get_mut(at)
            && known.id.is_empty()
        {
            id.clone_into(&mut known.id);
        }
        if let Some(function) = call.function {
            self.function(at, function, events);
        } else if let Some(custom) = call.custom {
            if let Some(known) = self.calls.get_mut(at) {
                known.custom = true;
                known.named(&custom.name);
                known
                    .held
                    .push_str(Str::of(&custom.input).unwrap_or_default());
            }
            self.report(at, events);
        }
    }

    fn function(&mut self, at: usize, function: Function<'_>, events: &mut Events) {
        if let Some(known) = self.calls.get_mut(at) {
            known.named(&function.name);
            match function.arguments() {
                Cow::Owned(text) if known.held.is_empty() => known.held = text,
                text => known.held.push_str(&text),
            }
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
            _ => self.calls.iter().rposition(|call| call.key == key),
        };
        if let Some(at) = known
            && self.calls.get(at).is_some_and(|call| !begins_another(call))
        {
            return at;
        }
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

impl Call {
    fn named(&mut self, name: &Option<Str<'_>>) {
        if self.name.is_empty() {
            Str::of(name).unwrap_or_default().clone_into(&mut self.name);
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
