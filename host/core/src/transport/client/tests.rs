//! The client against servers that behave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::super::assemble::{Blob, Host, assemble};
use super::super::framing::Framing;
use super::super::secrets::Secrets;
use super::super::testing::{answer, fixed, read_request, server};
use super::*;
use crate::described::{BodyPart, Method, Request};

pub(super) fn client() -> HttpClient {
    HttpClient::new(ClientOptions {
        proxy: ProxyChoice::None,
        ..ClientOptions::default()
    })
}

pub(super) fn prepared(base: &str, body: &str) -> Prepared {
    let base_url = BaseUrl::parse(base).unwrap();
    let request = Request {
        method: if body.is_empty() {
            Method::Get
        } else {
            Method::Post
        },
        path: vec!["chat".to_owned()],
        query: vec![("q".to_owned(), "hidden-query".to_owned())],
        headers: Vec::new(),
        body: if body.is_empty() {
            vec![]
        } else {
            vec![BodyPart::Text(body.to_owned())]
        },
        framing: Framing::Whole,
    };
    let host = Host {
        base_url: &base_url,
        secrets: &Secrets::default(),
        blobs: &[],
        max_body: u64::MAX,
    };
    assemble(request, &host).unwrap()
}

pub(super) fn limits() -> ExchangeLimits {
    let short = Duration::from_millis(300);
    let total = Duration::from_secs(20);
    ExchangeLimits {
        first_byte: short,
        idle: short,
        total,
        response_bytes: 1 << 20,
    }
}

pub(super) async fn send(base: &str) -> Result<Response, TransportError> {
    client().send(prepared(base, "{}"), &limits()).await
}

/// Head and whole body, or the first failure.
pub(super) async fn get(base: &str) -> Result<Bytes, TransportError> {
    send(base).await?.body.read_to_end().await
}

#[tokio::test]
async fn a_plain_exchange() {
    let base = server(|mut stream, request| async move {
        let text = String::from_utf8(request).unwrap();
        assert!(
            text.starts_with("POST /v1/chat?q=hidden-query HTTP/1.1\r\n"),
            "{text}"
        );
        let lower = text.to_ascii_lowercase();
        assert!(lower.contains("user-agent: multillm/"), "{text}");
        assert!(lower.contains("accept-encoding: "), "{text}");
        assert!(lower.contains("content-length: 2\r\n"), "{text}");
        assert_eq!(lower.matches("content-length").count(), 1, "{text}");
        let head = "Content-Type: a/b\r\nX-Request-Id: r1\r\nSet-Cookie: c\r\nretry-after: 2\r\n";
        stream.write_all(&answer(head, b"hello")).await.unwrap();
    })
    .await;
    let mut response = send(&format!("{base}/v1/")).await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("a/b"));
    assert_eq!(response.header("set-cookie"), None);
    assert_eq!(response.request_id(), Some("r1"));
    assert_eq!(response.retry.after, Some(Duration::from_secs(2)));
    assert_eq!(response.body.read_to_end().await.unwrap(), "hello");
    assert_eq!(response.body.received(), 5);
    assert_eq!(response.body.next_chunk().await, Ok(None));
}

