//! Claude: searches with citations, programs in one container, documents, thoughts, the prompt cache, counting.

use multillm_plugin_claude::Claude;
use multillm_plugin_sdk::{Blob, ChatRequest, Media, Message, Part, Role};
use multillm_simulator::Vendor;

use super::{Side, cited, extra, kinds, server, words};

const MODEL: &str = "claude-sonnet-4-5";

#[tokio::test]
async fn a_search_is_cited_and_goes_back_turn_after_turn() {
    let mut side = Side::of(Vendor::Anthropic, MODEL, r#"{"prompt_cache":"auto"}"#).await;
    let mut request = ChatRequest {
        server_tools: vec![server("web-search")],
        reasoning_effort: Some("low".to_owned()),
        ..ChatRequest::default()
    };
    for _ in 0..3 {
        let answer = side
            .go_on::<Claude>(&mut request, "search the web for cats")
            .await;
        assert_eq!(
            kinds(&answer),
            ["thought", "call web-search", "result web-search"]
        );
        let [(title, rest)] = cited(&answer).try_into().unwrap();
        assert_eq!(title.as_deref(), Some("The first result"));
        assert!(words(&answer).ends_with(&rest), "{rest}");
        assert_eq!(answer.usage.counted("web-searches"), Some(1));
        let plain = side.go_on::<Claude>(&mut request, "thanks").await;
        assert_eq!(kinds(&plain), ["thought"]);
    }
}

#[tokio::test]
async fn programs_go_on_in_their_container() {
    let mut side = Side::of(Vendor::Anthropic, MODEL, "{}").await;
    let mut request = ChatRequest {
        server_tools: vec![server("code-execution"), server("web-search")],
        ..ChatRequest::default()
    };
    let mut containers = Vec::new();
    for question in ["run code", "run code again and search the web", "run code"] {
        let answer = side.go_on::<Claude>(&mut request, question).await;
        let kinds = kinds(&answer);
        assert!(
            kinds.contains(&"call code-execution".to_owned()),
            "{kinds:?}"
        );
        assert_eq!(kinds.last().unwrap(), "opaque container");
        let extra = extra(&answer);
        containers.push(extra["container"]["id"].as_str().unwrap().to_owned());
    }
    assert!(
        containers.iter().all(|id| *id == containers[0]),
        "{containers:?}"
    );
}

#[tokio::test]
async fn a_document_is_cited_and_tokens_are_counted_beforehand() {
    let mut side = Side::of(Vendor::Anthropic, MODEL, "{}").await;
    side.blobs.push("JVBERi0xLjQK".to_owned());
    let document = Media {
        name: Some("report.pdf".to_owned()),
        extra: Some(r#"{"citations":{"enabled":true}}"#.to_owned()),
        ..Media::blob(Blob { id: 0, length: 9 }, "application/pdf")
    };
    let content = vec![Part::Media(document), Part::text("what does it say?")];
    let mut request = ChatRequest {
        messages: vec![Message::new(Role::User, content)],
        ..ChatRequest::default()
    };
    let counted = side.count::<Claude>(&request).await;
    let answer = side.ask::<Claude>(&request).await;
    assert_eq!(Some(counted), answer.usage.prompt_tokens);
    let cited = cited(&answer);
    assert_eq!(cited.len(), 1);
    assert_eq!(cited[0].0.as_deref(), Some("report.pdf"));
    request
        .messages
        .push(Message::new(Role::Assistant, answer.content));
    side.go_on::<Claude>(&mut request, "and then?").await;
}
