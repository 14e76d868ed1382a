//! Vectors: `batchEmbedContents` of the Gemini API, `predict` of Vertex AI.
//! <https://ai.google.dev/api/embeddings>,
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>

use multillm_plugin_sdk::body::{Blobs, json_body_with, tail};
use multillm_plugin_sdk::embed;
use multillm_plugin_sdk::json::{Json, items, member};
use multillm_plugin_sdk::{
    EmbedInput, EmbedRequest, Error, Framing, Method, Request, Target, Usage, Vectors,
};

use crate::contents::{NAME, medium};
use crate::settings::{Api, Settings};
use crate::wire::object;

/// The most inputs of one request to the Gemini API.
const GEMINI_LIMIT: u32 = 100;
/// Of one to Vertex AI; `gemini-embedding` takes one at a time there.
const VERTEX_LIMIT: u32 = 250;

/// The most inputs that one request may hold.
pub(crate) fn batch_limit(target: &Target) -> u32 {
    match Settings::of(target).map(|settings| settings.api) {
        Ok(Api::Vertex) if target.model.contains("gemini-embedding") => 1,
        Ok(Api::Vertex) => VERTEX_LIMIT,
        _ => GEMINI_LIMIT,
    }
}

/// The request for the vectors.
///
/// # Errors
///
/// `unsupported` for media that get no vector.
pub(crate) fn request(target: &Target, request: &EmbedRequest) -> Result<Request, Error> {
    let settings = Settings::of(target)?;
    let extra = tail("the request", request.extra.as_deref())?;
    let (method, body) = match settings.api {
        Api::GenerativeLanguage => {
            let body = json_body_with(None, |blobs| {
                let each = request.inputs.iter();
                let each = each
                    .map(|input| one(target, request, &settings, input, extra.as_ref(), blobs))
                    .collect::<Result<_, Error>>()?;
                Ok(Json::object([("requests", Json::List(each))]))
            })?;
            ("batchEmbedContents", body)
        }
        Api::Vertex => {
            let body = json_body_with(request.extra.as_deref(), |_| instances(request))?;
            ("predict", body)
        }
    };
    Ok(Request {
        method: Method::Post,
        path: settings.path(&target.model, method),
        query: vec![],
        headers: vec![settings.key_header()],
        body,
        framing: Framing::Whole,
        warnings: vec![],
    })
}

/// One of a batch. What the caller adds holds for each: there is nothing around them.
fn one<'a>(
    target: &Target,
    request: &'a EmbedRequest,
    settings: &Settings<'_>,
    input: &'a EmbedInput,
    extra: Option<&Json<'a>>,
    blobs: &mut Blobs,
) -> Result<Json<'a>, Error> {
    let part = match input {
        EmbedInput::Text(text) => Json::object([("text", text.as_str().into())]),
        EmbedInput::Media(media) => medium(media, settings, false, blobs)?,
    };
    let content = Json::object([("parts", Json::List(vec![part]))]);
    let mut one = object(vec![
        ("model", Some(Settings::name(&target.model).into())),
        ("content", Some(content)),
        (
            "taskType",
            request.purpose.as_deref().map(task).map(Json::from),
        ),
        ("outputDimensionality", request.dimensions.map(Json::from)),
    ]);
    if let Some(extra) = extra {
        one.merge(extra.clone());
    }
    Ok(one)
}

fn instances(request: &EmbedRequest) -> Result<Json<'_>, Error> {
    let texts = request.texts(NAME)?.into_iter();
    let instances = texts.map(|text| {
        object(vec![
            ("content", Some(text.into())),
            (
                "task_type",
                request.purpose.as_deref().map(task).map(Json::from),
            ),
        ])
    });
    let length = request.dimensions.map(Json::from);
    Ok(object(vec![
        ("instances", Some(Json::List(instances.collect()))),
        (
            "parameters",
            length.map(|length| Json::object([("outputDimensionality", length)])),
        ),
    ]))
}

/// What vectors are for, in the vendor's words.
fn task(purpose: &str) -> &str {
    match purpose {
        "query" => "RETRIEVAL_QUERY",
        "document" => "RETRIEVAL_DOCUMENT",
        "classification" => "CLASSIFICATION",
        "clustering" => "CLUSTERING",
        "similarity" => "SEMANTIC_SIMILARITY",
        own => own,
    }
}

/// Reads the vectors, of whichever of the methods.
///
/// # Errors
///
/// `malformed-response` if there are none, or if they are not of one length.
pub(crate) fn vectors(body: &str) -> Result<Vectors, Error> {
    let mut read = Vectors::default();
    let rest;
    if let Some(predictions) = member(body, "predictions") {
        let mut counts = Vec::new();
        for prediction in items(predictions.get()) {
            let of = member(prediction.get(), "embeddings");
            let of = of.map_or("{}", |of| of.get());
            read.vectors.push(values(of)?);
            let statistics = member(of, "statistics").map_or("{}", |of| of.get());
            let statistics = Json::parse(statistics).unwrap_or_default();
            counts.push(statistics.get("token_count").and_then(Json::count));
        }
        // Where one was not counted the sum is unknown.
        let sum = counts
            .into_iter()
            .try_fold(0_u64, |sum, one| sum.checked_add(one?));
        read.usage.prompt_tokens = sum.filter(|sum| *sum > 0);
        rest = ["metadata"].map(|key| (key, member(body, key)));
    } else {
        if let Some(one) = member(body, "embedding") {
            read.vectors.push(values(one.get())?);
        }
        let all = member(body, "embeddings").map_or_else(Vec::new, |all| items(all.get()));
        for one in all {
            read.vectors.push(values(one.get())?);
        }
        rest = ["usageMetadata"].map(|key| (key, member(body, key)));
        let metadata = member(body, "usageMetadata").map_or("{}", |of| of.get());
        read.usage = usage(&Json::parse(metadata).unwrap_or_default());
    }
    let rest: Vec<String> = rest
        .into_iter()
        .filter_map(|(key, value)| Some(format!("\"{key}\":{}", value?.get())))
        .collect();
    read.extra = (!rest.is_empty()).then(|| format!("{{{}}}", rest.join(",")));
    read.checked()
}

