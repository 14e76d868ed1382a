//! Errors of the OpenAI family before they get a vendor's form: what is wrong, with type, param and code.
//! <https://platform.openai.com/docs/guides/error-codes>

use serde_json::{Value, json};

use crate::fault::Failure;
use crate::reply::Reply;
use crate::shape::{Flaw, FlawKind};

/// An error with the four members that the family's bodies have.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) param: Option<String>,
    pub(crate) code: Option<&'static str>,
}

impl Trouble {
    /// A 400 without param and code.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            message: message.into(),
            param: None,
            code: None,
        }
    }

    #[must_use]
    pub(crate) fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    #[must_use]
    pub(crate) const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub(crate) const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub(crate) const fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn json(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}})
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::json(self.status, &self.json())
    }

    /// What OpenAI says about a body of the wrong shape.
    pub(crate) fn of_flaw(flaw: &Flaw) -> Self {
        let path = flaw.bracketed();
        match &flaw.kind {
            FlawKind::Unknown if flaw.path.len() == 1 => {
                Self::invalid(format!("Unrecognized request argument supplied: {path}"))
            }
            FlawKind::Unknown => Self::invalid(format!("Unknown parameter: '{path}'."))
                .param(path)
                .code("unknown_parameter"),
            FlawKind::Missing => Self::invalid(format!("Missing required parameter: '{path}'."))
                .param(path)
                .code("missing_required_parameter"),
            FlawKind::Type { expected, found } => {
                let message = format!(
                    "Invalid type for '{path}': expected {expected}, but got {found} instead."
                );
                Self::invalid(message).param(path).code("invalid_type")
            }
            FlawKind::Range { min, max, value } => {
                let (bound, limit, code) = match value > max {
                    true => ("maximum value <=", max, "decimal_above_max_value"),
                    false => ("minimum value >=", min, "decimal_below_min_value"),
                };
                let message = format!(
                    "Invalid '{path}': decimal out of range. Expected a value with {bound} {limit}, but got {value} instead."
                );
                Self::invalid(message).param(path).code(code)
            }
            FlawKind::Choice { allowed, found } => {
                let names: Vec<String> = allowed.iter().map(|name| format!("'{name}'")).collect();
                let message = format!(
                    "Invalid value: '{found}'. Supported values are: {}.",
                    names.join(", ")
                );
                Self::invalid(message).param(path).code("invalid_value")
            }
        }
    }

    /// The family's ordinary failures. Forms that only one vendor has are decided before this is asked.
    pub(crate) fn of_failure(failure: &Failure) -> Option<Self> {
        let trouble = match failure {
            Failure::BadRequest => Self::invalid("Invalid request."),
            Failure::Unauthorized => Self::invalid("Incorrect API key provided.").status(401).code("invalid_api_key"),
            Failure::Billing => Self::invalid("Your account is not active, please check your billing details.")
                .status(402)
                .kind("billing_not_active")
                .code("billing_not_active"),
            Failure::Forbidden => Self::invalid("Country, region, or territory not supported")
                .status(403)
                .kind("request_forbidden")
                .code("unsupported_country_region_territory"),
            Failure::NotFound => {
                Self::invalid("The model does not exist or you do not have access to it.").status(404).code("model_not_found")
            }
            Failure::RequestTimeout => Self::invalid("Request timed out.").status(408).kind("timeout"),
            Failure::Conflict => Self::invalid("The resource was changed by another request.").status(409),
            Failure::TooLarge => Self::invalid("Request body too large.").status(413),
            Failure::Unprocessable => Self::invalid("The request could not be processed.").status(422),
            Failure::RateLimited(_) | Failure::ZeroHint => {
                Self::invalid("Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1.")
                    .status(429)
                    .kind("requests")
                    .code("rate_limit_exceeded")
            }
            Failure::Quota => Self::invalid("You exceeded your current quota, please check your plan and billing details.")
                .status(429)
                .kind("insufficient_quota")
                .code("insufficient_quota"),
            Failure::OverLimit => {
                Self::invalid("Request too large on tokens per min (TPM): Limit 30000, Requested 41250.")
                    .status(429)
                    .kind("tokens")
                    .code("rate_limit_exceeded")
            }
            Failure::RateLimitedForGood => {
                Self::invalid("Rate limit reached.").status(429).kind("requests").code("rate_limit_exceeded")
            }
            Failure::Internal | Failure::InternalForGood => {
                Self::invalid("The server had an error while processing your request. Sorry about that!")
                    .status(500)
                    .kind("server_error")
            }
            Failure::Unavailable => Self::invalid("The engine is currently overloaded, please try again later.")
                .status(503)
                .kind("server_error")
                .code("server_is_overloaded"),
            Failure::GatewayTimeout => Self::invalid("The server timed out.").status(504).kind("server_error"),
            Failure::ContextLength => {
                Self::invalid("This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please reduce the length of the messages.")
                    .param("messages")
                    .code("context_length_exceeded")
            }
            Failure::ContentFilter => {
                Self::invalid("Your request was rejected as a result of our safety system.").code("content_policy_violation")
            }
            Failure::EchoKey | Failure::BadGateway | Failure::UpstreamReset | Failure::Loading(_) | Failure::Overloaded => {
                return None;
            }
        };
        Some(trouble)
    }
}
