//! How one server differs from another: data only.

use std::borrow::Cow;

use super::choice::Api;
use super::settings::Settings;
use crate::error::Sign;
use crate::{Effort, Error, Header};

/// A dialect of the OpenAI chat wire. The default is OpenAI's own.
#[derive(Clone, Debug)]
pub struct Dialect {
    /// What messages to a person call the server.
    pub name: &'static str,
    /// Where chat is.
    pub chat_path: Path,
    /// Where the list of models is.
    pub models_path: Path,
    /// Where bodies of the Responses API go; nothing if the server does not speak it.
    pub responses: Option<Place>,
    /// Which of its two APIs the server is asked by.
    pub api: Api,
    /// The Responses API keeps answers. By default it does not, and gives its thoughts encrypted.
    pub store: bool,
    /// How the Responses API is asked to sum up thoughts, such as `auto`. Nothing: not at all.
    pub reasoning_summary: Option<String>,
    /// A prompt that the vendor keeps, for the Responses API: a JSON object.
    pub prompt: Option<String>,
    /// How the Responses API shortens a long conversation by itself: a JSON list.
    pub context_management: Option<String>,
    /// Requests that begin alike and bear the same key find the same prompt cache.
    pub prompt_cache_key: Option<String>,
    /// The service level that is asked for, such as `flex`.
    pub service_tier: Option<String>,
    /// How vectors come, `base64` or `float`.
    pub embedding_format: &'static str,
    /// Where bodies for embeddings go; nothing if the server has none.
    pub embeddings: Option<Place>,
    /// Query pairs of every request.
    pub query: Vec<(String, String)>,
    /// Headers of every request, beside the key's.
    pub headers: Vec<Header>,
    /// Where the key goes.
    pub auth: Auth,
    /// The body names the model. Otherwise the path does.
    pub model_in_body: bool,
    /// What the body names instead of the target's model.
    pub model: Option<String>,
    /// What the output limit is called.
    pub max_tokens_field: MaxTokensField,
    /// What the seed is called.
    pub seed_field: Cow<'static, str>,
    /// A stream is asked to report usage (`stream_options.include_usage`).
    pub stream_usage: bool,
    /// The role of instructions.
    pub system_role: Cow<'static, str>,
    /// The role of instructions for models that reason.
    pub reasoning_system_role: Cow<'static, str>,
    /// Models that reason, and refuse `temperature`, `top_p`, penalties and `stop`: what
    /// their names begin with, where `#` is any digit and `!` says that these do not. The first
    /// that fits counts.
    pub reasoning_models: &'static [&'static str],
    /// Overrules `reasoning_models`.
    pub reasoning_model: Option<bool>,
    /// The word for the greatest reasoning effort by what the model's name begins
    /// with. The first that fits counts; `max` if none does.
    pub max_effort: &'static [(&'static str, &'static str)],
    /// The server knows `top_k`.
    pub top_k: bool,
    /// The server knows what OpenAI added to chat beside text, pictures and functions: recordings,
    /// documents, tools that take free text, and a choice among some of the tools.
    pub additions: bool,
    /// Text content must be one string, never a list of parts.
    pub flat_content: bool,
    /// Which ids of tool calls the server accepts.
    pub call_ids: CallIds,
    /// Where thoughts are read from.
    pub reasoning_field: ReasoningField,
    /// Which thoughts are sent back.
    pub reasoning_history: ReasoningHistory,
    /// What ends a stream.
    pub done: DoneMarker,
    /// The vendor's own error signs; they go before those that all share.
    pub errors: &'static [Sign],
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect {
            name: "openai",
            chat_path: Path::Fixed("chat/completions"),
            models_path: Path::Fixed("models"),
            responses: None,
            api: Api::Auto,
            store: false,
            reasoning_summary: None,
            prompt: None,
            context_management: None,
            prompt_cache_key: None,
            service_tier: None,
            embedding_format: "base64",
            embeddings: Some(Place::new("embeddings")),
            query: Vec::new(),
            headers: Vec::new(),
            auth: Auth::Bearer,
            model_in_body: true,
            model: None,
            max_tokens_field: MaxTokensField::MaxCompletionTokens,
            seed_field: "seed".into(),
            stream_usage: true,
            system_role: "system".into(),
            reasoning_system_role: "developer".into(),
            reasoning_models: &["o#", "!gpt-5-chat", "gpt-5"],
            reasoning_model: None,
            max_effort: &[
                ("gpt-5.1-codex-max", "xhigh"),
                ("gpt-5.1", "high"),
                ("gpt-5.", "xhigh"),
                ("gpt-5", "high"),
                ("gpt-oss", "high"),
                ("gpt-", "max"),
                ("", "high"),
            ],
            top_k: false,
            additions: true,
            flat_content: false,
            call_ids: CallIds::UpTo(40),
            reasoning_field: ReasoningField::Auto,
            reasoning_history: ReasoningHistory::Auto,
            done: DoneMarker::Required,
            errors: &[],
        }
    }
}

