//! The Claude adapter: Anthropic's Messages API.
//!
//! Pure functions from unified requests to descriptions of HTTP requests, and from Anthropic's
//! answers back. Facts are those of Anthropic's API reference.
//!
//! # Layout
//!
//! - `settings`: what a provider or model entry may set.
//! - `model`: what a model can, by its name. `thinking`: how much it is to think.
//! - `encode`: the request; `turns` its conversation, `tools` its tools, `schema` its
//!   schemas, `tree` its JSON, `cache` the marks of the prompt cache, `servers` tools that the vendor runs.
//! - `count`: tokens without an answer.
//! - `decode` reads an answer whole, `stream` as it comes; `wire` is what both share, `usage` its counts,
//!   `citations` what it rests on, `extra` whatever else it says.
//! - `error`: failures. `list`: the list of models. `relay`: bodies that the caller wrote.
#![forbid(unsafe_code)]

mod cache;
mod citations;
mod count;
mod decode;
mod describe;
mod encode;
mod error;
mod extra;
#[cfg(test)]
mod fixtures;
mod list;
mod model;
mod relay;
mod schema;
mod servers;
mod settings;
mod stream;
mod thinking;
mod tools;
mod tree;
mod turns;
mod usage;
mod wire;

use multillm_plugin_sdk::{
    ChatRequest, ChatResponse, CountTokens, Error, Info, ListModels, Mode, Page, Provider, Request,
    Response, Target, export_provider, sse,
};

/// Anthropic as a provider.
pub struct Claude;

impl Provider for Claude {
    type Decoder = stream::Decoder;

    fn describe() -> Info {
        describe::info()
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        encode::request(target, request, mode)
    }

    fn decode(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        match sse::frames(&response.body) {
            // A server that streams whatever it is asked.
            Some(frames) => sse::answer::<Self::Decoder>(target, frames),
            None => decode::message(&response.body),
        }
    }

    fn decode_error(_: &Target, response: &Response) -> Error {
        error::of_response(response)
    }
}

impl ListModels for Claude {
    fn encode_list(target: &Target, cursor: Option<&str>) -> Result<Request, Error> {
        list::request(target, cursor)
    }

    fn decode_list(_: &Target, response: &Response) -> Result<Page, Error> {
        list::page(&response.body)
    }
}

impl CountTokens for Claude {
    fn encode_count(target: &Target, request: &ChatRequest) -> Result<Request, Error> {
        count::request(target, request)
    }

    fn decode_count(_: &Target, response: &Response) -> Result<u64, Error> {
        count::tokens(&response.body)
    }
}

export_provider!(Claude, models, tokens, relay);
