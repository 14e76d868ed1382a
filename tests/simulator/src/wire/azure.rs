//! Azure OpenAI: the dated interface (deployment in the path, `api-version` in the query) and the v1
//! interface (deployment as `model`). The bodies are OpenAI's; the errors and annotations are its own.
//! <https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle>

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
use super::openai::{embeddings, family_stream_error, responses};
use super::{converse, header, serve};

/// Where a request goes.
enum Target {
    Chat { deployment: Option<String> },
    Embeddings { deployment: Option<String> },
    Responses,
    Count,
    Models,
}

/// The first version that knows the Responses API.
const RESPONSES: &str = "2025-03-01";

/// Answers a request under `/azure`.
pub(crate) fn answer(request: &Request, hub: &Hub) -> Reply {
    let Some(target) = target(request) else {
        return Azure::dress(not_found(), request);
    };
    let allowed = if matches!(target, Target::Models) {
        "GET"
    } else {
        "POST"
    };
    if request.method != allowed {
        let reply = Reply::json(
            405,
            &json!({"error": {"code": "405", "message": "Method Not Allowed"}}),
        );
        return Azure::dress(reply.header("allow", allowed), request);
    }
    if let Some(refused) = refuse_key(request, hub) {
        return Azure::dress(refused, request);
    }
    route(&target, request, hub).unwrap_or_else(|refused| Azure::dress(refused, request))
}

fn target(request: &Request) -> Option<Target> {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let version = request.param("api-version");
    let is_dated = version.as_deref().is_some_and(is_date);
    let is_v1 = version
        .as_deref()
        .is_none_or(|version| ["preview", "latest", "v1"].contains(&version));
    let target = match path.as_slice() {
        ["openai", "deployments", name, "chat", "completions"] if is_dated => Target::Chat {
            deployment: Some((*name).to_owned()),
        },
        ["openai", "deployments", name, "embeddings"] if is_dated => Target::Embeddings {
            deployment: Some((*name).to_owned()),
        },
        ["openai", "responses"] if is_dated && version.as_deref() >= Some(RESPONSES) => {
            Target::Responses
        }
        ["openai", "models"] if is_dated => Target::Models,
        ["openai", "v1", "chat", "completions"] if is_v1 => Target::Chat { deployment: None },
        ["openai", "v1", "responses"] if is_v1 => Target::Responses,
        ["openai", "v1", "responses", "input_tokens"] if is_v1 => Target::Count,
        ["openai", "v1", "embeddings"] if is_v1 => Target::Embeddings { deployment: None },
        ["openai", "v1", "models"] if is_v1 => Target::Models,
        _ => return None,
    };
    Some(target)
}

/// `2024-10-21` or `2025-03-01-preview`.
fn is_date(version: &str) -> bool {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    let parts: Vec<&str> = date.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && parts.concat().chars().all(|char| char.is_ascii_digit())
}

fn not_found() -> Reply {
    Reply::json(
        404,
        &json!({"error": {"code": "404", "message": "Resource not found"}}),
    )
}

fn denied(key: &str) -> Reply {
    let message = format!(
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.{key}"
    );
    Reply::json(401, &json!({"error": {"code": "401", "message": message}}))
}

fn refuse_key(request: &Request, hub: &Hub) -> Option<Reply> {
    let key = request.header("api-key").or_else(|| request.bearer());
    (!key.is_some_and(|key| hub.accepts_key(Vendor::Azure, key))).then(|| denied(""))
}

fn route(target: &Target, request: &Request, hub: &Hub) -> Result<Reply, Reply> {
    let forms = Azure;
    let json = || read::json(request).map_err(|trouble| trouble.reply());
    match target {
        Target::Models => {
            let reply = Azure::dress(
                Reply::json(200, &models::listing(&hub.options.models)),
                request,
            );
            Ok(serve(&forms, request, hub, reply))
        }
        Target::Embeddings { deployment } => {
            let reply = embeddings(&json()?, deployment.as_deref()).map_err(|_| no_deployment())?;
            Ok(serve(&forms, request, hub, Azure::dress(reply, request)))
        }
        Target::Responses | Target::Count => {
            let body = json()?;
            let asked = responses::read(&body, Azure::headers(request), |name| deployed(name, hub));
            let asked = asked.map_err(|trouble| match trouble.code {
                Some("model_not_found") => no_deployment(),
                _ => trouble.reply(),
            })?;
            if matches!(target, Target::Responses) {
                let forms = responses::Forms(Azure);
                return Ok(converse(&forms, &asked.with_filters(), request, hub));
            }
            let reply = Azure::dress(Reply::json(200, &responses::count(&asked)), request);
            Ok(serve(&forms, request, hub, reply))
        }
        Target::Chat { deployment } => {
            let body = json()?;
            usage_needs_version(&body, request)?;
            let reading = Reading {
                strict: true,
                model: deployment.clone(),
            };
            let style = Style {
                engine: Engine::Azure,
                headers: Azure::headers(request),
            };
            let chat = read::completion(body, &reading, |name| {
                let missing = || Trouble::invalid("").status(404).code("DeploymentNotFound");
                deployed(name, hub)
                    .map(|model| (model, style))
                    .ok_or_else(missing)
            });
            let refused = |trouble: Trouble| match trouble.code {
                Some("DeploymentNotFound") => no_deployment(),
                _ => trouble.reply(),
            };
            Ok(converse(&forms, &chat.map_err(refused)?, request, hub))
        }
    }
}

