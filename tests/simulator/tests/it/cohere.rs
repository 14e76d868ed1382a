//! Cohere's v2 chat.

use multillm_simulator::{Simulator, Vendor};
use serde_json::{Value, json};

use crate::client::{Answer, look, post_as, send, start, with};

fn saying(text: &str) -> Value {
    json!({"model": "command-a-03-2025", "messages": [{"role": "user", "content": text}]})
}

async fn ask(simulator: &Simulator, body: &Value) -> Answer {
    post_as(simulator, Vendor::Cohere, "/cohere/v2/chat", body).await
}

#[tokio::test]
async fn text_usage_and_stream_agree() {
    let simulator = start().await;
    let body = with(
        saying("hi cached=6"),
        &json!({"model": "command-a-reasoning-08-2025"}),
    );
    let whole = ask(&simulator, &body).await.json();
    let content = whole["message"]["content"].as_array().unwrap();
    assert_eq!(
        (&content[0]["type"], &content[1]["type"]),
        (&json!("thinking"), &json!("text")),
        "thinking is on by itself"
    );
    assert_eq!(
        (
            &whole["usage"]["tokens"]["input_tokens"],
            &whole["usage"]["cached_tokens"]
        ),
        (&json!(8.0), &json!(6.0))
    );
    let stream = ask(&simulator, &with(body, &json!({"stream": true}))).await;
    assert!(
        stream.text().starts_with("event: message-start\n")
            && stream.text().ends_with("\n\ndata: [DONE]\n\n")
    );
    let events = stream.events();
    let joined = |kind: &str| -> String {
        events
            .iter()
            .filter_map(|event| event["delta"]["message"]["content"][kind].as_str())
            .collect()
    };
    assert_eq!(
        (joined("thinking"), joined("text")),
        (
            content[0]["thinking"].as_str().unwrap().to_owned(),
            content[1]["text"].as_str().unwrap().to_owned()
        )
    );
    let end = events.last().unwrap();
    assert_eq!(
        (&end["delta"]["finish_reason"], &end["delta"]["usage"]),
        (&json!("COMPLETE"), &whole["usage"])
    );
}

#[tokio::test]
async fn tools_have_plans_and_ids_of_their_own() {
    let simulator = start().await;
    let bare = json!({"type": "function", "function": {"name": "stop_all"}});
    let body = with(
        saying("two calls: look and stop_all"),
        &json!({"tools": [look(), bare]}),
    );
    let called = ask(&simulator, &body).await.json();
    let message = &called["message"];
    assert!(
        message["content"].is_null() && message["tool_plan"].is_string(),
        "{called}"
    );
    assert_eq!(message["tool_calls"][1]["function"]["arguments"], "null");
    let events = ask(&simulator, &with(body.clone(), &json!({"stream": true})))
        .await
        .events();
    let starts: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "tool-call-start")
        .collect();
    assert_eq!(
        starts[0]["delta"]["message"]["tool_calls"]["id"],
        message["tool_calls"][0]["id"]
    );
    assert!(
        events
            .iter()
            .all(|event| event["type"] != "tool-call-delta" || event["index"] == 0)
    );
    let result = |index: usize| {
        json!({"role": "tool", "tool_call_id": message["tool_calls"][index]["id"],
        "content": [{"type": "document", "document": {"data": {"result": format!("r{index}")}}}]})
    };
    let history = json!([body["messages"][0], message, result(0), result(1)]);
    let answered = ask(
        &simulator,
        &with(body.clone(), &json!({"messages": history})),
    )
    .await
    .json();
    assert!(
        answered["message"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("look -> r0; stop_all -> r1"),
        "{answered}"
    );
    assert!(answered["message"]["citations"].is_array());
    let half = json!([body["messages"][0], message, result(0)]);
    assert!(
        ask(&simulator, &with(body, &json!({"messages": half})))
            .await
            .text()
            .contains("missing tool message")
    );
}

#[tokio::test]
async fn what_cohere_refuses_is_refused() {
    let simulator = start().await;
    let cases = [
        (json!({"foo": 1}), 422, "unknown field"),
        (json!({"model": "command-x"}), 404, "not found"),
        (json!({"messages": []}), 400, "at least one user message"),
        (json!({"p": 1.5}), 400, "between 0.01 and 0.99"),
        (
            json!({"tools": [look()], "response_format": {"type": "json_object"}}),
            400,
            "response_format cannot",
        ),
        (
            json!({"tools": [look()], "tool_choice": {"type": "function"}}),
            400,
            "tool_choice must be",
        ),
        (
            json!({"tools": [look()], "tool_choice": "required"}),
            400,
            "REQUIRED",
        ),
        (
            json!({"thinking": {"type": "enabled"}}),
            400,
            "thinking is not supported",
        ),
        (
            json!({"messages": [{"role": "developer", "content": "x"}]}),
            400,
            "role must be one of",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]}),
            400,
            "not supported with this model",
        ),
    ];
    for (changes, status, words) in cases {
        let answer = ask(&simulator, &with(saying("hi"), &changes)).await;
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(
            answer.status == status && message.contains(words),
            "{changes}: {} {message}",
            answer.status
        );
    }
    assert_eq!(
        send(&simulator, "POST", "/cohere/v2/chat", &[], "{}")
            .await
            .json()["message"],
        "no api key supplied"
    );
    let error = ask(
        &simulator,
        &with(
            saying("[[fault:mid-stream-error k=2]]"),
            &json!({"stream": true}),
        ),
    )
    .await;
    assert!(
        error.text().contains("\"finish_reason\":\"ERROR\"")
            && error.text().ends_with("[DONE]\n\n")
    );
}

#[tokio::test]
async fn models_come_in_pages() {
    let simulator = start().await;
    let (mut seen, mut path) = (
        0,
        "/cohere/v1/models?endpoint=chat&page_size=1000".to_owned(),
    );
    loop {
        let page = send(
            &simulator,
            "GET",
            &path,
            &[("authorization", "Bearer sk-sim-cohere")],
            "",
        )
        .await
        .json();
        seen += page["models"].as_array().unwrap().len();
        let Some(token) = page["next_page_token"].as_str() else {
            break;
        };
        path = format!("/cohere/v1/models?endpoint=chat&page_size=1000&page_token={token}");
    }
    assert_eq!(seen, 11);
}
