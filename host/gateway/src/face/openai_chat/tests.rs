//! Requests and the pieces of answers.

use multillm::chat::{
    CacheMark, ChatEvent, ChatResponse, FinishReason, MediaSource, Part, ReasoningEffort,
    ResponseFormat, ResultPart, Role, ToolCall, ToolChoice,
};
use multillm_callers::Wire;
use serde_json::{Value, json};

use super::super::tests::stamp;
use super::super::{Asked, Entry, Face};

fn read(body: &Value) -> Asked {
    let body = body.to_string();
    let read = Entry::new(Face::OpenAiChat).read(body.as_bytes());
    read.unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn refused(body: &Value) -> String {
    let read = Entry::new(Face::OpenAiChat).read(body.to_string().as_bytes());
    read.unwrap_err().message.clone()
}

fn lost(asked: &Asked, wire: &str) -> Vec<String> {
    let lost = asked.lost([wire].into_iter());
    lost.into_iter().map(str::to_owned).collect()
}

#[test]
fn what_has_a_unified_form_is_read() {
    let asked = read(&json!({
        "model": "fast", "stream": true, "stream_options": {"include_usage": true},
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "What is it?", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "mp3"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAEC", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_id": "file-1"}},
            ]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"x\":1.50}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "a cat"}]},
        ],
        "tools": [{"type": "function", "function": {"name": "look", "description": "d", "strict": true,
            "parameters": {"type": "object", "properties": {"z": {}, "a": {"multipleOf": 0.10}}}}}],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": false, "max_completion_tokens": 400, "max_tokens": 5, "temperature": 0.2,
        "top_p": 0.9, "seed": 7, "stop": "END", "presence_penalty": 0.5, "frequency_penalty": -1,
        "reasoning_effort": "low", "n": 1, "logprobs": false, "logit_bias": {}, "user": "u",
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"b": 1, "a": 2}, "strict": true}},
    }));
    assert_eq!(
        (asked.model.as_deref(), asked.stream, asked.shape),
        (Some("fast"), true, Face::OpenAiChat)
    );
    assert_eq!(lost(&asked, "gemini"), [""; 0]);
    let request = &asked.request;
    let roles: Vec<Role> = request
        .messages
        .iter()
        .map(|message| message.role)
        .collect();
    assert_eq!(
        roles,
        [Role::System, Role::User, Role::Assistant, Role::Tool]
    );
    let [
        Part::Text(text),
        Part::Media(picture),
        Part::Media(sound),
        Part::Media(pdf),
        Part::Media(kept),
    ] = request.messages[1].content.as_slice()
    else {
        panic!("{:?}", request.messages[1]);
    };
    assert_eq!(
        (text.text.as_str(), text.cache),
        ("What is it?", Some(CacheMark::default()))
    );
    assert_eq!(
        (picture.media_type(), picture.detail.as_deref()),
        (Some("image/png"), Some("low"))
    );
    assert_eq!(sound.media_type(), Some("audio/mpeg"));
    assert_eq!(
        (pdf.media_type(), pdf.name.as_deref()),
        (Some("application/pdf"), Some("a.pdf"))
    );
    assert!(matches!(&kept.source, MediaSource::File { file_id } if file_id == "file-1"));
    let Part::ToolCall(call) = &request.messages[2].content[0] else {
        panic!("no call");
    };
    assert_eq!(
        (call.id.as_str(), call.arguments.as_str()),
        ("call_1", r#"{"x":1.50}"#)
    );
    let Part::ToolResult(result) = &request.messages[3].content[0] else {
        panic!("no result");
    };
    assert_eq!(
        (result.call_id.as_str(), result.name.as_str()),
        ("call_1", "look")
    );
    assert_eq!(
        result.content,
        [ResultPart::Text {
            text: "a cat".into()
        }]
    );
    let tool = &request.tools[0];
    assert_eq!(
        tool.parameters.as_str(),
        r#"{"type":"object","properties":{"z":{},"a":{"multipleOf":0.1}}}"#
    );
    assert_eq!((tool.strict, tool.extra.is_empty()), (Some(true), true));
    assert_eq!(request.tool_choice, ToolChoice::Named("look".into()));
    assert_eq!(request.parallel_tool_calls, Some(false));
    let sampling = &request.sampling;
    assert_eq!(
        (sampling.max_tokens, sampling.seed, sampling.stop.as_slice()),
        (Some(400), Some(7), &["END".to_owned()][..])
    );
    assert_eq!(request.reasoning_effort, Some(ReasoningEffort::Low));
    let ResponseFormat::JsonSchema(schema) = &request.response_format else {
        panic!("no schema");
    };
    assert_eq!(
        (schema.name.as_str(), schema.schema.as_str()),
        ("s", r#"{"b":1,"a":2}"#)
    );
    assert_eq!(request.user.as_deref(), Some("u"));
    assert!(request.extra_by_wire.is_empty());
}

#[test]
fn what_has_no_unified_form_is_named_or_a_hint() {
    let messages = json!([{"role": "user", "content": "hi"}]);
    for (name, value, own, foreign) in [
        ("metadata", json!({"a": "b"}), false, false),
        ("service_tier", json!("flex"), false, false),
        ("store", json!(true), false, false),
        (
            "prediction",
            json!({"type": "content", "content": "x"}),
            false,
            false,
        ),
        ("reasoning_effort", json!("xhigh"), false, false),
        ("reasoning_effort", json!("extreme"), false, true),
        ("logit_bias", json!({"1": 5}), false, true),
        ("web_search_options", json!({}), false, true),
        ("enable_thinking", json!(false), false, true),
        ("n", json!(2), true, true),
        ("logprobs", json!(true), true, true),
        ("top_logprobs", json!(3), true, true),
        ("never_heard_of", json!(null), false, false),
    ] {
        let asked = read(&json!({"messages": messages, name: value}));
        let named = |is: bool| if is { vec![name.to_owned()] } else { vec![] };
        assert_eq!(lost(&asked, "openai-chat"), named(own), "{name} {value}");
        assert_eq!(lost(&asked, "gemini"), named(foreign), "{name} {value}");
        let passed = asked.request.extra_by_wire.get("openai-chat").is_some();
        assert_eq!(passed, !own && !value.is_null(), "{name} {value}");
    }
    let asked = read(&json!({"messages": [
        {"role": "user", "content": [{"type": "hologram", "x": 1}]}, {"role": "user", "content": "hi", "odd": 1}]}));
    assert_eq!(
        lost(&asked, "gemini"),
        ["messages[0].content[0]", "messages[1].odd"]
    );
    assert_eq!(lost(&asked, "openai-chat"), [""; 0]);
    assert_eq!(
        asked.request.messages[0].origin.as_deref(),
        Some("openai-chat")
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let one = |message: Value| json!({"messages": [message]});
    for (body, message) in [
        (json!({}), "messages: is required"),
        (json!({"messages": 3}), "messages: expected a list"),
        (
            one(json!({"role": "king", "content": ""})),
            "messages[0].role: expected system, developer, user, assistant or tool, not \"king\"",
        ),
        (
            one(json!({"role": "user", "content": [{"text": "a"}]})),
            "messages[0].content[0].type: is required",
        ),
        (
            one(json!({"role": "tool", "content": "a"})),
            "messages[0].tool_call_id: is required",
        ),
        (
            one(
                json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}),
            ),
            "messages[0].content[0].image_url.url: expected data:TYPE;base64,… in base64",
        ),
        (
            json!({"messages": [], "temperature": "hot"}),
            "temperature: invalid type: string \"hot\", expected f64",
        ),
        (
            json!({"messages": [], "tools": [{"type": "function", "function": {}}]}),
            "tools[0].function.name: is required",
        ),
        (
            json!({"messages": [], "tool_choice": "maybe"}),
            "tool_choice: expected auto, none, required or a tool, not \"maybe\"",
        ),
    ] {
        assert_eq!(refused(&body), message);
    }
}

