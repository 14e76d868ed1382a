//! Keys that callers bring: to whom they go, and to whom they never do.

use serde_json::json;

use super::caller::{ask, post};
use super::{Gateway, key, named, question};
use crate::stage::Stage;

/// A key that no vendor takes.
const OPERATORS: &str = "sk-operator-0123456789";
/// The one that the simulated OpenAI takes.
const CALLERS: &str = "sk-sim-openai";

/// A stage whose operator's key for OpenAI is refused, so that an answer shows whose key was sent.
fn stage() -> Stage {
    let mut stage = Stage::new();
    let variable = stage
        .variables
        .iter_mut()
        .find(|(name, _)| name == "TEST_OPENAI_KEY")
        .expect("a key of OpenAI's");
    variable.1 = OPERATORS.to_owned();
    stage
        .variables
        .push(("CALLERS_KEY".to_owned(), CALLERS.to_owned()));
    stage.set("providers.openai.caller_key", true.into());
    stage.set("retry.max_attempts", 1.into());
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_s_key_goes_to_a_provider_that_takes_it_and_to_nobody_else() {
    let mut stage = stage();
    let log = stage.folder.path().join("access.log");
    stage.set("gateway.access_log", json!(log));
    stage.set(
        "models.openai-embeds",
        json!({ "provider": "openai", "model_name": "text-embedding-3-small" }),
    );
    let ours = key(&mut stage, named("ours"));
    let gateway = Gateway::open(&mut stage).await;
    let address = gateway.address;
    let bearer = |key: &str| format!("Bearer {key}");
    let (own, operators) = (bearer(CALLERS), bearer(OPERATORS));
    let messages = json!({ "model": "openai", "max_tokens": 50, "messages": [{ "role": "user", "content": "Hi" }] });
    let count = json!({ "model": "openai", "messages": [{ "role": "user", "content": "Hi" }] });
    let vectors = json!({ "model": "openai-embeds", "input": "Hi" });
    // Both lanes, whole and streamed, and what stands beside chats; the two keys in either order of headers.
    for (path, body, [ours_in, own_in]) in [
        (
            "/v1/chat/completions",
            question("openai", "Hi", false),
            ["x-api-key", "authorization"],
        ),
        (
            "/v1/chat/completions",
            question("openai", "Hi", true),
            ["authorization", "x-api-key"],
        ),
        ("/v1/messages", messages, ["authorization", "x-api-key"]),
        ("/v1/embeddings", vectors, ["api-key", "authorization"]),
        (
            "/v1/messages/count_tokens",
            count,
            ["x-goog-api-key", "authorization"],
        ),
    ] {
        let send = |name: &str, key: &str| match name {
            "authorization" => bearer(key),
            _ => key.to_owned(),
        };
        let before = stage.simulator.requests();
        let headers = [
            (ours_in, &*send(ours_in, &ours)),
            (own_in, &*send(own_in, CALLERS)),
        ];
        let reply = post(address, path, &headers, &body).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        stage.holds_no_key(&reply.text());
        for sent in stage.simulator.log().iter().skip(before as usize) {
            assert_eq!(sent.header("authorization"), Some(&*own), "{path}");
            assert_eq!(sent.header(own_in).is_some(), own_in == "authorization");
        }
    }
    // Without one the operator's is sent; so it is where what came is a key of some gateway's.
    let foreign = bearer(&format!("mlk-{}", "B".repeat(43)));
    for more in [vec![], vec![("authorization", &*foreign)]] {
        let headers = [vec![("x-api-key", ours.as_str())], more].concat();
        let body = question("openai", "Hi", false);
        let reply = post(address, "/v1/chat/completions", &headers, &body).await;
        assert_eq!(reply.status, 401, "{reply:?}");
        let sent = stage.simulator.log().pop().unwrap();
        assert_eq!(sent.header("authorization"), Some(&*operators));
    }
    // Other providers get their own, whatever came.
    let headers = [("authorization", &*own), ("x-api-key", &*ours)];
    let body = question("claude", "Hi", false);
    let reply = post(address, "/v1/chat/completions", &headers, &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let sent = stage.simulator.log().pop().unwrap();
    assert!(
        sent.headers
            .iter()
            .all(|(_, value)| !value.contains(CALLERS) && !value.contains("mlk-")),
        "{sent:?}"
    );
    // A key of one's own opens no door.
    let body = question("openai", "Hi", false);
    let reply = post(
        address,
        "/v1/chat/completions",
        &[("authorization", &*own)],
        &body,
    )
    .await;
    assert_eq!(reply.status, 401, "{reply:?}");
    let metrics = ask(address, "GET", "/metrics", &[("x-api-key", &ours)], b"").await;
    stage.holds_no_key(&metrics.text());
    for row in stage.rows(&gateway.service).await {
        stage.holds_no_key(&format!("{row:?}"));
    }
    // The log is in the stage's folder, which is looked through when the test ends.
    assert!(std::fs::read_to_string(&log).unwrap().lines().count() >= 9);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_other_key_a_caller_s_is_asked_for() {
    let mut stage = stage();
    stage
        .variables
        .retain(|(name, _)| name != "TEST_OPENAI_KEY");
    let gateway = Gateway::open(&mut stage).await;
    let body = question("openai", "Hi", false);
    let path = "/v1/chat/completions";
    let reply = post(gateway.address, path, &[], &body).await;
    assert_eq!(reply.status, 401, "{reply:?}");
    assert!(reply.text().contains("callers' own keys"), "{reply:?}");
    assert_eq!(stage.simulator.requests(), 0);
    // Without keys of the gateway's, whatever comes is the vendor's.
    let own = format!("Bearer {CALLERS}");
    let reply = post(gateway.address, path, &[("authorization", &own)], &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_of_one_account_is_not_another_s() {
    let mut stage = stage();
    stage.set("cache.enabled", true.into());
    stage.set(
        "breaker",
        json!({ "enabled": true, "failures": 1, "open_ms": 60_000 }),
    );
    let gateway = Gateway::open(&mut stage).await;
    let own = format!("Bearer {CALLERS}");
    let asked = |header: String, text: &'static str| async move {
        let body = question("openai", text, false);
        let headers = [("authorization", header.as_str())];
        post(gateway.address, "/v1/chat/completions", &headers, &body).await
    };
    // An answer is kept for nobody else, who would not have to have a key for it.
    assert_eq!(asked(own.clone(), "Hi").await.status, 200);
    let other = asked("Bearer sk-somebody-else".to_owned(), "Hi").await;
    assert_eq!(other.status, 401, "{other:?}");
    assert_eq!(other.header("x-multillm-cached"), None);
    // Nor does one account's limit close the model to others.
    let limited = asked(own.clone(), "Hi [[fault:429]]").await;
    assert_eq!(limited.status, 429, "{limited:?}");
    assert_eq!(asked(own, "Hi again").await.status, 200);
    gateway.stop().await;
}
