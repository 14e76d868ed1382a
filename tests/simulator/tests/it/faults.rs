//! Faults: each really happens on the socket, and the log tells how it ended.

use std::time::{Duration, Instant};

use multillm_simulator::{Options, Outcome, Simulator, Vendor};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{complete, saying, send, start, with};

fn streaming(fault: &str) -> Value {
    with(
        saying(&format!("write 20 words [[fault:{fault}]]")),
        &json!({"stream": true}),
    )
}

#[tokio::test]
async fn statuses_come_in_the_vendors_form() {
    let simulator = start().await;
    let status =
        async |fault: &str| complete(&simulator, &saying(&format!("[[fault:{fault}]]"))).await;
    for (fault, expected) in [
        ("400", 400),
        ("status-401", 401),
        ("403", 403),
        ("429", 429),
        ("500", 500),
        ("504", 504),
    ] {
        let answer = status(fault).await;
        assert_eq!(answer.status, expected);
        assert!(answer.json()["error"]["message"].is_string(), "{fault}");
    }
    let limited = status("429-retry-after ms=1500").await;
    assert_eq!(
        (
            limited.header("retry-after-ms"),
            limited.header("retry-after")
        ),
        (Some("1500"), Some("2"))
    );
    assert!(
        status("429-retry-after date=5")
            .await
            .header("retry-after")
            .unwrap()
            .ends_with("GMT")
    );
    assert_eq!(
        status("500-no-retry").await.header("x-should-retry"),
        Some("false")
    );
    assert!(status("502-html").await.text().starts_with("<html>"));
    assert!(status("echo-key").await.text().contains("sk-sim-openai"));
    assert_eq!(
        status("context-length").await.json()["error"]["code"],
        "context_length_exceeded"
    );
    for unknown in [
        "503-loading",
        "529",
        "no-such-thing",
        "mid-stream-error",
        "gzip",
    ] {
        let answer = status(unknown).await;
        assert!(
            answer.status == 400 && answer.text().contains("simulator:"),
            "{unknown}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn streams_break_as_asked() {
    let simulator = start().await;
    let cut = complete(&simulator, &streaming("cut k=3")).await;
    assert!(cut.complete && cut.events().len() == 3 && !cut.text().contains("[DONE]"));
    let dropped = complete(&simulator, &streaming("drop k=3")).await;
    assert!(!dropped.complete && dropped.events().len() == 3);
    assert_eq!(
        complete(&simulator, &streaming("cut-at=57"))
            .await
            .body
            .len(),
        57
    );
    assert!(complete(&simulator, &streaming("reset k=2")).await.reset);
    assert_eq!(
        complete(&simulator, &streaming("close-before-headers"))
            .await
            .status,
        0
    );
    let error = complete(&simulator, &streaming("mid-stream-error k=2"))
        .await
        .text();
    assert!(
        error.contains("server_error") && error.ends_with("data: [DONE]\n\n"),
        "{error}"
    );
    assert!(
        complete(&simulator, &streaming("first-event-error"))
            .await
            .text()
            .starts_with("data: {\"error\"")
    );
    assert!(
        !complete(&simulator, &streaming("no-done"))
            .await
            .text()
            .contains("[DONE]")
    );
    assert!(
        complete(&simulator, &streaming("keepalive-comments"))
            .await
            .text()
            .starts_with(": keep-alive")
    );
    assert!(
        complete(&simulator, &streaming("malformed-json k=1"))
            .await
            .text()
            .contains("\"broken\": [1, \n")
    );
    let drip = complete(&simulator, &streaming("drip")).await;
    assert_eq!(drip.chunks, drip.body.len());
    assert!(
        simulator
            .log()
            .iter()
            .any(|exchange| exchange.outcome == Outcome::Cut)
    );
}

#[tokio::test]
async fn bodies_break_as_asked() {
    let simulator = start().await;
    let body =
        async |fault: &str| complete(&simulator, &saying(&format!("hi [[fault:{fault}]]"))).await;
    assert_eq!(body("wrong-shape shape=array").await.text(), "[]");
    assert_eq!(body("empty-body").await.body.len(), 0);
    assert!(body("non-json").await.text().contains("<html>"));
    assert_eq!(
        body("wrong-content-type type=text/csv")
            .await
            .header("content-type"),
        Some("text/csv")
    );
    assert!(
        body("redirect")
            .await
            .header("location")
            .unwrap()
            .starts_with("http://localhost:")
    );
    assert!(!body("cut k=2").await.complete);
    assert!(body("huge-event mib=3").await.body.len() > 3 * 1024 * 1024);
    let start = Instant::now();
    assert!(
        body("slow-start ms=120").await.complete && start.elapsed() >= Duration::from_millis(120)
    );
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Bearer sk-sim-openai"),
        ("accept-encoding", "gzip"),
    ];
    let text = saying("hi [[fault:gzip]]").to_string();
    let zipped = send(
        &simulator,
        "POST",
        "/openai/v1/chat/completions",
        &headers,
        &text,
    )
    .await;
    assert_eq!(
        (zipped.header("content-encoding"), &zipped.body[..2]),
        (Some("gzip"), &[0x1f, 0x8b][..])
    );
}

#[tokio::test]
async fn faults_are_counted_queued_and_scheduled() {
    let simulator = Simulator::start(Options::default().fail_first(Vendor::OpenAi, 1, "500"))
        .await
        .unwrap();
    let twice = saying("hi [[fault:503-text times=2]]");
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(complete(&simulator, &twice).await.status);
    }
    assert_eq!(
        seen,
        [503, 503, 200, 200],
        "the fault in the text comes before the scheduled one"
    );
    simulator.fail_next(Vendor::OpenAi, "429", 1);
    let order = json!({"vendor": "openai", "fault": "502-html"}).to_string();
    assert_eq!(
        send(&simulator, "POST", "/control/fault", &[], &order)
            .await
            .status,
        200
    );
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(complete(&simulator, &saying("hi")).await.status);
    }
    assert_eq!(seen, [429, 502, 200]);
    let log = send(&simulator, "GET", "/control/log", &[], "")
        .await
        .json();
    assert_eq!(log.as_array().unwrap().len(), 7);
    assert_eq!(log[0]["outcome"], "completed");
}

