//! The client against servers that do not behave.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::super::error::{ConnectCause, Oversize};
use super::super::testing::{answer, fixed, server};
use super::tests::{client, get, limits, prepared, send};
use super::*;

#[tokio::test]
async fn a_cut_body_is_an_error() {
    for (head, body) in [
        ("content-length: 100\r\n\r\n", "only this"),
        ("transfer-encoding: chunked\r\n\r\n", "9\r\nonly this\r\n"),
        ("transfer-encoding: chunked\r\n\r\n", "64\r\nonly this"),
    ] {
        let base = fixed(format!("HTTP/1.1 200 OK\r\n{head}{body}")).await;
        let mut response = send(&base).await.unwrap();
        assert_eq!(
            response.body.next_chunk().await.unwrap().unwrap(),
            "only this"
        );
        let error = response.body.next_chunk().await.unwrap_err();
        assert!(
            matches!(error, TransportError::Cut { received: 9, .. }),
            "{error}"
        );
        assert_eq!(response.body.next_chunk().await, Ok(None));
    }
}

#[tokio::test]
async fn a_reset_is_told_from_silence() {
    let base = server(|mut stream, _| async move {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let error = get(&base).await.unwrap_err();
    assert!(
        matches!(&error, TransportError::Cut { reason, .. } if reason.contains("reset")),
        "{error}"
    );
    let base = server(|stream, _| async move { stream.set_zero_linger().unwrap() }).await;
    let error = get(&base).await.unwrap_err();
    assert!(matches!(error, TransportError::NoAnswer { .. }), "{error}");
    let base = fixed("").await;
    let error = get(&base).await.unwrap_err();
    assert!(matches!(error, TransportError::NoAnswer { .. }), "{error}");
}

#[tokio::test]
async fn each_time_bound_is_told_apart() {
    let slow = server(|stream, _| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let stalled = server(|mut stream, _| async move {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let dripping = server(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let total = Duration::from_millis(600);
    for (base, expected) in [
        (slow, Phase::FirstByte),
        (stalled, Phase::Idle),
        (dripping, Phase::Total),
    ] {
        let limits = ExchangeLimits { total, ..limits() };
        let started = Instant::now();
        let error = match client().send(prepared(&base, "{}"), &limits).await {
            Ok(mut response) => response.body.read_to_end().await.unwrap_err(),
            Err(error) => error,
        };
        let took = started.elapsed();
        assert!(
            matches!(error, TransportError::Timeout { phase, .. } if phase == expected),
            "{error}"
        );
        assert!(
            took > Duration::from_millis(250) && took < Duration::from_secs(3),
            "{took:?}"
        );
    }
}

/// A Zstandard frame (RFC 8878) of `blocks` times 128 KiB of zeros, four bytes each.
fn bomb(blocks: usize) -> Vec<u8> {
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for number in 1..=blocks {
        let header = u32::from(number == blocks) | 1 << 1 | (128 << 10) << 3;
        bytes.extend_from_slice(&header.to_le_bytes()[..3]);
        bytes.push(0);
    }
    bytes
}

#[tokio::test]
async fn bodies_are_bounded_even_if_they_unfold() {
    let base = fixed(answer("content-encoding: zstd\r\n", &bomb(4))).await;
    assert_eq!(
        get(&base).await.unwrap().len(),
        512 << 10,
        "the bomb is a valid body"
    );
    let large = bomb(80_000);
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(2 << 20)).into_bytes();
    for bytes in [
        answer("content-encoding: zstd\r\n", &large),
        answer("", &vec![b'x'; (1 << 20) + 1]),
        endless,
    ] {
        let base = fixed(bytes).await;
        let mut response = send(&base).await.unwrap();
        let error = response.body.read_to_end().await.unwrap_err();
        let limit = 1 << 20;
        assert!(
            matches!(error, TransportError::TooLarge { what: Oversize::Response, limit: l, .. } if l == limit),
            "{error}"
        );
        assert!(response.body.received() < 3 << 20, "read no further");
    }
}

#[tokio::test]
async fn the_body_of_an_error_is_read_as_far_as_it_goes() {
    let cut = fixed("HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nonly this").await;
    let partial = send(&cut).await.unwrap().body.read_partial(100).await;
    assert_eq!(
        (partial.bytes.as_ref(), partial.complete),
        (&b"only this"[..], false)
    );
    let whole = fixed(answer("", b"123456789")).await;
    let partial = send(&whole).await.unwrap().body.read_partial(9).await;
    assert_eq!(
        (partial.bytes.as_ref(), partial.complete),
        (&b"123456789"[..], true)
    );
    let partial = send(&whole).await.unwrap().body.read_partial(4).await;
    assert_eq!(
        (partial.bytes.as_ref(), partial.complete),
        (&b"1234"[..], false)
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let location = "location: https://user:pw@evil.example/x?key=1#y\r\ncontent-length: 0\r\n\r\n";
    let base = fixed(format!("HTTP/1.1 307 Go\r\n{location}")).await;
    let error = send(&base).await.unwrap_err();
    let expected = Some("https://evil.example/x".to_owned());
    assert!(
        matches!(&error, TransportError::Redirect { status: 307, location, .. } if *location == expected),
        "{error:?}"
    );
}

#[tokio::test]
async fn unreachable_servers_are_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = send(&base).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot connect to {base}: connection refused: \
             is the server running, and is base_url right?"
        )
    );
    let error = send("http://no-such-host.invalid").await.unwrap_err();
    assert!(
        matches!(
            error,
            TransportError::Connect {
                cause: ConnectCause::Dns,
                ..
            }
        ),
        "{error:?}"
    );
    let base = fixed("220 mail.example ESMTP\r\n").await;
    let error = send(&base).await.unwrap_err();
    assert!(
        matches!(error, TransportError::Malformed { .. }),
        "{error:?}"
    );
    assert!(!format!("{error} {error:?}").contains("hidden-query"));
}

/// A server that says when its connection has been closed by the other side.
async fn watched(head: &'static [u8]) -> (String, Arc<Notify>) {
    let closed = Arc::new(Notify::new());
    let told = Arc::clone(&closed);
    let base = server(move |mut stream, _| {
        let told = Arc::clone(&told);
        async move {
            stream.write_all(head).await.unwrap();
            let mut byte = [0];
            while !matches!(stream.read(&mut byte).await, Ok(0) | Err(_)) {}
            told.notify_one();
        }
    })
    .await;
    (base, closed)
}

#[tokio::test]
async fn going_away_closes_the_connection_at_once() {
    let soon = Duration::from_millis(100);
    let client = client();
    let (base, closed) = watched(b"HTTP/1.1 200 OK\r\n\r\nsome").await;
    let mut response = client.send(prepared(&base, "{}"), &limits()).await.unwrap();
    assert_eq!(response.body.next_chunk().await.unwrap().unwrap(), "some");
    drop(response);
    tokio::time::timeout(soon, closed.notified())
        .await
        .expect("closed after the body was dropped");

    let (base, closed) = watched(b"").await;
    let limits = limits();
    let sending = client.send(prepared(&base, "{}"), &limits);
    assert!(tokio::time::timeout(soon, sending).await.is_err());
    tokio::time::timeout(soon, closed.notified())
        .await
        .expect("closed before there was a head");
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_has_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1000]).await;
        let refusal = "HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge";
        stream.write_all(refusal.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    let request = prepared(&base, &"x".repeat(20_000_000));
    let mut response = client().send(request, &limits()).await.unwrap();
    assert_eq!(response.status, 413);
    assert_eq!(response.body.read_to_end().await.unwrap(), "large");
}
