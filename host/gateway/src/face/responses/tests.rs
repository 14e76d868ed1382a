//! Requests and the objects of answers.

use multillm::chat::{
    ChatResponse, FinishReason, MediaSource, Part, ReasoningEffort, ResponseFormat, ResultPart,
    Role,
};
use serde_json::{Value, json};

use super::super::tests::stamp;
use super::super::{Asked, Entry, Face};

fn read(body: &Value) -> Asked {
    let body = body.to_string();
    let read = Entry::new(Face::OpenAiResponses).read(body.as_bytes());
    read.unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn lost(asked: &Asked, wire: &str) -> Vec<String> {
    let lost = asked.lost([wire].into_iter());
    lost.into_iter().map(str::to_owned).collect()
}

#[test]
fn items_are_turns_of_the_model_and_of_the_user() {
    let asked = read(&json!({
        "instructions": "You are.", "store": false, "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k", "parallel_tool_calls": true, "max_output_tokens": 500,
        "reasoning": {"effort": "medium", "summary": "auto"}, "text": {"verbosity": "low"},
        "tools": [
            {"type": "function", "name": "shell", "strict": false, "parameters": {"type": "object"}},
            {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
            {"type": "web_search"}],
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Rules."}]},
            {"role": "user", "content": [{"type": "input_text", "text": "hi"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAEC", "detail": "high"},
                {"type": "input_file", "file_id": "file-1"}, {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAEC"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gA=="},
            {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "phase": "commentary",
             "content": [{"type": "output_text", "text": "I look.", "annotations": []}]},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "shell", "arguments": "{\"a\":1.50}"},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "apply_patch", "input": "*** Begin"},
            {"type": "function_call_output", "call_id": "call_1", "output": "done"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "ok"},
                {"type": "input_image", "image_url": "https://example.org/a.png"}]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
            {"role": "user", "content": "go on"},
        ],
    }));
    assert_eq!(lost(&asked, "anthropic-messages"), [""; 0]);
    let request = &asked.request;
    let roles: Vec<Role> = request
        .messages
        .iter()
        .map(|message| message.role)
        .collect();
    assert_eq!(
        roles,
        [
            Role::System,
            Role::System,
            Role::User,
            Role::Assistant,
            Role::Tool,
            Role::Assistant,
            Role::User
        ]
    );
    let [
        Part::Text(_),
        Part::Media(picture),
        Part::Media(kept),
        Part::Media(pdf),
    ] = request.messages[2].content.as_slice()
    else {
        panic!("{:?}", request.messages[2]);
    };
    assert_eq!(picture.detail.as_deref(), Some("high"));
    assert!(matches!(kept.source, MediaSource::File { .. }));
    assert_eq!(pdf.name.as_deref(), Some("a.pdf"));
    let turn = &request.messages[3];
    assert_eq!(turn.origin.as_deref(), Some("openai-responses"));
    let [
        Part::Reasoning(thought),
        Part::Text(text),
        Part::ToolCall(call),
        Part::ToolCall(free),
    ] = turn.content.as_slice()
    else {
        panic!("{turn:?}");
    };
    assert_eq!(
        (thought.text.as_str(), thought.signature.as_deref()),
        ("hm", Some("gA=="))
    );
    assert_eq!(
        thought.extra.get("openai-responses").unwrap().to_string(),
        r#"{"id":"rs_1"}"#
    );
    assert_eq!(
        text.extra.get("openai-responses").unwrap().to_string(),
        r#"{"id":"msg_1","status":"completed","phase":"commentary"}"#
    );
    assert_eq!(
        (call.id.as_str(), call.arguments.as_str()),
        ("call_1", r#"{"a":1.50}"#)
    );
    assert_eq!(
        (free.signature.as_deref(), free.arguments.as_str()),
        (Some("custom"), "*** Begin")
    );
    let [Part::ToolResult(plain), Part::ToolResult(rich)] = request.messages[4].content.as_slice()
    else {
        panic!("{:?}", request.messages[4]);
    };
    assert_eq!((plain.name.as_str(), plain.content.len()), ("shell", 1));
    assert!(matches!(
        rich.content.as_slice(),
        [ResultPart::Text { .. }, ResultPart::Media(_)]
    ));
    assert!(
        matches!(&request.messages[5].content[0], Part::ServerToolCall(call) if call.name == "web-search")
    );
    assert_eq!(request.reasoning_effort, Some(ReasoningEffort::Medium));
    assert_eq!(request.sampling.max_tokens, Some(500));
    assert_eq!((request.tools.len(), request.server_tools.len()), (2, 1));
    let tail = request.extra_by_wire.get("openai-responses").unwrap();
    let names: Vec<&str> = tail.keys().collect();
    assert_eq!(
        names,
        ["store", "include", "prompt_cache_key", "reasoning", "text"]
    );
}

#[test]
fn what_only_this_wire_says_is_named() {
    for (name, value, place) in [
        (
            "previous_response_id",
            json!("resp_1"),
            "previous_response_id",
        ),
        ("conversation", json!("conv_1"), "conversation"),
        ("background", json!(true), "background"),
        ("truncation", json!("auto"), "truncation"),
        ("max_tool_calls", json!(3), "max_tool_calls"),
        ("prompt", json!({"id": "p"}), "prompt"),
        (
            "input",
            json!([{"type": "item_reference", "id": "x"}]),
            "input[0]",
        ),
        (
            "input",
            json!([{"type": "local_shell_call", "call_id": "c", "action": {}}]),
            "input[0]",
        ),
    ] {
        let mut body = json!({"input": "hi"});
        body[name] = value;
        let asked = read(&body);
        assert_eq!(lost(&asked, "gemini"), [place]);
        assert_eq!(lost(&asked, "openai-responses"), [""; 0], "{name}");
    }
    let asked = read(
        &json!({"input": "hi", "background": false, "truncation": "disabled", "top_logprobs": 0}),
    );
    assert_eq!(lost(&asked, "gemini"), [""; 0]);
    let asked = read(&json!({"input": "hi", "include": ["message.output_text.logprobs"]}));
    assert_eq!(lost(&asked, "openai-responses"), ["include"]);
}

#[test]
fn formats_are_read_and_the_request_is_said_again() {
    let body = json!({"model": "x", "input": "hi", "temperature": 0.50, "tools": [{"type": "function", "name": "f", "parameters": {}}],
        "text": {"format": {"type": "json_schema", "name": "s", "schema": {"b": 1, "a": 2}, "strict": true}}});
    let asked = read(&body);
    assert!(
        matches!(&asked.request.response_format, ResponseFormat::JsonSchema(format) if format.name == "s")
    );
    let mut answer = ChatResponse::new(vec![Part::text("{}")], FinishReason::Length);
    answer.usage.prompt_tokens = Some(3);
    answer.usage.completion_tokens = Some(2);
    let told: Value = serde_json::from_slice(&asked.reply("fast", stamp()).whole(&answer)).unwrap();
    assert_eq!(
        (told["status"].as_str(), told["model"].as_str()),
        (Some("incomplete"), Some("fast"))
    );
    assert_eq!(
        told["incomplete_details"],
        json!({"reason": "max_output_tokens"})
    );
    assert_eq!(
        (&told["tools"], &told["text"]),
        (&body["tools"], &body["text"])
    );
    assert_eq!(
        told["usage"],
        json!({"input_tokens": 3, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 5})
    );
}

#[test]
fn the_end_says_why() {
    for (reason, status, why) in [
        (FinishReason::Stop, "completed", Value::Null),
        (FinishReason::ToolCalls, "completed", Value::Null),
        (FinishReason::Other, "completed", Value::Null),
        (
            FinishReason::Length,
            "incomplete",
            json!({"reason": "max_output_tokens"}),
        ),
        (
            FinishReason::ContentFilter,
            "incomplete",
            json!({"reason": "content_filter"}),
        ),
        (FinishReason::Error, "failed", Value::Null),
    ] {
        let answer = ChatResponse::new(vec![Part::text("x")], reason);
        let reply = read(&json!({"input": "hi"})).reply("m", stamp());
        let told: Value = serde_json::from_slice(&reply.whole(&answer)).unwrap();
        assert_eq!(
            (told["status"].as_str(), &told["incomplete_details"]),
            (Some(status), &why)
        );
        let mut renderer = reply.stream();
        let mut out = vec![];
        for event in answer.into_events() {
            renderer.event(&event, &mut out);
        }
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains(&format!("event: response.{status}\n")),
            "{text}"
        );
        assert!(!text.contains("[DONE]"));
    }
}

#[test]
fn functions_of_a_namespace_are_tools_whose_calls_say_it_again() {
    let asked = read(&json!({
        "input": "hi",
        "tools": [
            { "type": "function", "name": "wait", "parameters": { "type": "object" } },
            { "type": "namespace", "name": "agents", "description": "Others.", "tools": [
                { "type": "function", "name": "spawn", "description": "One more", "parameters": { "type": "object" } },
                { "type": "function", "name": "wait", "parameters": { "type": "object" } }] }],
    }));
    let names: Vec<&str> = asked
        .request
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    assert_eq!(names, ["wait", "spawn"]);
    assert!(asked.request.server_tools.is_empty());
    // A second one of that name could not be told from the first.
    assert_eq!(lost(&asked, "anthropic-messages"), ["tools[1].tools[1]"]);
    let calls = ["spawn", "wait"].map(|name| {
        let call = multillm::chat::ToolCall {
            id: format!("call_{name}"),
            name: name.to_owned(),
            arguments: "{}".to_owned(),
            ..Default::default()
        };
        Part::ToolCall(call)
    });
    let answer = ChatResponse::new(calls.to_vec(), FinishReason::ToolCalls);
    let whole: Value = serde_json::from_slice(&asked.reply("m", stamp()).whole(&answer)).unwrap();
    assert_eq!(whole["output"][0]["namespace"], "agents", "{whole}");
    assert_eq!(whole["output"][1].get("namespace"), None, "{whole}");
    let mut streamed = vec![];
    let mut renderer = asked.reply("m", stamp()).stream();
    renderer.begin("claude", &mut streamed);
    for event in answer.into_events() {
        renderer.event(&event, &mut streamed);
    }
    let streamed = String::from_utf8(streamed).unwrap();
    let done = streamed
        .lines()
        .find(|line| line.contains("response.output_item.done") && line.contains("call_spawn"));
    assert!(
        done.unwrap().contains(r#""namespace":"agents""#),
        "{streamed}"
    );
}
