//! A whole answer, and a failure.

use multillm_plugin_sdk::error::{classify, seconds_to_ms};
use multillm_plugin_sdk::{
    ChatResponse, Error, ErrorKind, Finish, FinishReason, Part, Response, Usage,
};

use crate::wire::{Answer, Problem, finish_reason};

/// Reads a success (status below 400).
///
/// # Errors
///
/// `malformed-response` if it holds no answer; Parley's own error if it holds one.
pub(crate) fn answer(response: &Response) -> Result<ChatResponse, Error> {
    let answer: Answer<'_> = serde_json::from_str(&response.body)
        .map_err(|error| Error::malformed(format!("the answer cannot be read: {error}")))?;
    if let Some(problem) = answer.problem {
        return Err(problem.into_error());
    }
    // JSON of some other kind would read as an answer without anything in it.
    let Some(say) = answer.say else {
        return Err(Error::malformed("the answer says nothing"));
    };
    Ok(ChatResponse {
        id: answer.id,
        model: answer.model,
        content: vec![Part::text(say)],
        finish: Finish {
            reason: answer
                .ended
                .as_deref()
                .map_or(FinishReason::Other, finish_reason),
            raw: answer.ended,
        },
        usage: answer.tokens.map_or(Usage::UNKNOWN, Usage::from),
        // What the vendor says beyond the contract would go here, as a JSON object.
        extra: None,
    })
}

/// Classifies a failure (status 400 and above). It must find an answer whatever the body is:
/// proxies answer with HTML, and with nothing at all.
pub(crate) fn failure(response: &Response) -> Error {
    #[derive(serde::Deserialize)]
    struct Failure {
        problem: Problem,
    }
    let failure: Option<Failure> = serde_json::from_str(&response.body).ok();
    let problem = failure.map(|failure| failure.problem);
    let message = problem.as_ref().and_then(|problem| problem.text.clone());
    // `classify` knows what a status means everywhere; the vendor's own code may say more.
    let mut error = classify(response, message);
    if let Some(problem) = problem {
        problem.refine(&mut error);
    }
    error
}

impl Problem {
    /// The error inside an answer that began as a success: it has no status.
    pub(crate) fn into_error(self) -> Error {
        let mut error = Error {
            retryable: true,
            ..Error::new(ErrorKind::Server, self.text.clone().unwrap_or_default())
        };
        self.refine(&mut error);
        error
    }

    fn refine(self, error: &mut Error) {
        let known = match self.code.as_deref() {
            Some("too_long") => Some((ErrorKind::ContextLength, false)),
            Some("out_of_credit") => Some((ErrorKind::QuotaExhausted, false)),
            Some("slow_down") => Some((ErrorKind::RateLimited, true)),
            Some("crowded") => Some((ErrorKind::Overloaded, true)),
            _ => None,
        };
        if let Some((kind, retryable)) = known {
            error.kind = kind;
            error.retryable = retryable;
        }
        error.vendor_code = self.code;
        // Hints in headers (`retry-after`) are the host's to read; only the body's belong here.
        error.retry_after_ms = self.wait_seconds.and_then(seconds_to_ms);
    }
}
