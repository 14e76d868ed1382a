//! What is sent, and what is refused rather than ignored.

use multillm_plugin_sdk::{
    Blob, BodyPart, ChatRequest, ErrorKind, Framing, Header, JsonSchema, Media, MediaSource, Mode,
    Part, Provider, ResponseFormat, ResultPart, Role, Text, Tool, ToolCall, ToolChoice, ToolInput,
    ToolResult,
};
use serde_json::{Value, json};

use crate::Ollama;
use crate::tests::{ask, body, call, encoded, message, target, text, thought};

fn question() -> ChatRequest {
    ask(vec![message(Role::User, vec![text("What?")])])
}

fn with_settings(settings: &str, request: &ChatRequest) -> Value {
    let request = Ollama::encode(&target(settings), request, Mode::Whole).unwrap();
    body(&request.body)
}

fn look(strict: Option<bool>) -> Tool {
    Tool {
        strict,
        name: "look".into(),
        description: None,
        input: ToolInput::Schema(r#"{"type":"object","properties":{"z":{},"a":{}}}"#.into()),
        ..Tool::default()
    }
}

fn result(local: bool, is_error: bool, content: Vec<ResultPart>) -> Part {
    Part::ToolResult(ToolResult {
        content,
        is_error,
        local,
        call_id: "call_1".into(),
        name: "look".into(),
        ..ToolResult::default()
    })
}

fn drawing(source: MediaSource) -> Media {
    Media {
        detail: Some("high".into()),
        ..Media::from_source(source, Some("image/png".into()))
    }
}

fn remote() -> Media {
    drawing(MediaSource::Url("https://a.example/b.png".into()))
}

#[test]
fn streaming_is_always_said_and_the_key_is_optional() {
    let key = Header::secret("authorization", "Bearer ", "api_key", true);
    let whole = Ollama::encode(&target("{}"), &question(), Mode::Whole).unwrap();
    assert_eq!(
        (whole.path.join("/").as_str(), whole.framing),
        ("api/chat", Framing::Whole)
    );
    assert_eq!(whole.headers, std::slice::from_ref(&key));
    assert_eq!(
        body(&whole.body),
        json!({"model":"qwen3:4b","stream":false,"messages":[{"role":"user","content":"What?"}]})
    );
    let streamed = Ollama::encode(&target("{}"), &question(), Mode::Stream).unwrap();
    assert_eq!(streamed.framing, Framing::Ndjson);
    assert_eq!(
        streamed.headers,
        [key, Header::plain("accept", "application/x-ndjson")]
    );
    assert_eq!(body(&streamed.body)["stream"], true);
}

#[test]
fn sampling_stands_under_options_and_beats_the_settings() {
    let mut request = question();
    let sampling = &mut request.sampling;
    sampling.max_tokens = Some(400);
    sampling.temperature = Some(0.2);
    sampling.top_p = Some(0.9);
    sampling.top_k = Some(40);
    sampling.seed = Some(7);
    sampling.stop = vec!["END".into()];
    sampling.frequency_penalty = Some(0.5);
    sampling.presence_penalty = Some(-0.5);
    request.extra = Some(r#"{"options":{"min_p":0.05},"logprobs":true}"#.into());
    let settings = r#"{"num_ctx":8192,"truncate":false,"shift":false,"keep_alive":-1,"options":{"num_gpu":1,"seed":1}}"#;
    let sent = with_settings(settings, &request);
    assert_eq!(
        sent["options"],
        json!({"num_ctx":8192,"num_gpu":1,"num_predict":400,"temperature":0.2,"top_p":0.9,
            "top_k":40,"seed":7,"stop":["END"],"frequency_penalty":0.5,"presence_penalty":-0.5,
            "min_p":0.05})
    );
    assert_eq!(
        (&sent["truncate"], &sent["shift"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        (&sent["keep_alive"], &sent["logprobs"]),
        (&json!(-1), &json!(true))
    );
    assert_eq!(
        with_settings(r#"{"keep_alive":"10m"}"#, &question())["keep_alive"],
        "10m"
    );
    let broken = Ollama::encode(&target(r#"{"num_ctx":"big"}"#), &question(), Mode::Whole);
    assert_eq!(broken.unwrap_err().kind, ErrorKind::InvalidRequest);
}

#[test]
fn effort_beats_the_setting_think() {
    let think = |settings, effort: Option<&str>| {
        let mut request = question();
        request.reasoning_effort = effort.map(str::to_owned);
        with_settings(settings, &request)["think"].clone()
    };
    assert_eq!(think("{}", None), json!(null));
    assert_eq!(think(r#"{"think":true}"#, None), json!(true));
    assert_eq!(think(r#"{"think":"low"}"#, None), json!("low"));
    for (effort, value) in [
        ("none", json!(false)),
        ("minimal", json!("low")),
        ("low", json!("low")),
        ("medium", json!("medium")),
        ("high", json!("high")),
        ("max", json!("max")),
    ] {
        assert_eq!(think(r#"{"think":true}"#, Some(effort)), value);
    }
}

#[test]
fn a_conversation_with_pictures_and_tools() {
    let blob = |id| Part::Media(drawing(MediaSource::Blob(Blob { length: 9, id })));
    let local = Part::ToolCall(ToolCall {
        id: Some("call_1".into()),
        local: true,
        name: "look".into(),
        arguments: r#"{"z": 1, "a": 2}"#.into(),
        signature: None,
        ..ToolCall::default()
    });
    let request = ask(vec![
        message(Role::System, vec![text("Be brief.")]),
        message(
            Role::User,
            vec![text("Compare "), blob(4), text("these"), blob(5)],
        ),
        message(
            Role::Assistant,
            vec![
                thought("Hm. "),
                thought("Look."),
                local,
                call(Some("own"), "look", ""),
                call(None, "look", "[1]"),
            ],
        ),
        message(
            Role::Tool,
            vec![
                result(
                    true,
                    false,
                    vec![
                        ResultPart::Text("a ".into()),
                        ResultPart::Text("cat".into()),
                    ],
                ),
                result(false, true, vec![ResultPart::Text("no light".into())]),
            ],
        ),
        message(Role::Assistant, vec![text("")]),
    ]);
    let sent = Ollama::encode(&target("{}"), &request, Mode::Whole).unwrap();
    let BodyPart::Text(first) = &sent.body[0] else {
        panic!("{:?}", sent.body);
    };
    assert!(
        first.ends_with(r#""images":[""#),
        "no data: prefix: {first}"
    );
    let written = sent
        .body
        .iter()
        .any(|part| matches!(part, BodyPart::Text(text) if text.contains(r#"{"z": 1, "a": 2}"#)));
    assert!(written, "arguments byte for byte: {:?}", sent.body);
    assert_eq!(
        body(&sent.body)["messages"],
        json!([
            {"role":"system","content":"Be brief."},
            {"role":"user","content":"Compare these","images":["<blob 4>","<blob 5>"]},
            {"role":"assistant","content":"","thinking":"Hm. Look.","tool_calls":[
                {"function":{"name":"look","arguments":{"z":1,"a":2}}},
                {"id":"own","function":{"name":"look","arguments":{}}},
                {"function":{"name":"look","arguments":{"_raw":"[1]"}}}]},
            {"role":"tool","content":"a cat","tool_name":"look"},
            {"role":"tool","content":"error: no light","tool_name":"look","tool_call_id":"call_1"}
        ])
    );
}

#[test]
fn a_user_who_says_nothing_first_keeps_a_turn() {
    let said = |role, words: &str| message(role, vec![text(words)]);
    let body = encoded(&ask(vec![
        said(Role::System, "s"),
        said(Role::User, ""),
        said(Role::Assistant, "Hello"),
        said(Role::User, ""),
        said(Role::User, "Hi"),
    ]));
    let turns = body["messages"].as_array().unwrap();
    let roles: Vec<_> = turns.iter().map(|turn| &turn["role"]).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    let alone = encoded(&ask(vec![said(Role::User, "")]));
    assert_eq!(alone["messages"], json!([]));
}

#[test]
fn tools_are_offered_unless_none_may_be_called() {
    let mut request = question();
    request.tools = vec![look(Some(false))];
    assert_eq!(
        encoded(&request)["tools"],
        json!([{"type":"function","function":{"name":"look",
            "parameters":{"type":"object","properties":{"z":{},"a":{}}}}}])
    );
    request.tool_choice = ToolChoice::None;
    assert_eq!(encoded(&request)["tools"], json!(null));
}

#[test]
fn the_answer_s_form() {
    let mut request = question();
    request.response_format = ResponseFormat::Json;
    assert_eq!(encoded(&request)["format"], "json");
    let schema = r#"{"type":"object","properties":{"z":{},"a":{}}}"#;
    request.response_format = ResponseFormat::JsonSchema(JsonSchema {
        strict: Some(true),
        schema: schema.into(),
        description: None,
        name: "answer".into(),
    });
    let sent = Ollama::encode(&target("{}"), &request, Mode::Whole).unwrap();
    assert!(
        matches!(sent.body.as_slice(), [BodyPart::Text(text)] if text.contains(schema)),
        "{:?}",
        sent.body
    );
}

#[test]
fn what_ollama_cannot_do_is_refused_by_name() {
    let with_tool = |change: fn(&mut ChatRequest)| {
        let mut request = question();
        request.tools = vec![look(None)];
        change(&mut request);
        request
    };
    let says = |content| ask(vec![message(Role::User, vec![content])]);
    let returns = |content| {
        ask(vec![message(
            Role::Tool,
            vec![result(true, false, vec![content])],
        )])
    };
    for (request, word) in [
        (
            with_tool(|ask| ask.tool_choice = ToolChoice::Required),
            "require",
        ),
        (
            with_tool(|ask| ask.tool_choice = ToolChoice::Named("look".into())),
            "look",
        ),
        (
            with_tool(|ask| ask.parallel_tool_calls = Some(false)),
            "parallel",
        ),
        (
            with_tool(|ask| ask.tools = vec![look(Some(true))]),
            "strict",
        ),
        (says(Part::Media(remote())), "file"),
        (returns(ResultPart::Media(remote())), "file"),
        (
            ask(vec![message(Role::System, vec![Part::Media(remote())])]),
            "messages of user and model",
        ),
    ] {
        let error = Ollama::encode(&target("{}"), &request, Mode::Stream).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{error:?}");
        assert!(error.message.contains(word), "{error:?}");
    }
    let mixed = ask(vec![message(Role::Tool, vec![text("loose")])]);
    let error = Ollama::encode(&target("{}"), &mixed, Mode::Whole).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
}

#[test]
fn open_tails_are_merged_last_into_what_bears_them() {
    let tail = |json: &str| Some(json.to_owned());
    let noted = Part::Text(Text {
        extra: tail(r#"{"note":1.50}"#),
        ..Text::new("What?")
    });
    let called = Part::ToolCall(ToolCall {
        name: "look".into(),
        extra: tail(r#"{"function":{"index":0}}"#),
        ..ToolCall::default()
    });
    let mut returned = message(Role::Tool, vec![result(true, false, vec![])]);
    returned.extra = tail(r#"{"tag":"m"}"#);
    let mut request = ask(vec![
        message(Role::User, vec![noted]),
        message(Role::Assistant, vec![called]),
        returned,
    ]);
    request.tools = vec![Tool {
        extra: tail(r#"{"function":{"examples":[]}}"#),
        ..look(None)
    }];
    request.reasoning_effort = Some("xhigh".into());
    let sent = encoded(&request);
    assert_eq!(sent["tools"][0]["function"]["examples"], json!([]));
    assert_eq!(sent["think"], "xhigh");
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "user", "content": "What?", "note": 1.50},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "look", "arguments": {}, "index": 0}}]},
            {"role": "tool", "content": "", "tool_name": "look", "tag": "m"},
        ])
    );
}

#[test]
fn what_is_newer_than_this_wire_is_refused_by_name() {
    let film = Media::blob(Blob { id: 1, length: 2 }, "video/mp4");
    let mut sound = question();
    sound.outputs = vec!["audio".into()];
    for (request, named) in [
        (
            ask(vec![message(Role::User, vec![Part::Media(film)])]),
            "video/mp4",
        ),
        (sound, "audio"),
    ] {
        let error = Ollama::encode(&target("{}"), &request, Mode::Whole).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{}", error.message);
        assert!(error.message.contains(named), "{}", error.message);
        assert!(error.message.contains("ollama"), "{}", error.message);
    }
}

#[test]
fn settings_go_as_they_are_written() {
    let settings = r#"{"keep_alive":1.50,"think":"high","options":{"top_k":40,"min_p":0.050,"seed":-0,"mirostat":1e400}}"#;
    let mut request = question();
    request.sampling.top_k = Some(5);
    request.sampling.max_tokens = Some(9);
    let request = Ollama::encode(&target(settings), &request, Mode::Whole).unwrap();
    let [BodyPart::Text(text)] = &request.body[..] else {
        panic!("{:?}", request.body);
    };
    for piece in [
        r#""keep_alive":1.50"#,
        r#""think":"high""#,
        r#""options":{"top_k":5,"min_p":0.050,"seed":-0,"mirostat":1e400,"num_predict":9}"#,
    ] {
        assert!(text.contains(piece), "{piece} is not in {text}");
    }
    for (settings, fault) in [
        (r#"{"options":[1]}"#, "settings: options is no JSON object"),
        (r#"{"num_ctx":"x"}"#, "settings: "),
    ] {
        let refused = Ollama::encode(&target(settings), &question(), Mode::Whole).unwrap_err();
        assert!(refused.message.starts_with(fault), "{refused:?}");
    }
}
