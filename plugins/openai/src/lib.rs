//! OpenAI, and every server that speaks its chat completions: Groq, Mistral,
//! DeepSeek, OpenRouter, vLLM, LM Studio, llama.cpp and others need a base URL
//! and, where they differ, settings.
#![forbid(unsafe_code)]

use multillm_plugin_sdk::openai::{APIS, Api, Dialect, OWN, Place, Settings, Vendor, capabilities};
use multillm_plugin_sdk::{Error, Header, Info, Secret, Setting, Target, export_provider, words};

/// The plugin.
pub struct OpenAi;

/// Who pays: the setting, the header it goes into, and what it is.
const BILLED: [(&str, &str, &str); 2] = [
    (
        "organization",
        "openai-organization",
        "The organization that is billed, `org-…`.",
    ),
    (
        "project",
        "openai-project",
        "The project that is billed, `proj_…`.",
    ),
];

impl Vendor for OpenAi {
    fn info() -> Info {
        let own = BILLED.map(|(name, _, text)| Setting::new(name, text, r#"{"type":"string"}"#));
        let api = Setting::new(
            "api",
            "Which API a question goes to: `responses`, `chat` (completions), or `auto`: Responses at OpenAI's own address and for models that only it has, unless the question holds what only chat can say; chat at any other address. Default `auto`.",
            r#"{"enum":["auto","chat","responses"]}"#,
        );
        Info {
            name: "openai".to_owned(),
            title: "OpenAI".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://platform.openai.com/docs/api-reference/chat".to_owned(),
            default_base_url: Some("https://api.openai.com/v1".to_owned()),
            base_url_env: vec!["OPENAI_BASE_URL".to_owned()],
            secrets: vec![Secret::api_key(&["OPENAI_API_KEY"])],
            settings: own
                .into_iter()
                .chain([api])
                .chain(Settings::describe_responses())
                .chain(Settings::describe())
                .collect(),
            capabilities: capabilities(&[OWN]),
            wires: words(&["openai-chat", "openai-responses"]),
            passes: words(&["openai-beta", "x-client-request-id"]),
        }
    }

    fn dialect(target: &Target) -> Result<Dialect, Error> {
        let settings = Settings::of(target)?;
        let mut dialect = Dialect {
            responses: Some(Place::new("responses")),
            api: settings.word("api", &APIS)?.unwrap_or(Api::Auto),
            ..Dialect::default()
        };
        for (name, header, _) in BILLED {
            if let Some(value) = settings.text(name)? {
                dialect.headers.push(Header::plain(header, value));
            }
        }
        dialect.with(&settings)
    }
}

export_provider!(OpenAi, models, embeddings, tokens, relay);

#[cfg(test)]
mod tests;
