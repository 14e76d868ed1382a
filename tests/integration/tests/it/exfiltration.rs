//! The hostile guest tries to reach what it must not: other headers, other hosts, other secrets. What
//! arrives at the right server and at an attacker's shows that it does not.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use multillm::ErrorKind;
use multillm_simulator::{Exchange, Options, Simulator};
use serde_json::{Value, json};

use crate::answers::ask;
use crate::asking;
use crate::hostile::{besieged, besieged_with};

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

/// Paths by which a plugin might leave the configured host for another.
fn paths(host: &str) -> Vec<Vec<String>> {
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
    paths
}

/// Two simulators: the right one and an attacker's. Paths that try to leave the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_leaves_the_configured_host() {
    let attacker = Simulator::background(Options::default()).unwrap();
    let paths = paths(&attacker.addr().to_string());
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

/// Where a host might put a secret that is only meant as text.
const TEXTS: [&str; 6] = [
    "${api_key}",
    "{{api_key}}",
    "secret-ref:api_key",
    "$HOSTILE_API_KEY",
    "@multillm-secret-api_key@",
    "%24%7Bapi_key%7D",
];

/// Headers with secrets that are not the plugin's to ask for, or not there.
const REFERENCES: [[&str; 3]; 10] = [
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

/// The ways by which a plugin might get a secret to where it can read it, or to somebody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_goes_nowhere_but_into_its_header() {
    let settings = TEXTS
        .map(|text| json!({ "attack": "secret-in-text", "list": [text] }))
        .into_iter()
        .chain(REFERENCES.map(|list| json!({ "attack": "secret-header", "list": list })));
    let mut stage = besieged_with(Options::default(), settings);
    let key = "sk-6Rb1nWq8Zs3kYp0";
    stage
        .variables
        .retain(|(name, _)| name != "HOSTILE_API_KEY");
    stage.variables.extend([
        ("HOSTILE_API_KEY".to_owned(), key.to_owned()),
        ("OPENAI_API_KEY".to_owned(), "sk-of-another".to_owned()),
    ]);
    let service = stage.service();
    for number in 0..TEXTS.len() {
        let outcome = service
            .chat(ask("Hello"), &format!("attack-{number}"))
            .await;
        assert!(!format!("{outcome:?}").contains(key));
    }
    assert_eq!(stage.simulator.requests(), TEXTS.len() as u64);
    for (number, reference) in REFERENCES.iter().enumerate() {
        let model = format!("attack-{}", TEXTS.len() + number);
        let error = service.chat(ask("Hello"), &model).await.unwrap_err();
        let kinds = [ErrorKind::Plugin, ErrorKind::Configuration];
        assert!(kinds.contains(&error.kind), "{reference:?}: {error}");
    }
    assert_eq!(
        stage.simulator.requests(),
        TEXTS.len() as u64,
        "a wrong reference was sent"
    );
    for exchange in stage.simulator.log() {
        holds_key_where_it_belongs(&exchange, key);
    }
}

/// The key is in the one header that it is for, and in no form in anything else that was sent.
fn holds_key_where_it_belongs(exchange: &Exchange, key: &str) {
    assert_eq!(
        exchange.header("authorization"),
        Some(&*format!("Bearer {key}")),
        "{exchange:?}"
    );
    let mut sent = vec![
        exchange.path.clone(),
        exchange.query.clone(),
        String::from_utf8_lossy(&exchange.body).into_owned(),
    ];
    for (name, value) in &exchange.headers {
        sent.push(name.clone());
        sent.extend((name != "authorization").then(|| value.clone()));
    }
    let hex = |text: &str| -> String { text.bytes().map(|byte| format!("{byte:02x}")).collect() };
    // Base64 of the key at each of the three places in a group that it may begin at, without the
    // letters that depend on what stands around it.
    let base64 = |before: usize| {
        let text = [&" ".repeat(before), key].concat();
        let coded = BASE64_STANDARD_NO_PAD.encode(text);
        coded[4..coded.len() - 4].to_owned()
    };
    let forms = [
        key.to_owned(),
        key.to_lowercase(),
        key.chars().rev().collect(),
        hex(key),
        base64(0),
        base64(1),
        base64(2),
        "sk-of-another".to_owned(),
        "sk-sim-".to_owned(),
    ];
    for text in &sent {
        for form in &forms {
            assert!(!text.contains(form), "{form:?} is in {text:?}");
        }
    }
}

/// Every route of this file and those of the vendor's answers, whole and streamed, with all that
/// arrived at the right host and at the attacker's, who would take the key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_arrived_anywhere_held_the_key() {
    let key = "sk-9Ty5uHq2Bn7vXe4";
    let taking_it = || Options {
        keys: vec![key.to_owned()],
        ..Options::default()
    };
    let attacker = Simulator::background(taking_it()).unwrap();
    let host = attacker.addr().to_string();
    let url = format!("http://{host}");
    let mut settings = forbidden_headers();
    settings.extend(
        paths(&host)
            .iter()
            .map(|path| json!({ "attack": "path", "list": path })),
    );
    for list in [["url", &*url], ["a&b=c", "d#e"], ["\r\nx: y", "\0"]] {
        settings.push(json!({ "attack": "query", "list": list }));
    }
    for name in [
        "x-forwarded-host",
        "x-original-url",
        "x-http-host-override",
        "forwarded",
        "referer",
    ] {
        settings.push(json!({ "attack": "header", "list": [name, url] }));
    }
    settings.extend(TEXTS.map(|text| json!({ "attack": "secret-in-text", "list": [text] })));
    settings.extend(REFERENCES.map(|list| json!({ "attack": "secret-header", "list": list })));
    for attack in ["memory-dump", "dump-in-error", "dump-in-answer", "none"] {
        settings.push(json!({ "attack": attack }));
    }
    let mut stage = besieged_with(taking_it(), settings.clone());
    stage
        .variables
        .retain(|(name, _)| name != "HOSTILE_API_KEY");
    stage.variables.extend([
        ("HOSTILE_API_KEY".to_owned(), key.to_owned()),
        ("OPENAI_API_KEY".to_owned(), "sk-of-another".to_owned()),
    ]);
    stage.once();
    let service = stage.service();
    let questions = [
        "Hello".to_owned(),
        "[[fault:echo-key]]".to_owned(),
        format!("[[fault:redirect to={url}]]"),
        format!("[[fault:redirect status=307 to={url}]]"),
    ];
    for (number, settings) in settings.iter().enumerate() {
        let model = format!("attack-{number}");
        for question in &questions {
            for streamed in [false, true] {
                let asked = asking::ask(&service, &model, question, streamed).await;
                assert!(!format!("{asked:?}").contains(key), "{settings}: {asked:?}");
            }
        }
    }
    let arrived = stage.simulator.log();
    // A host that refused everything would leak nothing either: much is sent, and answered.
    for status in [200, 302, 307, 401] {
        assert!(
            arrived
                .iter()
                .any(|exchange| exchange.status == Some(status)),
            "nothing was answered with {status}"
        );
    }
    for exchange in &arrived {
        holds_key_where_it_belongs(exchange, key);
    }
    assert_eq!(attacker.requests(), 0, "{:?}", attacker.log());
    let rows = stage.rows(&service).await;
    assert!(!format!("{rows:?}").contains(key));
}
