//! Google Gemini: `generateContent` and `streamGenerateContent` of the Gemini
//! API, and the same calls on Vertex AI.
//!
//! Only this vendor's wire is here; everything vendor-neutral is the SDK's.
//!
//! # Layout
//!
//! - [`encode`]: a request's body, with [`contents`] for the turns, [`thinking`]
//!   for the thinking controls and [`schema`] for the OpenAPI subset.
//! - [`wire`]: what the vendor sends; [`usage`]: its counts.
//! - [`stream`]: reads the answer, whether it came whole or in pieces, with
//!   [`partial`] for calls whose arguments come in pieces.
//! - [`decode`]: a whole answer; [`error`]: failures; [`models`]: the list of models.
#![forbid(unsafe_code)]

mod contents;
mod decode;
mod encode;
mod error;
mod models;
mod partial;
mod schema;
mod settings;
mod stream;
#[cfg(test)]
mod testing;
mod thinking;
mod usage;
mod wire;

use multillm_plugin_sdk::{
    Capabilities, ChatRequest, ChatResponse, Error, Info, ListModels, Mode, Page, Provider,
    Request, Response, Secret, Support, Target, export_provider,
};

pub use stream::Stream;

/// The provider `gemini`.
pub struct Gemini;

export_provider!(Gemini, models);

impl Provider for Gemini {
    type Decoder = Stream;

    fn describe() -> Info {
        Info {
            name: "gemini".to_owned(),
            title: "Google Gemini".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://ai.google.dev/api/generate-content".to_owned(),
            default_base_url: Some("https://generativelanguage.googleapis.com".to_owned()),
            base_url_env: vec!["GOOGLE_GEMINI_BASE_URL".to_owned()],
            secrets: vec![Secret {
                name: "api_key".to_owned(),
                env: vec!["GEMINI_API_KEY".to_owned(), "GOOGLE_API_KEY".to_owned()],
                required: true,
            }],
            settings: settings::described(),
            capabilities: Capabilities {
                streaming: Support::Yes,
                system: Support::Yes,
                tools: Support::Yes,
                parallel_tools: Support::Yes,
                tool_choice_required: Support::Yes,
                tool_choice_named: Support::Yes,
                image_blob: Support::Yes,
                image_url: Support::SomeModels,
                json: Support::Yes,
                json_schema: Support::Yes,
                reasoning: Support::SomeModels,
                reasoning_effort: Support::SomeModels,
                seed: Support::Yes,
                stop: Support::Yes,
                top_k: Support::Yes,
                penalties: Support::SomeModels,
                list_models: Support::Yes,
                cached_tokens: Support::Yes,
            },
        }
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        encode::request(target, request, mode)
    }

    fn decode(_: &Target, response: &Response) -> Result<ChatResponse, Error> {
        decode::answer(&response.body)
    }

    fn decode_error(_: &Target, response: &Response) -> Error {
        error::failure(response)
    }
}

impl ListModels for Gemini {
    fn encode_list(target: &Target, cursor: Option<&str>) -> Result<Request, Error> {
        models::request(target, cursor)
    }

    fn decode_list(_: &Target, response: &Response) -> Result<Page, Error> {
        models::page(&response.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_described_by_a_json_schema() {
        let info = Gemini::describe();
        for setting in &info.settings {
            let schema: serde_json::Value = serde_json::from_str(&setting.schema).unwrap();
            assert!(schema.is_object(), "{}", setting.name);
            assert!(!setting.description.is_empty(), "{}", setting.name);
        }
        assert_eq!(info.secrets.len(), 1);
    }
}
