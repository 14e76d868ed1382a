//! The format of a recorded exchange and of what it expects. Reads, judges nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What was asked of a vendor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// An answer.
    #[default]
    Chat,
    /// An answer, by OpenAI's Responses API.
    Responses,
    /// Vectors of texts.
    Embeddings,
    /// How many tokens a question has.
    Tokens,
}

/// A recorded exchange.
pub(super) struct Case {
    /// The file's name without its extension.
    pub(super) name: String,
    pub(super) vendor: String,
    pub(super) kind: Kind,
    /// The model's name as the vendor knows it; empty where it was not recorded.
    model: String,
    pub(super) url: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// What was asked, as it was written; empty where it was not recorded.
    pub(super) request: String,
    /// The request asked for a stream.
    pub(super) stream: bool,
    pub(super) framing: String,
    pub(super) expect: Expect,
}

/// The file as it is.
#[derive(Deserialize)]
struct Raw {
    vendor: String,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    model: Option<String>,
    url: String,
    #[serde(default)]
    request_body: Option<String>,
    status: u16,
    #[serde(default)]
    response_headers: Vec<(String, String)>,
    response_body: String,
    stream: bool,
    framing: String,
    expect: Expect,
}

/// What a correct adapter reports. A success has a content, a failure an error.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Expect {
    pub(super) content: Option<String>,
    /// Other texts that are right, compared without surrounding white space.
    pub(super) content_alt: Vec<String>,
    pub(super) reasoning: Option<String>,
    /// `false`: the reasoning is not to be compared.
    pub(super) reasoning_checked: Option<bool>,
    /// More than one: how the blocks are joined is open.
    pub(super) reasoning_blocks: u32,
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) finish_reason: Option<String>,
    pub(super) raw_finish_reason: Option<String>,
    pub(super) id: Option<String>,
    pub(super) vendor_model: Option<String>,
    pub(super) usage: Option<Map<String, Value>>,
    pub(super) error: Option<Failure>,
    /// Items of an answer that another than the caller's tools made: type, id and state.
    pub(super) server_tool_calls: Vec<Value>,
    /// What texts rest on.
    pub(super) citations: Vec<Value>,
    /// Pictures that the model made.
    pub(super) images: Vec<Value>,
    /// The service level that answered.
    pub(super) service_tier: Option<String>,
    /// How many vectors came,
    pub(super) vectors: usize,
    /// how long they are,
    pub(super) dimension: usize,
    /// how the first begins,
    pub(super) first: Vec<f64>,
    /// and the last.
    pub(super) last: Vec<f64>,
    /// Tokens of a question.
    pub(super) input_tokens: Option<u64>,
    /// Fields that are not to be compared.
    pub(super) doubt: Vec<Doubt>,
    /// A success with this finish reason is right as well.
    pub(super) or_finish: Option<String>,
    /// A failure of one of these kinds is right as well.
    pub(super) or_error: Option<OneOrMany>,
    /// Run it, but do not count it.
    optional: Value,
}

/// An expected tool call; its arguments stand in one of two forms.
#[derive(Deserialize)]
pub(super) struct ToolCall {
    /// None: the vendor gave none.
    pub(super) id: Option<String>,
    pub(super) name: String,
    /// Parsed.
    #[serde(default)]
    pub(super) arguments: Value,
    /// As received, where they are no JSON.
    #[serde(default)]
    pub(super) arguments_raw: Option<String>,
}

/// An expected failure.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Failure {
    /// Any of these is right.
    pub(super) kinds: Vec<String>,
    pub(super) status: Option<u16>,
    pub(super) retry_after_ms: Option<f64>,
    pub(super) retryable: Option<bool>,
}

/// A field that is not to be compared, with or without the reason.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Doubt {
    Reasoned { field: String },
    Plain(String),
}

