//! Citations with places in characters, whole and streamed.

use multillm_plugin_sdk::testing::{response, streamed, target};
use multillm_plugin_sdk::{ChatResponse, CitationSource, Part, Provider as _, Text};

use crate::{Gemini, Stream};

/// `Größe: 5 m. Alt.` has 16 characters and 18 bytes.
const METADATA: &str = r#"{"webSearchQueries":["q"],"searchEntryPoint":{"renderedContent":"<b>"},
    "groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}},
        {"retrievedContext":{"title":"b.pdf","text":"so it is","fileSearchStore":"s"}}],
    "groundingSupports":[
        {"segment":{"endIndex":13,"text":"Größe: 5 m."},"groundingChunkIndices":[0,1],"confidenceScores":[0.9,0.5]},
        {"segment":{"startIndex":14,"endIndex":18,"text":"Alt."},"groundingChunkIndices":[1]}]}"#;

fn event(parts: &str, rest: &str) -> String {
    format!(r#"{{"candidates":[{{"content":{{"role":"model","parts":[{parts}]}}{rest}}}]}}"#)
}

fn whole(body: &str) -> ChatResponse {
    Gemini::decode(&target("gemini-3-pro", "{}"), &response(200, body)).unwrap()
}

fn texts(answer: &ChatResponse) -> Vec<&Text> {
    let parts = answer.content.iter();
    parts
        .filter_map(|part| match part {
            Part::Text(text) => Some(text),
            _ => None,
        })
        .collect()
}

/// Title and place.
type Cited = (String, Option<u32>, Option<u32>);

/// Text, and what of each citation matters.
fn cited(answer: &ChatResponse) -> Vec<(String, Vec<Cited>)> {
    let texts = texts(answer).into_iter();
    texts
        .map(|text| {
            let citations = text.citations.iter();
            let citations = citations
                .map(|one| (one.title.clone().unwrap_or_default(), one.start, one.end))
                .collect();
            (text.text.clone(), citations)
        })
        .collect()
}

fn expected() -> Vec<Cited> {
    let at = |title: &str, start, end| (title.to_owned(), Some(start), Some(end));
    vec![at("A", 0, 11), at("b.pdf", 0, 11), at("b.pdf", 12, 16)]
}

#[test]
fn bytes_become_characters_and_sources_are_named() {
    let rest = format!(r#","finishReason":"STOP","groundingMetadata":{METADATA}"#);
    let answer = whole(&event(r#"{"text":"Größe: 5 m. Alt."}"#, &rest));
    assert_eq!(
        cited(&answer),
        [("Größe: 5 m. Alt.".to_owned(), expected())]
    );
    let texts = texts(&answer);
    let sources: Vec<_> = texts[0].citations.iter().map(|one| &one.source).collect();
    let url = CitationSource::Url("https://a.example".to_owned());
    let file = CitationSource::Document("b.pdf".to_owned());
    assert_eq!(sources, [&url, &file, &file]);
    assert_eq!(
        texts[0].citations[1].cited_text.as_deref(),
        Some("so it is")
    );
    assert!(
        answer
            .extra
            .as_deref()
            .is_some_and(|extra| extra.contains("searchEntryPoint")),
        "{:?}",
        answer.extra
    );
}

#[test]
fn a_stream_cites_like_a_whole_answer_also_where_the_end_is_signed() {
    let rest = format!(r#","finishReason":"STOP","groundingMetadata":{METADATA}"#);
    let signed = r#"{"text":"","thoughtSignature":"s"}"#;
    for last in ["", r#"{"text":""}"#, signed] {
        let events = [
            event(r#"{"text":"Größe: "}"#, ""),
            event(r#"{"text":"5 m. Alt."}"#, ""),
            event(last, &rest),
        ];
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let answer = streamed::<Stream>(&target("gemini-3-pro", "{}"), &events).unwrap();
        assert_eq!(
            cited(&answer)[0],
            ("Größe: 5 m. Alt.".to_owned(), expected()),
            "{last}"
        );
    }
    let signed = event(
        r#"{"text":"Größe: 5 m. Alt.","thoughtSignature":"s"}"#,
        &rest,
    );
    let answer = whole(&signed);
    assert_eq!(
        cited(&answer),
        [("Größe: 5 m. Alt.".to_owned(), expected())]
    );
    assert_eq!(texts(&answer)[0].signature.as_deref(), Some("s"));
}

#[test]
fn places_count_from_their_part() {
    let metadata = r#","finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}}],
        "groundingSupports":[{"segment":{"partIndex":2,"startIndex":3,"endIndex":5,"text":"no"},"groundingChunkIndices":[0]}]}"#;
    let code = r#"{"executableCode":{"language":"PYTHON","code":"1"}}"#;
    let answer = whole(&event(
        &format!(r#"{{"text":"ö no. "}},{code},{{"text":"ß no"}},{{"text":"?"}}"#),
        metadata,
    ));
    // The same words stand at the same place of the first text. In the second one `ß` has two bytes.
    let found = cited(&answer);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[1],
        ("ß no?".to_owned(), vec![("A".to_owned(), Some(2), Some(4))])
    );
}

#[test]
fn what_has_no_place_is_told_without_one_and_once() {
    let chunks = r#""groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}},{"maps":{"placeId":"p","title":"M"}}]"#;
    let bare = format!(r#","finishReason":"STOP","groundingMetadata":{{{chunks}}}"#);
    let all = vec![("A".to_owned(), None, None), ("M".to_owned(), None, None)];
    let answer = whole(&event(r#"{"text":"Hi"}"#, &bare));
    assert_eq!(cited(&answer), [("Hi".to_owned(), all)]);
    let lost = format!(
        r#","finishReason":"STOP","groundingMetadata":{{{chunks},"groundingSupports":[{{"segment":{{"startIndex":5,"endIndex":9,"text":"gone"}},"groundingChunkIndices":[1,7]}}]}}"#
    );
    let events = [
        event(r#"{"text":"Hi"}"#, &lost),
        event(r#"{"text":"!"}"#, &lost),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let answer = streamed::<Stream>(&target("gemini-2.5-flash", "{}"), &events).unwrap();
    assert_eq!(
        cited(&answer),
        [("Hi!".to_owned(), vec![("M".to_owned(), None, None)])]
    );
}

#[test]
fn recited_passages_are_citations_too() {
    let rest = r#","finishReason":"STOP","citationMetadata":{"citationSources":[
        {"startIndex":3,"endIndex":5,"uri":"https://b.example","license":"MIT"}]}"#;
    let answer = whole(&event(r#"{"text":"ß xy"}"#, rest));
    let texts = texts(&answer);
    let [one] = texts[0].citations.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!((one.start, one.end), (Some(2), Some(4)));
    assert_eq!(
        one.source,
        CitationSource::Url("https://b.example".to_owned())
    );
    assert!(
        one.extra
            .as_deref()
            .is_some_and(|extra| extra.contains("MIT"))
    );
}
