//! Reads a streamed answer.
//!
//! `message-end` completes it; the `[DONE]` that follows means nothing more. An answer that
//! ends in an error is reported as that error.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::outcome::{
    MOST_CALLS, arguments_text, may_be_none, too_many_calls, tool_arguments,
};
use multillm_plugin_sdk::{Decoder, Error, Frame, Target, ToolCallStart};

use crate::citations::Run;
use crate::decode::{self, THINKING, unreadable};
use crate::error;
use crate::extra::Extra;
use crate::former;
use crate::wire::{Answer, Event, Kind, Message, ToolCall, items};

/// The kinds of events that say something of the answer.
const READ: [&str; 8] = [
    "message-start",
    "content-start",
    "content-delta",
    "tool-plan-delta",
    "tool-call-start",
    "tool-call-delta",
    "tool-call-end",
    "message-end",
];

/// One streamed answer.
pub struct ChatStream {
    model: Option<String>,
    calls: Vec<OpenCall>,
    /// A block of thinking has begun and not been marked as such yet.
    thinking: bool,
    /// Content blocks of kinds that are not known.
    foreign: Vec<u64>,
    /// Something of the answer came.
    said: bool,
    run: Run,
    extra: Extra,
}

/// A tool call whose arguments may still come.
struct OpenCall {
    /// Cohere's number, unique among the calls of an answer.
    number: Option<u64>,
    /// None for a call without a name, which is no call.
    index: Option<u32>,
    /// What came of the arguments, as long as it may turn out to be blank or `null`.
    held: Option<String>,
}

impl Decoder for ChatStream {
    fn new(target: &Target) -> Self {
        ChatStream {
            model: decode::model(target),
            calls: vec![],
            thinking: false,
            foreign: vec![],
            said: false,
            run: Run::default(),
            extra: Extra::default(),
        }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        let data = frame.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            return Err(Error::truncated());
        }
        let event: Event<'_> = match serde_json::from_str(data) {
            Ok(event) => event,
            Err(_) if unknown(data) => return error::told(data).map_or(Ok(()), Err),
            Err(error) => return Err(error::told(data).unwrap_or_else(|| unreadable(error))),
        };
        let Some(kind) = event.kind.as_deref() else {
            let answer: Answer<'_> = serde_json::from_str(data).map_err(unreadable)?;
            let former = || former::answered(&Json::parse(data).unwrap_or_default());
            let failure = error::inside(&answer)
                .or_else(|| error::told(data))
                .or_else(former);
            return failure.map_or(Ok(()), Err);
        };
        match kind {
            "message-start" => {
                events.started(event.id.as_deref(), self.model.as_deref());
                Ok(())
            }
            "content-start" | "content-delta" => self.content(&event, events),
            "content-end" => {
                self.end_thinking(events);
                Ok(())
            }
            "tool-plan-delta" => self.plan(&event, events),
            "tool-call-start" => self.call_start(&event, events),
            "tool-call-delta" => self.call_delta(&event, events),
            "tool-call-end" => {
                self.call_end(event.index, events);
                Ok(())
            }
            "message-end" => {
                let end = member(data, "delta").map_or("{}", |end| end.get());
                self.extra.answer(&Json::parse(end).unwrap_or_default());
                self.message_end(event.delta, events)
            }
            "citation-start" => {
                self.citation(data, events);
                Ok(())
            }
            "debug" | "citation-end" => Ok(()),
            _ => error::told(data).map_or(Ok(()), Err),
        }
    }

    fn end(&mut self, _: &mut Events) -> Result<(), Error> {
        Err(Error::truncated())
    }
}

