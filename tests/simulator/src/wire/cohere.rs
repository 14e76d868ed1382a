//! Cohere: `POST /v2/chat`, `POST /v2/embed`, `POST /v1/tokenize` and `GET /v1/models` under `/cohere`. The older `/v1/chat` is
//! another protocol and is not simulated. <https://docs.cohere.com/reference/chat>

mod messages;
mod models;
mod read;
mod reply;
mod shape;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::fault::{self, Failure, Forms};
use crate::hub::Hub;
use crate::reply::{Event, Reply};
use crate::seal;
use crate::server::http1::Request;
use crate::token;
use crate::vendor::Vendor;

use super::{converse, embedding, header, serve, strings_of, text_of};

/// An error before it gets its envelope.
#[derive(Debug)]
struct Trouble {
    status: u16,
    message: String,
    kind: Option<&'static str>,
}

impl Trouble {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            kind: None,
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, format!("invalid request: {}", message.into()))
    }

    /// Flat: no `error` around it.
    fn reply(&self, request: &Request) -> Reply {
        let id = seal::uuid(request.seed());
        let body = match self.kind {
            Some(kind) => json!({"id": id, "message": self.message, "error_type": kind}),
            None => json!({"id": id, "message": self.message}),
        };
        Reply::json(self.status, &body).with_headers(headers(request))
    }
}

fn headers(request: &Request) -> Vec<(String, String)> {
    vec![
        header("x-debug-trace-id", seal::uuid(request.seed() ^ 1)),
        header("x-endpoint-monthly-call-limit", "1000"),
        header("x-trial-endpoint-call-limit", "20"),
        header("x-trial-endpoint-call-remaining", "19"),
    ]
}

/// Answers a request under `/cohere`.
pub(crate) fn answer(request: &Request, hub: &Hub) -> Reply {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let allowed = match path.as_slice() {
        ["v2", "chat" | "embed"] | ["v1", "tokenize"] => "POST",
        ["v1", "models"] => "GET",
        _ => return Reply::new(404, "text/plain; charset=utf-8", "404 page not found\n"),
    };
    if request.method != allowed {
        return Trouble::new(405, "method not allowed")
            .reply(request)
            .header("allow", allowed);
    }
    let done = check_key(request, hub).and_then(|()| match path.as_slice() {
        ["v2", "chat"] => {
            let chat = read::chat(request, &hub.options.models)?;
            Ok(converse(&Cohere, &chat, request, hub))
        }
        [_, "tokenize"] => {
            let body = tokenize(request, &hub.options.models)?;
            Ok(serve(&Cohere, request, hub, good(&body, request)))
        }
        ["v2", _] => embed(request).map(|body| serve(&Cohere, request, hub, good(&body, request))),
        _ => {
            let body = models::listing(request, &hub.options.models)?;
            Ok(serve(&Cohere, request, hub, good(&body, request)))
        }
    });
    done.unwrap_or_else(|trouble| trouble.reply(request))
}

fn good(body: &Value, request: &Request) -> Reply {
    Reply::json(200, body).with_headers(headers(request))
}

fn check_key(request: &Request, hub: &Hub) -> Result<(), Trouble> {
    match request.bearer() {
        None | Some("") => Err(Trouble::new(401, "no api key supplied")),
        Some(key) if hub.accepts_key(Vendor::Cohere, key) => Ok(()),
        Some(_) => Err(Trouble::new(401, "invalid api token")),
    }
}

fn tokenize(request: &Request, added: &[String]) -> Result<Value, Trouble> {
    let body = read::json(request)?;
    models::find(text_of(&body, "model"), added)?;
    let text = text_of(&body, "text");
    if !(1..=65_536).contains(&text.chars().count()) {
        return Err(Trouble::invalid(
            "text must be between 1 and 65536 characters in length",
        ));
    }
    let pieces = token::pieces(text);
    let numbers: Vec<usize> = (0..pieces.len()).collect();
    Ok(
        json!({"tokens": numbers, "token_strings": pieces, "meta": {"api_version": {"version": "1"}}}),
    )
}

