//! Vectors: `POST /api/embed`. <https://docs.ollama.com/api/embed>

use multillm_plugin_sdk::body::json_body_with;
use multillm_plugin_sdk::embed;
use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::{
    EmbedRequest, Error, Framing, Method, Request, Response, Target, Usage, Vectors,
};

use crate::decode::chunk;
use crate::{decode, encode, headers};

/// The most inputs of one request: Ollama has no limit, and computes them all before it answers.
pub(crate) const LIMIT: u32 = 256;

/// The request for the vectors.
///
/// # Errors
///
/// `unsupported` for anything but texts, and for a purpose.
pub(crate) fn request(target: &Target, request: &EmbedRequest) -> Result<Request, Error> {
    if let Some(purpose) = &request.purpose {
        return Err(Error::unsupported(format!(
            "ollama does not know what vectors are for: leave {purpose:?} out, or put into the texts what the model wants there"
        )));
    }
    let settings = encode::of_vectors(target)?;
    let body = json_body_with(request.extra.as_deref(), |_| {
        let texts = request.texts("ollama")?.into_iter().map(Json::from);
        let mut body = Json::object([
            ("model", target.model.as_str().into()),
            ("input", Json::List(texts.collect())),
        ]);
        if let Some(length) = request.dimensions {
            body.merge(Json::object([("dimensions", length.into())]));
        }
        body.merge(settings.clone());
        Ok(body)
    })?;
    Ok(Request {
        method: Method::Post,
        path: vec!["api".into(), "embed".into()],
        query: vec![],
        headers: headers(false),
        body,
        framing: Framing::Whole,
        warnings: vec![],
    })
}

/// Reads the vectors, also those of the former `/api/embeddings`, which made one.
///
/// # Errors
///
/// `malformed-response` if there are none.
pub(crate) fn vectors(response: &Response) -> Result<Vectors, Error> {
    let body = response.body.as_str();
    let chunk = chunk(body)?;
    let (all, one) = (member(body, "embeddings"), member(body, "embedding"));
    let vectors = match (all, one) {
        (Some(all), _) => embed::lists(all.get())?,
        (None, Some(one)) => vec![embed::list(one.get())?],
        (None, None) => return Err(Error::malformed("the answer has no vectors")),
    };
    let answer = Json::parse(body).unwrap_or_default();
    let rest = answer.beside(&["model", "embeddings", "embedding", "prompt_eval_count"]);
    Vectors {
        usage: Usage {
            prompt_tokens: decode::usage(&chunk, true).prompt_tokens,
            ..Usage::UNKNOWN
        },
        model: chunk.model.map(Into::into),
        vectors,
        extra: rest.map(|rest| rest.to_string()),
    }
    .checked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::target;
    use multillm_plugin_sdk::testing::{body, response};
    use multillm_plugin_sdk::{Blob, EmbedInput, ErrorKind, Media};
    use serde_json::json;

    #[test]
    fn texts_go_with_the_settings_that_hold_for_them() {
        let mut asked = EmbedRequest {
            inputs: vec![EmbedInput::Text("a".into()), EmbedInput::Text("b".into())],
            dimensions: Some(64),
            ..EmbedRequest::default()
        };
        let settings = r#"{"keep_alive":"5m","truncate":false,"num_ctx":99,"think":true}"#;
        let request = request(&target(settings), &asked).unwrap();
        assert_eq!(request.path.join("/"), "api/embed");
        assert_eq!(
            body(&request),
            json!({"model": "qwen3:4b", "input": ["a", "b"], "dimensions": 64, "truncate": false,
                "keep_alive": "5m", "options": {"num_ctx": 99}})
        );
        asked.purpose = Some("query".into());
        let error = self::request(&target("{}"), &asked).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        asked.purpose = None;
        let picture = Media::blob(Blob { id: 1, length: 1 }, "image/png");
        asked.inputs.push(EmbedInput::Media(picture));
        let error = self::request(&target("{}"), &asked).unwrap_err();
        assert!(error.message.contains("image/png"), "{}", error.message);
    }

    #[test]
    fn vectors_of_both_forms_are_read() {
        let read = |body: &str| vectors(&response(200, body));
        let now = read(
            r#"{"model":"e","embeddings":[[0.5],[-1]],"total_duration":7,"prompt_eval_count":4}"#,
        )
        .unwrap();
        assert_eq!(now.vectors, [[0.5], [-1.0]]);
        assert_eq!(
            (now.usage.prompt_tokens, now.model.as_deref()),
            (Some(4), Some("e"))
        );
        assert_eq!(now.extra.as_deref(), Some(r#"{"total_duration":7}"#));
        let former = read(r#"{"embedding":[1,2]}"#).unwrap();
        assert_eq!(
            (former.vectors, former.usage),
            (vec![vec![1.0, 2.0]], Usage::UNKNOWN)
        );
        for bad in ["{}", r#"{"embeddings":[]}"#, "<html>"] {
            assert_eq!(
                read(bad).unwrap_err().kind,
                ErrorKind::MalformedResponse,
                "{bad}"
            );
        }
        let failed = read(r#"{"error":"this model does not support embeddings"}"#);
        assert_eq!(failed.unwrap_err().kind, ErrorKind::Unsupported);
    }
}