#[tokio::test]
async fn connections_are_kept() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let base = server(move |mut stream, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            loop {
                stream.write_all(&answer("", b"hello")).await.unwrap();
                if read_request(&mut stream).await.is_none() {
                    return;
                }
            }
        }
    })
    .await;
    let client = client();
    for _ in 0..3 {
        let mut response = client.send(prepared(&base, ""), &limits()).await.unwrap();
        response.body.read_to_end().await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn large_bodies_arrive_whole_and_with_their_length() {
    let base = server(|mut stream, request| async move {
        let body = request
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap()
            + 4;
        let lower = String::from_utf8_lossy(&request[..body]).to_ascii_lowercase();
        assert!(!lower.contains("transfer-encoding"), "{lower}");
        let length = (request.len() - body).to_string();
        stream
            .write_all(&answer("", length.as_bytes()))
            .await
            .unwrap();
    })
    .await;
    let base_url = BaseUrl::parse(&base).unwrap();
    let blobs = [Blob {
        id: 1,
        bytes: vec![7; 3_000_001].into(),
    }];
    let host = Host {
        base_url: &base_url,
        secrets: &Secrets::default(),
        blobs: &blobs,
        max_body: u64::MAX,
    };
    let request = Request {
        method: Method::Post,
        path: Vec::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body: vec![BodyPart::Text("x".repeat(100_000)), BodyPart::BlobBase64(1)],
        framing: Framing::Whole,
    };
    let prepared = assemble(request, &host).unwrap();
    let mut response = client().send(prepared, &limits()).await.unwrap();
    assert_eq!(response.body.read_to_end().await.unwrap(), "4100004");
}

#[tokio::test]
async fn a_slow_upload_is_not_a_slow_answer() {
    // Systems hold some megabytes themselves, and let go of them in large pieces: at this speed each
    // is gone in a fraction of the time to the first byte.
    const SPEED: f64 = 4e6;
    const LENGTH: usize = 20_000_000;
    let first_byte = Duration::from_secs(2);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(256 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let started = Instant::now();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 1 << 17];
        let mut received = 0;
        while received < LENGTH {
            // Slow until it took too long for an answer, then fast: what the system still holds when
            // the client is done must not count as a wait for the answer.
            if started.elapsed() < first_byte * 2 {
                let due = Duration::from_secs_f64(received as f64 / SPEED);
                tokio::time::sleep(due.saturating_sub(started.elapsed())).await;
            }
            received += stream.read(&mut buffer).await.unwrap();
        }
        stream.write_all(&answer("", b"done")).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    let prepared = prepared(&base, &"x".repeat(LENGTH));
    let limits = ExchangeLimits {
        first_byte,
        ..limits()
    };
    let mut response = client().send(prepared, &limits).await.unwrap();
    assert_eq!(response.body.read_to_end().await.unwrap(), "done");
    assert!(
        started.elapsed() > first_byte * 2,
        "the upload took long enough to tell"
    );
}

#[tokio::test]
async fn compressed_bodies_are_undone() {
    // "hello gzip" by Python's gzip module
    let gzip = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
        0x57, 0x48, 0xaf, 0xca, 0x2c, 0x00, 0x00, 0x19, 0x6a, 0xd2, 0xdf, 0x0a, 0x00, 0x00, 0x00,
    ];
    let base = fixed(answer("content-encoding: gzip\r\n", &gzip)).await;
    assert_eq!(get(&base).await.unwrap(), "hello gzip");
    let base = fixed(answer("content-encoding: gzip\r\n", b"no gzip at all")).await;
    let error = get(&base).await.unwrap_err();
    assert!(matches!(error, TransportError::Malformed { .. }), "{error}");
    let base = fixed(answer("content-encoding: deflate\r\n", b"x")).await;
    let error = get(&base).await.unwrap_err();
    assert!(matches!(error, TransportError::Malformed { .. }), "{error}");
    let base = fixed(answer("content-encoding: utf-8\r\n", b"fine")).await;
    assert_eq!(get(&base).await.unwrap(), "fine");
    let base = fixed(answer("content-encoding: gzip\r\n", b"")).await;
    assert_eq!(get(&base).await.unwrap(), "");
}

/// A request that sends this key.
fn with_key(base: &str, key: &str) -> Prepared {
    let base_url = BaseUrl::parse(base).unwrap();
    let request = Request {
        method: Method::Get,
        path: vec!["chat".to_owned()],
        query: vec![],
        headers: vec![(
            "authorization".to_owned(),
            crate::described::HeaderValue::Secret {
                name: "api_key".to_owned(),
                prefix: "Bearer ".to_owned(),
                optional: false,
            },
        )],
        body: vec![],
        framing: Framing::Whole,
    };
    let secrets = Secrets::new([("api_key".to_owned(), key.to_owned().into())]);
    let host = Host {
        base_url: &base_url,
        secrets: &secrets,
        blobs: &[],
        max_body: u64::MAX,
    };
    assemble(request, &host).unwrap()
}

