//! What can go wrong between the host and a vendor's server.
//!
//! Messages name the server by its origin (scheme, host and port) and never hold a query, a header
//! value or a secret.

use std::time::Duration;

use thiserror::Error;

/// Why an exchange failed, or was not begun.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The configured base URL cannot be used.
    #[error("base_url {shown}: {reason}")]
    BaseUrl {
        /// The URL, without anything in it that may be secret.
        shown: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The plugin's request breaks a rule. The plugin is at fault, and nothing was sent.
    #[error("the plugin's request is refused: {detail}")]
    Refused {
        /// The rule.
        rule: Rule,
        /// What broke it.
        detail: String,
    },
    /// The request needs a secret that is not there, or that the plugin may not use.
    #[error("the request needs the secret {name:?}, which is not set")]
    MissingSecret {
        /// As the plugin calls it, such as `api_key`.
        name: String,
    },
    /// A secret cannot stand in a header.
    #[error("the secret {name:?} cannot be sent: {reason}")]
    UnusableSecret {
        /// As the plugin calls it, such as `api_key`.
        name: String,
        /// What is wrong with it, and what to do. Says nothing of what it holds.
        reason: String,
    },
    /// A body is larger than allowed.
    #[error("{}", too_large(*what, origin, *limit))]
    TooLarge {
        /// Which body.
        what: Oversize,
        /// Who was asked, such as `https://api.openai.com`.
        origin: String,
        /// The bound, in bytes.
        limit: u64,
    },
    /// The client itself cannot be set up: no root certificates, a file that cannot be used.
    #[error("cannot set up TLS: {reason}")]
    Setup {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// No connection came about. Nothing was sent.
    #[error("cannot connect to {origin}: {reason}")]
    Connect {
        /// What kind of failure.
        cause: ConnectCause,
        /// Who was asked, and through which proxy.
        origin: String,
        /// What went wrong, and what to do.
        reason: String,
    },
    /// The proxy that the environment names failed.
    #[error(
        "the proxy {proxy} {reason}: check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, \
         or name the host in NO_PROXY"
    )]
    Proxy {
        /// The proxy's origin.
        proxy: String,
        /// Who was asked through it.
        origin: String,
        /// What it did.
        reason: String,
    },
    /// A variable of the environment is no proxy that can be used, and nothing was sent past it.
    #[error(
        "{variable} is {shown:?}, which is no proxy that can be used: write one such as \
         http://proxy:3128 or socks5://proxy:1080, unset it, or name the host in NO_PROXY"
    )]
    ProxyVariable {
        /// Which variable.
        variable: String,
        /// What it holds, without user name and password.
        shown: String,
    },
    /// A success whose body is a page for a browser.
    #[error("{origin} answered with a web page{}: check base_url", titled(title.as_deref()))]
    WebPage {
        /// Who was asked.
        origin: String,
        /// The page's title, if it has one.
        title: Option<String>,
    },
    /// A success whose body is neither an answer nor a stream of events.
    #[error("{origin} answered with what is no stream: {begins:?}")]
    NoStream {
        /// Who was asked.
        origin: String,
        /// How it begins.
        begins: String,
    },
    /// Time ran out.
    #[error("{}", timed_out(*phase, origin, *after))]
    Timeout {
        /// Which time.
        phase: Phase,
        /// Who was asked.
        origin: String,
        /// How long it was.
        after: Duration,
    },
    /// The server closed or reset the connection before it answered.
    #[error("{origin} closed the connection without an answer: {reason}")]
    NoAnswer {
        /// Who was asked.
        origin: String,
        /// How.
        reason: String,
    },
    /// The connection ended in the middle of the body.
    #[error("{origin} cut its answer short after {received} bytes: {reason}")]
    Cut {
        /// Who was asked.
        origin: String,
        /// How much had come, content coding undone, in bytes.
        received: u64,
        /// How.
        reason: String,
    },
    /// What came is no HTTP, or in a content coding that cannot be undone.
    #[error("{origin} sent an answer that cannot be read: {reason}")]
    Malformed {
        /// Who was asked.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server sent the request elsewhere. Nobody follows: the key would go there too.
    #[error("{}", redirected(origin, *status, location.as_deref()))]
    Redirect {
        /// Who was asked.
        origin: String,
        /// The HTTP status, 300 to 399.
        status: u16,
        /// Where to, without query and fragment, if it said so.
        location: Option<String>,
    },
    /// A picture's URL did not lead to one.
    #[error("cannot fetch the picture from {origin}: {reason}")]
    Picture {
        /// Who was asked.
        origin: String,
        /// What came instead.
        reason: String,
    },
    /// A file cannot be fetched from or put to where it should be.
    #[error("cannot ask {origin}: {reason}")]
    Transfer {
        /// Who was, or was to be, asked.
        origin: String,
        /// Which rule forbids it.
        reason: String,
    },
    /// None of these.
    #[error("the exchange with {origin} failed: {reason}")]
    Other {
        /// Who was asked.
        origin: String,
        /// How.
        reason: String,
    },
}

