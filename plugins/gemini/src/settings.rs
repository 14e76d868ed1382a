//! What may be set for this provider, and where its calls go because of it.
//!
//! Which settings exist at all is checked by the host against [`described`].

use std::borrow::Cow;

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, Header, Setting, Target};

/// The settings of a provider or model.
#[derive(Default)]
pub(crate) struct Settings<'a> {
    pub(crate) api: Api,
    pub(crate) api_version: Option<String>,
    pub(crate) auth: Option<Auth>,
    pub(crate) schema: SchemaStyle,
    pub(crate) safety_settings: Option<Json<'a>>,
    pub(crate) thinking: Option<ThinkingControl>,
    pub(crate) thinking_budget: Option<i64>,
    pub(crate) thinking_level: Option<String>,
    pub(crate) include_thoughts: Option<bool>,
    pub(crate) cached_content: Option<String>,
}

/// Which of Google's services is asked.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    #[default]
    GenerativeLanguage,
    Vertex,
}

/// How the key is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    ApiKey,
    Bearer,
}

/// Which fields carry schemas.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaStyle {
    /// JSON Schema, in `parametersJsonSchema` and `responseJsonSchema`.
    #[default]
    Json,
    /// The OpenAPI subset, in `parameters` and `responseSchema`.
    OpenApi,
}

/// How a model's thinking is controlled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ThinkingControl {
    /// By `thinkingBudget`, in tokens (Gemini 2.5).
    Budget,
    /// By `thinkingLevel` (Gemini 3 and later).
    Level,
    /// Not at all.
    None,
}

/// One of the words that a setting takes; nothing if it is not set.
fn choice<T: Copy>(
    settings: &Json<'_>,
    name: &str,
    words: &[(&str, T)],
) -> Result<Option<T>, Error> {
    let Some(value) = settings.get(name) else {
        return Ok(None);
    };
    let known = words.iter().find(|(word, _)| value.str() == Some(word));
    known.map(|(_, meaning)| Some(*meaning)).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Error::invalid_request(format!(
            "setting {name} cannot be {value}: use {}",
            words.join(" or ")
        ))
    })
}

impl<'a> Settings<'a> {
    /// The settings of this target.
    ///
    /// # Errors
    ///
    /// `invalid-request` for settings that are no JSON and for words that are not known.
    pub(crate) fn of(target: &'a Target) -> Result<Self, Error> {
        Self::read(&target.settings)
    }

    fn read(text: &'a str) -> Result<Self, Error> {
        let settings = match text.trim() {
            "" => Json::Null,
            text => Json::parse(text)
                .map_err(|error| Error::invalid_request(format!("settings: {error}")))?,
        };
        let text = |name| settings.get(name).and_then(Json::str).map(str::to_owned);
        let number = |value: &Json<'_>| match value {
            Json::Signed(number) => Some(*number),
            value => value.count()?.try_into().ok(),
        };
        let apis = [
            ("generativelanguage", Api::GenerativeLanguage),
            ("vertex", Api::Vertex),
        ];
        let auths = [("api_key", Auth::ApiKey), ("bearer", Auth::Bearer)];
        let schemas = [
            ("json", SchemaStyle::Json),
            ("openapi", SchemaStyle::OpenApi),
        ];
        let controls = [
            ("budget", ThinkingControl::Budget),
            ("level", ThinkingControl::Level),
            ("none", ThinkingControl::None),
        ];
        Ok(Settings {
            api: choice(&settings, "api", &apis)?.unwrap_or_default(),
            api_version: text("api_version"),
            auth: choice(&settings, "auth", &auths)?,
            schema: choice(&settings, "schema", &schemas)?.unwrap_or_default(),
            safety_settings: settings.get("safety_settings").cloned(),
            thinking: choice(&settings, "thinking", &controls)?,
            thinking_budget: settings.get("thinking_budget").and_then(number),
            thinking_level: text("thinking_level"),
            include_thoughts: settings.get("include_thoughts").and_then(Json::bool),
            cached_content: text("cached_content").filter(|name| !name.is_empty()),
        })
    }

    /// The header that carries the key.
    pub(crate) fn key_header(&self) -> Header {
        let auth = self.auth.unwrap_or(match self.api {
            Api::GenerativeLanguage => Auth::ApiKey,
            Api::Vertex => Auth::Bearer,
        });
        match auth {
            Auth::ApiKey => Header::api_key("x-goog-api-key", ""),
            Auth::Bearer => Header::api_key("authorization", "Bearer "),
        }
    }

    /// The segment that names the version of the API: none on Vertex AI, whose
    /// base URL holds it, unless it is set.
    pub(crate) fn version(&self) -> Option<String> {
        match (&self.api_version, self.api) {
            (Some(version), _) => Some(version.clone()).filter(|text| !text.is_empty()),
            (None, Api::GenerativeLanguage) => Some("v1beta".to_owned()),
            (None, Api::Vertex) => None,
        }
    }

    /// A model's name with its collection, such as `models/gemini-2.5-flash`.
    pub(crate) fn name(model: &str) -> String {
        let model = model.trim_matches('/');
        match model.contains('/') {
            true => model.to_owned(),
            false => format!("models/{model}"),
        }
    }

    /// The path that calls a method of a model, such as
    /// `v1beta/models/gemini-2.5-flash:generateContent`.
    ///
    /// A model may be named with its collection (`models/…`, `tunedModels/…`,
    /// `publishers/meta/models/…`) or without.
    pub(crate) fn path(&self, model: &str, method: &str) -> Vec<String> {
        let model = model.trim_matches('/');
        let model = model.strip_prefix("models/").unwrap_or(model);
        let mut path: Vec<String> = self.version().into_iter().collect();
        if !model.contains('/') {
            let collection: &[&str] = match self.api {
                Api::GenerativeLanguage => &["models"],
                Api::Vertex => &["publishers", "google", "models"],
            };
            path.extend(collection.iter().map(|&segment| segment.to_owned()));
        }
        path.extend(model.split('/').map(str::to_owned));
        if let Some(last) = path.last_mut() {
            last.push(':');
            last.push_str(method);
        }
        path
    }
}

