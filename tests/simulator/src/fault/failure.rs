//! Failures that a vendor reports by a status code: their names, and the few forms that are the same
//! everywhere because a proxy in front of the vendor makes them.

use std::time::{Duration, SystemTime};

use crate::reply::Reply;

use super::Fault;

/// A failure, before any vendor gave it its form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// 400
    BadRequest,
    /// 401
    Unauthorized,
    /// 401 whose body repeats the key that was sent
    EchoKey,
    /// 402
    Billing,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 408
    RequestTimeout,
    /// 409
    Conflict,
    /// 413
    TooLarge,
    /// 422
    Unprocessable,
    /// 429
    RateLimited(Wait),
    /// 429: no credit left, waiting does not help
    Quota,
    /// 429: this one request is larger than the limit
    OverLimit,
    /// 429 with `x-should-retry: false`
    RateLimitedForGood,
    /// 429 with `retry-after-ms: 0` beside a real hint
    ZeroHint,
    /// 500
    Internal,
    /// 500 with `x-should-retry: false`
    InternalForGood,
    /// 502, a proxy's page
    BadGateway,
    /// 503, a proxy's line of text
    UpstreamReset,
    /// 503 while a model loads; seconds estimated
    Loading(f64),
    /// 503 in the vendor's own form
    Unavailable,
    /// 504
    GatewayTimeout,
    /// 529
    Overloaded,
    /// The prompt is longer than the model's context
    ContextLength,
    /// The prompt was filtered
    ContentFilter,
}

/// How long a client shall wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wait {
    /// The vendor does not say.
    Unsaid,
    Millis(u64),
    Seconds(f64),
    /// An HTTP date so many seconds from now.
    Date(u64),
}

impl Failure {
    /// The failure a fault names; `status-` before a number may be left out.
    pub(crate) fn of(fault: &Fault) -> Option<Self> {
        let name = fault.name.strip_prefix("status-").unwrap_or(&fault.name);
        let failure = match name {
            "400" => Self::BadRequest,
            "401" => Self::Unauthorized,
            "402" => Self::Billing,
            "403" => Self::Forbidden,
            "404" => Self::NotFound,
            "408" => Self::RequestTimeout,
            "409" => Self::Conflict,
            "413" => Self::TooLarge,
            "422" => Self::Unprocessable,
            "429" => Self::RateLimited(Wait::Unsaid),
            "429-retry-after" => Self::RateLimited(Wait::of(fault)),
            "429-quota" => Self::Quota,
            "429-too-large" => Self::OverLimit,
            "429-no-retry" => Self::RateLimitedForGood,
            "429-zero-hint" => Self::ZeroHint,
            "500" => Self::Internal,
            "500-no-retry" => Self::InternalForGood,
            "502" | "502-html" => Self::BadGateway,
            "503" => Self::Unavailable,
            "503-text" => Self::UpstreamReset,
            "503-loading" => Self::Loading(
                fault
                    .text("seconds")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(20.0),
            ),
            "504" => Self::GatewayTimeout,
            "529" => Self::Overloaded,
            "context-length" => Self::ContextLength,
            "content-filter" => Self::ContentFilter,
            "echo-key" => Self::EchoKey,
            _ => return None,
        };
        Some(failure)
    }
}

impl Wait {
    fn of(fault: &Fault) -> Self {
        let seconds = fault.text("seconds").and_then(|text| text.parse().ok());
        match (fault.exact_number("ms"), fault.exact_number("date")) {
            (Some(millis), _) => Self::Millis(millis),
            (None, Some(ahead)) => Self::Date(ahead),
            (None, None) => Self::Seconds(seconds.unwrap_or(1.0)),
        }
    }

    /// `retry-after` and, where milliseconds were asked for, `retry-after-ms`.
    pub(crate) fn headers(self) -> Vec<(String, String)> {
        let header = |name: &str, value: String| (name.to_owned(), value);
        match self {
            Self::Unsaid => Vec::new(),
            Self::Millis(millis) => vec![
                header("retry-after", millis.div_ceil(1000).to_string()),
                header("retry-after-ms", millis.to_string()),
            ],
            Self::Seconds(seconds) => vec![header("retry-after", seconds.to_string())],
            Self::Date(ahead) => {
                let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(ahead));
                vec![header("retry-after", date)]
            }
        }
    }

    /// The wait in seconds, for vendors that say it in the body.
    pub(crate) fn seconds(self) -> Option<f64> {
        match self {
            Self::Unsaid => None,
            Self::Millis(millis) => Some(Duration::from_millis(millis).as_secs_f64()),
            Self::Seconds(seconds) => Some(seconds),
            Self::Date(ahead) => Some(Duration::from_secs(ahead).as_secs_f64()),
        }
    }
}

/// The page of a proxy that could not reach the vendor.
pub(crate) fn bad_gateway() -> Reply {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n";
    Reply::new(502, "text/html", page)
}

/// The line of a proxy whose upstream hung up.
pub(crate) fn upstream_reset() -> Reply {
    let line = "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
    Reply::new(503, "text/plain", line)
}
