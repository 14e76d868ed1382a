//! OpenAI by Responses: searches, programs and pictures, thoughts and calls, all of them sent back.

use multillm_plugin_openai::OpenAi;
use multillm_plugin_sdk::{
    ChatRequest, Message, Part, ResultPart, Role, Tool, ToolInput, ToolResult,
};
use multillm_simulator::Vendor;

use super::{Side, cited, kinds, server, words};

const RESPONSES: &str = r#"{"api":"responses"}"#;

#[tokio::test]
async fn searches_programs_and_pictures_go_back_with_every_turn() {
    let mut side = Side::of(Vendor::OpenAi, "gpt-4o", RESPONSES).await;
    let mut request = ChatRequest {
        server_tools: vec![
            server("web-search"),
            server("code-execution"),
            server("image-generation"),
        ],
        ..ChatRequest::default()
    };
    let searched = side.go_on::<OpenAi>(&mut request, "search the web").await;
    assert_eq!(cited(&searched).len(), 1, "{searched:?}");
    let ran = side.go_on::<OpenAi>(&mut request, "run code").await;
    let drawn = side.go_on::<OpenAi>(&mut request, "draw a picture").await;
    assert_ne!(kinds(&ran), kinds(&drawn));
    assert!(
        drawn
            .content
            .iter()
            .any(|part| matches!(part, Part::Media(_))),
        "{drawn:?}"
    );
    let last = side.go_on::<OpenAi>(&mut request, "and now").await;
    assert!(words(&last).contains("(turns: 7)"), "{}", words(&last));
    assert!(side.count::<OpenAi>(&request).await > 0);
}

#[tokio::test]
async fn encrypted_thoughts_go_back_with_the_calls_that_they_led_to() {
    let mut side = Side::of(
        Vendor::OpenAi,
        "o3",
        r#"{"api":"responses","reasoning_summary":"auto"}"#,
    )
    .await;
    let look = Tool {
        name: "look".to_owned(),
        input: ToolInput::Schema(r#"{"type":"object","properties":{}}"#.to_owned()),
        ..Tool::default()
    };
    let mut request = ChatRequest {
        tools: vec![look],
        ..ChatRequest::default()
    };
    let asked = side.go_on::<OpenAi>(&mut request, "look at it").await;
    let call = asked.content.iter().find_map(|part| match part {
        Part::ToolCall(call) => call.id.clone(),
        _ => None,
    });
    let result = ToolResult {
        call_id: call.unwrap(),
        name: "look".to_owned(),
        content: vec![ResultPart::Text("a cat".to_owned())],
        ..ToolResult::default()
    };
    let result = Message::new(Role::Tool, vec![Part::ToolResult(result)]);
    request.messages.push(result);
    let answer = side.ask::<OpenAi>(&request).await;
    assert!(
        words(&answer).contains("look -> a cat"),
        "{}",
        words(&answer)
    );
    let thought = answer
        .content
        .iter()
        .any(|part| matches!(part, Part::Reasoning(_)));
    assert!(thought, "{answer:?}");
}

#[tokio::test]
async fn a_conversation_goes_on_by_the_other_api_and_back() {
    let mut side = Side::of(Vendor::OpenAi, "gpt-4o", RESPONSES).await;
    let mut request = ChatRequest {
        server_tools: vec![server("web-search")],
        ..ChatRequest::default()
    };
    side.go_on::<OpenAi>(&mut request, "search the web").await;
    request.server_tools.clear();
    side.target.settings = r#"{"api":"chat"}"#.to_owned();
    side.go_on::<OpenAi>(&mut request, "go on").await;
    side.target.settings = RESPONSES.to_owned();
    let last = side.go_on::<OpenAi>(&mut request, "and back").await;
    assert!(words(&last).contains("(turns: 5)"), "{}", words(&last));
}

#[tokio::test]
async fn texts_become_vectors_in_either_form() {
    for settings in ["{}", r#"{"embedding_format":"float"}"#] {
        let side = Side::of(Vendor::OpenAi, "text-embedding-3-small", settings).await;
        let made = side.embed::<OpenAi>(&["one", "two"], Some(4)).await;
        assert_eq!(made.vectors.len(), 2);
        assert!(made.vectors.iter().all(|vector| vector.len() == 4));
        assert_ne!(made.vectors[0], made.vectors[1]);
    }
}