/// A path after the base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// One without variable parts, with slashes between its segments.
    Fixed(&'static str),
    /// Its segments.
    Segments(Vec<String>),
}

impl Path {
    /// Its segments.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        match self {
            Path::Fixed(path) => segments(path),
            Path::Segments(segments) => segments.clone(),
        }
    }
}

/// Where bodies go that are no chat of this wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its path.
    pub path: Path,
    /// Query pairs.
    pub query: Vec<(String, String)>,
    /// The body names the model. Otherwise the path does.
    pub model_in_body: bool,
}

impl Place {
    /// A place at this path, without a query, for bodies that name the model.
    #[must_use]
    pub fn new(path: &'static str) -> Self {
        Place {
            path: Path::Fixed(path),
            query: Vec::new(),
            model_in_body: true,
        }
    }
}

/// Where the key goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer <key>`.
    Bearer,
    /// The bare key in a header of this name.
    Header(String),
    /// No key.
    None,
}

/// What the output limit is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxTokensField {
    /// OpenAI's present name; thoughts count.
    MaxCompletionTokens,
    /// The former name, which most compatible servers know alone.
    MaxTokens,
}

/// Where thoughts are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasoningField {
    /// `reasoning_content`, or else `reasoning`.
    Auto,
    /// `reasoning_content` only.
    ReasoningContent,
    /// `reasoning` only.
    Reasoning,
    /// Nowhere.
    None,
}

/// Which thoughts of earlier answers are sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasoningHistory {
    /// What the model demands, as far as its name tells; none by rule.
    Auto,
    /// None.
    Drop,
    /// Those of answers that called tools.
    ToolCalls,
    /// All.
    Keep,
}

/// What ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoneMarker {
    /// `data: [DONE]`; a stream without it was cut.
    Required,
    /// `data: [DONE]`, or the end of the body after a finish reason.
    Optional,
}

/// Which ids of tool calls a server accepts. Others are replaced, always by the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallIds {
    /// At most so many bytes.
    UpTo(usize),
    /// Exactly nine letters or digits.
    NineAlphanumeric,
}

impl Dialect {
    /// The dialect with what the configuration says of it.
    ///
    /// # Errors
    ///
    /// `invalid-request` for a setting that does not fit.
    pub fn with(mut self, settings: &Settings<'_>) -> Result<Self, Error> {
        settings.apply(&mut self)?;
        Ok(self)
    }

    /// Whether the model reasons, as far as its name or the configuration tells.
    #[must_use]
    pub fn reasons(&self, model: &str) -> bool {
        self.reasoning_model.unwrap_or_else(|| {
            let model = base_name(model);
            let family = self
                .reasoning_models
                .iter()
                .find(|family| begins_with(model, family.strip_prefix('!').unwrap_or(family)));
            family.is_some_and(|family| !family.starts_with('!'))
        })
    }

