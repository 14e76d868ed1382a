//! Rate limits: refused here, before anything is sent. A policy without I/O.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::config::RateLimits;
use crate::error::{Error, ErrorKind};

const MINUTE: Duration = Duration::from_secs(60);
/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// What was sent lately.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// When each request of the last minute began, and the tokens it used.
    requests: VecDeque<(Instant, u64)>,
}

impl Window {
    /// Whether one more request of about so many tokens may be sent. If so, it is counted.
    ///
    /// `owner` is whose limits these are, such as `model "gpt-4"`.
    pub(super) fn admit(
        &mut self,
        limits: &RateLimits,
        owner: &str,
        tokens: u64,
        now: Instant,
    ) -> Result<(), Error> {
        self.forget(now);
        if let Some(most) = limits.requests_per_minute
            && self.requests.len() >= most as usize
        {
            let begun = self.requests.front().map_or(now, |(at, _)| *at);
            return Err(wait(
                format!("{owner} may be asked {most} times a minute (limits.requests_per_minute)"),
                begun + MINUTE,
                now,
            ));
        }
        if let Some(most) = limits.tokens_per_minute {
            if tokens > most {
                return Err(Error::new(
                    ErrorKind::PayloadTooLarge,
                    format!(
                        "{owner} may use {most} tokens a minute (limits.tokens_per_minute), \
                         and this needs about {tokens}: send less, or raise the limit"
                    ),
                ));
            }
            let used: u64 = self.requests.iter().map(|(_, used)| used).sum();
            if used.saturating_add(tokens) > most {
                let until = self
                    .free_at(most.saturating_sub(tokens))
                    .unwrap_or(now + MINUTE);
                return Err(wait(
                    format!(
                        "{owner} may use {most} tokens a minute (limits.tokens_per_minute), \
                         {used} are used and this needs about {tokens}"
                    ),
                    until,
                    now,
                ));
            }
        }
        self.requests.push_back((now, tokens));
        Ok(())
    }

    /// A request that began at `begun` used so many tokens.
    pub(super) fn used(&mut self, begun: Instant, tokens: Option<u64>) {
        if let (Some(tokens), Some(request)) = (
            tokens,
            self.requests.iter_mut().find(|(at, _)| *at == begun),
        ) {
            request.1 = tokens;
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.requests.front()
            && now.saturating_duration_since(*at) >= MINUTE
        {
            self.requests.pop_front();
        }
    }

    /// When no more than so many tokens of those used will count any more.
    fn free_at(&self, most: u64) -> Option<Instant> {
        let mut left: u64 = self.requests.iter().map(|(_, used)| used).sum();
        self.requests.iter().find_map(|(at, used)| {
            left -= used;
            (left <= most).then(|| *at + MINUTE)
        })
    }
}

fn wait(message: String, until: Instant, now: Instant) -> Error {
    let left = until.saturating_duration_since(now);
    let mut error = Error::new(
        ErrorKind::RateLimited,
        format!("{message}: wait {:.0} s", left.as_secs_f64().ceil()),
    )
    .retryable(true);
    error.retry_after_ms = u64::try_from(left.as_millis()).ok();
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(window: &mut Window, limits: &RateLimits, tokens: u64, now: Instant) -> Option<Error> {
        window.admit(limits, "model \"m\"", tokens, now).err()
    }

    #[test]
    fn requests_are_limited_by_the_minute() {
        let limits = RateLimits {
            requests_per_minute: Some(2),
            ..RateLimits::default()
        };
        let (mut window, start) = (Window::default(), Instant::now());
        assert!(admit(&mut window, &limits, 0, start).is_none());
        assert!(admit(&mut window, &limits, 0, start + Duration::from_secs(10)).is_none());
        let refused = admit(&mut window, &limits, 0, start + Duration::from_secs(20)).unwrap();
        assert_eq!(refused.kind, ErrorKind::RateLimited);
        assert_eq!(refused.retry_after_ms, Some(40_000));
        assert!(admit(&mut window, &limits, 0, start + Duration::from_secs(60)).is_none());
    }

    #[test]
    fn tokens_count_as_used_not_as_guessed() {
        let limits = RateLimits {
            tokens_per_minute: Some(100),
            ..RateLimits::default()
        };
        let (mut window, start) = (Window::default(), Instant::now());
        assert!(admit(&mut window, &limits, 10, start).is_none());
        window.used(start, Some(95));
        let refused = admit(&mut window, &limits, 10, start + Duration::from_secs(1)).unwrap();
        assert_eq!(refused.retry_after_ms, Some(59_000));
        assert!(admit(&mut window, &limits, 5, start + Duration::from_secs(1)).is_none());
    }
}
