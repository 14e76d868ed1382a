//! Somebody who may ask: the body is read, a model found, a lane chosen, and the answer sent on its way.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use multillm::config::{Config, Gateway as Policy, Unsupported};
use multillm::service::{Caller, Lane, Operation};
use multillm::{Error, ErrorKind};
use tokio::sync::OwnedSemaphorePermit;

use crate::access::Entry;
use crate::door::key::KeyEntry;
use crate::door::{Closed, credential};
use crate::face::embeddings::{self, Form, Vectors};
use crate::face::{Entry as Door, Face, tokens};
use crate::handle::told;
use crate::relaying::{self, Passage};
use crate::respond::{closed, public, put, refused, whole};
use crate::state::State;
use crate::{body, translating};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Chat,
    Tokens,
    Vectors(Form),
}

impl What {
    fn operation(self) -> Operation {
        match self {
            What::Chat => Operation::Chat,
            What::Tokens => Operation::CountTokens,
            What::Vectors(_) => Operation::Embeddings,
        }
    }

    /// Whether a model's vendor knows the same, where it speaks the wire.
    fn is_relayed(self) -> bool {
        !matches!(self, What::Vectors(Form::OllamaPrompt | Form::GeminiBatch))
    }
}

/// Somebody who may ask.
pub(crate) struct Asking<'a> {
    pub(crate) state: &'a Arc<State>,
    pub(crate) config: &'a Config,
    pub(crate) key: Option<&'a KeyEntry>,
    pub(crate) request_id: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// What stands behind the path.
    pub(crate) query: Option<&'a str>,
}

impl Asking<'_> {
    /// Reads a body and sends it on its way.
    pub(crate) async fn ask(
        &self,
        door: Door,
        what: What,
        body: Body,
        mut entry: Entry,
    ) -> Response<Body> {
        let policy = &self.config.gateway;
        let face = door.face;
        let mut places = vec![];
        match self.state.place(policy).await {
            Ok(place) => places.push(place),
            Err(error) => {
                self.state.metrics.refused("places");
                return self.refuse(face, error, entry);
            }
        }
        let body = body::read(self.headers, body, self.config.limits.request, policy.body).await;
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                self.state.metrics.refused("body");
                let mut response = self.refuse(face, error, entry);
                // What is left of the body is not read.
                put(response.headers_mut(), "connection", "close");
                return response;
            }
        };
        entry.line.bytes_in = body.len() as u64;
        let head = match door.head(&body) {
            Ok(head) => head,
            Err(error) => return self.refuse(face, error, entry),
        };
        let named = head
            .model
            .clone()
            .map_or_else(|| self.state.service.default_model(), Ok);
        let model = match named.and_then(|model| self.known(model)) {
            Ok(model) => model,
            Err(error) => return self.refuse(face, error, entry),
        };
        entry.line.model = Some(model.clone());
        entry.line.stream = head.stream;
        if let Some(key) = self.key.filter(|key| !key.may_ask(&model)) {
            tracing::debug!(caller = key.name, model, "may not ask");
            self.state.metrics.refused("model");
            entry.line.error = Some("permission");
            return told(entry, closed(face, &Closed::Model(model)));
        }
        let service = self.state.service.for_caller(self.caller(&mut entry));
        let wire = head.shape.wire();
        let lane = match head.relayable && what.is_relayed() {
            true => service.lane(&model, wire).await,
            false => Ok(Lane::Translate),
        };
        match lane {
            Err(error) => self.refuse(face, error, entry),
            Ok(Lane::Relay) => {
                let passage = Passage {
                    wire,
                    operation: what.operation(),
                    stream: head.stream && what == What::Chat,
                    model: &model,
                    headers: self.headers,
                    body: body.clone(),
                };
                match Box::pin(relaying::pass(&service, self.config, passage)).await {
                    Ok(relayed) => relaying::respond(relayed, entry, places),
                    // The wire is the same, and the vendor has no such thing on it.
                    Err(error) if error.kind == ErrorKind::Unsupported && what != What::Chat => {
                        let asked = Translated { door, model, what };
                        Box::pin(self.translate(service, asked, &body, entry, places)).await
                    }
                    Err(error) => self.refuse(face, error, entry),
                }
            }
            Ok(Lane::Translate) => {
                let asked = Translated { door, model, what };
                Box::pin(self.translate(service, asked, &body, entry, places)).await
            }
        }
    }

    async fn translate(
        &self,
        service: multillm::MultiLlmService,
        asked: Translated,
        body: &[u8],
        entry: Entry,
        mut places: Vec<OwnedSemaphorePermit>,
    ) -> Response<Body> {
        let policy = &self.config.gateway;
        let face = asked.door.face;
        match self.state.translation(policy).await {
            Ok(place) => places.push(place),
            Err(error) => {
                self.state.metrics.refused("places");
                return self.refuse(face, error, entry);
            }
        }
        let beside = match asked.what {
            What::Chat => None,
            What::Tokens => Some(counted(&service, &asked, body).await),
            What::Vectors(form) => Some(vectors(&service, (policy, form), &asked, body).await),
        };
        match beside {
            None => {}
            Some(Ok((body, cost))) => return beside_chats(&asked, body, cost, entry),
            Some(Err(error)) => return self.refuse(face, error, entry),
        }
        let read = translating::read(&service, policy, (&asked.door, &asked.model), body).await;
        let translation = match read {
            Ok(translation) => translation,
            Err(error) => return self.refuse(face, error, entry),
        };
        match translation.respond(service, policy, entry, places).await {
            Ok(response) => response,
            Err((error, entry)) => self.refuse(face, error, entry),
        }
    }

    /// The name of a model or route that there is.
    fn known(&self, model: String) -> multillm::Result<String> {
        let config = self.config;
        let found = config.model(&model).is_some_and(|model| model.enabled)
            || config.routes.get(&model).is_some_and(|route| route.enabled);
        match found {
            true => Ok(model),
            false => {
                // What others may ask is not told to whoever may not.
                let message = match self.key.is_some_and(|key| !key.models.is_empty()) {
                    true => format!("no model {model:?}"),
                    false => config.unknown_model(&model),
                };
                let mut error = Error::new(ErrorKind::NotFound, message);
                error.status = Some(404);
                error.vendor_code = Some("model_not_found".to_owned());
                Err(error)
            }
        }
    }

    /// On whose behalf models are asked.
    fn caller(&self, entry: &mut Entry) -> Caller {
        let id = |name| credential::id(self.headers, name);
        let session = id("x-claude-code-session-id")
            .or_else(|| id("session_id"))
            .or_else(|| id("x-session-id"));
        entry.line.session.clone_from(&session);
        let mut caller = Caller {
            session,
            agent: id("x-claude-code-agent-id"),
            key: credential::own(self.headers, self.query).map(Into::into),
            request_id: Some(self.request_id.to_owned()),
            patience: Some(self.config.gateway.queue),
            ..Caller::default()
        };
        if let Some(key) = self.key {
            caller.name = Some(key.name.clone());
            caller.limits.requests_per_minute = key.requests_per_minute;
            caller.limits.tokens_per_minute = key.tokens_per_minute;
            caller.limits.cost_per_day = key.cost_per_day;
            caller.cost_per_month = key.cost_per_month;
            caller.max_concurrency = key.max_concurrency;
        }
        caller
    }

    fn refuse(&self, face: Face, error: Error, mut entry: Entry) -> Response<Body> {
        entry.line.error = Some(error.kind.as_str());
        let error = public(error, self.key.is_none());
        told(entry, refused(face, &error))
    }
}

