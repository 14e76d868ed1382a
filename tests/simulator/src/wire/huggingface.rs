//! The Hugging Face router: the family's wire, answered by many engines that each have their ways. The
//! engine is chosen by the model's name (`…tgi…`, `…cerebras…`) or its provider suffix (`:groq`).
//! <https://huggingface.co/docs/inference-providers>

use bytes::Bytes;
use serde_json::{Value, json};

use crate::fault::{self, Failure, Forms};
use crate::hub::Hub;
use crate::reply::{Event, Reply};
use crate::seal;
use crate::server::http1::Request;
use crate::vendor::Vendor;

use super::openai::completion::{self, Engine, Style};
use super::openai::models::{self, Model};
use super::openai::read::{self, Reading};
use super::openai::trouble::Trouble;
use super::{converse, header, items_of, serve, text_of};

/// Models that are listed. Others of the same organisations are served too.
const MODELS: [&str; 14] = [
    "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.3-70B-Instruct",
    "Qwen/Qwen2.5-72B-Instruct",
    "Qwen/Qwen2.5-VL-7B-Instruct",
    "Qwen/Qwen3-32B",
    "deepseek-ai/DeepSeek-R1",
    "deepseek-ai/DeepSeek-V3",
    "google/gemma-3-27b-it",
    "HuggingFaceH4/zephyr-7b-beta",
    "mistralai/Mistral-7B-Instruct-v0.3",
    "microsoft/Phi-4-mini-instruct",
    "moonshotai/Kimi-K2-Instruct-0905",
    "openai/gpt-oss-120b",
    "sim/tgi-echo",
];

/// Providers that may stand behind a colon, and routing policies.
const PROVIDERS: [&str; 13] = [
    "cerebras",
    "groq",
    "novita",
    "together",
    "fireworks-ai",
    "hf-inference",
    "nebius",
    "sambanova",
    "hyperbolic",
    "nscale",
    "fastest",
    "cheapest",
    "preferred",
];

/// Answers a request under `/huggingface`.
pub(crate) fn answer(request: &Request, hub: &Hub) -> Reply {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let is_chat = match path.as_slice() {
        ["v1", "chat", "completions"] => true,
        ["v1", "models"] => false,
        _ => return Reply::new(404, "text/plain; charset=utf-8", "Not Found"),
    };
    let allowed = if is_chat { "POST" } else { "GET" };
    if request.method != allowed {
        return Reply::json(405, &json!({"error": "Method Not Allowed"})).header("allow", allowed);
    }
    if let Some(refused) = refuse_key(request, hub) {
        return refused;
    }
    if !is_chat {
        return serve(
            &HuggingFace::default(),
            request,
            hub,
            Reply::json(200, &listing(hub)),
        );
    }
    chat(request, hub).unwrap_or_else(|trouble| HuggingFace::dress(trouble.reply(), request))
}

fn chat(request: &Request, hub: &Hub) -> Result<Reply, Trouble> {
    let body = read::json(request)?;
    let missing = ["model", "messages"]
        .into_iter()
        .find(|name| body.get(name).is_none());
    if let Some(name) = missing {
        let column = request.body.len();
        let text = format!(
            "Failed to deserialize the JSON body into the target type: missing field `{name}` at line 1 column {column}"
        );
        return Ok(Reply::new(422, "text/plain; charset=utf-8", text));
    }
    if items_of(&body, "messages").is_empty() {
        return Ok(validation(
            "Input validation error: `messages` must not be empty",
        ));
    }
    let reading = Reading {
        strict: false,
        model: None,
    };
    let sampling = body.clone();
    let chat = read::completion(body, &reading, |name| find(name, request, hub))?;
    let forms = HuggingFace {
        engine: chat.style.engine,
    };
    if let (Engine::Tgi, Some(message)) = (forms.engine, sampling_flaw(&sampling)) {
        return Ok(validation(message));
    }
    Ok(converse(&forms, &chat, request, hub))
}

/// Text generation inference takes only what is strictly between its bounds.
fn sampling_flaw(body: &Value) -> Option<&'static str> {
    let number = |name: &str| body.get(name).and_then(Value::as_f64);
    if number("top_p").is_some_and(|top_p| top_p <= 0.0 || top_p >= 1.0) {
        return Some("Input validation error: `top_p` must be > 0.0 and < 1.0");
    }
    let is_frozen = number("temperature").is_some_and(|temperature| temperature <= 0.0);
    is_frozen.then_some("Input validation error: `temperature` must be strictly positive")
}

fn refuse_key(request: &Request, hub: &Hub) -> Option<Reply> {
    let refusal = match request.bearer() {
        None => "Invalid credentials in Authorization header",
        Some(key) if hub.accepts_key(Vendor::HuggingFace, key) => return None,
        Some(_) => "Invalid username or password.",
    };
    Some(Reply::json(401, &json!({"error": refusal})).header("x-error-message", refusal))
}

