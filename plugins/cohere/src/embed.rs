//! Vectors: `POST /v2/embed`. <https://docs.cohere.com/reference/embed>

use multillm_plugin_sdk::body::{Blobs, json_body_with};
use multillm_plugin_sdk::embed;
use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::{
    EmbedInput, EmbedRequest, Error, Framing, Method, Request, Response, Target, Usage, Vectors,
};

use crate::encode::headers;

/// The most inputs of one request.
pub(crate) const LIMIT: u32 = 96;

/// The types of numbers in which vectors come, the best first.
const TYPES: [&str; 5] = ["float", "int8", "uint8", "binary", "ubinary"];

/// The request for the vectors.
///
/// # Errors
///
/// `unsupported` for what gets no vector, and for a purpose that the vendor does not know.
pub(crate) fn request(target: &Target, request: &EmbedRequest) -> Result<Request, Error> {
    let body = json_body_with(request.extra.as_deref(), |blobs| {
        body(target, request, blobs)
    })?;
    Ok(Request {
        method: Method::Post,
        path: vec!["v2".into(), "embed".into()],
        query: vec![],
        headers: headers(target)?,
        body,
        framing: Framing::Whole,
        warnings: vec![],
    })
}

fn body<'a>(
    target: &'a Target,
    request: &'a EmbedRequest,
    blobs: &mut Blobs,
) -> Result<Json<'a>, Error> {
    let is_text = |input: &EmbedInput| matches!(input, EmbedInput::Text(_));
    let pictures_alone = !request.inputs.iter().any(is_text);
    let mut members = vec![("model".into(), target.model.as_str().into())];
    let mut kind = input_type(request.purpose.as_deref())?;
    if request.inputs.iter().all(is_text) {
        let texts = request.texts("cohere")?.into_iter().map(Json::from);
        members.push(("texts".into(), Json::List(texts.collect())));
    } else if pictures_alone && target.model.contains("v3") {
        // Models before the fourth take pictures apart from texts.
        kind = "image";
        let pictures = request.inputs.iter().map(|input| picture(input, blobs));
        let pictures = pictures.collect::<Result<_, Error>>()?;
        members.push(("images".into(), Json::List(pictures)));
    } else {
        let inputs = request.inputs.iter().map(|input| {
            let content = match input {
                EmbedInput::Text(text) => {
                    Json::object([("type", "text".into()), ("text", text.as_str().into())])
                }
                EmbedInput::Media(_) => Json::object([
                    ("type", "image_url".into()),
                    ("image_url", Json::object([("url", picture(input, blobs)?)])),
                ]),
            };
            Ok(Json::object([("content", Json::List(vec![content]))]))
        });
        let inputs = inputs.collect::<Result<_, Error>>()?;
        members.push(("inputs".into(), Json::List(inputs)));
    }
    members.push(("input_type".into(), kind.into()));
    members.push(("embedding_types".into(), Json::List(vec!["float".into()])));
    if let Some(length) = request.dimensions {
        members.push(("output_dimension".into(), length.into()));
    }
    Ok(Json::Object(members))
}

fn picture<'a>(input: &'a EmbedInput, blobs: &mut Blobs) -> Result<Json<'a>, Error> {
    match input {
        EmbedInput::Text(text) => Ok(text.as_str().into()),
        EmbedInput::Media(media) => {
            let url = crate::encode::picture_url(media, blobs);
            url.map(Json::from)
                .map_err(|_| embed::no_vector("cohere", media))
        }
    }
}

/// What vectors are for, in the vendor's words. It wants to be told, and texts are kept to be found.
fn input_type(purpose: Option<&str>) -> Result<&str, Error> {
    Ok(match purpose {
        None | Some("document") => "search_document",
        Some("query") => "search_query",
        Some("similarity") => {
            return Err(Error::unsupported(
                "cohere makes no vectors for \"similarity\": say query, document, classification or clustering",
            ));
        }
        Some(word) => word,
    })
}

/// Reads the vectors.
///
/// # Errors
///
/// `malformed-response` if there are none, or none in numbers.
pub(crate) fn vectors(target: &Target, response: &Response) -> Result<Vectors, Error> {
    let body = response.body.as_str();
    let Some(all) = member(body, "embeddings").map(|all| all.get()) else {
        return Err(Error::malformed("the answer has no vectors"));
    };
    // A model of before answers with a list where one type is asked for.
    let found = match all.starts_with('[') {
        true => Some(all),
        false => TYPES.iter().find_map(|kind| {
            let list = member(all, kind)?.get();
            (list.starts_with('[') && list != "[]").then_some(list)
        }),
    };
    let found = found.ok_or_else(|| {
        Error::malformed(format!(
            "the answer's vectors are of no type that is read here: ask for one of {}",
            TYPES.join(", ")
        ))
    })?;
    let answer = Json::parse(body).unwrap_or_default();
    let rest = answer.beside(&["embeddings", "texts", "response_type"]);
    Vectors {
        model: crate::decode::model(target),
        vectors: embed::lists(found)?,
        usage: answer.get("meta").map_or(Usage::UNKNOWN, took),
        extra: rest.map(|rest| rest.to_string()),
    }
    .checked()
}

