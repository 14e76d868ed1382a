//! On whose behalf a service works: who is recorded, whose limits and budgets hold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rust_decimal::Decimal;
use secrecy::SecretString;
use tokio::sync::OwnedSemaphorePermit;

use super::MultiLlmService;
use super::live::{Live, Use, lock};
use crate::config::RateLimits;
use crate::error::{Error, ErrorKind, Result};

/// Somebody who asks by way of a program of many callers.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// What tells callers apart, in the history and in budgets; absent: nobody in particular.
    pub name: Option<String>,
    /// The session of the caller's program that this request belongs to.
    pub session: Option<String>,
    /// The agent of that program, where it has several.
    pub agent: Option<String>,
    /// The caller's own key for the vendor. It is sent to providers that take such keys ([`caller_key`]), and to nobody else.
    ///
    /// [`caller_key`]: crate::config::Endpoint::caller_key
    pub key: Option<SecretString>,
    /// Ties the attempts of this request together in the history; absent: an id is made.
    pub request_id: Option<String>,
    /// What may be sent and spent, all models together.
    pub limits: RateLimits,
    /// US dollars in a month (UTC).
    pub cost_per_month: Option<Decimal>,
    /// Most requests at one time; who comes beyond is refused.
    pub max_concurrency: Option<u32>,
    /// How long to wait for a place at a model; absent: as long as it takes.
    pub patience: Option<Duration>,
}

impl MultiLlmService {
    /// The same service, asked on somebody's behalf.
    #[must_use]
    pub fn for_caller(&self, caller: Caller) -> Self {
        MultiLlmService {
            inner: self.inner.clone(),
            caller: Some(Arc::new(caller)),
        }
    }
}

/// A caller's right to one request, however many attempts it takes. Its place is free again when it is dropped.
#[derive(Clone)]
pub(super) struct Admitted(Arc<Held>);

struct Held {
    usage: Arc<Use>,
    begun: Instant,
    _place: Option<OwnedSemaphorePermit>,
}

impl Caller {
    /// A place among the caller's own requests, and a share of the caller's limits; nothing for nobody.
    ///
    /// # Errors
    ///
    /// `rate_limited`, `payload_too_large`
    pub(super) fn admit(&self, live: &Live, tokens: u64) -> Result<Option<Admitted>> {
        let Some(name) = &self.name else {
            return Ok(None);
        };
        let usage = live.caller(name);
        let place = match self.max_concurrency {
            None => None,
            Some(count) => match usage.places(count).try_acquire_owned() {
                Ok(place) => Some(place),
                Err(_) => return Err(crowded(name, count)),
            },
        };
        let begun = Instant::now();
        if self.limits != RateLimits::default() {
            let owner = format!("caller {name:?}");
            lock(&usage.window).admit(&self.limits, &owner, tokens, begun)?;
        }
        Ok(Some(Admitted(Arc::new(Held {
            usage,
            begun,
            _place: place,
        }))))
    }
}

impl Admitted {
    /// The request used so many tokens.
    pub(super) fn used(&self, tokens: Option<u64>) {
        lock(&self.0.usage.window).used(self.0.begun, tokens);
    }
}

fn crowded(name: &str, count: u32) -> Error {
    let mut error = Error::new(
        ErrorKind::RateLimited,
        format!("caller {name:?} may ask {count} at one time: wait for an answer"),
    )
    .retryable(true);
    error.retry_after_ms = Some(1_000);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Caller {
        Caller {
            name: Some("ci".to_owned()),
            max_concurrency: Some(2),
            limits: RateLimits {
                requests_per_minute: Some(3),
                ..RateLimits::default()
            },
            ..Caller::default()
        }
    }

    #[test]
    fn a_place_is_free_again_when_its_request_is_over() {
        let live = Live::default();
        let first = caller().admit(&live, 1).unwrap();
        let second = caller().admit(&live, 1).unwrap();
        let refused = caller().admit(&live, 1).err().unwrap();
        assert_eq!(refused.kind, ErrorKind::RateLimited);
        drop(first);
        assert!(caller().admit(&live, 1).is_ok());
        drop(second);
        // The third request of this minute was the last.
        let refused = caller().admit(&live, 1).err().unwrap();
        assert!(refused.message.contains("3 times a minute"), "{refused}");
    }

    #[test]
    fn nobody_in_particular_has_no_limits() {
        let nobody = Caller {
            max_concurrency: Some(1),
            ..Caller::default()
        };
        let live = Live::default();
        assert!(nobody.admit(&live, 1).unwrap().is_none());
    }
}
