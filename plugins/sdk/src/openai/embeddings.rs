//! Vectors: <https://platform.openai.com/docs/api-reference/embeddings>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::dialect::{Dialect, Place};
use super::encode::Body;
use super::usage::{bill, bill_usage, counts, report};
use super::wire::{beside, object};
use crate::body::json_body;
use crate::error::Report;
use crate::json::Json;
use crate::{
    ChatRequest, EmbedInput, EmbedRequest, Error, Framing, Method, Request, Response, Target,
    Usage, Vectors,
};

/// The most inputs of a request: that of OpenAI.
pub const BATCH: u32 = 2_048;

/// The request for vectors.
///
/// # Errors
///
/// `unsupported` for a server without embeddings, for pictures and for a purpose, of which this wire knows
/// nothing.
pub fn encode_embed(
    dialect: &Dialect,
    target: &Target,
    request: &EmbedRequest,
) -> Result<Request, Error> {
    let name = dialect.name;
    let place = dialect
        .embeddings
        .as_ref()
        .ok_or_else(|| Error::unsupported(format!("{name} has no embeddings here")))?;
    if let Some(purpose) = &request.purpose {
        return Err(Error::unsupported(format!(
            "{name} makes the same vectors for every purpose: leave out {purpose:?}"
        )));
    }
    let texts = texts(name, request)?;
    let mut body = Body(Vec::with_capacity(4));
    if place.model_in_body {
        let model = dialect.model.as_ref().unwrap_or(&target.model);
        body.set("model", Some(model.as_str()));
    }
    let texts = texts.into_iter().map(Json::from).collect();
    body.set("input", Some(Json::List(texts)));
    body.set("dimensions", request.dimensions);
    body.set("encoding_format", Some(dialect.embedding_format));
    described(dialect, place, Json::Object(body.0), request)
}

/// The texts of a request.
///
/// # Errors
///
/// `unsupported`, naming the vendor, if there is anything else.
pub fn texts<'a>(vendor: &str, request: &'a EmbedRequest) -> Result<Vec<&'a str>, Error> {
    let texts = request.inputs.iter().map(|input| match input {
        EmbedInput::Text(text) => Ok(text.as_str()),
        EmbedInput::Media(media) => Err(Error::unsupported(format!(
            "{vendor} makes vectors of texts alone: leave out the {}",
            media.named()
        ))),
    });
    texts.collect()
}

/// A body of this kind on its way, with what the caller adds.
///
/// # Errors
///
/// `invalid-request` if that is no JSON object.
pub fn described(
    dialect: &Dialect,
    place: &Place,
    body: Json<'_>,
    request: &EmbedRequest,
) -> Result<Request, Error> {
    let extended = ChatRequest {
        extra: request.extra.clone(),
        ..ChatRequest::default()
    };
    Ok(Request {
        method: Method::Post,
        path: place.path.segments(),
        query: place.query.clone(),
        headers: dialect.request_headers(),
        body: json_body(&extended, |_| Ok(&body))?,
        framing: Framing::Whole,
        warnings: Vec::new(),
    })
}

/// Reads vectors, in whichever form they come, in the order of the inputs.
///
/// # Errors
///
/// The server's error if the body holds one; `malformed-response` if it holds no vectors.
pub fn decode_embed(dialect: &Dialect, response: &Response) -> Result<Vectors, Error> {
    let answer = Json::parse(&response.body)
        .map_err(|error| Error::malformed(format!("the answer is no JSON: {error}")))?;
    let Some(Json::List(list)) = answer.get("data") else {
        return Err(
            match Report::inside(&answer).or_else(|| Report::of(&answer)) {
                Some(report) => report.into_error(dialect.errors),
                None => Error::malformed("the answer has no vectors"),
            },
        );
    };
    let mut vectors = Vec::with_capacity(list.len());
    for (at, one) in (0..).zip(list) {
        let index = one.get("index").and_then(Json::count).unwrap_or(at);
        let vector = one.get("embedding").and_then(vector);
        let vector = vector.ok_or_else(|| Error::malformed("what should be a vector is none"))?;
        vectors.push((index, vector));
    }
    vectors.sort_by_key(|(index, _)| *index);
    let mut usage = report(&answer).map_or(Usage::UNKNOWN, counts);
    bill(&mut usage, &answer);
    if let Some(report) = report(&answer) {
        bill_usage(&mut usage, report);
    }
    // Nothing comes out of it, and some servers say so.
    usage.completion_tokens = usage.completion_tokens.filter(|count| *count > 0);
    Ok(Vectors {
        model: answer.text("model").map(str::to_owned),
        vectors: vectors.into_iter().map(|(_, vector)| vector).collect(),
        usage,
        extra: object(beside(&answer, &["data", "model", "object", "usage"])),
    })
}

