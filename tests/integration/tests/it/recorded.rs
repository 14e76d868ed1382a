//! Answers as bytes: what a vendor sends for a question, and what a plugin reads from any cutting
//! or damage of it, without a network in between.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use memchr::memmem;
use multillm::MultiLlmService;
use multillm::chat::ChatRequest;
use multillm::plugin::{Plugin, PluginError, wire};
use multillm::transport::{Framer, Framing, Tail};
use multillm_simulator::Exchange;
use serde_json::Value;

use crate::stage::Stage;
use crate::vendors::Line;

/// A vendor's answer to a question.
pub(crate) struct Recorded {
    pub(crate) plugin: Plugin,
    pub(crate) target: wire::Target,
    pub(crate) framing: Framing,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Recorded {
    /// Asks through the service, and once more over a socket to see the bytes.
    pub(crate) async fn of(
        stage: &Stage,
        service: &MultiLlmService,
        line: &Line,
        request: &ChatRequest,
        stream: bool,
    ) -> Recorded {
        let asked = match stream {
            true => match service.stream(request.clone(), line.plugin).await {
                Ok(stream) => stream.collect().await,
                Err(error) => Err(error),
            },
            false => service.chat(request.clone(), line.plugin).await,
        };
        asked.unwrap_or_else(|error| panic!("{}: {error}", line.plugin));
        let exchange = stage.simulator.log().pop().unwrap();
        let (headers, body) = again(stage, &exchange);
        let content_type = headers
            .iter()
            .find(|(name, _)| name == "content-type")
            .map_or("", |(_, value)| value);
        let framing = match content_type {
            kind if kind.contains("event-stream") => Framing::Sse,
            kind if kind.contains("ndjson") => Framing::Ndjson,
            _ => Framing::Whole,
        };
        let settings = &stage.config["providers"][line.plugin]["settings"];
        let settings = match settings {
            Value::Null => "{}".to_owned(),
            settings => settings.to_string(),
        };
        let model = &stage.config["models"][line.plugin]["model_name"];
        let plugin = service.plugin_of(line.plugin).await.unwrap();
        let wires = &plugin.info().wires;
        let wire = match line.is_responses() {
            true => wires.iter().find(|wire| wire.ends_with("-responses")),
            false => wires.first(),
        };
        let wire = wire.cloned().unwrap_or_default();
        Recorded {
            plugin,
            target: wire::Target {
                model: model.as_str().unwrap().to_owned(),
                settings,
                wire,
            },
            framing,
            headers,
            body,
        }
    }

    /// The body as a whole response.
    pub(crate) fn response(&self, status: u16, body: &[u8]) -> wire::Response {
        wire::Response {
            status,
            headers: vec![],
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// What the plugin reads from the body in these pieces. What the host does with frames in
    /// between is the same as in an exchange.
    pub(crate) async fn read<'a>(
        &self,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<wire::Event>, PluginError> {
        let mut decoder = self
            .plugin
            .session()
            .await?
            .into_decoder(&self.target)
            .await?;
        let mut framer = Framer::new(self.framing);
        let mut events = vec![];
        for piece in pieces {
            let mut frames = vec![];
            framer.push(piece, &mut frames).unwrap();
            if !frames.is_empty() && !is_over(&events) {
                events.extend(decoder.push(frames).await?);
            }
        }
        match framer.finish() {
            Tail::Frames(frames) => {
                if !frames.is_empty() && !is_over(&events) {
                    events.extend(decoder.push(frames).await?);
                }
                if !is_over(&events) {
                    events.extend(decoder.finish().await?);
                }
            }
            Tail::Cut(frames) => {
                if !frames.is_empty() && !is_over(&events) {
                    events.extend(decoder.push(frames).await?);
                }
                if !is_over(&events) {
                    events.push(cut());
                }
            }
            Tail::Foreign(_) => events.push(cut()),
            Tail::Whole(body) => {
                let mut session = decoder.into_session();
                let response = self.response(200, body.as_bytes());
                let last = match session.decode(&self.target, response).await? {
                    Ok(_) => wire::Event::Done,
                    Err(error) => wire::Event::Failed(error),
                };
                events.push(last);
            }
        }
        Ok(events)
    }
}

/// What the host makes of an end that is none.
fn cut() -> wire::Event {
    wire::Event::Failed(multillm::Error::new(
        multillm::ErrorKind::Truncated,
        "cut within an event",
    ))
}

/// Did the answer end with these events, well or not.
pub(crate) fn is_over(events: &[wire::Event]) -> bool {
    events
        .iter()
        .any(|event| matches!(event, wire::Event::Done | wire::Event::Failed(_)))
}

/// Sends a request that the simulator saw once more.
fn again(stage: &Stage, exchange: &Exchange) -> (Vec<(String, String)>, Vec<u8>) {
    let query = match exchange.query.as_str() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    let mut head = format!(
        "POST {}{query} HTTP/1.1\r\nconnection: close\r\n",
        exchange.path
    );
    for (name, value) in &exchange.headers {
        if name != "accept-encoding" && name != "connection" {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    let mut socket = TcpStream::connect(stage.simulator.addr()).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(b"\r\n").unwrap();
    socket.write_all(&exchange.body).unwrap();
    let mut answer = vec![];
    socket.read_to_end(&mut answer).unwrap();
    let end = find(&answer, b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let headers: Vec<(String, String)> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = answer[end + 4..].to_vec();
    match headers.iter().any(|(name, _)| name == "transfer-encoding") {
        true => (headers, dechunked(&body)),
        false => (headers, body),
    }
}

pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memmem::find(bytes, wanted)
}

fn dechunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = vec![];
    loop {
        let end = find(bytes, b"\r\n").unwrap();
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
}
