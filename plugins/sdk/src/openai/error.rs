//! What went wrong, whatever shape the server says it in.

use serde_json::Value;

use super::dialect::Dialect;
use crate::error::{classify, kind_of_status, seconds_to_ms};
use crate::{Error, ErrorKind, Response};

/// By which an error is known for what it is, beyond its status.
#[derive(Clone, Copy, Debug)]
pub struct Sign {
    /// The statuses it counts for; empty for all, also for errors without one.
    pub statuses: &'static [u16],
    /// Codes or types, of which one must be the error's. Case does not count.
    pub codes: &'static [&'static str],
    /// Lower-case texts, of which one may be in the message instead.
    pub messages: &'static [&'static str],
    /// What it is then.
    pub kind: ErrorKind,
    /// Whether it may pass by waiting.
    pub retryable: bool,
}

/// Signs that mean the same everywhere; the first that fits counts.
const COMMON: &[Sign] = &[
    Sign {
        statuses: &[],
        codes: &[
            "insufficient_quota",
            "credit_balance_exhausted",
            "billing_hard_limit_reached",
        ],
        messages: &[],
        kind: ErrorKind::QuotaExhausted,
        retryable: false,
    },
    Sign {
        statuses: &[],
        codes: &[
            "content_filter",
            "content_policy_violation",
            "moderation_blocked",
            "responsibleaipolicyviolation",
        ],
        messages: &[],
        kind: ErrorKind::ContentFiltered,
        retryable: false,
    },
    Sign {
        statuses: &[],
        codes: &["context_length_exceeded", "exceed_context_size_error"],
        messages: &[],
        kind: ErrorKind::ContextLength,
        retryable: false,
    },
    Sign {
        statuses: &[0, 400, 413, 422, 500],
        codes: &[],
        messages: &[
            "maximum context length",
            "context length exceeded",
            "exceeds the available context size",
            "exceeded max context length",
            "longer than the model's context",
            "`inputs` tokens + `max_new_tokens` must be",
            "`inputs` must have less than",
        ],
        kind: ErrorKind::ContextLength,
        retryable: false,
    },
    Sign {
        statuses: &[429],
        codes: &[],
        messages: &["request too large"],
        kind: ErrorKind::RateLimited,
        retryable: false,
    },
    Sign {
        statuses: &[],
        codes: &["model_not_found", "deploymentnotfound"],
        messages: &[],
        kind: ErrorKind::NotFound,
        retryable: false,
    },
    Sign {
        statuses: &[],
        codes: &["invalid_api_key"],
        messages: &[],
        kind: ErrorKind::Authentication,
        retryable: false,
    },
    Sign {
        statuses: &[],
        codes: &["server_is_overloaded", "overloaded_error", "overloaded"],
        messages: &[],
        kind: ErrorKind::Overloaded,
        retryable: true,
    },
    // What follows is for errors inside an answer, which have no status to go by.
    Sign {
        statuses: &[0],
        codes: &[
            "rate_limit_exceeded",
            "rate_limit_error",
            "requests",
            "tokens",
            "slow_down",
        ],
        messages: &[],
        kind: ErrorKind::RateLimited,
        retryable: true,
    },
    Sign {
        statuses: &[0],
        codes: &["invalid_request_error", "badrequesterror", "validation"],
        messages: &[],
        kind: ErrorKind::InvalidRequest,
        retryable: false,
    },
    Sign {
        statuses: &[0],
        codes: &["timeout", "timeout_error"],
        messages: &[],
        kind: ErrorKind::Timeout,
        retryable: true,
    },
    Sign {
        statuses: &[0],
        codes: &[],
        messages: &[""],
        kind: ErrorKind::Server,
        retryable: true,
    },
];

/// Classifies a failure; any body will do.
#[must_use]
pub fn decode_error(dialect: &Dialect, response: &Response) -> Error {
    let report = Report::read(&response.body).unwrap_or_default();
    let mut error = classify(response, report.message.clone());
    report.refine(dialect, response.status, &mut error);
    error
}

