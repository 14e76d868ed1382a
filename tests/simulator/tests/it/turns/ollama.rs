//! Ollama: one prompt with a suffix, and vectors.

use multillm_plugin_ollama::Ollama;
use multillm_plugin_sdk::{ChatRequest, Message, Part, Role};
use multillm_simulator::Vendor;

use super::{Side, words};

#[tokio::test]
async fn one_prompt_is_completed() {
    let mut side = Side::of(
        Vendor::Ollama,
        "qwen3:4b",
        r#"{"template":"{{ .Prompt }}"}"#,
    )
    .await;
    let said = Message::new(Role::User, vec![Part::text("def f(x):")]);
    let request = ChatRequest {
        messages: vec![said],
        extra: Some(r#"{"suffix":"return y"}"#.to_owned()),
        ..ChatRequest::default()
    };
    let answer = side.ask::<Ollama>(&request).await;
    assert!(
        words(&answer).contains("def f(x): … return y"),
        "{answer:?}"
    );
    assert!(matches!(answer.content[0], Part::Reasoning(_)));
    assert!(answer.extra.unwrap().contains("\"context\":[1,2,3]"));
}

#[tokio::test]
async fn texts_become_vectors() {
    let side = Side::of(Vendor::Ollama, "llama3.2", "{}").await;
    let vectors = side.embed::<Ollama>(&["one two", "three"], Some(4)).await;
    assert_eq!(
        vectors.vectors.iter().map(Vec::len).collect::<Vec<_>>(),
        [4, 4]
    );
    assert_eq!(vectors.usage.prompt_tokens, Some(3));
}
