//! The Responses interface.

use multillm_simulator::{Simulator, Vendor};
use serde_json::{Value, json};

use crate::client::{Answer, post_as, start, with};

async fn ask(simulator: &Simulator, body: &Value) -> Answer {
    post_as(simulator, Vendor::OpenAi, "/openai/v1/responses", body).await
}

fn plain(input: &Value) -> Value {
    json!({"model": "gpt-4o", "store": false, "input": input})
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

/// The items of an answer that came whole.
fn output(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["output"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

#[tokio::test]
async fn an_answer_is_items_and_its_events_tell_the_same() {
    let simulator = start().await;
    let tools = json!([{"type": "web_search"}, {"type": "image_generation"},
        {"type": "code_interpreter", "container": {"type": "auto"}}]);
    let body = with(
        plain(&json!([user(
            "search the web, run code and draw a picture"
        )])),
        &json!({"tools": tools}),
    );
    let whole = ask(&simulator, &body).await;
    let kinds: Vec<Value> = output(&whole)
        .iter()
        .map(|item| item["type"].clone())
        .collect();
    assert!(kinds.contains(&json!("message")), "{kinds:?}");
    let stream = ask(&simulator, &with(body, &json!({"stream": true}))).await;
    let events = stream.events();
    let numbers: Vec<u64> = events
        .iter()
        .filter_map(|event| event["sequence_number"].as_u64())
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] < pair[1]),
        "{numbers:?}"
    );
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    assert_eq!(last["response"], whole.json());
    assert!(!stream.text().contains("[DONE]"));
    let done: Vec<Value> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| event["item"].clone())
        .collect();
    assert_eq!(done, output(&whole));
    let deltas: String = events
        .iter()
        .filter(|event| event["type"] == "response.output_text.delta")
        .filter_map(|event| event["delta"].as_str())
        .collect();
    let said = output(&whole)
        .iter()
        .find(|item| item["type"] == "message")
        .cloned()
        .unwrap();
    assert_eq!(said["content"][0]["text"], deltas);
}

#[tokio::test]
async fn a_call_and_the_thoughts_before_it_go_back_and_nothing_of_it_may_be_missing() {
    let simulator = start().await;
    let look = json!({"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}});
    let asking = json!({"model": "o3", "store": false, "include": ["reasoning.encrypted_content"],
        "tools": [look], "input": [user("look at it")]});
    let items = output(&ask(&simulator, &asking).await);
    let kinds: Vec<&str> = items
        .iter()
        .filter_map(|item| item["type"].as_str())
        .collect();
    assert_eq!(kinds, ["reasoning", "function_call"]);
    let result =
        json!({"type": "function_call_output", "call_id": items[1]["call_id"], "output": "a cat"});
    let going_on = |input: Value| with(asking.clone(), &json!({"input": input}));
    let good = going_on(json!([user("look at it"), items[0], items[1], result]));
    let answer = ask(&simulator, &good).await;
    assert!(answer.text().contains("look -> a cat"), "{}", answer.text());
    let mut open = items[0].clone();
    open["encrypted_content"] = Value::Null;
    let mut forged = items[0].clone();
    forged["encrypted_content"] = json!("Z29vZA==");
    for (input, status, told) in [
        (
            json!([user("x"), items[0], user("y")]),
            400,
            "required following item",
        ),
        (
            json!([user("x"), open, items[1], result]),
            404,
            "not persisted",
        ),
        (
            json!([user("x"), forged, items[1], result]),
            400,
            "could not be verified",
        ),
        (
            json!([user("x"), items[0], items[1]]),
            400,
            "No tool output found",
        ),
        (json!([user("x"), result]), 400, "No tool call found"),
    ] {
        let refused = ask(&simulator, &going_on(input)).await;
        assert_eq!(refused.status, status, "{told}: {}", refused.text());
        assert!(refused.text().contains(told), "{told}: {}", refused.text());
    }
}

#[tokio::test]
async fn what_this_interface_does_not_know_is_refused() {
    let simulator = start().await;
    let question = || plain(&json!([user("hi")]));
    for (more, code) in [
        (json!({"seed": 1}), "unknown_parameter"),
        (json!({"stop": ["x"]}), "unknown_parameter"),
        (json!({"model": "gpt-0"}), "model_not_found"),
        (json!({"model": "o3", "temperature": 0.5}), ""),
        (json!({"include": ["reasoning.encrypted_content"]}), ""),
        (
            json!({"previous_response_id": "resp_1"}),
            "previous_response_not_found",
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
            "invalid_value",
        ),
        (
            json!({"tools": [{"type": "code_interpreter"}]}),
            "missing_required_parameter",
        ),
        (json!({"max_output_tokens": 4}), "integer_below_min_value"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
            "invalid_value",
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}),
            "invalid_value",
        ),
    ] {
        let refused = ask(&simulator, &with(question(), &more)).await;
        assert_eq!(refused.status, 400, "{more}: {}", refused.text());
        let found = refused.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(found, code, "{more}");
    }
}

#[tokio::test]
async fn an_answer_may_be_cut_and_tokens_are_counted() {
    let simulator = start().await;
    let cut = with(
        plain(&json!("write 50 words")),
        &json!({"max_output_tokens": 16}),
    );
    let answer = ask(&simulator, &cut).await.json();
    assert_eq!(answer["status"], "incomplete");
    assert_eq!(answer["incomplete_details"]["reason"], "max_output_tokens");
    let counted = post_as(
        &simulator,
        Vendor::OpenAi,
        "/openai/v1/responses/input_tokens",
        &json!({"model": "gpt-4o", "input": "one two three"}),
    )
    .await;
    assert_eq!(counted.json()["input_tokens"], 3);
}

#[tokio::test]
async fn azure_answers_at_its_own_addresses_with_filters() {
    let simulator = start().await;
    let at = |path: &'static str| {
        let simulator = &simulator;
        async move {
            let body = plain(&json!([user("Hello")]));
            post_as(simulator, Vendor::Azure, path, &body).await
        }
    };
    for path in [
        "/azure/openai/v1/responses",
        "/azure/openai/responses?api-version=2025-04-01-preview",
    ] {
        let answer = at(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let filters = answer.json()["content_filters"].clone();
        assert_eq!(filters[0]["source_type"], "prompt", "{path}: {filters}");
    }
    for path in [
        "/azure/openai/responses?api-version=2024-10-21",
        "/azure/openai/v1/responses?api-version=2025-04-01-preview",
        "/azure/openai/deployments/gpt-4o/responses?api-version=2025-04-01-preview",
    ] {
        assert_eq!(at(path).await.status, 404, "{path}");
    }
    let counted = at("/azure/openai/v1/responses/input_tokens").await;
    assert_eq!(counted.json()["object"], "response.input_tokens");
    let body = with(plain(&json!([user("Hi")])), &json!({"model": "nothing"}));
    let lost = post_as(
        &simulator,
        Vendor::Azure,
        "/azure/openai/v1/responses",
        &body,
    )
    .await;
    assert_eq!(lost.status, 404);
    assert!(
        lost.text().contains("DeploymentNotFound"),
        "{}",
        lost.text()
    );
    let faulty = with(plain(&json!([user("[[fault:429]]")])), &json!({}));
    let limited = post_as(
        &simulator,
        Vendor::Azure,
        "/azure/openai/v1/responses",
        &faulty,
    )
    .await;
    assert!(
        limited.text().contains("RateLimitReached"),
        "{}",
        limited.text()
    );
}
