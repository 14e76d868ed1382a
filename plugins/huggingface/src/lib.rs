//! Hugging Face: the router before many providers (`org/model`, `org/model:provider`),
//! and by base URL any text-generation server of one's own that speaks OpenAI's wire.
//!
//! Many engines answer, so much is tolerated here: a stream without its last
//! marker, and errors in half a dozen shapes, also inside an answer.
#![forbid(unsafe_code)]

use multillm_plugin_sdk::error::Sign;
use multillm_plugin_sdk::openai::{
    Dialect, DoneMarker, MaxTokensField, Settings, Vendor, capabilities,
};
use multillm_plugin_sdk::{
    Capabilities, Error, ErrorKind, Header, Info, Secret, Setting, Support, Target, export_provider,
};

/// The plugin.
pub struct HuggingFace;

/// What the text-generation server calls its errors, by `error_type`.
const ERRORS: &[Sign] = &[
    Sign {
        statuses: &[],
        codes: &["generation", "incomplete_generation"],
        messages: &[],
        kind: ErrorKind::Server,
        retryable: true,
    },
    Sign {
        statuses: &[0],
        codes: &["template_error", "tool_error"],
        messages: &["template error"],
        kind: ErrorKind::InvalidRequest,
        retryable: false,
    },
    Sign {
        statuses: &[500, 503],
        codes: &[],
        messages: &["is currently loading", "overloaded"],
        kind: ErrorKind::Overloaded,
        retryable: true,
    },
];

impl Vendor for HuggingFace {
    fn info() -> Info {
        let bill_to = Setting::new(
            "bill_to",
            "The organization that is billed.",
            r#"{"type":"string"}"#,
        );
        Info {
            name: "huggingface".to_owned(),
            title: "Hugging Face".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://huggingface.co/docs/inference-providers/tasks/chat-completion"
                .to_owned(),
            default_base_url: Some("https://router.huggingface.co/v1".to_owned()),
            base_url_env: vec![],
            secrets: vec![Secret::api_key(&["HF_TOKEN", "HUGGINGFACE_API_KEY"])],
            settings: [bill_to].into_iter().chain(Settings::describe()).collect(),
            capabilities: Capabilities {
                seed: Support::SomeModels,
                top_k: Support::SomeModels,
                ..capabilities()
            },
        }
    }

    fn dialect(target: &Target) -> Result<Dialect, Error> {
        let settings = Settings::of(target)?;
        let billed = settings.text("bill_to")?;
        let headers = billed.map(|name| Header::plain("x-hf-bill-to", name));
        let dialect = Dialect {
            headers: headers.into_iter().collect(),
            max_tokens_field: MaxTokensField::MaxTokens,
            reasoning_models: &[],
            reasoning_system_role: "system".to_owned(),
            top_k: true,
            done: DoneMarker::Optional,
            errors: ERRORS,
            ..Dialect::default()
        };
        dialect.with(&settings)
    }
}

export_provider!(HuggingFace, models);

#[cfg(test)]
mod tests;
