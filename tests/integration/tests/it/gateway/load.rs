//! Reloads and a graceful end while requests are under way. What faults do under load: see `storm`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::caller::{exchange, parse, post, request};
use super::{Gateway, question};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn reloading_under_load_fails_nobody() {
    let mut stage = Stage::new();
    let gateway = Gateway::open(&mut stage).await;
    let address = gateway.address;
    let asking: Vec<_> = (0..4)
        .map(|worker| {
            tokio::task::spawn_blocking(move || {
                for number in 0..25 {
                    let body = question("openai", "Hello", (worker + number) % 2 == 0).to_string();
                    let reply = exchange(
                        address,
                        &request("POST", "/v1/chat/completions", &[], body.as_bytes()),
                    )
                    .unwrap();
                    assert!(reply.status == 200 && reply.whole, "{reply:?}");
                }
            })
        })
        .collect();
    let mut reloads = 0;
    while asking.iter().any(|asking| !asking.is_finished()) || reloads < 200 {
        gateway.service.reload().await.unwrap();
        reloads += 1;
    }
    for asking in asking {
        asking.await.unwrap();
    }
    assert_eq!(gateway.stop().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_end_lets_streams_end_and_nobody_in() {
    let mut stage = Stage::new();
    let mut gateway = Gateway::open(&mut stage).await;
    let body = question("openai", "Hello [[fault:slow-body ms=150]]", true).to_string();
    let bytes = request("POST", "/v1/chat/completions", &[], body.as_bytes());
    let address = gateway.address;
    let (begun, has_begun) = std::sync::mpsc::channel();
    let streaming = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut raw = vec![0; 1];
        stream.read_exact(&mut raw).unwrap();
        begun.send(()).unwrap();
        stream.read_to_end(&mut raw).unwrap();
        parse(&raw).unwrap()
    });
    tokio::task::spawn_blocking(move || has_begun.recv().unwrap())
        .await
        .unwrap();
    gateway.tell_to_stop();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let late = tokio::task::spawn_blocking(move || TcpStream::connect(address).is_err());
    let reply = streaming.await.unwrap();
    assert!(reply.whole && reply.text().contains("[DONE]"), "{reply:?}");
    assert!(late.await.unwrap(), "nobody comes in any more");
    assert_eq!(gateway.stop().await, 0);
    let rows = stage.rows(&stage.service()).await;
    assert_eq!(rows[0].outcome, "success", "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_takes_too_long_is_a_cut() {
    let mut stage = Stage::new();
    stage.set("gateway.drain_ms", 300.into());
    let mut gateway = Gateway::open(&mut stage).await;
    let body = question("openai", "Hello [[fault:stall k=2]]", true);
    let asked = post(gateway.address, "/v1/chat/completions", &[], &body);
    let stopping = async {
        while stage.simulator.log().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        gateway.tell_to_stop();
    };
    let (reply, ()) = tokio::join!(asked, stopping);
    assert!(!reply.whole, "{reply:?}");
    assert_eq!(gateway.stop().await, 1);
}
