//! What came in and how it ended: kept in memory for tests in the same process, and written line by line
//! to a file for those outside. It stores keys and bodies as they were sent, for a test must see them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::server::http1::Request;
use crate::vendor::Vendor;

/// How many exchanges are remembered; older ones are forgotten first.
const KEPT: usize = 20_000;

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is still being written, or held back.
    Open,
    /// Everything was written.
    Completed,
    /// The client closed its connection first, this long after its request was read.
    ClientGone {
        /// From the end of the request to the disconnect.
        after: Duration,
    },
    /// The simulator broke off, because a fault asked for it.
    Cut,
}

/// One request and what became of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Counted from 1 in order of arrival.
    pub number: u64,
    /// Whose path was asked; none for a path of no vendor.
    pub vendor: Option<Vendor>,
    /// The HTTP method.
    pub method: String,
    /// The path as sent, still percent-encoded, without the query.
    pub path: String,
    /// The query as sent, without `?`; empty when there was none.
    pub query: String,
    /// Headers in order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub body: Bytes,
    /// The status sent; none when the connection was closed before that.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// From the end of the request to the end of the answer; so far, if still open.
    pub elapsed: Duration,
}

impl Exchange {
    /// The first header of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON, `null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The form of one line of the log file.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (outcome, gone_after) = match self.outcome {
            Outcome::Open => ("open", None),
            Outcome::Completed => ("completed", None),
            Outcome::ClientGone { after } => ("client-gone", Some(millis(after))),
            Outcome::Cut => ("cut", None),
        };
        json!({
            "number": self.number,
            "vendor": self.vendor.map(Vendor::name),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "body": String::from_utf8_lossy(&self.body),
            "status": self.status,
            "outcome": outcome,
            "client_gone_after_ms": gone_after,
            "elapsed_ms": millis(self.elapsed),
        })
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The log of one simulator.
pub(crate) struct Log {
    kept: Mutex<Kept>,
}

struct Kept {
    entries: VecDeque<(Exchange, Instant)>,
    next: u64,
    file: Option<File>,
}

impl Log {
    pub(crate) fn new(file: Option<&Path>) -> std::io::Result<Self> {
        let file = file.map(File::create).transpose()?;
        let kept = Kept {
            entries: VecDeque::new(),
            next: 1,
            file,
        };
        Ok(Self {
            kept: Mutex::new(kept),
        })
    }

    /// Notes a request that was read; the number names it from here on.
    pub(crate) fn open(&self, request: &Request, vendor: Option<Vendor>) -> u64 {
        let mut kept = self.lock();
        let number = kept.next;
        kept.next += 1;
        if kept.entries.len() >= KEPT {
            kept.entries.pop_front();
        }
        let exchange = Exchange {
            number,
            vendor,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            status: None,
            outcome: Outcome::Open,
            elapsed: Duration::ZERO,
        };
        kept.entries.push_back((exchange, Instant::now()));
        number
    }

    pub(crate) fn status(&self, number: u64, status: u16) {
        if let Some((exchange, _)) = self.lock().find(number) {
            exchange.status = Some(status);
        }
    }

    /// Notes the end; `gone` wins over `outcome`'s time, which is taken here.
    pub(crate) fn close(&self, number: u64, ending: Outcome) {
        let mut kept = self.lock();
        let Some((exchange, since)) = kept.find(number) else {
            return;
        };
        exchange.elapsed = since.elapsed();
        exchange.outcome = match ending {
            Outcome::ClientGone { .. } => Outcome::ClientGone {
                after: exchange.elapsed,
            },
            other => other,
        };
        let line = exchange.to_json();
        if let Some(file) = kept.file.as_mut() {
            // A full disk must not stop the simulation: the log in memory is still right.
            let _ = writeln!(file, "{line}");
        }
    }

    pub(crate) fn entries(&self) -> Vec<Exchange> {
        let kept = self.lock();
        let so_far = |(exchange, since): &(Exchange, Instant)| {
            let mut exchange = exchange.clone();
            if exchange.outcome == Outcome::Open {
                exchange.elapsed = since.elapsed();
            }
            exchange
        };
        kept.entries.iter().map(so_far).collect()
    }

    pub(crate) fn count(&self) -> u64 {
        self.lock().next - 1
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, number: u64) -> Option<&mut (Exchange, Instant)> {
        // Open exchanges are nearly always the newest.
        self.entries
            .iter_mut()
            .rev()
            .find(|(exchange, _)| exchange.number == number)
    }
}
