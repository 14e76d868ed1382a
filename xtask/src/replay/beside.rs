//! Compares what an answer holds beside its text: what the vendor's own tools did, citations, pictures, and the
//! service level. They stand in the member `parts` of an answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::case::Expect;
use super::compare::text;

/// What differs, one line each.
pub(super) fn differences(expect: &Expect, got: &Value) -> Vec<String> {
    let parts = got.get("parts").and_then(Value::as_array);
    let parts = parts.map_or(&[][..], Vec::as_slice);
    let mut found = Vec::new();
    let mut compare = |name: &str, wanted: Vec<Value>, came: Vec<Value>| {
        if wanted != came && !expect.doubts(name) {
            found.push(format!("{name}: expected {wanted:?}, got {came:?}"));
        }
    };
    let calls = expect.server_tool_calls.iter();
    let calls = calls.map(|call| picked(call, &["kind", "id", "status"]));
    compare("server_tool_calls", calls.collect(), ran(parts));
    let cited = expect.citations.iter().map(wanted_citation);
    compare("citations", cited.collect(), citations(parts));
    let drawn = expect.images.iter();
    let drawn = drawn.map(|image| picked(image, &["bytes", "sha256"]));
    compare("images", drawn.collect(), images(parts));
    let plain = ["default", "auto"];
    let tier = expect.service_tier.as_deref();
    let tier = tier
        .filter(|tier| !plain.contains(tier))
        .unwrap_or_default();
    let came = got
        .get("billing")
        .map_or("", |billing| text(billing, "tier"));
    if tier != came && !expect.doubts("service_tier") {
        found.push(format!("service_tier: expected {tier:?}, got {came:?}"));
    }
    found
}

fn picked(value: &Value, names: &[&str]) -> Value {
    let member = |name: &&str| {
        (
            name.to_string(),
            value.get(*name).cloned().unwrap_or_default(),
        )
    };
    names.iter().map(member).collect()
}

fn of_type<'p>(parts: &'p [Value], kind: &'static str) -> impl Iterator<Item = &'p Value> {
    parts.iter().filter(move |part| text(part, "type") == kind)
}

/// The vendor's own blocks of calls.
fn ran(parts: &[Value]) -> Vec<Value> {
    let calls = of_type(parts, "server_tool_call").map(|call| {
        let block: Value = serde_json::from_str(text(call, "data")).unwrap_or_default();
        json!({"kind": block.get("type"), "id": block.get("id"), "status": block.get("status")})
    });
    calls.collect()
}

/// The object with a member more.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    object
}

fn wanted_citation(citation: &Value) -> Value {
    let source = match text(citation, "kind") {
        "url" => text(citation, "url"),
        _ => text(citation, "file_id"),
    };
    let wanted = picked(citation, &["title", "start", "end", "part"]);
    with(wanted, "source", json!(source))
}

fn citations(parts: &[Value]) -> Vec<Value> {
    let texts = of_type(parts, "text").enumerate();
    let cited = texts.flat_map(|(number, part)| {
        let list = part.get("citations").and_then(Value::as_array);
        let list = list.map_or(&[][..], Vec::as_slice).iter();
        list.map(move |citation| {
            let source = citation.get("source").and_then(Value::as_object);
            let source = source.and_then(|source| source.values().next());
            let came = picked(citation, &["title", "start", "end"]);
            let source = source.cloned().unwrap_or_else(|| json!(""));
            with(with(came, "source", source), "part", json!(number))
        })
    });
    cited.collect()
}

fn images(parts: &[Value]) -> Vec<Value> {
    let pictures = of_type(parts, "media").filter_map(|part| {
        let source = part.get("source").unwrap_or(part);
        let bytes = STANDARD.decode(text(source, "data")).ok()?;
        let digest = Sha256::digest(&bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(json!({"bytes": bytes.len(), "sha256": digest}))
    });
    pictures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_holds_beside_its_text_is_compared_piece_by_piece() {
        let wanted = json!({
            "server_tool_calls": [{"kind": "web_search_call", "id": "ws_1", "status": "completed", "more": 1}],
            "citations": [{"kind": "url", "url": "https://example.org", "title": "T", "start": 1, "end": 2, "part": 0}],
            "images": [{"id": "ig", "bytes": 3, "sha256": "709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c"}],
            "service_tier": "flex",
        });
        let expect: Expect = serde_json::from_value(wanted).expect("what is expected");
        let block = r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#;
        let right = json!({"billing": {"tier": "flex"}, "parts": [
            {"type": "server_tool_call", "name": "web-search", "data": block},
            {"type": "text", "text": "abc", "citations": [{"source": {"url": "https://example.org"},
                "title": "T", "start": 1, "end": 2}]},
            {"type": "media", "source": {"media_type": "image/png", "data": "AAAA"}},
        ]});
        assert_eq!(differences(&expect, &right), Vec::<String>::new());
        for (path, wrong) in [
            ("/billing/tier", json!("default")),
            ("/parts/0/data", json!("{}")),
            ("/parts/1/citations/0/end", json!(3)),
            ("/parts/2/source/data", json!("AAAB")),
        ] {
            let mut got = right.clone();
            if let Some(place) = got.pointer_mut(path) {
                *place = wrong;
            }
            assert_eq!(differences(&expect, &got).len(), 1, "{path}");
        }
    }
}
