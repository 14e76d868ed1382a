//! Gemini: grounding with places, programs and searches beside functions, pictures, vectors, counting.

use multillm_plugin_gemini::Gemini;
use multillm_plugin_sdk::{ChatRequest, Tool};
use multillm_simulator::Vendor;

use super::{Side, cited, kinds, server, words};

#[tokio::test]
async fn a_search_is_cited_with_its_place() {
    for model in ["gemini-2.5-flash", "gemini-3-pro-preview"] {
        let mut side = Side::of(Vendor::Gemini, model, "{}").await;
        let mut request = ChatRequest {
            server_tools: vec![server("web-search")],
            ..ChatRequest::default()
        };
        for _ in 0..2 {
            let answer = side
                .go_on::<Gemini>(&mut request, "search the web for Größe")
                .await;
            let [(title, passage)] = cited(&answer).try_into().unwrap();
            assert_eq!(title.as_deref(), Some("The first result"));
            let (_, rest) = words(&answer)
                .split_once(' ')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .unwrap();
            assert_eq!(passage, rest, "{model}");
            assert!(answer.extra.unwrap().contains("searchEntryPoint"));
            assert_eq!(answer.usage.counted("web-searches"), Some(1));
        }
    }
}

#[tokio::test]
async fn what_the_vendor_ran_and_drew_goes_back_beside_functions() {
    let mut side = Side::of(Vendor::Gemini, "gemini-3-pro-preview", "{}").await;
    let mut request = ChatRequest {
        server_tools: vec![server("code-execution"), server("web-search")],
        tools: vec![Tool {
            name: "look".to_owned(),
            ..Tool::default()
        }],
        outputs: vec!["text".to_owned(), "image".to_owned()],
        ..ChatRequest::default()
    };
    for _ in 0..2 {
        let answer = side
            .go_on::<Gemini>(&mut request, "run code and draw a picture")
            .await;
        assert_eq!(
            kinds(&answer),
            [
                "call code-execution",
                "result code-execution",
                "media Some(\"image/png\")"
            ]
        );
        let answer = side
            .go_on::<Gemini>(&mut request, "run code and search the web")
            .await;
        assert_eq!(
            kinds(&answer),
            [
                "call web-search",
                "result web-search",
                "call code-execution",
                "result code-execution"
            ]
        );
        assert_eq!(cited(&answer).len(), 1);
        side.go_on::<Gemini>(&mut request, "fine").await;
    }
}

#[tokio::test]
async fn tokens_are_counted_and_texts_become_vectors() {
    let mut side = Side::of(Vendor::Gemini, "gemini-2.5-flash", "{}").await;
    let mut request = ChatRequest::default();
    let answer = side.go_on::<Gemini>(&mut request, "hello there").await;
    request.messages.pop();
    assert_eq!(
        Some(side.count::<Gemini>(&request).await),
        answer.usage.prompt_tokens
    );
    let embedder = Side::of(Vendor::Gemini, "gemini-embedding-001", "{}").await;
    let vectors = embedder
        .embed::<Gemini>(&["one two", "three"], Some(4))
        .await;
    assert_eq!(
        vectors.vectors.iter().map(Vec::len).collect::<Vec<_>>(),
        [4, 4]
    );
    assert_eq!(vectors.usage.prompt_tokens, Some(3));
}
