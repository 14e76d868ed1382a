//! Requests and lines.

use multillm::chat::{
    ChatResponse, FinishReason, Part, ReasoningEffort, ResponseFormat, Role, ToolCall,
};
use serde_json::{Value, json};

use super::super::tests::stamp;
use super::super::{Asked, Entry, Face};

fn read(face: Face, body: &Value) -> Asked {
    let body = body.to_string();
    let read = Entry::new(face).read(body.as_bytes());
    read.unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn lost(asked: &Asked, wire: &str) -> Vec<String> {
    let lost = asked.lost([wire].into_iter());
    lost.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_chat_is_read() {
    let asked = read(
        Face::OllamaChat,
        &json!({
            "model": "fast", "keep_alive": "5m", "think": "high", "format": {"type": "object"},
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "what?", "images": ["iVBORw0KGgo="]},
                {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                    {"function": {"name": "look", "arguments": {"x": 1.50}}}, {"function": {"name": "look", "arguments": {}}}]},
                {"role": "tool", "tool_name": "look", "content": "a cat"},
                {"role": "tool", "content": "a dog"},
            ],
            "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
            "options": {"num_predict": 400, "temperature": 0.2, "top_k": 40, "seed": 7, "stop": ["END"], "num_ctx": 8192},
        }),
    );
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("fast"), true));
    assert_eq!(lost(&asked, "gemini"), [""; 0]);
    let request = &asked.request;
    let [
        Part::Reasoning(_),
        Part::ToolCall(first),
        Part::ToolCall(second),
    ] = request.messages[2].content.as_slice()
    else {
        panic!("{:?}", request.messages[2]);
    };
    assert_eq!(
        (first.arguments.as_str(), first.local),
        (r#"{"x":1.5}"#, true)
    );
    assert_ne!(first.id, second.id);
    for (at, call) in [(3, first), (4, second)] {
        let Part::ToolResult(result) = &request.messages[at].content[0] else {
            panic!("no result");
        };
        assert_eq!((&result.call_id, result.name.as_str()), (&call.id, "look"));
    }
    assert_eq!(request.reasoning_effort, Some(ReasoningEffort::High));
    assert_eq!(
        (request.sampling.max_tokens, request.sampling.top_k),
        (Some(400), Some(40))
    );
    assert!(matches!(
        request.response_format,
        ResponseFormat::JsonSchema(_)
    ));
    let unbounded = read(
        Face::OllamaChat,
        &json!({"messages": [], "options": {"num_predict": -1, "repeat_penalty": 1.1}}),
    );
    assert_eq!(unbounded.request.sampling.max_tokens, None);
    assert_eq!(lost(&unbounded, "gemini"), ["options.repeat_penalty"]);
    assert_eq!(lost(&unbounded, "ollama-chat"), [""; 0]);
}

#[test]
fn a_prompt_is_a_question() {
    let asked = read(
        Face::OllamaGenerate,
        &json!({"model": "m", "system": "s", "prompt": "p", "context": [], "raw": false}),
    );
    let roles: Vec<Role> = asked
        .request
        .messages
        .iter()
        .map(|message| message.role)
        .collect();
    assert_eq!(roles, [Role::System, Role::User]);
    assert!(!asked.is_empty());
    let odd = read(
        Face::OllamaGenerate,
        &json!({"prompt": "p", "suffix": "x", "context": [1], "raw": true}),
    );
    assert_eq!(lost(&odd, "ollama-chat"), ["suffix", "context", "raw"]);
    let load = read(Face::OllamaGenerate, &json!({"model": "m"}));
    assert!(load.is_empty());
    let loaded: Value = serde_json::from_slice(&load.reply("m", stamp()).loaded()).unwrap();
    assert_eq!(
        (loaded["done_reason"].as_str(), loaded["response"].as_str()),
        (Some("load"), Some(""))
    );
    assert!(read(Face::OllamaChat, &json!({"model": "m", "messages": []})).is_empty());
    assert!(
        !read(
            Face::OllamaChat,
            &json!({"messages": [{"role": "user", "content": "x"}]})
        )
        .is_empty()
    );
}

#[test]
fn an_answer_is_a_line_with_its_time() {
    let call = ToolCall {
        id: "c1".into(),
        name: "look".into(),
        arguments: "{\"z\":1.50,\"a\":2}".into(),
        ..ToolCall::default()
    };
    let mut answer = ChatResponse::new(
        vec![Part::text("hi"), Part::ToolCall(call)],
        FinishReason::ToolCalls,
    );
    answer.usage.prompt_tokens = Some(3);
    let reply = read(Face::OllamaChat, &json!({"messages": []})).reply("fast", stamp());
    let body = String::from_utf8(reply.whole(&answer)).unwrap();
    assert!(body.contains(r#""arguments":{"z":1.50,"a":2}"#), "{body}");
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["created_at"], "2025-10-09T08:53:20.000000007Z");
    assert_eq!(told["prompt_eval_count"], 3);
    assert!(told.get("eval_count").is_none());
    assert_eq!(told["done_reason"], "stop");
    assert_eq!(super::time(0, 0), "1970-01-01T00:00:00.000000000Z");
    assert_eq!(
        super::time(951_782_400, 0),
        "2000-02-29T00:00:00.000000000Z"
    );
    assert_eq!(
        super::time(4_107_542_399, 0),
        "2100-02-28T23:59:59.000000000Z"
    );
}
