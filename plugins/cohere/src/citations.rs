//! What an answer rests on. Cohere counts characters of a content block, and names the words; a
//! citation may have several sources, each of which becomes a citation.

use std::ops::Range;

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::place::{Unit, find};
use multillm_plugin_sdk::{Citation, CitationSource};

/// The text that is open, and where the content blocks begin in it.
#[derive(Default)]
pub(crate) struct Run {
    text: String,
    /// The vendor's index of a block, and the characters before it.
    blocks: Vec<(u64, usize)>,
}

impl Run {
    /// A block begins.
    pub(crate) fn block(&mut self, index: u64) {
        self.blocks.push((index, self.text.chars().count()));
    }

    /// More text.
    pub(crate) fn text(&mut self, more: &str) {
        self.text.push_str(more);
    }

    /// What follows is another part.
    pub(crate) fn end(&mut self) {
        self.text.clear();
        self.blocks.clear();
    }

    /// The citations that a citation of the vendor's is. Those of a tool plan or of thoughts are
    /// none of the answer's.
    pub(crate) fn citations(&self, of: &Json<'_>) -> Vec<Citation> {
        if !is_of_text(of) {
            return Vec::new();
        }
        let place = self.place(of);
        let count = |at: usize| u32::try_from(at).ok();
        let cite = |source: Option<&Json<'_>>| Citation {
            source: source.map_or(CitationSource::Unknown, found),
            title: source.and_then(title),
            cited_text: None,
            start: place.as_ref().and_then(|place| count(place.start)),
            end: place.as_ref().and_then(|place| count(place.end)),
            extra: Some(of.to_string()),
        };
        match of.get("sources").map_or(&[][..], Json::list) {
            [] => vec![cite(None)],
            sources => sources.iter().map(|source| cite(Some(source))).collect(),
        }
    }

    fn place(&self, of: &Json<'_>) -> Option<Range<usize>> {
        let number = |key| usize::try_from(of.get(key)?.count()?).ok();
        let index = of.get("content_index").and_then(Json::count);
        let block = match index {
            Some(index) => self.blocks.iter().rev().find(|(known, _)| *known == index),
            None => self.blocks.first(),
        };
        let before = block.map_or(0, |(_, before)| *before);
        let start = number("start")?;
        let end = number("end").filter(|end| start <= *end)?;
        let at = self.text.char_indices().nth(before).map_or(0, |(at, _)| at);
        let text = self.text.get(at..)?;
        let units = [Unit::Char, Unit::Utf16, Unit::Byte];
        let found = find(text, &(start..end), of.text("text"), &units)?;
        Some(before + found.start..before + found.end)
    }
}

/// Whether a citation is one of the answer's text.
pub(crate) fn is_of_text(of: &Json<'_>) -> bool {
    matches!(of.text("type"), None | Some("TEXT_CONTENT"))
}

/// A document of the request or of a tool's result: its address, else its id.
fn found(source: &Json<'_>) -> CitationSource {
    let inside = ["document", "tool_output"].map(|key| source.get(key));
    let mut inside = inside.into_iter().flatten();
    let url = inside.find_map(|of| of.text("url").filter(|url| url.contains("://")));
    match (url, source.text("id")) {
        (Some(url), _) => CitationSource::Url(url.to_owned()),
        (None, Some(id)) => CitationSource::Document(id.to_owned()),
        (None, None) => CitationSource::Unknown,
    }
}

fn title(source: &Json<'_>) -> Option<String> {
    let inside = ["document", "tool_output"].map(|key| source.get(key));
    let mut inside = inside.into_iter().flatten();
    inside.find_map(|of| of.text("title")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source, title and place.
    type Cited = (CitationSource, Option<String>, Option<u32>, Option<u32>);

    fn cited(run: &Run, text: &str) -> Vec<Cited> {
        let citations = run.citations(&Json::parse(text).unwrap()).into_iter();
        citations
            .map(|one| {
                assert_eq!(one.extra.as_deref(), Some(text));
                (one.source, one.title, one.start, one.end)
            })
            .collect()
    }

    #[test]
    fn each_source_is_a_citation_with_its_place() {
        let mut run = Run::default();
        run.block(1);
        run.text("Größe: ");
        run.block(3);
        run.text("ß 5 m.");
        let document = |id: &str| CitationSource::Document(id.to_owned());
        let both = r#"{"start":2,"end":5,"text":"5 m","content_index":3,"sources":[{"type":"document","id":"d0","document":{"id":"d0","title":"T"}},{"type":"tool","id":"c:0","tool_output":{"url":"https://e.org/a"}}],"type":"TEXT_CONTENT"}"#;
        assert_eq!(
            cited(&run, both),
            [
                (document("d0"), Some("T".to_owned()), Some(9), Some(12)),
                (
                    CitationSource::Url("https://e.org/a".to_owned()),
                    None,
                    Some(9),
                    Some(12)
                ),
            ]
        );
        let first = r#"{"start":0,"end":5,"text":"Größe","sources":[{"type":"tool","id":"c:0"}]}"#;
        assert_eq!(
            cited(&run, first),
            [(document("c:0"), None, Some(0), Some(5))]
        );
        let bare = r#"{"start":0,"end":5,"text":"elsewhere"}"#;
        assert_eq!(
            cited(&run, bare),
            [(CitationSource::Unknown, None, None, None)]
        );
        let plan = r#"{"start":0,"end":5,"text":"Größe","type":"PLAN"}"#;
        assert_eq!(cited(&run, plan), []);
        run.end();
        assert_eq!(cited(&run, first), [(document("c:0"), None, None, None)]);
    }
}