fn embed(request: &Request) -> Result<Value, Trouble> {
    let body = read::json(request)?;
    if text_of(&body, "input_type").is_empty() {
        return Err(Trouble::invalid(
            "valid input_type must be provided with the provided model",
        ));
    }
    let texts = strings_of(&body, "texts");
    if texts.is_empty() {
        return Err(Trouble::invalid(
            "at least one of texts, images or inputs must be provided",
        ));
    }
    models::embeds(text_of(&body, "model"))?;
    let asked = body.get("output_dimension").and_then(Value::as_u64);
    let length = match asked {
        None => 8,
        Some(length @ (256 | 512 | 1024 | 1536)) => usize::try_from(length).unwrap_or(8),
        Some(length) => {
            return Err(Trouble::invalid(format!(
                "invalid output_dimension: {length} is not one of 256, 512, 1024, 1536"
            )));
        }
    };
    let vectors: Vec<Vec<f32>> = texts.iter().map(|text| embedding(text, length)).collect();
    let tokens: u64 = texts.iter().map(|text| token::count(text)).sum();
    Ok(
        json!({"id": seal::uuid(request.seed()), "texts": texts, "embeddings": {"float": vectors},
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}}}),
    )
}

/// Cohere's forms.
struct Cohere;

impl Forms for Cohere {
    fn vendor(&self) -> Vendor {
        Vendor::Cohere
    }

    fn failure(&self, failure: &Failure, request: &Request) -> Option<Reply> {
        let own = |status: u16, message: &str| Trouble::new(status, message).reply(request);
        let reply = match failure {
            Failure::BadGateway => return Some(fault::bad_gateway()),
            Failure::UpstreamReset => return Some(fault::upstream_reset()),
            Failure::BadRequest => own(400, "invalid request: the request could not be read"),
            Failure::Unauthorized => own(401, "invalid api token"),
            Failure::EchoKey => own(401, &format!("invalid api token: {}", request.bearer().unwrap_or_default())),
            Failure::Billing => own(402, "Please add or update your payment method at https://dashboard.cohere.com/billing?tab=payment to continue"),
            Failure::Forbidden => own(403, "you do not have access to this resource"),
            Failure::NotFound => own(404, "model 'unknown' not found, make sure the correct model ID was used and that you have access to the model."),
            Failure::RequestTimeout => own(408, "request timed out"),
            Failure::Conflict => own(409, "conflict"),
            Failure::TooLarge => own(413, "request entity too large"),
            Failure::Unprocessable => own(422, "unprocessable entity"),
            Failure::RateLimited(wait) => {
                own(429, "You are using a Trial key, which is limited to 20 API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits.")
                    .with_headers(wait.headers())
            }
            Failure::Quota => own(429, "You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits."),
            Failure::Internal => own(500, "internal server error"),
            Failure::Unavailable => own(503, "service unavailable"),
            Failure::GatewayTimeout => own(504, "gateway timeout"),
            Failure::ContextLength => {
                let message = "too many tokens: size limit exceeded by 1024 tokens. Try using shorter or fewer inputs. The limit for this model is 128000 tokens.";
                Trouble { status: 400, message: message.to_owned(), kind: Some("TOO_MANY_TOKENS") }.reply(request)
            }
            _ => return None,
        };
        Some(reply)
    }

    fn stream_error(&self) -> Vec<Event> {
        let delta = json!({"finish_reason": "ERROR", "error": "tool call could not be generated",
            "error_type": "INVALID_TOOL_GENERATION", "usage": {}});
        vec![
            Event::finish(reply::frame("message-end", json!({ "delta": delta }))),
            Event::done(reply::DONE),
        ]
    }

    fn frame(&self, json: &str) -> Bytes {
        format!("event: content-delta\ndata: {json}\n\n").into()
    }

    fn keepalive(&self) -> Option<Bytes> {
        Some(Bytes::from_static(b": ping\n\n"))
    }
}
