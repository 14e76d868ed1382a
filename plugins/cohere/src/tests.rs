//! What the tests of the modules share, and tests of the plugin as a whole.

use multillm_plugin_sdk::{
    BodyPart, ChatRequest, ChatResponse, Error, ErrorKind, FinishReason, Message, Mode, Part,
    Provider, Reasoning, Response, Role, Target, ToolCall,
};
use serde_json::Value;

use crate::Cohere;
use crate::stream::ChatStream;

pub(crate) fn target(settings: &str) -> Target {
    Target {
        model: "command-z".into(),
        settings: settings.into(),
        ..Target::default()
    }
}

pub(crate) fn ask(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        messages,
        ..ChatRequest::default()
    }
}

pub(crate) fn message(role: Role, content: Vec<Part>) -> Message {
    Message::new(role, content)
}

pub(crate) fn text(text: &str) -> Part {
    Part::text(text)
}

pub(crate) fn thought(text: &str, signature: Option<&str>) -> Part {
    Part::Reasoning(Reasoning {
        text: text.into(),
        signature: signature.map(Into::into),
        ..Reasoning::default()
    })
}

pub(crate) fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: Some(id.into()),
        name: name.into(),
        arguments: arguments.into(),
        ..ToolCall::default()
    })
}

pub(crate) fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: vec![],
        body: body.into(),
    }
}

/// The body as JSON, with `<blob N>` where the host puts a picture.
pub(crate) fn body(parts: &[BodyPart]) -> Value {
    let text: String = parts
        .iter()
        .map(|part| match part {
            BodyPart::Text(text) => text.clone(),
            BodyPart::BlobBase64(id) => format!("<blob {id}>"),
        })
        .collect();
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn encoded(request: &ChatRequest) -> Value {
    let request = Cohere::encode(&target("{}"), request, Mode::Whole).unwrap();
    body(&request.body)
}

/// Reads frames as the host does and puts the events together.
pub(crate) fn read(frames: &[&str]) -> Result<ChatResponse, Error> {
    multillm_plugin_sdk::testing::streamed::<ChatStream>(&target("{}"), frames)
}

#[test]
fn the_description_is_well_formed() {
    let info = Cohere::describe();
    assert_eq!(info.name, "cohere");
    assert_eq!(info.secrets[0].env, ["COHERE_API_KEY", "CO_API_KEY"]);
    for setting in &info.settings {
        let schema: Value = serde_json::from_str(&setting.schema).unwrap();
        assert!(schema.is_object(), "{}", setting.name);
    }
}

/// A stream and the whole reply that says the same.
#[test]
fn a_stream_says_what_the_whole_reply_says() {
    let pairs = [
        (
            vec![
                r#"{"id":"a1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#,
                r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}"#,
                r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"Let me "}}}}"#,
                r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"see."}}}}"#,
                r#"{"type":"content-end","index":0}"#,
                r#"{"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
                r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"Blue\u2028"}}}}"#,
                r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":4,"text":"Blue"}}}}"#,
                r#"{"type":"citation-end","index":0}"#,
                r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"🦜"}},"logprobs":null}}"#,
                r#"{"type":"content-end","index":1}"#,
                r#"{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS","usage":{"billed_units":{"input_tokens":3,"output_tokens":4},"tokens":{"input_tokens":70.0,"output_tokens":9},"cached_tokens":64}}}"#,
                "[DONE]",
            ],
            r#"{"id":"a1","message":{"role":"assistant","content":[{"type":"thinking","thinking":"Let me see."},{"type":"text","text":"Blue\u2028🦜"}],"citations":[{"start":0,"end":4,"text":"Blue"}]},"finish_reason":"MAX_TOKENS","usage":{"billed_units":{"input_tokens":3,"output_tokens":4},"tokens":{"input_tokens":70,"output_tokens":9},"cached_tokens":64}}"#,
        ),
        (
            vec![
                r#"{"id":"a2","type":"message-start","delta":{"message":{"role":"assistant"}}}"#,
                r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will "}}}"#,
                r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"look."}}}"#,
                r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"look_1","type":"function","function":{"name":"look","arguments":""}}}}}"#,
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\n  \"x\""}}}}}"#,
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":": 1}"}}}}}"#,
                r#"{"type":"tool-call-end","index":0}"#,
                r#"{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"look_2","type":"function","function":{"name":"look","arguments":""}}}}}"#,
                r#"{"type":"tool-call-end","index":1}"#,
                r#"{"type":"tool-call-start","index":2,"delta":{"message":{"tool_calls":{"id":"look_3","type":"function","function":{"name":"look","arguments":"nu"}}}}}"#,
                r#"{"type":"tool-call-delta","index":2,"delta":{"message":{"tool_calls":{"function":{"arguments":"ll"}}}}}"#,
                r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":900,"output_tokens":40}}}}"#,
            ],
            r#"{"id":"a2","message":{"tool_plan":"I will look.","tool_calls":[
                {"id":"look_1","type":"function","function":{"name":"look","arguments":"{\n  \"x\": 1}"}},
                {"id":"look_2","type":"function","function":{"name":"look"}},
                {"id":"look_3","type":"function","function":{"name":"look","arguments":"null"}}
            ]},"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":900,"output_tokens":40}}}"#,
        ),
        (
            vec![
                r#"{"id":"a3","type":"message-start","delta":{"message":{"role":"assistant"}}}"#,
                r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":"Hm."}}}}"#,
                r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"look_1","function":{"name":"look","arguments":"{}"}}}}}"#,
                r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}"#,
            ],
            r#"{"id":"a3","message":{"content":[{"type":"thinking","thinking":"Hm."}],"tool_calls":[{"id":"look_1","function":{"name":"look","arguments":"{}"}}]},"finish_reason":"COMPLETE"}"#,
        ),
    ];
    for (frames, whole) in pairs {
        let whole = Cohere::decode(&target("{}"), &response(200, whole)).unwrap();
        assert_eq!(read(&frames).unwrap(), whole);
        let complete = frames
            .iter()
            .take_while(|frame| **frame != "[DONE]")
            .count();
        for cut in 0..complete {
            let error = read(&frames[..cut]).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Truncated, "cut after {cut}");
        }
    }
}

