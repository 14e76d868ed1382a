//! The gateway's part of the configuration, as it is written.

use std::num::{NonZeroU32, NonZeroU64};

use schemars::JsonSchema;
use serde::Deserialize;

/// What `multillm serve` does.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Gateway {
    /// Where it listens, such as `0.0.0.0:4000`. Without any key it must be a loopback address. Default: `127.0.0.1:4000`.
    pub(in crate::config) listen: Option<String>,
    /// The file of its keys, which `multillm key` writes. Default: `gateway-keys.json` in the user's configuration directory.
    pub(in crate::config) keys: Option<String>,
    /// Names under which it is asked, as they stand in `Host`, beside `localhost` and loopback addresses. Without keys others are refused; with keys none are.
    pub(in crate::config) hosts: Option<Vec<String>>,
    /// Web pages that may ask it, such as `https://chat.example.org`. Default: none but its own host's.
    pub(in crate::config) origins: Option<Vec<String>>,
    /// What happens to what a model's wire has no form for: `refuse`, or `drop` with a warning header. Default: refuse.
    pub(in crate::config) unsupported: Option<Unsupported>,
    /// A certificate of its own; without it, it speaks plain HTTP.
    pub(in crate::config) tls: Option<GatewayTls>,
    /// Most connections at one time; more are closed at once. Default: 16384.
    pub(in crate::config) max_connections: Option<NonZeroU32>,
    /// Most requests at one time; who comes beyond gets 503. Default: 16384, of which `limits.max_concurrency` may be translated.
    pub(in crate::config) max_requests: Option<NonZeroU32>,
    /// How long a request waits for a place in milliseconds. Default: 0.
    pub(in crate::config) queue_ms: Option<u64>,
    /// For the head of a request, in milliseconds. Default: 15000.
    pub(in crate::config) header_ms: Option<NonZeroU64>,
    /// For the body of a request, in milliseconds. Default: 60000.
    pub(in crate::config) body_ms: Option<NonZeroU64>,
    /// How long a caller may take nothing of an answer, in milliseconds. Default: 60000.
    pub(in crate::config) write_ms: Option<NonZeroU64>,
    /// How long answers under way may go on after it was told to stop, in milliseconds. Default: 30000.
    pub(in crate::config) drain_ms: Option<NonZeroU64>,
    /// Silence after which a translated stream of Anthropic's wire says `ping`, in milliseconds. Default: 15000.
    pub(in crate::config) ping_ms: Option<NonZeroU64>,
    /// A line of JSON for each request: a file, or `-` for standard error. Default: none.
    pub(in crate::config) access_log: Option<String>,
    /// Where traces are sent: the address of an OpenTelemetry collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`. Default: nowhere.
    pub(in crate::config) traces: Option<String>,
    /// Whether `/metrics` is answered without a key. Default: only on a loopback address.
    pub(in crate::config) open_metrics: Option<bool>,
}

/// What happens to what cannot be said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unsupported {
    /// The request is refused, and what it is is named.
    #[default]
    Refuse,
    /// It is left out, and a header says so.
    Drop,
}

/// The certificate and key of the gateway.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct GatewayTls {
    /// A PEM file of its certificate, with those that it is signed by. Required.
    pub(in crate::config) cert: Option<String>,
    /// The PEM file of its private key. Default: it stands in the file of `cert`.
    pub(in crate::config) key: Option<String>,
}
