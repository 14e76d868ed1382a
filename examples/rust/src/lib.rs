//! The adapter of Harbor, a vendor that does not exist: tools, server-sent events, a list of models with pages.
//!
//! `plugins/template` is where to begin; this shows what else there is.
#![forbid(unsafe_code)]

mod answer;
mod encode;
mod models;
mod stream;

use multillm_plugin_sdk::{
    Capability, ChatRequest, ChatResponse, Error, Info, ListModels, Mode, Page, Provider, Request,
    Response, Secret, Support, Target, export_provider, words,
};

/// The plugin.
pub struct Harbor;

impl Provider for Harbor {
    type Decoder = stream::Events;

    fn describe() -> Info {
        Info {
            name: "harbor".to_owned(),
            title: "Harbor".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://harbor.example/docs/chat".to_owned(),
            default_base_url: Some("https://api.harbor.example".to_owned()),
            base_url_env: vec!["HARBOR_BASE_URL".to_owned()],
            secrets: vec![Secret::api_key(&["HARBOR_API_KEY"])],
            settings: vec![],
            capabilities: Capability::list(&[
                (
                    Support::Yes,
                    &[
                        "streaming",
                        "system",
                        "tools",
                        "parallel-tools",
                        "list-models",
                    ],
                ),
                (Support::No, &["image-file", "json", "reasoning", "stop"]),
            ]),
            wires: words(&["harbor"]),
            passes: vec![],
        }
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        encode::encode(target, request, mode)
    }

    fn decode(_target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        answer::read(response)
    }

    fn decode_error(_target: &Target, response: &Response) -> Error {
        answer::failure(response)
    }
}

impl ListModels for Harbor {
    fn encode_list(_target: &Target, cursor: Option<&str>) -> Result<Request, Error> {
        Ok(models::request(cursor))
    }

    fn decode_list(_target: &Target, response: &Response) -> Result<Page, Error> {
        models::page(response)
    }
}

export_provider!(Harbor, models);

#[cfg(test)]
mod tests;
