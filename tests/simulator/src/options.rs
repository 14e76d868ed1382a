//! How a simulator is set up.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::vendor::Vendor;

/// Decides which fault a request meets: given the vendor and the count of its requests (from 1), the text
/// of a fault such as `cut k=3`, or none.
pub type FaultSchedule = Arc<dyn Fn(Vendor, u64) -> Option<String> + Send + Sync>;

/// Options of a simulator. The default takes any free port and makes no fault on its own.
#[derive(Clone, Default)]
pub struct Options {
    /// Port to bind on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Speak TLS with a certificate signed by nobody.
    pub tls: bool,
    /// Keys accepted by every vendor besides its own `sk-sim-…`.
    pub keys: Vec<String>,
    /// Models every vendor knows besides its own.
    pub models: Vec<String>,
    /// A local Ollama asks for no key. With this set, it asks for it, as ollama.com does.
    pub ollama_needs_key: bool,
    /// Where each exchange is written as one line of JSON when it ends.
    pub log_file: Option<PathBuf>,
    /// Faults by schedule.
    pub faults: Option<FaultSchedule>,
    /// Chance from 0 to 1 that a request meets a random fault.
    pub random_fault_rate: f64,
    /// Start of the random sequence.
    pub seed: u64,
    /// Silence between the events of every stream.
    pub event_gap: Duration,
}

impl Options {
    /// The next `times` requests of the vendor meet the fault, all later ones succeed.
    #[must_use]
    pub fn fail_first(mut self, vendor: Vendor, times: u64, fault: &str) -> Self {
        let fault = fault.to_owned();
        self.faults = Some(Arc::new(move |asked, number| {
            (asked == vendor && number <= times).then(|| fault.clone())
        }));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("models", &self.models)
            .field("ollama_needs_key", &self.ollama_needs_key)
            .field("log_file", &self.log_file)
            .field("scheduled_faults", &self.faults.is_some())
            .field("random_fault_rate", &self.random_fault_rate)
            .field("seed", &self.seed)
            .field("event_gap", &self.event_gap)
            .finish_non_exhaustive()
    }
}
