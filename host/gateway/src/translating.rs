//! The lane to models of another wire: the body becomes the unified request, and the answer takes the face's form.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, Response};
use bytes::Bytes;
use futures_core::Stream;
use futures_util::{StreamExt as _, stream};
use multillm::config::{Config, Gateway as Policy, Model, Unsupported};
use multillm::service::{ChatStream, MultiLlmService};
use multillm::{ChatRequest, ChatResponse, Error, ErrorKind, Result};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::access::Entry;
use crate::face::{Asked, Entry as Door, Face, Renderer, Stamp};
use crate::outgoing::streamed;
use crate::respond::{put, timing, whole};
use crate::state::now_ms;

/// A request on this lane.
pub(crate) struct Translation {
    face: Face,
    asked: Asked,
    model: String,
    /// What is left out because the model's wire has no form for it.
    dropped: Vec<String>,
}

/// Reads a body, and refuses what would be lost unless the operator says that it may be.
pub(crate) async fn read(
    service: &MultiLlmService,
    policy: &Policy,
    (door, model): (&Door, &str),
    body: &[u8],
) -> Result<Translation> {
    let mut asked = door.read(body)?;
    let wires = service.wires(model).await?;
    let lost = asked.lost(wires.iter().map(String::as_str));
    let mut dropped: Vec<String> = lost.into_iter().map(str::to_owned).collect();
    if asked.request.reasoning_effort.is_some() && !thinks(&service.config(), model) {
        asked.request.reasoning_effort = None;
        dropped.push("the effort of thinking".to_owned());
    }
    if !dropped.is_empty() && policy.unsupported == Unsupported::Refuse {
        return Err(unsaid(&dropped, model));
    }
    asked.fit(wires.iter().map(String::as_str));
    if policy.unsupported == Unsupported::Drop {
        // What the model itself cannot do goes the same way.
        asked.request.unsupported = Some(multillm::chat::Unsupported::Drop);
    }
    Ok(Translation {
        face: door.face,
        asked,
        model: model.to_owned(),
        dropped,
    })
}

/// Whether a model can think before it answers, as far as the configuration says so; of a route, whether all of its models can.
fn thinks(config: &Config, name: &str) -> bool {
    let can = |model: &Model| model.capabilities.reasoning != Some(false);
    match (config.model(name), config.routes.get(name)) {
        (Some(model), _) => can(&model),
        (None, Some(route)) => route.models.iter().all(|entry| can(&entry.model)),
        (None, None) => true,
    }
}

/// The name of what a warning such as `seed: claude knows none` is about, or all of it where it names nothing.
fn name_of(warning: &str) -> &str {
    match warning.split_once(": ") {
        Some((name, _)) if !name.contains(char::is_whitespace) => name,
        _ => warning,
    }
}

/// What has no form in the wires of a model.
pub(crate) fn unsaid(members: &[String], model: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "{} cannot be said to the model {model:?}, which speaks another wire: leave it out, ask a model of this wire, or \
             have the operator set gateway.unsupported to \"drop\"",
            members.join(", ")
        ),
    )
}

impl Translation {
    /// Asks, and answers in the face's form.
    pub(crate) async fn respond(
        self,
        service: MultiLlmService,
        policy: &Policy,
        mut entry: Entry,
        places: Vec<OwnedSemaphorePermit>,
    ) -> std::result::Result<Response<Body>, (Error, Entry)> {
        entry.line.lane = Some("translate");
        entry.line.model = Some(self.model.clone());
        if self.asked.is_empty() {
            // Ollama's clients have a model loaded so: there is nothing to load.
            let body = self.asked.reply(&*self.model, stamp()).loaded();
            entry.line.bytes_out = body.len() as u64;
            entry.line.status = 200;
            entry.line.end = "complete";
            return Ok(whole(200, self.face.content_type(false), body));
        }
        if self.asked.stream {
            return self.stream(service, policy, entry, places).await;
        }
        let answer = match service.chat(self.asked.request.clone(), &self.model).await {
            Ok(answer) => answer,
            Err(error) => return Err((error, entry)),
        };
        let body = self.asked.reply(&*self.model, stamp()).whole(&answer);
        entry.line.bytes_out = body.len() as u64;
        entry.line.provider = Some(answer.provider.clone());
        entry.line.status = 200;
        entry.line.end = "complete";
        let mut response = whole(200, self.face.content_type(false), body);
        self.describe(&mut response, Some(&answer), &entry);
        Ok(response)
    }

    /// The headers that every translated answer has.
    fn describe(
        &self,
        response: &mut Response<Body>,
        answer: Option<&ChatResponse>,
        entry: &Entry,
    ) {
        let headers = response.headers_mut();
        put(
            headers,
            "x-multillm-model",
            answer.map_or(&self.model, |answer| &answer.model),
        );
        if let Some(cost) = answer.and_then(|answer| answer.cost) {
            put(headers, "x-multillm-cost", &cost.normalize().to_string());
        }
        if answer.is_some_and(|answer| answer.cached) {
            put(headers, "x-multillm-cached", "true");
        }
        if let Some(answer) = answer {
            self.describe_dropped(headers, &answer.warnings);
        }
        timing(
            headers,
            entry.begun().elapsed(),
            answer.map(|answer| answer.latency),
        );
    }

    /// What was left out: what the model's wire has no form for, and what its plugin says that the model cannot do.
    fn describe_dropped(&self, headers: &mut HeaderMap, warnings: &[String]) {
        let dropped = self.dropped.iter().map(String::as_str);
        let names: Vec<&str> = dropped
            .chain(warnings.iter().map(|warning| name_of(warning)))
            .collect();
        if !names.is_empty() {
            // A header that cannot be sent would be silence.
            let names = names
                .join(", ")
                .replace(|c: char| !matches!(c, ' '..='~'), "?");
            put(headers, "x-multillm-dropped", &names);
        }
    }