impl TransportError {
    /// Whether the same request may succeed a little later: nobody is at fault but the network or
    /// the server. Whether it may be repeated is another matter: after [`Cut`](Self::Cut) and
    /// [`Timeout`](Self::Timeout) a part of the answer may have been shown.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { cause, .. } => *cause != ConnectCause::Tls,
            Self::Proxy { .. }
            | Self::Timeout { .. }
            | Self::NoAnswer { .. }
            | Self::Cut { .. }
            | Self::Other { .. } => true,
            _ => false,
        }
    }
}

/// The rules that a plugin's request must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Path segments are neither empty nor `.` nor `..`, hold no control characters, are few.
    Path,
    /// Query pairs have names and are few; the URL is short.
    Query,
    /// Header names are tokens, values are visible ASCII, none comes twice, they are few and short.
    Header,
    /// Some headers are the host's.
    HostHeader,
    /// A credential is a reference to a secret, never a value.
    Credential,
    /// A body part names a blob of this exchange.
    Blob,
    /// A `GET` has no body.
    Body,
    /// The finished URL stays below the base URL.
    Escape,
}

/// Why no connection came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectCause {
    /// The name has no address.
    Dns,
    /// Nobody listens there.
    Refused,
    /// No way leads there.
    Unreachable,
    /// TLS failed: a certificate that is not trusted, or no TLS at all.
    Tls,
    /// None of these.
    Other,
}

/// What ran out of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Connecting, TLS included.
    Connect,
    /// From the request to the head of the answer.
    FirstByte,
    /// Between two pieces of the body.
    Idle,
    /// The whole exchange.
    Total,
}

/// Which body is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Oversize {
    /// The request's.
    Request,
    /// The answer's, content coding undone.
    Response,
}

fn timed_out(phase: Phase, origin: &str, after: Duration) -> String {
    let after = shown(after);
    match phase {
        Phase::Connect => format!(
            "cannot connect to {origin} within {after}: is the address right and reachable? \
             (timeouts.connect_ms)"
        ),
        Phase::FirstByte => format!(
            "no answer from {origin} within {after}: ask for less, or raise timeouts.first_byte_ms"
        ),
        Phase::Idle => format!(
            "{origin} went silent in the middle of its answer for {after} (timeouts.idle_ms)"
        ),
        Phase::Total => format!(
            "{origin} had not finished its answer after {after}: \
             ask for less, or raise timeouts.total_ms"
        ),
    }
}

fn too_large(what: Oversize, origin: &str, limit: u64) -> String {
    let limit = shown_bytes(limit);
    match what {
        Oversize::Request => {
            format!(
                "the request to {origin} has more than {limit}: send less text or fewer pictures"
            )
        }
        Oversize::Response => {
            format!(
                "the answer of {origin} has more than {limit}: ask for less, or raise limits.response_mb"
            )
        }
    }
}

fn titled(title: Option<&str>) -> String {
    title.map_or(String::new(), |title| format!(" ({title:?})"))
}

fn redirected(origin: &str, status: u16, location: Option<&str>) -> String {
    let target = location
        .map(|location| format!(" to {location}"))
        .unwrap_or_default();
    format!(
        "{origin} redirects{target} (HTTP {status}), which is not followed, because the key would \
         go there too: set base_url to the right address"
    )
}

/// `60 s`, `1.5 s` or `250 ms`.
fn shown(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        return format!("{} ms", time.as_millis());
    }
    format!("{} s", (time.as_secs_f64() * 10.0).round() / 10.0)
}

fn shown_bytes(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        return format!("{} MiB", bytes / MIB);
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_origin_and_the_fix() {
        let origin = || "https://api.example.com".to_owned();
        let after = Duration::from_millis(1500);
        let idle = TransportError::Timeout {
            phase: Phase::Idle,
            origin: origin(),
            after,
        };
        assert_eq!(
            idle.to_string(),
            "https://api.example.com went silent in the middle of its answer for 1.5 s \
             (timeouts.idle_ms)"
        );
        let limit = 32 << 20;
        let large = TransportError::TooLarge {
            what: Oversize::Response,
            origin: origin(),
            limit,
        };
        assert_eq!(
            large.to_string(),
            "the answer of https://api.example.com has more than 32 MiB: ask for less, \
             or raise limits.response_mb"
        );
        let location = Some("https://other.example/v1".to_owned());
        let redirect = TransportError::Redirect {
            origin: origin(),
            status: 308,
            location,
        };
        assert!(
            redirect
                .to_string()
                .contains("redirects to https://other.example/v1 (HTTP 308)")
        );
    }

    #[test]
    fn what_would_fail_again_is_not_transient() {
        let origin = || "https://api.example.com".to_owned();
        let connect = |cause| TransportError::Connect {
            cause,
            origin: origin(),
            reason: String::new(),
        };
        assert!(connect(ConnectCause::Refused).is_transient());
        assert!(!connect(ConnectCause::Tls).is_transient());
        let detail = String::new();
        assert!(
            !TransportError::Refused {
                rule: Rule::Path,
                detail
            }
            .is_transient()
        );
    }

    #[test]
    fn times_and_sizes_read_well() {
        assert_eq!(shown(Duration::from_secs(60)), "60 s");
        assert_eq!(shown(Duration::from_millis(250)), "250 ms");
        assert_eq!(shown_bytes(10), "10 bytes");
        assert_eq!(shown_bytes(1 << 20), "1 MiB");
    }
}
