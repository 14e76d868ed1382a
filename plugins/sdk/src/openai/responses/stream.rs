//! Reads an answer of the Responses API as it comes; one that came whole is read here too.

use super::super::dialect::Dialect;
use super::super::wire::{Member, beside, object};
use super::items::Items;
use super::{Responses, Said, answered_well, is_response};
use crate::again::Learned;
use crate::assemble::assemble;
use crate::error::Report;
use crate::events::Events;
use crate::json::Json;
use crate::{ChatResponse, Error, Frame};

/// The event of which most of a stream consists.
const TEXT: &str = "response.output_text.delta";
/// What of a response is told otherwise.
const UNIFIED: [&str; 5] = ["id", "model", "object", "output", "usage"];
/// The same of its usage.
const COUNTED: [&str; 6] = [
    "cost",
    "input_tokens",
    "input_tokens_details",
    "output_tokens",
    "output_tokens_details",
    "total_tokens",
];

/// What has been read of one answer.
pub(in super::super) struct Stream {
    ends: Responses,
    items: Items,
    learned: Learned,
    /// Where the text goes that is learned: the item and the piece of it.
    place: (u64, u64),
}

impl Stream {
    pub(in super::super) fn new(dialect: &Dialect) -> Self {
        Stream {
            ends: Responses::new(dialect),
            items: Items::default(),
            learned: Learned::default(),
            place: (0, 0),
        }
    }

    /// Reads one event.
    ///
    /// # Errors
    ///
    /// The vendor's error; `malformed-response` for what is no event.
    pub(in super::super) fn frame(
        &mut self,
        frame: &Frame,
        events: &mut Events,
    ) -> Result<(), Error> {
        let data = frame.data.trim();
        if frame.event.as_deref().is_none_or(|named| named == TEXT)
            && let Some(text) = self.learned.text(data)
        {
            let (index, place) = self.place;
            self.items.text(index, place, &text, events);
            return Ok(());
        }
        let Some((named, event)) = self.ends.read(frame)? else {
            return Ok(());
        };
        let alone = text_alone(&event);
        self.learned
            .read(data, alone, &["obfuscation", "sequence_number"]);
        let kind = event.text("type").unwrap_or(named);
        let number = |name: &str| event.get(name).and_then(Json::count).unwrap_or(0);
        let index = number("output_index");
        let text = |name: &str| event.get(name).and_then(Json::str).unwrap_or_default();
        match kind {
            TEXT | "response.refusal.delta" => {
                let place = number("content_index");
                self.place = (index, place);
                self.items.text(index, place, text("delta"), events);
            }
            "response.output_text.annotation.added" => {
                if let Some(annotation) = event.get("annotation") {
                    let place = number("content_index");
                    self.items.annotation(index, place, annotation, events);
                }
            }
            "response.content_part.done" => {
                let part = event.get("part").unwrap_or(&Json::Null);
                if ["output_text", "refusal"].contains(&part.text("type").unwrap_or_default()) {
                    self.items
                        .piece(index, number("content_index"), part, events);
                }
            }
            "response.reasoning_summary_text.delta" => {
                let place = number("summary_index");
                self.items
                    .thought(index, place, "summary", text("delta"), events);
            }
            "response.reasoning_text.delta" => {
                let place = number("content_index");
                self.items
                    .thought(index, place, "content", text("delta"), events);
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.items.arguments(index, text("delta"), events);
            }
            "response.output_item.added" => {
                let item = event.get("item").unwrap_or(&Json::Null);
                self.items.begin(index, item, events)?;
            }
            "response.output_item.done" => {
                let item = event.get("item").unwrap_or(&Json::Null);
                self.ends.item(item);
                self.items.done(index, item, events)?;
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                let response = event.get("response").unwrap_or(&Json::Null);
                self.close(response, events)?;
                self.ends.event(kind, &event, events)?;
            }
            _ => self.ends.event(kind, &event, events)?,
        }
        Ok(())
    }

    /// Tells what of a response was not told yet.
    fn close(&mut self, response: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        let output = response.get("output").map_or(&[][..], Json::list);
        self.items.rest(output, events)?;
        if let Some(extra) = object(beyond(response)) {
            events.extra(extra);
        }
        Ok(())
    }
}

/// The text of an event that says nothing else, as most do.
fn text_alone<'a>(event: &'a Json<'_>) -> Option<&'a str> {
    let Json::Object(members) = event else {
        return None;
    };
    let plain = |value: &Json<'_>| match value {
        Json::List(list) => list.is_empty(),
        Json::Object(_) => false,
        _ => true,
    };
    let says = |name: &str| event.get(name).and_then(Json::str);
    let alone = says("type") == Some(TEXT) && members.iter().all(|(_, value)| plain(value));
    says("delta").filter(|_| alone)
}

/// What a response says beyond the unified form.
fn beyond(response: &Json<'_>) -> Vec<Member<'static>> {
    let mut rest = beside(response, &UNIFIED);
    let usage = response.get("usage").map(|usage| beside(usage, &COUNTED));
    if let Some(usage) = usage.filter(|usage| !usage.is_empty()) {
        rest.push(("usage".into(), Json::Object(usage)));
    }
    rest
}

/// Whether a whole body is an answer of this API, or a stream of one.
pub(in super::super) fn is_answer(answer: &Json<'_>) -> bool {
    is_response(answer) && answer.get("choices").is_none()
}

/// Whether an event is one of this API's; nothing if it might be of any.
pub(in super::super) fn is_event(frame: &Frame) -> Option<bool> {
    let own = |kind: &str| kind.starts_with("response.") || kind == "keepalive";
    match frame.event.as_deref() {
        Some("error") => None,
        Some(named) if own(named) => Some(true),
        _ => match Json::parse(frame.data.trim()) {
            Ok(event) if event.text("type") == Some("error") => None,
            Ok(event) => Some(event.text("type").is_some_and(own)),
            Err(_) => None,
        },
    }
}

/// Reads a stream that came in answer to a question for a whole answer.
///
/// # Errors
///
/// Those of the stream.
pub(in super::super) fn whole_stream(
    dialect: &Dialect,
    frames: &[Frame],
) -> Result<ChatResponse, Error> {
    let mut stream = Stream::new(dialect);
    let mut events = Events::new();
    for frame in frames {
        stream.frame(frame, &mut events)?;
        if events.is_over() {
            return Ok(assemble(events.into_inner()));
        }
    }
    Err(Error::truncated())
}

/// Reads an answer that came whole.
///
/// # Errors
///
/// The server's error if the body holds one; `malformed-response` if it holds no response.
pub(in super::super) fn whole(dialect: &Dialect, answer: &Json<'_>) -> Result<ChatResponse, Error> {
    if !is_response(answer) {
        return Err(
            match Report::inside(answer).or_else(|| Report::of(answer)) {
                Some(report) => report.into_error(dialect.errors),
                None => Error::malformed("the answer is no response"),
            },
        );
    }
    let mut said = Said::default();
    said.items(answer);
    let end = answered_well(dialect.errors, answer, &said)?;
    let mut stream = Stream::new(dialect);
    let mut events = Events::new();
    stream.close(answer, &mut events)?;
    let told = assemble(events.into_inner());
    Ok(ChatResponse {
        content: told.content,
        extra: told.extra,
        ..end
    })
}

#[cfg(test)]
mod tests;
