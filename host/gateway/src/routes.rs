//! Which path asks for what. A policy without HTTP servers.
//!
//! Every path is known with and without `/v1` before it, as clients differ in what they take for the base address, and
//! queries are ignored but where a wire puts something into them.

use axum::http::{HeaderMap, Method};

use crate::face::embeddings::Form;
use crate::face::{Entry as Door, Face};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// An answer of a model.
    Chat(Door),
    /// The tokens of what would be a chat.
    Tokens(Door),
    /// Vectors of texts.
    Embeddings(Door, Form),
    /// The list of models.
    Models(List),
    /// One of them.
    Model(List, String),
    /// Ollama's description of a model, whose name is in the body.
    Show,
    /// The version that Ollama's clients look for.
    Version,
    /// Is it alive.
    Health,
    /// May it be asked.
    Ready,
    /// Numbers for Prometheus.
    Metrics,
    /// Somebody looks whether anybody is here.
    Hello,
}

/// The form of a list of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    OpenAi,
    Codex,
    Anthropic,
    Ollama,
    Gemini,
}

impl List {
    /// In whose form errors are told.
    pub(crate) fn face(self) -> Face {
        match self {
            List::OpenAi => Face::OpenAiChat,
            List::Codex => Face::OpenAiResponses,
            List::Anthropic => Face::AnthropicMessages,
            List::Ollama => Face::OllamaChat,
            List::Gemini => Face::Gemini,
        }
    }
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Astray {
    /// There is no such path.
    NoPath,
    /// There is, and not for this method.
    Method(&'static str),
}

impl Route {
    /// In whose form errors are told.
    pub(crate) fn face(&self) -> Face {
        match self {
            Route::Chat(door) | Route::Tokens(door) | Route::Embeddings(door, _) => door.face,
            Route::Models(list) | Route::Model(list, _) => list.face(),
            Route::Show | Route::Version => Face::OllamaChat,
            Route::Health | Route::Ready | Route::Metrics | Route::Hello => Face::OpenAiChat,
        }
    }

    /// What it is called in metrics and lines about requests: the path without what callers write into it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Route::Chat(door) => match door.face {
                Face::OpenAiChat => "/v1/chat/completions",
                Face::OpenAiResponses => "/v1/responses",
                Face::AnthropicMessages => "/v1/messages",
                Face::OllamaChat => "/api/chat",
                Face::OllamaGenerate => "/api/generate",
                Face::Gemini => "/v1beta/models/{model}:generateContent",
                Face::CohereChat => "/v2/chat",
            },
            Route::Tokens(door) => match door.face {
                Face::Gemini => "/v1beta/models/{model}:countTokens",
                Face::OpenAiResponses => "/v1/responses/input_tokens",
                _ => "/v1/messages/count_tokens",
            },
            Route::Embeddings(_, form) => match form {
                Form::OpenAi => "/v1/embeddings",
                Form::Ollama => "/api/embed",
                Form::OllamaPrompt => "/api/embeddings",
                Form::Gemini => "/v1beta/models/{model}:embedContent",
                Form::GeminiBatch => "/v1beta/models/{model}:batchEmbedContents",
                Form::Cohere => "/v2/embed",
            },
            Route::Models(List::Ollama) => "/api/tags",
            Route::Models(List::Gemini) => "/v1beta/models",
            Route::Models(_) => "/v1/models",
            Route::Model(..) => "/v1/models/{model}",
            Route::Show => "/api/show",
            Route::Version => "/api/version",
            Route::Health => "/healthz",
            Route::Ready => "/readyz",
            Route::Metrics => "/metrics",
            Route::Hello => "/",
        }
    }
}

