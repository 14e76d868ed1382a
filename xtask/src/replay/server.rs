//! A loopback HTTP/1.1 server that answers every request below `/case/<n>` with
//! the n-th exchange. One thread per connection; it judges nothing, it only
//! remembers what was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::case::Case;
use super::cuts::Chunking;

/// No connection is served for longer than this without a byte in either direction.
const PATIENCE: Duration = Duration::from_secs(30);

/// Headers that describe the recorded connection or the recorded coding and
/// not the reply: this server has its own.
const LEFT_OUT: [&str; 11] = [
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// A reply, ready to be sent.
pub(super) struct Exchange {
    head: String,
    /// Each goes out as one chunk of the chunked transfer coding, and as one write.
    pieces: Vec<Vec<u8>>,
    /// The body breaks off before its end.
    cut: bool,
}

/// The running server; its threads end with the process.
pub(super) struct Server {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    exchanges: Vec<Exchange>,
    /// The requests that each exchange has answered.
    asked: Mutex<Vec<Vec<Asked>>>,
}

/// A request that came.
#[derive(Clone)]
pub(super) struct Asked {
    line: String,
    pub(super) body: Vec<u8>,
}

impl Exchange {
    /// The reply of a recording, cut.
    pub(super) fn new(case: &Case, chunking: Chunking, seed: u64) -> Self {
        let mut head = format!("HTTP/1.1 {} Recorded\r\n", case.status);
        let mut has_type = false;
        for (name, value) in &case.headers {
            let name = name.to_ascii_lowercase();
            let is_token =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
            if LEFT_OUT.contains(&name.as_str()) || !is_token || value.contains(['\r', '\n', '\0'])
            {
                continue;
            }
            has_type |= name == "content-type";
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !has_type {
            let usual = match case.framing.as_str() {
                "sse" => "text/event-stream",
                "ndjson" => "application/x-ndjson",
                "text" => "text/plain; charset=utf-8",
                _ => "application/json",
            };
            head.push_str(&format!("content-type: {usual}\r\n"));
        }
        head.push_str("transfer-encoding: chunked\r\nconnection: close\r\n\r\n");

        // Every recording is cut differently, and the same way on every run.
        let own_seed = case.name.bytes().fold(seed, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        });
        let chunk = |piece: &[u8]| {
            let size = format!("{:x}\r\n", piece.len());
            [size.as_bytes(), piece, b"\r\n"].concat()
        };
        let pieces = chunking
            .pieces(&case.body, own_seed)
            .into_iter()
            .filter_map(|piece| case.body.get(piece).map(chunk))
            .chain([b"0\r\n\r\n".to_vec()])
            .collect();
        Exchange {
            head,
            pieces,
            cut: false,
        }
    }

    /// The same, broken off in the middle.
    pub(super) fn cut(self) -> Self {
        let mut pieces = self.pieces;
        // The last piece is the end's.
        pieces.truncate((pieces.len() - 1) / 2);
        Exchange {
            pieces,
            cut: true,
            ..self
        }
    }
}

impl Server {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// No port can be had.
    pub(super) fn start(exchanges: Vec<Exchange>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot listen on 127.0.0.1")?;
        let addr = listener.local_addr()?;
        let asked = Mutex::new(vec![Vec::new(); exchanges.len()]);
        let shared = Arc::new(Shared { exchanges, asked });
        let for_connections = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let shared = Arc::clone(&for_connections);
                // A client that leaves early is seen by the comparison, not here.
                thread::spawn(move || shared.serve(stream).ok());
            }
        });
        Ok(Server { addr, shared })
    }

    /// The base URL under which an exchange answers.
    pub(super) fn base_url(&self, number: usize) -> String {
        format!("http://{}/case/{number}", self.addr)
    }

    /// How often an exchange was asked for.
    pub(super) fn requests(&self, number: usize) -> usize {
        self.asked(number).len()
    }

    /// The first request line that an exchange answered.
    pub(super) fn first_request(&self, number: usize) -> Option<String> {
        self.asked(number)
            .into_iter()
            .next()
            .map(|asked| asked.line)
    }

    /// The requests that an exchange answered.
    pub(super) fn asked(&self, number: usize) -> Vec<Asked> {
        let asked = self.shared.asked.lock();
        let found = asked.ok().and_then(|asked| asked.get(number).cloned());
        found.unwrap_or_default()
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let asked = read_request(&stream)?;
        let request_line = &asked.line;
        let number = exchange_number(request_line);
        let exchange = number.and_then(|number| self.exchanges.get(number));
        let Some((number, exchange)) = number.zip(exchange) else {
            stream.write_all(
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            )?;
            bail!("there is no exchange for {request_line:?}");
        };
        if let Ok(mut log) = self.asked.lock()
            && let Some(requests) = log.get_mut(number)
        {
            requests.push(asked);
        }
        stream.write_all(exchange.head.as_bytes())?;
        for piece in &exchange.pieces {
            stream.write_all(piece)?;
        }
        if exchange.cut {
            return Ok(stream.shutdown(Shutdown::Both)?);
        }
        stream.shutdown(Shutdown::Write)?;
        // Closing while the client still sends would reset the connection.
        std::io::copy(&mut stream, &mut std::io::sink())?;
        Ok(())
    }
}