fn values(of: &str) -> Result<Vec<f32>, Error> {
    match member(of, "values") {
        Some(values) => embed::list(values.get()),
        None => Err(Error::malformed("an embedding without values")),
    }
}

/// What vectors took: input alone.
pub(crate) fn usage(metadata: &Json<'_>) -> Usage {
    let mut usage = Usage {
        prompt_tokens: metadata
            .get("promptTokenCount")
            .and_then(Json::count)
            .filter(|count| *count > 0),
        ..Usage::UNKNOWN
    };
    let lists = ["promptTokenDetails", "promptTokensDetails"].map(|key| metadata.get(key));
    for one in lists.into_iter().flatten().flat_map(Json::list) {
        if one.text("modality") == Some("AUDIO") {
            let count = one.get("tokenCount").and_then(Json::count);
            usage.count("prompt-audio-tokens", count.unwrap_or(0));
        }
    }
    usage
}

#[cfg(test)]
mod tests {
    use super::*;
    use multillm_plugin_sdk::testing::{body, target};
    use multillm_plugin_sdk::{Blob, ErrorKind, Media};
    use serde_json::json;

    fn asked() -> EmbedRequest {
        EmbedRequest {
            inputs: vec![EmbedInput::Text("a".into()), EmbedInput::Text("b".into())],
            dimensions: Some(768),
            purpose: Some("query".into()),
            extra: Some(r#"{"autoTruncate":false}"#.into()),
        }
    }

    #[test]
    fn a_batch_says_all_for_each() {
        let request = request(&target("gemini-embedding-001", "{}"), &asked()).unwrap();
        assert_eq!(
            request.path.join("/"),
            "v1beta/models/gemini-embedding-001:batchEmbedContents"
        );
        let one = |text: &str| {
            json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]},
                "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 768, "autoTruncate": false})
        };
        assert_eq!(body(&request), json!({"requests": [one("a"), one("b")]}));
        assert_eq!(batch_limit(&target("gemini-embedding-001", "{}")), 100);
    }

    #[test]
    fn pictures_go_where_texts_go() {
        let picture = Media::blob(Blob { id: 4, length: 1 }, "image/png");
        let asked = EmbedRequest {
            inputs: vec![EmbedInput::Media(picture)],
            ..EmbedRequest::default()
        };
        let request = request(&target("gemini-embedding-2", "{}"), &asked).unwrap();
        assert_eq!(
            body(&request)
                .pointer("/requests/0/content/parts/0")
                .unwrap(),
            &json!({"inlineData": {"mimeType": "image/png", "data": "<blob 4>"}})
        );
        let vertex = target("text-embedding-005", r#"{"api":"vertex"}"#);
        let refused = self::request(&vertex, &asked).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unsupported);
    }

    #[test]
    fn vertex_predicts() {
        let vertex = target("gemini-embedding-001", r#"{"api":"vertex"}"#);
        let request = request(&vertex, &asked()).unwrap();
        assert_eq!(
            request.path.join("/"),
            "publishers/google/models/gemini-embedding-001:predict"
        );
        assert_eq!(
            body(&request),
            json!({"instances": [
                    {"content": "a", "task_type": "RETRIEVAL_QUERY"},
                    {"content": "b", "task_type": "RETRIEVAL_QUERY"}],
                "parameters": {"outputDimensionality": 768}, "autoTruncate": false})
        );
        assert_eq!(batch_limit(&vertex), 1);
        let plain = target("text-embedding-005", r#"{"api":"vertex"}"#);
        assert_eq!(batch_limit(&plain), 250);
    }

    #[test]
    fn every_form_of_answer_is_read() {
        let both = r#"{"embeddings":[{"values":[1,-0.5]},{"values":[0,2]}],"usageMetadata":{"promptTokenCount":4}}"#;
        let read = vectors(both).unwrap();
        assert_eq!(read.vectors, [[1.0, -0.5], [0.0, 2.0]]);
        assert_eq!(read.usage.prompt_tokens, Some(4));
        assert_eq!(
            read.extra.as_deref(),
            Some(r#"{"usageMetadata":{"promptTokenCount":4}}"#)
        );
        let one = vectors(r#"{"embedding":{"values":[3]}}"#).unwrap();
        assert_eq!((one.vectors, one.usage), (vec![vec![3.0]], Usage::UNKNOWN));
        let predicted = r#"{"predictions":[
            {"embeddings":{"values":[1],"statistics":{"token_count":5,"truncated":false}}},
            {"embeddings":{"values":[2],"statistics":{"token_count":7}}}],"metadata":{"billableCharacterCount":9}}"#;
        let read = vectors(predicted).unwrap();
        assert_eq!(read.vectors, [[1.0], [2.0]]);
        assert_eq!(read.usage.prompt_tokens, Some(12));
        for bad in [
            "{}",
            r#"{"embeddings":[]}"#,
            r#"{"embedding":{}}"#,
            r#"{"embeddings":[{"values":[1]},{"values":[1,2]}]}"#,
            r#"{"embeddings":[{"values":["x"]}]}"#,
        ] {
            assert_eq!(
                vectors(bad).unwrap_err().kind,
                ErrorKind::MalformedResponse,
                "{bad}"
            );
        }
    }
}