impl ChatStream {
    /// A citation: an object here, and a list in whole answers.
    fn citation(&mut self, data: &str, events: &mut Events) {
        let event = Json::parse(data).unwrap_or_default();
        let of = event.at(&["delta", "message", "citations"]);
        let each = match of {
            Some(Json::List(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for one in each {
            self.extra.citation(one);
            for citation in self.run.citations(one) {
                events.citation(citation);
            }
        }
    }

    fn content(&mut self, event: &Event<'_>, events: &mut Events) -> Result<(), Error> {
        if let Some(piece) = event.logprobs {
            let piece = Json::parse(piece.get()).unwrap_or_default();
            self.extra.probabilities(&piece);
        }
        let Some(message) = message(event)? else {
            return Ok(());
        };
        let starts = event.kind.as_deref() == Some("content-start");
        if starts {
            self.end_thinking(events);
            self.run.block(event.index.unwrap_or_default());
        }
        for raw in decode::blocks(&message).map_err(unreadable)? {
            let block = decode::block(raw).map_err(unreadable)?;
            let known = matches!(block.kind.as_deref(), None | Some("text" | "thinking"));
            if starts {
                self.foreign.retain(|at| event.index != Some(*at));
                // Only of as many as an answer may well have is it remembered.
                let is_foreign = !known && self.foreign.len() < MOST_CALLS;
                self.foreign.extend(event.index.filter(|_| is_foreign));
            }
            if let Some(kind) = block.kind.as_deref().filter(|_| !known) {
                self.end_thinking(events);
                self.said = true;
                self.run.end();
                events.opaque(decode::foreign(kind, raw));
            }
            if !known || event.index.is_some_and(|at| self.foreign.contains(&at)) {
                continue;
            }
            if let Some(thought) = block.thinking.filter(|text| !text.is_empty()) {
                self.thinking = true;
                self.said = true;
                self.run.end();
                events.reasoning(thought);
            }
            if let Some(text) = block.text.filter(|text| !text.is_empty()) {
                self.end_thinking(events);
                self.said = true;
                self.run.text(&text);
                events.text(text);
            }
        }
        Ok(())
    }

    fn plan(&mut self, event: &Event<'_>, events: &mut Events) -> Result<(), Error> {
        let plan = message(event)?.and_then(|message| message.tool_plan);
        if let Some(plan) = plan.filter(|text| !text.is_empty()) {
            self.end_thinking(events);
            self.said = true;
            self.run.end();
            events.reasoning(plan);
        }
        Ok(())
    }

    fn call_start(&mut self, event: &Event<'_>, events: &mut Events) -> Result<(), Error> {
        let Some(message) = message(event)? else {
            return Ok(());
        };
        self.end_thinking(events);
        for call in calls(&message)? {
            if self.calls.len() >= MOST_CALLS {
                return Err(too_many_calls());
            }
            let function = call.function.unwrap_or_default();
            let mut open = OpenCall {
                number: event.index,
                index: self.named(),
                held: Some(String::new()),
            };
            match function.name.filter(|name| !name.is_empty()) {
                Some(name) => {
                    self.run.end();
                    events.tool_call_start(ToolCallStart {
                        index: open.index.unwrap_or_default(),
                        id: call.id.filter(|id| !id.is_empty()),
                        name,
                        ..ToolCallStart::default()
                    });
                }
                None => open.index = None,
            }
            if let Some(arguments) = function.arguments {
                open.push(&arguments_text(arguments), events);
            }
            self.calls.push(open);
        }
        Ok(())
    }

    /// The index of the next call that has a name.
    fn named(&self) -> Option<u32> {
        let named = self.calls.iter().filter(|call| call.index.is_some());
        u32::try_from(named.count()).ok()
    }

    fn call_delta(&mut self, event: &Event<'_>, events: &mut Events) -> Result<(), Error> {
        let Some(message) = message(event)? else {
            return Ok(());
        };
        for call in calls(&message)? {
            let arguments = call.function.and_then(|function| function.arguments);
            if let (Some(arguments), Some(open)) = (arguments, self.open_call(event.index)) {
                open.push(&arguments_text(arguments), events);
            }
        }
        Ok(())
    }

    /// The latest call of this number; the latest of all where either has no number.
    fn open_call(&mut self, number: Option<u64>) -> Option<&mut OpenCall> {
        self.calls
            .iter_mut()
            .rev()
            .find(|call| number.is_none() || call.number.is_none() || call.number == number)
    }

    fn call_end(&mut self, number: Option<u64>, events: &mut Events) {
        if let Some(call) = self.open_call(number) {
            call.close(events);
        }
    }

    fn end_thinking(&mut self, events: &mut Events) {
        if std::mem::take(&mut self.thinking) {
            events.reasoning_signature(THINKING);
        }
    }

    fn message_end(&mut self, delta: Option<Answer<'_>>, events: &mut Events) -> Result<(), Error> {
        self.end_thinking(events);
        if let Some(delta) = &delta
            && let Some(failure) =
                error::inside(delta).or_else(|| decode::failed(delta.finish_reason.as_deref()))
        {
            return Err(failure);
        }
        for call in &mut self.calls {
            call.close(events);
        }
        let (reason, counts) = delta
            .map(|delta| (delta.finish_reason, delta.usage))
            .unwrap_or_default();
        let has_calls = self.calls.iter().any(|call| call.index.is_some());
        let usage = decode::billed(counts.as_ref(), self.said || has_calls);
        if !usage.is_unknown() {
            events.usage(usage);
        }
        let finish = decode::finish(reason, has_calls);
        events.finished(finish.reason, finish.raw);
        if let Some(extra) = self.extra.text() {
            events.extra(extra);
        }
        events.done();
        Ok(())
    }
}

impl OpenCall {
    fn push(&mut self, piece: &str, events: &mut Events) {
        let Some(index) = self.index else { return };
        let Some(mut held) = self.held.take() else {
            events.tool_call_delta(index, piece);
            return;
        };
        held.push_str(piece);
        if may_be_none(&held) {
            self.held = Some(held);
        } else {
            events.tool_call_delta(index, held);
        }
    }

    fn close(&mut self, events: &mut Events) {
        if let (Some(index), Some(held)) = (self.index, self.held.take()) {
            events.tool_call_delta(index, tool_arguments(&held));
        }
    }
}

/// An event of a kind that this adapter does not read may have any shape.
fn unknown(data: &str) -> bool {
    let kind = serde_json::from_str(data).ok();
    kind.and_then(|event: Kind<'_>| event.kind)
        .is_some_and(|kind| !READ.contains(&&*kind))
}

fn message<'a>(event: &Event<'a>) -> Result<Option<Message<'a>>, Error> {
    let raw = event.delta.as_ref().and_then(|delta| delta.message);
    raw.map(|message| serde_json::from_str(message.get()))
        .transpose()
        .map_err(unreadable)
}

fn calls<'a>(message: &Message<'a>) -> Result<Vec<ToolCall<'a>>, Error> {
    let calls = message.tool_calls.map_or(Ok(vec![]), items);
    calls.map_err(unreadable)
}

#[cfg(test)]
mod tests;