/// A deployment is named like its model, or has the model's name at its end (`prod-gpt-4o`).
fn deployed(name: &str, hub: &Hub) -> Option<Model> {
    let starts = name.match_indices('-').map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(starts)
        .find_map(|start| models::find(name.get(start..)?, &hub.options.models))
}

fn no_deployment() -> Reply {
    let message = "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.";
    Reply::json(
        404,
        &json!({"error": {"code": "DeploymentNotFound", "message": message}}),
    )
}

/// Dated versions before 2024-09-01 know no `stream_options`.
fn usage_needs_version(body: &Value, request: &Request) -> Result<(), Reply> {
    let version = request
        .param("api-version")
        .filter(|version| is_date(version));
    if body.get("stream_options").is_some()
        && version.is_some_and(|version| version.as_str() < "2024-09-01")
    {
        return Err(
            Trouble::invalid("Unrecognized request argument supplied: stream_options").reply(),
        );
    }
    Ok(())
}

/// The refusal of a prompt.
pub(crate) fn prompt_filtered() -> Reply {
    let safe = json!({"filtered": false, "severity": "safe"});
    let results = json!({"hate": safe, "self_harm": safe, "sexual": safe,
        "violence": {"filtered": true, "severity": "high"}, "jailbreak": {"filtered": false, "detected": false}});
    let message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.";
    Reply::json(
        400,
        &json!({"error": {"message": message, "type": null, "param": "prompt", "code": "content_filter", "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results}}}),
    )
}

/// Azure's forms.
struct Azure;

impl Azure {
    fn headers(request: &Request) -> Vec<(String, String)> {
        let seed = request.seed();
        vec![
            header("apim-request-id", seal::uuid(seed)),
            header("x-request-id", seal::uuid(seed ^ 1)),
            header("x-ms-region", "Sweden Central"),
            header("x-ratelimit-limit-tokens", "30000"),
            header("x-ratelimit-remaining-requests", "29"),
            header("x-ratelimit-remaining-tokens", "29900"),
        ]
    }

    fn dress(reply: Reply, request: &Request) -> Reply {
        reply.with_headers(Self::headers(request))
    }
}

impl Forms for Azure {
    fn vendor(&self) -> Vendor {
        Vendor::Azure
    }

    fn failure(&self, failure: &Failure, request: &Request) -> Option<Reply> {
        let coded = |status: u16, code: &str, message: &str| {
            Reply::json(
                status,
                &json!({"error": {"code": code, "message": message}}),
            )
        };
        let limited = |message: &str| {
            let body = json!({"error": {"code": "RateLimitReached", "message": message, "details": message}});
            let reply = Reply::json(429, &body);
            reply
                .header("x-ratelimit-remaining-tokens", "0")
                .header("x-ratelimit-reset-tokens", "0")
        };
        let reply = match failure {
            Failure::BadGateway => return Some(fault::bad_gateway()),
            Failure::UpstreamReset => return Some(fault::upstream_reset()),
            Failure::Unauthorized => denied(""),
            Failure::EchoKey => denied(&format!(
                " Key: {}",
                request
                    .header("api-key")
                    .or_else(|| request.bearer())
                    .unwrap_or_default()
            )),
            Failure::Forbidden => coded(
                403,
                "403",
                "Public access is disabled. Please configure private endpoint.",
            ),
            Failure::NotFound => no_deployment(),
            Failure::RequestTimeout => Reply::new(408, "text/plain", "The operation was timeout."),
            Failure::TooLarge => Reply::new(413, "text/plain", "Request Entity Too Large"),
            Failure::RateLimited(wait) => {
                limited("Requests have exceeded call rate limit of your current pricing tier.")
                    .with_headers(wait.headers())
            }
            Failure::ZeroHint => limited("Rate limit is exceeded. Try again in 1 seconds.")
                .header("retry-after-ms", "0")
                .header("retry-after", "1"),
            Failure::Internal => Reply::json(
                500,
                &json!({"error": {"message": "Internal server error", "details": "Failed to reconstruct non-streaming response"}}),
            ),
            Failure::Unavailable => coded(
                503,
                "ServiceUnavailable",
                "The service is temporarily unable to process your request. Please try again later.",
            ),
            Failure::GatewayTimeout => coded(
                504,
                "504",
                "The gateway did not receive a response in time.",
            ),
            Failure::ContentFilter => prompt_filtered(),
            Failure::BadRequest
            | Failure::Conflict
            | Failure::Unprocessable
            | Failure::OverLimit
            | Failure::ContextLength => Trouble::of_failure(failure)?.reply(),
            _ => return None,
        };
        let given: Vec<String> = reply.headers.iter().map(|(name, _)| name.clone()).collect();
        let more = Self::headers(request)
            .into_iter()
            .filter(|(name, _)| !given.contains(name))
            .collect();
        Some(reply.with_headers(more))
    }

    fn stream_error(&self) -> Vec<Event> {
        family_stream_error()
    }

    fn frame(&self, json: &str) -> Bytes {
        completion::frame(Engine::Azure, json).into()
    }

    fn keepalive(&self) -> Option<Bytes> {
        Some(Bytes::from_static(b": \n\n"))
    }
}
