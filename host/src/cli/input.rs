//! What commands read: prompts, pictures, schemas, tools, parameters.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Failure;
use crate::chat::{ImagePart, JsonSchema, ResponseFormat, Tool};

/// The largest picture that is read, in bytes.
const MAX_IMAGE: u64 = 32 << 20;

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

/// The prompt from the argument, standard input, or both: what is piped in stands before the question.
pub(super) fn prompt(argument: Option<&str>) -> Result<String, Failure> {
    let piped = match (argument, std::io::stdin().is_terminal()) {
        (Some("-") | None, true) => {
            return Err(usage(
                "no prompt: give one as an argument or on standard input",
            ));
        }
        (_, true) => String::new(),
        (_, false) => read_stdin()?,
    };
    let argument = argument.filter(|argument| *argument != "-").unwrap_or("");
    let prompt = match (piped.trim().is_empty(), argument.trim().is_empty()) {
        (true, true) => {
            return Err(usage(
                "the prompt is empty: give one as an argument or on standard input",
            ));
        }
        (true, false) => argument.to_owned(),
        (false, true) => piped,
        (false, false) => format!("{}\n\n{argument}", piped.trim_end()),
    };
    Ok(prompt)
}

fn read_stdin() -> Result<String, Failure> {
    let mut bytes = vec![];
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| usage(format!("cannot read standard input: {error}")))?;
    String::from_utf8(bytes).map_err(|_| {
        usage("standard input is no UTF-8 text: convert it, or use --image for a picture")
    })
}

/// A picture from a file or a URL.
pub(super) fn image(place: &str) -> Result<ImagePart, Failure> {
    if place.starts_with("http://") || place.starts_with("https://") {
        return Ok(ImagePart::url(place));
    }
    let length = std::fs::metadata(place)
        .map_err(|error| usage(format!("cannot read the picture {place}: {error}")))?
        .len();
    if length > MAX_IMAGE {
        return Err(usage(format!(
            "the picture {place} has {length} bytes, more than {MAX_IMAGE}: scale it down"
        )));
    }
    let data = std::fs::read(place)
        .map_err(|error| usage(format!("cannot read the picture {place}: {error}")))?;
    ImagePart::bytes(data).ok_or_else(|| {
        usage(format!(
            "{place} is no picture: PNG, JPEG, GIF, WebP, BMP, HEIC and AVIF are known"
        ))
    })
}

/// A JSON file.
pub(super) fn json_file<T: DeserializeOwned>(what: &str, path: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| usage(format!("cannot read {what} {}: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| usage(format!("{}: {what}: {error}", path.display())))
}

/// The form of the answer that a schema file asks for.
pub(super) fn schema(path: &Path) -> Result<ResponseFormat, Failure> {
    let schema: Value = json_file("the schema", path)?;
    if !schema.is_object() {
        return Err(usage(format!(
            "{}: a schema is a JSON object",
            path.display()
        )));
    }
    let name: String = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        .take(64)
        .collect();
    Ok(ResponseFormat::JsonSchema(JsonSchema {
        name: if name.is_empty() {
            "answer".into()
        } else {
            name
        },
        description: None,
        schema,
        strict: None,
    }))
}

/// Tools from a file: a list of tools in the unified form or in OpenAI's.
pub(super) fn tools(path: &Path) -> Result<Vec<Tool>, Failure> {
    let list: Vec<Value> = json_file("the tools", path)?;
    list.into_iter()
        .map(|tool| {
            let tool = match tool.get("function") {
                Some(function) => function.clone(),
                None => tool,
            };
            serde_json::from_value(tool)
                .map_err(|error| usage(format!("{}: the tools: {error}", path.display())))
        })
        .collect()
}

/// Parameters given as `KEY=JSON`; what is no JSON is a string. A key may be a path: `a.b=1`.
pub(super) fn parameters(given: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut result = Map::new();
    for parameter in given {
        let (key, value) = parameter
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| usage(format!("--param {parameter:?} is not of the form KEY=JSON")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        insert(&mut result, key, value);
    }
    Ok(result)
}

fn insert(into: &mut Map<String, Value>, key: &str, value: Value) {
    match key.split_once('.') {
        Some((first, rest)) => {
            let inner = into
                .entry(first)
                .or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
        None => {
            into.insert(key.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_json_or_text_and_keys_are_paths() {
        let made = parameters(&[
            "a.b=1".into(),
            "a.c=[true]".into(),
            "name=plain text".into(),
            "x=\"1\"".into(),
        ])
        .unwrap();
        assert_eq!(
            Value::Object(made),
            serde_json::json!({"a": {"b": 1, "c": [true]}, "name": "plain text", "x": "1"})
        );
        assert!(matches!(
            parameters(&["novalue".into()]),
            Err(Failure::Usage(_))
        ));
    }
}