#[test]
fn tools_of_every_form_are_tools() {
    let asked = read(
        &json!({"messages": [{"role": "user", "content": "hi"}], "tools": [
            {"type": "function", "name": "flat", "parameters": {}, "strict": null},
            {"name": "anthropics", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "custom", "custom": {"name": "free", "format": {"type": "grammar", "grammar": {"syntax": "lark"}}}},
            {"type": "custom", "name": "plain"},
            {"type": "web_search", "search_context_size": "low"},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        ]}),
    );
    let names: Vec<&str> = asked
        .request
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    assert_eq!(names, ["flat", "anthropics", "free", "plain"]);
    assert_eq!(asked.request.tools[1].cache.unwrap().seconds, Some(3600));
    let free = asked.request.tools[2].free_text.as_ref().unwrap();
    assert_eq!(
        free.grammar.as_ref().unwrap().as_str(),
        r#"{"type":"grammar","grammar":{"syntax":"lark"}}"#
    );
    assert!(asked.request.tools[3].free_text.is_some());
    let run = &asked.request.server_tools;
    assert_eq!(run[0].name, "web-search");
    assert_eq!(
        run[1].options.as_ref().unwrap().as_str(),
        r#"{"type":"web_search_20250305","name":"web_search","max_uses":2}"#
    );
    assert_eq!(
        lost(&asked, "gemini"),
        ["tools[4].search_context_size", "tools[5].max_uses"]
    );
    let mut fitted = asked.clone();
    fitted.fit(["gemini"].into_iter());
    assert!(
        fitted
            .request
            .server_tools
            .iter()
            .all(|tool| tool.options.is_none())
    );
    fitted.clone_from(&asked);
    fitted.fit(["openai-chat"].into_iter());
    assert_eq!(fitted, asked);
}

