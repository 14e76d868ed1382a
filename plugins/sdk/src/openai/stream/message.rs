//! What a message says: text, thoughts, calls, pictures and sound.

use super::super::dialect::ReasoningField;
use super::super::responses::citation;
use super::super::usage::bill_message;
use super::super::wire::{beside, object, one_or_many};
use super::Stream;
use super::extras::Thoughts;
use crate::events::Events;
use crate::json::Json;
use crate::{Media, Opaque};

impl Stream {
    /// Reads a message, or more of it. In a `whole` one no two calls are the same.
    pub(super) fn message(&mut self, message: &Json<'_>, whole: bool, events: &mut Events) {
        bill_message(&mut self.usage, message);
        self.thoughts(message, events);
        let google = message.at(&["extra_content", "google"]);
        let is_thought = google.and_then(|google| google.get("thought")?.bool()) == Some(true);
        match message.get("content") {
            Some(Json::Text(text)) if is_thought => events.reasoning(&**text),
            Some(Json::Text(text)) => self.text(text, events),
            content => self.pieces(one_or_many(content), events),
        }
        if google
            .and_then(|google| google.text("thought_signature"))
            .is_some()
            && let Some(extra) = message.get("extra_content")
            && !is_thought
        {
            self.extras.flush(events);
            events.text_signature(extra.to_string());
        }
        self.refusal(message, events);
        for annotation in one_or_many(message.get("annotations")) {
            // Of a text: a stream may tell it before there is any.
            self.extras.flush(events);
            self.wrote = true;
            events.citation(citation::read(annotation));
        }
        for picture in one_or_many(message.get("images")) {
            self.media(picture, "image", events);
        }
        if let Some(audio) = message.get("audio") {
            self.text(audio.text("transcript").unwrap_or_default(), events);
            self.extras.audio(audio);
            self.spoke = true;
        }
        for call in one_or_many(message.get("tool_calls")) {
            self.extras.flush(events);
            self.wrote = false;
            self.calls.call(call, whole, events);
        }
        if let Some(function) = message.get("function_call") {
            self.extras.flush(events);
            self.wrote = false;
            self.calls.legacy(function, events);
        }
        self.spoke |= self.calls.any();
    }

    /// Thoughts beside the content.
    fn thoughts(&mut self, message: &Json<'_>, events: &mut Events) {
        let first = message.text("reasoning_content");
        let second = message.text("reasoning");
        let thoughts = match self.dialect.reasoning_field {
            ReasoningField::Auto => first.or(second).or(message.text("reasoning_text")),
            ReasoningField::ReasoningContent => first,
            ReasoningField::Reasoning => second,
            ReasoningField::None => None,
        };
        events.reasoning(thoughts.unwrap_or_default());
        self.spoke |= thoughts.is_some();
        let silent = thoughts.is_some() || self.dialect.reasoning_field == ReasoningField::None;
        for detail in one_or_many(message.get("reasoning_details")) {
            let text = detail.text("text").or(detail.text("summary"));
            if let Some(text) = text.filter(|_| !silent) {
                events.reasoning(text);
                self.spoke = true;
            }
            self.extras.detail(detail);
        }
    }

    /// More text.
    pub(super) fn text(&mut self, text: &str, events: &mut Events) {
        if !text.is_empty() {
            self.spoke = true;
            self.wrote = true;
            self.extras.flush(events);
            events.text(text);
        }
    }

    fn refusal(&mut self, place: &Json<'_>, events: &mut Events) {
        if let Some(refusal) = place.text("refusal") {
            self.refused = true;
            self.text(refusal, events);
        }
    }

    /// Content in pieces: text, thoughts, and what else a model makes.
    fn pieces(&mut self, pieces: &[Json<'_>], events: &mut Events) {
        for piece in pieces {
            let kind = piece.text("type").unwrap_or_default();
            if let Some(thoughts) = Thoughts::of(piece) {
                if self.dialect.reasoning_field != ReasoningField::None {
                    self.spoke |= !thoughts.text.is_empty();
                    self.extras.thoughts(thoughts, events);
                }
                let text = piece.text("text").filter(|_| kind == "text");
                self.text(text.unwrap_or_default(), events);
            } else if kind == "redacted_thinking" {
                events.redacted_reasoning(piece.to_string());
            } else if let Some(text) = piece.str().or_else(|| piece.text("text")) {
                self.text(text, events);
            } else if !["", "text", "output_text", "refusal"].contains(&kind) {
                self.media(piece, kind, events);
            }
            self.refusal(piece, events);
        }
    }

    /// A picture, a sound or whatever else the model made, as the vendor says it. What only has
    /// a name says nothing.
    fn media(&mut self, made: &Json<'_>, kind: &str, events: &mut Events) {
        if matches!(made, Json::Object(members) if members.len() < 2) {
            return;
        }
        self.extras.flush(events);
        self.spoke = true;
        self.wrote = false;
        let kind = made.text("type").unwrap_or(kind);
        match picture(made) {
            Some(picture) => events.media(picture),
            None => events.opaque(Opaque {
                kind: kind.to_owned(),
                data: made.to_string(),
            }),
        }
    }
}

/// The picture at an address or in it; nothing where the form is another.
fn picture(made: &Json<'_>) -> Option<Media> {
    let url = made
        .at(&["image_url", "url"])
        .or_else(|| made.get("image_url"))
        .and_then(Json::str)?;
    let mut picture = Media::told(url).readable()?;
    let rest = beside(made, &["type", "image_url"]);
    picture.extra = object(rest);
    Some(picture)
}
