//! Anthropic: `POST /v1/messages`, `/v1/messages/count_tokens` and `GET /v1/models` under `/anthropic`.
//! <https://docs.anthropic.com/en/api/messages>

mod blocks;
mod caching;
mod message;
mod models;
mod read;
mod rules;
mod servers;
mod shape;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::fault::{self, Failure, Forms};
use crate::hub::Hub;
use crate::reply::{Event, Reply};
use crate::seal;
use crate::server::http1::Request;
use crate::vendor::Vendor;

use super::{converse, header, serve};

/// The versions of the interface.
const VERSIONS: [&str; 3] = ["2023-01-01", "2023-06-01", "2026-10-21"];
/// The version in which sampling fields are gone.
const WITHOUT_SAMPLING: &str = "2026-10-21";

/// An error before it gets its envelope.
#[derive(Debug)]
struct Trouble {
    status: u16,
    kind: &'static str,
    message: String,
}

impl Trouble {
    fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            message: message.into(),
        }
    }

    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
        }
    }

    fn reply(&self, request: &Request) -> Reply {
        let id = request_id(request);
        let error = json!({"type": self.kind, "message": self.message});
        Reply::json(
            self.status,
            &json!({"type": "error", "error": error, "request_id": id}),
        )
        .with_headers(vec![header("request-id", id)])
    }
}

fn request_id(request: &Request) -> String {
    let seed = request.seed();
    seal::id("req_", seed, 0)
}

/// Answers a request under `/anthropic`.
pub(crate) fn answer(request: &Request, hub: &Hub) -> Reply {
    route(request, hub).unwrap_or_else(|trouble| trouble.reply(request))
}

fn route(request: &Request, hub: &Hub) -> Result<Reply, Trouble> {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let (allowed, model) = match path.as_slice() {
        ["v1", "messages"] | ["v1", "messages", "count_tokens"] => ("POST", None),
        ["v1", "models"] => ("GET", None),
        ["v1", "models", model] => ("GET", Some(*model)),
        _ => return Err(Trouble::new(404, "not_found_error", "Not found")),
    };
    if request.method != allowed {
        return Err(Trouble::new(
            405,
            "invalid_request_error",
            "Method Not Allowed",
        ));
    }
    check_key(request, hub)?;
    let version = version(request)?;
    if allowed == "GET" {
        let body = match model {
            Some(model) => models::entry_of(model, &hub.options.models)?,
            None => models::listing(request, &hub.options.models)?,
        };
        return Ok(serve(
            &Anthropic,
            request,
            hub,
            Anthropic::dress(Reply::json(200, &body), request),
        ));
    }
    if path.len() == 3 {
        let body = json!({"input_tokens": read::count(request, version, &hub.options.models)?});
        let reply = Anthropic::dress(Reply::json(200, &body), request);
        return Ok(serve(&Anthropic, request, hub, reply));
    }
    let chat = read::message(request, version, &hub.options.models)?;
    Ok(converse(&Anthropic, &chat, request, hub))
}

/// `x-api-key` wins over a bearer token.
fn sent_key(request: &Request) -> Option<&str> {
    request.header("x-api-key").or_else(|| request.bearer())
}

fn check_key(request: &Request, hub: &Hub) -> Result<(), Trouble> {
    let refused = |message: &str| Err(Trouble::new(401, "authentication_error", message));
    match sent_key(request) {
        None | Some("") => refused("x-api-key header is required"),
        Some(key) if hub.accepts_key(Vendor::Anthropic, key) => Ok(()),
        Some(_) => refused("invalid x-api-key"),
    }
}

fn version(request: &Request) -> Result<&'static str, Trouble> {
    let Some(asked) = request.header("anthropic-version") else {
        return Err(Trouble::invalid("anthropic-version: header is required"));
    };
    let known = VERSIONS.into_iter().find(|version| *version == asked);
    known.ok_or_else(|| {
        Trouble::invalid(format!(
            "anthropic-version: \"{asked}\" is not a valid version"
        ))
    })
}

/// Anthropic's forms.
struct Anthropic;

impl Anthropic {
    fn dress(reply: Reply, request: &Request) -> Reply {
        let reply = reply.header("request-id", request_id(request));
        let mut headers = vec![header("anthropic-organization-id", "simulated")];
        for (name, limit, remaining) in [
            ("requests", "50", "49"),
            ("tokens", "90000", "89000"),
            ("input-tokens", "50000", "49000"),
            ("output-tokens", "10000", "10000"),
        ] {
            headers.push(header(&format!("anthropic-ratelimit-{name}-limit"), limit));
            headers.push(header(
                &format!("anthropic-ratelimit-{name}-remaining"),
                remaining,
            ));
            headers.push(header(
                &format!("anthropic-ratelimit-{name}-reset"),
                "2026-11-23T12:00:00Z",
            ));
        }
        reply.with_headers(headers)
    }
}

