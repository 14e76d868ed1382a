//! OpenAI, and every server that speaks its chat completions: Groq, Mistral,
//! DeepSeek, OpenRouter, vLLM, LM Studio, llama.cpp and others need a base URL
//! and, where they differ, settings.
#![forbid(unsafe_code)]

use multillm_plugin_sdk::openai::{Dialect, Settings, Vendor, capabilities};
use multillm_plugin_sdk::{
    Capabilities, Error, Header, Info, Secret, Setting, Support, Target, export_provider,
};
use serde::Deserialize;

/// The plugin.
pub struct OpenAi;

/// Settings that only OpenAI itself understands.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OwnSettings {
    organization: Option<String>,
    project: Option<String>,
}

impl Vendor for OpenAi {
    fn describe() -> Info {
        let own = [
            ("organization", "The organization that is billed, `org-…`."),
            ("project", "The project that is billed, `proj_…`."),
        ]
        .map(|(name, text)| Setting::new(name, text, r#"{"type":"string"}"#));
        Info {
            name: "openai".to_owned(),
            title: "OpenAI".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://platform.openai.com/docs/api-reference/chat".to_owned(),
            default_base_url: Some("https://api.openai.com/v1".to_owned()),
            base_url_env: vec!["OPENAI_BASE_URL".to_owned()],
            secrets: vec![Secret {
                name: "api_key".to_owned(),
                env: vec!["OPENAI_API_KEY".to_owned()],
                required: true,
            }],
            settings: own.into_iter().chain(Settings::describe()).collect(),
            capabilities: Capabilities {
                // OpenAI withholds its thoughts; compatible servers send theirs.
                reasoning: Support::SomeModels,
                ..capabilities()
            },
        }
    }

    fn dialect(target: &Target) -> Result<Dialect, Error> {
        let own: OwnSettings = target.settings()?;
        let billed = [
            ("openai-organization", own.organization),
            ("openai-project", own.project),
        ];
        let headers = billed
            .into_iter()
            .filter_map(|(name, value)| Some(Header::plain(name, value?)))
            .collect();
        let dialect = Dialect {
            headers,
            ..Dialect::default()
        };
        Ok(dialect.with(target.settings()?))
    }
}

export_provider!(OpenAi, models);
