//! A starter: the adapter of Parley, a vendor that does not exist.
//!
//! Copy this folder, then put your vendor's facts in the place of Parley's:
//!
//! 1. `wire.rs` – the shapes of your vendor's JSON, in both directions.
//! 2. `encode.rs` – the unified request as your vendor's HTTP request.
//! 3. `decode.rs` – a whole answer, and a failure.
//! 4. `stream.rs` – an answer that comes piece by piece.
//! 5. [`describe`](Provider::describe) below – what your plugin says of itself.
//!
//! A plugin performs nothing. It has no network, no clock and no files, and no key ever
//! reaches it: it says into which header the host shall put one. That makes
//! every function here a pure one, and `cargo test` enough to try them all.
//!
//! Before you start: if your vendor speaks OpenAI's chat completions, you need no plugin but
//! a `base_url` for the one that exists, and at most a `Dialect` (see `plugins/huggingface`).
#![forbid(unsafe_code)]

mod decode;
mod encode;
mod stream;
mod wire;

use multillm_plugin_sdk::{
    Capability, ChatRequest, ChatResponse, Error, Info, Mode, Provider, Request, Response, Secret,
    Setting, Support, Target, export_provider, words,
};

/// The plugin. It has no state: everything that a function needs is in its arguments.
pub struct Parley;

/// What the configuration may say under `settings`. List every field in `describe`, with its
/// schema: the host refuses settings that are not listed there.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The voice that answers; Parley's own choice if there is none.
    voice: Option<String>,
}

impl Provider for Parley {
    type Decoder = stream::Lines;

    fn describe() -> Info {
        Info {
            name: "parley".to_owned(),
            title: "Parley".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://parley.example/docs/talk".to_owned(),
            // Where requests go unless the configuration says otherwise. The path of a
            // request is appended to it.
            default_base_url: Some("https://api.parley.example".to_owned()),
            base_url_env: vec!["PARLEY_BASE_URL".to_owned()],
            // `Header::api_key` places it; the host reads it from the first of these
            // variables that is set, or from where the configuration says.
            secrets: vec![Secret::api_key(&["PARLEY_API_KEY"])],
            settings: vec![Setting::new(
                "voice",
                "The voice that answers, `calm` or `brisk`. Default: the vendor's.",
                r#"{"enum":["calm","brisk"]}"#,
            )],
            // The truth, please: the capability matrix is made of this, and what is `No`
            // or not named here must be an `unsupported` error in `encode`.
            capabilities: Capability::list(&[
                (Support::Yes, &["streaming", "system", "stop"]),
                (Support::No, &["tools", "image-file", "json", "reasoning"]),
            ]),
            // What this wire is called: a word that no other vendor's has. Tails (`extra`) that
            // a caller or an answer gives are kept under it and come to no other.
            wires: words(&["parley"]),
            // Headers of a caller that may travel to the vendor where bodies are relayed.
            passes: vec![],
        }
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        encode::encode(target, request, mode)
    }

    fn decode(_target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        decode::answer(response)
    }

    fn decode_error(_target: &Target, response: &Response) -> Error {
        decode::failure(response)
    }
}

// A plugin that can do more implements more traits and names them: with `ListModels` it says
// `export_provider!(Parley, models)`; `Embed`, `CountTokens` and `Relay` are the others.
export_provider!(Parley);

#[cfg(test)]
mod tests;
