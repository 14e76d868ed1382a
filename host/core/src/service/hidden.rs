//! The secrets of an exchange, and keeping them out of whatever comes back: out of what a plugin gets to
//! see, and out of what it makes of it.

use std::collections::HashMap;

use secrecy::SecretString;

use crate::chat::{
    Billing, Citation, CitationSource, Delta, Extra, MediaPart, MediaSource, OpaquePart, Part,
    ResultPart, ServerToolCall, ServerToolResult,
};
use crate::error::Error;
use crate::plugin::wire;
use crate::transport::{Pieces, Redactor};

/// Secrets that were sent, and must not come back.
#[derive(Clone, Debug)]
pub(super) struct Hidden(Redactor);

impl Hidden {
    pub(super) fn new(secrets: &[(String, SecretString)]) -> Self {
        Hidden(Redactor::new(secrets.iter().map(|(_, secret)| secret)))
    }

    /// A body or a frame's data, before a plugin gets it.
    pub(super) fn raw(&self, text: String) -> String {
        match self.0.clean_json(&text) {
            std::borrow::Cow::Borrowed(_) => text,
            std::borrow::Cow::Owned(clean) => clean,
        }
    }

    /// A text for a person.
    pub(super) fn text(&self, text: &mut String) {
        if let std::borrow::Cow::Owned(clean) = self.0.clean(text) {
            *text = clean;
        }
    }

    fn some(&self, text: &mut Option<String>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn json(&self, text: &mut String) {
        if let std::borrow::Cow::Owned(clean) = self.0.clean_json(text) {
            *text = clean;
        }
    }

    fn block(&self, part: &mut OpaquePart) {
        self.json(&mut part.data);
    }

    fn tail(&self, extra: &mut Extra) {
        extra.for_each_text(&mut |text| self.json(text));
    }

    fn citation(&self, citation: &mut Citation) {
        match &mut citation.source {
            Some(
                CitationSource::Url(text)
                | CitationSource::Document(text)
                | CitationSource::File(text),
            ) => self.text(text),
            None => {}
        }
        self.some(&mut citation.title);
        self.some(&mut citation.cited_text);
        self.tail(&mut citation.extra);
    }

    /// Bytes are no text that a key could stand in.
    fn media(&self, media: &mut MediaPart) {
        match &mut media.source {
            MediaSource::Url { url } => self.text(url),
            MediaSource::File { file_id } => self.text(file_id),
            MediaSource::Bytes { .. } => {}
        }
        self.some(&mut media.media_type);
        self.some(&mut media.name);
        self.tail(&mut media.extra);
    }

    fn server_call(&self, call: &mut ServerToolCall) {
        self.some(&mut call.id);
        self.text(&mut call.name);
        if let Some(input) = &mut call.input {
            self.json(input);
        }
        self.json(&mut call.data);
    }

    fn server_result(&self, result: &mut ServerToolResult) {
        self.some(&mut result.call_id);
        self.text(&mut result.name);
        for part in &mut result.content {
            match part {
                ResultPart::Text { text } => self.text(text),
                ResultPart::Media(media) => self.media(media),
                ResultPart::Opaque(block) => self.block(block),
            }
        }
        self.json(&mut result.data);
    }

    fn billing(&self, billing: &mut Billing) {
        self.some(&mut billing.tier);
        for what in &mut billing.remarks {
            self.text(what);
        }
    }

    /// An error without the secrets.
    pub(super) fn error(&self, mut error: Error) -> Error {
        self.text(&mut error.message);
        self.some(&mut error.vendor_code);
        error
    }

    /// A whole answer without the secrets, also where one lies across parts that belong together.
    pub(super) fn answer(&self, answer: &mut wire::Answer) {
        if self.0.is_idle() {
            return;
        }
        self.some(&mut answer.id);
        self.some(&mut answer.model);
        self.some(&mut answer.finish.1);
        self.billing(&mut answer.billing);
        self.tail(&mut answer.extra);
        let (mut text, mut thoughts) = (Pieces::default(), Pieces::default());
        let mut parts = answer.parts.iter_mut().peekable();
        while let Some(part) = parts.next() {
            let (pieces, shown, ends) = match part {
                Part::Text(part) => {
                    self.some(&mut part.signature);
                    self.tail(&mut part.extra);
                    for citation in &mut part.citations {
                        self.citation(citation);
                    }
                    let ends =
                        part.signature.is_some() || !matches!(parts.peek(), Some(Part::Text(_)));
                    (&mut text, &mut part.text, ends)
                }
                Part::Reasoning(part) => {
                    self.some(&mut part.signature);
                    self.some(&mut part.redacted);
                    self.tail(&mut part.extra);
                    let ends = part.signature.is_some()
                        || !matches!(parts.peek(), Some(Part::Reasoning(_)));
                    (&mut thoughts, &mut part.text, ends)
                }
                Part::ToolCall(call) => {
                    self.text(&mut call.id);
                    self.text(&mut call.name);
                    self.text(&mut call.arguments);
                    self.some(&mut call.signature);
                    self.tail(&mut call.extra);
                    continue;
                }
                Part::Opaque(part) => {
                    self.block(part);
                    continue;
                }
                Part::Media(media) => {
                    self.media(media);
                    continue;
                }
                Part::ServerToolCall(call) => {
                    self.server_call(call);
                    continue;
                }
                Part::ServerToolResult(result) => {
                    self.server_result(result);
                    continue;
                }
                Part::ToolResult(_) => continue,
            };
            *shown = pieces.push(&self.0, std::mem::take(shown));
            if ends {
                *shown += &pieces.pause(&self.0);
            }
        }
    }

    /// What came with vectors, without the secrets; numbers hold none.
    pub(super) fn vectors(&self, vectors: &mut wire::Vectors) {
        self.some(&mut vectors.model);
        self.billing(&mut vectors.billing);
        self.tail(&mut vectors.extra);
    }

    /// A page of a list of models without the secrets.
    pub(super) fn page(&self, page: &mut wire::ModelPage) {
        for model in &mut page.models {
            self.text(&mut model.id);
            self.some(&mut model.title);
            self.some(&mut model.owner);
            if let Some(extra) = &mut model.extra {
                let mut text = extra.to_string();
                self.json(&mut text);
                *extra = serde_json::from_str(&text).unwrap_or_default();
            }
        }
    }
}

/// Keeps the secrets out of a streamed answer. Each kind of text is one text, however it is cut.
#[derive(Debug)]
pub(super) struct Screen {
    hidden: Hidden,
    text: Pieces,
    thoughts: Pieces,
    calls: HashMap<u32, Pieces>,
}

impl Screen {
    pub(super) fn new(hidden: Hidden) -> Self {
        Screen {
            hidden,
            text: Pieces::default(),
            thoughts: Pieces::default(),
            calls: HashMap::new(),
        }
    }