#[tokio::test]
async fn a_head_that_repeats_the_key_loses_it() {
    let key = "sk-AbCdEf-0123456789";
    let coded: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let head = format!(
        "x-request-id: {key}\r\nretry-after: {key}\r\nx-ratelimit-remaining: 5 {coded}\r\n\
         x-ratelimit-{}: 1\r\ncontent-type: a/b\r\n",
        key.to_lowercase()
    );
    let base = fixed(answer(&head, b"ok")).await;
    let response = client()
        .send(with_key(&base, key), &limits())
        .await
        .unwrap();
    let shown = format!("{:?}", response.headers).to_lowercase();
    assert!(
        !shown.contains("0123456789") && !shown.contains("%30"),
        "{shown}"
    );
    assert_eq!(response.request_id(), Some("[redacted]"));
    assert_eq!(
        response.header("x-ratelimit-remaining"),
        Some("5 [redacted]")
    );
    assert_eq!(response.header("content-type"), Some("a/b"));

    for place in [
        format!("https://evil.example/{key}"),
        format!("https://evil.example/{coded}/x"),
        format!("https://{key}.evil.example/"),
        format!("/{key}"),
    ] {
        let base = fixed(format!(
            "HTTP/1.1 302 Go\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
        let error = client().send(with_key(&base, key), &limits()).await;
        let shown = format!("{:?}", error.unwrap_err()).to_lowercase();
        assert!(shown.contains("[redacted]"), "{place}: {shown}");
        assert!(
            !shown.contains("0123456789") && !shown.contains("%30"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_proxy_is_named_whatever_fails_behind_it() {
    let silent = server(|stream, _| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let closing = server(|stream, _| async move { drop(stream) }).await;
    let mail = fixed("220 mail.example ESMTP\r\n").await;
    let cut = fixed("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await;
    for proxy in [silent, closing, mail, cut] {
        for base in ["http://far.invalid", "https://far.invalid"] {
            let client = HttpClient::new(ClientOptions {
                proxy: ProxyChoice::Fixed(proxy.clone()),
                connect_timeout: Duration::from_millis(300),
                ..ClientOptions::default()
            });
            let error = match client.send(prepared(base, "{}"), &limits()).await {
                Ok(mut response) => {
                    assert_eq!(response.proxy.as_ref(), Some(&proxy));
                    response.body.read_to_end().await.unwrap_err()
                }
                Err(error) => error,
            };
            assert!(error.to_string().contains(&proxy), "{base}: {error}");
        }
    }
}

#[tokio::test]
async fn proxies_are_used_and_blamed() {
    let proxied = |proxy: &str| {
        let proxy = ProxyChoice::Fixed(proxy.replace("http://", "http://user:hunter2@"));
        HttpClient::new(ClientOptions {
            proxy,
            ..ClientOptions::default()
        })
    };
    let proxy = server(|mut stream, request| async move {
        let text = String::from_utf8(request).unwrap();
        assert!(text.starts_with("GET http://far.invalid/chat?"), "{text}");
        assert!(
            text.to_ascii_lowercase()
                .contains("proxy-authorization: basic"),
            "{text}"
        );
        stream.write_all(&answer("", b"by proxy")).await.unwrap();
    })
    .await;
    let request = || prepared("http://far.invalid", "");
    let mut response = proxied(&proxy).send(request(), &limits()).await.unwrap();
    assert_eq!(response.body.read_to_end().await.unwrap(), "by proxy");

    let denying = fixed("HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n").await;
    for base in ["http://far.invalid", "https://far.invalid"] {
        let error = proxied(&denying)
            .send(prepared(base, ""), &limits())
            .await
            .unwrap_err();
        let shown = error.to_string();
        assert!(matches!(error, TransportError::Proxy { .. }), "{shown}");
        assert!(
            shown.contains(&denying) && shown.contains("wants a user name"),
            "{shown}"
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let error = proxied("http://127.0.0.1:1")
        .send(request(), &limits())
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::Proxy { .. }), "{error}");
}

#[tokio::test]
async fn a_local_question_loads_no_certificates() {
    let client = client();
    let base = fixed(answer("", b"ok")).await;
    client.prepare(&BaseUrl::parse(&base).unwrap()).await;
    assert!(client.inner.plain.initialized() && !client.inner.tls.initialized());
    client
        .prepare(&BaseUrl::parse("https://x.example").unwrap())
        .await;
    assert!(client.inner.tls.initialized());
}
