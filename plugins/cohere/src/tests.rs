//! What the tests of the modules share, and tests of the plugin as a whole.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::{
    BodyPart, ChatEvent, ChatRequest, ChatResponse, Decoder, Error, ErrorKind, Finish,
    FinishReason, Frame, Message, Mode, Part, Provider, Reasoning, Response, ResponseFormat, Role,
    Sampling, Target, Text, ToolCall, ToolChoice, Usage,
};
use serde_json::Value;

use crate::Cohere;
use crate::stream::ChatStream;

pub(crate) fn target(settings: &str) -> Target {
    Target {
        model: "command-z".into(),
        settings: settings.into(),
    }
}

pub(crate) fn ask(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        messages,
        tools: vec![],
        tool_choice: ToolChoice::Auto,
        parallel_tool_calls: None,
        response_format: ResponseFormat::Text,
        sampling: Sampling {
            max_tokens: None,
            temperature: None,
            top_p: None,
            top_k: None,
            stop: vec![],
            seed: None,
            frequency_penalty: None,
            presence_penalty: None,
        },
        reasoning_effort: None,
        extra: "{}".into(),
    }
}

pub(crate) fn message(role: Role, content: Vec<Part>) -> Message {
    Message { role, content }
}

pub(crate) fn text(text: &str) -> Part {
    Part::Text(Text {
        text: text.into(),
        signature: None,
    })
}

pub(crate) fn thought(text: &str, signature: Option<&str>) -> Part {
    Part::Reasoning(Reasoning {
        text: text.into(),
        signature: signature.map(Into::into),
        redacted: None,
    })
}

pub(crate) fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: Some(id.into()),
        local: false,
        name: name.into(),
        arguments: arguments.into(),
        signature: None,
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
    let mut decoder = ChatStream::new(&target("{}"));
    let mut answer = Assembly::default();
    for data in frames {
        let mut events = Events::new();
        let frame = Frame {
            event: None,
            data: (*data).into(),
        };
        let read = decoder.frame(&frame, &mut events);
        let over = events.is_over();
        events
            .into_inner()
            .into_iter()
            .for_each(|event| answer.add(event));
        read?;
        if over {
            return Ok(answer.response());
        }
    }
    let mut events = Events::new();
    decoder.end(&mut events)?;
    Ok(answer.response())
}

#[derive(Default)]
struct Assembly {
    id: Option<String>,
    model: Option<String>,
    content: Vec<Part>,
    calls: Vec<(u32, usize)>,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

impl Assembly {
    fn add(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Started(started) => {
                self.id = started.id;
                self.model = started.model;
            }
            ChatEvent::Text(more) => match self.content.last_mut() {
                Some(Part::Text(last)) => last.text.push_str(&more),
                _ => self.content.push(text(&more)),
            },
            ChatEvent::Reasoning(more) => match self.content.last_mut() {
                Some(Part::Reasoning(last)) if last.signature.is_none() => {
                    last.text.push_str(&more);
                }
                _ => self.content.push(thought(&more, None)),
            },
            ChatEvent::ReasoningSignature(signature) => match self.content.last_mut() {
                Some(Part::Reasoning(last)) => last.signature = Some(signature),
                other => panic!("a signature after {other:?}"),
            },
            ChatEvent::ToolCallStart(start) => {
                assert!(self.calls.iter().all(|(index, _)| *index != start.index));
                self.calls.push((start.index, self.content.len()));
                self.content.push(Part::ToolCall(ToolCall {
                    id: start.id,
                    local: false,
                    name: start.name,
                    arguments: String::new(),
                    signature: start.signature,
                }));
            }
            ChatEvent::ToolCallDelta(delta) => {
                let (_, at) = self
                    .calls
                    .iter()
                    .find(|(index, _)| *index == delta.index)
                    .unwrap();
                match &mut self.content[*at] {
                    Part::ToolCall(call) => call.arguments.push_str(&delta.arguments),
                    other => panic!("arguments for {other:?}"),
                }
            }
            ChatEvent::Opaque(block) => self.content.push(Part::Opaque(block)),
            ChatEvent::Usage(usage) => self.usage = Some(usage),
            ChatEvent::Finished(finish) => self.finish = Some(finish),
            ChatEvent::Done => {}
            other => panic!("unexpected {other:?}"),
        }
    }

    fn response(self) -> ChatResponse {
        ChatResponse {
            id: self.id,
            model: self.model,
            content: self.content,
            finish: self.finish.unwrap(),
            usage: self.usage.unwrap_or(Usage::UNKNOWN),
        }
    }
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
            r#"{"id":"a1","message":{"role":"assistant","content":[{"type":"thinking","thinking":"Let me see."},{"type":"text","text":"Blue\u2028🦜"}],"citations":[]},"finish_reason":"MAX_TOKENS","usage":{"billed_units":{"input_tokens":3,"output_tokens":4},"tokens":{"input_tokens":70,"output_tokens":9},"cached_tokens":64}}"#,
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
