//! Google Gemini: `generateContent` and `streamGenerateContent` of the Gemini
//! API, and the same calls on Vertex AI.
//!
//! Only this vendor's wire is here; everything vendor-neutral is the SDK's.
//!
//! # Layout
//!
//! - [`encode`]: a request's body, with [`contents`] for the turns, [`thinking`]
//!   for the thinking controls and [`schema`] for the OpenAPI subset.
//! - [`wire`]: what the vendor sends; [`usage`]: its counts; [`billing`]: what they do not say of the price.
//! - [`stream`]: reads the answer, whether it came whole or in pieces, with
//!   [`partial`] for calls whose arguments come in pieces.
//! - [`decode`]: a whole answer; [`error`]: failures; [`models`]: the list of models.
#![forbid(unsafe_code)]

mod billing;
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
mod tests;
mod thinking;
mod usage;
mod wire;

use multillm_plugin_sdk::{
    Capabilities, ChatRequest, ChatResponse, Error, Info, ListModels, Mode, Page, Provider,
    Request, Response, Secret, Support, Target, export_provider, sse,
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
            secrets: vec![Secret::api_key(&["GEMINI_API_KEY", "GOOGLE_API_KEY"])],
            capabilities: Capabilities {
                reasoning: Support::SomeModels,
                reasoning_effort: Support::SomeModels,
                image_url: Support::SomeModels,
                penalties: Support::SomeModels,
                image_blob: Support::Yes,
                json: Support::Yes,
                json_schema: Support::Yes,
                seed: Support::Yes,
                streaming: Support::Yes,
                stop: Support::Yes,
                system: Support::Yes,
                tool_choice_named: Support::Yes,
                tool_choice_required: Support::Yes,
                tools: Support::Yes,
                top_k: Support::Yes,
                parallel_tools: Support::Yes,
                list_models: Support::Yes,
                cached_tokens: Support::Yes,
            },
            settings: settings::described(),
        }
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        encode::generate(target, request, mode)
    }

    fn decode(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        match sse::frames(&response.body) {
            // A gateway that streams whatever it is asked.
            Some(frames) => sse::answer::<Stream>(target, frames),
            None => decode::answer(&response.body),
        }
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
