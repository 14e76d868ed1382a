//! Anthropic's messages.

use multillm_simulator::Simulator;
use serde_json::{Value, json};

use crate::client::{Answer, PNG, post, send, start, with};

fn saying(text: &str) -> Value {
    json!({"model": "claude-sonnet-4-5", "max_tokens": 2000, "messages": [{"role": "user", "content": text}]})
}

async fn version(simulator: &Simulator, version: &str, body: &Value) -> Answer {
    let keys = [
        ("x-api-key", "sk-sim-anthropic"),
        ("anthropic-version", version),
    ];
    post(simulator, "/anthropic/v1/messages", &keys, body).await
}

async fn ask(simulator: &Simulator, body: &Value) -> Answer {
    version(simulator, "2023-06-01", body).await
}

fn look() -> Value {
    json!({"name": "look", "input_schema": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}})
}

#[tokio::test]
async fn text_usage_and_stream_agree() {
    let simulator = start().await;
    let content = json!([
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "text", "text": "hi cached=100 cache_write=7"},
    ]);
    let body = with(
        saying(""),
        &json!({"system": "Be brief.", "messages": [{"role": "user", "content": content}]}),
    );
    let whole = ask(&simulator, &body).await.json();
    let text = whole["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("You said: hi")
            && text.contains("(system: Be brief.) (images: image/png 1x1)"),
        "{text}"
    );
    assert_eq!(
        (
            &whole["usage"]["input_tokens"],
            &whole["usage"]["cache_read_input_tokens"]
        ),
        (&json!(5 + 85), &json!(100))
    );
    assert_eq!(whole["usage"]["cache_creation_input_tokens"], 7);
    let stream = ask(&simulator, &with(body, &json!({"stream": true}))).await;
    let events = stream.events();
    let deltas: String = events
        .iter()
        .filter_map(|event| event["delta"]["text"].as_str())
        .collect();
    assert_eq!(deltas, text);
    let ending = events
        .iter()
        .find(|event| event["type"] == "message_delta")
        .unwrap();
    assert_eq!(
        (&ending["delta"]["stop_reason"], &ending["usage"]),
        (&json!("end_turn"), &whole["usage"])
    );
    assert!(events.iter().any(|event| event["type"] == "ping") && stream.text().contains("  }\n"));
    assert_eq!(events.last().unwrap()["type"], "message_stop");
}

