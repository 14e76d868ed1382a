//! The hostile guest tries to reach what it must not: other headers, other hosts, other secrets. What
//! arrives at the right server and at an attacker's shows that it does not.

use multillm::ErrorKind;
use multillm_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::answers::ask;
use crate::hostile::besieged;

/// Headers that a plugin may not set, and values that would become headers.
fn forbidden_headers() -> Vec<Value> {
    let mut headers: Vec<[&str; 2]> = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "cookie",
        "authorization",
        "proxy-authorization",
        "te",
        "upgrade",
        "expect",
        "user-agent",
        "Host",
        "x y",
        "",
        "x:y",
        "ü",
    ]
    .map(|name| [name, "x"])
    .to_vec();
    headers.extend([
        ["x-a\r\nx-b", "x"],
        ["x-a", "x\r\nx-b: y"],
        ["x-a", "x\ny"],
        ["x-a", "\0"],
        ["x-a", "ü"],
    ]);
    headers
        .iter()
        .map(|list| json!({ "attack": "header", "list": list }))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forbidden_headers_are_refused_before_anything_is_sent() {
    let settings = forbidden_headers();
    let (stage, service) = besieged(settings.clone());
    for (number, settings) in settings.iter().enumerate() {
        let error = service
            .chat(ask("Hello"), &format!("attack-{number}"))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Plugin, "{settings}: {error}");
    }
    assert_eq!(stage.simulator.requests(), 0);
}

/// Two simulators: the right one and an attacker's. Paths and queries that try to leave the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_leaves_the_configured_host() {
    let attacker = Simulator::background(Options::default()).unwrap();
    let host = attacker.addr().to_string();
    let mut paths: Vec<Vec<String>> = [
        "..", "../..", ".", "", "%2e%2e", "..%2f..", "%2f%2f", "\\", "..\\..", "a/b", "?x=1", "#x",
        "a?b#c", "\r\nx: y", "\0", " ", "é",
    ]
    .map(|segment| vec![segment.to_owned(), "chat".to_owned()])
    .to_vec();
    let forms = [
        format!("//{host}/x"),
        format!("http://{host}/x"),
        format!("@{host}"),
        format!("@{host}/x"),
        format!("%2f%2f{host}"),
        format!("\\\\{host}"),
        format!(":80@{host}"),
        format!("//user:x@{host}"),
    ];
    for form in forms {
        paths.push(vec![form.clone()]);
        paths.push(vec![String::new(), form.clone()]);
        paths.push(vec!["..".into(), "..".into(), form]);
    }
    let settings: Vec<Value> = paths
        .iter()
        .map(|path| json!({ "attack": "path", "list": path }))
        .collect();
    let (stage, service) = besieged(settings);
    for (number, path) in paths.iter().enumerate() {
        let before = stage.simulator.requests();
        let outcome = service
            .chat(ask("Hello"), &format!("attack-{number}"))
            .await;
        assert!(outcome.is_err(), "{path:?} was answered: {outcome:?}");
        for exchange in stage
            .simulator
            .log()
            .iter()
            .skip(usize::try_from(before).unwrap())
        {
            let sent = &exchange.path;
            assert!(sent.starts_with("/openai/v1/"), "{path:?} became {sent}");
            assert!(
                !sent.split('/').any(|segment| segment == ".."),
                "{path:?} became {sent}"
            );
            assert!(exchange.header("host").unwrap().starts_with("127.0.0.1:"));
            assert_eq!(exchange.header("x"), None, "{path:?}");
        }
    }
    assert_eq!(attacker.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_stay_queries() {
    let pairs = [["a&b=c", "d#e"], ["\r\nx: y", "\0"], ["", ""], ["a b", "ü"]];
    let (stage, service) = besieged(pairs.map(|pair| json!({ "attack": "query", "list": pair })));
    for number in 0..pairs.len() {
        let _ = service
            .chat(ask("Hello"), &format!("attack-{number}"))
            .await;
    }
    for exchange in stage.simulator.log() {
        assert_eq!(exchange.path, "/openai/v1/chat/completions");
        assert!(
            exchange.query.is_ascii() && !exchange.query.contains([' ', '#', '\r', '\n']),
            "{exchange:?}"
        );
        assert!(exchange.query.matches('&').count() == 0, "{exchange:?}");
        assert_eq!(exchange.header("x"), None);
    }
}

/// The ways by which a plugin might get a secret to where it can read it, or to somebody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_goes_nowhere_but_into_its_header() {
    let texts = [
        "${api_key}",
        "{{api_key}}",
        "secret-ref:api_key",
        "$HOSTILE_API_KEY",
        "@multillm-secret-api_key@",
        "%24%7Bapi_key%7D",
    ];
    let references = [
        // header, prefix, secret
        ["x-key", "", "stolen"],
        ["x-key", "", "openai"],
        ["x-key", "", "OPENAI_API_KEY"],
        ["x-key", "", "TEST_OPENAI_KEY"],
        ["x-key", "", "header authorization"],
        ["x-key", "", ""],
        ["host", "", "api_key"],
        ["cookie", "", "api_key"],
        ["x-key", "a\r\nx-b: ", "api_key"],
        ["x-a\r\nx-b", "", "api_key"],
    ];
    let settings = texts
        .map(|text| json!({ "attack": "secret-in-text", "list": [text] }))
        .into_iter()
        .chain(references.map(|list| json!({ "attack": "secret-header", "list": list })));
    let (mut stage, _) = besieged(settings);
    let key = "sk-6Rb1nWq8Zs3kYp0";
    stage
        .variables
        .retain(|(name, _)| name != "HOSTILE_API_KEY");
    stage.variables.extend([
        ("HOSTILE_API_KEY".to_owned(), key.to_owned()),
        ("OPENAI_API_KEY".to_owned(), "sk-of-another".to_owned()),
    ]);
    let service = stage.service();
    for number in 0..texts.len() {
        let outcome = service
            .chat(ask("Hello"), &format!("attack-{number}"))
            .await;
        assert!(!format!("{outcome:?}").contains(key));
    }
    assert_eq!(stage.simulator.requests(), texts.len() as u64);
    for (number, reference) in references.iter().enumerate() {
        let model = format!("attack-{}", texts.len() + number);
        let error = service.chat(ask("Hello"), &model).await.unwrap_err();
        let kinds = [ErrorKind::Plugin, ErrorKind::Configuration];
        assert!(kinds.contains(&error.kind), "{reference:?}: {error}");
    }
    assert_eq!(
        stage.simulator.requests(),
        texts.len() as u64,
        "a wrong reference was sent"
    );
    for exchange in stage.simulator.log() {
        for (name, value) in &exchange.headers {
            assert!(
                name == "authorization" || !value.contains(key),
                "{name}: {value}"
            );
            assert!(
                !value.contains("sk-of-another") && !value.contains("sk-sim-"),
                "{name}: {value}"
            );
        }
        let rest = format!(
            "{} {} {}",
            exchange.path,
            exchange.query,
            String::from_utf8_lossy(&exchange.body)
        );
        assert!(
            !rest.contains(key) && !rest.contains("sk-of-another"),
            "{rest}"
        );
    }
}
