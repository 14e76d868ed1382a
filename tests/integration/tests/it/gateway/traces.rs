//! What a collector of traces is sent: spans by the field's names, in the caller's own trace, and no word of what was said.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Said;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::caller::{ask, post};
use super::{Gateway, key, named, question};
use crate::stage::Stage;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// What arrived: heads and bodies.
type Arrived = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector that takes everything.
async fn collector() -> (SocketAddr, Arrived) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let arrived = Arrived::default();
    let kept = arrived.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take(stream, kept.clone()));
        }
    });
    (address, arrived)
}

async fn take(mut stream: TcpStream, arrived: Arrived) {
    let mut held = vec![];
    loop {
        let end = held.windows(4).position(|four| four == b"\r\n\r\n");
        let whole = end.and_then(|end| {
            let head = String::from_utf8_lossy(&held[..end]).to_ascii_lowercase();
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())?;
            (held.len() >= end + 4 + length).then_some((head, end + 4, length))
        });
        if let Some((head, start, length)) = whole {
            let body = held[start..start + length].to_vec();
            held.drain(..start + length);
            arrived.lock().unwrap().push((head, body));
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        } else if !matches!(stream.read_buf(&mut held).await, Ok(1..)) {
            return;
        }
    }
}

fn spans(arrived: &Arrived) -> Vec<Span> {
    let arrived = arrived.lock().unwrap();
    let requests = arrived
        .iter()
        .map(|(_, body)| ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
    requests
        .flat_map(|request| request.resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

fn of(span: &Span, name: &str) -> Option<String> {
    let known = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == name)?;
    match known.value.clone()?.value? {
        Said::StringValue(text) => Some(text),
        Said::IntValue(number) => Some(number.to_string()),
        other => Some(format!("{other:?}")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_go_on_with_the_caller_s_trace_and_hold_no_word_of_what_was_said() {
    let (address, arrived) = collector().await;
    let mut stage = Stage::new();
    stage.set("gateway.traces", format!("http://{address}").into());
    stage.set("retry.max_attempts", 2.into());
    let ours = key(&mut stage, named("tracer"));
    let gateway = Gateway::open(&mut stage).await;
    let asked = |flags: &str, model: &'static str, text: &'static str, stream: bool| {
        let parent = format!("00-{TRACE}-{PARENT}-{flags}");
        let key = ours.clone();
        async move {
            let headers = [
                ("x-api-key", key.as_str()),
                ("traceparent", parent.as_str()),
                ("x-claude-code-session-id", "session-7"),
            ];
            let body = question(model, text, stream);
            post(gateway.address, "/v1/chat/completions", &headers, &body).await
        }
    };
    assert_eq!(asked("01", "openai", "violets", true).await.status, 200);
    let twice = "violets [[fault:500 times=1]]";
    assert_eq!(asked("01", "claude", twice, false).await.status, 200);
    // Whoever is not to be traced is not.
    assert_eq!(asked("00", "openai", "violets", false).await.status, 200);
    // A trace of its own, where there is none.
    let alone = [("x-api-key", ours.as_str())];
    let listed = ask(gateway.address, "GET", "/v1/models", &alone, b"").await;
    assert_eq!(listed.status, 200);
    gateway.stop().await;

    let spans = spans(&arrived);
    let servers: Vec<&Span> = spans
        .iter()
        .filter(|span| span.kind == SpanKind::Server as i32)
        .collect();
    assert_eq!(servers.len(), 3, "{spans:?}");
    for server in &servers[..2] {
        assert_eq!(hex(&server.trace_id), TRACE);
        assert_eq!(hex(&server.parent_span_id), PARENT);
        assert_eq!(server.name, "POST /v1/chat/completions");
        assert_eq!(of(server, "http.response.status_code").unwrap(), "200");
        assert_eq!(of(server, "multillm.caller").unwrap(), "tracer");
        assert_eq!(of(server, "session.id").unwrap(), "session-7");
    }
    assert_eq!(of(servers[0], "multillm.lane").unwrap(), "relay");
    assert_eq!(of(servers[1], "multillm.lane").unwrap(), "translate");
    assert_ne!(hex(&servers[2].trace_id), TRACE);
    assert!(servers[2].parent_span_id.is_empty());
    let below = |server: &Span| -> Vec<&Span> {
        let of = |span: &&Span| span.parent_span_id == server.span_id;
        spans.iter().filter(of).collect()
    };
    let relayed = below(servers[0]);
    assert_eq!(relayed.len(), 1, "{spans:?}");
    assert_eq!(relayed[0].kind, SpanKind::Client as i32);
    assert_eq!(relayed[0].name, "chat openai");
    assert_eq!(hex(&relayed[0].trace_id), TRACE);
    assert_eq!(of(relayed[0], "gen_ai.operation.name").unwrap(), "chat");
    assert_eq!(of(relayed[0], "gen_ai.provider.name").unwrap(), "openai");
    assert!(relayed[0].end_time_unix_nano >= relayed[0].start_time_unix_nano);
    // The failed attempt and the one that repaired it.
    let translated = below(servers[1]);
    assert_eq!(translated.len(), 2, "{spans:?}");
    assert_eq!(of(translated[0], "error.type").unwrap(), "server");
    assert_eq!(translated[0].status.as_ref().unwrap().code, 2);
    let answered = translated[1];
    assert_eq!(of(answered, "error.type"), None);
    assert_eq!(of(answered, "gen_ai.provider.name").unwrap(), "anthropic");
    assert!(of(answered, "gen_ai.usage.input_tokens").is_some());
    assert!(of(answered, "gen_ai.usage.output_tokens").is_some());
    assert!(of(answered, "gen_ai.response.finish_reasons").is_some());
    assert!(
        of(answered, "gen_ai.response.model")
            .unwrap()
            .contains("claude")
    );
    let arrived = arrived.lock().unwrap();
    for (head, body) in arrived.iter() {
        assert!(head.starts_with("post /v1/traces "), "{head}");
        let body = String::from_utf8_lossy(body);
        stage.holds_no_key(&body);
        assert!(!body.contains("violets") && !body.contains("You said"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_holds_nobody_up() {
    let mut stage = Stage::new();
    // Nobody listens there any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    stage.set("gateway.traces", format!("http://{address}").into());
    let gateway = Gateway::open(&mut stage).await;
    let body = question("openai", "Hi", false);
    let reply = post(gateway.address, "/v1/chat/completions", &[], &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let begun = Instant::now();
    gateway.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(20));
}