impl Forms for Anthropic {
    fn vendor(&self) -> Vendor {
        Vendor::Anthropic
    }

    fn failure(&self, failure: &Failure, request: &Request) -> Option<Reply> {
        let own = |status: u16, kind: &'static str, message: &str| {
            Trouble::new(status, kind, message).reply(request)
        };
        let limited = || {
            own(
                429,
                "rate_limit_error",
                "This request would exceed your organization's rate limit of 50 requests per minute.",
            )
        };
        let reply = match failure {
            Failure::BadGateway => return Some(fault::bad_gateway()),
            Failure::UpstreamReset => return Some(fault::upstream_reset()),
            Failure::BadRequest => own(400, "invalid_request_error", "invalid request"),
            Failure::Unauthorized => own(401, "authentication_error", "invalid x-api-key"),
            Failure::EchoKey => {
                let message = format!(
                    "invalid x-api-key: {}",
                    sent_key(request).unwrap_or_default()
                );
                own(401, "authentication_error", &message)
            }
            Failure::Billing => own(
                402,
                "billing_error",
                "Your credit balance is too low to access the Anthropic API.",
            ),
            Failure::Forbidden => own(
                403,
                "permission_error",
                "Your API key does not have permission to use the specified resource.",
            ),
            Failure::NotFound => own(404, "not_found_error", "model: unknown"),
            Failure::RequestTimeout => own(408, "timeout_error", "Request timed out"),
            Failure::Conflict => own(
                409,
                "conflict_error",
                "The resource was changed by another request",
            ),
            Failure::TooLarge => own(413, "request_too_large", "Request exceeds the maximum size"),
            Failure::Unprocessable => own(422, "invalid_request_error", "unprocessable request"),
            Failure::RateLimited(wait) => {
                Self::dress(limited(), request).with_headers(wait.headers())
            }
            Failure::Quota => {
                let error = json!({"type": "rate_limit_error", "message": "You have reached your specified API usage limits.",
                    "details": {"error_code": "enforced_spend_limit_reached"}});
                Reply::json(
                    429,
                    &json!({"type": "error", "error": error, "request_id": request_id(request)}),
                )
            }
            Failure::OverLimit | Failure::RateLimitedForGood => {
                limited().header("x-should-retry", "false")
            }
            Failure::Internal => own(500, "api_error", "Internal server error"),
            Failure::InternalForGood => {
                own(500, "api_error", "Internal server error").header("x-should-retry", "false")
            }
            Failure::Unavailable => own(503, "api_error", "Service unavailable"),
            Failure::GatewayTimeout => own(504, "timeout_error", "Request timed out"),
            Failure::Overloaded => {
                // A 529 comes from in front of the interface and knows no request id.
                let error = json!({"type": "overloaded_error", "message": "Overloaded"});
                Reply::json(529, &json!({"type": "error", "error": error}))
                    .header("x-should-retry", "true")
            }
            Failure::ContextLength => own(
                400,
                "invalid_request_error",
                "prompt is too long: 208310 tokens > 200000 maximum",
            ),
            Failure::ContentFilter => own(
                400,
                "invalid_request_error",
                "Output blocked by content filtering policy",
            ),
            Failure::ZeroHint | Failure::Loading(_) => return None,
        };
        Some(reply)
    }

    fn stream_error(&self) -> Vec<Event> {
        let error = json!({"type": "error", "error": {"details": null, "type": "overloaded_error", "message": "Overloaded"}});
        vec![Event::finish(frame("error", &error))]
    }

    fn frame(&self, json: &str) -> Bytes {
        format!("event: content_block_delta\ndata: {json}\n\n").into()
    }

    fn keepalive(&self) -> Option<Bytes> {
        Some(frame("ping", &json!({"type": "ping"})).into())
    }
}

/// One named event; its JSON is padded before the last brace, by an amount that differs from event to event.
fn frame(name: &str, event: &Value) -> String {
    let json = event.to_string();
    let padding = " ".repeat(usize::try_from(seal::digest(&["padding", &json]) % 12).unwrap_or(0));
    let padded = match json.strip_suffix('}') {
        Some(open) => format!("{open}{padding}}}"),
        None => json,
    };
    format!("event: {name}\ndata: {padded}\n\n")
}
