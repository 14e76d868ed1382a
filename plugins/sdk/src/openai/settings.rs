//! The settings by which a configuration describes a compatible server.

use super::dialect::{
    Auth, CallIds, Dialect, DoneMarker, MaxTokensField, ReasoningField, ReasoningHistory,
};
use crate::json::Json;
use crate::{Error, Setting, Target};

/// A target's settings, to be asked one by one.
pub struct Settings<'a>(Json<'a>);

const FLAG: &str = r#"{"type":"boolean"}"#;

impl<'a> Settings<'a> {
    /// Those of a target.
    ///
    /// # Errors
    ///
    /// `invalid-request` if they are no JSON.
    pub fn of(target: &'a Target) -> Result<Self, Error> {
        match target.settings.trim() {
            "" => Ok(Settings(Json::Null)),
            text => Json::parse(text)
                .map(Settings)
                .map_err(|error| Error::invalid_request(format!("settings: {error}"))),
        }
    }

    /// A text.
    ///
    /// # Errors
    ///
    /// `invalid-request` if it is none.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        self.read(name, Json::str, "a string")
    }

    /// A yes or no.
    ///
    /// # Errors
    ///
    /// `invalid-request` if it is neither.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        self.read(name, Json::bool, "true or false")
    }

    /// What one of several words means.
    ///
    /// # Errors
    ///
    /// `invalid-request` if it is none of them.
    pub fn word<T: Clone>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Error> {
        let Some(found) = self.text(name)? else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == found) {
            Some((_, meaning)) => Ok(Some(meaning.clone())),
            None => Err(Error::invalid_request(format!(
                "setting {name} does not know {found:?}"
            ))),
        }
    }

    fn read<'s, T>(
        &'s self,
        name: &str,
        read: impl Fn(&'s Json<'a>) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => read(value)
                .map(Some)
                .ok_or_else(|| Error::invalid_request(format!("setting {name} must be {what}"))),
        }
    }

    /// What [`Info`](crate::Info) says of the settings that every plugin of this wire understands.
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
                "max_tokens_field",
                "What the server calls the output limit.",
                r#"{"enum":["max_completion_tokens","max_tokens"]}"#,
            ),
            (
                "seed_field",
                "What the server calls the seed, such as Mistral's `random_seed`. Default `seed`.",
                r#"{"type":"string"}"#,
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
                "The model reasons, and takes no `temperature`, `top_p`, penalties and `stop`: they are refused. Default: by the model's name.",
                FLAG,
            ),
            (
                "reasoning_field",
                "Where thoughts are read from and sent back to; `auto` reads `reasoning_content`, or else `reasoning`, and sends back the first. Default `auto`.",
                r#"{"enum":["auto","reasoning_content","reasoning","none"]}"#,
            ),
            (
                "reasoning_history",
                "Which thoughts of earlier answers are sent back: none (`drop`), those of answers that called tools (`tool_calls`), or all (`keep`). Default `auto`: what Kimi and DeepSeek demand, for other models none.",
                r#"{"enum":["auto","drop","tool_calls","keep"]}"#,
            ),
            (
                "done_marker",
                "Whether a stream must end with `data: [DONE]`; `optional` also accepts its end after a finish reason.",
                r#"{"enum":["required","optional"]}"#,
            ),
            (
                "service_tier",
                "The service level that is asked for, such as `flex` or `priority`. Default: the vendor's.",
                r#"{"type":"string"}"#,
            ),
            (
                "prompt_cache_key",
                "Requests that begin alike and bear the same key find the same prompt cache. Default: none.",
                r#"{"type":"string"}"#,
            ),
            (
                "embedding_format",
                "How vectors come: `base64`, or `float` for servers that know nothing else. Default `base64`.",
                r#"{"enum":["base64","float"]}"#,
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

    /// The settings of a plugin whose server speaks the Responses API too. That of the API itself, `api`, each
    /// plugin describes on its own.
    #[must_use]
    pub fn describe_responses() -> Vec<Setting> {
        [
            (
                "store",
                "The Responses API keeps answers, so that `previous_response_id` finds them. Default false: it keeps none, and models that reason give their thoughts encrypted, to be sent back.",
                FLAG,
            ),
            (
                "reasoning_summary",
                "How the Responses API sums up thoughts: `auto`, `concise` or `detailed`, as far as the model and the organization may. Default: no summaries.",
                r#"{"enum":["auto","concise","detailed"]}"#,
            ),
            (
                "prompt",
                "A prompt that the vendor keeps, for the Responses API: its `id`, `version` and `variables`. Default: none.",
                r#"{"type":"object","required":["id"]}"#,
            ),
            (
                "context_management",
                "How the Responses API shortens a long conversation by itself, such as `[{\"type\":\"compaction\",\"compact_threshold\":200000}]`. Default: not at all.",
                r#"{"type":"array","items":{"type":"object"}}"#,
            ),
        ]
        .map(|(name, description, schema)| Setting::new(name, description, schema))
        .into()
    }

    /// Changes a dialect to what the configuration says.
    pub(super) fn apply(&self, dialect: &mut Dialect) -> Result<(), Error> {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        let header = self.text("auth_header")?.unwrap_or("api-key");
        let auth = [
            ("bearer", Auth::Bearer),
            ("api_key", Auth::Header(header.to_ascii_lowercase())),
            ("none", Auth::None),
        ];
        set(&mut dialect.auth, self.word("auth", &auth)?);
        let field = [
            ("max_completion_tokens", MaxTokensField::MaxCompletionTokens),
            ("max_tokens", MaxTokensField::MaxTokens),
        ];
        let field = self.word("max_tokens_field", &field)?;
        set(&mut dialect.max_tokens_field, field);
        let seed = self.text("seed_field")?;
        set(
            &mut dialect.seed_field,
            seed.map(|seed| seed.to_owned().into()),
        );
        set(&mut dialect.stream_usage, self.flag("stream_usage")?);
        if let Some(role) = self.text("system_role")? {
            dialect.system_role = role.to_owned().into();
            dialect.reasoning_system_role = role.to_owned().into();
        }
        dialect.reasoning_model = self.flag("reasoning_model")?.or(dialect.reasoning_model);
        let field = [
            ("auto", ReasoningField::Auto),
            ("reasoning_content", ReasoningField::ReasoningContent),
            ("reasoning", ReasoningField::Reasoning),
            ("none", ReasoningField::None),
        ];
        let field = self.word("reasoning_field", &field)?;
        set(&mut dialect.reasoning_field, field);
        let history = [
            ("auto", ReasoningHistory::Auto),
            ("drop", ReasoningHistory::Drop),
            ("tool_calls", ReasoningHistory::ToolCalls),
            ("keep", ReasoningHistory::Keep),
        ];
        let history = self.word("reasoning_history", &history)?;
        set(&mut dialect.reasoning_history, history);
        let marker = [
            ("required", DoneMarker::Required),
            ("optional", DoneMarker::Optional),
        ];
        set(&mut dialect.done, self.word("done_marker", &marker)?);
        set(&mut dialect.top_k, self.flag("top_k")?);
        set(&mut dialect.store, self.flag("store")?);
        let owned = |text: &str| Some(text.to_owned());
        if let Some(text) = self.text("reasoning_summary")? {
            dialect.reasoning_summary = owned(text);
        }
        let list = |value: &Json<'_>| matches!(value, Json::List(_)).then(|| value.to_string());
        let object = |value: &Json<'_>| matches!(value, Json::Object(_)).then(|| value.to_string());
        let prompt = self.read("prompt", object, "an object")?;
        dialect.prompt = prompt.or(dialect.prompt.take());
        let shortened = self.read("context_management", list, "a list")?;
        dialect.context_management = shortened.or(dialect.context_management.take());
        if let Some(text) = self.text("prompt_cache_key")? {
            dialect.prompt_cache_key = owned(text);
        }
        if let Some(text) = self.text("service_tier")? {
            dialect.service_tier = owned(text);
        }
        let format = [("base64", "base64"), ("float", "float")];
        let format = self.word("embedding_format", &format)?;
        set(&mut dialect.embedding_format, format);
        set(&mut dialect.flat_content, self.flag("flat_content")?);
        if self.flag("short_call_ids")? == Some(true) {
            dialect.call_ids = CallIds::NineAlphanumeric;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    fn dialect(settings: &str) -> Result<Dialect, Error> {
        let target = Target {
            settings: settings.to_owned(),
            ..Target::default()
        };
        Dialect::default().with(&Settings::of(&target)?)
    }

    #[test]
    fn nothing_said_changes_nothing() {
        for nothing in ["", "{}", "null", r#"{"someone_elses":1,"auth":null}"#] {
            let found = format!("{:?}", dialect(nothing).unwrap());
            assert_eq!(found, format!("{:?}", Dialect::default()));
        }
    }

    #[test]
    fn a_key_may_go_into_a_header_of_its_own_or_nowhere() {
        let headers = |settings| dialect(settings).unwrap().request_headers();
        let own = headers(r#"{"auth":"api_key","auth_header":"X-Key"}"#);
        assert_eq!(own, [Header::api_key("x-key", "")]);
        let usual = headers(r#"{"auth":"api_key"}"#);
        assert_eq!(usual, [Header::api_key("api-key", "")]);
        assert_eq!(headers(r#"{"auth":"none"}"#), []);
    }

    /// Every value of every schema is understood, and each changes the dialect in some way.
    #[test]
    fn what_is_described_is_understood() {
        let default = format!("{:?}", Dialect::default());
        for setting in Settings::describe() {
            let schema = Json::parse(&setting.schema).unwrap();
            let values = match schema.get("enum") {
                Some(values) => values.list().to_vec(),
                None if schema.text("type") == Some("boolean") => {
                    vec![Json::Bool(true), Json::Bool(false)]
                }
                None => continue,
            };
            let changes = values.iter().any(|value| {
                let settings = format!("{{{:?}:{value}}}", setting.name);
                format!("{:?}", dialect(&settings).unwrap()) != default
            });
            assert!(changes, "{}", setting.name);
        }
    }

    #[test]
    fn a_setting_that_does_not_fit_is_named() {
        for (settings, name) in [
            (r#"{"auth":"basic"}"#, "auth"),
            (r#"{"top_k":"yes"}"#, "top_k"),
            (r#"{"system_role":1}"#, "system_role"),
        ] {
            let error = dialect(settings).unwrap_err();
            assert!(error.message.contains(name), "{}", error.message);
        }
    }
}
