//! What the gateway does, validated. Every default of it stands here.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::schema::{self, Unsupported};

/// What the gateway does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The file of its keys; absent: in the user's configuration directory.
    pub keys: Option<PathBuf>,
    /// Names under which it is asked, in lower case.
    pub hosts: Vec<String>,
    /// Web pages that may ask it, in lower case and without a slash at the end.
    pub origins: Vec<String>,
    /// What happens to what cannot be said.
    pub unsupported: Unsupported,
    /// Its certificate and private key; the same file where both stand in one.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Connections at one time.
    pub max_connections: u32,
    /// Requests at one time.
    pub max_requests: u32,
    /// How long a request waits for a place.
    pub queue: Duration,
    /// For the head of a request.
    pub header: Duration,
    /// For its body.
    pub body: Duration,
    /// How long a caller may take nothing of an answer.
    pub write: Duration,
    /// How long answers under way may go on after it was told to stop.
    pub drain: Duration,
    /// Silence after which a translated stream says that it is alive.
    pub ping: Duration,
    /// Where a line for each request goes.
    pub access_log: Option<AccessLog>,
    /// The collector that traces are sent to, by plain HTTP.
    pub traces: Option<Url>,
    /// Whether metrics need no key; absent: where it listens on loopback.
    pub open_metrics: Option<bool>,
}

/// Where lines about requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLog {
    /// Standard error.
    Stderr,
    /// A file, which is appended to.
    File(PathBuf),
}

/// The usual place to listen.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4000);

/// The paths that a configuration names, made absolute, and what else needs its context.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) listen: Option<SocketAddr>,
    pub(super) keys: Option<PathBuf>,
    pub(super) tls: Option<(PathBuf, PathBuf)>,
    pub(super) access_log: Option<PathBuf>,
    pub(super) traces: Option<Url>,
}

impl Gateway {
    pub(super) fn new(raw: Option<&schema::Gateway>, resolved: Resolved) -> Self {
        let none = schema::Gateway::default();
        let raw = raw.unwrap_or(&none);
        let lower = |texts: &Option<Vec<String>>| {
            let texts = texts.iter().flatten();
            let tidy = |text: &String| text.trim().trim_end_matches('/').to_ascii_lowercase();
            texts.map(tidy).collect()
        };
        let count = |value: Option<NonZeroU32>| value.map_or(16_384, NonZeroU32::get);
        let millis = |value: Option<NonZeroU64>, default: u64| {
            Duration::from_millis(value.map_or(default, NonZeroU64::get))
        };
        Gateway {
            listen: resolved.listen.unwrap_or(LISTEN),
            keys: resolved.keys,
            hosts: lower(&raw.hosts),
            origins: lower(&raw.origins),
            unsupported: raw.unsupported.unwrap_or_default(),
            tls: resolved.tls,
            max_connections: count(raw.max_connections),
            max_requests: count(raw.max_requests),
            queue: Duration::from_millis(raw.queue_ms.unwrap_or(0)),
            header: millis(raw.header_ms, 15_000),
            body: millis(raw.body_ms, 60_000),
            write: millis(raw.write_ms, 60_000),
            drain: millis(raw.drain_ms, 30_000),
            ping: millis(raw.ping_ms, 15_000),
            access_log: match (raw.access_log.as_deref(), resolved.access_log) {
                (Some("-"), _) => Some(AccessLog::Stderr),
                (_, path) => path.map(AccessLog::File),
            },
            traces: resolved.traces,
            open_metrics: raw.open_metrics,
        }
    }

    /// Whether metrics need no key.
    #[must_use]
    pub fn shows_metrics(&self) -> bool {
        self.open_metrics
            .unwrap_or_else(|| self.listen.ip().is_loopback())
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Gateway::new(None, Resolved::default())
    }
}
