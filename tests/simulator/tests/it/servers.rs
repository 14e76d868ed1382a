//! What vendors refuse of their own tools, of marks for the cache, of documents and of single prompts.

use multillm_simulator::{Simulator, Vendor};
use serde_json::{Value, json};

use crate::client::{Answer, post, post_as, send, start, with};

async fn claude(simulator: &Simulator, path: &str, betas: &str, body: &Value) -> Answer {
    let keys = [
        ("x-api-key", "sk-sim-anthropic"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", betas),
    ];
    post(simulator, &format!("/anthropic/v1/{path}"), &keys, body).await
}

async fn gemini(simulator: &Simulator, model: &str, body: &Value) -> Answer {
    let path = format!("/gemini/v1beta/models/{model}");
    let keys = [("x-goog-api-key", "sk-sim-gemini")];
    post(simulator, &path, &keys, body).await
}

fn refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains(words), "{}", answer.text());
}

fn searching() -> Value {
    json!({"model": "claude-sonnet-4-5", "max_tokens": 500,
        "messages": [{"role": "user", "content": "search the web"}],
        "tools": [{"type": "web_search_20250305", "name": "web_search"}]})
}

#[tokio::test]
async fn what_a_search_found_is_taken_back_unchanged_only() {
    let simulator = start().await;
    let answer = claude(&simulator, "messages", "", &searching())
        .await
        .json();
    let content = answer["content"].as_array().unwrap().clone();
    assert_eq!(content[0]["type"], "server_tool_use");
    assert_eq!(answer["usage"]["server_tool_use"]["web_search_requests"], 1);
    let again = |content: Vec<Value>| {
        with(
            searching(),
            &json!({"messages": [{"role": "user", "content": "search the web"},
                {"role": "assistant", "content": content}, {"role": "user", "content": "and?"}]}),
        )
    };
    let good = claude(&simulator, "messages", "", &again(content.clone())).await;
    assert_eq!(good.status, 200, "{}", good.text());
    let mut changed = content.clone();
    changed[1]["content"][0]["encrypted_content"] = json!("E==");
    let answer = claude(&simulator, "messages", "", &again(changed)).await;
    refused(&answer, "encrypted_content");
    let mut uncited = content.clone();
    let last = uncited.len() - 1;
    uncited[last]["citations"][0]["encrypted_index"] = json!("E==");
    let answer = claude(&simulator, "messages", "", &again(uncited)).await;
    refused(&answer, "encrypted_index");
    let mut lone = content.clone();
    lone.remove(1);
    let answer = claude(&simulator, "messages", "", &again(lone)).await;
    refused(&answer, "without its result");
    let mut lost = content;
    lost.remove(0);
    let answer = claude(&simulator, "messages", "", &again(lost)).await;
    refused(&answer, "tool_use_id");
}

