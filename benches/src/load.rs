//! Callers: connections that ask again and again, and streams that are held open.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

/// How many connections ask at once, unless it is said.
const CONNECTIONS: usize = 32;
/// What a caller says: a kilobyte.
#[must_use]
pub fn question() -> String {
    "please write 300 words about the sea and the ships on it. ".repeat(17)
}

/// Requests to one part.
pub struct Load {
    address: SocketAddr,
    request: Vec<u8>,
    connections: usize,
}

/// How long requests took.
pub struct Times {
    /// Half of them took less.
    pub median_ms: f64,
    /// 99 of 100 took less.
    pub late_ms: f64,
}

impl Load {
    /// To a part of the benches.
    #[must_use]
    pub fn new(address: SocketAddr, stream: bool) -> Self {
        // The library's handler goes by the path, a relay's upstream by the body.
        let (path, flag) = match stream {
            true => ("/stream", "\"stream\":true "),
            false => ("/whole", ""),
        };
        let request = post(path, &format!("{flag}{}", question()));
        Load::of(address, request)
    }

    /// The same request, again and again.
    #[must_use]
    pub fn of(address: SocketAddr, request: Vec<u8>) -> Self {
        Load {
            address,
            request,
            connections: CONNECTIONS,
        }
    }

    /// So many at once.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Asks so often.
    ///
    /// # Errors
    ///
    /// An answer is no success.
    pub fn run(&self, count: usize) -> Result<Times> {
        let left = AtomicUsize::new(count);
        let taken = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.connections)
                .map(|_| scope.spawn(|| self.work(&left)))
                .collect();
            let ended = workers.into_iter().map(|worker| match worker.join() {
                Ok(times) => times,
                Err(_) => bail!("a caller panicked"),
            });
            ended.collect::<Result<Vec<_>>>()
        })?;
        let mut taken: Vec<Duration> = taken.concat();
        taken.sort();
        let at = |part: usize| {
            let time = taken.get(taken.len() * part / 100);
            time.map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
        };
        Ok(Times {
            median_ms: at(50),
            late_ms: at(99),
        })
    }

    fn work(&self, left: &AtomicUsize) -> Result<Vec<Duration>> {
        let mut connection = connect(self.address)?;
        let mut held = vec![];
        let mut taken = vec![];
        let next = || {
            let take = |left: usize| left.checked_sub(1);
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
        };
        while next().is_ok() {
            let begun = Instant::now();
            connection.write_all(&self.request)?;
            read_answer(&mut connection, &mut held)?;
            taken.push(begun.elapsed());
        }
        Ok(taken)
    }
}

/// Opens so many streams and waits for the first piece of each.
///
/// # Errors
///
/// One of them does not begin.
pub fn hold(address: SocketAddr, request: &[u8], count: usize) -> Result<Vec<TcpStream>> {
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        let mut connection = connect(address)?;
        connection.write_all(request)?;
        open.push(connection);
    }
    for connection in &mut open {
        let mut held = vec![];
        while !held.windows(4).any(|part| part == b"wave") {
            let mut piece = [0; 1024];
            let length = connection.read(&mut piece)?;
            ensure!(length > 0, "a stream ended early");
            held.extend_from_slice(&piece[..length]);
        }
    }
    Ok(open)
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let connection = TcpStream::connect(address)?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(connection)
}

/// A request with a text.
#[must_use]
pub fn post(path: &str, body: &str) -> Vec<u8> {
    post_with(path, "content-type: text/plain\r\n", body)
}

/// A request with these headers, each with the end of its line.
#[must_use]
pub fn post_with(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Reads one answer, of a known length or in chunks.
fn read_answer(connection: &mut TcpStream, held: &mut Vec<u8>) -> Result<()> {
    let mut piece = [0; 16 << 10];
    loop {
        if let Some(end) = held.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&held[..end]).to_ascii_lowercase();
            ensure!(head.starts_with("http/1.1 200"), "no success: {head}");
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .and_then(|length| length.trim().parse::<usize>().ok());
            let all = match length {
                Some(length) => Some(end + 4 + length).filter(|all| *all <= held.len()),
                None => held
                    .get(end + 4..)
                    .and_then(|body| body.windows(7).position(|part| part == b"\r\n0\r\n\r\n"))
                    .map(|at| end + 4 + at + 7),
            };
            if let Some(all) = all {
                held.drain(..all);
                return Ok(());
            }
        }
        let length = connection.read(&mut piece)?;
        ensure!(length > 0, "the answer was cut");
        held.extend_from_slice(&piece[..length]);
    }
}
