//! A client that shows what came over the socket: no library hides a cut, a chunk or a header.

use std::time::Duration;

use multillm_simulator::{Options, Simulator, Vendor};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body came to its declared end.
    pub(crate) complete: bool,
    /// The connection was reset.
    pub(crate) reset: bool,
    /// Chunks in which the body came.
    pub(crate) chunks: usize,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The `data:` of every event that is JSON.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        data.filter_map(|data| serde_json::from_str(data.trim()).ok())
            .collect()
    }
}

pub(crate) async fn start() -> Simulator {
    Simulator::start(Options::default()).await.unwrap()
}

/// Sends a request and reads until the end of the body or of the connection.
pub(crate) async fn send(
    simulator: &Simulator,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(simulator.addr()).await.unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
        simulator.addr()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let reading =
        tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
    parse(&bytes, reading.expect("the answer must end").is_err())
}

fn parse(bytes: &[u8], reset: bool) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let mut answer = Answer {
        status: 0,
        headers: Vec::new(),
        body: Vec::new(),
        complete: false,
        reset,
        chunks: 0,
    };
    let Some(end) = end else { return answer };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    answer.status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    answer.headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut rest = &bytes[end + 4..];
    if answer.header("transfer-encoding") != Some("chunked") {
        answer.complete = answer
            .header("content-length")
            .is_some_and(|length| length == rest.len().to_string());
        answer.body = rest.to_vec();
        return answer;
    }
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        rest = &rest[line + 2..];
        if size == 0 {
            answer.complete = true;
            break;
        }
        answer.body.extend_from_slice(&rest[..size]);
        answer.chunks += 1;
        rest = &rest[size + 2..];
    }
    answer
}

/// Posts JSON with headers that open the door.
pub(crate) async fn post(
    simulator: &Simulator,
    path: &str,
    keys: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(keys);
    send(simulator, "POST", path, &headers, &body.to_string()).await
}

/// Posts JSON with a vendor's key as a bearer token.
pub(crate) async fn post_as(
    simulator: &Simulator,
    vendor: Vendor,
    path: &str,
    body: &Value,
) -> Answer {
    let key = format!("Bearer {}", vendor.key());
    post(simulator, path, &[("authorization", key.as_str())], body).await
}

/// A chat completion of OpenAI.
pub(crate) async fn complete(simulator: &Simulator, body: &Value) -> Answer {
    post_as(
        simulator,
        Vendor::OpenAi,
        "/openai/v1/chat/completions",
        body,
    )
    .await
}

/// A request of one user message.
pub(crate) fn saying(text: &str) -> Value {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]})
}

/// A request with members changed; `null` removes one.
pub(crate) fn with(mut body: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}

/// A 1x1 PNG.
pub(crate) const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A tool `look` with one integer.
pub(crate) fn look() -> Value {
    let parameters =
        json!({"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]});
    json!({"type": "function", "function": {"name": "look", "parameters": parameters}})
}
