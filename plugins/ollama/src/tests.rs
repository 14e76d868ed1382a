//! What the tests of the modules share, and tests of the plugin as a whole.

use multillm_plugin_sdk::{
    BodyPart, ChatRequest, ChatResponse, Error, ErrorKind, Message, Mode, Part, Provider,
    Reasoning, Response, ResponseFormat, Role, Sampling, Target, Text, ToolCall, ToolChoice,
};
use serde_json::{Value, json};

use crate::Ollama;
use crate::stream::Lines;

pub(crate) fn target(settings: &str) -> Target {
    Target {
        model: "qwen3:4b".into(),
        settings: settings.into(),
        ..Target::default()
    }
}

/// A request that asks for nothing but an answer to these messages.
pub(crate) fn ask(messages: Vec<Message>) -> ChatRequest {
    let nothing = Sampling {
        stop: vec![],
        seed: None,
        max_tokens: None,
        top_k: None,
        top_p: None,
        temperature: None,
        presence_penalty: None,
        frequency_penalty: None,
    };
    ChatRequest {
        sampling: nothing,
        messages,
        response_format: ResponseFormat::Text,
        tools: vec![],
        tool_choice: ToolChoice::Auto,
        parallel_tool_calls: None,
        extra: None,
        reasoning_effort: None,
        ..ChatRequest::default()
    }
}

pub(crate) fn message(role: Role, content: Vec<Part>) -> Message {
    Message::new(role, content)
}

pub(crate) fn text(text: &str) -> Part {
    Part::Text(Text {
        signature: None,
        text: text.into(),
        ..Text::default()
    })
}

pub(crate) fn thought(text: &str) -> Part {
    Part::Reasoning(Reasoning {
        redacted: None,
        signature: None,
        text: text.into(),
        ..Reasoning::default()
    })
}

/// A call; without an id it is as an old server sends it.
pub(crate) fn call(id: Option<&str>, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        signature: None,
        arguments: arguments.into(),
        name: name.into(),
        id: id.map(Into::into),
        local: false,
        ..ToolCall::default()
    })
}

pub(crate) fn response(status: u16, body: &str) -> Response {
    Response {
        body: body.into(),
        headers: vec![],
        status,
    }
}

/// The body as JSON, with `<blob N>` where the host puts a picture.
pub(crate) fn body(parts: &[BodyPart]) -> Value {
    let piece = |part: &BodyPart| match part {
        BodyPart::Text(text) => text.clone(),
        BodyPart::BlobBase64(id) => format!("<blob {id}>"),
    };
    let text: String = parts.iter().map(piece).collect();
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn encoded(request: &ChatRequest) -> Value {
    body(
        &Ollama::encode(&target(""), request, Mode::Whole)
            .unwrap()
            .body,
    )
}

/// Reads lines as the host does and puts the events together.
pub(crate) fn read(lines: &[&str]) -> Result<ChatResponse, Error> {
    multillm_plugin_sdk::testing::streamed::<Lines>(&target(""), lines)
}

#[test]
fn the_description_is_well_formed() {
    let info = Ollama::describe();
    assert_eq!(info.base_url_env, ["OLLAMA_BASE_URL", "OLLAMA_HOST"]);
    assert!(!info.secrets[0].required);
    for setting in &info.settings {
        let schema: Value = serde_json::from_str(&setting.schema).unwrap();
        assert!(schema.is_object(), "{}", setting.name);
    }
}

#[test]
fn a_stream_says_what_the_whole_reply_says() {
    let lines = [
        r#"{"model":"qwen3:4b","created_at":"2026-01-02T03:04:05.678901234Z","message":{"role":"assistant","content":"","thinking":"Let me "},"done":false}"#,
        r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","thinking":"see."},"done":false}"#,
        "",
        r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"One \u2028"},"done":false}"#,
        r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"moment 🦙"},"done":false}"#,
        r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"look","arguments":{"b": 1,"a":2}}}]},"done":false}"#,
        r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_9","function":{"index":0,"name":"look","arguments":{}}},{"function":{"name":"stop"}}]},"done":false}"#,
        r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"last","arguments":null}}]},"done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":26,"eval_count":83}"#,
    ];
    let whole = r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"One \u2028moment 🦙","thinking":"Let me see.","tool_calls":[
        {"function":{"name":"look","arguments":{"b": 1,"a":2}}},
        {"id":"call_9","function":{"index":0,"name":"look","arguments":{}}},
        {"function":{"name":"stop"}},{"function":{"name":"last","arguments":null}}]},
        "done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":26,"eval_count":83}"#;
    let whole = Ollama::decode(&target(""), &response(200, whole)).unwrap();
    let streamed = read(&lines).unwrap();
    assert_eq!(whole.id, None);
    assert_eq!(whole.extra.as_deref(), Some(r#"{"total_duration":9}"#));
    assert_eq!(streamed, whole);
    for cut in 0..lines.len() {
        let error = read(&lines[..cut]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Truncated, "cut after {cut}");
    }
}

#[test]
fn an_answer_goes_back_as_it_came() {
    let said = json!({"role":"assistant","content":"One moment.","thinking":"Hm.",
        "tool_calls":[{"function":{"name":"look","arguments":{"x":1}}}]});
    let reply = json!({"message": said, "done": true}).to_string();
    let answer = Ollama::decode(&target(""), &response(200, &reply)).unwrap();
    let history = ask(vec![message(Role::Assistant, answer.content)]);
    assert_eq!(encoded(&history)["messages"], json!([said]));
}

#[test]
fn nothing_makes_the_adapter_panic() {
    let seeds = [
        r#"{"model":7,"message":{"content":"🦙","tool_calls":[{"function":null},{}]},"done":true}"#,
        r#"{"message":{"content":null,"thinking":null,"tool_calls":null},"done":null,"eval_count":-1.5}"#,
        r#"{"error":{"message":"model 'x' not found"}}"#,
        r#"{"error":[]}"#,
    ];
    for seed in seeds {
        for cut in (0..=seed.len()).filter(|cut| seed.is_char_boundary(*cut)) {
            let piece = &seed[..cut];
            let _ = read(&[piece, seed]);
            let _ = Ollama::decode(&target(""), &response(200, piece));
            let _ = Ollama::decode_error(&target(""), &response(500, piece));
        }
    }
}
