//! Reads an answer as it comes. A whole answer is read here too, as a stream of one chunk.

mod beyond;
mod calls;
mod extras;
mod message;

use self::beyond::Beyond;
use self::calls::Calls;
use self::extras::Extras;
pub(super) use self::extras::{AUDIO, DETAILS, said_again};
use super::dialect::{Dialect, DoneMarker, ReasoningField};
use super::finish::{failure, unified};
use super::usage::{self, bill, bill_usage, counts};
use super::wire::{index, one_or_many, scalar};
use crate::again::Learned;
use crate::error::{Report, Sign};
use crate::events::Events;
use crate::json::Json;
use crate::outcome::{finish_reason, too_many_calls};
use crate::{Citation, CitationSource, Error, Finish, FinishReason, Frame, Usage};

/// The signature of a call whose arguments are free text and no JSON ("custom tools").
pub(super) const CUSTOM: &str = "custom";

/// What of a dialect answers depend on.
#[derive(Clone, Copy)]
struct Manner {
    reasoning_field: ReasoningField,
    done: DoneMarker,
    errors: &'static [Sign],
}

/// What has been read of one answer.
pub struct Stream {
    dialect: Manner,
    /// Anything at all was read.
    begun: bool,
    /// Something was said: text, thoughts, a call, a picture.
    spoke: bool,
    /// What was said last is text.
    wrote: bool,
    id: bool,
    model: bool,
    calls: Calls,
    extras: Extras,
    beyond: Beyond,
    /// What the whole answer rests on, as far as it was not told.
    sources: Vec<Citation>,
    refused: bool,
    raw_finish: Option<String>,
    finish: Option<Finish>,
    usage: Usage,
    /// What was told of it.
    told: Usage,
    learned: Learned,
}

impl Stream {
    /// Nothing has been read.
    #[must_use]
    pub fn new(dialect: &Dialect) -> Self {
        Stream {
            dialect: Manner {
                reasoning_field: dialect.reasoning_field,
                done: dialect.done,
                errors: dialect.errors,
            },
            begun: false,
            spoke: false,
            wrote: false,
            id: false,
            model: false,
            calls: Calls::default(),
            extras: Extras::default(),
            beyond: Beyond::default(),
            sources: Vec::new(),
            refused: false,
            raw_finish: None,
            finish: None,
            usage: Usage::UNKNOWN,
            told: Usage::UNKNOWN,
            learned: Learned::default(),
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
            self.over(events);
            events.done();
            return Ok(());
        }
        if frame.event.as_deref() == Some("error") {
            let report = Report::read(data).unwrap_or_else(|| Report::said(data));
            return Err(report.into_error(self.dialect.errors));
        }
        if let Some(text) = self.learned.text(data) {
            self.text(&text, events);
            return Ok(());
        }
        let chunk = Json::parse(data)
            .map_err(|error| Error::malformed(format!("a stream event is no JSON: {error}")))?;
        self.learned
            .read(data, text_alone(&chunk), &["obfuscation"]);
        if let Some(report) = told(&chunk, chunk.get("choices").is_none()) {
            // What the chunk says besides still reaches the caller; its own failure is the same.
            let _ = self.chunk(&chunk, events);
            return Err(report.into_error(self.dialect.errors));
        }
        if !matches!(chunk, Json::Object(_)) {
            return Err(Error::malformed("a stream event is no JSON object"));
        }
        self.chunk(&chunk, events)
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
        self.over(events);
        events.done();
        Ok(())
    }

    /// Reads a chunk that is no error as a whole.
    fn chunk(&mut self, chunk: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        self.shell(chunk, events);
        for choice in one_or_many(chunk.get("choices")) {
            self.begun = true;
            if index(choice).unwrap_or(0) == 0 {
                self.choice(choice, false, events)?;
            } else {
                self.beyond.other(choice);
            }
        }
        if self.finish.is_some() {
            self.bill(events);
        }
        Ok(())
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
        bill(&mut self.usage, chunk);
        self.beyond.chunk(chunk);
        if self.sources.is_empty() {
            self.sources = sources(chunk);
        }
        self.usage(chunk, events);
    }

