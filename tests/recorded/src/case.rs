//! A recorded exchange. Reads, judges nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use multillm_plugin_sdk::{Operation, Response};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A recorded exchange.
pub(crate) struct Case {
    /// The file's name without its extension.
    pub(crate) name: String,
    pub(crate) vendor: String,
    /// `chat`, `responses`, `embeddings` or `tokens`.
    pub(crate) kind: String,
    /// As the vendor knows it; empty where it was not recorded.
    pub(crate) model: String,
    pub(crate) method: String,
    /// Segments, decoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// What was asked, if it is JSON.
    pub(crate) body: Option<Box<RawValue>>,
    pub(crate) response: Response,
    /// The request asked for a stream.
    pub(crate) stream: bool,
    pub(crate) framing: String,
    pub(crate) expect: Value,
    /// It is no fair test: a reply that no correct client gets, or no real traffic.
    pub(crate) optional: bool,
}

#[derive(Deserialize)]
struct Raw {
    vendor: String,
    #[serde(default = "chat")]
    kind: String,
    #[serde(default)]
    model: Option<String>,
    url: String,
    method: String,
    #[serde(default)]
    request_headers: Vec<(String, String)>,
    #[serde(default)]
    request_body: Option<String>,
    status: u16,
    #[serde(default)]
    response_headers: Vec<(String, String)>,
    response_body: String,
    #[serde(default)]
    stream: bool,
    framing: String,
    expect: Value,
    #[serde(default)]
    optional: Option<Value>,
}

fn chat() -> String {
    "chat".to_owned()
}

impl Case {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        fs::read_to_string(path)
            .context("cannot read it")
            .and_then(|text| Self::parse(&name, &text))
            .with_context(|| format!("recording {}", path.display()))
    }

    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let raw: Raw = serde_json::from_str(text).context("unknown format")?;
        let body = STANDARD
            .decode(&raw.response_body)
            .context("response_body is no base64")?;
        let (path, query) = place(&raw.url);
        let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
        Ok(Case {
            name: name.to_owned(),
            vendor: raw.vendor,
            kind: raw.kind,
            model: raw.model.unwrap_or_default(),
            method: raw.method,
            path,
            query,
            headers: raw.request_headers.into_iter().map(lower).collect(),
            body: serde_json::from_str(&raw.request_body.unwrap_or_default()).ok(),
            response: Response {
                status: raw.status,
                headers: raw.response_headers.into_iter().map(lower).collect(),
                body: String::from_utf8_lossy(&body).into_owned(),
            },
            stream: raw.stream,
            framing: raw.framing,
            expect: raw.expect,
            optional: raw.optional.is_some(),
        })
    }

    /// The plugin that serves the vendor.
    pub(crate) fn plugin(&self) -> &str {
        match self.vendor.as_str() {
            "anthropic" => "claude",
            "google" => "gemini",
            other => other,
        }
    }

    /// What the body asked for.
    pub(crate) fn operation(&self) -> Operation {
        match self.kind.as_str() {
            "embeddings" => Operation::Embeddings,
            "tokens" => Operation::CountTokens,
            _ => Operation::Chat,
        }
    }

    /// A header of the request.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }

    /// Whether this part of what is expected is not to be compared.
    pub(crate) fn doubts(&self, field: &str) -> bool {
        let doubts = self.expect.get("doubt").and_then(Value::as_array);
        doubts.into_iter().flatten().any(|doubt| {
            let named = doubt
                .as_str()
                .or_else(|| doubt.get("field").and_then(Value::as_str));
            named == Some(field)
        })
    }
}

/// Path segments and query pairs of a URL.
fn place(url: &str) -> (Vec<String>, Vec<(String, String)>) {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let (_, after) = after.split_once('/').unwrap_or((after, ""));
    let (path, query) = after.split_once('?').unwrap_or((after, ""));
    let path = path.split('/').filter(|segment| !segment.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    (
        path.map(decoded).collect(),
        query
            .split('&')
            .filter(|text| !text.is_empty())
            .map(pair)
            .collect(),
    )
}

/// A text without percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_segments_and_pairs() {
        let (path, query) = place("https://h.example/v1/models/a%2Fb:x?alt=sse&beta=true");
        assert_eq!(path, ["v1", "models", "a/b:x"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(query, [pair("alt", "sse"), pair("beta", "true")]);
        assert_eq!(place("http://h").0, Vec::<String>::new());
        assert_eq!(decoded("50%"), "50%");
    }
}
