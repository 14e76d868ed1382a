//! The adapter of Ollama's native chat API, `/api/chat`.
//!
//! What Ollama does in its own way: streams of JSON lines, streaming unless told otherwise,
//! sampling under `options`, tool arguments as objects and tool calls that come whole, bare
//! base64 for pictures, thinking beside the content, no key on one's own machine.
//!
//! The OpenAI-compatible face at `/v1` is another protocol: the `openai` plugin speaks it.
#![forbid(unsafe_code)]

mod decode;
mod encode;
mod error;
mod models;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

use multillm_plugin_sdk::{
    Capabilities, ChatRequest, ChatResponse, Error, Header, Info, ListModels, Mode, Page, Provider,
    Request, Response, Secret, Setting, Support, Target, export_provider,
};

/// Ollama.
pub struct Ollama;

impl Provider for Ollama {
    type Decoder = stream::Lines;

    fn describe() -> Info {
        let capabilities = Capabilities {
            tool_choice_named: Support::No,
            tool_choice_required: Support::No,
            image_url: Support::No,
            cached_tokens: Support::No,
            tools: Support::SomeModels,
            parallel_tools: Support::SomeModels,
            reasoning: Support::SomeModels,
            image_blob: Support::SomeModels,
            reasoning_effort: Support::SomeModels,
            system: Support::Yes,
            streaming: Support::Yes,
            json_schema: Support::Yes,
            json: Support::Yes,
            penalties: Support::Yes,
            top_k: Support::Yes,
            stop: Support::Yes,
            seed: Support::Yes,
            list_models: Support::Yes,
        };
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

export_provider!(Ollama, models);

/// The key of a server that wants one; a server of one's own is asked without.
fn key() -> Header {
    Header::secret("authorization", "Bearer ", "api_key", true)
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
    ]
}
