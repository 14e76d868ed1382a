//! Whether models answer: a small question to each at once.
//!
//! Nothing here prints.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Serialize;

use super::MultiLlmService;
use super::advice::advice;
use super::call::Call;
use crate::chat::{ChatMessage, ChatRequest, exact_number};
use crate::config::Model;
use crate::error::{Error, ErrorDetail, ErrorKind, Result};

/// Enough for models that think before they speak, and next to nothing for the others.
const TOKENS: u32 = 16;

/// How a model is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ModelHealth {
    /// The configured model.
    pub model: String,
    /// Its provider.
    pub provider: String,
    /// It answered.
    pub reachable: bool,
    /// To the answer or the failure, in milliseconds, once the plugin was ready; absent if nothing
    /// was sent.
    pub latency_ms: Option<u64>,
    /// The model that answered, as the vendor names it.
    pub vendor_model: Option<String>,
    /// What the question cost, in US dollars.
    #[serde(serialize_with = "exact")]
    pub cost: Option<rust_decimal::Decimal>,
    /// Why it did not answer.
    pub error: Option<ErrorDetail>,
    /// What to do about it.
    pub fix: Option<String>,
}

#[allow(clippy::ref_option, reason = "serde's form")]
fn exact<S: serde::Serializer>(
    cost: &Option<rust_decimal::Decimal>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    cost.and_then(exact_number).serialize(serializer)
}

impl MultiLlmService {
    /// Asks models for a few words, all at once, and says how each is, in the order of the names.
    /// No names: every model that is switched on. The name of a route stands for its models.
    /// Each has `timeout`, or as long as the configuration's `health.timeout_ms` says.
    ///
    /// A model whose key is missing is reported without a call. Neither kept answers nor retries
    /// nor earlier failures have a say; the question is recorded like any other.
    ///
    /// # Errors
    ///
    /// `configuration`: there is no model of such a name. A model that does not answer is no error here.
    pub async fn health_check(
        &self,
        models: &[String],
        timeout: Option<Duration>,
    ) -> Result<Vec<ModelHealth>> {
        let config = self.config();
        let mut asked: Vec<Arc<Model>> = vec![];
        if models.is_empty() {
            asked.extend(
                config
                    .models
                    .values()
                    .filter(|model| model.enabled)
                    .cloned(),
            );
        }
        for name in models {
            let name = config.unaliased(name);
            match (config.model(name), config.routes.get(name)) {
                (Some(model), _) => asked.push(model),
                (None, Some(route)) => {
                    asked.extend(route.models.iter().map(|entry| entry.model.clone()));
                }
                (None, None) => return Err(Error::configuration(config.unknown_model(name))),
            }
        }
        let timeout = timeout.unwrap_or(config.health.timeout);
        // Compiling is no vendor's time, and takes all processors while it lasts.
        self.make_ready(&asked).await;
        let checks = asked.iter().map(|model| self.check(model, timeout));
        Ok(join_all(checks).await)
    }

    async fn check(&self, model: &Model, timeout: Duration) -> ModelHealth {
        let begun = Instant::now();
        let mut health = ModelHealth {
            model: model.name.clone(),
            provider: model.provider.name.clone(),
            reachable: false,
            latency_ms: None,
            vendor_model: None,
            cost: None,
            error: None,
            fix: None,
        };
        let request = ChatRequest::new([ChatMessage::user("Say OK.")]).max_tokens(TOKENS);
        let probe = async {
            Call::begin(self, request, &model.name, false)?
                .probe()
                .await
        };
        let outcome = match tokio::time::timeout(timeout, probe).await {
            Ok(Err(error)) if is_own_limit(&error) => {
                // It knows key and model, and minds only that the check lets it say so little.
                health.reachable = true;
                health.latency_ms = u64::try_from(begun.elapsed().as_millis()).ok();
                return health;
            }
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(
                ErrorKind::Timeout,
                format!("no answer within {:.1} s", timeout.as_secs_f64()),
            )),
        };
        let elapsed = u64::try_from(begun.elapsed().as_millis()).ok();
        match outcome {
            Ok(answer) => {
                health.reachable = true;
                health.latency_ms = elapsed;
                health.vendor_model = answer.vendor_model;
                health.cost = answer.cost;
            }
            Err(error) => {
                let error = error.of(&model.provider.name, &model.name);
                health.latency_ms = elapsed.filter(|_| !error.is_usage());
                health.fix = advice(&error);
                health.error = Some((*error).clone());
            }
        }
        health
    }
}

/// Whether a vendor refuses nothing but the few tokens that a check asks for. A model that thinks
/// first may use them all up, and some servers call that the caller's fault.
fn is_own_limit(error: &Error) -> bool {
    const LIMITS: [&str; 5] = [
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "maxoutputtokens",
        "output limit",
    ];
    const MET: [&str; 9] = [
        "reached",
        "exceeded",
        "higher",
        "too low",
        "too small",
        "greater than",
        "at least",
        "minimum",
        "increase",
    ];
    let words = error.message.to_lowercase();
    let says = |list: &[&str]| list.iter().any(|word| words.contains(word));
    matches!(
        error.kind,
        ErrorKind::InvalidRequest
            | ErrorKind::Unsupported
            | ErrorKind::ContextLength
            | ErrorKind::Server
            | ErrorKind::Truncated
            | ErrorKind::Other
    ) && says(&LIMITS)
        && says(&MET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_own_limit_is_no_fault_of_the_model() {
        let own = |kind, words: &str| is_own_limit(&Error::new(kind, words));
        for words in [
            "Could not finish the message because max_tokens or model output limit was reached. \
             Please try again with higher max_tokens.",
            "`max_tokens` must be greater than `thinking.budget_tokens`",
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 32",
            "max_completion_tokens is too small for this model",
        ] {
            assert!(own(ErrorKind::InvalidRequest, words), "{words}");
            assert!(!own(ErrorKind::Authentication, words), "{words}");
        }
        for words in [
            "max_tokens is not supported with this model: use max_completion_tokens",
            "the context window was exceeded",
            "you have reached your monthly limit",
        ] {
            assert!(!own(ErrorKind::InvalidRequest, words), "{words}");
        }
    }
}