struct Translated {
    door: Door,
    model: String,
    what: What,
}

/// The tokens of a chat, counted by the vendor where it can, and else estimated.
async fn counted(
    service: &multillm::MultiLlmService,
    asked: &Translated,
    body: &[u8],
) -> multillm::Result<(Vec<u8>, Option<rust_decimal::Decimal>)> {
    let request = asked.door.read(body)?.request;
    let count = service.count_tokens(&request, &asked.model).await?;
    Ok((tokens::counted(asked.door.face, count.tokens), None))
}

/// Vectors of texts.
async fn vectors(
    service: &multillm::MultiLlmService,
    (policy, form): (&Policy, Form),
    asked: &Translated,
    body: &[u8],
) -> multillm::Result<(Vec<u8>, Option<rust_decimal::Decimal>)> {
    let mut read = embeddings::Asked::read(form, body)?;
    let own = asked.door.face.wire();
    if service
        .wires(&asked.model)
        .await?
        .iter()
        .any(|wire| wire != own)
    {
        // Another wire has other words for it, or none.
        if !read.lost.is_empty() && policy.unsupported == Unsupported::Refuse {
            return Err(translating::unsaid(&read.lost, &asked.model));
        }
        read.request.extra = multillm::chat::JsonObject::default();
    }
    let made = service.embed(&read.request, &asked.model).await?;
    let vectors = Vectors {
        vectors: &made.vectors,
        usage: &made.usage,
    };
    Ok((read.answer(&asked.model, vectors), made.cost))
}

/// The answer to what is asked beside chats.
fn beside_chats(
    asked: &Translated,
    body: Vec<u8>,
    cost: Option<rust_decimal::Decimal>,
    mut entry: Entry,
) -> Response<Body> {
    entry.line.lane = Some("translate");
    entry.line.bytes_out = body.len() as u64;
    let mut response = whole(200, "application/json", body);
    put(response.headers_mut(), "x-multillm-model", &asked.model);
    if let Some(cost) = cost {
        put(
            response.headers_mut(),
            "x-multillm-cost",
            &cost.normalize().to_string(),
        );
    }
    told(entry, response)
}