    /// Reads the choices that are not the answer.
    pub(super) fn others(&mut self, choices: &[Json<'_>], answer: &Json<'_>) {
        let others = choices
            .iter()
            .filter(|choice| !std::ptr::eq(*choice, answer));
        others.for_each(|choice| self.beyond.other(choice));
    }

    /// Reads the usage in a chunk or choice.
    fn usage(&mut self, place: &Json<'_>, events: &mut Events) {
        let Some(report) = usage::report(place) else {
            return;
        };
        self.begun = true;
        let earlier = std::mem::replace(&mut self.usage, Usage::UNKNOWN);
        self.usage = usage::over(counts(report), earlier);
        bill_usage(&mut self.usage, report);
        if self.usage.counts() != self.told.counts() {
            self.bill(events);
        }
    }

    /// Reads a choice, or more of it.
    ///
    /// # Errors
    ///
    /// That of the choice. What it said is recorded all the same.
    pub(super) fn choice(
        &mut self,
        choice: &Json<'_>,
        whole: bool,
        events: &mut Events,
    ) -> Result<(), Error> {
        self.usage(choice, events);
        self.beyond.choice(choice);
        let raw = choice.text("finish_reason");
        let (delta, message) = (choice.get("delta"), choice.get("message"));
        // Perplexity has both everywhere: whole answers with an empty `delta`, streams with all
        // that was said so far as `message`.
        let at_once = whole || (raw.is_some() && !self.spoke && delta.is_some_and(is_empty));
        match (delta, message) {
            (_, Some(message)) if at_once => self.message(message, true, events),
            (Some(delta), _) => self.message(delta, whole, events),
            (None, Some(message)) => self.message(message, true, events),
            (None, None) => self.text(choice.text("text").unwrap_or_default(), events),
        }
        if self.calls.too_many() {
            return Err(too_many_calls());
        }
        let places = [Some(choice), delta, message];
        let error = places
            .into_iter()
            .flatten()
            .find_map(|place| Report::told(place.get("error")?));
        if let Some(report) = error {
            return Err(report.into_error(self.dialect.errors));
        }
        if let Some(raw) = raw {
            if let Some(error) = failure(raw) {
                return Err(error);
            }
            self.raw_finish = Some(raw.to_owned());
            self.close(events);
        }
        Ok(())
    }

    /// Says what the answer took, if it is more than was told.
    fn bill(&mut self, events: &mut Events) {
        if self.told != self.usage {
            self.told = self.usage.clone();
            events.usage(self.usage.clone());
        }
    }

    /// The answer is over: nothing comes any more.
    pub(super) fn over(&mut self, events: &mut Events) {
        // They stand beside the answer, and rest on its text if it has any.
        if self.wrote {
            let sources = self.sources.drain(..);
            sources.for_each(|source| events.citation(source));
        }
        self.close(events);
        if let Some(extra) = self.beyond.told() {
            events.extra(extra);
        }
    }

    /// Reports what was held back, and how the answer ended.
    pub(super) fn close(&mut self, events: &mut Events) {
        self.extras.close(events);
        self.calls.close(events);
        let has_calls = self.calls.any();
        let reason = match self
            .raw_finish
            .as_deref()
            .map_or(FinishReason::Other, unified)
        {
            FinishReason::Stop if self.refused => FinishReason::ContentFilter,
            FinishReason::Other if self.raw_finish.is_none() && has_calls => {
                FinishReason::ToolCalls
            }
            // There is nothing to answer: what looked like a call was none.
            FinishReason::ToolCalls if !has_calls && self.calls.any_phantom() => FinishReason::Stop,
            reason => finish_reason(reason, has_calls),
        };
        let finish = Finish {
            reason,
            raw: self.raw_finish.clone(),
        };
        if self.finish.as_ref() != Some(&finish) {
            events.finished(finish.reason, finish.raw.clone());
            self.finish = Some(finish);
        }
        self.bill(events);
    }
}

/// The pages that an answer rests on, where they stand beside it (Perplexity, xAI).
fn sources(chunk: &Json<'_>) -> Vec<Citation> {
    let found = one_or_many(chunk.get("search_results"));
    let cited = one_or_many(chunk.get("citations"));
    let source = |url: &str, title: Option<&str>, as_it_came: Option<String>| Citation {
        source: CitationSource::Url(url.to_owned()),
        title: title.map(str::to_owned),
        cited_text: None,
        start: None,
        end: None,
        extra: as_it_came,
    };
    let told = |page: &Json<'_>| {
        let url = page.text("url")?;
        Some(source(url, page.text("title"), Some(page.to_string())))
    };
    match found.is_empty() {
        false => found.iter().filter_map(told).collect(),
        true => cited
            .iter()
            .filter_map(|page| match page.str() {
                Some(url) => Some(source(url, None, None)),
                None => told(page),
            })
            .collect(),
    }
}

/// The error that a chunk or answer is; one without choices says it in any words.
pub(super) fn told(chunk: &Json<'_>, without_choices: bool) -> Option<Report> {
    Report::inside(chunk)
        .or_else(|| Report::told(chunk.at(&["x_groq", "error"])?))
        .or_else(|| Report::of(chunk).filter(|_| without_choices))
}

/// The text of a chunk that says nothing else: what stands beside it says as much when it is said once more, as a filter's
/// results that are the same each time.
fn text_alone<'a>(chunk: &'a Json<'_>) -> Option<&'a str> {
    let (Json::Object(members), [choice]) = (chunk, chunk.get("choices")?.list()) else {
        return None;
    };
    let (Json::Object(parts), Some(delta)) = (choice, choice.get("delta")) else {
        return None;
    };
    let Json::Object(pieces) = delta else {
        return None;
    };
    let alone = members.iter().all(|(name, value)| match &**name {
        "choices" => true,
        "error" | "usage" => *value == Json::Null,
        _ => says_no_more(value),
    }) && parts.iter().all(|(name, value)| match &**name {
        "delta" => true,
        "index" => *value == Json::Unsigned(0),
        "error" | "finish_reason" | "message" | "text" | "usage" => *value == Json::Null,
        _ => says_no_more(value),
    }) && pieces.iter().all(|(name, value)| match &**name {
        "content" | "role" | "obfuscation" => matches!(value, Json::Text(_) | Json::Null),
        _ => match value {
            Json::Null => true,
            Json::Text(text) => text.is_empty(),
            Json::List(list) => list.is_empty(),
            _ => false,
        },
    });
    delta.text("content").filter(|_| alone)
}

/// Whether a value says as much when it is said once more: lists grow.
fn says_no_more(value: &Json<'_>) -> bool {
    match value {
        Json::List(list) => list.is_empty(),
        Json::Object(members) => members.iter().all(|(_, value)| says_no_more(value)),
        _ => true,
    }
}

/// Whether a delta says nothing but whose it is.
fn is_empty(delta: &Json<'_>) -> bool {
    let Json::Object(members) = delta else {
        return true;
    };
    members.iter().all(|(name, value)| {
        name == "role"
            || match value {
                Json::Null => true,
                Json::Text(text) => text.is_empty(),
                Json::List(list) => list.is_empty(),
                _ => false,
            }
    })
}

#[cfg(test)]
mod servers;
#[cfg(test)]
mod tests;