/// Engine and traits of a model by its name.
fn find(name: &str, request: &Request, hub: &Hub) -> Result<(Model, Style), Trouble> {
    let (base, provider) = match name.split_once(':') {
        Some((base, provider)) => (base, Some(provider)),
        None => (name, None),
    };
    let Some((organisation, _)) = base.split_once('/') else {
        let message = format!("The requested model '{name}' does not exist");
        return Err(Trouble::invalid(message)
            .param("model")
            .code("model_not_found"));
    };
    let of_known = |model: &str| {
        model
            .split_once('/')
            .is_some_and(|(known, _)| known == organisation)
    };
    let known = MODELS.iter().any(|model| of_known(model)) && !base.contains("missing");
    let added = hub.options.models.iter().any(|model| model == base);
    if !(known || added) || provider.is_some_and(|provider| !PROVIDERS.contains(&provider)) {
        let message = format!(
            "The requested model '{name}' is not supported by any provider you have enabled."
        );
        return Err(Trouble::invalid(message)
            .param("model")
            .code("model_not_supported"));
    }
    let lower = name.to_lowercase();
    let engine = match (lower.as_str(), provider) {
        (name, _) if name.contains("tgi") => Engine::Tgi,
        (name, _) if name.contains("cerebras") => Engine::Cerebras,
        (_, Some("groq")) => Engine::Groq,
        (_, Some("novita")) => Engine::Novita,
        (_, Some("together")) => Engine::Together,
        _ => Engine::Plain,
    };
    let reasons = ["deepseek-r1", "qwen3", "gpt-oss", "thinking"]
        .iter()
        .any(|mark| lower.contains(mark));
    let vision = ["-vl-", "gemma-3", "vision", "llama-4", "tgi"]
        .iter()
        .any(|mark| lower.contains(mark));
    let traits = models::Traits {
        reasoning: reasons,
        vision,
        context: 131_072,
        ..models::ANY
    };
    let mut headers = HuggingFace::headers(request);
    headers.push(header(
        "x-inference-provider",
        provider.unwrap_or("hf-inference"),
    ));
    // Providers answer with their own spelling of the name.
    Ok((
        Model {
            answers_as: base.to_lowercase(),
            traits,
        },
        Style { engine, headers },
    ))
}

fn listing(hub: &Hub) -> Value {
    let names = MODELS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(hub.options.models.iter().cloned());
    let entry = |name: String| {
        let owner = name
            .split_once('/')
            .map_or("", |(owner, _)| owner)
            .to_owned();
        let provider = json!({"provider": "hf-inference", "status": "live", "context_length": 131_072,
            "pricing": {"input": 0.1, "output": 0.3}, "supports_tools": true, "supports_structured_output": true});
        json!({"id": name, "object": "model", "created": super::CREATED, "owned_by": owner,
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]}, "providers": [provider]})
    };
    json!({"object": "list", "data": names.map(entry).collect::<Vec<_>>()})
}

fn validation(message: &str) -> Reply {
    Reply::json(422, &json!({"error": message, "error_type": "validation"}))
}

/// The router's forms; those of a stream depend on the engine.
struct HuggingFace {
    engine: Engine,
}

impl Default for HuggingFace {
    fn default() -> Self {
        Self {
            engine: Engine::Plain,
        }
    }
}

impl HuggingFace {
    fn headers(request: &Request) -> Vec<(String, String)> {
        let seed = request.seed();
        vec![
            header("x-request-id", seal::uuid(seed)),
            header("x-ratelimit-limit-requests-day", "14400"),
            header("x-ratelimit-remaining-tokens-day", "9223372036854767616"),
        ]
    }

    fn dress(reply: Reply, request: &Request) -> Reply {
        reply.with_headers(Self::headers(request))
    }
}

impl Forms for HuggingFace {
    fn vendor(&self) -> Vendor {
        Vendor::HuggingFace
    }

    fn failure(&self, failure: &Failure, request: &Request) -> Option<Reply> {
        let plain = |status: u16, message: &str| Reply::json(status, &json!({"error": message}));
        let reply = match failure {
            Failure::BadGateway => return Some(fault::bad_gateway()),
            Failure::UpstreamReset => return Some(fault::upstream_reset()),
            Failure::Unauthorized => plain(401, "Invalid username or password.")
                .header("x-error-message", "Invalid username or password."),
            Failure::EchoKey => plain(
                401,
                &format!("Invalid token {}", request.bearer().unwrap_or_default()),
            ),
            Failure::BadRequest => Reply::json(
                400,
                &json!({"error": ["Error in `inputs`: field required"]}),
            ),
            Failure::Billing => plain(
                402,
                "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more monthly included credits.",
            ),
            Failure::Forbidden => plain(
                403,
                "Access to this model is restricted and you are not in the authorized list.",
            ),
            Failure::NotFound => plain(404, "Model not found"),
            Failure::Unprocessable => {
                validation("Input validation error: `temperature` must be strictly positive")
            }
            Failure::RateLimited(wait) => plain(
                429,
                "Rate limit reached. Please log in or use a HF access token",
            )
            .with_headers(wait.headers()),
            Failure::ContextLength => validation(
                "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`",
            ),
            Failure::Loading(seconds) => {
                let model = serde_json::from_slice::<Value>(&request.body).unwrap_or(Value::Null);
                let message = format!("Model {} is currently loading", text_of(&model, "model"));
                Reply::json(503, &json!({"error": message, "estimated_time": seconds}))
            }
            Failure::Unavailable => plain(503, "overloaded"),
            Failure::Internal => {
                let trouble = Trouble::invalid("Internal server error")
                    .status(500)
                    .kind("server_error");
                trouble.reply().header("retry-after", "1")
            }
            Failure::RequestTimeout
            | Failure::Conflict
            | Failure::TooLarge
            | Failure::GatewayTimeout => Trouble::of_failure(failure)?.reply(),
            _ => return None,
        };
        Some(Self::dress(reply, request))
    }

    fn stream_error(&self) -> Vec<Event> {
        let error = json!({"error": "Input validation error: generation was interrupted", "error_type": "generation"});
        let mut events = vec![Event::finish(self.frame(&error.to_string()))];
        if self.engine != Engine::Tgi && self.engine != Engine::Cerebras {
            events.push(Event::done("data: [DONE]\n\n"));
        }
        events
    }

    fn frame(&self, json: &str) -> Bytes {
        completion::frame(self.engine, json).into()
    }

    fn keepalive(&self) -> Option<Bytes> {
        Some(Bytes::from_static(b":\n\n"))
    }
}
