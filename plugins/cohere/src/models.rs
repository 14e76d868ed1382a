//! The list of models that can chat, page by page.

use multillm_plugin_sdk::outcome::lenient_count;
use multillm_plugin_sdk::{Error, Framing, Header, Method, Model, Page, Request, Response};
use serde::Deserialize;

use crate::decode::unreadable;

/// The most that Cohere puts on a page.
const PAGE_SIZE: &str = "1000";

#[derive(Deserialize)]
struct List {
    models: Vec<Entry>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    name: Option<String>,
    endpoints: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient_count")]
    context_length: Option<u64>,
}

pub(crate) fn encode_list(cursor: Option<&str>) -> Request {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut query = vec![pair("endpoint", "chat"), pair("page_size", PAGE_SIZE)];
    query.extend(cursor.map(|cursor| pair("page_token", cursor)));
    Request {
        method: Method::Get,
        path: vec!["v1".into(), "models".into()],
        query,
        headers: vec![Header::api_key("authorization", "Bearer ")],
        body: vec![],
        framing: Framing::Whole,
        warnings: vec![],
    }
}

pub(crate) fn decode_list(response: &Response) -> Result<Page, Error> {
    let list: List = serde_json::from_str(&response.body).map_err(unreadable)?;
    Ok(Page {
        models: list.models.into_iter().filter_map(model).collect(),
        next: list.next_page_token.filter(|token| !token.is_empty()),
    })
}

fn model(entry: Entry) -> Option<Model> {
    let chats = |endpoints: Vec<String>| endpoints.iter().any(|endpoint| endpoint == "chat");
    Some(Model {
        id: entry.name.filter(|name| !name.is_empty())?,
        context_tokens: entry.context_length.filter(|length| *length > 0),
        chat: entry.endpoints.map(chats),
        ..Model::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Result<Page, Error> {
        decode_list(&Response {
            status: 200,
            headers: vec![],
            body: body.to_owned(),
        })
    }

    #[test]
    fn a_page_is_asked_for_by_its_token() {
        let first = encode_list(None);
        assert_eq!(first.path, ["v1", "models"]);
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect()
        };
        let filter = [("endpoint", "chat"), ("page_size", "1000")];
        assert_eq!(first.query, owned(&filter));
        let next = encode_list(Some("p 2"));
        assert_eq!(
            next.query,
            owned(&[filter[0], filter[1], ("page_token", "p 2")])
        );
    }

    #[test]
    fn a_page_names_models_and_the_next_page() {
        let list = page(
            r#"{"models":[
                {"name":"command-z","endpoints":["chat","generate"],"context_length":256000.0,"is_deprecated":false},
                {"name":"embed-z","endpoints":["embed"],"context_length":0},
                {"name":"bare"},
                {"endpoints":["chat"]}
            ],"next_page_token":"more"}"#,
        )
        .unwrap();
        let rows: Vec<_> = list
            .models
            .iter()
            .map(|model| (model.id.as_str(), model.context_tokens, model.chat))
            .collect();
        assert_eq!(
            rows,
            [
                ("command-z", Some(256_000), Some(true)),
                ("embed-z", None, Some(false)),
                ("bare", None, None),
            ]
        );
        assert_eq!(list.next.as_deref(), Some("more"));
        for last in [r#"{"models":[]}"#, r#"{"models":[],"next_page_token":""}"#] {
            assert_eq!(page(last).unwrap().next, None, "{last}");
        }
    }

    #[test]
    fn what_is_no_list_is_malformed() {
        for body in ["[]", "{}", "<html>", r#"{"models":null}"#] {
            assert!(page(body).is_err(), "{body}");
        }
    }
}
