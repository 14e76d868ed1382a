//! Request bodies and headers.
//!
//! A picture's bytes stay with the host. Where its base64 belongs the adapter
//! writes a placeholder into the JSON; [`json_body`] cuts the text there, and the
//! host puts the bytes in.
//!
//! Open tails (`extra`) are merged last into what is made of the thing that bears them: [`Open`] does
//! it to anything that can be written as JSON, [`extended`] to a tree.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::Json;
use crate::{Blob, BodyPart, ChatRequest, Error, Header, HeaderValue, SecretRef};

/// How often a placeholder that occurs in the text itself is renamed.
const MAX_SALTS: u32 = 64;

/// Hands out placeholders while a body is built.
pub struct Blobs {
    salt: u32,
    placed: usize,
}

impl Blobs {
    /// Text that stands for the blob's base64, to be put inside a JSON string.
    pub fn base64(&mut self, blob: &Blob) -> String {
        self.placed += 1;
        format!("{}{}@", self.marker(), blob.id)
    }

    fn marker(&self) -> String {
        format!("@multillm-blob-{}-", self.salt)
    }

    /// Cuts at the placeholders. Nothing if the marker also occurs elsewhere in the text.
    fn split(&self, text: String) -> Option<Vec<BodyPart>> {
        if self.placed == 0 {
            return Some(vec![BodyPart::Text(text)]);
        }
        let marker = self.marker();
        let mut pieces = text.split(marker.as_str());
        let mut parts = vec![BodyPart::Text(pieces.next()?.to_owned())];
        for piece in pieces {
            let (id, rest) = piece.split_once('@')?;
            parts.push(BodyPart::BlobBase64(id.parse().ok()?));
            parts.push(BodyPart::Text(rest.to_owned()));
        }
        (parts.len() == 2 * self.placed + 1).then_some(parts)
    }
}

/// Builds a JSON body: what `build` returns, with the request's `extra` merged in last.
///
/// `build` may be called again, when a placeholder happens to occur in the caller's own text.
///
/// # Errors
///
/// Those of `build`; `invalid-request` if `extra` is no JSON object.
pub fn json_body<T: Serialize>(
    request: &ChatRequest,
    build: impl FnMut(&mut Blobs) -> Result<T, Error>,
) -> Result<Vec<BodyPart>, Error> {
    json_body_with(request.extra.as_deref(), build)
}

/// The same with any request's `extra`.
///
/// # Errors
///
/// As those of [`json_body`].
pub fn json_body_with<T: Serialize>(
    extra: Option<&str>,
    mut build: impl FnMut(&mut Blobs) -> Result<T, Error>,
) -> Result<Vec<BodyPart>, Error> {
    let extra = tail("the request", extra)?;
    for salt in 0..MAX_SALTS {
        let mut blobs = Blobs { salt, placed: 0 };
        let mut text = serde_json::to_string(&build(&mut blobs)?).map_err(no_json)?;
        if let Some(extra) = &extra {
            let mut body = Json::parse(&text).map_err(no_json)?;
            body.merge(extra.clone());
            text = body.to_string();
        }
        if let Some(parts) = blobs.split(text) {
            return Ok(parts);
        }
    }
    Err(Error::invalid_request(
        "the text holds every placeholder of a picture",
    ))
}

fn no_json(error: serde_json::Error) -> Error {
    Error::invalid_request(format!("the body is no JSON: {error}"))
}

/// The open tail of a thing; nothing if it has none. `what` names the thing for a person.
///
/// # Errors
///
/// `invalid-request` if it is no JSON object.
pub fn tail<'a>(what: &str, extra: Option<&'a str>) -> Result<Option<Json<'a>>, Error> {
    match extra.map_or("", str::trim) {
        "" | "{}" => Ok(None),
        text => match Json::parse(text) {
            Ok(tail @ Json::Object(_)) => Ok(Some(tail)),
            Ok(_) => Err(Error::invalid_request(format!(
                "extra parameters of {what} are no JSON object"
            ))),
            Err(error) => Err(Error::invalid_request(format!(
                "extra parameters of {what} are no JSON: {error}"
            ))),
        },
    }
}

