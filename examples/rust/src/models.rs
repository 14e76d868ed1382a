//! The list of models, in pages: the cursor is the last id of the page before.

use multillm_plugin_sdk::{Error, Framing, Header, Method, Model, Page, Request, Response};
use serde::Deserialize;

#[derive(Deserialize)]
struct List {
    models: Vec<Entry>,
    #[serde(default)]
    more: Option<bool>,
}

#[derive(Deserialize)]
struct Entry {
    id: Option<String>,
    window: Option<u64>,
}

pub(crate) fn request(cursor: Option<&str>) -> Request {
    let after = cursor.map(|cursor| ("after".to_owned(), cursor.to_owned()));
    Request {
        method: Method::Get,
        path: vec!["models".to_owned()],
        query: after.into_iter().collect(),
        headers: vec![Header::api_key("authorization", "Bearer ")],
        body: vec![],
        framing: Framing::Whole,
        warnings: vec![],
    }
}

pub(crate) fn page(response: &Response) -> Result<Page, Error> {
    let list: List = serde_json::from_str(&response.body)
        .map_err(|error| Error::malformed(format!("the list cannot be read: {error}")))?;
    let models: Vec<Model> = list
        .models
        .into_iter()
        .filter_map(|entry| {
            Some(Model {
                id: entry.id.filter(|id| !id.is_empty())?,
                context_tokens: entry.window,
                ..Model::default()
            })
        })
        .collect();
    // A page that says that there is more and has nothing to go on from is the last.
    let last = models.last().map(|model| model.id.clone());
    Ok(Page {
        next: last.filter(|_| list.more == Some(true)),
        models,
    })
}
