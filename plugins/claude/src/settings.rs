//! The settings of a provider or model entry, and the headers that follow from them.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, Header, Setting, Target};

use crate::cache::Keeping;

/// Spoken unless the settings say otherwise: every model answers it.
const DEFAULT_VERSION: &str = "2023-06-01";

/// From this version on no model takes `temperature`, `top_p` or `top_k`
/// (platform.claude.com, "Migrate to API version 2026-10-21").
const VERSION_WITHOUT_SAMPLING: &str = "2026-10-21";

/// What a provider or model entry may set.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The `anthropic-version`. Versions are dates, so they sort.
    version: String,
    betas: Vec<String>,
    /// The key goes where other vendors want it.
    bearer: bool,
    /// Most tokens of an answer where the caller names no limit.
    pub(crate) max_tokens: Option<u32>,
    /// Tokens to think, for models that take a budget.
    pub(crate) thinking_budget: Option<u32>,
    /// What models that choose how much they think show of their thoughts.
    pub(crate) thinking_display: Display,
    /// What is marked for the prompt cache.
    pub(crate) prompt_cache: Keeping,
    /// Programs go on in the container of the answer before.
    pub(crate) keeps_container: bool,
}

/// What is shown of thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Display {
    /// A summary.
    Summarized,
    /// Nothing: a signature alone.
    Omitted,
}

impl Settings {
    /// The target's settings.
    ///
    /// # Errors
    ///
    /// `invalid-request` that names the setting which does not fit.
    pub(crate) fn of(target: &Target) -> Result<Self, Error> {
        let text = target.settings.trim();
        let json = Json::parse(if text.is_empty() { "{}" } else { text })
            .map_err(|error| Error::invalid_request(format!("settings: {error}")))?;
        let auth = read(&json, "auth", Json::str)?;
        let display = read(&json, "thinking_display", Json::str)?;
        let version = read(&json, "api_version", Json::str)?;
        let container = read(&json, "container", Json::str)?;
        let betas = json.get("beta").map(Json::list).unwrap_or_default();
        Ok(Settings {
            version: version
                .filter(|version| !version.is_empty())
                .unwrap_or(DEFAULT_VERSION)
                .to_owned(),
            betas: betas
                .iter()
                .filter_map(Json::str)
                .map(str::to_owned)
                .collect(),
            bearer: one_of("auth", auth, ["x-api-key", "bearer"])?,
            max_tokens: read(&json, "max_tokens", tokens)?,
            thinking_budget: read(&json, "thinking_budget", tokens)?,
            thinking_display: if one_of("thinking_display", display, ["summarized", "omitted"])? {
                Display::Omitted
            } else {
                Display::Summarized
            },
            prompt_cache: match read(&json, "prompt_cache", Json::str)? {
                None | Some("off") => Keeping::Off,
                Some("auto") => Keeping::Auto,
                Some("1h") => Keeping::Hour,
                Some(_) => return Err(unfit("prompt_cache")),
            },
            keeps_container: !one_of("container", container, ["keep", "new"])?,
        })
    }

    /// Whether the API version takes sampling parameters at all.
    pub(crate) fn takes_sampling(&self) -> bool {
        self.version.as_str() < VERSION_WITHOUT_SAMPLING
    }

    /// The headers of every request.
    pub(crate) fn headers(&self) -> Vec<Header> {
        let key = if self.bearer {
            Header::api_key("authorization", "Bearer ")
        } else {
            Header::api_key("x-api-key", "")
        };
        let mut headers = vec![key, Header::plain("anthropic-version", &*self.version)];
        if !self.betas.is_empty() {
            headers.push(Header::plain("anthropic-beta", self.betas.join(",")));
        }
        headers
    }

    /// Asks for these betas too, where the settings do not.
    pub(crate) fn with_betas(mut self, betas: impl IntoIterator<Item = &'static str>) -> Self {
        for beta in betas {
            if !self.betas.iter().any(|known| known == beta) {
                self.betas.push(beta.to_owned());
            }
        }
        self
    }

    /// Asks for the API of files that the vendor keeps, which is a beta.
    pub(crate) fn with_files(mut self) -> Self {
        const FILES: &str = "files-api-2025-04-14";
        if !self.betas.iter().any(|beta| beta.starts_with("files-api")) {
            self.betas.push(FILES.to_owned());
        }
        self
    }
}

