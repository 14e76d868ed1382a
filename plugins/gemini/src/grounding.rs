//! What an answer rests on: `groundingMetadata` and `citationMetadata` as citations.
//!
//! The vendor counts places in bytes of a text part. In a stream they come with the last event and
//! mean all the text so far; what the words are that rest on a source it says itself, so that a place
//! counts only where these words stand.

use std::ops::Range;

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::place::{Unit, only};
use multillm_plugin_sdk::{Citation, CitationSource};

/// What is known so far.
#[derive(Default)]
pub(crate) struct Grounding {
    /// `groundingChunks`: the sources.
    chunks: Vec<Json<'static>>,
    waiting: Vec<Waiting>,
    /// What was told already, as the vendor wrote it: events repeat it.
    seen: Vec<String>,
    /// A source was cited.
    cited: bool,
    /// Where the parts of this event begin in the part that is open, in bytes.
    parts: Vec<Option<usize>>,
    /// Bytes of text before the part that is open now.
    before: usize,
    /// The text of the part that is open now.
    text: String,
}

/// A passage whose place in the text was not found yet.
struct Waiting {
    place: Option<Range<usize>>,
    /// Which part of its event.
    part: usize,
    words: Option<String>,
    sources: Vec<Citation>,
}

impl Grounding {
    /// A part of the event begins, which may be no text.
    pub(crate) fn part(&mut self) {
        self.parts.push(Some(self.text.len()));
    }

    /// More text of the part that is open.
    pub(crate) fn text(&mut self, more: &str) {
        self.text.push_str(more);
    }

    /// Reads what a candidate says, before its parts.
    pub(crate) fn candidate(&mut self, candidate: &Json<'_>) {
        self.parts.clear();
        if let Some(metadata) = candidate.get("groundingMetadata") {
            self.metadata(metadata);
        }
        if let Some(metadata) = candidate.get("citationMetadata") {
            let lists = ["citationSources", "citations"].map(|key| metadata.get(key));
            for source in lists.into_iter().flatten().flat_map(Json::list) {
                if self.is_new(source) {
                    self.waiting.push(Waiting {
                        place: place(source),
                        part: 0,
                        words: None,
                        sources: vec![citation(source, source, None)],
                    });
                }
            }
        }
    }

    fn metadata(&mut self, metadata: &Json<'_>) {
        let chunks = metadata.get("groundingChunks").map_or(&[][..], Json::list);
        if !chunks.is_empty() {
            self.chunks = chunks.iter().cloned().map(Json::into_owned).collect();
        }
        let supports = metadata
            .get("groundingSupports")
            .map_or(&[][..], Json::list);
        for support in supports {
            if !self.is_new(support) {
                continue;
            }
            let segment = support.get("segment").unwrap_or(&Json::Null);
            let words = segment.text("text").map(str::to_owned);
            let indices = support
                .get("groundingChunkIndices")
                .map_or(&[][..], Json::list);
            let indices = indices.iter().filter_map(Json::count);
            let chunks = indices.filter_map(|at| self.chunks.get(usize::try_from(at).ok()?));
            let sources: Vec<Citation> = chunks.map(source).collect();
            self.cited |= !sources.is_empty();
            self.waiting.push(Waiting {
                place: place(segment),
                part: number(segment, "partIndex").unwrap_or(0),
                words,
                sources,
            });
        }
    }

    fn is_new(&mut self, of: &Json<'_>) -> bool {
        let written = of.to_string();
        let is_new = !self.seen.contains(&written);
        if is_new {
            self.seen.push(written);
        }
        is_new
    }

    /// Tells the citations whose words stand in the part that is open.
    pub(crate) fn tell(&mut self, events: &mut Events) {
        for waiting in std::mem::take(&mut self.waiting) {
            let place = match self.text.is_empty() {
                true => None,
                false => self.found(&waiting),
            };
            match place {
                Some(place) => tell(waiting.sources, Some(place), events),
                None => self.waiting.push(waiting),
            }
        }
    }

