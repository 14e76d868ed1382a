//! A server that answers byte for byte as told, for what no simulated vendor would say.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers every request with what `answer` makes of the number of the request, from 0.
pub(crate) struct RawServer {
    pub(crate) origin: String,
    seen: Arc<AtomicUsize>,
}

impl RawServer {
    pub(crate) fn new(answer: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = seen.clone();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                std::thread::spawn(move || serve(stream, &answer(number)));
            }
        });
        RawServer { origin, seen }
    }

    /// One that always says the same.
    pub(crate) fn always(answer: Vec<u8>) -> Self {
        Self::new(move |_| answer.clone())
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, answer: &[u8]) {
    let mut request = vec![];
    let mut buffer = [0; 65_536];
    while !is_complete(&request) {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let _ = stream.write_all(answer);
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    request.len() >= head.len() + 4 + length
}

/// An HTTP answer with this status, type and further headers (each ended by CRLF).
pub(crate) fn http(status: u16, kind: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{headers}connection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A stream of these events.
pub(crate) fn sse(events: &[&str]) -> String {
    events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect()
}
