//! Requests and the pieces of answers.

use multillm::chat::{
    ChatResponse, FinishReason, Part, ReasoningPart, ResponseFormat, ResultPart, ToolCall,
    ToolChoice,
};
use serde_json::{Value, json};

use super::super::tests::stamp;
use super::super::{Asked, Entry, Face};

fn read(body: &Value) -> Asked {
    let body = body.to_string();
    let read = Entry::new(Face::CohereChat).read(body.as_bytes());
    read.unwrap_or_else(|error| panic!("{body}: {error}"))
}

#[test]
fn what_has_a_unified_form_is_read() {
    let asked = read(&json!({
        "model": "fast", "stream": true,
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}]},
            {"role": "assistant", "tool_plan": "I look.", "tool_calls": [{"id": "look_1", "type": "function", "function": {"name": "look", "arguments": "{\"x\":1}"}}]},
            {"role": "tool", "tool_call_id": "look_1", "content": [{"type": "document", "document": {"data": {"result": "a cat"}}}]},
        ],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        "tool_choice": "REQUIRED", "max_tokens": 400, "p": 0.9, "k": 0, "seed": 7, "stop_sequences": ["END"], "strict_tools": true,
        "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
    }));
    assert_eq!(asked.lost(["claude"].into_iter()), [""; 0]);
    let request = &asked.request;
    assert!(
        matches!(&request.messages[2].content[0], Part::Reasoning(thought) if thought.text == "I look.")
    );
    let Part::ToolResult(result) = &request.messages[3].content[0] else {
        panic!("no result");
    };
    assert_eq!(
        result.content,
        [ResultPart::Text {
            text: r#"{"result":"a cat"}"#.into()
        }]
    );
    assert_eq!(
        (request.sampling.top_p, request.sampling.top_k),
        (Some(0.9), None)
    );
    assert_eq!(
        (&request.tool_choice, request.tools[0].strict),
        (&ToolChoice::Required, Some(true))
    );
    assert!(matches!(
        request.response_format,
        ResponseFormat::JsonSchema(_)
    ));
    let own = read(
        &json!({"messages": [{"role": "user", "content": "hi"}], "documents": ["a"], "safety_mode": "OFF"}),
    );
    assert_eq!(own.lost(["claude"].into_iter()), ["documents"]);
}

#[test]
fn answers_are_messages_whole_and_in_events() {
    let thought = Part::Reasoning(ReasoningPart {
        text: "hm".into(),
        ..ReasoningPart::default()
    });
    let call = ToolCall {
        id: "c1".into(),
        name: "look".into(),
        arguments: "{}".into(),
        ..ToolCall::default()
    };
    let mut answer = ChatResponse::new(
        vec![thought, Part::text("hi"), Part::ToolCall(call)],
        FinishReason::ToolCalls,
    );
    answer.usage.prompt_tokens = Some(3);
    let reply = read(&json!({"messages": []})).reply("fast", stamp());
    let told: Value = serde_json::from_slice(&reply.whole(&answer)).unwrap();
    assert_eq!(
        told["message"]["content"],
        json!([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hi"}])
    );
    assert_eq!(
        (told["finish_reason"].as_str(), &told["usage"]["tokens"]),
        (Some("TOOL_CALL"), &json!({"input_tokens": 3}))
    );
    let mut renderer = reply.stream();
    let mut out = vec![];
    renderer.begin("cohere", &mut out);
    for event in answer.into_events() {
        renderer.event(&event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let names: Vec<&str> = text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("event: ")?.split('\n').next())
        .collect();
    assert_eq!(
        names,
        [
            "message-start",
            "content-start",
            "content-delta",
            "content-end",
            "content-start",
            "content-delta",
            "content-end",
            "tool-call-start",
            "tool-call-delta",
            "tool-call-end",
            "message-end",
        ]
    );
    assert!(text.ends_with("data: [DONE]\n\n"));
}
