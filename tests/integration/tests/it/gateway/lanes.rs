//! The two lanes: what is kept, what is translated, what is recorded, and what becomes of a cut.

use std::time::Duration;

use serde_json::{Value, json};

use super::caller::{ask, post};
use super::{Gateway, question};
use crate::raw_server::{RawServer, http, sse};
use crate::stage::Stage;

/// An OpenAI model behind a server that says what it is told.
fn behind(server: &RawServer) -> Stage {
    let mut stage = Stage::new();
    stage.once();
    stage.config["providers"]["openai"]["base_url"] = format!("{}/v1", server.origin).into();
    stage.set("models.openai.cost_per_1k_tokens", 1.into());
    stage
}

const WHOLE: &str = "{ \"id\":\"x\",\"object\":\"chat.completion\", \"unknown\": [1.0e5],\"model\":\"m-1\",\n\
    \"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Grüße\"},\"finish_reason\":\"stop\"}],\
    \"usage\":{\"prompt_tokens\":700,\"completion_tokens\":300,\"total_tokens\":1000}}";

#[tokio::test(flavor = "multi_thread")]
async fn on_the_same_wire_bytes_are_kept_both_ways() {
    let mut stage = Stage::new();
    let gateway = Gateway::open(&mut stage).await;
    let body = "{ \"model\" : \"openai\",\n  \"messages\":[ {\"role\":\"user\",\"content\":\"Gr\\u00fc\u{df}e\"} ], \"user\":\"u\", \"temperature\" : 0.70 }";
    let reply = ask(
        gateway.address,
        "POST",
        "/v1/chat/completions",
        &[],
        body.as_bytes(),
    )
    .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let sent = stage.only_exchange();
    let expected = body.replace("\"openai\"", "\"gpt-4o-mini\"");
    assert_eq!(String::from_utf8(sent.body.to_vec()).unwrap(), expected);
    assert_eq!(reply.header("x-multillm-model"), Some("openai"));
    assert!(reply.header("server-timing").is_some() && reply.header("x-request-id").is_some());
    let rows = stage.rows(&gateway.service).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].prompt.as_deref(), Some("Grüße"));
    assert!(
        rows[0]
            .answer
            .as_ref()
            .is_some_and(|answer| !answer.is_empty()),
        "{rows:?}"
    );
    assert_eq!(
        rows[0].prompt_tokens,
        reply.json()["usage"]["prompt_tokens"].as_u64()
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_vendor_says_comes_back_byte_for_byte_and_is_priced() {
    let server = RawServer::always(http(
        200,
        "application/json",
        "x-ratelimit-remaining-tokens: 7\r\nx-request-id: req-9\r\n",
        WHOLE,
    ));
    let mut stage = behind(&server);
    let gateway = Gateway::open(&mut stage).await;
    let reply = post(
        gateway.address,
        "/chat/completions",
        &[],
        &question("openai", "Hi", false),
    )
    .await;
    assert_eq!((reply.status, reply.text().as_str()), (200, WHOLE));
    assert_eq!(reply.header("x-ratelimit-remaining-tokens"), Some("7"));
    assert_eq!(reply.header("x-request-id"), Some("req-9"));
    assert_eq!(reply.header("x-multillm-cost"), Some("1"));
    let rows = stage.rows(&gateway.service).await;
    assert_eq!(rows[0].cost.unwrap().to_string(), "1");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_comes_back_as_the_vendor_wrote_it() {
    let body =
        "{\"error\": {\"message\":\"no\",  \"type\":\"invalid_request_error\",\"odd\":true}}";
    let server = RawServer::always(http(422, "application/json", "retry-after: 3\r\n", body));
    let mut stage = behind(&server);
    let gateway = Gateway::open(&mut stage).await;
    for stream in [false, true] {
        let reply = post(
            gateway.address,
            "/v1/chat/completions",
            &[],
            &question("openai", "Hi", stream),
        )
        .await;
        assert_eq!((reply.status, reply.text().as_str()), (422, body));
        assert_eq!(reply.header("retry-after"), Some("3"));
    }
    let rows = stage.rows(&gateway.service).await;
    assert!(rows.iter().all(|row| row.status == Some(422)), "{rows:?}");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_repeats_the_key_does_not_tell_it_to_callers() {
    let mut stage = Stage::new();
    let key = stage
        .variables
        .iter()
        .find(|(name, _)| name.contains("OPENAI"))
        .unwrap()
        .1
        .clone();
    let body = format!("{{\"error\":{{\"message\":\"Incorrect API key provided: {key}\"}}}}");
    let server = RawServer::always(http(401, "application/json", "", &body));
    stage.once();
    stage.config["providers"]["openai"]["base_url"] = format!("{}/v1", server.origin).into();
    let gateway = Gateway::open(&mut stage).await;
    let reply = post(
        gateway.address,
        "/v1/chat/completions",
        &[],
        &question("openai", "Hi", false),
    )
    .await;
    assert_eq!(reply.status, 401);
    assert!(reply.text().contains("[redacted]"), "{reply:?}");
    stage.holds_no_key(&reply.text());
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_pass_whole_with_comments_and_are_read_on_the_side() {
    let stream = format!(
        ": hello\n\n{}: ping\n\ndata: [DONE]\n\n",
        sse(&[
            r#"{"id":"c","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}"#,
            r#"{"id":"c","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"id":"c","model":"m-1","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}"#,
        ])
    );
    let server = RawServer::always(http(200, "text/event-stream", "", &stream));
    let mut stage = behind(&server);
    let gateway = Gateway::open(&mut stage).await;
    let reply = post(
        gateway.address,
        "/v1/chat/completions",
        &[],
        &question("openai", "Hi", true),
    )
    .await;
    assert_eq!((reply.text(), reply.whole), (stream, true));
    let rows = stage.rows(&gateway.service).await;
    assert_eq!(
        (rows[0].prompt_tokens, rows[0].completion_tokens),
        (Some(4), Some(2)),
        "{rows:?}"
    );
    assert_eq!(rows[0].outcome, "success");
    assert_eq!(rows[0].answer.as_deref(), Some("Hi"));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_stream_is_read_in_batches_beside_it() {
    let piece = format!(
        r#"{{"id":"c","model":"m-1","choices":[{{"index":0,"delta":{{"content":"{}"}}}}]}}"#,
        "word ".repeat(100)
    );
    let mut events = vec![piece.as_str(); 400];
    events.push(r#"{"id":"c","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":4,"completion_tokens":40000,"total_tokens":40004}}"#);
    let stream = sse(&events) + "data: [DONE]\n\n";
    let server = RawServer::always(http(200, "text/event-stream", "", &stream));
    let mut stage = behind(&server);
    let gateway = Gateway::open(&mut stage).await;
    let reply = post(
        gateway.address,
        "/v1/chat/completions",
        &[],
        &question("openai", "Hi", true),
    )
    .await;
    assert!(reply.text() == stream && reply.whole);
    let rows = stage.rows(&gateway.service).await;
    assert_eq!(rows[0].finish_reason.as_deref(), Some("length"), "{rows:?}");
    assert_eq!(rows[0].completion_tokens, Some(40_000));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_is_a_cut_for_the_caller_too() {
    let piece = r#"{"id":"c","model":"m-1","choices":[{"index":0,"delta":{"content":"Hi"}}]}"#;
    // Ended cleanly by the server, and without the vendor's end marker.
    let server = RawServer::always(http(200, "text/event-stream", "", &sse(&[piece])));
    let mut stage = behind(&server);
    let gateway = Gateway::open(&mut stage).await;
    let reply = post(
        gateway.address,
        "/v1/chat/completions",
        &[],
        &question("openai", "Hi", true),
    )
    .await;
    assert_eq!(reply.text(), sse(&[piece]));
    assert!(!reply.whole, "{reply:?}");
    // Another wire's caller is told in words.
    let reply = post(gateway.address, "/v1/messages", &[], &json!({
        "model": "openai", "max_tokens": 9, "stream": true, "messages": [{ "role": "user", "content": "Hi" }],
    })).await;
    assert!(reply.text().contains("\"error\""), "{reply:?}");
    assert!(!reply.text().contains("message_stop"), "{reply:?}");
    let rows = stage.rows(&gateway.service).await;
    assert!(
        rows.iter()
            .all(|row| row.error_kind.as_deref() == Some("truncated")),
        "{rows:?}"
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_of_another_wire_answer_in_the_caller_s_form() {
    let mut stage = Stage::new();
    let gateway = Gateway::open(&mut stage).await;
    for model in ["claude", "gemini", "cohere", "ollama"] {
        let reply = post(
            gateway.address,
            "/v1/chat/completions",
            &[],
            &question(model, "Hello", false),
        )
        .await;
        assert_eq!(reply.status, 200, "{model}: {reply:?}");
        let answer = reply.json();
        assert_eq!(answer["object"], "chat.completion", "{model}");
        assert!(
            answer["choices"][0]["message"]["content"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        let reply = post(
            gateway.address,
            "/v1/chat/completions",
            &[],
            &question(model, "Hello", true),
        )
        .await;
        assert!(
            reply.text().ends_with("data: [DONE]\n\n") && reply.whole,
            "{model}: {reply:?}"
        );
    }
    let sent = |stage: &Stage| -> Value {
        let last = stage.simulator.log().pop().unwrap();
        serde_json::from_slice(&last.body).unwrap()
    };
    for (model, user, place, found) in [
        (
            "claude",
            "somebody",
            "metadata",
            json!({ "user_id": "somebody" }),
        ),
        ("claude", "somebody@example.com", "metadata", Value::Null),
        ("claude", "+1 (555) 010-0199", "metadata", Value::Null),
        ("huggingface", "somebody", "user", json!("somebody")),
        ("ollama", "somebody", "user", Value::Null),
    ] {
        let mut body = question(model, "Hello", false);
        body["user"] = user.into();
        let reply = post(
            gateway.address,
            "/v1/responses",
            &[],
            &json!({
                "model": model, "input": "Hello", "user": user,
            }),
        )
        .await;
        assert_eq!(reply.status, 200, "{model}: {reply:?}");
        assert_eq!(sent(&stage)[place], found, "{model}");
        let reply = post(gateway.address, "/v1/chat/completions", &[], &body).await;
        assert_eq!(reply.status, 200, "{model}: {reply:?}");
        assert_eq!(sent(&stage)[place], found, "{model}");
    }
    let reply = post(gateway.address, "/v1/messages?beta=true", &[("anthropic-version", "2023-06-01")], &json!({
        "model": "openai", "max_tokens": 9, "messages": [{ "role": "user", "content": "Hello" }],
    })).await;
    assert_eq!(reply.json()["type"], "message", "{reply:?}");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_dialect_and_the_operator_choose_the_lane() {
    let mut stage = Stage::new();
    stage.config["models"]["told"] = stage.config["models"]["openai"].clone();
    stage.set("models.told.lane", "translate".into());
    stage.config["models"]["flat"] = stage.config["models"]["openai"].clone();
    stage.set(
        "models.flat.settings",
        json!({ "max_tokens_field": "max_tokens" }),
    );
    stage.config["models"]["firm"] = stage.config["models"]["flat"].clone();
    stage.set("models.firm.lane", "relay".into());
    let gateway = Gateway::open(&mut stage).await;
    for (model, kept) in [
        ("openai", true),
        ("told", false),
        ("flat", false),
        ("firm", true),
    ] {
        let mut body = question(model, "Hello", false);
        body["user"] = "somebody".into();
        // A blank that only a relay keeps.
        let written = |body: &Value| body.to_string().replacen('{', "{ ", 1);
        let bytes = written(&body).into_bytes();
        let way = "/v1/chat/completions";
        let reply = ask(gateway.address, "POST", way, &[], &bytes).await;
        assert_eq!(reply.status, 200, "{model}: {reply:?}");
        body["model"] = "gpt-4o-mini".into();
        let sent = stage.simulator.log().pop().unwrap();
        assert_eq!(sent.body == written(&body), kept, "{model}");
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_closes_the_vendor_s_stream_too() {
    let mut stage = Stage::new();
    stage.once();
    let gateway = Gateway::open(&mut stage).await;
    let text = "Hello [[fault:stall k=2]]";
    for path in ["/v1/chat/completions", "/v1/messages"] {
        let mut body = question("openai", text, true);
        body["max_tokens"] = 50.into();
        let bytes = super::caller::request("POST", path, &[], body.to_string().as_bytes());
        let address = gateway.address;
        let before = stage.simulator.requests();
        tokio::task::spawn_blocking(move || {
            use std::io::Write as _;
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(&bytes).unwrap();
            std::thread::sleep(Duration::from_millis(400));
        })
        .await
        .unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            let log = stage.simulator.log();
            let over = log.len() as u64 > before
                && log
                    .last()
                    .is_some_and(|last| last.elapsed < Duration::from_secs(50));
            let rows = stage.rows(&gateway.service).await;
            if over && rows.len() as u64 > before {
                assert_eq!(
                    rows.last().unwrap().outcome,
                    "cancelled",
                    "{path}: {rows:?}"
                );
                break;
            }
            assert!(std::time::Instant::now() < until, "{path}: {log:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    gateway.stop().await;
}

/// What the caller's wire cannot say to the model, and what the model itself cannot do, are named in one header.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_is_named_in_one_header() {
    let mut stage = Stage::new();
    let body = |stream: bool| {
        let mut body = question("claude", "Hi", stream);
        body["seed"] = 7.into();
        body["logit_bias"] = json!({ "1": 5 });
        body
    };
    let refusing = Gateway::open(&mut stage).await;
    let reply = post(refusing.address, "/v1/chat/completions", &[], &body(false)).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert!(reply.text().contains("logit_bias"), "{reply:?}");
    refusing.stop().await;
    stage.set("gateway.unsupported", "drop".into());
    let gateway = Gateway::open(&mut stage).await;
    for stream in [false, true] {
        let reply = post(gateway.address, "/v1/chat/completions", &[], &body(stream)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(
            reply.header("x-multillm-dropped"),
            Some("logit_bias, seed"),
            "{reply:?}"
        );
        let sent = stage.simulator.log().pop().unwrap();
        let sent = String::from_utf8(sent.body.to_vec()).unwrap();
        assert!(
            !sent.contains("seed") && !sent.contains("logit_bias"),
            "{sent}"
        );
    }
    let rows = stage.rows(&gateway.service).await;
    let last = rows.last().unwrap();
    assert_eq!(last.warnings, ["seed: claude knows none"]);
    gateway.stop().await;
}

#[tokio::test]
async fn what_the_wire_that_is_asked_cannot_say_is_refused_though_the_plugin_speaks_another() {
    let mut stage = Stage::new();
    stage.set("models.openai.settings", json!({ "api": "responses" }));
    stage.set("models.openai.lane", "translate".into());
    let gateway = Gateway::open(&mut stage).await;
    let mut body = question("openai", "Hi", false);
    body["logit_bias"] = json!({ "1": 5 });
    // The first has nothing prepared yet, the last what was prepared for the one between.
    for bias in [true, false, true] {
        let mut asked = body.clone();
        if !bias {
            asked.as_object_mut().unwrap().remove("logit_bias");
        }
        let reply = post(gateway.address, "/v1/chat/completions", &[], &asked).await;
        let expected = if bias { 400 } else { 200 };
        assert_eq!(reply.status, expected, "{reply:?}");
        assert_eq!(reply.text().contains("logit_bias"), bias, "{reply:?}");
    }
    let sent = stage.simulator.log();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].path.ends_with("/responses"), "{sent:?}");
    gateway.stop().await;
}
