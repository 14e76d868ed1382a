//! What all connections of one simulator share: its options, its log, and the faults that wait for the
//! next requests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fault::{Fault, Faults};
use crate::log::Log;
use crate::options::Options;
use crate::seal;
use crate::server::http1::Request;
use crate::vendor::Vendor;

pub(crate) struct Hub {
    pub(crate) options: Options,
    pub(crate) log: Log,
    state: Mutex<State>,
}

struct State {
    /// Faults for the next requests of a vendor, each with how often it is still to happen.
    queued: HashMap<Vendor, VecDeque<(Fault, u64)>>,
    /// How often a request with a `times=` fault was seen.
    seen: HashMap<u64, u64>,
    /// How many requests of a vendor reached the point where faults are drawn.
    drawn: HashMap<Vendor, u64>,
    random: fastrand::Rng,
}

impl Hub {
    pub(crate) fn new(options: Options) -> std::io::Result<Self> {
        let log = Log::new(options.log_file.as_deref())?;
        let state = State {
            queued: HashMap::new(),
            seen: HashMap::new(),
            drawn: HashMap::new(),
            random: fastrand::Rng::with_seed(options.seed),
        };
        Ok(Self {
            options,
            log,
            state: Mutex::new(state),
        })
    }

    /// Lets the next `times` requests of a vendor meet a fault.
    pub(crate) fn queue(&self, vendor: Vendor, fault: &str, times: u64) {
        let mut state = self.lock();
        state
            .queued
            .entry(vendor)
            .or_default()
            .push_back((Fault::parse(fault), times));
    }

    /// Forgets queued faults and counts.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        state.queued.clear();
        state.seen.clear();
    }

    /// Whether a key opens this vendor.
    pub(crate) fn accepts_key(&self, vendor: Vendor, key: &str) -> bool {
        key == vendor.key() || self.options.keys.iter().any(|other| other == key)
    }

    /// The faults this request meets: those in its text, queued ones, scheduled ones, and by chance.
    pub(crate) fn faults(
        &self,
        vendor: Vendor,
        request: &Request,
        text: &str,
        streamed: bool,
    ) -> Faults {
        let mut faults = Faults::in_text(text);
        let mut state = self.lock();
        faults.0.retain(|fault| match fault.exact_number("times") {
            None => true,
            Some(times) => state.see(request) <= times,
        });
        let drawn = state.drawn.entry(vendor).or_default();
        *drawn += 1;
        let number = *drawn;
        if let Some(scheduled) = self
            .options
            .faults
            .as_ref()
            .and_then(|schedule| schedule(vendor, number))
        {
            faults.0.push(Fault::parse(&scheduled));
        }
        faults.0.extend(state.queued_fault(vendor));
        if faults.0.is_empty() && state.random.f64() < self.options.random_fault_rate {
            faults.0.extend(state.random_fault(streamed));
        }
        faults
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How often this very request has come, this time included.
    fn see(&mut self, request: &Request) -> u64 {
        let body = String::from_utf8_lossy(&request.body);
        let count = self
            .seen
            .entry(seal::digest(&["seen", &request.path, &body]))
            .or_default();
        *count += 1;
        *count
    }

    fn queued_fault(&mut self, vendor: Vendor) -> Option<Fault> {
        let queue = self.queued.get_mut(&vendor)?;
        let (fault, times) = queue.front_mut()?;
        let fault = fault.clone();
        *times = times.saturating_sub(1);
        if *times == 0 {
            queue.pop_front();
        }
        Some(fault)
    }

    fn random_fault(&mut self, streamed: bool) -> Option<Fault> {
        const ANY: [&str; 5] = [
            "500",
            "503-text",
            "429-retry-after ms=20",
            "close-before-headers",
            "reset k=0",
        ];
        const STREAMED: [&str; 3] = ["cut k=2", "mid-stream-error k=2", "drop k=2"];
        let names: Vec<&str> = if streamed {
            ANY.into_iter().chain(STREAMED).collect()
        } else {
            ANY.to_vec()
        };
        names
            .get(self.random.usize(..names.len()))
            .map(|name| Fault::parse(name))
    }
}
