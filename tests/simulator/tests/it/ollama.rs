//! Ollama's native interface.

use multillm_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::client::{Answer, PNG, look, send, start, with};

fn saying(text: &str) -> Value {
    json!({"model": "llama3.2", "stream": false, "messages": [{"role": "user", "content": text}]})
}

async fn ask(simulator: &Simulator, body: &Value) -> Answer {
    send(
        simulator,
        "POST",
        "/ollama/api/chat",
        &[],
        &body.to_string(),
    )
    .await
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn streaming_is_the_default_and_says_the_same() {
    let simulator = start().await;
    let body = with(saying("hi"), &json!({"model": "qwen3:4b"}));
    let whole = ask(&simulator, &body).await.json();
    assert!(
        whole["message"]["thinking"].is_string(),
        "thinking is on by itself"
    );
    assert_eq!(
        (&whole["done_reason"], &whole["prompt_eval_count"]),
        (&json!("stop"), &json!(1))
    );
    let stream = ask(&simulator, &with(body.clone(), &json!({"stream": null}))).await;
    assert_eq!(stream.header("content-type"), Some("application/x-ndjson"));
    let lines = lines(&stream);
    let text: String = lines
        .iter()
        .filter_map(|line| line["message"]["content"].as_str())
        .collect();
    assert_eq!(text, whole["message"]["content"].as_str().unwrap());
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["done"], &last["eval_count"]),
        (&json!(true), &whole["eval_count"])
    );
    assert!(
        ask(&simulator, &with(body, &json!({"think": false})))
            .await
            .json()["message"]["thinking"]
            .is_null()
    );
}

#[tokio::test]
async fn images_are_bare_and_tools_keep_their_ids() {
    let simulator = start().await;
    let picture = |data: String| json!({"model": "llava", "messages": [{"role": "user", "content": "see", "images": [data]}]});
    let seen = ask(&simulator, &with(saying(""), &picture(PNG.to_owned()))).await;
    assert!(
        seen.text().contains("(images: image/png 1x1)"),
        "{}",
        seen.text()
    );
    let url = ask(
        &simulator,
        &with(saying(""), &picture(format!("data:image/png;base64,{PNG}"))),
    )
    .await;
    assert_eq!(
        (url.status, url.json()["error"].as_str()),
        (400, Some("illegal base64 data at input byte 4"))
    );
    let body = with(saying("look"), &json!({"tools": [look()]}));
    let message = ask(&simulator, &body).await.json()["message"].clone();
    assert_eq!(
        message["tool_calls"][0]["function"]["arguments"],
        json!({"x": 1})
    );
    let history = |message: &Value| json!([body["messages"][0], message, {"role": "tool", "tool_name": "look", "content": "a cat"}]);
    let good = ask(
        &simulator,
        &with(body.clone(), &json!({"messages": history(&message)})),
    )
    .await;
    assert!(good.text().contains("look -> a cat"), "{}", good.text());
    let mut invented = message.clone();
    invented["tool_calls"][0]["id"] = json!("call_0");
    assert!(
        ask(
            &simulator,
            &with(body.clone(), &json!({"messages": history(&invented)}))
        )
        .await
        .text()
        .contains("unknown tool call id")
    );
    let mut quoted = message.clone();
    quoted["tool_calls"][0]["function"]["arguments"] = json!("{}");
    assert!(
        ask(
            &simulator,
            &with(body.clone(), &json!({"messages": history(&quoted)}))
        )
        .await
        .text()
        .contains("cannot unmarshal a string")
    );
    let old = lines(
        &ask(
            &simulator,
            &with(body, &json!({"model": "mistral:old", "stream": true})),
        )
        .await,
    );
    assert!(old.last().unwrap()["message"]["tool_calls"][0]["id"].is_null() && old.len() == 1);
}

#[tokio::test]
async fn what_ollama_refuses_is_refused() {
    let simulator = start().await;
    let cases = [
        (
            json!({"model": "nothing"}),
            404,
            "model 'nothing' not found",
        ),
        (json!({"model": null}), 400, "model is required"),
        (json!({"think": true}), 400, "does not support thinking"),
        (json!({"format": "xml"}), 400, "invalid format"),
        (
            json!({"model": "llama2", "tools": [look()]}),
            400,
            "does not support tools",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            400,
            "cannot unmarshal an array into Go struct field ChatRequest.messages.content",
        ),
        (
            json!({"options": {"temperature": "hot"}}),
            400,
            "option \"temperature\"",
        ),
    ];
    for (changes, status, words) in cases {
        let answer = ask(&simulator, &with(saying("hi"), &changes)).await;
        assert!(
            answer.status == status && answer.json()["error"].as_str().unwrap().contains(words),
            "{changes}: {}",
            answer.text()
        );
    }
    assert_eq!(
        ask(&simulator, &with(saying("hi"), &json!({"foo": 1})))
            .await
            .status,
        200,
        "unknown members are ignored"
    );
    assert_eq!(
        ask(&simulator, &with(saying(""), &json!({"messages": []})))
            .await
            .json()["done_reason"],
        "load"
    );
    assert!(
        send(&simulator, "GET", "/ollama/api/tags", &[], "")
            .await
            .text()
            .contains("llama3.2:latest")
    );
    assert_eq!(
        send(&simulator, "GET", "/ollama/", &[], "").await.text(),
        "Ollama is running"
    );
    let broken = ask(
        &simulator,
        &with(
            saying("[[fault:mid-stream-error k=2]]"),
            &json!({"stream": true}),
        ),
    )
    .await;
    assert!(lines(&broken).last().unwrap()["error"].is_string());
    let cloud = Simulator::start(Options {
        ollama_needs_key: true,
        ..Options::default()
    })
    .await
    .unwrap();
    assert_eq!(ask(&cloud, &saying("hi")).await.status, 401);
}
