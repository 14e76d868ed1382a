//! Citations, which stand on the text that they belong to.

use multillm::chat::{Citation, CitationSource, Extra, JsonObject};
use serde_json::{Value, json};

use super::super::body::{Fault, Object, Read};
use super::WIRE;

/// The citations of a text, each with what the vendor wants back.
pub(super) fn read(of: &Object<'_>) -> Read<Vec<Citation>> {
    let list = of.list("citations")?.unwrap_or_default();
    let read = list.into_iter().enumerate().map(|(at, value)| {
        let within = |fault: Fault| fault.within(format!("citations[{at}]"));
        let one = Object::of(value).map_err(within)?;
        let source = match (
            one.text("url"),
            one.text("file_id"),
            one.get::<u32>("document_index"),
        ) {
            (Ok(Some(url)), _, _) => Some(CitationSource::Url(url)),
            (_, Ok(Some(file)), _) => Some(CitationSource::File(file)),
            (_, _, Ok(Some(place))) => Some(CitationSource::Document(place.to_string())),
            _ => None,
        };
        let title = one.text("title").map_err(within)?;
        let whole = JsonObject::parse(value.get());
        let whole = whole.map_err(|error| within(Fault::at("", error.to_string())))?;
        Ok(Citation {
            source,
            title: title.or(one.text("document_title").map_err(within)?),
            cited_text: one.text("cited_text").map_err(within)?,
            extra: Extra::of(WIRE, whole),
            ..Citation::default()
        })
    });
    read.collect()
}

/// A citation as the wire writes it: as it came, where it came by this wire.
pub(super) fn written(citation: &Citation) -> Value {
    let own = citation.extra.get(WIRE);
    if let Some(own) = own.and_then(|own| serde_json::to_value(own).ok()) {
        return own;
    }
    let cited = citation.cited_text.as_deref().unwrap_or_default();
    match &citation.source {
        Some(CitationSource::Url(url)) => json!({
            "type": "web_search_result_location",
            "url": url,
            "title": citation.title,
            "cited_text": cited,
            "encrypted_index": "",
        }),
        Some(CitationSource::Document(place)) => json!({
            "type": "char_location",
            "cited_text": cited,
            "document_index": place.parse::<u32>().unwrap_or(0),
            "document_title": citation.title.as_deref().unwrap_or(place),
            "start_char_index": 0,
            "end_char_index": cited.chars().count(),
        }),
        Some(CitationSource::File(file)) => json!({
            "type": "char_location",
            "cited_text": cited,
            "document_index": 0,
            "document_title": citation.title,
            "file_id": file,
            "start_char_index": 0,
            "end_char_index": cited.chars().count(),
        }),
        None => json!({
            "type": "char_location",
            "cited_text": cited,
            "document_index": 0,
            "document_title": citation.title,
            "start_char_index": 0,
            "end_char_index": cited.chars().count(),
        }),
    }
}