/// A reply becomes history, and each part goes back where it came from.
#[test]
fn an_answer_goes_back_as_it_came() {
    for message in [
        serde_json::json!({"role":"assistant","tool_plan":"I will look.","tool_calls":[
            {"id":"look_1","type":"function","function":{"name":"look","arguments":"{\"b\": 1, \"a\": 2}"}}]}),
        serde_json::json!({"role":"assistant","content":[{"type":"thinking","thinking":"Hm."}],"tool_calls":[
            {"id":"look_1","type":"function","function":{"name":"look","arguments":"{}"}}]}),
        serde_json::json!({"role":"assistant","content":[
            {"type":"thinking","thinking":"Hm."},{"type":"text","text":"Blue."}]}),
    ] {
        let reply = serde_json::json!({"id": "a", "message": message, "finish_reason": "COMPLETE"});
        let reply = response(200, &reply.to_string());
        let answer = Cohere::decode(&target("{}"), &reply).unwrap();
        let history = ask(vec![crate::tests::message(Role::Assistant, answer.content)]);
        assert_eq!(encoded(&history)["messages"], serde_json::json!([message]));
    }
}

#[test]
fn nothing_makes_the_adapter_panic() {
    let seeds = [
        r#"{"type":"content-start","index":0,"delta":{"message":{"content":[{"type":"x"}]}}}"#,
        r#"{"type":"content-delta","index":18446744073709551615,"delta":{"message":{"content":{"text":"x"}}}}"#,
        r#"{"type":"tool-call-delta","index":7,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}"#,
        r#"{"type":"tool-call-start","delta":{"message":{"tool_calls":[{},{"function":null}]}}}"#,
        r#"{"type":"message-end","delta":{"finish_reason":7}}"#,
        r#"{"id":"a","message":{"content":"text","tool_calls":null},"finish_reason":"COMPLETE","usage":{"tokens":null}}"#,
        r#"{"type":"message-end"}"#,
    ];
    for seed in seeds {
        for cut in (0..=seed.len()).filter(|cut| seed.is_char_boundary(*cut)) {
            let piece = &seed[..cut];
            let _ = read(&[piece, seed, piece]);
            let _ = Cohere::decode(&target("{}"), &response(200, piece));
            let _ = Cohere::decode_error(&target("{}"), &response(400, piece));
        }
    }
    assert_eq!(
        read(&[seeds[6]]).unwrap().finish.reason,
        FinishReason::Stop,
        "an end without words is an end"
    );
}