/// Where files are that the vendor keeps, by the version of the API.
pub(crate) struct Files(pub(crate) Option<String>);

impl Files {
    /// The address by which a file is named: an id such as `files/abc` stands below the vendor's own
    /// host (<https://ai.google.dev/api/files>), an address stays as it is.
    pub(crate) fn uri<'a>(&self, id: &'a str) -> Cow<'a, str> {
        if id.contains("://") {
            return Cow::Borrowed(id);
        }
        let name = id.strip_prefix("files/").unwrap_or(id);
        let version = self.0.as_deref().unwrap_or("v1beta");
        Cow::Owned(format!(
            "https://generativelanguage.googleapis.com/{version}/files/{name}"
        ))
    }
}

/// The settings, as `describe` lists them.
pub(crate) fn described() -> Vec<Setting> {
    vec![
        Setting::new(
            "api",
            "the service that is asked: `generativelanguage` (the Gemini API), or `vertex`, whose \
             base URL then ends with `/v1/projects/{project}/locations/{location}`; default \
             generativelanguage",
            r#"{"enum":["generativelanguage","vertex"]}"#,
        ),
        Setting::new(
            "api_version",
            "the version in the path; empty if the base URL already ends with it; default v1beta, \
             and empty for vertex",
            r#"{"type":"string"}"#,
        ),
        Setting::new(
            "auth",
            "how the key is sent: `api_key` (x-goog-api-key) or `bearer` (an OAuth access token); \
             default api_key, and bearer for vertex",
            r#"{"enum":["api_key","bearer"]}"#,
        ),
        Setting::new(
            "schema",
            "what tools and structured answers are described with: `json` (JSON Schema) or \
             `openapi` (the OpenAPI subset of older models and proxies); default json",
            r#"{"enum":["json","openapi"]}"#,
        ),
        Setting::new(
            "safety_settings",
            "the vendor's safetySettings, or one threshold for the four adjustable categories, \
             such as BLOCK_ONLY_HIGH",
            r#"{"oneOf":[{"type":"string"},{"type":"array","items":{"type":"object","required":["category","threshold"]}}]}"#,
        ),
        Setting::new(
            "thinking",
            "how the model's thinking is controlled, where its name does not tell: `budget` \
             (Gemini 2.5), `level` (Gemini 3 and later) or `none`",
            r#"{"enum":["budget","level","none"]}"#,
        ),
        Setting::new(
            "thinking_budget",
            "tokens to think with when the request names no effort: 0 is none, -1 leaves it to \
             the model",
            r#"{"type":"integer","minimum":-1}"#,
        ),
        Setting::new(
            "thinking_level",
            "level to think at when the request names no effort, such as LOW or HIGH",
            r#"{"type":"string","minLength":1}"#,
        ),
        Setting::new(
            "include_thoughts",
            "return summaries of the thoughts; default true when the request names an effort, \
             else false",
            r#"{"type":"boolean"}"#,
        ),
        Setting::new(
            "cached_content",
            "a beginning of the conversation that the vendor keeps, such as `cachedContents/abc`: it \
             stands before what is asked, and brings its own instructions and tools",
            r#"{"type":"string","minLength":1}"#,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(settings: &str, model: &str) -> String {
        let settings = Settings::read(settings).unwrap();
        settings.path(model, "generateContent").join(" ")
    }

    #[test]
    fn a_model_is_found_with_and_without_its_collection() {
        let flash = "v1beta models gemini-2.5-flash:generateContent";
        assert_eq!(path("{}", "gemini-2.5-flash"), flash);
        assert_eq!(path("{}", "models/gemini-2.5-flash"), flash);
        assert_eq!(
            path("{}", "tunedModels/mine"),
            "v1beta tunedModels mine:generateContent"
        );
    }

    #[test]
    fn vertex_names_the_publisher_and_leaves_the_version_to_the_base_url() {
        let vertex = r#"{"api":"vertex"}"#;
        assert_eq!(
            path(vertex, "gemini-3-pro"),
            "publishers google models gemini-3-pro:generateContent"
        );
        assert_eq!(path(vertex, "endpoints/7"), "endpoints 7:generateContent");
    }

    #[test]
    fn an_empty_version_leaves_no_segment() {
        assert_eq!(
            path(r#"{"api_version":""}"#, "m"),
            "models m:generateContent"
        );
        assert_eq!(
            path(r#"{"api_version":"v1alpha"}"#, "m"),
            "v1alpha models m:generateContent"
        );
    }

    #[test]
    fn vertex_sends_a_bearer_token_unless_told_otherwise() {
        let header = |text: &str| Settings::read(text).unwrap().key_header().name;
        assert_eq!(header("{}"), "x-goog-api-key");
        assert_eq!(header(r#"{"api":"vertex"}"#), "authorization");
        assert_eq!(
            header(r#"{"api":"vertex","auth":"api_key"}"#),
            "x-goog-api-key"
        );
        assert_eq!(header(r#"{"auth":"bearer"}"#), "authorization");
    }

    #[test]
    fn a_word_that_is_not_known_is_refused_with_those_that_are() {
        let error = Settings::read(r#"{"auth":"basic"}"#)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(
            error.message,
            r#"setting auth cannot be "basic": use api_key or bearer"#
        );
        assert!(Settings::read("{").is_err());
        assert!(Settings::read(r#"{"auth":null}"#).is_ok());
    }
}
