//! What went wrong, whatever shape the server says it in.

use super::dialect::Dialect;
use super::wire::{one_or_many, scalar};
use crate::error::{classify, kind_of_status, seconds_to_ms};
use crate::json::Json;
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
        statuses: &[0, 500, 502, 503, 504],
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
        codes: &["authentication_error", "authenticationerror"],
        messages: &[],
        kind: ErrorKind::Authentication,
        retryable: false,
    },
    Sign {
        statuses: &[0],
        codes: &["permission_error", "permissiondeniederror"],
        messages: &[],
        kind: ErrorKind::Permission,
        retryable: false,
    },
    Sign {
        statuses: &[0],
        codes: &["not_found_error", "notfounderror"],
        messages: &[],
        kind: ErrorKind::NotFound,
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
    // What the server says of it outright counts more than any sign.
    if response.header("x-should-retry") == Some("false") {
        error.retryable = false;
    }
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
        Self::of(&Json::parse(body).ok()?)
    }

    /// An error of which only its words are known.
    pub(super) fn said(message: &str) -> Self {
        Report {
            message: Some(message.to_owned()),
            ..Report::default()
        }
    }

    /// The error in what was read; nothing where it holds none.
    pub(super) fn of(value: &Json<'_>) -> Option<Self> {
        let top = match value {
            Json::List(list) => list.first()?,
            value => value,
        };
        if !matches!(top, Json::Object(_)) {
            return None;
        }
        let detail = top
            .get("error")
            .filter(|error| **error != Json::Bool(false));
        let mut message = match detail {
            // An error without words of its own may have them beside it.
            Some(detail) => words(detail)
                .or_else(|| words(top.get("message")?))
                .or_else(|| other_words(detail))?,
            None => words(top)?,
        };
        let detail = detail.unwrap_or(top);
        for more in [
            detail.get("details"),
            detail.at(&["metadata", "raw"]),
            top.get("warnings"),
            top.get("message"),
        ] {
            if let Some(more) = more.and_then(words).filter(|more| !message.contains(more)) {
                message.push_str(": ");
                message.push_str(&more);
            }
        }
        let inner = detail.get("innererror").unwrap_or(&Json::Null);
        let codes = [
            (detail, "code"),
            (detail, "type"),
            (inner, "code"),
            (top, "error_type"),
        ]
        .into_iter()
        .filter_map(|(place, key)| Some(scalar(place, key)?.into_owned()));
        let (numbers, names): (Vec<String>, Vec<String>) =
            codes.partition(|code| code.parse::<u16>().is_ok());
        let status = [
            (detail, "status"),
            (detail, "code"),
            (detail, "http_status_code"),
        ]
        .into_iter()
        .filter_map(|(place, key)| scalar(place, key)?.parse().ok())
        .find(|status| (400..600).contains(status));
        Some(Report {
            message: Some(message),
            codes: names.into_iter().chain(numbers).collect(),
            status,
            retry_after_ms: top
                .get("estimated_time")
                .and_then(Json::float)
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
            let message = message.to_ascii_lowercase();
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

/// The words of an error, wherever in it they stand.
fn words(value: &Json<'_>) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Json::List(list) => {
            let texts: Vec<String> = list.iter().filter_map(words).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Json::Object(_) => ["message", "error", "detail", "msg", "errors"]
            .into_iter()
            .find_map(|key| words(value.get(key)?)),
        _ => None,
    }
}

/// An error without words as it stands; nothing if it says nothing at all.
fn other_words(error: &Json<'_>) -> Option<String> {
    one_or_many(Some(error))
        .iter()
        .any(|error| matches!(error, Json::Object(members) if !members.is_empty()))
        .then(|| error.to_string())
}

#[cfg(test)]
mod tests;
