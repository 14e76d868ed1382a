//! What can be asked, in the forms in which clients ask for it.

use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use multillm::config::{Config, Model};
use multillm::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::door::key::KeyEntry;
use crate::face::models::{self, Entry, Page};
use crate::respond::{refused, whole};
use crate::routes::List;
use crate::state::State;

/// What this caller may ask, the default first.
fn entries(state: &State, key: Option<&KeyEntry>) -> Vec<Entry> {
    let config = state.config();
    let mut models: Vec<_> = state
        .service
        .models()
        .into_iter()
        .filter(|model| model.enabled)
        .collect();
    models.sort_by_key(|model| !model.default);
    let names = models.into_iter().map(|model| model.name);
    let names = names.filter(|name| key.is_none_or(|key| key.may_ask(name)));
    names.map(|name| entry(&config, name)).collect()
}

fn entry(config: &Config, name: String) -> Entry {
    let model = config.models.get(&name).or_else(|| {
        // A route can what its first model can.
        let first = config.routes.get(&name)?.models.first()?;
        Some(&first.model)
    });
    let of = |read: fn(&Model) -> Option<bool>, otherwise| {
        model.and_then(|model| read(model)).unwrap_or(otherwise)
    };
    Entry {
        owner: model.map_or_else(
            || "multillm".to_owned(),
            |model| model.provider.name.clone(),
        ),
        context: model.and_then(|model| model.context_window),
        tools: of(|model| model.capabilities.tools, true),
        vision: of(|model| model.capabilities.images, false),
        thinking: of(|model| model.capabilities.reasoning, false),
        id: name,
        ..Entry::default()
    }
}

fn answer(body: Vec<u8>) -> Response<Body> {
    whole(200, "application/json", body)
}

/// The whole list.
pub(crate) fn all(
    state: &State,
    key: Option<&KeyEntry>,
    list: List,
    query: Option<&str>,
) -> Response<Body> {
    let entries = entries(state, key);
    answer(match list {
        List::OpenAi => models::openai(&entries),
        List::Codex => models::codex(&entries),
        List::Anthropic => models::anthropic(&entries, &page(query)),
        List::Ollama => models::ollama_tags(&entries),
        List::Gemini => models::gemini(&entries),
    })
}

fn page(query: Option<&str>) -> Page {
    let of = |name: &str| {
        let mut pairs = query
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(known, value)| (known == name).then(|| value.to_owned()))
    };
    Page {
        limit: of("limit").and_then(|limit| limit.parse().ok()),
        after: of("after_id"),
        before: of("before_id"),
    }
}

/// One of it.
pub(crate) fn one(state: &State, key: Option<&KeyEntry>, list: List, name: &str) -> Response<Body> {
    let found = entries(state, key)
        .into_iter()
        .find(|known| known.id == name);
    match found {
        None => missing(list, name),
        Some(entry) => answer(match list {
            List::Anthropic => models::anthropic_one(&entry),
            List::Gemini => models::gemini_one(&entry),
            List::Ollama => models::ollama_show(&entry),
            List::OpenAi | List::Codex => models::openai_one(&entry),
        }),
    }
}

fn missing(list: List, name: &str) -> Response<Body> {
    let mut error = Error::new(ErrorKind::NotFound, format!("no model {name:?}"));
    error.status = Some(404);
    refused(list.face(), &error)
}

/// What Ollama says of a model that is named in a body.
pub(crate) fn show(state: &State, key: Option<&KeyEntry>, body: Result<Bytes>) -> Response<Body> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(alias = "name")]
        model: String,
    }
    let named = body.and_then(|body| {
        serde_json::from_slice::<Named>(&body).map_err(|_| {
            Error::new(
                ErrorKind::InvalidRequest,
                "model: expected the name of a model",
            )
        })
    });
    match named {
        Ok(Named { model }) => one(state, key, List::Ollama, &model),
        Err(error) => refused(List::Ollama.face(), &error),
    }
}

/// The version that Ollama's clients ask for.
pub(crate) fn version() -> Response<Body> {
    answer(models::ollama_version())
}
