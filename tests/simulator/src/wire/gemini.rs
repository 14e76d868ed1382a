//! Google Gemini: `generateContent`, `streamGenerateContent`, embeddings and model pages under
//! `/gemini/v1beta`. <https://ai.google.dev/api/generate-content>

mod contents;
mod generation;
mod models;
mod names;
mod read;
mod rules;
mod servers;
mod shape;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::Usage;
use crate::fault::{self, Failure, Forms};
use crate::hub::Hub;
use crate::reply::{Event, Reply};
use crate::server::http1::Request;
use crate::text::Triggers;
use crate::token;
use crate::vendor::Vendor;

use super::{converse, embedding, header, items_of, serve, text_of};

/// An error before it gets its envelope.
#[derive(Debug)]
struct Trouble {
    code: u16,
    status: &'static str,
    message: String,
    details: Vec<Value>,
}

impl Trouble {
    fn new(code: u16, status: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            status,
            message: message.into(),
            details: Vec::new(),
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    fn detail(mut self, kind: &str, mut detail: Value) -> Self {
        if let Some(members) = detail.as_object_mut() {
            members.insert(
                "@type".to_owned(),
                json!(format!("type.googleapis.com/google.rpc.{kind}")),
            );
        }
        self.details.push(detail);
        self
    }

    fn json(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.message, "status": self.status});
        if let (false, Some(members)) = (self.details.is_empty(), error.as_object_mut()) {
            members.insert("details".to_owned(), json!(self.details));
        }
        json!({ "error": error })
    }

    /// Errors of the event stream are labelled as one, though they are plain JSON; those of the array
    /// stream are an array.
    fn reply(&self, request: &Request) -> Reply {
        let text = match streaming(request) {
            Some(Streaming::Array) => pretty(&json!([self.json()])),
            _ => pretty(&self.json()),
        };
        let kind = match streaming(request) {
            Some(Streaming::Events) => "text/event-stream",
            _ => "application/json; charset=UTF-8",
        };
        Reply::new(self.code, kind, text).with_headers(headers())
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn headers() -> Vec<(String, String)> {
    vec![
        header("server-timing", "gfet4t7; dur=12"),
        header("vary", "Origin"),
        header("x-content-type-options", "nosniff"),
    ]
}

/// The two ways to stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Streaming {
    /// `alt=sse`
    Events,
    /// One JSON array, element by element.
    Array,
}

fn streaming(request: &Request) -> Option<Streaming> {
    let is_stream = request.path.ends_with(":streamGenerateContent")
        || request.path.ends_with("%3AstreamGenerateContent");
    let is_sse = request.param("alt").as_deref() == Some("sse");
    is_stream.then_some(if is_sse {
        Streaming::Events
    } else {
        Streaming::Array
    })
}

/// Answers a request under `/gemini`.
pub(crate) fn answer(request: &Request, hub: &Hub) -> Reply {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let (allowed, resource) = match path.as_slice() {
        ["v1beta" | "v1", "models"] => ("GET", ""),
        ["v1beta" | "v1", "models", resource] => (
            if resource.contains(':') {
                "POST"
            } else {
                "GET"
            },
            *resource,
        ),
        _ => return page_not_found(request),
    };
    if request.method != allowed {
        return page_not_found(request);
    }
    let done = check_key(request, hub).and_then(|()| match resource.split_once(':') {
        Some((model, verb)) => act(model, verb, request, hub),
        None => {
            let body = match resource {
                "" => models::listing(request, &hub.options.models)?,
                name => models::entry(&models::find(name, "generateContent", &hub.options.models)?),
            };
            Ok(serve(&Gemini::of(request), request, hub, good(&body)))
        }
    });
    done.unwrap_or_else(|trouble| trouble.reply(request))
}

fn good(body: &Value) -> Reply {
    Reply::new(200, "application/json; charset=UTF-8", pretty(body)).with_headers(headers())
}

/// Google's front answers unknown paths and methods itself, with a page.
fn page_not_found(request: &Request) -> Reply {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> <ins>That\u{2019}s an error.</ins>\n<p>The requested URL <code>{}</code> was not found on this server.\n",
        request.path
    );
    Reply::new(404, "text/html; charset=UTF-8", page)
}

fn act(model: &str, verb: &str, request: &Request, hub: &Hub) -> Result<Reply, Trouble> {
    let forms = Gemini::of(request);
    let known = models::find(model, verb, &hub.options.models)?;
    let body = read::json(request)?;
    match verb {
        "generateContent" | "streamGenerateContent" => {
            let chat = read::generation(body, known, streaming(request))?;
            Ok(converse(&forms, &chat, request, hub))
        }
        "countTokens" => {
            let asked = body.get("generateContentRequest").cloned();
            let whole = asked.unwrap_or(body);
            let chat = read::generation(whole, known, None)?;
            let triggers = Triggers::read(chat.question.last_user_text());
            let total = Usage::of_prompt(&chat.question, &triggers).prompt;
            let details = json!([{"modality": "TEXT", "tokenCount": total}]);
            let counted = json!({"totalTokens": total, "promptTokensDetails": details});
            Ok(serve(&forms, request, hub, good(&counted)))
        }
        "embedContent" => Ok(serve(
            &forms,
            request,
            hub,
            good(&json!({"embedding": embedded(&body)})),
        )),
        "batchEmbedContents" => {
            let all: Vec<Value> = items_of(&body, "requests").iter().map(embedded).collect();
            Ok(serve(
                &forms,
                request,
                hub,
                good(&json!({"embeddings": all, "usageMetadata": embedding_usage(&body)})),
            ))
        }
        _ => Err(Trouble::new(
            404,
            "NOT_FOUND",
            format!("unknown method {verb}"),
        )),
    }
}

