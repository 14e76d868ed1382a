//! The models that the server has, all on one page.

use multillm_plugin_sdk::{Error, Framing, Method, Model, Page, Request, Response};
use serde::Deserialize;

use crate::key;

#[derive(Deserialize)]
struct Tags {
    /// Must be there, but may be `null` on a server without models.
    #[serde(deserialize_with = "Option::deserialize")]
    models: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
struct Tag {
    name: Option<String>,
    model: Option<String>,
    /// Newer servers only.
    capabilities: Option<Vec<String>>,
}

pub(crate) fn tags() -> Request {
    Request {
        method: Method::Get,
        path: vec!["api".into(), "tags".into()],
        query: vec![],
        headers: vec![key()],
        body: vec![],
        framing: Framing::Whole,
        warnings: vec![],
    }
}

pub(crate) fn read(response: &Response) -> Result<Page, Error> {
    let tags: Tags = serde_json::from_str(&response.body)
        .map_err(|error| Error::malformed(format!("ollama's list cannot be read: {error}")))?;
    let models = tags.models.unwrap_or_default();
    Ok(Page {
        models: models.into_iter().filter_map(model).collect(),
        next: None,
    })
}

fn model(tag: Tag) -> Option<Model> {
    let named = |name: &String| !name.is_empty();
    let chats = |can: Vec<String>| can.iter().any(|what| what == "completion");
    Some(Model {
        id: tag.model.filter(named).or(tag.name.filter(named))?,
        chat: tag.capabilities.map(chats),
        ..Model::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(body: &str) -> Result<Page, Error> {
        read(&Response {
            status: 200,
            headers: vec![],
            body: body.to_owned(),
        })
    }

    #[test]
    fn tags_are_models() {
        let page = list(
            r#"{"models":[
                {"name":"qwen3:4b","model":"qwen3:4b","size":1,"details":{"family":"qwen3"},"capabilities":["completion","tools"]},
                {"name":"nomic-embed-text:latest","capabilities":["embedding"]},
                {"name":"llama2:latest","model":""},
                {"size":3}
            ]}"#,
        )
        .unwrap();
        let rows: Vec<_> = page
            .models
            .iter()
            .map(|model| (model.id.as_str(), model.chat))
            .collect();
        assert_eq!(
            rows,
            [
                ("qwen3:4b", Some(true)),
                ("nomic-embed-text:latest", Some(false)),
                ("llama2:latest", None),
            ]
        );
        assert_eq!(page.next, None);
    }

    #[test]
    fn a_server_without_models_is_no_failure() {
        for body in [r#"{"models":[]}"#, r#"{"models":null}"#] {
            assert_eq!(list(body).unwrap().models, [], "{body}");
        }
        for body in ["{}", "[]", "404 page not found"] {
            assert!(list(body).is_err(), "{body}");
        }
    }
}
