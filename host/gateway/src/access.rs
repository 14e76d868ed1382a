//! A line of JSON for each request: who asked what, and what came of it. No word of what was said, and no key.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use multillm::config::AccessLog;
use multillm::{Error, Result};
use serde::Serialize;

use crate::metrics::Metrics;
use crate::traces::Open;

/// Prints a line.
pub(crate) type Lines = Arc<dyn Fn(&str) + Send + Sync>;

/// Where lines go.
#[derive(Clone)]
pub(crate) struct Log(Target);

#[derive(Clone)]
enum Target {
    None,
    Told(Lines),
    File(Arc<Mutex<File>>),
}

impl Log {
    /// `lines` prints what is wanted on standard error.
    pub(crate) fn open(wanted: Option<&AccessLog>, lines: Option<Lines>) -> Result<Self> {
        Ok(Log(match wanted {
            None => Target::None,
            Some(AccessLog::Stderr) => lines.map_or(Target::None, Target::Told),
            Some(AccessLog::File(path)) => {
                let mut options = OpenOptions::new();
                options.create(true).append(true);
                #[cfg(unix)]
                {
                    use std::os::unix::fs::OpenOptionsExt as _;
                    options.mode(0o600);
                }
                let opened = options.open(path);
                let file = opened.map_err(|error| {
                    Error::configuration(format!("gateway.access_log: {}: {error}", path.display()))
                })?;
                Target::File(Arc::new(Mutex::new(file)))
            }
        }))
    }

    fn write(&self, line: &Line) {
        let Ok(mut text) = serde_json::to_string(line) else {
            return;
        };
        let written = match &self.0 {
            Target::None => Ok(()),
            Target::Told(lines) => {
                lines(&text);
                Ok(())
            }
            Target::File(file) => {
                text.push('\n');
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(text.as_bytes())
            }
        };
        if let Err(error) = written {
            tracing::debug!(%error, "a line about a request is lost");
        }
    }
}

/// What is said of a request.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Line {
    pub(crate) at: String,
    pub(crate) request_id: String,
    pub(crate) method: String,
    pub(crate) route: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lane: Option<&'static str>,
    pub(crate) stream: bool,
    pub(crate) status: u16,
    /// `complete`, `cut` by the vendor or the network, or `left` by the caller.
    pub(crate) end: &'static str,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'static str>,
}

/// A request under way. Dropping it counts it and writes its line.
pub(crate) struct Entry {
    pub(crate) line: Line,
    begun: Instant,
    log: Log,
    metrics: Arc<Metrics>,
    trace: Option<Open>,
}

impl Entry {
    pub(crate) fn begin(log: &Log, metrics: &Arc<Metrics>, method: &str, request_id: &str) -> Self {
        metrics.begun();
        Entry {
            line: Line {
                at: jiff::Timestamp::now().to_string(),
                request_id: request_id.to_owned(),
                // What somebody made up is no label.
                method: match method {
                    "GET" | "HEAD" | "POST" | "OPTIONS" => method.to_owned(),
                    _ => "OTHER".to_owned(),
                },
                route: "-",
                end: "left",
                ..Line::default()
            },
            begun: Instant::now(),
            log: log.clone(),
            metrics: metrics.clone(),
            trace: None,
        }
    }

    /// Its span, which ends with it.
    pub(crate) fn traced(mut self, trace: Option<Open>) -> Self {
        self.trace = trace;
        self
    }

    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let elapsed = self.begun.elapsed();
        self.metrics.ended(&self.line, elapsed);
        if let Some(trace) = self.trace.take() {
            trace.end(&self.line);
        }
        if !matches!(self.log.0, Target::None) {
            self.line.ms = elapsed.as_secs_f64() * 1000.0;
            self.log.write(&self.line);
        }
    }
}
