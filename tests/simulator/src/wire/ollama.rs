//! Ollama's native interface under `/ollama`: `POST /api/chat`, `/api/generate`, `/api/embed`, `/api/show` and `GET /api/tags`,
//! `/api/version`. The OpenAI-compatible face is not simulated.
//! <https://github.com/ollama/ollama/blob/main/docs/api.md>

mod models;
mod read;
mod reply;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::fault::{self, Failure, Forms};
use crate::hub::Hub;
use crate::reply::{Event, Reply};
use crate::server::http1::Request;
use crate::token;
use crate::vendor::Vendor;

use super::{converse, embedding, serve, strings_of, text_of};

/// An error: a status and a text.
#[derive(Debug)]
struct Trouble {
    status: u16,
    message: String,
}

impl Trouble {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    fn reply(&self) -> Reply {
        Reply::new(
            self.status,
            JSON,
            json!({"error": self.message}).to_string(),
        )
    }
}

const JSON: &str = "application/json; charset=utf-8";

/// Answers a request under `/ollama`.
pub(crate) fn answer(request: &Request, hub: &Hub) -> Reply {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let allowed: &[&str] = match path.as_slice() {
        [] | [""] | ["api", "tags" | "version" | "ps"] => &["GET", "HEAD"],
        ["api", "chat" | "generate" | "embed" | "show"] => &["POST"],
        _ => return Reply::new(404, "text/plain", "404 page not found"),
    };
    if !allowed.contains(&request.method.as_str()) {
        return Reply::new(405, "text/plain", "405 method not allowed")
            .header("allow", allowed.join(", "));
    }
    if hub.options.ollama_needs_key
        && !request
            .bearer()
            .is_some_and(|key| hub.accepts_key(Vendor::Ollama, key))
    {
        return unauthorized("unauthorized");
    }
    let done = match path.as_slice() {
        ["api", "chat"] => read::chat(request, &hub.options.models).map(|read| match read {
            read::Read::Chat(chat) => converse(&Ollama, &*chat, request, hub),
            read::Read::Loaded(body) => serve(&Ollama, request, hub, good(&body)),
        }),
        ["api", "generate"] => read::prompt(request, &hub.options.models)
            .map(|chat| converse(&Ollama, &chat, request, hub)),
        ["api", "embed"] => {
            embed(request, hub).map(|body| serve(&Ollama, request, hub, good(&body)))
        }
        ["api", "show"] => show(request, hub).map(|body| serve(&Ollama, request, hub, good(&body))),
        ["api", "tags"] => Ok(serve(
            &Ollama,
            request,
            hub,
            good(&models::listing(&hub.options.models)),
        )),
        ["api", "ps"] => Ok(good(&json!({"models": []}))),
        ["api", _] => Ok(good(&json!({"version": "0.32.1"}))),
        _ => Ok(Reply::new(
            200,
            "text/plain; charset=utf-8",
            "Ollama is running",
        )),
    };
    done.unwrap_or_else(|trouble| trouble.reply())
}

fn good(body: &Value) -> Reply {
    Reply::new(200, JSON, body.to_string())
}

fn unauthorized(message: &str) -> Reply {
    Reply::new(
        401,
        JSON,
        json!({"error": message, "signin_url": "https://ollama.com/connect?name=simulated"})
            .to_string(),
    )
}

fn show(request: &Request, hub: &Hub) -> Result<Value, Trouble> {
    let body = read::json(request)?;
    let model = models::find(text_of(&body, "model"), &hub.options.models)?;
    Ok(
        json!({"capabilities": model.capabilities(), "details": {"family": "simulated", "parameter_size": "1B"},
        "model_info": {"general.architecture": "simulated"}}),
    )
}

fn embed(request: &Request, hub: &Hub) -> Result<Value, Trouble> {
    let body = read::json(request)?;
    let name = text_of(&body, "model");
    models::find(name, &hub.options.models)?;
    let texts = strings_of(&body, "input");
    let asked = body.get("dimensions").and_then(Value::as_u64);
    let dimensions = asked
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(8);
    let vectors: Vec<Vec<f32>> = texts
        .iter()
        .map(|text| embedding(text, dimensions))
        .collect();
    let tokens: u64 = texts.iter().map(|text| token::count(text)).sum();
    Ok(
        json!({"model": name, "embeddings": vectors, "total_duration": 1_400_000, "load_duration": 900_000, "prompt_eval_count": tokens}),
    )
}

/// Ollama's forms.
struct Ollama;

impl Forms for Ollama {
    fn vendor(&self) -> Vendor {
        Vendor::Ollama
    }

    fn failure(&self, failure: &Failure, request: &Request) -> Option<Reply> {
        let own = |status: u16, message: &str| Trouble::new(status, message).reply();
        let reply = match failure {
            Failure::BadGateway => fault::bad_gateway(),
            Failure::UpstreamReset => fault::upstream_reset(),
            Failure::BadRequest => own(400, "invalid request"),
            Failure::Unauthorized => unauthorized("unauthorized"),
            Failure::EchoKey => unauthorized(&format!(
                "unauthorized: {}",
                request.bearer().unwrap_or_default()
            )),
            Failure::Billing => own(
                402,
                "this model requires a subscription, upgrade for access",
            ),
            Failure::Forbidden => own(403, "ollama cloud is disabled"),
            Failure::NotFound => own(404, "model 'unknown' not found"),
            Failure::RateLimited(wait) => {
                own(429, "too many concurrent requests, please try again later")
                    .with_headers(wait.headers())
            }
            Failure::Quota => own(
                429,
                "you have reached your weekly usage limit, please upgrade to continue",
            ),
            Failure::Internal => own(500, "llama runner process has terminated: signal: killed"),
            Failure::Unavailable => own(
                503,
                "server busy, please try again.  maximum pending requests exceeded",
            ),
            Failure::GatewayTimeout => own(504, "upstream timed out"),
            Failure::ContextLength => own(
                400,
                "prompt too long; exceeded max context length by 12 tokens",
            ),
            _ => return None,
        };
        Some(reply)
    }

    fn stream_error(&self) -> Vec<Event> {
        vec![Event::finish(self.frame(
            "{\"error\":\"an error was encountered while running the model: unexpected EOF\"}",
        ))]
    }

    fn frame(&self, json: &str) -> Bytes {
        format!("{json}\n").into()
    }

    fn keepalive(&self) -> Option<Bytes> {
        None
    }
}
