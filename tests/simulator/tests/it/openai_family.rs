//! OpenAI, Azure and Hugging Face.

use multillm_simulator::{Simulator, Vendor};
use serde_json::{Value, json};

use crate::client::{Answer, PNG, complete, look, post, post_as, saying, send, start, with};

fn content(answer: &Answer) -> String {
    answer.json()["choices"][0]["message"]["content"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn streamed_text(answer: &Answer) -> String {
    let deltas = answer.events();
    deltas
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect()
}

fn error_of(answer: &Answer) -> (u16, String, String) {
    let error = &answer.json()["error"];
    let member = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (answer.status, member("code"), member("message"))
}

#[tokio::test]
async fn an_answer_quotes_the_request_and_streams_the_same() {
    let simulator = start().await;
    let body = with(
        saying("hello"),
        &json!({"messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "hello cached=5"},
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}},
            ]},
        ]}),
    );
    let whole = complete(&simulator, &body).await;
    assert_eq!(
        content(&whole),
        "[gpt-4o-2024-08-06] You said: hello cached=5 (system: Be brief.) (images: image/png 1x1) (turns: 1)"
    );
    assert_eq!(whole.json()["usage"]["prompt_tokens"], 4 + 85 + 5);
    assert_eq!(
        whole.json()["usage"]["prompt_tokens_details"]["cached_tokens"],
        5
    );
    let options = json!({"stream": true, "stream_options": {"include_usage": true}});
    let stream = complete(&simulator, &with(body, &options)).await;
    assert_eq!(streamed_text(&stream), content(&whole));
    assert!(stream.complete && stream.text().ends_with("data: [DONE]\n\n"));
    let events = stream.events();
    let last = events.last().unwrap();
    assert_eq!(
        (&last["choices"], &last["usage"]),
        (&json!([]), &whole.json()["usage"])
    );
    assert_eq!(last["id"], whole.json()["id"]);
    assert!(stream.chunks >= events.len());
}

#[tokio::test]
async fn what_openai_refuses_is_refused() {
    let simulator = start().await;
    let tool_result = json!([{"role": "tool", "tool_call_id": "call_1", "content": "x"}]);
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}});
    let unanswered =
        json!([{"role": "assistant", "tool_calls": [call]}, {"role": "user", "content": "x"}]);
    let strict = json!({"type": "function", "function": {"name": "look", "strict": true, "parameters": {"type": "object", "properties": {}}}});
    let cases = [
        (
            json!({"foo": 1}),
            400,
            "",
            "Unrecognized request argument supplied: foo",
        ),
        (
            json!({"model": "gpt-99"}),
            404,
            "model_not_found",
            "does not exist",
        ),
        (json!({"messages": []}), 400, "empty_array", "messages"),
        (
            json!({"messages": null}),
            400,
            "missing_required_parameter",
            "messages",
        ),
        (
            json!({"temperature": 3}),
            400,
            "decimal_above_max_value",
            "temperature",
        ),
        (
            json!({"temperature": "hot"}),
            400,
            "invalid_type",
            "temperature",
        ),
        (
            json!({"model": "o3", "max_tokens": 5}),
            400,
            "unsupported_parameter",
            "max_completion_tokens",
        ),
        (
            json!({"model": "gpt-5-mini", "temperature": 0.5}),
            400,
            "unsupported_value",
            "temperature",
        ),
        (
            json!({"model": "gpt-5", "stop": "x"}),
            400,
            "unsupported_parameter",
            "stop",
        ),
        (
            json!({"model": "gpt-4o", "reasoning_effort": "low"}),
            400,
            "",
            "reasoning_effort",
        ),
        (json!({"stream_options": {}}), 400, "", "stream_options"),
        (json!({"tool_choice": "auto"}), 400, "", "tools"),
        (
            json!({"tools": [strict]}),
            400,
            "invalid_function_parameters",
            "additionalProperties",
        ),
        (
            json!({"messages": tool_result}),
            400,
            "",
            "preceeding message with 'tool_calls'",
        ),
        (
            json!({"messages": unanswered}),
            400,
            "",
            "did not have response messages: call_1",
        ),
        (
            json!({"messages": [{"role": "robot", "content": "x"}]}),
            400,
            "invalid_value",
            "robot",
        ),
        (
            json!({"response_format": {"type": "json_object"}}),
            400,
            "",
            "'json'",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]}]}),
            400,
            "invalid_image_format",
            "png",
        ),
    ];
    for (changes, status, code, words) in cases {
        let error = error_of(&complete(&simulator, &with(saying("hi"), &changes)).await);
        assert_eq!(
            (error.0, error.1.as_str()),
            (status, code),
            "{changes}: {error:?}"
        );
        assert!(error.2.contains(words), "{changes}: {error:?}");
    }
}

