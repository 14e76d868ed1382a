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
//! - `grounding`: citations; `media` and `servers`: what the model made and what the vendor's tools did;
//!   `extra`: whatever else an answer says.
//! - `embed`: vectors; `count`: tokens without an answer.
//! - `relay`: bodies that the caller wrote.
#![forbid(unsafe_code)]

mod billing;
mod contents;
mod count;
mod decode;
mod embed;
mod encode;
mod error;
mod extra;
mod grounding;
mod media;
mod models;
mod partial;
mod relay;
mod schema;
mod servers;
mod settings;
mod stream;
#[cfg(test)]
mod tests;
mod thinking;
mod usage;
mod wire;

use multillm_plugin_sdk::{
    Capability, ChatRequest, ChatResponse, CountTokens, Embed, EmbedRequest, Error, Info,
    ListModels, Mode, Page, Provider, Request, Response, Secret, Support, Target, Vectors,
    export_provider, sse, words,
};

pub use stream::Stream;

/// The provider `gemini`.
pub struct Gemini;

export_provider!(Gemini, models, embeddings, tokens, relay);

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
            capabilities: Capability::list(&[
                (
                    Support::SomeModels,
                    &[
                        "reasoning",
                        "reasoning-effort",
                        "image-url",
                        "penalties",
                        "document-file",
                        "document-url",
                        "audio-file",
                        "video-file",
                        "image-output",
                        "audio-output",
                        "web-search",
                        "web-fetch",
                        "code-execution",
                        "file-search",
                    ],
                ),
                (
                    Support::Yes,
                    &[
                        "image-file",
                        "json",
                        "json-schema",
                        "seed",
                        "streaming",
                        "stop",
                        "system",
                        "tool-choice-named",
                        "tool-choice-required",
                        "tools",
                        "top-k",
                        "parallel-tools",
                        "list-models",
                        "cached-tokens",
                        "citations",
                        "prompt-cache",
                        "embeddings",
                        "count-tokens",
                    ],
                ),
            ]),
            wires: words(&["gemini"]),
            passes: words(&["x-goog-api-client", "x-server-timeout"]),
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

impl Embed for Gemini {
    fn batch_limit(target: &Target) -> u32 {
        embed::batch_limit(target)
    }

    fn encode_embed(target: &Target, request: &EmbedRequest) -> Result<Request, Error> {
        embed::request(target, request)
    }

    fn decode_embed(_: &Target, response: &Response) -> Result<Vectors, Error> {
        embed::vectors(&response.body)
    }
}

impl CountTokens for Gemini {
    fn encode_count(target: &Target, request: &ChatRequest) -> Result<Request, Error> {
        count::request(target, request)
    }

    fn decode_count(_: &Target, response: &Response) -> Result<u64, Error> {
        count::tokens(&response.body)
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
