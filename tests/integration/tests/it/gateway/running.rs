//! What whoever runs a gateway sees of it: who asked, in the history and in sums; how long who comes beyond the places waits;
//! its own certificate.

use std::time::{Duration, Instant};

use multillm::ChatRequest;
use multillm::chat::ChatMessage;
use multillm::config::{Config, Env};
use multillm::service::MultiLlmService;
use serde_json::json;

use super::caller::post;
use super::{Gateway, key, named, question};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn callers_sessions_and_agents_are_in_the_history_and_added_up() {
    let mut stage = Stage::new();
    let keys = ["ann", "bob"].map(|name| key(&mut stage, named(name)));
    let gateway = Gateway::open(&mut stage).await;
    for (key, session, agent, model) in [
        (&keys[0], "session-1", "agent-7", "claude"),
        (&keys[0], "session-1", "agent-8", "openai"),
        (&keys[0], "session-2", "agent-7", "claude"),
        (&keys[1], "session-3", "not an id", "openai"),
    ] {
        let headers = [
            ("x-api-key", key.as_str()),
            ("x-claude-code-session-id", session),
            ("x-claude-code-agent-id", agent),
        ];
        let mut body = question(model, "Hello", false);
        body["max_tokens"] = 60.into();
        let reply = post(gateway.address, "/v1/messages", &headers, &body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let rows = stage.rows(&gateway.service).await;
    let who: Vec<_> = rows
        .iter()
        .map(|row| {
            let texts = [&row.caller, &row.session, &row.agent];
            texts.map(|text| text.as_deref().unwrap_or("-"))
        })
        .collect();
    assert_eq!(
        who,
        [
            ["ann", "session-1", "agent-7"],
            ["ann", "session-1", "agent-8"],
            ["ann", "session-2", "agent-7"],
            ["bob", "session-3", "-"],
        ]
    );
    gateway.stop().await;
    let sums = stage.run(&["stats", "--by", "caller", "--json"]).json();
    assert_eq!(sums["groups"]["ann"]["total_requests"], 3, "{sums}");
    assert_eq!(sums["groups"]["bob"]["total_requests"], 1, "{sums}");
    let anns = stage.run(&["stats", "--caller", "ann", "--json"]).json();
    assert_eq!(anns["total"]["total_requests"], 3, "{anns}");
    let table = stage.run(&["stats", "--by", "caller"]).answer();
    assert!(table.contains("CALLER") && table.contains("bob"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_beyond_the_places_waits_as_long_as_it_is_configured() {
    for (queue, status) in [(30_000, 200), (300, 503)] {
        let mut stage = Stage::new();
        stage.set("gateway.max_requests", 1.into());
        stage.set("gateway.queue_ms", queue.into());
        let gateway = Gateway::open(&mut stage).await;
        let address = gateway.address;
        let long = question("openai", "Hello [[fault:slow-start ms=2500]]", false);
        let path = "/v1/chat/completions";
        let first = tokio::spawn(async move { post(address, path, &[], &long).await });
        let until = Instant::now() + Duration::from_secs(20);
        while stage.simulator.log().is_empty() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let begun = Instant::now();
        let short = question("openai", "Hi", false);
        let second = post(address, path, &[], &short).await;
        let waited = begun.elapsed();
        assert_eq!(second.status, status, "{second:?}");
        assert_eq!(first.await.unwrap().status, 200);
        if status == 503 {
            assert!(second.header("retry-after").is_some(), "{second:?}");
            assert!(waited >= Duration::from_millis(300), "{waited:?}");
            assert_eq!(stage.simulator.requests(), 1);
        }
        gateway.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_is_spoken_to_by_tls_alone() {
    let mut stage = Stage::new();
    let names = vec!["localhost".to_owned()];
    let signed = rcgen::generate_simple_self_signed(names).unwrap();
    let cert = stage.file("cert.pem", signed.cert.pem());
    let secret = stage.file("secret.pem", signed.signing_key.serialize_pem());
    stage.set("gateway.tls", json!({ "cert": cert, "key": secret }));
    let ours = key(&mut stage, named("tls"));
    let gateway = Gateway::open(&mut stage).await;
    let port = gateway.address.port();

    // Another multillm as the client, which trusts this certificate alone.
    let config = json!({
        "plugin_dir": stage.config["plugin_dir"],
        "providers": { "there": {
            "plugin": "openai", "base_url": format!("https://localhost:{port}/v1"),
            "api_key_env": "THERE_KEY", "ca_file": cert, "proxy": false,
        } },
        "models": { "there": { "provider": "there", "model_name": "openai" } },
        "history": { "enabled": false },
        "retry": { "max_attempts": 1 },
    });
    let file = stage.file("client.json", config.to_string());
    let env = Env::fixed(stage.folder.path(), [("THERE_KEY".to_owned(), ours)]);
    let config = Config::load(std::path::Path::new(&file), &env).unwrap();
    let client = MultiLlmService::new(config, env);
    let request = ChatRequest::new([ChatMessage::user("By TLS")]);
    let answer = client.chat(request.clone(), "there").await.unwrap();
    assert!(answer.content().contains("By TLS"), "{answer:?}");
    let streamed = client.stream(request, "there").await.unwrap();
    let streamed = streamed.collect().await.unwrap();
    assert_eq!(streamed.content(), answer.content());

    // Who speaks plainly gets nothing.
    let address = gateway.address;
    let plain = tokio::task::spawn_blocking(move || {
        let bytes = super::caller::request("GET", "/healthz", &[], b"");
        super::caller::exchange(address, &bytes)
    });
    assert!(plain.await.unwrap().is_none());
    drop(client);
    gateway.stop().await;
}
