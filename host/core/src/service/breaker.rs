//! Leaving a failing model alone for a while. A policy without I/O; time is handed in.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::config::Breaker as Policy;
use crate::error::{Error, ErrorKind};

/// Where a breaker stands.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Requests pass.
    Closed,
    /// None passes yet.
    Open,
    /// A few pass, to see.
    HalfOpen,
}

#[derive(Debug, Default)]
struct Inner {
    failures: u32,
    opened: Option<Instant>,
    probes: u32,
}

/// Watches one model.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<Inner>);

impl Breaker {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether a request may pass; if not, how long none will.
    pub(super) fn admit(&self, policy: &Policy, now: Instant) -> Result<(), Duration> {
        let mut inner = self.inner();
        let Some(opened) = inner.opened.filter(|_| policy.enabled) else {
            return Ok(());
        };
        let left = (opened + policy.open).saturating_duration_since(now);
        if !left.is_zero() {
            return Err(left);
        }
        if inner.probes < policy.probes {
            inner.probes += 1;
            return Ok(());
        }
        // Probes that never reported back (cancelled ones) do not block for ever.
        if now.saturating_duration_since(opened) > policy.open * 2 {
            inner.opened = Some(now.checked_sub(policy.open).unwrap_or(now));
            inner.probes = 1;
            return Ok(());
        }
        Err(policy.open.min(Duration::from_secs(1)))
    }

    /// A request succeeded.
    pub(super) fn succeeded(&self) {
        *self.inner() = Inner::default();
    }

    /// A request failed; errors that say nothing about the model's health do not count.
    pub(super) fn failed(&self, policy: &Policy, error: &Error, now: Instant) {
        let mut inner = self.inner();
        if !counts(error) {
            // The model answered: as a probe this was a success.
            if inner.opened.is_some() {
                *inner = Inner::default();
            }
            return;
        }
        inner.failures += 1;
        if inner.opened.is_some() || inner.failures >= policy.failures {
            inner.opened = Some(now);
            inner.probes = 0;
        }
    }

    /// Where it stands.
    #[cfg(test)]
    pub(super) fn state(&self, policy: &Policy, now: Instant) -> State {
        match self.inner().opened {
            None => State::Closed,
            Some(opened) if now < opened + policy.open => State::Open,
            Some(_) => State::HalfOpen,
        }
    }
}

/// Whether an error speaks against the model rather than against the request.
fn counts(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Timeout
            | ErrorKind::Overloaded
            | ErrorKind::Server
            | ErrorKind::Truncated
            | ErrorKind::MalformedResponse
            | ErrorKind::Unavailable
            | ErrorKind::RateLimited
            | ErrorKind::QuotaExhausted
            | ErrorKind::Plugin
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            enabled: true,
            failures: 3,
            open: Duration::from_secs(30),
            probes: 1,
        }
    }

    fn down() -> Error {
        Error::new(ErrorKind::Server, "down")
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_after_a_good_probe() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..2 {
            breaker.failed(&policy(), &down(), start);
        }
        breaker.succeeded();
        for _ in 0..3 {
            assert!(breaker.admit(&policy(), start).is_ok());
            breaker.failed(&policy(), &down(), start);
        }
        assert_eq!(breaker.state(&policy(), start), State::Open);
        assert_eq!(
            breaker.admit(&policy(), start),
            Err(Duration::from_secs(30))
        );
        let later = start + Duration::from_secs(31);
        assert_eq!(breaker.state(&policy(), later), State::HalfOpen);
        assert!(breaker.admit(&policy(), later).is_ok());
        assert!(
            breaker.admit(&policy(), later).is_err(),
            "one probe at a time"
        );
        breaker.succeeded();
        assert!(breaker.admit(&policy(), later).is_ok());
        assert_eq!(breaker.state(&policy(), later), State::Closed);
    }

    #[test]
    fn a_bad_probe_opens_it_again() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..3 {
            breaker.failed(&policy(), &down(), start);
        }
        let later = start + Duration::from_secs(31);
        assert!(breaker.admit(&policy(), later).is_ok());
        breaker.failed(&policy(), &down(), later);
        assert_eq!(breaker.state(&policy(), later), State::Open);
    }

    #[test]
    fn a_refused_request_says_nothing_about_the_model() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        let wrong = Error::new(ErrorKind::InvalidRequest, "wrong");
        for _ in 0..10 {
            breaker.failed(&policy(), &wrong, start);
        }
        assert_eq!(breaker.state(&policy(), start), State::Closed);
    }

    #[test]
    fn a_probe_that_never_reports_does_not_block_for_ever() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..3 {
            breaker.failed(&policy(), &down(), start);
        }
        assert!(
            breaker
                .admit(&policy(), start + Duration::from_secs(31))
                .is_ok()
        );
        assert!(
            breaker
                .admit(&policy(), start + Duration::from_secs(61))
                .is_ok()
        );
    }
}
