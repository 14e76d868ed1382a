//! What a guest gets to see of a conversation.

use super::*;
use crate::chat::{ReasoningPart, ServerToolCall, TextPart, ToolCall, ToolResult};

const WIRE: &str = "anthropic-messages";

fn tail_of(wire: &str) -> Extra {
    Extra::of(wire, JsonObject::parse(r#"{"b":1.0,"a":2}"#).unwrap())
}

fn conversation(origin: &str) -> ChatRequest {
    let call = ToolCall {
        id: "toolu_1".into(),
        name: "look".into(),
        arguments: "{}".into(),
        signature: Some("sig".into()),
        extra: tail_of("other-wire"),
        ..ToolCall::default()
    };
    let cited = Citation {
        source: Some(CitationSource::Url("https://example.org/cited".into())),
        ..Citation::default()
    };
    let mut answer = ChatMessage::new(
        Role::Assistant,
        vec![
            Part::Reasoning(ReasoningPart {
                text: "hm".into(),
                signature: Some("sig".into()),
                ..ReasoningPart::default()
            }),
            Part::ServerToolCall(ServerToolCall {
                name: "web-search".into(),
                data: "{\"searched\":1}".into(),
                ..ServerToolCall::default()
            }),
            Part::Opaque(OpaquePart {
                kind: "container_upload".into(),
                data: "{}".into(),
            }),
            Part::Text(TextPart {
                text: "let me look".into(),
                signature: Some("sig".into()),
                citations: vec![cited],
                extra: tail_of(WIRE),
                ..TextPart::default()
            }),
            Part::ToolCall(call.clone()),
        ],
    );
    answer.origin = Some(origin.into());
    let result = ToolResult::new(&call, "ok");
    ChatRequest::new([
        answer,
        ChatMessage::new(Role::Tool, vec![Part::ToolResult(result)]),
    ])
}

#[test]
fn a_vendors_own_parts_go_back_to_it_unchanged() {
    let request = conversation("claude");
    let (asked, _) = chat_request(&request, "claude", WIRE);
    let text = format!("{asked:?}");
    assert_eq!(text.matches("\"sig\"").count(), 3, "{text}");
    for part in [
        "container_upload",
        "searched",
        "example.org/cited",
        r#"{\"b\":1.0,\"a\":2}"#,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        text.matches(r#"\"b\""#).count(),
        1,
        "another wire's tail: {text}"
    );
    assert!(!text.contains("local: true"), "{text}");
}

#[test]
fn another_vendor_sees_only_what_it_can_understand() {
    let request = conversation("claude");
    let (asked, _) = chat_request(&request, "gemini", "gemini");
    let text = format!("{asked:?}");
    for part in [
        "\"sig\"",
        "container_upload",
        "searched",
        "hm",
        "cited\"",
        r#"\"b\""#,
    ] {
        assert!(!text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.matches("local: true").count(), 2, "{text}");
}

#[test]
fn bytes_stay_with_the_host() {
    let data = b"\x89PNG\r\n\x1a\nsecret pixels".to_vec();
    let document = MediaPart::of_type("application/pdf", &b"%PDF secret"[..]);
    let message = ChatMessage::user("what?")
        .with_media(MediaPart::bytes(data.clone()).unwrap())
        .with_media(document);
    let request = ChatRequest::new([message]);
    let (asked, blobs) = chat_request(&request, "openai", "openai-chat");
    assert_eq!(
        blobs,
        [Bytes::from(data), Bytes::from_static(b"%PDF secret")]
    );
    let text = format!("{asked:?}");
    assert!(!text.contains("secret"), "{text}");
    assert!(
        text.contains("application/pdf") && text.contains("id: 1"),
        "{text}"
    );
}