#[test]
fn choices_of_every_form_are_read() {
    let tools = json!([{"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "b"}}]);
    for (choice, expected, left) in [
        (json!("none"), ToolChoice::None, 2),
        (json!("required"), ToolChoice::Required, 2),
        (json!({"type": "any"}), ToolChoice::Required, 2),
        (
            json!({"type": "tool", "name": "a"}),
            ToolChoice::Named("a".into()),
            2,
        ),
        (
            json!({"type": "custom", "custom": {"name": "a"}}),
            ToolChoice::Named("a".into()),
            2,
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "b"}}]}}),
            ToolChoice::OneOf(vec!["b".into()]),
            2,
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "b"}}]}}),
            ToolChoice::Auto,
            1,
        ),
    ] {
        let asked = read(
            &json!({"messages": [{"role": "user", "content": "hi"}], "tools": tools, "tool_choice": choice}),
        );
        assert_eq!(
            (asked.request.tool_choice, asked.request.tools.len()),
            (expected, left),
            "{choice}"
        );
    }
}

#[test]
fn functions_of_the_old_way_are_asked_for_and_answered_in_it() {
    let asked = read(&json!({
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "function_call": {"name": "look", "arguments": "{}"}},
            {"role": "function", "name": "look", "content": "a cat"},
        ],
        "functions": [{"name": "look", "parameters": {"type": "object"}}], "function_call": {"name": "look"},
    }));
    assert_eq!(asked.request.tool_choice, ToolChoice::Named("look".into()));
    let parts: Vec<&Part> = asked
        .request
        .messages
        .iter()
        .flat_map(|message| &message.content)
        .collect();
    let (Part::ToolCall(call), Part::ToolResult(result)) = (parts[1], parts[2]) else {
        panic!("{parts:?}");
    };
    assert_eq!((call.id == result.call_id, call.local), (true, true));
    let call = ToolCall {
        id: "x".into(),
        name: "look".into(),
        arguments: "{\"a\":1}".into(),
        ..ToolCall::default()
    };
    let answer = ChatResponse::new(vec![Part::ToolCall(call)], FinishReason::ToolCalls);
    let reply = asked.reply("fast", stamp());
    let whole: Value = serde_json::from_slice(&reply.whole(&answer)).unwrap();
    let choice = &whole["choices"][0];
    assert_eq!(
        choice["message"]["function_call"],
        json!({"name": "look", "arguments": "{\"a\":1}"})
    );
    assert_eq!(choice["finish_reason"], "function_call");
    assert!(choice["message"].get("tool_calls").is_none());
}