/// Reads a request with its body.
fn read_request(stream: &TcpStream) -> Result<Asked> {
    let mut reader = BufReader::new(stream);
    let line = read_line(&mut reader)?;
    let framing = read_headers(&mut reader, |_, _| {})?;
    let mut body = Vec::new();
    framing.read(&mut reader, &mut body)?;
    Ok(Asked { line, body })
}

/// How a body is framed.
pub(super) enum Framing {
    Chunked,
    Length(u64),
}

/// Reads headers to their end; gives how the body behind them is framed.
pub(super) fn read_headers(
    reader: &mut impl BufRead,
    mut each: impl FnMut(&str, &str),
) -> Result<Framing> {
    let mut framing = Framing::Length(0);
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(framing);
        }
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "content-length" => framing = Framing::Length(value.parse()?),
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => {
                framing = Framing::Chunked;
            }
            _ => {}
        }
        each(&name, value);
    }
}

impl Framing {
    /// Reads a body to its end; what came before a failure is there.
    pub(super) fn read(&self, reader: &mut impl BufRead, body: &mut Vec<u8>) -> Result<()> {
        let Framing::Length(length) = self else {
            return read_chunks(reader, body);
        };
        take(reader, *length, body)
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> Result<()> {
    loop {
        let line = read_line(reader)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16).context("a chunk without a size")?;
        take(reader, size, body)?;
        if !read_line(reader)?.is_empty() {
            bail!("a chunk is longer than it says");
        }
        if size == 0 {
            return Ok(());
        }
    }
}

fn take(reader: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> Result<()> {
    let taken = reader.take(length).read_to_end(body)? as u64;
    if taken < length {
        bail!("the body ended early");
    }
    Ok(())
}

pub(super) fn read_line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    if reader.take(64 * 1024).read_line(&mut line)? == 0 {
        bail!("the connection ended");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The number in `POST /case/<n>/… HTTP/1.1`.
fn exchange_number(request_line: &str) -> Option<usize> {
    let path = request_line.split(' ').nth(1)?;
    let after = path.strip_prefix("/case/")?;
    after.split(['/', '?', ':']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case() -> Case {
        let text = json!({
            "vendor": "openai", "model": "m", "url": "u", "status": 429, "stream": true, "framing": "sse",
            "response_headers": [["Retry-After", "7"], ["Content-Length", "3"], ["transfer-encoding", "chunked"],
                                 ["Content-Encoding", "gzip"], ["bad name", "x"], ["x-split", "a\r\nb: c"]],
            "response_body": "ZGF0YTogw6QNCg0K", "expect": {},
        });
        Case::parse("one", &text.to_string()).expect("a case")
    }

    fn ask(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect(server.addr).expect("connected");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).expect("answered");
        String::from_utf8_lossy(&reply).into_owned()
    }

    #[test]
    fn any_path_below_a_case_gives_its_reply_in_pieces() {
        let server = Server::start(vec![
            Exchange::new(&case(), Chunking::Whole, 1),
            Exchange::new(&case(), Chunking::Bytes, 1),
        ])
        .expect("started");
        let request = "POST /case/1/v1/chat?a=b HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
        let reply = ask(&server, request);
        let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
        assert_eq!(
            head,
            "HTTP/1.1 429 Recorded\r\nretry-after: 7\r\ncontent-type: text/event-stream\r\n\
             transfer-encoding: chunked\r\nconnection: close"
        );
        // The two bytes of the umlaut stand in two chunks, which is why this is no valid text.
        assert!(body.starts_with("1\r\nd\r\n1\r\na\r\n"), "{body:?}");
        assert!(body.ends_with("1\r\n\n\r\n0\r\n\r\n"), "{body:?}");
        assert_eq!(server.requests(0), 0);
        assert_eq!(
            server.first_request(1).as_deref(),
            Some("POST /case/1/v1/chat?a=b HTTP/1.1")
        );
    }

    #[test]
    fn chunked_requests_are_read_to_their_end() {
        let server =
            Server::start(vec![Exchange::new(&case(), Chunking::Whole, 1)]).expect("started");
        let request =
            "POST /case/0/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
        assert!(ask(&server, request).ends_with("\r\n\r\n0\r\n\r\n"));
        assert_eq!(server.requests(0), 1);
    }

    #[test]
    fn a_path_of_no_case_is_not_found() {
        let server = Server::start(Vec::new()).expect("started");
        assert!(ask(&server, "GET /case/0 HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask(&server, "GET /elsewhere HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
    }
}
