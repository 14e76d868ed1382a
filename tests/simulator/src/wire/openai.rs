//! OpenAI: `POST /chat/completions`, `POST /responses`, `GET /models`, `POST /embeddings` under `/openai/v1`, and the
//! parts that Azure and Hugging Face share with it.

pub(crate) mod completion;
mod messages;
pub(crate) mod models;
pub(crate) mod read;
pub(crate) mod responses;
mod rules;
mod shape;
pub(crate) mod trouble;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::fault::{self, Failure, Forms};
use crate::hub::Hub;
use crate::reply::{Event, Reply};
use crate::seal;
use crate::server::http1::Request;
use crate::token;
use crate::vendor::Vendor;
use crate::wire::{converse, embedding, header, serve, strings_of, text_of};

use completion::{Engine, Style};
use read::Reading;
use trouble::Trouble;

/// Answers a request under `/openai`.
pub(crate) fn answer(request: &Request, hub: &Hub) -> Reply {
    let forms = OpenAi;
    match route(request, hub) {
        Ok(reply) => reply,
        Err(trouble) => forms.dress(trouble.reply(), request),
    }
}

fn route(request: &Request, hub: &Hub) -> Result<Reply, Trouble> {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let (allowed, wanted) = match path.as_slice() {
        ["v1", "chat", "completions"] => ("POST", Endpoint::Chat),
        ["v1", "responses"] => ("POST", Endpoint::Responses),
        ["v1", "responses", "input_tokens"] => ("POST", Endpoint::Count),
        ["v1", "embeddings"] => ("POST", Endpoint::Embeddings),
        ["v1", "models"] => ("GET", Endpoint::Models),
        ["v1", "models", model] => ("GET", Endpoint::Model((*model).to_owned())),
        _ => {
            let message = format!("Invalid URL ({} /{})", request.method, path.join("/"));
            return Err(Trouble::invalid(message).status(404));
        }
    };
    if request.method != allowed {
        let message = format!(
            "Not allowed to {} on /{}. (HINT: Perhaps you meant to use a different HTTP method?)",
            request.method,
            path.join("/")
        );
        return Err(Trouble::invalid(message)
            .status(405)
            .code("method_not_supported"));
    }
    check_key(request, hub)?;
    let forms = OpenAi;
    let added = &hub.options.models;
    match wanted {
        Endpoint::Chat => {
            let reading = Reading {
                strict: true,
                model: None,
            };
            let style = Style {
                engine: Engine::OpenAi,
                headers: OpenAi::headers(request),
            };
            let chat = read::completion(read::json(request)?, &reading, |name| {
                models::find(name, added)
                    .map(|model| (model, style))
                    .ok_or_else(|| unknown_model(name))
            })?;
            Ok(converse(&forms, &chat, request, hub))
        }
        Endpoint::Responses | Endpoint::Count => {
            let find = |name: &str| models::find(name, added);
            let body = read::json(request)?;
            let asked = responses::read(&body, OpenAi::headers(request), find)?;
            if matches!(wanted, Endpoint::Responses) {
                return Ok(converse(&responses::Forms(OpenAi), &asked, request, hub));
            }
            let reply = Reply::json(200, &responses::count(&asked));
            Ok(serve(&forms, request, hub, forms.dress(reply, request)))
        }
        Endpoint::Models => {
            let reply = forms.dress(Reply::json(200, &models::listing(added)), request);
            Ok(serve(&forms, request, hub, reply))
        }
        Endpoint::Model(name) => {
            let found = models::find(&name, added).is_some() || models::embeds(&name);
            let reply = found
                .then(|| Reply::json(200, &models::entry(&name)))
                .ok_or_else(|| unknown_model(&name))?;
            Ok(serve(&forms, request, hub, forms.dress(reply, request)))
        }
        Endpoint::Embeddings => {
            let reply = embeddings(&read::json(request)?, None)?;
            Ok(serve(&forms, request, hub, forms.dress(reply, request)))
        }
    }
}

enum Endpoint {
    Chat,
    Responses,
    Count,
    Embeddings,
    Models,
    Model(String),
}

fn unknown_model(name: &str) -> Trouble {
    let message = format!("The model `{name}` does not exist or you do not have access to it.");
    Trouble::invalid(message)
        .status(404)
        .code("model_not_found")
}

fn check_key(request: &Request, hub: &Hub) -> Result<(), Trouble> {
    match request.bearer() {
        None | Some("") => {
            let message = "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
            Err(Trouble::invalid(message).status(401))
        }
        Some(key) if hub.accepts_key(Vendor::OpenAi, key) => Ok(()),
        Some(key) => {
            let masked: String = key.chars().take(4).collect();
            let message = format!(
                "Incorrect API key provided: {masked}****. You can find your API key at https://platform.openai.com/account/api-keys."
            );
            Err(Trouble::invalid(message)
                .status(401)
                .code("invalid_api_key"))
        }
    }
}