/// The chunks of a stream.
fn chunks(body: &Value, events: &[ChatEvent]) -> (Vec<Value>, String) {
    let mut renderer = read(body).reply("fast", stamp()).stream();
    let mut out = vec![];
    renderer.begin("ollama", &mut out);
    for event in events {
        renderer.event(event, &mut out);
    }
    Wire::OpenAiChat.stream(&out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let data = text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "));
    let chunks = data
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap());
    (chunks.collect(), text.clone())
}

#[test]
fn usage_is_told_only_if_it_is_asked_for() {
    let mut answer = ChatResponse::new(vec![Part::text("hi")], FinishReason::Stop);
    answer.usage.prompt_tokens = Some(3);
    answer.usage.completion_tokens = Some(1);
    let events = answer.clone().into_events();
    let question = json!({"messages": [{"role": "user", "content": "hi"}], "stream": true});
    let (plain, text) = chunks(&question, &events);
    assert!(plain.iter().all(|chunk| chunk.get("usage").is_none()));
    assert!(
        plain
            .iter()
            .all(|chunk| !chunk["choices"].as_array().unwrap().is_empty())
    );
    assert!(text.ends_with("data: [DONE]\n\n"));
    let mut wanted = question.clone();
    wanted["stream_options"] = json!({"include_usage": true});
    let (told, _) = chunks(&wanted, &events);
    let (last, before) = told.split_last().unwrap();
    assert!(before.iter().all(|chunk| chunk["usage"].is_null()));
    assert_eq!(
        last["usage"],
        json!({"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4})
    );
    // What nobody counted is not said to be nothing.
    answer.usage.completion_tokens = None;
    let (unknown, _) = chunks(&wanted, &answer.into_events());
    assert!(unknown.iter().all(|chunk| chunk["usage"].is_null()));
}

#[test]
fn a_call_is_told_once_by_name_and_then_by_its_arguments() {
    let delta = |name: Option<&str>, arguments: &str| ChatEvent::ToolCallDelta {
        index: 9,
        name: name.map(str::to_owned),
        id: None,
        signature: None,
        arguments: arguments.to_owned(),
    };
    let call = ToolCall {
        id: "call_0".into(),
        name: "look".into(),
        arguments: "{\"a\":1}".into(),
        local: true,
        ..ToolCall::default()
    };
    let answer = ChatResponse::new(vec![Part::ToolCall(call.clone())], FinishReason::ToolCalls);
    let events = [
        delta(Some("look"), ""),
        delta(None, "{\"a\""),
        delta(None, ":1}"),
        ChatEvent::ToolCall(call),
        ChatEvent::Done(Box::new(answer)),
    ];
    let question = json!({"messages": [{"role": "user", "content": "hi"}]});
    let (chunks, _) = chunks(&question, &events);
    let pieces: Vec<&Value> = chunks
        .iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta/tool_calls/0"))
        .collect();
    assert_eq!(
        pieces,
        [
            &json!({"index": 0, "id": "call_a1_0", "type": "function", "function": {"name": "look", "arguments": ""}}),
            &json!({"index": 0, "function": {"arguments": "{\"a\""}}),
            &json!({"index": 0, "function": {"arguments": ":1}"}}),
        ]
    );
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["finish_reason"],
        "tool_calls"
    );
}

#[test]
fn bodies_of_other_wires_are_answered_in_this_one() {
    for (body, shape) in [
        (
            json!({"input": [{"role": "user", "content": "hi"}], "tools": [{"type": "function", "name": "f", "parameters": {}}]}),
            Face::OpenAiResponses,
        ),
        (
            json!({"system": "s", "messages": [{"role": "user", "content": "hi"}], "tools": [{"name": "f", "input_schema": {}}]}),
            Face::AnthropicMessages,
        ),
        (
            json!({"messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1.0}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "ok"}]}],
            "tools": [{"name": "f", "input_schema": {}}]}),
            Face::OpenAiChat,
        ),
    ] {
        let asked = read(&body);
        assert_eq!(
            (asked.shape, asked.request.tools[0].name.as_str()),
            (shape, "f"),
            "{body}"
        );
        let answer = ChatResponse::new(vec![Part::text("yes")], FinishReason::Stop);
        let heard = Wire::OpenAiChat.whole(&asked.reply("m", stamp()).whole(&answer));
        assert_eq!(heard.unwrap().text, "yes");
    }
}
