//! Feature extraction: `{"inputs": […]}` becomes a list of numbers for each input.
//!
//! <https://huggingface.co/docs/inference-providers/tasks/feature-extraction>

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::openai::{Dialect, Path, Place, described, texts, vector};
use multillm_plugin_sdk::{EmbedRequest, Error, Request, Usage, Vectors};

/// The most inputs of a request: what a server of embeddings takes unless it was started otherwise.
pub(super) const BATCH: u32 = 32;

/// The request for vectors.
///
/// # Errors
///
/// `unsupported` for pictures, and for a length or purpose, which the task knows nothing of.
pub(super) fn encode(
    dialect: &Dialect,
    path: Vec<String>,
    request: &EmbedRequest,
) -> Result<Request, Error> {
    let beyond = [
        ("dimensions", request.dimensions.is_some()),
        ("purpose", request.purpose.is_some()),
    ];
    if let Some((name, _)) = beyond.into_iter().find(|(_, asked)| *asked) {
        return Err(Error::unsupported(format!(
            "feature extraction of huggingface knows no {name}: leave it out"
        )));
    }
    let inputs = texts(dialect.name, request)?.into_iter().map(Json::from);
    let body = Json::object([("inputs", Json::List(inputs.collect()))]);
    let place = Place {
        path: Path::Segments(path),
        ..Place::new("")
    };
    described(dialect, &place, body, request)
}

/// Reads lists of numbers; nothing if the body is no list. One input may come without a list around it.
///
/// # Errors
///
/// `malformed-response` for numbers of each token, which are no vector of the text.
pub(super) fn decode(body: &str) -> Result<Option<Vectors>, Error> {
    let Ok(Json::List(list)) = Json::parse(body) else {
        return Ok(None);
    };
    let one = matches!(
        list.first(),
        Some(Json::Unsigned(_) | Json::Signed(_) | Json::Number(_))
    );
    let vectors = match one {
        true => vector(&Json::List(list)).map(|vector| vec![vector]),
        false => list.iter().map(vector).collect(),
    };
    match vectors {
        Some(vectors) => Ok(Some(Vectors {
            vectors,
            usage: Usage::UNKNOWN,
            model: None,
            extra: None,
        })),
        None => Err(Error::malformed(
            "the model gives numbers for each token and no vector of the text: ask one that is made for sentences",
        )),
    }
}

#[cfg(test)]
mod tests {
    use multillm_plugin_sdk::testing::{body, response, target};
    use multillm_plugin_sdk::{Embed, EmbedInput, ErrorKind};

    use crate::HuggingFace;

    use super::*;

    fn asked() -> EmbedRequest {
        EmbedRequest {
            inputs: vec![
                EmbedInput::Text("a".to_owned()),
                EmbedInput::Text("b".to_owned()),
            ],
            ..EmbedRequest::default()
        }
    }

    #[test]
    fn the_setting_chooses_the_task_and_its_path() {
        let by = |settings: &str| {
            HuggingFace::encode_embed(&target("org/model", settings), &asked()).unwrap()
        };
        let usual = by("{}");
        assert_eq!(usual.path, ["embeddings"]);
        assert_eq!(body(&usual)["input"], serde_json::json!(["a", "b"]));
        let task = by(r#"{"embeddings":"feature-extraction"}"#);
        assert_eq!(
            task.path,
            ["models", "org", "model", "pipeline", "feature-extraction"]
        );
        assert_eq!(body(&task), serde_json::json!({"inputs": ["a", "b"]}));
        let long = EmbedRequest {
            dimensions: Some(2),
            ..asked()
        };
        let task = target("org/model", r#"{"embeddings":"feature-extraction"}"#);
        let error = HuggingFace::encode_embed(&task, &long).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
    }

    #[test]
    fn lists_of_numbers_are_vectors_and_those_of_tokens_are_not() {
        let read = |body: &str| HuggingFace::decode_embed(&target("m", "{}"), &response(200, body));
        assert_eq!(read("[0.5,-1]").unwrap().vectors, [[0.5, -1.0]]);
        assert_eq!(read("[[0.5],[2]]").unwrap().vectors, [[0.5], [2.0]]);
        let openai = r#"{"data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":1}}"#;
        assert_eq!(read(openai).unwrap().usage.prompt_tokens, Some(1));
        for wrong in ["[[[0.5]]]", r#"["x"]"#] {
            assert_eq!(read(wrong).unwrap_err().kind, ErrorKind::MalformedResponse);
        }
    }
}
