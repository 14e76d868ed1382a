//! The list of models.

use super::dialect::Dialect;
use crate::error::Report;
use crate::json::Json;
use crate::{Error, Framing, Method, Model, Page, Request, Response};

/// The request for the list. It has one page.
///
/// # Errors
///
/// None today; the signature is that of every vendor.
pub fn encode_list(dialect: &Dialect) -> Result<Request, Error> {
    Ok(Request {
        method: Method::Get,
        path: dialect.models_path.segments(),
        query: dialect.query.clone(),
        headers: dialect.request_headers(),
        body: Vec::new(),
        framing: Framing::Whole,
        warnings: Vec::new(),
    })
}

/// Reads the list: `{"data": […]}`, or the bare array of some servers.
///
/// # Errors
///
/// `malformed-response` for anything else; the server's error if the body holds one.
pub fn decode_list(dialect: &Dialect, response: &Response) -> Result<Page, Error> {
    let reply = Json::parse(&response.body)
        .map_err(|error| Error::malformed(format!("the list of models is no JSON: {error}")))?;
    let list = reply.get("data").unwrap_or(&reply);
    if let Json::List(list) = list {
        return Ok(Page {
            models: list.iter().filter_map(model).collect(),
            next: None,
        });
    }
    Err(match Report::of(&reply) {
        Some(report) => report.into_error(dialect.errors),
        None => Error::malformed("the list of models cannot be read"),
    })
}

/// A model, with what servers beyond OpenAI's say of it under the names that are in use.
fn model(value: &Json<'_>) -> Option<Model> {
    let text = |key| value.text(key).map(str::to_owned);
    let number = |keys: &[&str]| {
        keys.iter()
            .find_map(|key| value.get(key).and_then(Json::count))
    };
    // A server of one model says how it was started, and with what the model was trained.
    let by_server = || {
        let names = ["n_ctx", "n_ctx_train"].into_iter();
        let mut counts = names.filter_map(|name| value.at(&["meta", name])?.count());
        counts.find(|count| *count > 0)
    };
    let by_provider = || {
        let providers = value.get("providers")?.list().iter();
        providers
            .filter_map(|provider| provider.get("context_length")?.count())
            .max()
    };
    Some(Model {
        id: text("id")?,
        title: text("display_name").or_else(|| text("name")),
        context_tokens: number(&[
            "context_length",
            "context_window",
            "max_model_len",
            "max_context_length",
            "max_input_tokens",
        ])
        .or_else(by_server)
        .or_else(by_provider),
        output_tokens: number(&["max_completion_tokens", "max_output_tokens"]).or_else(|| {
            value
                .at(&["top_provider", "max_completion_tokens"])
                .and_then(Json::count)
        }),
        created: number(&["created", "created_at"]),
        owner: text("owned_by"),
        chat: ["completion_chat", "chat_completion"]
            .into_iter()
            .find_map(|key| value.at(&["capabilities", key])?.bool()),
        ..Model::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(body: &str) -> Result<Page, Error> {
        let response = Response {
            status: 200,
            headers: vec![],
            body: body.to_owned(),
        };
        decode_list(&Dialect::default(), &response)
    }

    #[test]
    fn a_list_is_read_with_what_each_server_adds() {
        let page = list(
            r#"{"object":"list","data":[
                {"id":"gpt-4o","object":"model","created":1715367049,"owned_by":"system"},
                {"id":"a/b","name":"B","context_length":4096,"top_provider":{"max_completion_tokens":512}},
                {"id":"c","providers":[{"context_length":8},{"context_length":16},{}]},
                {"id":"m","capabilities":{"completion_chat":false}},
                {"id":"l","meta":{"vocab_type":2,"n_ctx":4096,"n_ctx_train":131072}},
                {"id":"t","meta":{"n_ctx_train":8192}},
                {"object":"model"}]}"#,
        )
        .unwrap();
        let [openai, router, hub, mistral, started, trained] = page.models.as_slice() else {
            panic!("{page:?}");
        };
        assert_eq!(openai.created, Some(1_715_367_049));
        assert_eq!(openai.owner.as_deref(), Some("system"));
        assert_eq!(
            (router.context_tokens, router.output_tokens),
            (Some(4096), Some(512))
        );
        assert_eq!(router.title.as_deref(), Some("B"));
        assert_eq!(hub.context_tokens, Some(16));
        assert_eq!(mistral.chat, Some(false));
        assert_eq!(started.context_tokens, Some(4096));
        assert_eq!(trained.context_tokens, Some(8192));
        assert_eq!(page.next, None);
    }

    #[test]
    fn the_bare_array_is_a_list_too() {
        assert_eq!(list(r#"[{"id":"x"}]"#).unwrap().models.len(), 1);
    }

    #[test]
    fn what_is_no_list_is_malformed_or_an_error() {
        assert_eq!(
            list("<html>").unwrap_err().kind,
            crate::ErrorKind::MalformedResponse
        );
        assert_eq!(
            list("{}").unwrap_err().kind,
            crate::ErrorKind::MalformedResponse
        );
        let error = list(r#"{"error":{"message":"no","code":"invalid_api_key"}}"#).unwrap_err();
        assert_eq!(error.kind, crate::ErrorKind::Authentication);
    }
}
