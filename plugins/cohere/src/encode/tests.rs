//! What is sent, and what is refused rather than dropped.

use multillm_plugin_sdk::{
    Blob, BodyPart, ChatRequest, ErrorKind, Framing, HeaderValue, JsonSchema, Media, MediaSource,
    Method, Mode, Part, Provider, ResponseFormat, ResultPart, Role, Text, Tool, ToolCall,
    ToolChoice, ToolInput, ToolResult,
};
use serde_json::json;

mod beside;

use crate::Cohere;
use crate::tests::{ask, body, call, encoded, message, target, text, thought};

fn question() -> ChatRequest {
    ask(vec![message(Role::User, vec![text("What?")])])
}

fn tool(name: &str, strict: Option<bool>) -> Tool {
    Tool {
        name: name.into(),
        description: Some("Looks.".into()),
        input: ToolInput::Schema(r#"{"type":"object","properties":{"z":{},"a":{}}}"#.into()),
        strict,
        ..Tool::default()
    }
}

fn result(content: Vec<ResultPart>, is_error: bool) -> Part {
    Part::ToolResult(ToolResult {
        call_id: "look_1".into(),
        local: true,
        name: "look".into(),
        content,
        is_error,
        ..ToolResult::default()
    })
}

fn picture(source: MediaSource, detail: Option<&str>) -> Part {
    Part::Media(Media {
        detail: detail.map(Into::into),
        ..Media::from_source(source, Some("image/png".into()))
    })
}

fn refused(request: &ChatRequest) -> (ErrorKind, String) {
    let error = Cohere::encode(&target("{}"), request, Mode::Whole).unwrap_err();
    (error.kind, error.message)
}

#[test]
fn a_user_who_says_nothing_first_keeps_a_turn() {
    let said = |role, words: &str| message(role, vec![text(words)]);
    let body = encoded(&ask(vec![
        said(Role::User, ""),
        said(Role::Assistant, "Hello"),
        said(Role::User, "Hi"),
    ]));
    let turns = body["messages"].as_array().unwrap();
    let roles: Vec<_> = turns.iter().map(|turn| &turn["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_ne!(turns[0]["content"], "");
    let alone = encoded(&ask(vec![said(Role::User, "")]));
    assert_eq!(alone["messages"], json!([]));
}

#[test]
fn the_request_line_and_the_key() {
    let streamed = Cohere::encode(&target("{}"), &question(), Mode::Stream).unwrap();
    assert_eq!(streamed.method, Method::Post);
    assert_eq!(streamed.path, ["v2", "chat"]);
    assert_eq!(streamed.framing, Framing::Sse);
    assert_eq!(body(&streamed.body)["stream"], true);
    let [header] = streamed.headers.as_slice() else {
        panic!("{:?}", streamed.headers);
    };
    match &header.value {
        HeaderValue::Secret(secret) => {
            assert_eq!(
                (secret.name.as_str(), secret.prefix.as_str()),
                ("api_key", "Bearer ")
            );
            assert!(!secret.optional);
        }
        HeaderValue::Plain(value) => panic!("a plain key {value}"),
    }
    let whole = Cohere::encode(&target("{}"), &question(), Mode::Whole).unwrap();
    assert_eq!(whole.framing, Framing::Whole);
    assert_eq!(
        body(&whole.body),
        json!({"model":"command-z","stream":false,"messages":[{"role":"user","content":"What?"}]})
    );
}

#[test]
fn sampling_has_cohere_s_names() {
    let mut request = question();
    request.sampling.max_tokens = Some(400);
    request.sampling.temperature = Some(0.3);
    request.sampling.top_p = Some(0.9);
    request.sampling.top_k = Some(40);
    request.sampling.seed = Some(-7);
    request.sampling.stop = vec!["END".into()];
    request.sampling.frequency_penalty = Some(0.1);
    request.sampling.presence_penalty = Some(0.2);
    request.extra = Some(r#"{"documents":[{"data":{"text":"sky"}}],"k":50}"#.into());
    let mut sent = encoded(&request);
    sent.as_object_mut().unwrap().remove("messages");
    assert_eq!(
        sent,
        json!({"model":"command-z","stream":false,"max_tokens":400,"temperature":0.3,"p":0.9,
            "k":50,"seed":-7,"stop_sequences":["END"],"frequency_penalty":0.1,
            "presence_penalty":0.2,"documents":[{"data":{"text":"sky"}}]})
    );
}

#[test]
fn top_p_stays_within_what_the_api_takes() {
    for (asked, sent) in [(1.0, 0.99), (0.0, 0.01), (0.5, 0.5)] {
        let mut request = question();
        request.sampling.top_p = Some(asked);
        assert_eq!(encoded(&request)["p"], json!(sent));
    }
}

#[test]
fn settings_reach_the_wire() {
    let settings = r#"{"safety_mode":"STRICT","citation_mode":"OFF","thinking_budget":500,"client_name":"desk"}"#;
    let request = Cohere::encode(&target(settings), &question(), Mode::Whole).unwrap();
    let sent = body(&request.body);
    assert_eq!(sent["safety_mode"], "STRICT");
    assert_eq!(sent["citation_options"], json!({"mode":"OFF"}));
    assert_eq!(
        sent["thinking"],
        json!({"type":"enabled","token_budget":500})
    );
    assert_eq!(request.headers[1].name, "x-client-name");
    let broken = Cohere::encode(
        &target(r#"{"thinking_budget":"x"}"#),
        &question(),
        Mode::Whole,
    );
    assert_eq!(broken.unwrap_err().kind, ErrorKind::InvalidRequest);
}

#[test]
fn effort_becomes_a_budget() {
    let thinking = |effort: Option<&str>| {
        let mut request = question();
        request.reasoning_effort = effort.map(str::to_owned);
        encoded(&request)["thinking"].clone()
    };
    assert_eq!(thinking(None), json!(null));
    assert_eq!(thinking(Some("none")), json!({"type":"disabled"}));
    assert_eq!(thinking(Some("max")), json!({"type":"enabled"}));
    let budget = |effort| thinking(Some(effort))["token_budget"].as_u64().unwrap();
    let rising = [
        budget("minimal"),
        budget("low"),
        budget("medium"),
        budget("high"),
    ];
    assert!(rising.is_sorted_by(|a, b| a < b), "{rising:?}");
}

#[test]
fn a_conversation_with_pictures_and_tools() {
    let blob = Blob { id: 3, length: 9 };
    let request = ask(vec![
        message(Role::System, vec![text("Be brief."), text("")]),
        message(
            Role::User,
            vec![
                text("Compare"),
                picture(MediaSource::Blob(blob), Some("low")),
                picture(MediaSource::Url("https://a.example/b.png".into()), None),
            ],
        ),
        message(
            Role::Assistant,
            vec![
                thought("I will look.", None),
                text("One moment."),
                call("look_1", "look", ""),
                call("look_2", "look", "{\"x\":"),
            ],
        ),
        message(
            Role::Tool,
            vec![
                result(vec![ResultPart::Text("a cat".into())], false),
                result(vec![ResultPart::Text("no light".into())], true),
                result(vec![], false),
            ],
        ),
        message(Role::Assistant, vec![text("")]),
        message(Role::Assistant, vec![thought("Hm", Some("thinking"))]),
        message(Role::User, vec![text("And"), text("now?")]),
    ]);
    let sent = Cohere::encode(&target("{}"), &request, Mode::Whole).unwrap();
    assert!(sent.body.contains(&BodyPart::BlobBase64(3)));
    assert_eq!(
        body(&sent.body)["messages"],
        json!([
            {"role":"system","content":"Be brief."},
            {"role":"user","content":[
                {"type":"text","text":"Compare"},
                {"type":"image_url","image_url":{"url":"data:image/png;base64,<blob 3>","detail":"low"}},
                {"type":"image_url","image_url":{"url":"https://a.example/b.png"}}]},
            {"role":"assistant","tool_plan":"I will look.\nOne moment.","tool_calls":[
                {"id":"look_1","type":"function","function":{"name":"look","arguments":"{}"}},
                {"id":"look_2","type":"function","function":{"name":"look","arguments":"{\"_raw\":\"{\\\"x\\\":\"}"}}]},
            {"role":"tool","tool_call_id":"look_1","content":"a cat"},
            {"role":"tool","tool_call_id":"look_1","content":[{"type":"document","document":{"data":{"error":"no light"}}}]},
            {"role":"tool","tool_call_id":"look_1","content":[{"type":"document","document":{"data":{"output":""}}}]},
            {"role":"user","content":[{"type":"text","text":"And"},{"type":"text","text":"now?"}]}
        ])
    );
}

#[test]
fn tools_and_their_choice() {
    let mut request = question();
    request.tools = vec![tool("look", None), tool("touch", Some(true))];
    let sent = Cohere::encode(&target("{}"), &request, Mode::Whole).unwrap();
    let BodyPart::Text(written) = &sent.body[0] else {
        panic!("{:?}", sent.body);
    };
    let schema = request.tools[0].schema("cohere").unwrap();
    assert!(
        written.contains(schema),
        "the schema's own order: {written}"
    );
    let sent = body(&sent.body);
    assert_eq!(sent["strict_tools"], true);
    assert_eq!(
        sent["tools"][0],
        json!({"type":"function","function":{"name":"look","description":"Looks.",
            "parameters":{"type":"object","properties":{"z":{},"a":{}}}}})
    );
    for (choice, word) in [
        (ToolChoice::Auto, json!(null)),
        (ToolChoice::None, json!("NONE")),
        (ToolChoice::Required, json!("REQUIRED")),
    ] {
        request.tool_choice = choice;
        assert_eq!(encoded(&request)["tool_choice"], word);
    }
}

#[test]
fn json_modes() {
    let mut request = question();
    request.response_format = ResponseFormat::Json;
    assert_eq!(
        encoded(&request)["response_format"],
        json!({"type":"json_object"})
    );
    request.response_format = schema();
    assert_eq!(
        encoded(&request)["response_format"],
        json!({"type":"json_object","json_schema":{"type":"object"}})
    );
}

fn schema() -> ResponseFormat {
    ResponseFormat::JsonSchema(JsonSchema {
        name: "answer".into(),
        description: None,
        schema: r#"{"type":"object"}"#.into(),
        strict: Some(true),
    })
}

#[test]
fn what_cohere_cannot_do_is_refused_by_name() {
    let with_tools = |change: fn(&mut ChatRequest)| {
        let mut request = question();
        request.tools = vec![tool("look", None)];
        change(&mut request);
        refused(&request)
    };
    let says = |refusal: (ErrorKind, String), word: &str| {
        assert_eq!(refusal.0, ErrorKind::Unsupported, "{refusal:?}");
        assert!(refusal.1.contains(word), "{refusal:?}");
    };
    says(
        with_tools(|ask| ask.tool_choice = ToolChoice::Named("look".into())),
        "look",
    );
    says(
        with_tools(|ask| ask.parallel_tool_calls = Some(false)),
        "parallel",
    );
    says(
        with_tools(|ask| ask.response_format = ResponseFormat::Json),
        "response format",
    );
    says(
        with_tools(|ask| ask.response_format = schema()),
        "response format",
    );
    says(
        with_tools(|ask| ask.tools = vec![tool("a", Some(true)), tool("b", Some(false))]),
        "strict",
    );
    let url = || MediaSource::Url("https://a.example/b.png".into());
    let drawn = ask(vec![message(Role::System, vec![picture(url(), None)])]);
    says(refused(&drawn), "user messages");
    let image = Media::from_source(url(), None);
    let seen = vec![result(vec![ResultPart::Media(image)], false)];
    says(refused(&ask(vec![message(Role::Tool, seen)])), "picture");
}

#[test]
fn what_makes_no_sense_is_an_invalid_request() {
    let mut nothing_to_call = question();
    nothing_to_call.tool_choice = ToolChoice::Required;
    let mut no_schema = question();
    no_schema.tools = vec![tool("look", None)];
    no_schema.tools[0].input = ToolInput::Schema("[]".into());
    for request in [
        nothing_to_call,
        no_schema,
        ask(vec![message(Role::Tool, vec![text("loose")])]),
        ask(vec![message(Role::User, vec![call("a", "look", "{}")])]),
        ask(vec![message(Role::Assistant, vec![result(vec![], false)])]),
    ] {
        assert_eq!(refused(&request).0, ErrorKind::InvalidRequest);
    }
}

#[test]
fn open_tails_are_merged_last_into_what_bears_them() {
    let tail = |json: &str| Some(json.to_owned());
    let noted = |words: &str| {
        Part::Text(Text {
            extra: tail(r#"{"note":1.50}"#),
            ..Text::new(words)
        })
    };
    let drawn = Part::Media(Media {
        extra: tail(r#"{"image_url":{"detail":"low"}}"#),
        ..Media::url("https://a.example/b.png")
    });
    let called = Part::ToolCall(ToolCall {
        id: Some("c1".into()),
        name: "look".into(),
        extra: tail(r#"{"index":0}"#),
        ..ToolCall::default()
    });
    let returned = Part::ToolResult(ToolResult {
        call_id: "c1".into(),
        content: vec![ResultPart::Text("ok".into())],
        extra: tail(r#"{"tag":"r"}"#),
        ..ToolResult::default()
    });
    let mut request = ask(vec![
        message(Role::User, vec![noted("What?"), drawn]),
        message(Role::Assistant, vec![noted("Let me see."), called]),
        message(Role::Tool, vec![returned]),
        message(Role::Assistant, vec![noted("It is.")]),
        message(Role::User, vec![text("Thanks")]),
    ]);
    request.messages[4].extra = tail(r#"{"name":"ann"}"#);
    request.tools = vec![Tool {
        extra: tail(r#"{"function":{"strict":true}}"#),
        ..tool("look", None)
    }];
    let sent = encoded(&request);
    assert_eq!(sent["tools"][0]["function"]["strict"], true);
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "user", "content": [{"type": "text", "text": "What?", "note": 1.50},
                {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}}]},
            {"role": "assistant", "tool_plan": "Let me see.", "note": 1.50, "tool_calls": [{"id": "c1",
                "type": "function", "function": {"name": "look", "arguments": "{}"}, "index": 0}]},
            {"role": "tool", "tool_call_id": "c1", "content": "ok", "tag": "r"},
            {"role": "assistant", "content": [{"type": "text", "text": "It is.", "note": 1.50}]},
            {"role": "user", "content": "Thanks", "name": "ann"},
        ])
    );
}

#[test]
fn what_is_newer_than_this_wire_is_refused_by_name() {
    let says = |(kind, message): (ErrorKind, String), named: &str| {
        assert_eq!(kind, ErrorKind::Unsupported, "{message}");
        assert!(message.contains(named), "{message}");
        assert!(message.contains("cohere"), "{message}");
    };
    let mut effort = question();
    effort.reasoning_effort = Some("xhigh".into());
    says(refused(&effort), "xhigh");
    let pdf = Media::blob(Blob { id: 1, length: 2 }, "application/pdf");
    let document = ask(vec![message(Role::User, vec![Part::Media(pdf)])]);
    says(refused(&document), "application/pdf");
    let mut chosen = question();
    chosen.tools = vec![tool("look", None)];
    chosen.tool_choice = ToolChoice::OneOf(vec!["look".into()]);
    says(refused(&chosen), "look");
}
