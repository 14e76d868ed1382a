//! Failures: thirteen statuses with five bodies each must have the kind of their status.

use multillm::described::Response;
use multillm::error::{Error, ErrorKind as Kind};

use super::Bench;
use super::report::Report;

const WORDS: &str = "kit-words: something was wrong";

/// Bodies as vendors, proxies and nobody send them; with the vendor's words in it or not.
fn bodies() -> [(&'static str, String, bool); 5] {
    [
        (
            "an object",
            format!(r#"{{"error":{{"message":"{WORDS}"}}}}"#),
            true,
        ),
        ("a flat object", format!(r#"{{"message":"{WORDS}"}}"#), true),
        ("words", WORDS.to_owned(), true),
        (
            "a web page",
            "<html><head><title>Bad</title></head></html>".to_owned(),
            false,
        ),
        ("nothing", String::new(), false),
    ]
}

/// The kinds that a status may have, and whether it may be asked again.
fn allowed(status: u16) -> (&'static [Kind], Option<bool>) {
    const REFUSED: &[Kind] = &[
        Kind::InvalidRequest,
        Kind::Unsupported,
        Kind::ContextLength,
        Kind::ContentFiltered,
        Kind::NotFound,
        Kind::Billing,
        Kind::PayloadTooLarge,
        Kind::Authentication,
        Kind::Permission,
        Kind::Other,
    ];
    const BUSY: &[Kind] = &[
        Kind::RateLimited,
        Kind::QuotaExhausted,
        Kind::Overloaded,
        Kind::Billing,
    ];
    const THEIRS: &[Kind] = &[
        Kind::Server,
        Kind::Overloaded,
        Kind::Unavailable,
        Kind::Timeout,
    ];
    match status {
        401 => (&[Kind::Authentication, Kind::Permission], Some(false)),
        402 => (&[Kind::Billing, Kind::QuotaExhausted], Some(false)),
        403 => (
            &[
                Kind::Permission,
                Kind::Authentication,
                Kind::Billing,
                Kind::ContentFiltered,
                Kind::QuotaExhausted,
            ],
            Some(false),
        ),
        404 => (&[Kind::NotFound, Kind::InvalidRequest], Some(false)),
        408 => (
            &[
                Kind::Timeout,
                Kind::Server,
                Kind::Unavailable,
                Kind::Overloaded,
            ],
            None,
        ),
        413 => (
            &[
                Kind::PayloadTooLarge,
                Kind::ContextLength,
                Kind::InvalidRequest,
            ],
            Some(false),
        ),
        429 => (BUSY, None),
        500..=599 => (THEIRS, None),
        _ => (REFUSED, Some(false)),
    }
}

pub(super) async fn check(bench: &Bench, report: &mut Report) {
    const CODE: &str = "errors-classified";
    for status in [
        400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529,
    ] {
        for (what, body, says) in bodies() {
            let error = match failure(bench, status, &body).await {
                Ok(error) => error,
                Err(reason) => {
                    report.failed(CODE, format!("{status} with {what}: {reason}"));
                    continue;
                }
            };
            let (kinds, retryable) = allowed(status);
            report.judge(CODE, kinds.contains(&error.kind), || {
                format!("{status} with {what} is {}", error.kind)
            });
            let again = retryable.is_none_or(|wanted| wanted == error.retryable);
            report.judge(CODE, again, || {
                format!("{status} with {what} may be repeated: {}", error.retryable)
            });
            if says {
                report.judge("error-words", error.message.contains(WORDS), || {
                    format!("{status} with {what} says {:?}", error.message)
                });
            } else {
                report.judge("error-words", !error.message.trim().is_empty(), || {
                    format!("{status} with {what} says nothing")
                });
            }
        }
    }
}

async fn failure(bench: &Bench, status: u16, body: &str) -> Result<Error, String> {
    let mut session = bench.plugin.session().await.map_err(|e| e.to_string())?;
    let response = Response {
        status,
        headers: vec![],
        body: body.to_owned(),
    };
    let read = session.decode_error(&bench.target, response).await;
    read.map_err(|error| error.to_string())
}
