//! The list of models, page by page.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, Framing, Method, Model, Page, Request, Target};

use crate::settings::{Api, Settings};

/// The most that the vendor puts on a page.
const PAGE_SIZE: &str = "1000";

/// The request for a page.
pub(crate) fn request(target: &Target, cursor: Option<&str>) -> Result<Request, Error> {
    let settings = Settings::of(target)?;
    if settings.api == Api::Vertex {
        return Err(Error::unsupported(
            "Vertex AI does not list Gemini models: name the model in the configuration",
        ));
    }
    let mut query = vec![("pageSize".to_owned(), PAGE_SIZE.to_owned())];
    if let Some(cursor) = cursor {
        query.push(("pageToken".to_owned(), cursor.to_owned()));
    }
    let mut path: Vec<String> = settings.version().into_iter().collect();
    path.push("models".to_owned());
    Ok(Request {
        method: Method::Get,
        path,
        query,
        headers: vec![settings.key_header()],
        body: vec![],
        framing: Framing::Whole,
        warnings: vec![],
    })
}

/// Reads a page. A page without models is `{}`: the vendor leaves out what is empty.
pub(crate) fn page(body: &str) -> Result<Page, Error> {
    let page = Json::parse(body)
        .map_err(|error| Error::malformed(format!("not a list of models: {error}")))?;
    if let Some(failure) = crate::error::inside(&page) {
        return Err(failure);
    }
    let models = page.get("models");
    let next = page.text("nextPageToken").map(str::to_owned);
    if models.is_none() && next.is_none() && page != Json::Object(vec![]) {
        return Err(Error::malformed("a JSON body without models"));
    }
    let models = models.map_or(&[][..], Json::list);
    Ok(Page {
        models: models.iter().filter_map(model).collect(),
        next,
    })
}

fn model(listed: &Json<'_>) -> Option<Model> {
    let name = listed.text("name")?;
    let methods = listed.get("supportedGenerationMethods");
    Some(Model {
        id: name.strip_prefix("models/").unwrap_or(name).to_owned(),
        title: listed.text("displayName").map(str::to_owned),
        context_tokens: listed.get("inputTokenLimit").and_then(Json::count),
        output_tokens: listed.get("outputTokenLimit").and_then(Json::count),
        chat: methods.map(|methods| methods.list().contains(&"generateContent".into())),
        ..Model::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::target;

    #[test]
    fn pages_are_asked_for_by_token() {
        let first = request(&target("", "{}"), None).unwrap();
        assert_eq!(first.path, ["v1beta", "models"]);
        assert_eq!(first.query, [("pageSize".to_owned(), "1000".to_owned())]);
        assert!(first.body.is_empty());
        let second = request(&target("", "{}"), Some("abc")).unwrap();
        assert_eq!(
            second.query.last(),
            Some(&("pageToken".to_owned(), "abc".to_owned()))
        );
        assert!(request(&target("", r#"{"api":"vertex"}"#), None).is_err());
    }

    #[test]
    fn a_page_names_models_as_they_are_asked_for() {
        let page = page(
            r#"{"models":[
                {"name":"models/gemini-x","displayName":"Gemini X","inputTokenLimit":1048576,
                 "outputTokenLimit":65536,"supportedGenerationMethods":["generateContent"],"thinking":true},
                {"name":"models/embed","supportedGenerationMethods":["embedContent"]},
                {"name":"tunedModels/mine"},
                {"displayName":"nameless"}],
               "nextPageToken":"more"}"#,
        )
        .unwrap();
        let [first, second, third] = page.models.as_slice() else {
            panic!("{page:?}")
        };
        assert_eq!(first.id, "gemini-x");
        assert_eq!(first.title.as_deref(), Some("Gemini X"));
        assert_eq!(first.context_tokens, Some(1_048_576));
        assert_eq!(first.output_tokens, Some(65_536));
        assert_eq!(first.chat, Some(true));
        assert_eq!((second.id.as_str(), second.chat), ("embed", Some(false)));
        assert_eq!((third.id.as_str(), third.chat), ("tunedModels/mine", None));
        assert_eq!(page.next.as_deref(), Some("more"));
    }

    #[test]
    fn an_empty_list_is_a_page_and_something_else_is_not() {
        assert_eq!(page("{}").unwrap().models.len(), 0);
        assert_eq!(
            page(r#"{"models":[],"nextPageToken":""}"#).unwrap().next,
            None
        );
        for body in ["", "[]", "<html>", r#"{"data":[]}"#, "null"] {
            assert!(page(body).is_err(), "{body}");
        }
    }
}