/// A tree with the open tail of the thing that it was made of.
///
/// # Errors
///
/// `invalid-request` if the tail is no JSON object.
pub fn extended<'a>(
    mut tree: Json<'a>,
    what: &str,
    extra: Option<&'a str>,
) -> Result<Json<'a>, Error> {
    if let Some(tail) = tail(what, extra)? {
        tree.merge(tail);
    }
    Ok(tree)
}

/// Anything that is written as JSON, with the open tail of the thing that it was made of. Where there
/// is none it is written as if it stood alone.
#[derive(Debug)]
pub struct Open<'a, T> {
    /// What was made.
    pub thing: T,
    tail: Option<Json<'a>>,
}

impl<'a, T> Open<'a, T> {
    /// The thing, with its tail.
    ///
    /// # Errors
    ///
    /// `invalid-request` if the tail is no JSON object.
    pub fn new(thing: T, what: &str, extra: Option<&'a str>) -> Result<Self, Error> {
        let tail = tail(what, extra)?;
        Ok(Open { thing, tail })
    }

    /// The thing, with several tails of which the later ones win.
    pub fn with(thing: T, tails: impl IntoIterator<Item = Json<'a>>) -> Self {
        let mut tails = tails.into_iter();
        let tail = tails.next().map(|first| {
            tails.fold(first, |mut all, next| {
                all.merge(next);
                all
            })
        });
        Open { thing, tail }
    }

    /// Whether there is a tail.
    pub fn has_tail(&self) -> bool {
        self.tail.is_some()
    }
}

impl<T> From<T> for Open<'_, T> {
    fn from(thing: T) -> Self {
        Open { thing, tail: None }
    }
}

impl<T: Serialize> Serialize for Open<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(tail) = &self.tail else {
            return self.thing.serialize(serializer);
        };
        let text = serde_json::to_string(&self.thing).map_err(serde::ser::Error::custom)?;
        let mut tree = Json::parse(&text).map_err(serde::ser::Error::custom)?;
        tree.merge(tail.clone());
        tree.serialize(serializer)
    }
}

/// A JSON object of the caller's (a schema, for example), kept byte for byte.
///
/// # Errors
///
/// `invalid-request` that says `what` is no JSON object.
pub fn raw_object<'a>(what: &str, text: &'a str) -> Result<&'a RawValue, Error> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) if value.get().starts_with('{') => Ok(value),
        Ok(_) => Err(Error::invalid_request(format!("{what} is no JSON object"))),
        Err(error) => Err(Error::invalid_request(format!(
            "{what} is no JSON: {error}"
        ))),
    }
}

impl Header {
    /// A header with a value of the adapter's own.
    #[must_use]
    pub fn plain(name: &str, value: impl Into<String>) -> Self {
        Header {
            name: name.to_owned(),
            value: HeaderValue::Plain(value.into()),
        }
    }

    /// A header that the host completes with the secret `api_key`.
    #[must_use]
    pub fn api_key(name: &str, prefix: &str) -> Self {
        Self::secret(name, prefix, "api_key", false)
    }

