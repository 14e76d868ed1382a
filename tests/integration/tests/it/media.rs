//! Pictures and sound that a model makes: they are told and kept, as media or as blocks of the vendor's own, and no
//! answer passes for empty.

use serde_json::{Value, json};

use crate::raw_server::{RawServer, http, sse};
use crate::stage::Stage;

/// The beginning of a PNG, 45 bytes of it.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk";

/// A stage whose model `m` always answers so.
fn stage(plugin: &str, answer: Vec<u8>) -> (Stage, RawServer) {
    let server = RawServer::always(answer);
    let mut stage = Stage::new();
    stage.config["providers"]["other"] =
        json!({ "plugin": plugin, "base_url": server.origin, "api_key": false });
    stage.config["models"]["m"] = json!({ "provider": "other", "model_name": "x" });
    (stage, server)
}

fn whole(body: &Value) -> Vec<u8> {
    http(200, "application/json", "", &body.to_string())
}

#[test]
fn a_picture_is_told_and_given() {
    let picture = json!({ "inlineData": { "mimeType": "image/png", "data": PNG } });
    let body = json!({
        "candidates": [{ "content": { "role": "model", "parts": [picture] }, "finishReason": "STOP" }],
        "usageMetadata": { "promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3 },
    });
    let (stage, _server) = stage("gemini", whole(&body));
    let done = stage.run(&["query", "draw", "-m", "m"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    assert!(
        done.stderr
            .contains("saved 1 image/png (45 bytes) as answer-"),
        "{done:?}"
    );
    let answer = stage.run(&["query", "draw", "-m", "m", "--json"]).json();
    assert_eq!(
        answer["parts"],
        json!([{ "type": "media", "source": { "media_type": "image/png", "data": PNG } }])
    );
    let compared = stage
        .run(&["compare", "draw", "-m", "m", "openai"])
        .answer();
    assert!(compared.contains("[1 image/png (45 bytes)"), "{compared}");
    let shown = stage
        .run(&["history", "list", "--model", "m", "--json"])
        .json();
    assert_eq!(shown[0]["answer"], "[1 image/png (45 bytes)]");
    // A conversation goes on with it.
    let done = stage.run_with(&["chat", "-m", "m"], b"draw\nagain\n/save talk.md\n");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(!done.stderr.contains("the answer is empty"), "{done:?}");
    let talk = std::fs::read_to_string(stage.folder.path().join("talk.md")).unwrap();
    assert_eq!(
        talk.matches("[1 image/png (45 bytes)]").count(),
        2,
        "{talk}"
    );
}

#[test]
fn pictures_in_a_stream_are_told_at_its_end() {
    let picture = json!({
        "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{PNG}") },
    });
    let delta = json!({ "role": "assistant", "content": "here", "images": [picture, picture] });
    let events = [
        json!({ "id": "c", "choices": [{ "index": 0, "delta": delta }] }),
        json!({ "id": "c", "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }),
    ];
    let events = events.map(|event| event.to_string());
    let [first, last] = &events;
    let body = sse(&[first, last, "[DONE]"]);
    let (stage, _server) = stage("openai", http(200, "text/event-stream", "", &body));
    let done = stage.run(&["query", "draw", "-m", "m", "--stream"]);
    assert_eq!(done.stdout, "here\n", "{done:?}");
    let saved = done.stderr.matches("saved 1 image/png (45 bytes)");
    assert_eq!(saved.count(), 2, "{done:?}");
}
