//! Who may come in, and how much they may ask: every route with every kind of key.

use std::time::Duration;

use multillm_gateway::KeyEntry;
use rust_decimal::Decimal;
use serde_json::json;

use super::caller::{ask, post};
use super::{Gateway, key, keys, named, question};
use crate::stage::Stage;

/// Every route that takes a key, with a body that asks something of it, and whether that is an answer or vectors,
/// which every limit of a key counts. (Whether a count of tokens is one depends on the lane.)
const ROUTES: [(&str, &str, &str, bool); 26] = [
    (
        "POST",
        "/v1/chat/completions",
        r#"{"model":"openai","messages":[{"role":"user","content":"Hi"}]}"#,
        true,
    ),
    (
        "POST",
        "/chat/completions",
        r#"{"model":"openai","messages":[{"role":"user","content":"Hi"}]}"#,
        true,
    ),
    (
        "POST",
        "/openai/deployments/openai/chat/completions",
        r#"{"model":"openai","messages":[{"role":"user","content":"Hi"}]}"#,
        true,
    ),
    (
        "POST",
        "/v1/responses",
        r#"{"model":"openai","input":"Hi"}"#,
        true,
    ),
    (
        "POST",
        "/v1/responses/input_tokens",
        r#"{"model":"openai","input":"Hi"}"#,
        false,
    ),
    (
        "POST",
        "/v1/messages",
        r#"{"model":"claude","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#,
        true,
    ),
    (
        "POST",
        "/v1/messages/count_tokens",
        r#"{"model":"claude","messages":[{"role":"user","content":"Hi"}]}"#,
        false,
    ),
    (
        "POST",
        "/v1/embeddings",
        r#"{"model":"openai","input":"Hi"}"#,
        true,
    ),
    ("GET", "/v1/models", "", false),
    ("GET", "/models?client_version=1", "", false),
    ("GET", "/v1/models/openai", "", false),
    (
        "POST",
        "/api/chat",
        r#"{"model":"ollama","messages":[{"role":"user","content":"Hi"}]}"#,
        true,
    ),
    (
        "POST",
        "/api/generate",
        r#"{"model":"ollama","prompt":"Hi"}"#,
        true,
    ),
    (
        "POST",
        "/api/embed",
        r#"{"model":"ollama","input":"Hi"}"#,
        true,
    ),
    (
        "POST",
        "/api/embeddings",
        r#"{"model":"ollama","prompt":"Hi"}"#,
        true,
    ),
    ("POST", "/api/show", r#"{"model":"ollama"}"#, false),
    ("GET", "/api/tags", "", false),
    ("GET", "/api/version", "", false),
    (
        "POST",
        "/v1beta/models/gemini:generateContent",
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#,
        true,
    ),
    (
        "POST",
        "/v1beta/models/gemini:streamGenerateContent",
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#,
        true,
    ),
    (
        "POST",
        "/v1/models/gemini:generateContent",
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#,
        true,
    ),
    (
        "POST",
        "/v1beta/models/gemini:countTokens",
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#,
        false,
    ),
    (
        "POST",
        "/v1beta/models/gemini:embedContent",
        r#"{"content":{"parts":[{"text":"Hi"}]}}"#,
        true,
    ),
    ("GET", "/v1beta/models", "", false),
    (
        "POST",
        "/v2/chat",
        r#"{"model":"cohere","messages":[{"role":"user","content":"Hi"}]}"#,
        true,
    ),
    (
        "POST",
        "/v2/embed",
        r#"{"model":"cohere","texts":["Hi"],"input_type":"search_query"}"#,
        true,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_closed_to_whoever_has_no_valid_key() {
    let mut stage = Stage::new();
    let good = key(&mut stage, named("good"));
    let revoked = key(&mut stage, named("revoked"));
    let rotated = key(&mut stage, named("rotated"));
    let expired = key(
        &mut stage,
        KeyEntry {
            expires_ms: Some(1),
            ..named("expired")
        },
    );
    let keys = keys(&stage);
    keys.revoke("revoked", 1).unwrap();
    keys.rotate("rotated").unwrap();
    let gateway = Gateway::open(&mut stage).await;
    let bearer = |key: &str| format!("Bearer {key}");
    for (method, path, body, _) in ROUTES {
        let sends = |headers: Vec<(&'static str, String)>| async move {
            let headers: Vec<(&str, &str)> = headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            ask(gateway.address, method, path, &headers, body.as_bytes()).await
        };
        for (headers, why) in [
            (vec![], "a key of this gateway is needed"),
            (
                vec![("authorization", bearer("sk-not-ours"))],
                "no key of this gateway",
            ),
            (
                vec![("x-api-key", format!("mlk-{}", "A".repeat(43)))],
                "no key of this gateway",
            ),
            (
                vec![("authorization", format!("Basic {good}"))],
                "a key of this gateway is needed",
            ),
            (vec![("api-key", revoked.clone())], "was revoked"),
            (
                vec![("x-goog-api-key", rotated.clone())],
                "no key of this gateway",
            ),
            (vec![("x-api-key", expired.clone())], "has expired"),
        ] {
            let shown = format!("{method} {path} {why}");
            let reply = sends(headers).await;
            assert_eq!(reply.status, 401, "{shown}: {reply:?}");
            assert!(reply.text().contains(why), "{shown}: {reply:?}");
            stage.holds_no_key(&reply.text());
        }
        assert_eq!(stage.simulator.requests(), 0, "{path}: nothing was sent");
    }
    for (name, value) in [
        ("authorization", bearer(&good)),
        ("authorization", format!("bearer {good}")),
        ("x-api-key", good.clone()),
        ("api-key", good.clone()),
        ("x-goog-api-key", good.clone()),
    ] {
        let reply = ask(gateway.address, "GET", "/v1/models", &[(name, &value)], b"").await;
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
    }
    // A client that sends its vendor's key too.
    let headers = [
        ("x-api-key", "sk-ant-mine"),
        ("authorization", &*bearer(&good)),
    ];
    let reply = post(
        gateway.address,
        "/v1/chat/completions",
        &headers,
        &question("openai", "Hi", false),
    )
    .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let sent = stage.only_exchange();
    assert_eq!(sent.header("authorization"), Some("Bearer sk-sim-openai"));
    assert!(
        sent.headers
            .iter()
            .all(|(_, value)| !value.contains("mlk-") && !value.contains("sk-ant-mine"))
    );
    // Whether it is alive is everybody's to ask.
    for path in ["/healthz", "/readyz", "/"] {
        assert_eq!(
            ask(gateway.address, "GET", path, &[], b"").await.status,
            200,
            "{path}"
        );
    }
    let rows = stage.rows(&gateway.service).await;
    assert_eq!(rows[0].caller.as_deref(), Some("good"));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_asks_is_closed_to_a_key_that_is_used_up() {
    let mut stage = Stage::new();
    let spent = key(
        &mut stage,
        KeyEntry {
            requests_per_minute: Some(1),
            ..named("spent")
        },
    );
    let gateway = Gateway::open(&mut stage).await;
    let headers = [("x-api-key", spent.as_str())];
    let path = "/v1/chat/completions";
    let first = post(
        gateway.address,
        path,
        &headers,
        &question("openai", "Hi", false),
    )
    .await;
    assert_eq!(first.status, 200, "{first:?}");
    for (method, path, body, asks) in ROUTES {
        let reply = ask(gateway.address, method, path, &headers, body.as_bytes()).await;
        match asks {
            true => {
                assert_eq!(reply.status, 429, "{path}: {reply:?}");
                assert!(reply.header("retry-after").is_some(), "{path}: {reply:?}");
            }
            false => assert_ne!(reply.status, 401, "{path}: {reply:?}"),
        }
        stage.holds_no_key(&reply.text());
    }
    let log = stage.simulator.log();
    let counts = |path: &str| path.contains("ount") || path.ends_with("input_tokens");
    let asked = log.iter().filter(|sent| !counts(&sent.path));
    assert_eq!(asked.count(), 1, "{log:?}");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_asks_the_models_that_it_may() {
    let mut stage = Stage::new();
    let only = key(
        &mut stage,
        KeyEntry {
            models: vec!["claude".to_owned()],
            ..named("only")
        },
    );
    let gateway = Gateway::open(&mut stage).await;
    let headers = [("x-api-key", only.as_str())];
    let listed = ask(gateway.address, "GET", "/v1/models", &headers, b"")
        .await
        .json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    let refused = post(
        gateway.address,
        "/v1/chat/completions",
        &headers,
        &question("openai", "Hi", false),
    )
    .await;
    assert_eq!(refused.status, 403, "{refused:?}");
    // Whichever of two names a reader takes, it is one that was judged.
    let twice =
        r#"{"model":"openai","messages":[{"role":"user","content":"Hi"}],"model":"claude"}"#;
    let reply = ask(
        gateway.address,
        "POST",
        "/v1/chat/completions",
        &headers,
        twice.as_bytes(),
    )
    .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(
        stage.only_exchange().vendor,
        Some(multillm_simulator::Vendor::Anthropic)
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_places_are_counted_by_key() {
    let mut stage = Stage::new();
    let few = key(
        &mut stage,
        KeyEntry {
            requests_per_minute: Some(2),
            ..named("few")
        },
    );
    let other = key(&mut stage, named("other"));
    let gateway = Gateway::open(&mut stage).await;
    let asked = |key: &str| {
        let header = key.to_owned();
        async move {
            post(
                gateway.address,
                "/v1/chat/completions",
                &[("x-api-key", &header)],
                &question("openai", "Hi", false),
            )
            .await
        }
    };
    let mut statuses = vec![];
    for _ in 0..3 {
        statuses.push(asked(&few).await.status);
    }
    assert_eq!(statuses, [200, 200, 429]);
    let refused = asked(&few).await;
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert_eq!(asked(&other).await.status, 200);
    assert_eq!(stage.simulator.requests(), 3);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_at_once_spend_what_there_is_and_no_more() {
    let mut stage = Stage::new();
    stage.once();
    stage.set(
        "models.openai.cost",
        json!({ "per_request": 1, "input_per_1m": 0, "output_per_1m": 0 }),
    );
    let spender = key(
        &mut stage,
        KeyEntry {
            cost_per_day: Some(Decimal::from(50)),
            ..named("spender")
        },
    );
    let gateway = Gateway::open(&mut stage).await;
    let asked = (0..200).map(|number| {
        let key = spender.clone();
        let address = gateway.address;
        async move {
            let body = question("openai", "Hello", number % 2 == 0);
            post(
                address,
                "/v1/chat/completions",
                &[("x-api-key", &key)],
                &body,
            )
            .await
            .status
        }
    });
    let statuses = futures_util::future::join_all(asked).await;
    let answered = statuses.iter().filter(|status| **status == 200).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!((answered, refused), (50, 150));
    assert_eq!(stage.simulator.requests(), 50);
    // A new secret has no new budget.
    let rotated = keys(&stage).rotate("spender").unwrap().reveal().to_owned();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let reply = post(
        gateway.address,
        "/v1/chat/completions",
        &[("x-api-key", &rotated)],
        &question("openai", "Hi", false),
    )
    .await;
    assert_eq!(reply.status, 429, "{reply:?}");
    assert!(reply.text().contains("has spent $50"), "{reply:?}");
    let rows = stage.rows(&gateway.service).await;
    assert_eq!(rows.len(), 50);
    // Whoever streams on OpenAI's wire without asking for the counts gets none: the cost is unknown, and the
    // budget takes what was expected.
    for row in &rows {
        let known = row.cost == Some(Decimal::ONE);
        assert!(known || row.streamed && row.cost.is_none(), "{row:?}");
    }
    gateway.stop().await;
    stage.variables.push(("ROTATED_KEY".to_owned(), rotated));
}

#[test]
fn keys_are_made_listed_and_taken_back_by_the_program() {
    let mut stage = Stage::new();
    stage.config["gateway"]["keys"] = "keys.json".into();
    let config = stage.config_file().display().to_string();
    let mut create = stage.command(&[
        "key",
        "create",
        "ci",
        "--models",
        "openai",
        "--budget-day",
        "5",
        "--expires",
        "30d",
        "--json",
        "--config",
        &config,
    ]);
    let made = create.output().unwrap();
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let secret = made["key"].as_str().unwrap().to_owned();
    stage.variables.push(("GATEWAY_KEY".to_owned(), secret));
    let listed = stage.run(&["key", "list", "--json"]).json();
    assert_eq!(listed[0]["name"], "ci");
    assert_eq!(listed[0]["state"], "valid");
    assert_eq!(listed[0].get("sha256"), None, "{listed}");
    assert!(
        stage
            .run(&["key", "show", "ci"])
            .answer()
            .contains("budget a day")
    );
    stage
        .run(&["key", "create", "ci"])
        .fails(2, &["there is a key \"ci\" already"]);
    stage
        .run(&["key", "create", "x", "--models", "opnai"])
        .fails(2, &["did you mean \"openai\""]);
    assert_eq!(stage.run(&["key", "revoke", "ci"]).code, Some(0));
    stage
        .run(&["key", "rotate", "ci"])
        .fails(2, &["was revoked"]);
    assert_eq!(
        stage.run(&["key", "list", "--json"]).json()[0]["state"],
        "revoked"
    );
}
