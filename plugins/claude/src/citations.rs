//! What a text rests on. A citation stands for the whole of the block that bears it, so that it has
//! no place within it; as the vendor wrote it it is kept, and goes back so.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Citation, CitationSource, Text};
use serde_json::value::RawValue;

use crate::tree::Tree;

/// A citation in unified terms. Kinds: `char_location`, `page_location`, `content_block_location`
/// (of a document), `search_result_location`, `web_search_result_location`.
pub(crate) fn read(of: &Json<'_>) -> Citation {
    let owned = |key| of.text(key).map(str::to_owned);
    Citation {
        source: source(of),
        title: owned("title").or_else(|| owned("document_title")),
        cited_text: owned("cited_text"),
        start: None,
        end: None,
        extra: Some(of.to_string()),
    }
}

fn source(of: &Json<'_>) -> CitationSource {
    let place = |key| {
        let place = of.get(key).and_then(Json::count);
        place.map(|place| CitationSource::Document(place.to_string()))
    };
    let said = |key, make: fn(String) -> CitationSource| of.text(key).map(|at| make(at.to_owned()));
    let found = |source: String| match source.contains("://") {
        true => CitationSource::Url(source),
        false => CitationSource::Document(source),
    };
    said("url", CitationSource::Url)
        .or_else(|| said("file_id", CitationSource::File))
        .or_else(|| place("document_index"))
        .or_else(|| said("source", found))
        .or_else(|| place("search_result_index"))
        .unwrap_or(CitationSource::Unknown)
}

/// The citations of a text as the vendor wrote them. Earlier versions kept them in the text's
/// signature.
pub(crate) fn sent(text: &Text) -> Option<Tree<'_>> {
    let written = text.citations.iter().filter_map(|citation| {
        let raw = serde_json::from_str::<&RawValue>(citation.extra.as_deref()?).ok()?;
        Some(Tree::Raw(raw))
    });
    let written: Vec<Tree<'_>> = written.collect();
    if !written.is_empty() {
        return Some(Tree::List(written));
    }
    let signature = text.signature.as_deref().filter(|text| text.len() > 2)?;
    let kept = signature.starts_with('[').then_some(signature)?;
    serde_json::from_str(kept).ok().map(Tree::Raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_names_its_source() {
        let url = |url: &str| CitationSource::Url(url.to_owned());
        let document = |at: &str| CitationSource::Document(at.to_owned());
        for (citation, source, title) in [
            (
                r#"{"type":"char_location","cited_text":"w","document_index":0,"document_title":"T","start_char_index":0,"end_char_index":1,"file_id":null}"#,
                document("0"),
                Some("T"),
            ),
            (
                r#"{"type":"page_location","cited_text":"w","document_index":2,"document_title":null,"start_page_number":1,"end_page_number":2,"file_id":"file_1"}"#,
                CitationSource::File("file_1".to_owned()),
                None,
            ),
            (
                r#"{"type":"content_block_location","cited_text":"w","document_index":1,"start_block_index":0,"end_block_index":1}"#,
                document("1"),
                None,
            ),
            (
                r#"{"type":"search_result_location","cited_text":"w","source":"https://e.org/a","title":"T","search_result_index":0}"#,
                url("https://e.org/a"),
                Some("T"),
            ),
            (
                r#"{"type":"search_result_location","cited_text":"w","source":"handbook","title":null,"search_result_index":3}"#,
                document("handbook"),
                None,
            ),
            (
                r#"{"type":"web_search_result_location","cited_text":"w","url":"https://e.org","title":"T","encrypted_index":"E=="}"#,
                url("https://e.org"),
                Some("T"),
            ),
            (
                r#"{"type":"brand_new","cited_text":"w"}"#,
                CitationSource::Unknown,
                None,
            ),
        ] {
            let read = read(&Json::parse(citation).unwrap());
            assert_eq!(read.source, source, "{citation}");
            assert_eq!(read.title.as_deref(), title, "{citation}");
            assert_eq!(read.cited_text.as_deref(), Some("w"));
            assert_eq!(read.extra.as_deref(), Some(citation));
            let text = Text {
                citations: vec![read],
                ..Text::new("so")
            };
            let again = serde_json::to_string(&sent(&text).unwrap()).unwrap();
            assert_eq!(again, format!("[{citation}]"));
        }
    }

    #[test]
    fn what_an_earlier_version_kept_goes_back_too() {
        let signed = |signature: &str| Text {
            signature: Some(signature.to_owned()),
            ..Text::new("so")
        };
        let sent =
            |signature| sent(&signed(signature)).map(|tree| serde_json::to_string(&tree).unwrap());
        assert_eq!(sent(r#"[{"n":1}]"#).as_deref(), Some(r#"[{"n":1}]"#));
        for none in ["[]", "EuY=", "[no json"] {
            assert_eq!(sent(none), None, "{none}");
        }
    }
}
