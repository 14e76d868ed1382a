//! What the service has learnt of its models: health, speed, use. It outlives a reload of the
//! configuration.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::breaker::Breaker;
use super::limits::Window;

/// Weight of the newest answer in the moving average.
const NEWEST: f64 = 0.3;

/// Models of which something is known at one time; then those that are not under way are forgotten.
const MOST_MODELS: usize = 4096;

/// Everything that is known, by kind and name.
#[derive(Default)]
pub(super) struct Live {
    models: Mutex<HashMap<String, Arc<ModelLive>>>,
    providers: Mutex<HashMap<String, Arc<Use>>>,
    callers: Mutex<HashMap<String, Arc<Use>>>,
}

/// What is known of a model.
#[derive(Default)]
pub(super) struct ModelLive {
    pub(super) breaker: Breaker,
    pub(super) usage: Use,
    /// Moving average of the time to an answer, in milliseconds.
    average_ms: Mutex<Option<f64>>,
}

/// How much a model or a provider is used.
#[derive(Default)]
pub(super) struct Use {
    pub(super) window: Mutex<Window>,
    /// The number of places, and who takes one.
    places: Mutex<Option<(u32, Arc<Semaphore>)>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Live {
    pub(super) fn model(&self, name: &str) -> Arc<ModelLive> {
        let mut models = lock(&self.models);
        // Any name behind a provider's is a model: callers may name more than there are.
        if models.len() >= MOST_MODELS && !models.contains_key(name) {
            models.retain(|_, live| Arc::strong_count(live) > 1);
        }
        models.entry(name.to_owned()).or_default().clone()
    }

    pub(super) fn provider(&self, name: &str) -> Arc<Use> {
        of(&self.providers, name)
    }

    pub(super) fn caller(&self, name: &str) -> Arc<Use> {
        of(&self.callers, name)
    }
}

/// What is known by this name.
fn of<T: Default>(known: &Mutex<HashMap<String, Arc<T>>>, name: &str) -> Arc<T> {
    let mut known = lock(known);
    match known.get(name) {
        Some(found) => found.clone(),
        None => known.entry(name.to_owned()).or_default().clone(),
    }
}

impl ModelLive {
    /// The moving average, if the model has answered yet.
    pub(super) fn average_ms(&self) -> Option<f64> {
        *lock(&self.average_ms)
    }

    /// The model answered after this time.
    pub(super) fn answered(&self, after: Duration) {
        let new = after.as_secs_f64() * 1000.0;
        let mut average = lock(&self.average_ms);
        *average = Some(match *average {
            Some(old) => old + NEWEST * (new - old),
            None => new,
        });
    }
}

impl Use {
    /// The places for exchanges at one time. A changed number makes new ones; exchanges under way keep
    /// the old.
    pub(super) fn places(&self, count: u32) -> Arc<Semaphore> {
        let mut places = lock(&self.places);
        match &*places {
            Some((known, semaphore)) if *known == count => semaphore.clone(),
            _ => {
                let semaphore = Arc::new(Semaphore::new(count as usize));
                *places = Some((count, semaphore.clone()));
                semaphore
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_follows_new_answers() {
        let model = ModelLive::default();
        assert_eq!(model.average_ms(), None);
        model.answered(Duration::from_millis(100));
        assert_eq!(model.average_ms(), Some(100.0));
        model.answered(Duration::from_millis(200));
        assert_eq!(model.average_ms(), Some(130.0));
    }

    #[test]
    fn places_are_made_anew_only_when_their_number_changes() {
        let live = Use::default();
        let two = live.places(2);
        let _held = two.clone().try_acquire_owned().unwrap();
        assert_eq!(live.places(2).available_permits(), 1);
        assert_eq!(live.places(3).available_permits(), 3);
    }
}
