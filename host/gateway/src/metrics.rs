//! Numbers for Prometheus, by the names of OpenTelemetry's conventions for HTTP servers and generative models.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use multillm::stats::{Outcome, Record};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::access::Line;
use crate::rest::{Peak, Watch};

type Labels = Vec<(&'static str, String)>;
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    requests: Histograms,
    active: Gauge,
    peak: Peak,
    operations: Histograms,
    first_token: Histograms,
    tokens: Histograms,
    cost: Family<Labels, Counter<f64, std::sync::atomic::AtomicU64>>,
    unpriced: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
}

/// From a millisecond to ten minutes.
fn seconds() -> Histogram {
    Histogram::new([
        0.001, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48,
        40.96, 81.92, 300.0, 600.0,
    ])
}

/// The buckets that the conventions advise.
fn counts() -> Histogram {
    Histogram::new([
        1.0,
        4.0,
        16.0,
        64.0,
        256.0,
        1024.0,
        4096.0,
        16384.0,
        65536.0,
        262_144.0,
        1_048_576.0,
        4_194_304.0,
    ])
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let by = |make: fn() -> Histogram| Family::new_with_constructor(make);
        let metrics = Metrics {
            registry: Mutex::default(),
            requests: by(seconds),
            active: Gauge::default(),
            peak: Peak::default(),
            operations: by(seconds),
            first_token: by(seconds),
            tokens: by(counts),
            cost: Family::default(),
            unpriced: Family::default(),
            refused: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = || Unit::Seconds;
        registry.register_with_unit(
            "http_server_request_duration",
            "From the head of a request to the end of its answer",
            seconds(),
            self.requests.clone(),
        );
        registry.register(
            "http_server_active_requests",
            "Requests under way",
            self.active.clone(),
        );
        registry.register_with_unit(
            "gen_ai_client_operation_duration",
            "Each attempt at a model, to its end",
            seconds(),
            self.operations.clone(),
        );
        registry.register_with_unit(
            "gen_ai_server_time_to_first_token",
            "Each attempt, to the first piece of content",
            seconds(),
            self.first_token.clone(),
        );
        registry.register(
            "gen_ai_client_token_usage",
            "Tokens of each attempt that reported them",
            self.tokens.clone(),
        );
        registry.register(
            "multillm_cost_dollars",
            "US dollars of exchanges whose cost is known",
            self.cost.clone(),
        );
        registry.register(
            "multillm_unpriced_exchanges",
            "Answers whose cost is not known",
            self.unpriced.clone(),
        );
        registry.register(
            "multillm_refused_requests",
            "Requests that the gateway itself refused",
            self.refused.clone(),
        );
    }

    /// A request has come.
    pub(crate) fn begun(&self) {
        // The gauge gives what it was.
        self.peak.reached(self.active.inc() + 1);
    }

    /// Whether a crowd of requests has gone.
    pub(crate) fn is_relieved(&self, watch: &mut Watch) -> bool {
        watch.look(&self.peak, self.active.get())
    }

    /// A request is over.
    pub(crate) fn ended(&self, line: &Line, elapsed: Duration) {
        self.active.dec();
        let labels = vec![
            ("http_request_method", line.method.clone()),
            ("http_route", line.route.to_owned()),
            ("http_response_status_code", line.status.to_string()),
        ];
        self.requests
            .get_or_create(&labels)
            .observe(elapsed.as_secs_f64());
    }

    /// The gateway refused a request before any model was asked.
    pub(crate) fn refused(&self, why: &'static str) {
        self.refused
            .get_or_create(&vec![("reason", why.to_owned())])
            .inc();
    }

    /// An attempt at a model is over.
    pub(crate) fn exchange(&self, record: &Record) {
        let mut labels = vec![
            ("gen_ai_operation_name", "chat".to_owned()),
            ("gen_ai_provider_name", record.provider.clone()),
            ("gen_ai_request_model", record.model.clone()),
        ];
        if let Some(first) = record.ttft {
            self.first_token
                .get_or_create(&labels)
                .observe(first.as_secs_f64());
        }
        for (kind, count) in [
            ("input", record.usage.prompt_tokens),
            ("output", record.usage.completion_tokens),
        ] {
            if let Some(count) = count {
                let mut labels = labels.clone();
                labels.push(("gen_ai_token_type", kind.to_owned()));
                #[allow(clippy::cast_precision_loss, reason = "a histogram's sum")]
                self.tokens.get_or_create(&labels).observe(count as f64);
            }
        }
        let caller = record.caller.clone().unwrap_or_else(|| "-".to_owned());
        let spent = vec![
            ("gen_ai_provider_name", record.provider.clone()),
            ("gen_ai_request_model", record.model.clone()),
            ("caller", caller),
        ];
        match record.cost {
            Some(cost) => {
                // For a graph; what is billed is in the history, to the last digit.
                let dollars: f64 = cost.to_string().parse().unwrap_or_default();
                self.cost.get_or_create(&spent).inc_by(dollars);
            }
            None if matches!(record.outcome, Outcome::Success(_)) => {
                self.unpriced.get_or_create(&spent).inc();
            }
            None => {}
        }
        match &record.outcome {
            Outcome::Success(_) => {}
            Outcome::Error { kind, .. } => labels.push(("error_type", kind.as_str().to_owned())),
            Outcome::Cancelled => labels.push(("error_type", "cancelled".to_owned())),
        }
        self.operations
            .get_or_create(&labels)
            .observe(record.latency.as_secs_f64());
    }

    /// All of it, as Prometheus reads it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if encode(&mut text, &registry).is_err() {
            text.clear();
        }
        text
    }
}