#[tokio::test]
async fn a_client_that_leaves_a_stalled_stream_is_noticed_at_once() {
    let simulator = start().await;
    let body = streaming("stall k=2").to_string();
    let mut stream = TcpStream::connect(simulator.addr()).await.unwrap();
    let head = format!(
        "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer sk-sim-openai\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut some = [0; 64];
    assert!(stream.read(&mut some).await.unwrap() > 0);
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(simulator.log()[0].outcome, Outcome::Open);
    drop(stream);
    let left = Instant::now();
    while simulator.log()[0].outcome == Outcome::Open {
        assert!(
            left.elapsed() < Duration::from_millis(500),
            "the disconnect was not noticed"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(
        left.elapsed() < Duration::from_millis(50),
        "{:?}",
        left.elapsed()
    );
    assert!(
        matches!(simulator.log()[0].outcome, Outcome::ClientGone { after } if after >= Duration::from_millis(60))
    );
}

#[tokio::test]
async fn random_faults_follow_the_seed() {
    let run = async |seed: u64| {
        let options = Options {
            random_fault_rate: 0.5,
            seed,
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..20 {
            seen.push(complete(&simulator, &saying("hi")).await.status);
        }
        seen
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert!(first.contains(&200) && first.iter().any(|status| *status != 200));
}

#[test]
fn a_background_simulator_serves_and_ends() {
    let simulator = Simulator::background(Options::default()).unwrap();
    let addr = simulator.addr();
    assert!(std::net::TcpStream::connect(addr).is_ok());
    drop(simulator);
    let ended = Instant::now();
    while std::net::TcpStream::connect(addr).is_ok() {
        assert!(
            ended.elapsed() < Duration::from_secs(2),
            "the port is still open"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn tls_starts_with_a_handshake() {
    let simulator = Simulator::start(Options {
        tls: true,
        ..Options::default()
    })
    .await
    .unwrap();
    assert!(
        simulator
            .base_url(Vendor::OpenAi)
            .starts_with("https://127.0.0.1:")
    );
    let mut stream = TcpStream::connect(simulator.addr()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut first = [0; 1];
    // Plain HTTP gets a TLS alert record.
    assert_eq!((stream.read(&mut first).await.unwrap(), first[0]), (1, 21));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_slow_streams_run_side_by_side() {
    let options = Options {
        event_gap: Duration::from_millis(10),
        ..Options::default()
    };
    let simulator = std::sync::Arc::new(Simulator::start(options).await.unwrap());
    let begun = Instant::now();
    let body = with(saying("write 20 words"), &json!({"stream": true}));
    let ask = |_| {
        let (simulator, body) = (std::sync::Arc::clone(&simulator), body.clone());
        tokio::spawn(async move { complete(&simulator, &body).await.complete })
    };
    let asked: Vec<_> = (0..200).map(ask).collect();
    for answer in asked {
        assert!(answer.await.unwrap());
    }
    assert!(
        begun.elapsed() >= Duration::from_millis(200),
        "the gaps were not kept"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "streams waited for each other"
    );
    assert!(
        simulator
            .log()
            .iter()
            .all(|exchange| exchange.outcome == Outcome::Completed)
    );
}