#[tokio::test]
async fn paths_methods_keys_and_broken_json_are_told_apart() {
    let simulator = start().await;
    let json = ("content-type", "application/json");
    let right = ("authorization", "Bearer sk-sim-openai");
    let chat = "/openai/v1/chat/completions";
    let wrong_path = send(
        &simulator,
        "POST",
        "/openai/v1/nothing",
        &[json, right],
        "{}",
    )
    .await;
    assert_eq!(error_of(&wrong_path).0, 404);
    assert_eq!(
        send(&simulator, "GET", chat, &[right], "").await.status,
        405
    );
    let missing = send(&simulator, "POST", chat, &[json], "{}").await;
    assert_eq!(
        (missing.status, missing.header("www-authenticate").is_some()),
        (401, true)
    );
    let wrong = send(
        &simulator,
        "POST",
        chat,
        &[json, ("authorization", "Bearer sk-other")],
        "{}",
    )
    .await;
    assert_eq!(error_of(&wrong).1, "invalid_api_key");
    let broken = send(&simulator, "POST", chat, &[json, right], "{\"model\":").await;
    assert!(error_of(&broken).2.contains("could not parse"));
    let models = send(&simulator, "GET", "/openai/v1/models", &[right], "").await;
    assert!(
        models.json()["data"]
            .as_array()
            .unwrap()
            .iter()
            .any(|model| model["id"] == "gpt-4o")
    );
    assert_eq!(simulator.requests(), 6);
}

