//! The lane on which nothing is lost: the caller's bytes out, the vendor's bytes back.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};
use bytes::Bytes;
use multillm::Result;
use multillm::config::Config;
use multillm::service::{MultiLlmService, Operation, RelayRequest, Relayed, RelayedBody};
use tokio::sync::OwnedSemaphorePermit;

use crate::access::Entry;
use crate::outgoing::{relayed, streamed};
use crate::respond::{put, timing};
use crate::summary::Summary;

/// What is passed on.
pub(crate) struct Passage<'r> {
    pub(crate) wire: &'static str,
    pub(crate) operation: Operation,
    pub(crate) stream: bool,
    pub(crate) model: &'r str,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: Bytes,
}

/// Passes a body on, up to the head of the answer.
pub(crate) async fn pass(
    service: &MultiLlmService,
    config: &Config,
    passage: Passage<'_>,
) -> Result<Relayed> {
    let chats = passage.operation == Operation::Chat;
    let keeps = config.history.enabled && config.history.content;
    let summary = match chats {
        true => Summary::of(&passage.body, keeps),
        false => Summary::default(),
    };
    let request = RelayRequest {
        wire: passage.wire.to_owned(),
        operation: passage.operation,
        stream: passage.stream,
        body: passage.body,
        headers: texts(passage.headers),
        question: summary.question,
        max_tokens: summary.max_tokens,
        choices: summary.choices,
    };
    service.relay(request, passage.model).await
}

/// The caller's headers as texts. Which of them travel on is for the model's plugin to say.
fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = vec![];
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        match texts.iter_mut().find(|(known, _)| known == name.as_str()) {
            // A list that came in several lines.
            Some((_, whole)) => {
                whole.push(',');
                whole.push_str(value);
            }
            None => texts.push((name.as_str().to_owned(), value.to_owned())),
        }
    }
    texts
}

/// The answer for the caller.
pub(crate) fn respond(
    relayed_answer: Relayed,
    mut entry: Entry,
    places: Vec<OwnedSemaphorePermit>,
) -> Response<Body> {
    let Relayed {
        status,
        headers,
        body,
        model,
        provider,
        cached,
        answer,
        error,
        ..
    } = relayed_answer;
    entry.line.status = status;
    entry.line.lane = Some("relay");
    entry.line.provider = Some(provider);
    entry.line.error = error.as_ref().map(|error| error.kind.as_str());
    let head = entry.begun().elapsed();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let out = response.headers_mut();
    for (name, value) in &headers {
        put(out, name, value);
    }
    put(out, "x-multillm-model", &model);
    if cached {
        put(out, "x-multillm-cached", "true");
    }
    if let Some(cost) = answer.as_ref().and_then(|answer| answer.cost) {
        put(out, "x-multillm-cost", &cost.normalize().to_string());
    }
    timing(out, head, answer.as_ref().map(|answer| answer.latency));
    entry.line.model = Some(model);
    *response.body_mut() = match body {
        RelayedBody::Whole(bytes) => {
            entry.line.bytes_out = bytes.len() as u64;
            entry.line.end = "complete";
            Body::from(bytes)
        }
        RelayedBody::Stream(stream) => streamed(relayed(stream), entry, places),
    };
    response
}
