//! The model's name put into a body that somebody else wrote, every other byte left as it is.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};

/// The body in pieces, with `name` where `path` leads. A body that has no such member gets one; where it has
/// several, each is replaced, as readers differ in which of them counts. An empty path changes nothing.
///
/// # Errors
///
/// `invalid_request`: the body is no JSON object.
pub(in crate::service) fn splice(body: &Bytes, path: &[String], name: &str) -> Result<Vec<Bytes>> {
    if path.is_empty() {
        check(body)?;
        return Ok(vec![body.clone()]);
    }
    let name = serde_json::to_string(name).map_err(|error| refused(&error))?;
    let mut edits = vec![];
    find(body, body, path, &name, &mut edits)?;
    edits.sort_by_key(|edit| edit.place.start);
    let mut pieces = Vec::with_capacity(edits.len() * 2 + 1);
    let mut done = 0;
    for edit in edits {
        pieces.push(body.slice(done..edit.place.start));
        pieces.push(edit.text.into());
        done = edit.place.end;
    }
    pieces.push(body.slice(done..));
    pieces.retain(|piece| !piece.is_empty());
    Ok(pieces)
}

struct Edit {
    place: Range<usize>,
    text: String,
}

/// What has to be changed in an object, which is part of the body.
fn find(
    body: &[u8],
    object: &[u8],
    path: &[String],
    name: &str,
    edits: &mut Vec<Edit>,
) -> Result<()> {
    let Some((key, below)) = path.split_first() else {
        return Ok(());
    };
    let start = offset(body, object);
    let found = members(object, key)?;
    for value in &found.values {
        let text = value.get().as_bytes();
        if below.is_empty() {
            let at = offset(body, text);
            edits.push(Edit {
                place: at..at + text.len(),
                text: name.to_owned(),
            });
        } else {
            find(body, text, below, name, edits)?;
        }
    }
    if found.values.is_empty() {
        let open = memchr::memchr(b'{', object).map_or(start, |open| start + open + 1);
        let comma = if found.is_empty { "" } else { "," };
        let mut text = String::new();
        for key in path {
            let key = serde_json::to_string(key).map_err(|error| refused(&error))?;
            text += &format!("{{{key}:");
        }
        text += name;
        text.extend(std::iter::repeat_n('}', path.len() - 1));
        edits.push(Edit {
            place: open..open,
            text: format!("{}{comma}", text.strip_prefix('{').unwrap_or(&text)),
        });
    }
    Ok(())
}

/// Where a part of the body stands in it.
fn offset(body: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(body.as_ptr() as usize)
}

fn check(body: &[u8]) -> Result<()> {
    members(body, "").map(drop)
}

/// The members of one name, as they were written.
struct Members<'b> {
    values: Vec<&'b RawValue>,
    /// The object has no member at all.
    is_empty: bool,
}

fn members<'b>(object: &'b [u8], key: &str) -> Result<Members<'b>> {
    let text = std::str::from_utf8(object).map_err(|error| refused(&error))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader
        .deserialize_map(Named(key))
        .map_err(|error| refused(&error))?;
    reader.end().map_err(|error| refused(&error))?;
    Ok(members)
}

struct Named<'k>(&'k str);

/// A key, borrowed where it is written without escapes.
#[derive(Deserialize)]
struct Key<'b>(#[serde(borrow)] Cow<'b, str>);

impl<'de> Visitor<'de> for Named<'_> {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Members<'de>, A::Error> {
        let mut members = Members {
            values: vec![],
            is_empty: true,
        };
        while let Some(Key(key)) = map.next_key()? {
            members.is_empty = false;
            if key == self.0 {
                members.values.push(map.next_value()?);
            } else {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(members)
    }
}

fn refused(why: &dyn fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        format!("the body is no JSON object: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(body: &'static str, path: &[&str]) -> String {
        let path: Vec<String> = path.iter().map(|&key| key.to_owned()).collect();
        let pieces = splice(&Bytes::from_static(body.as_bytes()), &path, "vendor/m\"1").unwrap();
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[test]
    fn only_the_name_changes() {
        let told = r#""vendor/m\"1""#;
        for (body, expected) in [
            (
                r#" { "a" : 1.0e5, "model":  "x" , "b":{"model":"y"} }  "#,
                r#" { "a" : 1.0e5, "model":  NAME , "b":{"model":"y"} }  "#,
            ),
            (r#"{"model":null}"#, r#"{"model":NAME}"#),
            (
                r#"{"model":"x","n":1,"model":"y"}"#,
                r#"{"model":NAME,"n":1,"model":NAME}"#,
            ),
            (r#"{"mod\u0065l":"x"}"#, r#"{"mod\u0065l":NAME}"#),
            ("{}", r#"{"model":NAME}"#),
            (r#" {"n":1}"#, r#" {"model":NAME,"n":1}"#),
            ("{ \n}", "{\"model\":NAME \n}"),
        ] {
            assert_eq!(
                spliced(body, &["model"]),
                expected.replace("NAME", told),
                "{body}"
            );
            assert_eq!(spliced(body, &[]), body);
        }
    }

    #[test]
    fn names_stand_where_the_path_leads() {
        let told = r#""vendor/m\"1""#;
        for (body, expected) in [
            (
                r#"{"options":{"model":"x"}}"#,
                r#"{"options":{"model":NAME}}"#,
            ),
            (
                r#"{"options":{"n":1}}"#,
                r#"{"options":{"model":NAME,"n":1}}"#,
            ),
            (r#"{"n":1}"#, r#"{"options":{"model":NAME},"n":1}"#),
            ("{}", r#"{"options":{"model":NAME}}"#),
        ] {
            assert_eq!(
                spliced(body, &["options", "model"]),
                expected.replace("NAME", told),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in [
            "",
            "[]",
            "nothing",
            "{\"a\":1",
            "{\"a\":1} x",
            "{\"options\":3}",
            "\"\u{0}",
        ] {
            let body = Bytes::from_static(body.as_bytes());
            let path = ["options".to_owned(), "model".to_owned()];
            let error = splice(&body, &path, "m").unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidRequest, "{body:?}");
        }
    }
}
