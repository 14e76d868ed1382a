//! Strangers at the door: other names, other pages, slow, endless, oversized and malformed requests.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use super::caller::{ask, exchange, post, request};
use super::{Gateway, key, named, question};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_names_and_pages_of_others_stay_outside() {
    let mut stage = Stage::new();
    stage.set("gateway.origins", json!(["https://chat.example"]));
    let gateway = Gateway::open(&mut stage).await;
    let body = question("openai", "Hi", false).to_string();
    let sends = |headers: Vec<(&'static str, &'static str)>| {
        let body = body.clone();
        async move {
            ask(
                gateway.address,
                "POST",
                "/v1/chat/completions",
                &headers,
                body.as_bytes(),
            )
            .await
        }
    };
    for headers in [
        vec![("host", "evil.example")],
        vec![("host", "127.0.0.1.evil.example:4000")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("host", "evil.example"), ("origin", "http://evil.example")],
    ] {
        let shown = format!("{headers:?}");
        let reply = sends(headers).await;
        assert_eq!(reply.status, 403, "{shown}: {reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), None, "{shown}");
    }
    assert_eq!(stage.simulator.requests(), 0);
    let reply = sends(vec![("origin", "https://chat.example")]).await;
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some("https://chat.example"),
        "{reply:?}"
    );
    assert_eq!(
        sends(vec![
            ("host", "127.0.0.1:1"),
            ("origin", "http://127.0.0.1:5173")
        ])
        .await
        .status,
        200
    );
    let asked = |origin: &'static str| async move {
        ask(
            gateway.address,
            "OPTIONS",
            "/v1/chat/completions",
            &[
                ("origin", origin),
                ("access-control-request-headers", "x-api-key"),
            ],
            b"",
        )
        .await
    };
    assert_eq!(asked("https://chat.example").await.status, 204);
    assert_eq!(asked("https://evil.example").await.status, 403);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_it_does_not_listen_to_the_world() {
    let mut stage = Stage::new();
    stage.set("gateway.listen", "0.0.0.0:0".into());
    let refused =
        multillm_gateway::serve(stage.service(), multillm_gateway::Options::default()).await;
    let Err(refused) = refused else {
        panic!("it listens to the world");
    };
    let message = refused.to_string();
    assert!(message.contains("multillm key create"), "{message}");
    key(&mut stage, named("one"));
    let options = multillm_gateway::Options::with_keys(super::keys(&stage));
    assert!(
        multillm_gateway::serve(stage.service(), options)
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_no_request_is_refused() {
    let mut stage = Stage::new();
    stage.set("limits.request_mb", 1.into());
    let gateway = Gateway::open(&mut stage).await;
    let large = vec![b' '; (1 << 20) + 1];
    let reply = ask(gateway.address, "POST", "/v1/chat/completions", &[], &large).await;
    assert_eq!(reply.status, 413, "{reply:?}");
    for (path, body, status) in [
        ("/v1/chat/completions", "", 400),
        ("/v1/chat/completions", "[]", 400),
        ("/v1/chat/completions", "{\"model\":7}", 400),
        ("/v1/chat/completions", "{\"model\":\"openai\"", 400),
        (
            "/v1/chat/completions",
            "{\"model\":\"nobody\",\"messages\":[]}",
            404,
        ),
        ("/v1/messages", "{\"model\":\"nobody\"}", 404),
        ("/v1/nothing", "{}", 404),
    ] {
        let reply = ask(gateway.address, "POST", path, &[], body.as_bytes()).await;
        assert_eq!(reply.status, status, "{path} {body}: {reply:?}");
        assert!(reply.json().is_object());
    }
    assert_eq!(
        ask(gateway.address, "GET", "/v1/chat/completions", &[], b"")
            .await
            .status,
        405
    );
    assert_eq!(
        ask(
            gateway.address,
            "POST",
            "/v1/chat/completions",
            &[("content-encoding", "gzip")],
            b"{}"
        )
        .await
        .status,
        415
    );
    let address = gateway.address;
    let raw = tokio::task::spawn_blocking(move || {
        let many: String = (0..500)
            .map(|number| format!("x-{number}: y\r\n"))
            .collect();
        let long = "x".repeat(200_000);
        for bytes in [
            "NONSENSE\r\n\r\n".to_owned(),
            format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"),
            format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!".to_owned(),
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        ] {
            let reply = exchange(address, bytes.as_bytes());
            assert!(reply.is_none_or(|reply| reply.status >= 400), "{bytes:.60}");
        }
    });
    raw.await.unwrap();
    assert_eq!(stage.simulator.requests(), 0);
    assert_eq!(
        ask(gateway.address, "GET", "/healthz", &[], b"")
            .await
            .status,
        200
    );
    gateway.stop().await;
}

/// Waits until the other side closes; gives how long that took.
fn until_closed(mut stream: TcpStream) -> Duration {
    let begun = Instant::now();
    stream
        .set_read_timeout(Some(Duration::from_secs(50)))
        .unwrap();
    let mut rest = vec![];
    let _ = stream.read_to_end(&mut rest);
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_is_ended() {
    let mut stage = Stage::new();
    stage.set("gateway.header_ms", 500.into());
    stage.set("gateway.body_ms", 500.into());
    let gateway = Gateway::open(&mut stage).await;
    let begin = |bytes: &'static str| {
        let address: SocketAddr = gateway.address;
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(bytes.as_bytes()).unwrap();
            until_closed(stream)
        })
    };
    let slow = [
        begin(""),
        begin("POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-a"),
        begin(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 90\r\n\r\n{\"model\"",
        ),
    ];
    for slow in slow {
        assert!(slow.await.unwrap() < Duration::from_secs(40));
    }
    assert_eq!(stage.simulator.requests(), 0);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_places_a_caller_hears_so_at_once() {
    let mut stage = Stage::new();
    stage.set("gateway.max_requests", 1.into());
    let gateway = Gateway::open(&mut stage).await;
    let long = question("openai", "Hello [[fault:slow-start ms=3000]]", false).to_string();
    let address = gateway.address;
    let first = tokio::task::spawn_blocking(move || {
        exchange(
            address,
            &request("POST", "/v1/chat/completions", &[], long.as_bytes()),
        )
    });
    let until = Instant::now() + Duration::from_secs(20);
    while stage.simulator.log().is_empty() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let second = post(
        gateway.address,
        "/v1/chat/completions",
        &[],
        &question("openai", "Hi", false),
    )
    .await;
    assert_eq!(second.status, 503, "{second:?}");
    assert!(second.header("retry-after").is_some());
    assert_eq!(first.await.unwrap().unwrap().status, 200);
    gateway.stop().await;
}