    /// A header that the host completes with any secret that `describe` lists.
    #[must_use]
    pub fn secret(name: &str, prefix: &str, secret: &str, optional: bool) -> Self {
        Header {
            name: name.to_owned(),
            value: HeaderValue::Secret(SecretRef {
                name: secret.to_owned(),
                prefix: prefix.to_owned(),
                optional,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ask;

    fn request(extra: &str) -> ChatRequest {
        ChatRequest {
            extra: Some(extra.to_owned()),
            ..ask(vec![])
        }
    }

    fn blob(id: u32) -> Blob {
        Blob { id, length: 3 }
    }

    #[test]
    fn a_body_is_cut_where_the_pictures_belong() {
        let parts = json_body(&request(""), |blobs| {
            Ok(serde_json::json!([
                blobs.base64(&blob(7)),
                "x",
                blobs.base64(&blob(0))
            ]))
        })
        .unwrap();
        assert_eq!(
            parts,
            [
                BodyPart::Text("[\"".into()),
                BodyPart::BlobBase64(7),
                BodyPart::Text("\",\"x\",\"".into()),
                BodyPart::BlobBase64(0),
                BodyPart::Text("\"]".into()),
            ]
        );
    }

    #[test]
    fn text_that_looks_like_a_placeholder_stays_text() {
        let text = "@multillm-blob-0-7@ and @multillm-blob-1-";
        let parts = json_body(&request(""), |blobs| {
            Ok(serde_json::json!([text, blobs.base64(&blob(7))]))
        })
        .unwrap();
        assert_eq!(
            parts,
            [
                BodyPart::Text(format!("[\"{text}\",\"")),
                BodyPart::BlobBase64(7),
                BodyPart::Text("\"]".into()),
            ]
        );
    }

    #[test]
    fn extra_is_merged_last_and_key_by_key() {
        let parts = json_body(&request(r#"{"a":{"y":3},"b":null}"#), |_| {
            Ok(serde_json::json!({"a": {"x": 1, "y": 2}, "b": 5}))
        })
        .unwrap();
        assert_eq!(
            parts,
            [BodyPart::Text(r#"{"a":{"x":1,"y":3},"b":null}"#.into())]
        );
    }

    #[test]
    fn extra_must_be_an_object() {
        let error = json_body(&request("[1]"), |_| Ok(serde_json::json!({}))).unwrap_err();
        assert!(error.message.contains("extra parameters"), "{error:?}");
    }

    #[test]
    fn a_tail_is_merged_last_and_keeps_its_order_and_its_digits() {
        let thing = serde_json::json!({"b": {"x": 1}, "text": "t"});
        let tail = r#"{"z":1.50,"b":{"y":[1e300,2.0]},"a":null}"#;
        let open = Open::new(&thing, "a part", Some(tail)).unwrap();
        assert!(open.has_tail());
        assert_eq!(
            serde_json::to_string(&open).unwrap(),
            r#"{"b":{"x":1,"y":[1e300,2.0]},"text":"t","z":1.50,"a":null}"#
        );
        for none in [None, Some(""), Some(" {} ")] {
            let open = Open::new(&thing, "a part", none).unwrap();
            assert!(!open.has_tail());
            assert_eq!(serde_json::to_string(&open).unwrap(), thing.to_string());
        }
        let error = Open::new(&thing, "the tool \"look\"", Some("[1]")).unwrap_err();
        assert!(error.message.contains("look"), "{}", error.message);
        let two = [r#"{"a":1,"b":2}"#, r#"{"b":3}"#].map(|text| Json::parse(text).unwrap());
        let open = Open::with(Json::object([]), two);
        assert_eq!(serde_json::to_string(&open).unwrap(), r#"{"a":1,"b":3}"#);
        let replaced = extended("text".into(), "a part", Some(r#"{"c":1}"#)).unwrap();
        assert_eq!(replaced.to_string(), r#"{"c":1}"#);
    }

    #[test]
    fn a_schema_keeps_its_own_order_and_must_be_an_object() {
        let text = r#" {"b":1,"a":[2]} "#;
        let kept = raw_object("the schema", text).unwrap();
        assert_eq!(kept.get(), r#"{"b":1,"a":[2]}"#);
        for bad in ["[1]", "{", ""] {
            let error = raw_object("the schema", bad).unwrap_err();
            assert!(
                error.message.starts_with("the schema is no JSON"),
                "{error:?}"
            );
        }
    }
}
