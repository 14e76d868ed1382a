//! The way of one request: who asks, what for, which lane, and what comes back.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use multillm::config::Config;
use multillm::{Error, ErrorKind};

use crate::access::Entry;
use crate::asking::{Asking, What};
use crate::door::{Closed, credential, origin};
use crate::face::Face;
use crate::respond::{closed, put, refused, whole};
use crate::routes::{Astray, Route, find};
use crate::state::{State, now_ms};
use crate::{body, listing};

/// Answers a request, whatever it is.
pub(crate) async fn answer(state: Arc<State>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let own_id = credential::id(&parts.headers, "x-request-id");
    let request_id = own_id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let entry = Entry::begin(
        &state.log,
        &state.metrics,
        parts.method.as_str(),
        &request_id,
    );
    let traces = state.traces.as_ref();
    let entry = entry.traced(traces.map(|traces| traces.begin(&parts.headers, &request_id)));
    let config = state.config();
    let origin = origin_of(&parts.headers);
    let is_anthropics = parts.headers.contains_key("anthropic-version");
    let mut response = route(&state, &config, (parts, body), entry, &request_id).await;
    let headers = response.headers_mut();
    put(headers, "x-multillm-request-id", &request_id);
    if !headers.contains_key("x-request-id") {
        put(headers, "x-request-id", &request_id);
    }
    // By this name Anthropic's clients know it.
    if is_anthropics && !headers.contains_key("request-id") {
        put(headers, "request-id", &request_id);
    }
    put(headers, "x-content-type-options", "nosniff");
    if let Some(origin) = origin.filter(|origin| origin::is_listed(origin, &config.gateway.origins))
    {
        put(headers, "access-control-allow-origin", &origin);
        put(headers, "access-control-expose-headers", "*");
        put(headers, "vary", "origin");
    }
    response
}

fn origin_of(headers: &HeaderMap) -> Option<String> {
    headers
        .get("origin")
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

async fn route(
    state: &Arc<State>,
    config: &Config,
    (parts, body): (Parts, Body),
    mut entry: Entry,
    request_id: &str,
) -> Response<Body> {
    let query = parts.uri.query();
    let found = find(&parts.method, parts.uri.path(), query, &parts.headers);
    let face = found.as_ref().map_or(Face::OpenAiChat, Route::face);
    entry.line.route = found.as_ref().map_or("-", Route::name);
    // Whether it is alive is asked by whoever runs it, by whatever name.
    if found == Ok(Route::Health) {
        return told(entry, whole(200, "text/plain", "ok\n"));
    }
    if let Err(why) = enter(state, config, &parts) {
        state.metrics.refused("origin");
        return told(entry, closed(face, &why));
    }
    if parts.method == Method::OPTIONS {
        return told(entry, preflight(&parts.headers, config));
    }
    let route = match found {
        Ok(route) => route,
        Err(astray) => return told(entry, lost(face, astray, &parts)),
    };
    match route {
        Route::Ready => return told(entry, ready(state)),
        Route::Hello => return told(entry, whole(200, "text/plain", "multillm gateway\n")),
        Route::Metrics if config.gateway.shows_metrics() => return told(entry, metrics(state)),
        _ => {}
    }
    let keys = state.keys();
    let key = match state.is_open() {
        true => None,
        false => match keys.admit(&credential::keys(&parts.headers, query), now_ms()) {
            Ok(key) => Some(key),
            Err(why) => {
                state.metrics.refused("key");
                return told(entry, closed(face, &why));
            }
        },
    };
    entry.line.caller = key.map(|key| key.name.clone());
    if state.is_stopping() {
        let mut error = Error::new(
            ErrorKind::Unavailable,
            "the gateway is stopping: ask again later",
        );
        error.status = Some(503);
        error.retry_after_ms = Some(1_000);
        return told(entry, refused(face, &error.retryable(true)));
    }
    let asking = Asking {
        state,
        config,
        key,
        request_id,
        headers: &parts.headers,
        query,
    };
    match route {
        Route::Chat(door) => asking.ask(door, What::Chat, body, entry).await,
        Route::Tokens(door) => asking.ask(door, What::Tokens, body, entry).await,
        Route::Embeddings(door, form) => asking.ask(door, What::Vectors(form), body, entry).await,
        Route::Models(list) => told(entry, listing::all(state, key, list, query)),
        Route::Model(list, name) => told(entry, listing::one(state, key, list, &name)),
        Route::Show => {
            let policy = &config.gateway;
            let body = body::read(&parts.headers, body, config.limits.request, policy.body).await;
            told(entry, listing::show(state, key, body))
        }
        Route::Version => told(entry, listing::version()),
        Route::Metrics => told(entry, metrics(state)),
        Route::Health | Route::Ready | Route::Hello => {
            told(entry, whole(200, "text/plain", "ok\n"))
        }
    }
}

/// Hosts, origins, and, without keys, where somebody comes from.
fn enter(state: &State, config: &Config, parts: &Parts) -> Result<(), Closed> {
    let open = state.is_open();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    if open && peer.is_some_and(|ConnectInfo(peer)| !peer.ip().to_canonical().is_loopback()) {
        return Err(Closed::NoKey);
    }
    let text = |name: &str| {
        parts
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    // A browser says so itself where it has no origin to tell.
    let is_strangers = text("sec-fetch-site") == Some("cross-site") && text("origin").is_none();
    if open && is_strangers {
        return Err(Closed::Origin);
    }
    let host = text("host").or_else(|| parts.uri.host());
    let lists = (
        config.gateway.hosts.as_slice(),
        config.gateway.origins.as_slice(),
    );
    origin::check(host, text("origin"), lists, open)
}

/// What a page may send, which its browser asks before.
fn preflight(headers: &HeaderMap, config: &Config) -> Response<Body> {
    let listed = origin_of(headers)
        .is_some_and(|origin| origin::is_listed(&origin, &config.gateway.origins));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = match listed {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::FORBIDDEN,
    };
    if listed {
        let wanted = headers.get("access-control-request-headers");
        let wanted = wanted.and_then(|value| value.to_str().ok()).unwrap_or("*");
        let out = response.headers_mut();
        put(out, "access-control-allow-methods", "GET, POST, OPTIONS");
        put(out, "access-control-allow-headers", wanted);
        put(out, "access-control-max-age", "600");
    }
    response
}

fn lost(face: Face, astray: Astray, parts: &Parts) -> Response<Body> {
    let path: String = parts.uri.path().chars().take(100).collect();
    match astray {
        Astray::NoPath => {
            let mut error = Error::new(ErrorKind::NotFound, format!("there is nothing at {path}"));
            error.status = Some(404);
            refused(face, &error)
        }
        Astray::Method(method) => {
            let message = format!("{path} is asked by {method}");
            let mut error = Error::new(ErrorKind::InvalidRequest, message);
            error.status = Some(405);
            let mut response = refused(face, &error);
            put(response.headers_mut(), "allow", method);
            response
        }
    }
}

/// Whether it may be asked: not once it was told to stop.
fn ready(state: &State) -> Response<Body> {
    match state.is_stopping() {
        true => whole(503, "text/plain", "stopping\n"),
        false => whole(200, "text/plain", "ready\n"),
    }
}

fn metrics(state: &State) -> Response<Body> {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    whole(200, kind, state.metrics.text())
}

/// An answer that is there, and its line.
pub(crate) fn told(mut entry: Entry, response: Response<Body>) -> Response<Body> {
    entry.line.status = response.status().as_u16();
    entry.line.end = "complete";
    if let Some(length) = response.body().size_hint().exact() {
        entry.line.bytes_out = length;
    }
    response
}