/// What a request asks for.
pub(crate) fn find(
    method: &Method,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Route, Astray> {
    let path = path.trim_end_matches('/');
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let (route, posted) = place(path, query, headers).ok_or(Astray::NoPath)?;
    match posted {
        true if *method == Method::POST => Ok(route),
        true => Err(Astray::Method("POST")),
        false if reads => Ok(route),
        false => Err(Astray::Method("GET")),
    }
}

/// What is at a path, and whether it is posted to.
fn place(path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<(Route, bool)> {
    let door = |face| Door::new(face);
    Some(match path {
        "" => (Route::Hello, false),
        "/healthz" => (Route::Health, false),
        "/readyz" => (Route::Ready, false),
        "/metrics" => (Route::Metrics, false),
        "/api/chat" => (Route::Chat(door(Face::OllamaChat)), true),
        "/api/generate" => (Route::Chat(door(Face::OllamaGenerate)), true),
        "/api/embed" => (
            Route::Embeddings(door(Face::OllamaChat), Form::Ollama),
            true,
        ),
        "/api/embeddings" => (
            Route::Embeddings(door(Face::OllamaChat), Form::OllamaPrompt),
            true,
        ),
        "/api/tags" => (Route::Models(List::Ollama), false),
        "/api/show" => (Route::Show, true),
        "/api/version" => (Route::Version, false),
        "/v2/chat" => (Route::Chat(door(Face::CohereChat)), true),
        "/v2/embed" => (
            Route::Embeddings(door(Face::CohereChat), Form::Cohere),
            true,
        ),
        _ => {
            if let Some(rest) = path.strip_prefix("/v1beta/models") {
                return of_gemini(rest);
            }
            if let Some(rest) = path.strip_prefix("/openai/deployments/") {
                return of_azure(rest);
            }
            // Azure's own paths of the version without deployments begin so.
            let path = path.strip_prefix("/openai").unwrap_or(path);
            match path.strip_prefix("/v1").unwrap_or(path) {
                "/chat/completions" => (Route::Chat(door(Face::OpenAiChat)), true),
                "/responses" => (Route::Chat(door(Face::OpenAiResponses)), true),
                "/responses/input_tokens" => (Route::Tokens(door(Face::OpenAiResponses)), true),
                "/messages" => (Route::Chat(door(Face::AnthropicMessages)), true),
                "/messages/count_tokens" => (Route::Tokens(door(Face::AnthropicMessages)), true),
                "/embeddings" => (
                    Route::Embeddings(door(Face::OpenAiChat), Form::OpenAi),
                    true,
                ),
                // Google's clients of late ask by this version, too.
                rest if is_gemini(rest, headers) => {
                    return of_gemini(rest.strip_prefix("/models")?);
                }
                "/models" => (Route::Models(form(query, headers)), false),
                rest => {
                    let name = rest
                        .strip_prefix("/models/")
                        .filter(|name| !name.is_empty())?;
                    (Route::Model(form(query, headers), decoded(name)), false)
                }
            }
        }
    })
}

/// Whether what stands behind `/v1` is Gemini's: an operation of a model, or a list for one of Google's clients. A colon alone
/// says nothing, as names of Ollama's models have one.
fn is_gemini(rest: &str, headers: &HeaderMap) -> bool {
    let Some(rest) = rest.strip_prefix("/models") else {
        return false;
    };
    let verb = rest.rsplit_once(':').map(|(_, verb)| verb);
    let is_operation = verb.is_some_and(|verb| VERBS.contains(&verb));
    let of_google = ["x-goog-api-client", "x-goog-api-key"];
    is_operation || of_google.iter().any(|name| headers.contains_key(*name))
}

/// What Gemini's models are asked for.
const VERBS: [&str; 5] = [
    "generateContent",
    "streamGenerateContent",
    "countTokens",
    "embedContent",
    "batchEmbedContents",
];

/// The form of a list for whoever asks so.
fn form(query: Option<&str>, headers: &HeaderMap) -> List {
    let mut pairs = query.unwrap_or_default().split('&');
    let is_codex = pairs.any(|pair| pair.starts_with("client_version="));
    if headers.contains_key("anthropic-version") {
        List::Anthropic
    } else if is_codex {
        List::Codex
    } else {
        List::OpenAi
    }
}

/// What stands behind `/openai/deployments`: Azure's clients name the model in the path.
fn of_azure(rest: &str) -> Option<(Route, bool)> {
    let (model, what) = rest.split_once('/')?;
    let door = Door {
        model: Some(decoded(model)).filter(|model| !model.is_empty()),
        ..Door::new(Face::OpenAiChat)
    };
    let route = match what {
        "chat/completions" => Route::Chat(door),
        "embeddings" => Route::Embeddings(door, Form::OpenAi),
        _ => return None,
    };
    Some((route, true))
}

/// What stands behind `/v1beta/models`.
fn of_gemini(rest: &str) -> Option<(Route, bool)> {
    if rest.is_empty() {
        return Some((Route::Models(List::Gemini), false));
    }
    let rest = rest.strip_prefix('/')?;
    let Some((model, verb)) = rest.rsplit_once(':') else {
        return Some((Route::Model(List::Gemini, decoded(rest)), false));
    };
    let door = |stream| Door {
        model: Some(decoded(model)),
        stream: Some(stream),
        ..Door::new(Face::Gemini)
    };
    let route = match verb {
        "generateContent" => Route::Chat(door(false)),
        "streamGenerateContent" => Route::Chat(door(true)),
        "countTokens" => Route::Tokens(door(false)),
        "embedContent" => Route::Embeddings(door(false), Form::Gemini),
        "batchEmbedContents" => Route::Embeddings(door(false), Form::GeminiBatch),
        _ => return None,
    };
    Some((route, true))
}

/// A name as it stands in a path, with what was escaped; what is no text stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = text
            .get(at + 1..at + 3)
            .filter(|_| byte == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, query: Option<&str>, headers: &HeaderMap) -> Result<Route, Astray> {
        find(&Method::GET, path, query, headers)
    }

    #[test]
    fn every_path_is_known_with_and_without_its_version() {
        let none = HeaderMap::new();
        for (path, face) in [
            ("/chat/completions", Face::OpenAiChat),
            ("/responses", Face::OpenAiResponses),
            ("/messages", Face::AnthropicMessages),
        ] {
            for prefix in ["", "/v1"] {
                let path = format!("{prefix}{path}");
                let route = find(&Method::POST, &path, Some("beta=true"), &none);
                assert_eq!(route, Ok(Route::Chat(Door::new(face))), "{path}");
                assert_eq!(
                    get(&path, None, &none),
                    Err(Astray::Method("POST")),
                    "{path}"
                );
            }
        }
        let list = |headers: &HeaderMap, query| get("/models", query, headers).unwrap();
        assert_eq!(list(&none, None), Route::Models(List::OpenAi));
        assert_eq!(
            list(&none, Some("client_version=0.1")),
            Route::Models(List::Codex)
        );
        let mut anthropic = HeaderMap::new();
        anthropic.insert("anthropic-version", "2023-06-01".parse().unwrap());
        assert_eq!(
            list(&anthropic, Some("limit=1000")),
            Route::Models(List::Anthropic)
        );
        assert_eq!(
            get("/v1/models/a%2Fb%zz", None, &none),
            Ok(Route::Model(List::OpenAi, "a/b%zz".to_owned()))
        );
        for path in [
            "/v3/chat",
            "/v1",
            "/models/",
            "/admin",
            "/v1/v1/messages",
            "/v1beta/models/m:drop",
        ] {
            let found = get(path, None, &none);
            assert!(found.is_err() || path == "/models/", "{path}: {found:?}");
        }
    }

    #[test]
    fn azure_names_the_model_in_its_path() {
        let none = HeaderMap::new();
        let post = |path: &str| find(&Method::POST, path, Some("api-version=2024-10-21"), &none);
        let Ok(Route::Chat(door)) = post("/openai/deployments/my%20gpt/chat/completions") else {
            panic!("no chat");
        };
        assert_eq!(
            (door.face, door.model.as_deref(), door.stream),
            (Face::OpenAiChat, Some("my gpt"), None)
        );
        assert!(matches!(
            post("/openai/v1/responses"),
            Ok(Route::Chat(door)) if door.face == Face::OpenAiResponses
        ));
        assert_eq!(post("/openai/deployments/x/other"), Err(Astray::NoPath));
        assert_eq!(post("/openai/deployments/x"), Err(Astray::NoPath));
    }

    #[test]
    fn gemini_names_the_model_in_its_path() {
        let none = HeaderMap::new();
        let path = "/v1beta/models/gemini-x:streamGenerateContent";
        let route = find(&Method::POST, path, Some("alt=sse"), &none).unwrap();
        let Route::Chat(door) = route else {
            panic!("{route:?}");
        };
        assert_eq!(
            (door.face, door.model.as_deref(), door.stream),
            (Face::Gemini, Some("gemini-x"), Some(true))
        );
        let listed = get("/v1beta/models/gemini-x", None, &none);
        assert_eq!(
            listed,
            Ok(Route::Model(List::Gemini, "gemini-x".to_owned()))
        );
        // By the other version too, told from names with a colon and from others' lists.
        let path = "/v1/models/gemini-x:generateContent";
        let route = find(&Method::POST, path, None, &none);
        assert!(matches!(route, Ok(Route::Chat(door)) if door.face == Face::Gemini));
        assert_eq!(
            get("/v1/models/llama3.2:latest", None, &none),
            Ok(Route::Model(List::OpenAi, "llama3.2:latest".to_owned()))
        );
        let mut googles = HeaderMap::new();
        googles.insert("x-goog-api-client", "google-genai-sdk/3".parse().unwrap());
        assert_eq!(
            get("/v1/models", None, &googles),
            Ok(Route::Models(List::Gemini))
        );
        assert_eq!(
            get("/v1/models/m", None, &googles),
            Ok(Route::Model(List::Gemini, "m".to_owned()))
        );
    }
}