/// What a body says of an error.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Report {
    message: Option<String>,
    /// Code, type and inner code, as far as there are any; the best to report first.
    codes: Vec<String>,
    status: Option<u16>,
    retry_after_ms: Option<u64>,
}

impl Report {
    /// The error in a body or an event; nothing where it holds none.
    pub(super) fn read(body: &str) -> Option<Self> {
        Self::from_value(&serde_json::from_str(body).ok()?)
    }

    /// An error of which only its words are known.
    pub(super) fn said(message: &str) -> Self {
        Report {
            message: Some(message.to_owned()),
            ..Report::default()
        }
    }

    fn from_value(value: &Value) -> Option<Self> {
        let top = match value {
            Value::Array(list) => list.first()?,
            value => value,
        };
        let (detail, named) = match top.get("error") {
            Some(Value::Null | Value::Bool(false)) | None => (top, false),
            Some(error) => (
                error,
                error.as_object().is_some_and(|error| !error.is_empty()),
            ),
        };
        let mut message = text(detail).or_else(|| named.then(|| detail.to_string()))?;
        for more in [
            detail.get("details"),
            detail.pointer("/metadata/raw"),
            top.get("warnings"),
        ] {
            if let Some(more) = more.and_then(text).filter(|more| !message.contains(more)) {
                message = format!("{message}: {more}");
            }
        }
        let codes: Vec<&Value> = [
            detail.get("code"),
            detail.get("type"),
            detail.pointer("/innererror/code"),
            top.get("error_type"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let status = [detail.get("code"), detail.get("status")]
            .into_iter()
            .chain([detail.get("http_status_code"), top.get("status_code")])
            .flatten()
            .find_map(status_of);
        let words = codes.iter().filter_map(|code| code.as_str());
        let (numbers, names): (Vec<&str>, Vec<&str>) = words
            .filter(|code| !code.is_empty())
            .partition(|code| code.parse::<u16>().is_ok());
        Some(Report {
            message: Some(message),
            codes: names
                .into_iter()
                .chain(numbers)
                .map(str::to_owned)
                .collect(),
            status,
            retry_after_ms: top
                .get("estimated_time")
                .and_then(Value::as_f64)
                .and_then(seconds_to_ms),
        })
    }

    /// The error inside an answer that began as a success.
    pub(super) fn into_error(self, dialect: &Dialect) -> Error {
        let (kind, retryable) = kind_of_status(self.status.unwrap_or_default());
        let mut error = Error {
            status: self.status,
            retryable,
            ..Error::new(kind, self.message.clone().unwrap_or_default())
        };
        self.refine(dialect, self.status.unwrap_or_default(), &mut error);
        error
    }

    fn refine(&self, dialect: &Dialect, status: u16, error: &mut Error) {
        let sign = dialect
            .errors
            .iter()
            .chain(COMMON)
            .find(|sign| self.shows(sign, status));
        if let Some(sign) = sign {
            error.kind = sign.kind;
            error.retryable = sign.retryable;
        }
        error.vendor_code = self.codes.first().cloned();
        error.retry_after_ms = self.retry_after_ms;
    }

    fn shows(&self, sign: &Sign, status: u16) -> bool {
        let said = || {
            let message = self.message.as_deref().unwrap_or_default();
            let message = message.to_lowercase();
            sign.messages.iter().any(|text| message.contains(text))
        };
        let coded = || {
            self.codes.iter().any(|code| {
                sign.codes
                    .iter()
                    .any(|sign| code.eq_ignore_ascii_case(sign))
            })
        };
        (sign.statuses.is_empty() || sign.statuses.contains(&status)) && (coded() || said())
    }
}

/// A failure's status, where a number in the body is one.
fn status_of(value: &Value) -> Option<u16> {
    let number = match value {
        Value::String(text) => text.parse().ok()?,
        value => value.as_u64()?,
    };
    u16::try_from(number)
        .ok()
        .filter(|s| (400..600).contains(s))
}

/// The words of an error, wherever in it they stand.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Array(list) => {
            let texts: Vec<String> = list.iter().filter_map(text).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Value::Object(object) => ["message", "error", "detail", "msg", "errors"]
            .into_iter()
            .find_map(|key| object.get(key).and_then(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