    /// The part that was open ends here.
    pub(crate) fn end(&mut self, events: &mut Events) {
        self.tell(events);
        self.before += self.text.len();
        self.text.clear();
        // What follows in this event is no longer within.
        self.parts.iter_mut().for_each(|part| *part = None);
    }

    /// Tells the rest, without a place. Sources that nothing was cited from stand for all of the text.
    pub(crate) fn close(&mut self, events: &mut Events) {
        self.tell(events);
        for waiting in std::mem::take(&mut self.waiting) {
            let words = waiting.words.as_deref();
            let place = words.and_then(|words| only(&self.text, words));
            tell(waiting.sources, place, events);
        }
        if !self.cited {
            let chunks = std::mem::take(&mut self.chunks);
            tell(chunks.iter().map(source).collect(), None, events);
        }
    }

    /// The place of a passage in characters of the part that is open.
    fn found(&self, waiting: &Waiting) -> Option<Range<usize>> {
        let words = waiting.words.as_deref();
        let place = waiting.place.as_ref()?;
        let in_part = self.parts.get(waiting.part).copied().flatten();
        let shifted = |by: usize| Some(place.start.checked_add(by)?..place.end.checked_add(by)?);
        let after = |of: usize| Some(place.start.checked_sub(of)?..place.end.checked_sub(of)?);
        // Where a part is named, places count from its beginning; else perhaps from that of the text.
        let of_text = waiting.part == 0;
        let places = [
            in_part.and_then(shifted),
            Some(place.clone()).filter(|_| of_text),
            after(self.before).filter(|_| of_text),
        ];
        let by_bytes = places
            .into_iter()
            .flatten()
            .find_map(|place| Unit::Byte.range(&self.text, &place, words));
        let units = [Unit::Char, Unit::Utf16];
        by_bytes.or_else(|| {
            let mut units = units.into_iter().filter(|_| of_text && words.is_some());
            units.find_map(|unit| unit.range(&self.text, place, words))
        })
    }
}

fn tell(sources: Vec<Citation>, place: Option<Range<usize>>, events: &mut Events) {
    let count = |at: usize| u32::try_from(at).ok();
    for source in sources {
        events.citation(Citation {
            start: place.as_ref().and_then(|place| count(place.start)),
            end: place.as_ref().and_then(|place| count(place.end)),
            ..source
        });
    }
}

fn number(of: &Json<'_>, key: &str) -> Option<usize> {
    usize::try_from(of.get(key)?.count()?).ok()
}

/// A place in bytes; a start that is zero is left out.
fn place(of: &Json<'_>) -> Option<Range<usize>> {
    let end = number(of, "endIndex")?;
    Some(number(of, "startIndex").unwrap_or(0)..end)
}

/// A grounding chunk: a page (`web`), a place (`maps`), a picture (`image`), a document that was found
/// (`retrievedContext`).
fn source(chunk: &Json<'_>) -> Citation {
    let kinds = ["web", "retrievedContext", "maps", "image"];
    let of = kinds.into_iter().find_map(|kind| chunk.get(kind));
    let of = of.unwrap_or(&Json::Null);
    citation(of, chunk, of.text("text"))
}

fn citation(of: &Json<'_>, whole: &Json<'_>, cited: Option<&str>) -> Citation {
    let said = |keys: &[&str]| keys.iter().find_map(|key| of.text(key)).map(str::to_owned);
    let source = match said(&["uri", "sourceUri", "imageUri"]) {
        Some(uri) if uri.contains("://") => CitationSource::Url(uri),
        Some(id) => CitationSource::Document(id),
        None => said(&["documentName", "placeId", "title"])
            .map_or(CitationSource::Unknown, CitationSource::Document),
    };
    Citation {
        source,
        title: said(&["title"]),
        cited_text: cited.map(str::to_owned),
        start: None,
        end: None,
        extra: Some(whole.to_string()),
    }
}

#[cfg(test)]
mod tests;
