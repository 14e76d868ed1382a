//! Whether to try again, and when. A policy without I/O.

use std::time::Duration;

use crate::config::Retry;
use crate::error::Error;

/// How long to wait before the next attempt; nothing if there is to be none.
///
/// `attempt` counts those that were made, from 1. `elapsed` is the time since the first began.
/// `random` is between 0 and 1 and spreads the waiting of many callers.
pub(super) fn pause(
    policy: &Retry,
    error: &Error,
    attempt: u32,
    elapsed: Duration,
    random: f64,
) -> Option<Duration> {
    if !error.retryable || attempt >= policy.max_attempts {
        return None;
    }
    let wait = match error.retry_after_ms {
        Some(asked) if asked > 0 => Duration::from_millis(asked),
        _ => {
            let doubled = policy
                .base
                .saturating_mul(2_u32.saturating_pow((attempt - 1).min(31)));
            doubled
                .min(policy.max)
                .mul_f64(0.75 + 0.25 * random.clamp(0.0, 1.0))
        }
    };
    (elapsed.saturating_add(wait) <= policy.max_total).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn policy() -> Retry {
        Retry {
            max_attempts: 5,
            base: Duration::from_millis(500),
            max: Duration::from_secs(8),
            max_total: Duration::from_secs(60),
        }
    }

    fn busy(hint: Option<u64>) -> Error {
        let mut error = Error::new(ErrorKind::Overloaded, "busy").retryable(true);
        error.retry_after_ms = hint;
        error
    }

    #[test]
    fn the_vendors_hint_comes_first() {
        let wait = |hint| pause(&policy(), &busy(hint), 1, Duration::ZERO, 1.0);
        assert_eq!(wait(Some(20_000)), Some(Duration::from_secs(20)));
        assert_eq!(wait(Some(0)), Some(Duration::from_millis(500)));
    }

    #[test]
    fn without_a_hint_waiting_doubles_up_to_the_cap() {
        let wait = |attempt, random| {
            pause(&policy(), &busy(None), attempt, Duration::ZERO, random).unwrap()
        };
        assert_eq!(wait(1, 1.0), Duration::from_millis(500));
        assert_eq!(wait(2, 1.0), Duration::from_millis(1000));
        assert_eq!(wait(2, 0.0), Duration::from_millis(750));
        let many = Retry {
            max_attempts: 100,
            ..policy()
        };
        assert_eq!(
            pause(&many, &busy(None), 60, Duration::ZERO, 1.0),
            Some(Duration::from_secs(8))
        );
    }

    #[test]
    fn what_cannot_succeed_or_would_take_too_long_is_left_alone() {
        let final_error = busy(None).retryable(false);
        assert_eq!(pause(&policy(), &final_error, 1, Duration::ZERO, 1.0), None);
        assert_eq!(pause(&policy(), &busy(None), 5, Duration::ZERO, 1.0), None);
        assert_eq!(
            pause(&policy(), &busy(Some(61_000)), 1, Duration::ZERO, 1.0),
            None
        );
        let late = Duration::from_secs(59);
        assert_eq!(pause(&policy(), &busy(Some(2_000)), 1, late, 1.0), None);
    }
}
