//! The settings by which a configuration describes a compatible server.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::dialect::{
    Auth, CallIds, Dialect, DoneMarker, MaxTokensField, ReasoningField, ReasoningHistory,
};
use crate::{Header, Setting};

/// Settings that every plugin of this wire understands. Absent: the plugin's own default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    auth: Option<AuthStyle>,
    auth_header: Option<String>,
    headers: BTreeMap<String, String>,
    max_tokens_field: Option<MaxTokensField>,
    stream_usage: Option<bool>,
    system_role: Option<String>,
    reasoning_model: Option<bool>,
    reasoning_field: Option<ReasoningField>,
    reasoning_history: Option<ReasoningHistory>,
    done_marker: Option<DoneMarker>,
    top_k: Option<bool>,
    flat_content: Option<bool>,
    short_call_ids: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AuthStyle {
    Bearer,
    ApiKey,
    None,
}

const FLAG: &str = r#"{"type":"boolean"}"#;

impl Settings {
    /// What [`Info`](crate::Info) says of them.
    #[must_use]
    pub fn describe() -> Vec<Setting> {
        [
            (
                "auth",
                "Where the key goes: `bearer` is `authorization: Bearer <key>`, `api_key` is the bare key in the header `auth_header`, `none` sends no key (servers of one's own).",
                r#"{"enum":["bearer","api_key","none"]}"#,
            ),
            (
                "auth_header",
                "The header of the bare key with `auth: api_key`. Default `api-key`.",
                r#"{"type":"string"}"#,
            ),
            (
                "headers",
                "Further headers of every request, by name. Not for keys.",
                r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
            ),
            (
                "max_tokens_field",
                "What the server calls the output limit.",
                r#"{"enum":["max_completion_tokens","max_tokens"]}"#,
            ),
            (
                "stream_usage",
                "Ask for usage at the end of a stream (`stream_options`). False for servers that refuse the field.",
                FLAG,
            ),
            (
                "system_role",
                "The role of instructions. Default: `system`, for OpenAI's reasoning models `developer`.",
                r#"{"enum":["system","developer","user"]}"#,
            ),
            (
                "reasoning_model",
                "The model reasons: `temperature`, `top_p`, penalties and `stop` are not sent. Default: by the model's name.",
                FLAG,
            ),
            (
                "reasoning_field",
                "Where thoughts are read from and sent back to; `auto` reads `reasoning_content`, or else `reasoning`, and sends back the first. Default `auto`.",
                r#"{"enum":["auto","reasoning_content","reasoning","none"]}"#,
            ),
            (
                "reasoning_history",
                "Which thoughts of earlier answers are sent back: none (`drop`), those of answers that called tools (`tool_calls`), or all (`keep`). Default `drop`.",
                r#"{"enum":["drop","tool_calls","keep"]}"#,
            ),
            (
                "done_marker",
                "Whether a stream must end with `data: [DONE]`; `optional` also accepts its end after a finish reason.",
                r#"{"enum":["required","optional"]}"#,
            ),
            ("top_k", "The server knows `top_k`.", FLAG),
            (
                "flat_content",
                "Send text content as one string, for servers that refuse lists of parts. Default false.",
                FLAG,
            ),
            (
                "short_call_ids",
                "Send ids of tool calls as nine letters and digits, as Mistral demands. Default false.",
                FLAG,
            ),
        ]
        .map(|(name, description, schema)| Setting::new(name, description, schema))
        .into()
    }

    pub(super) fn apply(self, dialect: &mut Dialect) {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        let auth_header = self.auth_header;
        let auth = self.auth.map(|style| match style {
            AuthStyle::Bearer => Auth::Bearer,
            AuthStyle::ApiKey => Auth::Header("api-key".to_owned()),
            AuthStyle::None => Auth::None,
        });
        set(&mut dialect.auth, auth);
        if let (Auth::Header(name), Some(header)) = (&mut dialect.auth, auth_header) {
            *name = header.to_ascii_lowercase();
        }
        dialect.headers.extend(
            self.headers
                .into_iter()
                .map(|(name, value)| Header::plain(&name.to_ascii_lowercase(), value)),
        );
        set(&mut dialect.max_tokens_field, self.max_tokens_field);
        set(&mut dialect.stream_usage, self.stream_usage);
        set(&mut dialect.reasoning_system_role, self.system_role.clone());
        set(&mut dialect.system_role, self.system_role);
        dialect.reasoning_model = self.reasoning_model.or(dialect.reasoning_model);
        set(&mut dialect.reasoning_field, self.reasoning_field);
        set(&mut dialect.reasoning_history, self.reasoning_history);
        set(&mut dialect.done, self.done_marker);
        set(&mut dialect.top_k, self.top_k);
        set(&mut dialect.flat_content, self.flat_content);
        if self.short_call_ids == Some(true) {
            dialect.call_ids = CallIds::NineAlphanumeric;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(settings: &str) -> Dialect {
        Dialect::default().with(serde_json::from_str(settings).unwrap())
    }

    #[test]
    fn nothing_said_changes_nothing() {
        assert_eq!(
            format!("{:?}", dialect("{}")),
            format!("{:?}", Dialect::default())
        );
    }

    #[test]
    fn a_key_may_go_into_a_header_of_its_own_or_nowhere() {
        let own = dialect(r#"{"auth":"api_key","auth_header":"X-Key"}"#);
        assert_eq!(own.request_headers(), [Header::api_key("x-key", "")]);
        let usual = dialect(r#"{"auth":"api_key"}"#);
        assert_eq!(usual.request_headers(), [Header::api_key("api-key", "")]);
        let none = dialect(r#"{"auth":"none","headers":{"X-Title":"demo"}}"#);
        assert_eq!(none.request_headers(), [Header::plain("x-title", "demo")]);
    }

    #[test]
    fn every_setting_that_is_read_is_described() {
        let all: serde_json::Map<_, _> = Settings::describe()
            .into_iter()
            .map(|setting| {
                let schema: serde_json::Value = serde_json::from_str(&setting.schema).unwrap();
                let value = match schema.get("enum").and_then(|values| values.get(0)) {
                    Some(first) => first.clone(),
                    None => match schema["type"].as_str().unwrap() {
                        "boolean" => true.into(),
                        "string" => "x".into(),
                        _ => serde_json::json!({"a": "b"}),
                    },
                };
                (setting.name, value)
            })
            .collect();
        assert_eq!(all.len(), 13);
        let settings: Settings = serde_json::from_value(serde_json::Value::Object(all)).unwrap();
        assert!(!format!("{settings:?}").contains("None,"), "{settings:?}");
    }
}