/// A list of numbers, or the base64 of them: four bytes each, the least first.
pub fn vector(value: &Json<'_>) -> Option<Vec<f32>> {
    match value {
        Json::List(list) => list.iter().map(number).collect(),
        Json::Text(text) => {
            let bytes = STANDARD.decode(&**text).ok()?;
            let numbers = bytes.chunks_exact(4);
            let whole = numbers.remainder().is_empty() && !bytes.is_empty();
            let number = |bytes: &[u8]| bytes.try_into().ok().map(f32::from_le_bytes);
            numbers.map(number).collect::<Option<_>>().filter(|_| whole)
        }
        _ => None,
    }
}

fn number(value: &Json<'_>) -> Option<f32> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "vectors are of this precision"
    )]
    value.float().map(|float| float as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::testing::{body, response, target};

    fn asked(inputs: Vec<EmbedInput>) -> EmbedRequest {
        EmbedRequest {
            inputs,
            ..EmbedRequest::default()
        }
    }

    fn text(text: &str) -> EmbedInput {
        EmbedInput::Text(text.to_owned())
    }

    #[test]
    fn texts_are_asked_for_in_one_body() {
        let request = EmbedRequest {
            dimensions: Some(2),
            extra: Some(r#"{"user":"u"}"#.to_owned()),
            ..asked(vec![text("a"), text("b")])
        };
        let made = encode_embed(&Dialect::default(), &target("m", "{}"), &request).unwrap();
        assert_eq!(made.path, ["embeddings"]);
        assert_eq!(
            body(&made),
            serde_json::json!({"model": "m", "input": ["a", "b"], "dimensions": 2, "encoding_format": "base64", "user": "u"})
        );
    }

    #[test]
    fn what_is_no_text_and_a_purpose_are_refused() {
        let media = EmbedInput::Media(crate::Media::url("https://example.org/a.png"));
        let purpose = EmbedRequest {
            purpose: Some("query".to_owned()),
            ..asked(vec![text("a")])
        };
        let none = Dialect {
            embeddings: None,
            ..Dialect::default()
        };
        for (dialect, request) in [
            (Dialect::default(), asked(vec![media])),
            (Dialect::default(), purpose),
            (none, asked(vec![text("a")])),
        ] {
            let error = encode_embed(&dialect, &target("m", "{}"), &request).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported);
        }
    }

    #[test]
    fn vectors_come_as_numbers_or_bytes_and_stand_by_their_index() {
        let read = |body: &str| decode_embed(&Dialect::default(), &response(200, body));
        // 1.0 and -2.5, four bytes each.
        let answer = read(
            r#"{"object":"list","data":[{"index":1,"embedding":"AACAPwAAIMA="},{"index":0,"embedding":[0.5,3]}],
                "model":"m-1","usage":{"prompt_tokens":4,"total_tokens":4},"provider":"p"}"#,
        )
        .unwrap();
        assert_eq!(answer.vectors, [vec![0.5, 3.0], vec![1.0, -2.5]]);
        assert_eq!(answer.model.as_deref(), Some("m-1"));
        assert_eq!(answer.usage.prompt_tokens, Some(4));
        assert_eq!(answer.extra.as_deref(), Some(r#"{"provider":"p"}"#));
        for wrong in [
            r#"{"data":[{"embedding":"AAA="}]}"#,
            r#"{"data":[{"embedding":["x"]}]}"#,
            r#"{"data":[{}]}"#,
            "{}",
            "<html>",
        ] {
            assert_eq!(
                read(wrong).unwrap_err().kind,
                ErrorKind::MalformedResponse,
                "{wrong}"
            );
        }
        let failed = read(r#"{"error":{"message":"no","code":"invalid_api_key"}}"#).unwrap_err();
        assert_eq!(failed.kind, ErrorKind::Authentication);
    }
}