#[tokio::test]
async fn tools_need_their_betas_and_servers_their_sets() {
    let simulator = start().await;
    let code = with(
        searching(),
        &json!({"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]}),
    );
    refused(
        &claude(&simulator, "messages", "", &code).await,
        "code_execution_20250825",
    );
    let beta = "a, code-execution-2025-08-25";
    assert_eq!(
        claude(&simulator, "messages", beta, &code).await.status,
        200
    );
    let elsewhere = with(code, &json!({"container": "container_1"}));
    refused(
        &claude(&simulator, "messages", beta, &elsewhere).await,
        "container_1",
    );
    let server = json!([{"type": "url", "url": "https://mcp.example", "name": "shop"}]);
    let lone = with(searching(), &json!({"mcp_servers": server}));
    let mcp = "mcp-client-2025-11-20";
    refused(
        &claude(&simulator, "messages", mcp, &lone).await,
        "not referenced",
    );
    let both = with(
        lone,
        &json!({"tools": [{"type": "mcp_toolset", "mcp_server_name": "shop"}]}),
    );
    assert_eq!(claude(&simulator, "messages", mcp, &both).await.status, 200);
    refused(
        &claude(&simulator, "messages", "", &both).await,
        "mcp_toolset",
    );
}

#[tokio::test]
async fn four_marks_are_kept_and_the_long_ones_stand_first() {
    let simulator = start().await;
    let marked = |marks: &[&str]| {
        let block = |ttl: &&str| json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": ttl}});
        let blocks: Vec<Value> = marks.iter().map(block).collect();
        with(
            searching(),
            &json!({"messages": [{"role": "user", "content": blocks}]}),
        )
    };
    for good in [&["5m"; 4][..], &["1h", "5m"]] {
        let answer = claude(&simulator, "messages", "", &marked(good)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    refused(
        &claude(&simulator, "messages", "", &marked(&["5m"; 5])).await,
        "Found 5",
    );
    let mixed = claude(&simulator, "messages", "", &marked(&["5m", "1h"])).await;
    refused(&mixed, "must not come after");
}

#[tokio::test]
async fn counting_takes_what_counts() {
    let simulator = start().await;
    let body = with(searching(), &json!({"max_tokens": null}));
    let counted = claude(&simulator, "messages/count_tokens", "", &body)
        .await
        .json();
    let whole = claude(&simulator, "messages", "", &searching())
        .await
        .json();
    assert_eq!(counted["input_tokens"], whole["usage"]["input_tokens"]);
    let drawn = claude(&simulator, "messages/count_tokens", "", &searching()).await;
    refused(&drawn, "max_tokens: Extra inputs");
}

#[tokio::test]
async fn google_keeps_functions_and_its_own_tools_apart() {
    let simulator = start().await;
    let body = |config: Value| {
        json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "toolConfig": config,
            "tools": [{"functionDeclarations": [{"name": "look"}]}, {"googleSearch": {}}]})
    };
    let shown = json!({"includeServerSideToolInvocations": true});
    let third = "gemini-3-pro-preview:generateContent";
    assert_eq!(
        gemini(&simulator, third, &body(shown.clone())).await.status,
        200
    );
    refused(
        &gemini(&simulator, third, &body(Value::Null)).await,
        "cannot be combined",
    );
    let second = "gemini-2.5-flash:generateContent";
    refused(
        &gemini(&simulator, second, &body(shown)).await,
        "cannot be combined",
    );
    let kept = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "systemInstruction": {"parts": [{"text": "x"}]}, "cachedContent": "cachedContents/a"});
    refused(&gemini(&simulator, second, &kept).await, "CachedContent");
}

#[tokio::test]
async fn what_google_ran_is_taken_back_unchanged_only() {
    let simulator = start().await;
    let third = "gemini-3-pro-preview:generateContent";
    let ask = json!({"role": "user", "parts": [{"text": "run code"}]});
    let body = |contents: Value| json!({"contents": contents, "tools": [{"codeExecution": {}}]});
    let answer = gemini(&simulator, third, &body(json!([ask]))).await.json();
    let content = answer["candidates"][0]["content"].clone();
    let again = |content: &Value| {
        body(json!([ask, content, {"role": "user", "parts": [{"text": "and?"}]}]))
    };
    assert_eq!(
        gemini(&simulator, third, &again(&content)).await.status,
        200
    );
    let at = |kind: &str| {
        let parts = content["parts"].as_array().unwrap();
        parts
            .iter()
            .position(|part| part[kind].is_object())
            .unwrap()
    };
    let mut unsigned = content.clone();
    unsigned["parts"][at("executableCode")]["thoughtSignature"] = json!("AAAA");
    refused(
        &gemini(&simulator, third, &again(&unsigned)).await,
        "signature",
    );
    let mut changed = content.clone();
    changed["parts"][at("codeExecutionResult")]["codeExecutionResult"]["output"] = json!("43");
    refused(
        &gemini(&simulator, third, &again(&changed)).await,
        "does not match",
    );
}

#[tokio::test]
async fn cohere_and_ollama_check_what_is_new() {
    let simulator = start().await;
    let chat = json!({"model": "command-a-03-2025", "messages": [{"role": "user", "content": "hi"}],
        "documents": [{"text": "no data"}]});
    let answer = post_as(&simulator, Vendor::Cohere, "/cohere/v2/chat", &chat).await;
    refused(&answer, "documents");
    let text = json!({"model": "command-a-03-2025", "text": ""});
    let answer = post_as(&simulator, Vendor::Cohere, "/cohere/v1/tokenize", &text).await;
    refused(&answer, "65536");
    let raw = json!({"model": "llama3.2", "prompt": "a", "raw": true, "system": "b"});
    let answer = send(
        &simulator,
        "POST",
        "/ollama/api/generate",
        &[],
        &raw.to_string(),
    )
    .await;
    refused(&answer, "raw mode");
}