/// What vectors took: tokens as counted, else as billed.
pub(crate) fn took(meta: &Json<'_>) -> Usage {
    let count = |path: [&str; 2]| meta.at(&path).and_then(Json::count);
    let mut usage = Usage {
        prompt_tokens: count(["tokens", "input_tokens"])
            .or_else(|| count(["billed_units", "input_tokens"])),
        ..Usage::UNKNOWN
    };
    let images = count(["billed_units", "images"]);
    usage.count("prompt-images", images.unwrap_or(0));
    usage
}

#[cfg(test)]
mod tests {
    use super::*;
    use multillm_plugin_sdk::testing::{body, response, target};
    use multillm_plugin_sdk::{Blob, ErrorKind, Media};
    use serde_json::json;

    fn asked(inputs: Vec<EmbedInput>) -> EmbedRequest {
        EmbedRequest {
            inputs,
            ..EmbedRequest::default()
        }
    }

    fn text() -> EmbedInput {
        EmbedInput::Text("a".into())
    }

    fn picture() -> EmbedInput {
        EmbedInput::Media(Media::blob(Blob { id: 3, length: 1 }, "image/png"))
    }

    fn sent(model: &str, asked: &EmbedRequest) -> serde_json::Value {
        body(&request(&target(model, "{}"), asked).unwrap())
    }

    #[test]
    fn texts_say_what_they_are_for() {
        let mut texts = asked(vec![text(), EmbedInput::Text("b".into())]);
        assert_eq!(
            sent("embed-v4.0", &texts),
            json!({"model": "embed-v4.0", "texts": ["a", "b"], "input_type": "search_document",
                "embedding_types": ["float"]})
        );
        texts.purpose = Some("query".into());
        texts.dimensions = Some(256);
        texts.extra = Some(r#"{"embedding_types":["int8"],"truncate":"END"}"#.into());
        assert_eq!(
            sent("embed-v4.0", &texts),
            json!({"model": "embed-v4.0", "texts": ["a", "b"], "input_type": "search_query",
                "embedding_types": ["int8"], "output_dimension": 256, "truncate": "END"})
        );
        texts.purpose = Some("similarity".into());
        let error = request(&target("embed-v4.0", "{}"), &texts).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
    }

    #[test]
    fn pictures_stand_beside_texts_or_apart() {
        let url = "data:image/png;base64,<blob 3>";
        assert_eq!(
            sent("embed-v4.0", &asked(vec![text(), picture()])),
            json!({"model": "embed-v4.0", "inputs": [
                    {"content": [{"type": "text", "text": "a"}]},
                    {"content": [{"type": "image_url", "image_url": {"url": url}}]}],
                "input_type": "search_document", "embedding_types": ["float"]})
        );
        assert_eq!(
            sent("embed-english-v3.0", &asked(vec![picture()])),
            json!({"model": "embed-english-v3.0", "images": [url], "input_type": "image",
                "embedding_types": ["float"]})
        );
        let pdf = EmbedInput::Media(Media::blob(Blob { id: 3, length: 1 }, "application/pdf"));
        let error = request(&target("embed-v4.0", "{}"), &asked(vec![pdf])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(
            error.message.contains("application/pdf"),
            "{}",
            error.message
        );
    }

    #[test]
    fn vectors_of_any_type_of_number_are_read() {
        let read = |body: &str| vectors(&target("m", "{}"), &response(200, body));
        let float = read(
            r#"{"id":"e","embeddings":{"float":[[0.5,-1],[2,3]]},"texts":["a","b"],"meta":{"billed_units":{"input_tokens":2.0,"images":1}}}"#,
        )
        .unwrap();
        assert_eq!(float.vectors, [[0.5, -1.0], [2.0, 3.0]]);
        assert_eq!(float.usage.prompt_tokens, Some(2));
        assert_eq!(float.usage.counted("prompt-images"), Some(1));
        assert_eq!(
            float.extra.as_deref(),
            Some(r#"{"id":"e","meta":{"billed_units":{"input_tokens":2.0,"images":1}}}"#)
        );
        let int8 = read(r#"{"embeddings":{"float":[],"int8":[[-21,18]]}}"#).unwrap();
        assert_eq!(
            (int8.vectors, int8.usage),
            (vec![vec![-21.0, 18.0]], Usage::UNKNOWN)
        );
        assert_eq!(read(r#"{"embeddings":[[1]]}"#).unwrap().vectors, [[1.0]]);
        for bad in [
            "{}",
            r#"{"embeddings":{"base64":["AA"]}}"#,
            r#"{"embeddings":{"float":[["x"]]}}"#,
        ] {
            assert_eq!(
                read(bad).unwrap_err().kind,
                ErrorKind::MalformedResponse,
                "{bad}"
            );
        }
    }
}