impl Display {
    /// The vendor's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Display::Summarized => "summarized",
            Display::Omitted => "omitted",
        }
    }
}

/// A number of tokens.
pub(crate) fn tokens(json: &Json<'_>) -> Option<u32> {
    u32::try_from(json.count()?).ok()
}

fn read<'a, 'b, T>(
    json: &'a Json<'b>,
    name: &str,
    of: impl Fn(&'a Json<'b>) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Some(value) = json.get(name) else {
        return Ok(None);
    };
    of(value).map(Some).ok_or_else(|| unfit(name))
}

/// Whether the second of two words was chosen rather than the first, which is the default.
fn one_of(name: &str, chosen: Option<&str>, [first, second]: [&str; 2]) -> Result<bool, Error> {
    match chosen {
        None => Ok(false),
        Some(word) if word == first => Ok(false),
        Some(word) if word == second => Ok(true),
        Some(_) => Err(unfit(name)),
    }
}

fn unfit(name: &str) -> Error {
    Error::invalid_request(format!("settings: the value of \"{name}\" does not fit"))
}

/// The settings as `describe` lists them.
pub(crate) fn described() -> Vec<Setting> {
    let setting = Setting::new;
    vec![
        setting(
            "api_version",
            "the anthropic-version header, a date; default 2023-06-01. From 2026-10-21 on temperature, top_p and top_k are refused",
            r#"{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}$"}"#,
        ),
        setting(
            "beta",
            "names for the anthropic-beta header; default none",
            r#"{"type":"array","items":{"type":"string","minLength":1}}"#,
        ),
        setting(
            "auth",
            "where the key goes: the header x-api-key (default), or `authorization: Bearer` for gateways that want it there",
            r#"{"enum":["x-api-key","bearer"]}"#,
        ),
        setting(
            "max_tokens",
            "most tokens of an answer, thoughts included, where the request names no limit; default 4096 or 8192 by model, and more where it thinks",
            r#"{"type":"integer","minimum":1}"#,
        ),
        setting(
            "thinking_budget",
            "tokens to think, for models from Claude 3.7 to 4.5; default by the request's reasoning effort",
            r#"{"type":"integer","minimum":1024}"#,
        ),
        setting(
            "thinking_display",
            "what models from Claude 4.6 on show of their thoughts; default summarized",
            r#"{"enum":["summarized","omitted"]}"#,
        ),
        setting(
            "prompt_cache",
            "what the vendor keeps of a conversation for the next question, where the request marks nothing: `auto` (tools, system text and the last two turns, for five minutes), `1h` (the same for an hour) or `off` (default); keeping costs more once, and what is read again less",
            r#"{"enum":["auto","off","1h"]}"#,
        ),
        setting(
            "container",
            "where programs of the code execution go on: `keep` (default), in the container of the answer before, or `new`",
            r#"{"enum":["keep","new"]}"#,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::fixtures::target;
    use multillm_plugin_sdk::Header;

    #[test]
    fn the_defaults_make_two_headers() {
        let settings = Settings::of(&target("claude-sonnet-4-5", "{}")).unwrap();
        assert_eq!(
            settings.headers(),
            [
                Header::api_key("x-api-key", ""),
                Header::plain("anthropic-version", "2023-06-01"),
            ]
        );
        assert!(settings.takes_sampling());
    }

    #[test]
    fn version_betas_and_place_of_the_key_are_settings() {
        let text = r#"{"api_version":"2026-10-21","beta":["a","b"],"auth":"bearer"}"#;
        let settings = Settings::of(&target("claude-sonnet-4-5", text)).unwrap();
        assert_eq!(
            settings.headers(),
            [
                Header::api_key("authorization", "Bearer "),
                Header::plain("anthropic-version", "2026-10-21"),
                Header::plain("anthropic-beta", "a,b"),
            ]
        );
        assert!(!settings.takes_sampling());
    }

    #[test]
    fn a_setting_of_the_wrong_type_is_named() {
        for (name, value) in [
            ("max_tokens", "\"many\""),
            ("thinking_budget", "-1"),
            ("auth", "\"basic\""),
            ("api_version", "2023"),
        ] {
            let text = format!(r#"{{"{name}":{value}}}"#);
            let error = Settings::of(&target("claude", &text)).unwrap_err();
            assert!(error.message.contains(name), "{error:?}");
        }
    }
}