/// A batch says what it took, which its documentation does not.
fn embedding_usage(body: &Value) -> Value {
    let texts = items_of(body, "requests").iter().flat_map(|request| {
        let content = request.get("content").unwrap_or(&Value::Null);
        items_of(content, "parts")
    });
    let total: u64 = texts.map(|part| token::count(text_of(part, "text"))).sum();
    json!({"promptTokenCount": total, "promptTokenDetails": [{"modality": "TEXT", "tokenCount": total}]})
}

fn embedded(request: &Value) -> Value {
    let parts = request
        .get("content")
        .map(|content| items_of(content, "parts"))
        .unwrap_or_default();
    let text: String = parts.iter().map(|part| text_of(part, "text")).collect();
    let asked = request.get("outputDimensionality").and_then(Value::as_u64);
    let dimensions = asked
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(8);
    json!({"values": embedding(&text, dimensions)})
}

fn sent_key(request: &Request) -> Option<String> {
    request
        .header("x-goog-api-key")
        .map(str::to_owned)
        .or_else(|| request.param("key"))
}

fn bad_key(message: &str) -> Trouble {
    let detail = json!({"reason": "API_KEY_INVALID", "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"}});
    Trouble::invalid(message).detail("ErrorInfo", detail)
}

fn check_key(request: &Request, hub: &Hub) -> Result<(), Trouble> {
    match sent_key(request) {
        None => Err(Trouble::new(
            403,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
        )),
        Some(key) if hub.accepts_key(Vendor::Gemini, &key) => Ok(()),
        Some(_) => Err(bad_key("API key not valid. Please pass a valid API key.")),
    }
}

/// Gemini's forms, in one of its two ways to stream.
struct Gemini {
    streaming: Streaming,
}

impl Gemini {
    fn of(request: &Request) -> Self {
        Self {
            streaming: streaming(request).unwrap_or(Streaming::Events),
        }
    }
}

impl Forms for Gemini {
    fn vendor(&self) -> Vendor {
        Vendor::Gemini
    }

    fn failure(&self, failure: &Failure, request: &Request) -> Option<Reply> {
        let quota = |id: &str| {
            json!({"violations": [{"quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
            "quotaId": id, "quotaValue": "10"}]})
        };
        let exhausted = |id: &str| {
            Trouble::new(
                429,
                "RESOURCE_EXHAUSTED",
                "You exceeded your current quota, please check your plan and billing details.",
            )
            .detail("QuotaFailure", quota(id))
        };
        let per_minute = "GenerateRequestsPerMinutePerProjectPerModel";
        let trouble = match failure {
            Failure::BadGateway => return Some(fault::bad_gateway()),
            Failure::UpstreamReset => return Some(fault::upstream_reset()),
            Failure::ContentFilter => return Some(good(&generation::blocked(None))),
            Failure::BadRequest => Trouble::invalid("Request contains an invalid argument."),
            Failure::Unauthorized => Trouble::new(
                401,
                "UNAUTHENTICATED",
                "Request had invalid authentication credentials.",
            ),
            Failure::EchoKey => bad_key(&format!(
                "API key not valid: {}",
                sent_key(request).unwrap_or_default()
            )),
            Failure::Forbidden => Trouble::new(
                403,
                "PERMISSION_DENIED",
                "The caller does not have permission",
            ),
            Failure::NotFound => Trouble::new(
                404,
                "NOT_FOUND",
                "models/unknown is not found for API version v1beta.",
            ),
            Failure::RequestTimeout => {
                Trouble::new(408, "DEADLINE_EXCEEDED", "The request timed out.")
            }
            Failure::Conflict => Trouble::new(409, "ABORTED", "The operation was aborted."),
            Failure::TooLarge => Trouble::new(
                413,
                "INVALID_ARGUMENT",
                "Request payload size exceeds the limit: 20971520 bytes.",
            ),
            Failure::RateLimited(wait) => match wait.seconds() {
                Some(seconds) => exhausted(per_minute)
                    .detail("RetryInfo", json!({"retryDelay": format!("{seconds}s")})),
                None => exhausted(per_minute),
            },
            Failure::Quota => exhausted("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
                .detail("RetryInfo", json!({"retryDelay": "34.4s"})),
            Failure::OverLimit => exhausted("GenerateContentInputTokensPerModelPerMinute"),
            Failure::Internal => Trouble::new(
                500,
                "INTERNAL",
                "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
            ),
            Failure::Unavailable => Trouble::new(
                503,
                "UNAVAILABLE",
                "The model is overloaded. Please try again later.",
            ),
            Failure::GatewayTimeout => Trouble::new(
                504,
                "DEADLINE_EXCEEDED",
                "Deadline expired before operation could complete.",
            ),
            Failure::ContextLength => Trouble::invalid(
                "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
            ),
            _ => return None,
        };
        Some(trouble.reply(request))
    }

    fn stream_error(&self) -> Vec<Event> {
        let error = Trouble::new(
            503,
            "UNAVAILABLE",
            "The model is overloaded. Please try again later.",
        );
        vec![Event::finish(self.frame(&error.json().to_string()))]
    }

    fn frame(&self, json: &str) -> Bytes {
        match self.streaming {
            Streaming::Events => generation::frame(json).into(),
            Streaming::Array => format!(",\r\n{json}").into(),
        }
    }

    fn keepalive(&self) -> Option<Bytes> {
        (self.streaming == Streaming::Events).then(|| Bytes::from_static(b": keep-alive\r\n\r\n"))
    }
}
