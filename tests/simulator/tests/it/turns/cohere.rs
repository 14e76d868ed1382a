//! Cohere: documents and results of tools that are cited, vectors, counting.

use multillm_plugin_cohere::Cohere;
use multillm_plugin_sdk::{ChatRequest, Message, Opaque, Part, Role};
use multillm_simulator::Vendor;

use super::{Side, cited};

#[tokio::test]
async fn a_document_is_cited_and_the_answer_goes_back() {
    let mut side = Side::of(Vendor::Cohere, "command-a-03-2025", "{}").await;
    let document = Part::Opaque(Opaque {
        kind: "document".to_owned(),
        data: r#"{"id":"d0","data":{"title":"Sky","text":"It is green."}}"#.to_owned(),
    });
    let content = vec![document, Part::text("what colour?")];
    let mut request = ChatRequest {
        messages: vec![Message::new(Role::User, content)],
        ..ChatRequest::default()
    };
    let answer = side.ask::<Cohere>(&request).await;
    let cited = cited(&answer);
    assert_eq!(cited.len(), 1);
    assert_eq!(cited[0].0.as_deref(), Some("Sky"));
    assert_eq!(cited[0].1.chars().count(), 5);
    request
        .messages
        .push(Message::new(Role::Assistant, answer.content));
    side.go_on::<Cohere>(&mut request, "and then?").await;
}

#[tokio::test]
async fn texts_are_counted_and_become_vectors() {
    let side = Side::of(Vendor::Cohere, "command-a-03-2025", "{}").await;
    let said = Message::new(Role::User, vec![Part::text("one two three")]);
    let request = ChatRequest {
        messages: vec![said],
        ..ChatRequest::default()
    };
    assert_eq!(side.count::<Cohere>(&request).await, 3);
    let embedder = Side::of(Vendor::Cohere, "embed-v4.0", "{}").await;
    let vectors = embedder.embed::<Cohere>(&["one two", "three"], None).await;
    assert_eq!(vectors.vectors.len(), 2);
    assert_eq!(vectors.usage.prompt_tokens, Some(3));
}
