//! The adapter of Cohere's chat API, version 2.
//!
//! What Cohere does in its own way: sampling fields are called `p` and `k`, a tool plan
//! comes beside the tool calls, stream events carry one tool call as an object, usage
//! counts tokens apart from what is billed, and errors are flat objects.
//!
//! The older `/v1/chat` is another protocol and not spoken here: `former` says what takes its place.
#![forbid(unsafe_code)]

mod citations;
mod count;
mod decode;
mod embed;
mod encode;
mod error;
mod extra;
mod former;
mod models;
mod relay;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

use multillm_plugin_sdk::{
    Capability, ChatRequest, ChatResponse, CountTokens, Embed, EmbedRequest, Error, Info,
    ListModels, Mode, Page, Provider, Request, Response, Secret, Setting, Support, Target, Vectors,
    export_provider, words,
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
            capabilities: Capability::list(CAPABILITIES),
            wires: words(&["cohere-chat"]),
            passes: words(&["x-client-name"]),
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

impl Embed for Cohere {
    fn batch_limit(_: &Target) -> u32 {
        embed::LIMIT
    }

    fn encode_embed(target: &Target, request: &EmbedRequest) -> Result<Request, Error> {
        embed::request(target, request)
    }

    fn decode_embed(target: &Target, response: &Response) -> Result<Vectors, Error> {
        embed::vectors(target, response)
    }
}

impl CountTokens for Cohere {
    fn encode_count(target: &Target, request: &ChatRequest) -> Result<Request, Error> {
        count::request(target, request)
    }

    fn decode_count(_: &Target, response: &Response) -> Result<u64, Error> {
        count::tokens(&response.body)
    }
}

export_provider!(Cohere, models, embeddings, tokens, relay);

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

const CAPABILITIES: &[(Support, &[&str])] = &[
    (Support::No, &["tool-choice-named"]),
    (
        Support::SomeModels,
        &[
            "tool-choice-required",
            "image-file",
            "image-url",
            "reasoning",
            "reasoning-effort",
        ],
    ),
    (
        Support::Yes,
        &[
            "tools",
            "parallel-tools",
            "streaming",
            "cached-tokens",
            "list-models",
            "system",
            "seed",
            "stop",
            "penalties",
            "top-k",
            "json",
            "json-schema",
            "citations",
            "embeddings",
            "count-tokens",
        ],
    ),
];