    /// Which thoughts of earlier answers are sent back to this model.
    ///
    /// DeepSeek (from V3.2) and Kimi refuse a turn that called tools without its thoughts, Kimi
    /// K3 any turn: <https://api-docs.deepseek.com/guides/thinking_mode>,
    /// <https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model>.
    pub(super) fn history(&self, model: &str) -> ReasoningHistory {
        const DEMANDED: [(&str, ReasoningHistory); 3] = [
            ("kimi-k3", ReasoningHistory::Keep),
            ("kimi", ReasoningHistory::ToolCalls),
            ("deepseek", ReasoningHistory::ToolCalls),
        ];
        if self.reasoning_history != ReasoningHistory::Auto {
            return self.reasoning_history;
        }
        let model = base_name(model);
        let demanded = DEMANDED
            .iter()
            .find(|(family, _)| begins_with(model, family));
        demanded.map_or(ReasoningHistory::Drop, |(_, history)| *history)
    }

    /// The server's word for an effort.
    pub(super) fn effort<'a>(&self, model: &str, effort: Effort<'a>) -> &'a str {
        match effort {
            Effort::None => "none",
            Effort::Minimal => "minimal",
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Max => self.greatest_effort(model),
            Effort::Other(word) => word,
        }
    }

    /// The word for the greatest reasoning effort.
    pub(super) fn greatest_effort(&self, model: &str) -> &'static str {
        let model = base_name(model);
        self.max_effort
            .iter()
            .find(|(family, _)| begins_with(model, family))
            .map_or("max", |(_, word)| word)
    }

    /// Every header of a request.
    #[must_use]
    pub fn request_headers(&self) -> Vec<Header> {
        let key = match &self.auth {
            Auth::Bearer => Some(Header::api_key("authorization", "Bearer ")),
            Auth::Header(name) => Some(Header::api_key(name, "")),
            Auth::None => None,
        };
        key.into_iter().chain(self.headers.clone()).collect()
    }
}

/// Path segments of a path without variable parts.
#[must_use]
pub fn segments(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

/// The model's own name: `openai/gpt-5` is `gpt-5`, `ft:gpt-4o:org::id` is `gpt-4o:org::id`.
fn base_name(model: &str) -> &str {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.strip_prefix("ft:").unwrap_or(name)
}

/// Whether a name begins with a pattern in which `#` is any digit; case does not count.
fn begins_with(name: &str, pattern: &str) -> bool {
    let mut name = name.chars();
    pattern.chars().all(|expected| match name.next() {
        Some(found) if expected == '#' => found.is_ascii_digit(),
        Some(found) => found.eq_ignore_ascii_case(&expected),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_known_by_their_names() {
        let dialect = Dialect::default();
        for model in [
            "o1",
            "o3-mini",
            "gpt-5",
            "GPT-5.2",
            "openai/gpt-5-nano",
            "ft:o4-mini:x",
        ] {
            assert!(dialect.reasons(model), "{model}");
        }
        for model in [
            "gpt-4o",
            "gpt-oss-20b",
            "omni",
            "chatgpt-4o-latest",
            "llama-o3",
            "gpt-5-chat-latest",
            "",
        ] {
            assert!(!dialect.reasons(model), "{model}");
        }
    }

    #[test]
    fn the_configuration_overrules_the_name() {
        let dialect = Dialect {
            reasoning_model: Some(true),
            ..Dialect::default()
        };
        assert!(dialect.reasons("my-deployment"));
    }

    #[test]
    fn the_greatest_effort_depends_on_the_family() {
        let dialect = Dialect::default();
        for (model, word) in [
            ("gpt-5-mini", "high"),
            ("gpt-5.1-codex-max", "xhigh"),
            ("gpt-5.1", "high"),
            ("gpt-5.2", "xhigh"),
            ("gpt-6", "max"),
            ("o3", "high"),
            ("openai/gpt-oss-120b", "high"),
            ("deepseek-reasoner", "high"),
        ] {
            assert_eq!(dialect.greatest_effort(model), word, "{model}");
        }
    }
}
