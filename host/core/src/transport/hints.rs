//! When to try again, as a server's headers say.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// What the headers say about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetryHints {
    /// How long to wait: `retry-after-ms`, else `retry-after` (RFC 9110, section 10.2.3). Absent
    /// also where the server says zero or less, which servers do that mean nothing by it.
    pub after: Option<Duration>,
    /// `x-should-retry`, which weighs more than the status.
    pub should_retry: Option<bool>,
}

/// No server means more than this.
const LONGEST: f64 = 10.0 * 365.0 * 86_400.0;

impl RetryHints {
    pub(super) fn read(headers: &HeaderMap, now: SystemTime) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let in_ms = text("retry-after-ms").and_then(|value| seconds(value, 1000.0));
        let after = in_ms.or_else(|| {
            let value = text(RETRY_AFTER.as_str())?;
            seconds(value, 1.0).or_else(|| {
                let until = httpdate::parse_http_date(value.trim()).ok()?;
                // The server's clock may differ from ours; its own date does not.
                let sent =
                    text(DATE.as_str()).and_then(|date| httpdate::parse_http_date(date).ok());
                let wait = until.duration_since(sent.unwrap_or(now)).ok()?;
                (!wait.is_zero()).then_some(wait)
            })
        });
        let should_retry =
            match text("x-should-retry").map(|value| value.trim().to_ascii_lowercase()) {
                Some(value) if value == "true" => Some(true),
                Some(value) if value == "false" => Some(false),
                _ => None,
            };
        RetryHints {
            after,
            should_retry,
        }
    }
}

fn seconds(value: &str, units: f64) -> Option<Duration> {
    let value: f64 = value.trim().parse().ok()?;
    if !value.is_finite() || value <= 0.0 {
        return None;
    }
    Duration::try_from_secs_f64((value / units).min(LONGEST)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &'static str)]) -> RetryHints {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 12:00:00 GMT").unwrap();
        RetryHints::read(&headers, now)
    }

    fn after(headers: &[(&'static str, &'static str)]) -> Option<u128> {
        read(headers).after.map(|after| after.as_millis())
    }

    #[test]
    fn waits_are_read_in_order() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[("retry-after", "20")]), Some(20_000));
        assert_eq!(after(&[("retry-after", " 0.25 ")]), Some(250));
        assert_eq!(
            after(&[("retry-after-ms", "1500.5"), ("retry-after", "9")]),
            Some(1500)
        );
        assert_eq!(
            after(&[("retry-after-ms", "0"), ("retry-after", "1")]),
            Some(1000)
        );
        assert_eq!(after(&[("retry-after-ms", "-1")]), None);
        assert_eq!(after(&[("retry-after", "0")]), None);
        for odd in ["", "soon", "nan", "inf", "-inf"] {
            assert_eq!(after(&[("retry-after", odd)]), None, "{odd:?}");
        }
        assert!(after(&[("retry-after", "1e300")]).is_some());
    }

    #[test]
    fn dates_are_relative_to_the_servers_clock() {
        let at = ("retry-after", "Mon, 23 Nov 2026 12:00:30 GMT");
        assert_eq!(after(&[at]), Some(30_000));
        assert_eq!(
            after(&[at, ("date", "Mon, 23 Nov 2026 12:00:20 GMT")]),
            Some(10_000)
        );
        assert_eq!(
            after(&[at, ("date", "Mon, 23 Nov 2026 12:00:30 GMT")]),
            None
        );
        assert_eq!(
            after(&[at, ("date", "Mon, 23 Nov 2026 12:01:00 GMT")]),
            None
        );
        assert_eq!(
            after(&[("retry-after", "Mon Nov 23 12:00:05 2026")]),
            Some(5000)
        );
    }

    #[test]
    fn should_retry_is_a_plain_word() {
        assert_eq!(read(&[("x-should-retry", "True")]).should_retry, Some(true));
        assert_eq!(
            read(&[("x-should-retry", "false")]).should_retry,
            Some(false)
        );
        assert_eq!(read(&[("x-should-retry", "maybe")]).should_retry, None);
    }
}