#[tokio::test]
async fn tools_are_called_answered_and_forced() {
    let simulator = start().await;
    let ask = with(saying("two calls of look"), &json!({"tools": [look()]}));
    let called = complete(&simulator, &ask).await.json();
    let message = &called["choices"][0]["message"];
    assert_eq!(called["choices"][0]["finish_reason"], "tool_calls");
    assert!(message["content"].is_null());
    let calls = message["tool_calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    let result = |call: &Value, text: &str| json!({"role": "tool", "tool_call_id": call["id"], "content": text});
    let history = json!([
        ask["messages"][0],
        message,
        result(&calls[0], "a cat"),
        result(&calls[1], "a dog")
    ]);
    let answered = complete(
        &simulator,
        &with(ask.clone(), &json!({"messages": history})),
    )
    .await;
    assert!(
        content(&answered).contains("look -> a cat; look -> a dog"),
        "{}",
        answered.text()
    );
    let forced = json!({"messages": [{"role": "user", "content": "hi"}], "tool_choice": {"type": "function", "function": {"name": "look"}}});
    let forced = complete(&simulator, &with(ask.clone(), &forced))
        .await
        .json();
    assert_eq!(forced["choices"][0]["finish_reason"], "stop");
    assert_eq!(
        forced["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"],
        "{\"x\":1}"
    );
    let stream = complete(&simulator, &with(ask, &json!({"stream": true}))).await;
    let deltas = stream.events();
    let arguments: String = deltas
        .iter()
        .flat_map(|event| {
            event["choices"][0]["delta"]["tool_calls"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .filter(|call| call["index"] == 1)
        .filter_map(|call| call["function"]["arguments"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(arguments, "{\"x\":2}");
}

#[tokio::test]
async fn refusal_length_stop_and_reasoning_have_their_forms() {
    let simulator = start().await;
    let refused = complete(&simulator, &saying("please refuse")).await.json();
    assert!(refused["choices"][0]["message"]["content"].is_null());
    assert!(
        refused["choices"][0]["message"]["refusal"]
            .as_str()
            .unwrap()
            .starts_with("I'm sorry")
    );
    let short = complete(
        &simulator,
        &with(saying("write 50 words"), &json!({"max_tokens": 4})),
    )
    .await;
    assert_eq!(
        (
            content(&short).as_str(),
            &short.json()["choices"][0]["finish_reason"]
        ),
        ("word1 word2 word3 word4", &json!("length"))
    );
    let stopped = complete(
        &simulator,
        &with(saying("write 50 words"), &json!({"stop": ["word3"]})),
    )
    .await;
    assert_eq!(content(&stopped), "word1 word2 ");
    let starved = with(
        saying("hi reasoning=100"),
        &json!({"model": "o3", "max_completion_tokens": 50}),
    );
    let starved = complete(&simulator, &starved).await;
    assert_eq!(
        (
            content(&starved).as_str(),
            starved.json()["usage"]["completion_tokens"].as_u64()
        ),
        ("", Some(50))
    );
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
    let format = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema, "strict": true}}});
    assert_eq!(
        content(&complete(&simulator, &with(saying("give n=4"), &format)).await),
        "{\"n\":4}"
    );
}

async fn azure(simulator: &Simulator, path: &str, body: &Value) -> Answer {
    post(
        simulator,
        &format!("/azure{path}"),
        &[("api-key", "sk-sim-azure")],
        body,
    )
    .await
}

#[tokio::test]
async fn azure_has_two_interfaces_and_its_own_errors() {
    let simulator = start().await;
    let dated = "/openai/deployments/prod-gpt-4o/chat/completions?api-version=2024-10-21";
    let body = with(saying("hi"), &json!({"model": null}));
    let whole = azure(&simulator, dated, &body).await;
    assert_eq!(whole.json()["model"], "gpt-4o-2024-08-06");
    assert!(whole.json()["prompt_filter_results"].is_array());
    let stream = azure(
        &simulator,
        dated,
        &with(body.clone(), &json!({"stream": true})),
    )
    .await;
    assert_eq!(stream.events()[0]["choices"], json!([]));
    assert_eq!(streamed_text(&stream), content(&whole));
    assert_eq!(
        azure(&simulator, "/openai/v1/chat/completions", &saying("hi"))
            .await
            .status,
        200
    );
    for path in [
        "/openai/deployments/gpt-4o/chat/completions",
        "//openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        "/openai/v1/chat/completions?api-version=2024-10-21",
    ] {
        assert_eq!(
            error_of(&azure(&simulator, path, &body).await).1,
            "404",
            "{path}"
        );
    }
    let missing = azure(
        &simulator,
        "/openai/deployments/none/chat/completions?api-version=2024-10-21",
        &body,
    )
    .await;
    assert_eq!(error_of(&missing).1, "DeploymentNotFound");
    let filtered = azure(&simulator, dated, &saying("please refuse")).await;
    assert_eq!(
        (error_of(&filtered).0, error_of(&filtered).1.as_str()),
        (400, "content_filter")
    );
    let wrong_key = send(
        &simulator,
        "POST",
        &format!("/azure{dated}"),
        &[("api-key", "x")],
        "{}",
    )
    .await;
    assert_eq!(error_of(&wrong_key).1, "401");
}

async fn router(simulator: &Simulator, model: &str, changes: &Value) -> Answer {
    let body = with(with(saying("hi"), &json!({"model": model})), changes);
    post_as(
        simulator,
        Vendor::HuggingFace,
        "/huggingface/v1/chat/completions",
        &body,
    )
    .await
}

#[tokio::test]
async fn the_routers_engines_differ() {
    let simulator = start().await;
    let stream = json!({"stream": true, "stream_options": {"include_usage": true}});
    let tgi = router(&simulator, "sim/tgi-echo", &stream).await.text();
    assert!(
        tgi.starts_with("data:{") && tgi.contains("eos_token") && tgi.contains("\"id\":\"\""),
        "{tgi}"
    );
    let greedy = router(&simulator, "sim/tgi-echo", &json!({"top_p": 1.0})).await;
    assert_eq!(
        (greedy.status, greedy.json()["error_type"].as_str()),
        (422, Some("validation"))
    );
    let cerebras = router(&simulator, "openai/gpt-oss-120b:cerebras", &stream).await;
    assert!(!cerebras.text().contains("[DONE]") && cerebras.text().contains("\"reasoning\":"));
    assert!(cerebras.events().last().unwrap()["usage"].is_object());
    let together = router(
        &simulator,
        "Qwen/Qwen2.5-72B-Instruct:together",
        &json!({"stream": true}),
    )
    .await;
    let finish: Vec<Value> = together
        .events()
        .into_iter()
        .filter(|event| event["choices"][0]["finish_reason"].is_string())
        .collect();
    assert!(finish[0]["choices"][0]["delta"]["content"].is_string());
    assert_eq!(
        error_of(&router(&simulator, "gpt-4o", &json!({})).await).1,
        "model_not_found"
    );
    assert_eq!(
        error_of(&router(&simulator, "nobody/x", &json!({})).await).1,
        "model_not_supported"
    );
    let missing = router(&simulator, "Qwen/Qwen3-32B", &json!({"messages": null})).await;
    assert_eq!(
        (missing.status, missing.header("content-type")),
        (422, Some("text/plain; charset=utf-8"))
    );
    let loading = router(
        &simulator,
        "Qwen/Qwen3-32B",
        &json!({"messages": [{"role": "user", "content": "[[fault:503-loading seconds=2.5]]"}]}),
    )
    .await;
    assert_eq!(loading.json()["estimated_time"], 2.5);
}
