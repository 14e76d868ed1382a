//! The adapter of Ollama's native API: `/api/chat`, `/api/generate` for a single prompt, and `/api/embed`.
//!
//! What Ollama does in its own way: streams of JSON lines, streaming unless told otherwise,
//! sampling under `options`, tool arguments as objects and tool calls that come whole, bare
//! base64 for pictures, thinking beside the content, no key on one's own machine.
//!
//! The OpenAI-compatible face at `/v1` is another protocol: the `openai` plugin speaks it.
#![forbid(unsafe_code)]

mod decode;
mod embed;
mod encode;
mod error;
mod models;
mod relay;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

use multillm_plugin_sdk::{
    Capability, ChatRequest, ChatResponse, Embed, EmbedRequest, Error, Header, Info, ListModels,
    Mode, Page, Provider, Request, Response, Secret, Setting, Support, Target, Vectors,
    export_provider, words,
};

/// Ollama.
pub struct Ollama;

impl Provider for Ollama {
    type Decoder = stream::Lines;

    fn describe() -> Info {
        let capabilities = Capability::list(&[
            (
                Support::No,
                &[
                    "tool-choice-named",
                    "tool-choice-required",
                    "image-url",
                    "cached-tokens",
                ],
            ),
            (
                Support::SomeModels,
                &[
                    "tools",
                    "parallel-tools",
                    "reasoning",
                    "image-file",
                    "reasoning-effort",
                    "image-output",
                ],
            ),
            (
                Support::Yes,
                &[
                    "system",
                    "streaming",
                    "json-schema",
                    "json",
                    "penalties",
                    "top-k",
                    "stop",
                    "seed",
                    "list-models",
                    "embeddings",
                ],
            ),
        ]);
        let api_key = Secret {
            name: "api_key".into(),
            env: vec!["OLLAMA_API_KEY".into()],
            required: false,
        };
        Info {
            name: "ollama".into(),
            title: "Ollama".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            documentation: "https://docs.ollama.com/api/chat".into(),
            default_base_url: Some("http://localhost:11434".into()),
            base_url_env: vec!["OLLAMA_BASE_URL".into(), "OLLAMA_HOST".into()],
            secrets: vec![api_key],
            settings: settings(),
            capabilities,
            wires: words(&["ollama-chat"]),
            passes: vec![],
        }
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        encode::chat(target, request, mode)
    }

    fn decode(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        decode::answer(target, response)
    }

    fn decode_error(_: &Target, response: &Response) -> Error {
        error::refusal(response)
    }
}

impl ListModels for Ollama {
    fn encode_list(_: &Target, _: Option<&str>) -> Result<Request, Error> {
        Ok(models::tags())
    }

    fn decode_list(_: &Target, response: &Response) -> Result<Page, Error> {
        models::read(response)
    }
}

impl Embed for Ollama {
    fn batch_limit(_: &Target) -> u32 {
        embed::LIMIT
    }

    fn encode_embed(target: &Target, request: &EmbedRequest) -> Result<Request, Error> {
        embed::request(target, request)
    }

    fn decode_embed(_: &Target, response: &Response) -> Result<Vectors, Error> {
        embed::vectors(response)
    }
}

export_provider!(Ollama, models, embeddings, relay);

/// The key of a server that wants one; a server of one's own is asked without.
fn key() -> Header {
    Header::secret("authorization", "Bearer ", "api_key", true)
}

/// The headers of a request for an answer.
fn headers(streamed: bool) -> Vec<Header> {
    let lines = streamed.then(|| Header::plain("accept", "application/x-ndjson"));
    [key()].into_iter().chain(lines).collect()
}

fn settings() -> Vec<Setting> {
    vec![
        Setting::new(
            "keep_alive",
            "how long the model stays loaded after the answer: seconds or a duration such as 10m; negative for ever, 0 not at all; Ollama's default is 5m",
            r#"{"type":["integer","number","string"]}"#,
        ),
        Setting::new(
            "think",
            "whether a reasoning model thinks, and how much, where the request names no reasoning effort; Ollama's default is to think",
            r#"{"enum":[true,false,"low","medium","high","max"]}"#,
        ),
        Setting::new(
            "num_ctx",
            "size of the context window in tokens; by default small, and what does not fit is cut off at the front",
            r#"{"type":"integer","minimum":1}"#,
        ),
        Setting::new(
            "truncate",
            "false: a conversation that does not fit the context window is an error and not cut off",
            r#"{"type":"boolean"}"#,
        ),
        Setting::new(
            "shift",
            "false: an answer that reaches the end of the context window ends there, and nothing older is dropped for it",
            r#"{"type":"boolean"}"#,
        ),
        Setting::new(
            "options",
            "further model options by Ollama's own names, such as num_gpu, min_p or repeat_penalty; the request's sampling wins",
            r#"{"type":"object"}"#,
        ),
        Setting::new(
            "api",
            "which call answers: `chat` (/api/chat, default), or `generate` (/api/generate: one prompt and no conversation), which is also taken where a template, `raw`, or a `suffix` or `context` among the extra parameters asks for it",
            r#"{"enum":["chat","generate"]}"#,
        ),
        Setting::new(
            "raw",
            "true: the prompt goes to the model as it is, without the model's template (/api/generate)",
            r#"{"type":"boolean"}"#,
        ),
        Setting::new(
            "template",
            "a template in the place of the model's own (/api/generate)",
            r#"{"type":"string","minLength":1}"#,
        ),
    ]
}
