//! The library behind a bare handler: a text comes in, the model's answer goes out.

use std::convert::Infallible;
use std::path::Path;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures_util::StreamExt as _;
use multillm::chat::{ChatEvent, ChatMessage, ChatRequest};
use multillm::config::Env;
use multillm::service::MultiLlmService;
use multillm_bench::relay::listen;

pub(crate) fn run(upstream: &str, history: bool) -> Result<()> {
    let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/plugins");
    let folder = tempfile::tempdir()?;
    let history = match history {
        true => format!(r#"{{"path": "{}/h.db"}}"#, folder.path().display()),
        false => r#"{"enabled": false}"#.to_owned(),
    };
    let configuration = format!(
        r#"{{
            "plugin_dir": {:?},
            "providers": {{"openai": {{"base_url": "http://{upstream}/v1"}}}},
            "models": {{
                "fast": {{"provider": "openai", "model_name": "m"}},
                "slow": {{"provider": "openai", "model_name": "slow"}}
            }},
            "history": {history}
        }}"#,
        components.display().to_string(),
    );
    let service = MultiLlmService::builder()
        .config_json(configuration, folder.path())
        .env(Env::fixed(
            "",
            [("OPENAI_API_KEY", "sk-bench-0123456789abcdef")],
        ))
        .max_concurrency(6_000)
        .build()?;
    let router = Router::new()
        .route("/whole", post(whole))
        .route("/stream", post(stream))
        .route("/slow", post(slow))
        .with_state(service);
    listen(router)
}

fn ask(text: String) -> ChatRequest {
    ChatRequest::new([ChatMessage::user(text)])
}

async fn whole(State(service): State<MultiLlmService>, text: String) -> Response {
    match service.chat(ask(text), "fast").await {
        Ok(answer) => answer.content().into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn stream(State(service): State<MultiLlmService>, text: String) -> Response {
    streamed(&service, text, "fast").await
}

async fn slow(State(service): State<MultiLlmService>, text: String) -> Response {
    streamed(&service, text, "slow").await
}

async fn streamed(service: &MultiLlmService, text: String, model: &str) -> Response {
    match service.stream(ask(text), model).await {
        Ok(events) => {
            let pieces = events.filter_map(async |event| match event {
                Ok(ChatEvent::Text { text }) => Some(Ok::<_, Infallible>(text)),
                _ => None,
            });
            Body::from_stream(pieces).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
