//! Budgets and rate limits: refused here, before anything is sent. A policy without I/O.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rust_decimal::Decimal;

use crate::config::RateLimits;
use crate::error::{Error, ErrorKind};

const MINUTE: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 86_400_000;

/// What was sent and spent lately.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// When each request of the last minute began, and the tokens it used.
    requests: VecDeque<(Instant, u64)>,
    /// The day (UTC, since 1970) that `spent` belongs to.
    day: i64,
    spent: Decimal,
    /// `spent` holds what the history knew of the day.
    loaded: bool,
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
        now_ms: i64,
    ) -> Result<(), Error> {
        self.forget(now, now_ms);
        if let Some(budget) = limits.cost_per_day
            && self.spent >= budget
        {
            let left = DAY_MS - now_ms.rem_euclid(DAY_MS);
            let mut error = Error::new(
                ErrorKind::QuotaExhausted,
                format!(
                    "{owner} has spent ${} of its ${budget} for today: \
                     raise limits.cost_per_day, or wait for midnight UTC",
                    self.spent.normalize()
                ),
            );
            error.retry_after_ms = u64::try_from(left).ok();
            return Err(error);
        }
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

    /// A request that began at `begun` used so many tokens, and cost so much.
    pub(super) fn used(
        &mut self,
        begun: Instant,
        tokens: Option<u64>,
        cost: Option<Decimal>,
        now_ms: i64,
    ) {
        if let (Some(tokens), Some(request)) = (
            tokens,
            self.requests.iter_mut().find(|(at, _)| *at == begun),
        ) {
            request.1 = tokens;
        }
        self.forget(Instant::now(), now_ms);
        self.spent = self.spent.saturating_add(cost.unwrap_or_default());
    }

    /// Whether the day's spending has yet to be read from the history.
    pub(super) fn needs_history(&mut self, now_ms: i64) -> bool {
        self.forget(Instant::now(), now_ms);
        !self.loaded
    }

    /// What the history knows of the day.
    pub(super) fn load(&mut self, spent: Decimal) {
        if !self.loaded {
            self.spent = self.spent.saturating_add(spent);
            self.loaded = true;
        }
    }

    fn forget(&mut self, now: Instant, now_ms: i64) {
        while let Some((at, _)) = self.requests.front()
            && now.saturating_duration_since(*at) >= MINUTE
        {
            self.requests.pop_front();
        }
        let day = now_ms.div_euclid(DAY_MS);
        if self.day != day {
            self.day = day;
            self.spent = Decimal::ZERO;
            self.loaded = false;
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

/// The first millisecond of the day (UTC).
pub(super) fn midnight(now_ms: i64) -> i64 {
    now_ms - now_ms.rem_euclid(DAY_MS)
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

    const NOON: i64 = DAY_MS * 20_000 + DAY_MS / 2;

    fn admit(window: &mut Window, limits: &RateLimits, tokens: u64, now: Instant) -> Option<Error> {
        window.admit(limits, "model \"m\"", tokens, now, NOON).err()
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
        window.used(start, Some(95), None, NOON);
        let refused = admit(&mut window, &limits, 10, start + Duration::from_secs(1)).unwrap();
        assert_eq!(refused.retry_after_ms, Some(59_000));
        assert!(admit(&mut window, &limits, 5, start + Duration::from_secs(1)).is_none());
    }

    #[test]
    fn a_days_budget_ends_at_midnight() {
        let limits = RateLimits {
            cost_per_day: Some(Decimal::ONE),
            ..RateLimits::default()
        };
        let (mut window, now) = (Window::default(), Instant::now());
        assert!(window.needs_history(NOON));
        window.load(Decimal::new(9, 1));
        assert!(admit(&mut window, &limits, 0, now).is_none());
        window.used(now, None, Some(Decimal::new(1, 1)), NOON);
        let refused = admit(&mut window, &limits, 0, now).unwrap();
        assert_eq!(refused.kind, ErrorKind::QuotaExhausted);
        assert!(!refused.retryable);
        assert!(
            window
                .admit(&limits, "m", 0, now, NOON + DAY_MS / 2)
                .is_ok()
        );
    }
}
