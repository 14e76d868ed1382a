//! What a text rests on.

use crate::json::Json;
use crate::{Citation, CitationSource};

/// An annotation of a text, as a citation. Places count characters within the text.
pub(in super::super) fn read(annotation: &Json<'_>) -> Citation {
    // Chat completions put the members one level deeper.
    let kind = annotation.text("type").unwrap_or_default();
    let said = annotation.get(kind).unwrap_or(annotation);
    let text = |name: &str| said.text(name).map(str::to_owned);
    let place = |name: &str| u32::try_from(said.get(name)?.count()?).ok();
    let source = match (text("file_id"), text("url")) {
        (Some(id), _) => CitationSource::File(id),
        (None, Some(url)) => CitationSource::Url(url),
        (None, None) => CitationSource::Unknown,
    };
    Citation {
        source,
        title: text("title").or(text("filename")),
        cited_text: text("quote").or(text("content")),
        // A file is cited at one place.
        start: place("start_index").or(place("index")),
        end: place("end_index"),
        extra: Some(annotation.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_files_of_both_apis_are_read() {
        for (annotation, source, title, start, end) in [
            (
                r#"{"type":"url_citation","start_index":3,"end_index":9,"url":"https://example.org","title":"T"}"#,
                CitationSource::Url("https://example.org".to_owned()),
                Some("T"),
                Some(3),
                Some(9),
            ),
            (
                r#"{"type":"url_citation","url_citation":{"start_index":3,"end_index":9,"url":"https://example.org","title":"T"}}"#,
                CitationSource::Url("https://example.org".to_owned()),
                Some("T"),
                Some(3),
                Some(9),
            ),
            (
                r#"{"type":"file_citation","index":7,"file_id":"file-1","filename":"a.pdf"}"#,
                CitationSource::File("file-1".to_owned()),
                Some("a.pdf"),
                Some(7),
                None,
            ),
            (
                r#"{"type":"container_file_citation","container_id":"c","file_id":"cfile_1","filename":"b.png","start_index":0,"end_index":0}"#,
                CitationSource::File("cfile_1".to_owned()),
                Some("b.png"),
                Some(0),
                Some(0),
            ),
            (
                r#"{"type":"new"}"#,
                CitationSource::Unknown,
                None,
                None,
                None,
            ),
        ] {
            let found = read(&Json::parse(annotation).unwrap());
            assert_eq!(found.source, source);
            assert_eq!(found.title.as_deref(), title);
            assert_eq!((found.start, found.end), (start, end));
            assert_eq!(found.extra.as_deref(), Some(annotation));
        }
    }
}
