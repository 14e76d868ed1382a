//! A server on this machine that answers with what was recorded: what stands behind a plugin while its author writes it.
//!
//! A question gets the recording of the same request, where one says which request it answers; else the first success
//! that came streamed or whole, as is wanted now.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri, header};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::check::Recording;

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Replay {
    address: SocketAddr,
    recordings: Shared,
    task: JoinHandle<()>,
}

type Shared = Arc<RwLock<Vec<Recording>>>;

impl Replay {
    /// Begins to answer, on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// No port can be had.
    pub async fn start(recordings: Vec<Recording>) -> io::Result<Self> {
        let recordings: Shared = Arc::new(RwLock::new(recordings));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .fallback(answer)
            .with_state(recordings.clone());
        let task = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Replay {
            address,
            recordings,
            task,
        })
    }

    /// Where it answers, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers with these from now on.
    pub fn load(&self, recordings: Vec<Recording>) {
        let mut known = self
            .recordings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *known = recordings;
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(recordings): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    // The host says by this header how it is going to cut the answer.
    let accepted = headers.get(header::ACCEPT);
    let accepted = accepted.and_then(|accepted| accepted.to_str().ok());
    let streamed =
        accepted.is_some_and(|kinds| kinds.contains("stream") || kinds.contains("ndjson"));
    let known = recordings.read().unwrap_or_else(PoisonError::into_inner);
    let asked = (method.as_str(), uri.path(), body.as_ref());
    match chosen(&known, asked, streamed) {
        Some(recording) => of(recording),
        None => nothing(),
    }
}

/// The recording that answers a request best.
fn chosen<'a>(
    known: &'a [Recording],
    (method, path, body): (&str, &str, &[u8]),
    streamed: bool,
) -> Option<&'a Recording> {
    let same = |recording: &&Recording| {
        recording.request.as_ref().is_some_and(|asked| {
            asked.method == method && asked.path == path && asked.body.as_bytes() == body
        })
    };
    let good = |recording: &&Recording| recording.status < 400;
    let alike = |recording: &&Recording| good(recording) && recording.stream == streamed;
    let mut all = known.iter();
    let found = all.find(same).or_else(|| known.iter().find(alike));
    found
        .or_else(|| known.iter().find(good))
        .or_else(|| known.first())
}

fn of(recording: &Recording) -> Response<Body> {
    let mut response = Response::builder().status(recording.status);
    for (name, value) in &recording.headers {
        // Lengths and codings are this server's own.
        if !matches!(
            name.as_str(),
            "content-length" | "content-encoding" | "transfer-encoding" | "connection"
        ) {
            response = response.header(name, value);
        }
    }
    let response = response.body(Body::from(recording.body.clone()));
    response.unwrap_or_else(|_| nothing())
}

fn nothing() -> Response<Body> {
    let words = r#"{"error":{"message":"no answer is recorded for this question"}}"#;
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = axum::http::StatusCode::NOT_FOUND;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Request;

    fn recording(name: &str, stream: bool, status: u16, body: Option<&str>) -> Recording {
        Recording {
            name: name.to_owned(),
            stream,
            status,
            headers: vec![],
            body: name.to_owned(),
            request: body.map(|body| Request {
                method: "POST".to_owned(),
                path: "/v1/talk".to_owned(),
                body: body.to_owned(),
            }),
            expect: None,
        }
    }

    #[test]
    fn the_same_request_gets_its_own_answer_and_others_one_of_their_kind() {
        let known = [
            recording("refused", false, 503, Some("busy?")),
            recording("whole", false, 200, None),
            recording("stream", true, 200, None),
        ];
        let name_of = |body: &str, streamed| {
            let asked = ("POST", "/v1/talk", body.as_bytes());
            chosen(&known, asked, streamed).map(|found| found.name.as_str())
        };
        assert_eq!(name_of("busy?", true), Some("refused"));
        assert_eq!(name_of("hello", true), Some("stream"));
        assert_eq!(name_of("hello", false), Some("whole"));
        assert!(chosen(&[], ("GET", "/", b""), false).is_none());
    }

    #[tokio::test]
    async fn what_was_recorded_is_answered_and_can_be_changed() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let replay = Replay::start(vec![recording("whole", false, 200, None)])
            .await
            .unwrap();
        let ask = async || {
            let address = replay.base_url().replace("http://", "");
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request = b"POST /v1/talk HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
            stream.write_all(request).await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            text
        };
        let text = ask().await;
        assert!(
            text.starts_with("HTTP/1.1 200") && text.ends_with("whole"),
            "{text}"
        );
        replay.load(vec![]);
        assert!(ask().await.starts_with("HTTP/1.1 404"));
    }
}