    /// A streamed answer. A failure before the first piece is an error of its own, unless a sign of life had to be given
    /// before: then it is an error within the stream.
    async fn stream(
        self,
        service: MultiLlmService,
        policy: &Policy,
        mut entry: Entry,
        places: Vec<OwnedSemaphorePermit>,
    ) -> std::result::Result<Response<Body>, (Error, Entry)> {
        let mut opening = Opening::begin(service, self.asked.request.clone(), self.model.clone());
        let opened = timeout(policy.ping, &mut opening.0).await;
        let source = match opened {
            Err(_) => Source::Opening(opening),
            Ok(opened) => match opened.unwrap_or_else(|_| Err(given_up())) {
                Ok(stream) => Source::Open(Box::new(stream)),
                Err(error) => return Err((error, entry)),
            },
        };
        entry.line.status = 200;
        entry.line.stream = true;
        let mut response = Response::new(Body::empty());
        let content_type = HeaderValue::from_static(self.face.content_type(true));
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        self.describe(&mut response, None, &entry);
        let headers = response.headers_mut();
        match &source {
            Source::Open(stream) => {
                put(headers, "x-multillm-model", stream.model());
                self.describe_dropped(headers, stream.warnings());
            }
            // Which model answers, and what it takes, is not known yet.
            Source::Opening(_) | Source::Over => self.describe_dropped(headers, &[]),
        }
        let renderer = self.asked.reply(&*self.model, stamp()).stream();
        let pieces = rendered(self.face, source, renderer, policy.ping);
        *response.body_mut() = streamed(pieces, entry, places);
        Ok(response)
    }
}

/// A request whose answer has not begun. Dropping it gives it up.
struct Opening(JoinHandle<Result<ChatStream>>);

impl Opening {
    fn begin(service: MultiLlmService, request: ChatRequest, model: String) -> Self {
        Opening(tokio::spawn(async move {
            service.stream(request, &model).await
        }))
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn given_up() -> Error {
    Error::new(ErrorKind::Cancelled, "the request was given up")
}

/// Where events come from.
enum Source {
    Opening(Opening),
    Open(Box<ChatStream>),
    Over,
}

struct Rendering {
    face: Face,
    source: Source,
    renderer: Box<dyn Renderer>,
    begun: bool,
    ping: Duration,
}

/// The bytes of an answer. It ends with the wire's own end marker, or with an error that nobody takes for one.
fn rendered(
    face: Face,
    source: Source,
    renderer: Box<dyn Renderer>,
    ping: Duration,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let rendering = Rendering {
        face,
        source,
        renderer,
        begun: false,
        ping,
    };
    stream::unfold(rendering, |mut rendering| async move {
        let next = rendering.next().await?;
        Some((next, rendering))
    })
}

impl Rendering {
    async fn next(&mut self) -> Option<Result<Bytes>> {
        let mut out = vec![];
        while out.is_empty() {
            let silent = match &mut self.source {
                Source::Over => return None,
                Source::Opening(opening) => match timeout(self.ping, &mut opening.0).await {
                    Err(_) => true,
                    Ok(opened) => {
                        match opened.unwrap_or_else(|_| Err(given_up())) {
                            Ok(stream) => self.source = Source::Open(Box::new(stream)),
                            Err(error) => return self.fail(&error, out),
                        }
                        false
                    }
                },
                Source::Open(events) => {
                    if !std::mem::replace(&mut self.begun, true) {
                        self.renderer.begin(events.plugin(), &mut out);
                    }
                    match timeout(self.ping, events.next()).await {
                        Err(_) => true,
                        Ok(None) => return self.fail(&ended(), out),
                        Ok(Some(Err(error))) => return self.fail(&error, out),
                        Ok(Some(Ok(event))) => {
                            self.renderer.event(&event, &mut out);
                            if matches!(event, multillm::ChatEvent::Done(_)) {
                                self.source = Source::Over;
                                return Some(Ok(out.into()));
                            }
                            false
                        }
                    }
                }
            };
            match silent {
                false => {}
                true if self.begun => self.renderer.ping(&mut out),
                true => out.extend_from_slice(alive(self.face)),
            }
        }
        Some(Ok(out.into()))
    }

    /// An error within the stream, and nothing behind it.
    fn fail(&mut self, error: &Error, mut out: Vec<u8>) -> Option<Result<Bytes>> {
        self.source = Source::Over;
        self.renderer.cut(error, &mut out);
        match out.is_empty() {
            // The wire has no word for it: the connection is cut.
            true => Some(Err(error.clone())),
            false => Some(Ok(out.into())),
        }
    }
}

/// A sign of life before anything else: what every reader of the wire passes over.
fn alive(face: Face) -> &'static [u8] {
    match face {
        Face::AnthropicMessages => b"event: ping\ndata: {\"type\": \"ping\"}\n\n",
        Face::OllamaChat | Face::OllamaGenerate => b"\n",
        _ => b": ping\n\n",
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Truncated, "the stream ended without an answer")
}

/// What tells this answer from others.
fn stamp() -> Stamp {
    let ms = u64::try_from(now_ms()).unwrap_or_default();
    Stamp {
        id: uuid::Uuid::now_v7().simple().to_string(),
        created: ms / 1000,
        nanos: u32::try_from(ms % 1000 * 1_000_000).unwrap_or_default(),
    }
}
