//! Identical requests at one time: one is sent, the others wait for its answer.
//!
//! Nobody waits for what may never come. Where the one that was sent fails, is given up, or is
//! answered to somebody who does not read, the others ask for themselves, all at once and not one
//! after the other. No I/O; what an answer is, is the `cache`'s business.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::cache::Kept;

/// How long an answer that began to come may go unread before nobody waits for it any more.
const UNREAD: Duration = Duration::from_millis(250);

/// The requests that are under way, by key.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<String, Arc<Flight>>>);

/// A request under way.
pub(super) struct Flight(watch::Sender<Stage>);

#[derive(Clone)]
enum Stage {
    /// Sent, or being read.
    Asking,
    /// The answer began to come, and nobody reads it.
    Unread,
    /// Over. Without an answer where there is none to share.
    Over(Option<Arc<Kept>>),
}

/// Who is first, or behind whom.
pub(super) enum Boarded {
    First(Leading),
    Behind(Arc<Flight>),
}

/// The duty to tell those who wait, if there may be any. Dropping it ends their waiting.
pub(super) struct Leading {
    flights: Arc<Flights>,
    key: String,
    flight: Option<Arc<Flight>>,
}

impl Flights {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lead for a key, or finds who has it.
    pub(super) fn board(flights: &Arc<Self>, key: &str) -> Boarded {
        let mut under_way = flights.lock();
        match under_way.get(key) {
            Some(flight) => Boarded::Behind(flight.clone()),
            None => Boarded::First(Self::lead(flights, &mut under_way, key)),
        }
    }

    /// Waits for a flight no longer. The first who leaves takes the lead for those who come from
    /// now on; nobody waits for the others.
    pub(super) fn leave(flights: &Arc<Self>, key: &str, left: &Arc<Flight>) -> Leading {
        let mut under_way = flights.lock();
        match under_way.get(key) {
            Some(flight) if !Arc::ptr_eq(flight, left) => Leading {
                flights: flights.clone(),
                key: key.to_owned(),
                flight: None,
            },
            _ => Self::lead(flights, &mut under_way, key),
        }
    }

    fn lead(
        flights: &Arc<Self>,
        under_way: &mut HashMap<String, Arc<Flight>>,
        key: &str,
    ) -> Leading {
        let flight = Arc::new(Flight(watch::Sender::new(Stage::Asking)));
        under_way.insert(key.to_owned(), flight.clone());
        Leading {
            flights: flights.clone(),
            key: key.to_owned(),
            flight: Some(flight),
        }
    }
}

impl Flight {
    /// The answer, once there is one; nothing once there is none to wait for.
    pub(super) async fn landed(&self) -> Option<Arc<Kept>> {
        let mut stage = self.0.subscribe();
        loop {
            let now = stage.borrow_and_update().clone();
            let changed = match now {
                Stage::Over(kept) => return kept,
                Stage::Asking => stage.changed().await,
                Stage::Unread => match tokio::time::timeout(UNREAD, stage.changed()).await {
                    Ok(changed) => changed,
                    Err(_) => return None,
                },
            };
            changed.ok()?;
        }
    }
}

impl Leading {
    /// There is an answer.
    pub(super) fn land(&self, kept: Arc<Kept>) {
        if let Some(flight) = &self.flight {
            flight.0.send_replace(Stage::Over(Some(kept)));
        }
    }

    /// Whether anybody reads the answer that began to come.
    pub(super) fn attended(&self, is_read: bool) {
        let Some(flight) = &self.flight else { return };
        flight.0.send_if_modified(|stage| {
            let now = match (&stage, is_read) {
                (Stage::Asking, false) => Stage::Unread,
                (Stage::Unread, true) => Stage::Asking,
                _ => return false,
            };
            *stage = now;
            true
        });
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        let Some(flight) = &self.flight else { return };
        let mut under_way = self.flights.lock();
        let own = under_way.get(&self.key);
        if own.is_some_and(|other| Arc::ptr_eq(other, flight)) {
            under_way.remove(&self.key);
        }
        drop(under_way);
        flight.0.send_if_modified(|stage| {
            let is_under_way = !matches!(stage, Stage::Over(_));
            if is_under_way {
                *stage = Stage::Over(None);
            }
            is_under_way
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(flights: &Arc<Flights>) -> Leading {
        match Flights::board(flights, "k") {
            Boarded::First(leading) => leading,
            Boarded::Behind(_) => panic!("somebody is before"),
        }
    }

    fn behind(flights: &Arc<Flights>) -> Arc<Flight> {
        match Flights::board(flights, "k") {
            Boarded::Behind(flight) => flight,
            Boarded::First(_) => panic!("nobody is before"),
        }
    }

    #[tokio::test]
    async fn who_waits_is_let_go_when_there_is_nothing_to_wait_for() {
        let flights = Arc::default();
        let leading = first(&flights);
        let flight = behind(&flights);
        drop(leading);
        assert!(flight.landed().await.is_none());
        // All who waited go at once; one of them leads those who come later.
        let (one, other) = (
            Flights::leave(&flights, "k", &flight),
            Flights::leave(&flights, "k", &flight),
        );
        assert!(one.flight.is_some() && other.flight.is_none());
        drop(other);
        let later = behind(&flights);
        drop(one);
        assert!(later.landed().await.is_none());
        drop(first(&flights));
    }

    #[tokio::test]
    async fn nobody_waits_for_an_answer_that_is_not_read() {
        let flights = Arc::default();
        let leading = first(&flights);
        let flight = behind(&flights);
        let wait = || tokio::time::timeout(UNREAD * 2, flight.landed());
        assert!(wait().await.is_err(), "it is being asked for");
        leading.attended(false);
        assert!(matches!(wait().await, Ok(None)));
        leading.attended(true);
        assert!(wait().await.is_err(), "it is read again");
    }
}