/// Vectors of eight components unless more are asked for, as numbers or as base64 of 32-bit floats.
pub(crate) fn embeddings(body: &Value, deployment: Option<&str>) -> Result<Reply, Trouble> {
    let model = deployment.unwrap_or_else(|| text_of(body, "model"));
    if !model.ends_with("ada-002") && !model.contains("embedding") {
        return Err(unknown_model(model));
    }
    let texts = strings_of(body, "input");
    if texts.iter().all(String::is_empty) {
        return Err(
            Trouble::invalid("'$.input' is invalid. Please check the API reference.")
                .param("input"),
        );
    }
    let dimensions = body
        .get("dimensions")
        .and_then(Value::as_u64)
        .and_then(|count| usize::try_from(count).ok());
    let is_base64 = text_of(body, "encoding_format") == "base64";
    let entry = |(index, text): (usize, &String)| {
        let vector = embedding(text, dimensions.unwrap_or(8));
        let vector = if is_base64 {
            let bytes: Vec<u8> = vector
                .iter()
                .flat_map(|component| component.to_le_bytes())
                .collect();
            json!(STANDARD.encode(bytes))
        } else {
            json!(vector)
        };
        json!({"object": "embedding", "index": index, "embedding": vector})
    };
    let data: Vec<Value> = texts.iter().enumerate().map(entry).collect();
    let tokens: u64 = texts.iter().map(|text| token::count(text)).sum();
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    Ok(Reply::json(
        200,
        &json!({"object": "list", "data": data, "model": model, "usage": usage}),
    ))
}

/// OpenAI's own forms.
pub(crate) struct OpenAi;

impl OpenAi {
    fn headers(request: &Request) -> Vec<(String, String)> {
        let seed = request.seed();
        vec![
            header("x-request-id", seal::id("req_", seed, 0)),
            header("openai-version", "2020-10-01"),
            header("openai-organization", "simulated"),
            header("openai-processing-ms", "12"),
            header("x-ratelimit-limit-requests", "500"),
            header("x-ratelimit-limit-tokens", "30000"),
            header("x-ratelimit-remaining-requests", "499"),
            header("x-ratelimit-remaining-tokens", "29984"),
            header("x-ratelimit-reset-requests", "120ms"),
            header("x-ratelimit-reset-tokens", "6m0.032s"),
        ]
    }

    fn dress(&self, reply: Reply, request: &Request) -> Reply {
        let status = reply.status;
        let reply = reply.with_headers(Self::headers(request));
        match status {
            401 => reply.header("www-authenticate", "Bearer realm=\"OpenAI API\""),
            405 => reply.header(
                "allow",
                if request.method == "GET" {
                    "POST"
                } else {
                    "GET"
                },
            ),
            _ => reply,
        }
    }
}

impl Forms for OpenAi {
    fn vendor(&self) -> Vendor {
        Vendor::OpenAi
    }

    fn failure(&self, failure: &Failure, request: &Request) -> Option<Reply> {
        let reply = match failure {
            Failure::BadGateway => return Some(fault::bad_gateway()),
            Failure::UpstreamReset => return Some(fault::upstream_reset()),
            Failure::EchoKey => {
                let message = format!(
                    "Incorrect API key provided: {}.",
                    request.bearer().unwrap_or_default()
                );
                Trouble::invalid(message)
                    .status(401)
                    .code("invalid_api_key")
                    .reply()
            }
            other => Trouble::of_failure(other)?.reply(),
        };
        let reply = self.dress(reply, request);
        Some(match failure {
            Failure::RateLimited(wait) => reply.with_headers(wait.headers()),
            Failure::ZeroHint => reply
                .header("retry-after-ms", "0")
                .header("retry-after", "1"),
            Failure::RateLimitedForGood | Failure::InternalForGood => {
                reply.header("x-should-retry", "false")
            }
            _ => reply,
        })
    }

    fn stream_error(&self) -> Vec<Event> {
        family_stream_error()
    }

    fn frame(&self, json: &str) -> Bytes {
        completion::frame(Engine::OpenAi, json).into()
    }

    fn keepalive(&self) -> Option<Bytes> {
        Some(Bytes::from_static(b": keep-alive\n\n"))
    }
}

/// An error after good deltas: an empty usage chunk and the marker follow as if nothing had happened.
pub(crate) fn family_stream_error() -> Vec<Event> {
    let error = json!({"error": {"message": "The server had an error processing your request. Sorry about that!",
        "type": "server_error", "param": null, "code": null}});
    let usage = json!({"id": "", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": [],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}});
    let frame = |value: &Value| completion::frame(Engine::OpenAi, &value.to_string());
    vec![
        Event::finish(frame(&error)),
        Event::finish(frame(&usage)),
        Event::done("data: [DONE]\n\n"),
    ]
}