/// A word or a list of words.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Case {
    /// Reads a recording.
    ///
    /// # Errors
    ///
    /// The file cannot be read or has another format; the message names it.
    pub(super) fn load(path: &Path) -> Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        fs::read_to_string(path)
            .context("cannot read it")
            .and_then(|text| Case::parse(&name, &text))
            .with_context(|| format!("recording {}", path.display()))
    }

    pub(super) fn parse(name: &str, text: &str) -> Result<Self> {
        let raw: Raw = serde_json::from_str(text).context("unknown format")?;
        Ok(Case {
            name: name.to_owned(),
            vendor: raw.vendor,
            kind: raw.kind,
            model: raw.model.unwrap_or_default(),
            url: raw.url,
            status: raw.status,
            headers: raw.response_headers,
            body: STANDARD
                .decode(&raw.response_body)
                .context("response_body is no base64")?,
            request: raw.request_body.unwrap_or_default(),
            stream: raw.stream,
            framing: raw.framing,
            expect: raw.expect,
        })
    }

    /// The plugin that serves the vendor.
    pub(super) fn plugin(&self) -> &str {
        match self.vendor.as_str() {
            "anthropic" => "claude",
            "google" => "gemini",
            other => other,
        }
    }

    /// The model's name as it is asked for.
    pub(super) fn model_name(&self) -> &str {
        let reported = self.expect.vendor_model.as_deref();
        match self.model.as_str() {
            "" => reported.unwrap_or("recorded-model"),
            model => model,
        }
    }

    /// What the recorded URL says about the provider's settings.
    pub(super) fn settings(&self) -> Value {
        let mut settings = Map::new();
        if self.kind == Kind::Responses {
            settings.insert("api".to_owned(), json!("responses"));
        }
        if self.vendor == "azure" {
            let (path, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
            let mut segments = path
                .split('/')
                .skip_while(|segment| *segment != "deployments");
            if let Some(deployment) = segments.nth(1) {
                settings.insert("deployment".to_owned(), json!(deployment));
            }
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let is_dated = |value: &str| value.starts_with(|first: char| first.is_ascii_digit());
            if let Some((_, version)) =
                pairs.find(|(key, value)| *key == "api-version" && is_dated(value))
            {
                settings.insert("api_version".to_owned(), json!(version));
            }
        }
        Value::Object(settings)
    }

    /// Whether the recording is run without being counted.
    pub(super) fn is_optional(&self) -> bool {
        !matches!(self.expect.optional, Value::Null | Value::Bool(false))
    }
}

impl Expect {
    /// Whether a field, or the whole that it is a part of (`usage` of
    /// `usage.total_tokens`), is not to be compared.
    pub(super) fn doubts(&self, field: &str) -> bool {
        self.doubt.iter().any(|doubt| {
            let (Doubt::Reasoned { field: named } | Doubt::Plain(named)) = doubt;
            let part = field.strip_prefix(named.as_str());
            part.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

impl OneOrMany {
    /// Whether it names the word.
    pub(super) fn has(&self, word: &str) -> bool {
        match self {
            OneOrMany::One(only) => only == word,
            OneOrMany::Many(all) => all.iter().any(|one| one == word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(vendor: &str, url: &str, expect: &Value) -> Case {
        let text = json!({
            "vendor": vendor, "model": "", "url": url, "status": 200, "response_headers": [["a", "b"]],
            "response_body": "aGk=", "stream": true, "framing": "sse", "expect": expect,
        });
        Case::parse("one", &text.to_string()).expect("a case")
    }

    #[test]
    fn azure_settings_come_from_the_recorded_url() {
        let dated = "https://r.openai.azure.com/openai/deployments/d1/chat/completions?api-version=2024-02-01";
        let settings = case("azure", dated, &json!({})).settings();
        assert_eq!(
            settings,
            json!({"deployment": "d1", "api_version": "2024-02-01"})
        );
        let current = "https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview";
        assert_eq!(case("azure", current, &json!({})).settings(), json!({}));
        assert_eq!(case("openai", dated, &json!({})).settings(), json!({}));
    }

    #[test]
    fn a_missing_model_name_is_taken_from_the_reply() {
        let named = case(
            "ollama",
            "http://x/api/chat",
            &json!({"vendor_model": "m:1b"}),
        );
        assert_eq!(named.model_name(), "m:1b");
        assert_eq!(
            case("ollama", "http://x", &json!({})).model_name(),
            "recorded-model"
        );
    }

    #[test]
    fn a_doubted_whole_covers_its_parts() {
        let expect = case(
            "openai",
            "u",
            &json!({"doubt": [{"field": "usage", "reason": "?"}, "status"]}),
        )
        .expect;
        assert!(expect.doubts("usage.total_tokens"));
        assert!(expect.doubts("usage") && expect.doubts("status"));
        assert!(!expect.doubts("usage_x") && !expect.doubts("id"));
    }

    #[test]
    fn optional_is_a_reason_or_a_flag() {
        assert!(case("openai", "u", &json!({"optional": "because"})).is_optional());
        assert!(!case("openai", "u", &json!({"optional": false})).is_optional());
        assert!(!case("openai", "u", &json!({})).is_optional());
    }
}