    /// Takes a delta and appends what can be shown.
    pub(super) fn push(&mut self, mut delta: Delta, out: &mut Vec<Delta>) {
        let hidden = &self.hidden;
        if hidden.0.is_idle() {
            out.push(delta);
            return;
        }
        match &mut delta {
            Delta::Text(text) => {
                pause_thoughts(&mut self.thoughts, hidden, out);
                *text = self.text.push(&hidden.0, std::mem::take(text));
                if text.is_empty() {
                    return;
                }
            }
            Delta::Reasoning(text) => {
                pause_text(&mut self.text, hidden, out);
                *text = self.thoughts.push(&hidden.0, std::mem::take(text));
                if text.is_empty() {
                    return;
                }
            }
            Delta::ToolCallArguments { index, arguments } => {
                let pieces = self.calls.entry(*index).or_default();
                *arguments = pieces.push(&hidden.0, std::mem::take(arguments));
                if arguments.is_empty() {
                    return;
                }
            }
            Delta::Started { id, model } => {
                hidden.some(id);
                hidden.some(model);
            }
            Delta::Finished { raw, .. } => hidden.some(raw),
            Delta::Billing(billing) => hidden.billing(billing),
            Delta::Extra(extra) => hidden.tail(extra),
            Delta::Usage(_) => {}
            other => {
                pause_text(&mut self.text, hidden, out);
                pause_thoughts(&mut self.thoughts, hidden, out);
                match other {
                    Delta::TextSignature(text)
                    | Delta::ReasoningSignature(text)
                    | Delta::RedactedReasoning(text) => hidden.text(text),
                    Delta::ToolCallStart {
                        id,
                        name,
                        signature,
                        extra,
                        ..
                    } => {
                        hidden.some(id);
                        hidden.text(name);
                        hidden.some(signature);
                        hidden.tail(extra);
                    }
                    Delta::Opaque(part) => hidden.block(part),
                    Delta::Citation(citation) => hidden.citation(citation),
                    Delta::Media(media) => hidden.media(media),
                    Delta::ServerToolCall(call) => hidden.server_call(call),
                    Delta::ServerToolResult(result) => hidden.server_result(result),
                    Delta::PartExtra(extra) => hidden.tail(extra),
                    _ => {}
                }
            }
        }
        out.push(delta);
    }

    /// The answer ended, well or not: appends what was held back.
    pub(super) fn finish(&mut self, out: &mut Vec<Delta>) {
        pause_text(&mut self.text, &self.hidden, out);
        pause_thoughts(&mut self.thoughts, &self.hidden, out);
        for (&index, pieces) in &mut self.calls {
            let arguments = pieces.finish(&self.hidden.0);
            if !arguments.is_empty() {
                out.push(Delta::ToolCallArguments { index, arguments });
            }
        }
    }
}

fn pause_text(text: &mut Pieces, hidden: &Hidden, out: &mut Vec<Delta>) {
    let held = text.pause(&hidden.0);
    if !held.is_empty() {
        out.push(Delta::Text(held));
    }
}

fn pause_thoughts(thoughts: &mut Pieces, hidden: &Hidden, out: &mut Vec<Delta>) {
    let held = thoughts.pause(&hidden.0);
    if !held.is_empty() {
        out.push(Delta::Reasoning(held));
    }
}

#[cfg(test)]
mod tests;