#[tokio::test]
async fn tools_with_thinking_need_their_signature() {
    let simulator = start().await;
    let body = with(
        saying("look"),
        &json!({"tools": [look()], "thinking": {"type": "enabled", "budget_tokens": 1024}}),
    );
    let called = ask(&simulator, &body).await.json();
    assert_eq!(called["stop_reason"], "tool_use");
    let kinds: Vec<&str> = called["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["thinking", "text", "tool_use"]);
    let result = json!({"type": "tool_result", "tool_use_id": called["content"][2]["id"], "content": "a cat"});
    let history = |blocks: Value| {
        let messages = json!([body["messages"][0], {"role": "assistant", "content": blocks}, {"role": "user", "content": [result]}]);
        with(body.clone(), &json!({"messages": messages}))
    };
    let good = ask(&simulator, &history(called["content"].clone()))
        .await
        .json();
    assert!(
        good["content"][1]["text"]
            .as_str()
            .unwrap()
            .contains("look -> a cat"),
        "{good}"
    );
    let mut altered = called["content"].clone();
    altered[0]["thinking"] = json!("other");
    assert!(
        ask(&simulator, &history(altered))
            .await
            .text()
            .contains("Invalid `signature`")
    );
    let dropped = json!([called["content"][2]]);
    assert!(
        ask(&simulator, &history(dropped))
            .await
            .text()
            .contains("Expected `thinking`")
    );
    // Only who has the thinking managed may leave it out, and only with the beta of that.
    let managed = |edits: Value| {
        let changes = json!({"context_management": {"edits": edits}});
        with(history(json!([called["content"][2]])), &changes)
    };
    let thinking = managed(json!([{"type": "clear_thinking_20251015", "keep": "all"}]));
    let tools = managed(json!([{"type": "clear_tool_uses_20250919"}]));
    for (body, beta, expected) in [
        (&thinking, "context-management-2025-06-27", "look -> a cat"),
        (&thinking, "other-2025-06-27", "Extra inputs"),
        (
            &tools,
            "context-management-2025-06-27",
            "Expected `thinking`",
        ),
        (
            &managed(json!([{}])),
            "context-management-2025-06-27",
            "edits.0.type",
        ),
    ] {
        let keys = [
            ("x-api-key", "sk-sim-anthropic"),
            ("anthropic-version", "2023-06-01"),
            ("anthropic-beta", beta),
        ];
        let said = post(&simulator, "/anthropic/v1/messages", &keys, body).await;
        assert!(said.text().contains(expected), "{}", said.text());
    }
    let stream = ask(&simulator, &with(body.clone(), &json!({"stream": true})))
        .await
        .events();
    let partial: String = stream
        .iter()
        .filter_map(|event| event["delta"]["partial_json"].as_str())
        .collect();
    assert_eq!(partial, "{\"x\":1}");
    let signature = stream
        .iter()
        .find_map(|event| event["delta"]["signature"].as_str())
        .unwrap();
    assert_eq!(signature, called["content"][0]["signature"]);
}

#[tokio::test]
async fn what_anthropic_refuses_is_refused() {
    let simulator = start().await;
    let user = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    let tool_use = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]});
    let open_schema =
        json!({"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}});
    let cases = [
        (json!({"foo": 1}), "foo: Extra inputs are not permitted"),
        (
            json!({"metadata": {"user_id": "somebody@example.com"}}),
            "appears to contain an email address",
        ),
        (
            json!({"metadata": {"user_id": "+1 555-010-0199"}}),
            "appears to contain a phone number",
        ),
        (
            json!({"metadata": {"user_id": "u".repeat(257)}}),
            "at most 256 characters",
        ),
        (json!({"max_tokens": null}), "max_tokens: Field required"),
        (
            json!({"max_tokens": "5"}),
            "max_tokens: Input should be a valid integer",
        ),
        (
            json!({"max_tokens": 100_000}),
            "maximum allowed number of output tokens",
        ),
        (
            json!({"temperature": 0.5, "top_p": 0.9}),
            "cannot both be specified",
        ),
        (
            json!({"model": "claude-opus-4-8", "temperature": 0.5}),
            "deprecated for this model",
        ),
        (
            json!({"model": "claude-3-haiku-20240307", "thinking": {"type": "enabled", "budget_tokens": 1024}}),
            "does not support thinking",
        ),
        (user(json!("")), "non-empty content"),
        (
            user(json!([{"type": "text", "text": ""}])),
            "text content blocks must be non-empty",
        ),
        (
            user(json!([{"type": "tool_result", "tool_use_id": "toolu_9", "content": "x"}])),
            "unexpected `tool_use_id`",
        ),
        (
            user(
                json!([{"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": PNG}}]),
            ),
            "appears to be a image/png",
        ),
        (
            json!({"messages": [{"role": "system", "content": "x"}]}),
            "Unexpected role",
        ),
        (
            json!({"messages": [{"role": "user", "content": "x"}, tool_use, {"role": "user", "content": "y"}]}),
            "without `tool_result` blocks immediately after: toolu_1",
        ),
        (
            json!({"tools": [{"name": "look", "input_schema": {}}]}),
            "tools.0.custom.input_schema.type: Field required",
        ),
        (
            json!({"tool_choice": {"type": "any"}}),
            "while providing tools",
        ),
        (
            json!({"output_config": open_schema}),
            "'additionalProperties' must be explicitly set to false",
        ),
        (
            json!({"output_config": {"effort": "max"}}),
            "does not support effort level",
        ),
    ];
    for (changes, words) in cases {
        let answer = ask(&simulator, &with(saying("hi"), &changes)).await;
        let error = answer.json();
        assert_eq!(
            (answer.status, &error["error"]["type"]),
            (400, &json!("invalid_request_error")),
            "{changes}: {error}"
        );
        assert!(
            error["error"]["message"].as_str().unwrap().contains(words),
            "{changes}: {error}"
        );
    }
    assert_eq!(
        ask(
            &simulator,
            &with(saying("hi"), &json!({"model": "claude-9"}))
        )
        .await
        .json()["error"]["type"],
        "not_found_error"
    );
    let newer = version(
        &simulator,
        "2026-10-21",
        &with(saying("hi"), &json!({"temperature": 1})),
    )
    .await;
    assert!(
        newer
            .text()
            .contains("temperature: Extra inputs are not permitted")
    );
    let unversioned = send(
        &simulator,
        "POST",
        "/anthropic/v1/messages",
        &[("x-api-key", "sk-sim-anthropic")],
        "{}",
    )
    .await;
    assert!(unversioned.text().contains("anthropic-version"));
    assert_eq!(
        send(&simulator, "POST", "/anthropic/v1/messages", &[], "{}")
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn refusals_pages_and_overload_have_their_forms() {
    let simulator = start().await;
    let refused = ask(&simulator, &saying("please refuse")).await.json();
    assert_eq!(
        (&refused["content"], &refused["stop_reason"]),
        (&json!([]), &json!("refusal"))
    );
    assert_eq!(
        ask(&simulator, &saying("empty reply")).await.json()["content"],
        json!([])
    );
    assert_eq!(ask(&simulator, &saying("[[fault:529]]")).await.status, 529);
    let first = ask(
        &simulator,
        &with(
            saying("[[fault:first-event-error]]"),
            &json!({"stream": true}),
        ),
    )
    .await;
    assert!(first.status == 200 && first.text().starts_with("event: error\n"));
    let mut seen = 0;
    let mut path = "/anthropic/v1/models?limit=1000".to_owned();
    loop {
        let headers = [
            ("x-api-key", "sk-sim-anthropic"),
            ("anthropic-version", "2023-06-01"),
        ];
        let page = send(&simulator, "GET", &path, &headers, "").await.json();
        seen += page["data"].as_array().unwrap().len();
        if page["has_more"] != true {
            break;
        }
        path = format!(
            "/anthropic/v1/models?limit=1000&after_id={}",
            page["last_id"].as_str().unwrap()
        );
    }
    assert_eq!(seen, 21);
}
