//! The adapter of Cohere's chat API, version 2.
//!
//! What Cohere does in its own way: sampling fields are called `p` and `k`, a tool plan
//! comes beside the tool calls, stream events carry one tool call as an object, usage
//! counts tokens apart from what is billed, and errors are flat objects.
//!
//! The older `/v1/chat` is another protocol and not spoken here.
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
    Capabilities, ChatRequest, ChatResponse, Error, Info, ListModels, Mode, Page, Provider,
    Request, Response, Secret, Setting, Support, Target, export_provider,
};

/// Cohere.
pub struct Cohere;

impl Provider for Cohere {
    type Decoder = stream::ChatStream;

    fn describe() -> Info {
        Info {
            name: "cohere".into(),
            title: "Cohere".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            documentation: "https://docs.cohere.com/reference/chat".into(),
            default_base_url: Some("https://api.cohere.com".into()),
            base_url_env: vec!["CO_API_URL".into()],
            secrets: vec![Secret {
                name: "api_key".into(),
                env: vec!["COHERE_API_KEY".into(), "CO_API_KEY".into()],
                required: true,
            }],
            settings: settings(),
            capabilities: CAPABILITIES,
        }
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        encode::request(target, request, mode)
    }

    fn decode(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        decode::reply(target, response)
    }

    fn decode_error(_: &Target, response: &Response) -> Error {
        error::failure(response)
    }
}

impl ListModels for Cohere {
    fn encode_list(_: &Target, cursor: Option<&str>) -> Result<Request, Error> {
        Ok(models::encode_list(cursor))
    }

    fn decode_list(_: &Target, response: &Response) -> Result<Page, Error> {
        models::decode_list(response)
    }
}

export_provider!(Cohere, models);

fn settings() -> Vec<Setting> {
    vec![
        Setting::new(
            "safety_mode",
            "how strictly the model is instructed to stay safe; Cohere's default is CONTEXTUAL",
            r#"{"type":"string","enum":["CONTEXTUAL","STRICT","OFF"]}"#,
        ),
        Setting::new(
            "citation_mode",
            "how citations of documents and tool results are made, which costs time; they are not part of the answer's text",
            r#"{"type":"string","enum":["ENABLED","DISABLED","FAST","ACCURATE","OFF"]}"#,
        ),
        Setting::new(
            "thinking_budget",
            "most tokens a reasoning model may think, where the request names no reasoning effort",
            r#"{"type":"integer","minimum":1}"#,
        ),
        Setting::new(
            "client_name",
            "name of the application, sent as X-Client-Name",
            r#"{"type":"string","minLength":1}"#,
        ),
    ]
}

const CAPABILITIES: Capabilities = Capabilities {
    tool_choice_named: Support::No,
    tool_choice_required: Support::SomeModels,
    tools: Support::Yes,
    parallel_tools: Support::Yes,
    image_blob: Support::SomeModels,
    image_url: Support::SomeModels,
    reasoning: Support::SomeModels,
    reasoning_effort: Support::SomeModels,
    streaming: Support::Yes,
    cached_tokens: Support::Yes,
    list_models: Support::Yes,
    system: Support::Yes,
    seed: Support::Yes,
    stop: Support::Yes,
    penalties: Support::Yes,
    top_k: Support::Yes,
    json: Support::Yes,
    json_schema: Support::Yes,
};
