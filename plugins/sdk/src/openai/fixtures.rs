//! What the tests of this module share: a vendor that is nothing but its settings.

use super::dialect::Dialect;
use super::settings::Settings;
use super::{Decoder, Vendor, capabilities};
use crate::testing::{self, response, target};
use crate::{ChatEvent, ChatResponse, Error, Info, Provider, Target, words};

pub(super) struct Plain;

impl Vendor for Plain {
    fn info() -> Info {
        Info {
            name: "plain".to_owned(),
            title: "Plain".to_owned(),
            version: "0.0.0".to_owned(),
            documentation: String::new(),
            default_base_url: None,
            base_url_env: vec![],
            secrets: vec![],
            settings: Settings::describe(),
            capabilities: capabilities(&[]),
            wires: words(&["openai-chat"]),
            passes: vec![],
        }
    }

    fn dialect(target: &Target) -> Result<Dialect, Error> {
        Dialect::default().with(&Settings::of(target)?)
    }
}

pub(super) fn whole(settings: &str, body: &str) -> Result<ChatResponse, Error> {
    Plain::decode(&target("m", settings), &response(200, body))
}

pub(super) fn stream(settings: &str, data: &[&str]) -> (Vec<ChatEvent>, Result<(), Error>) {
    testing::stream::<Decoder<Plain>>(&target("m", settings), data)
}

pub(super) fn streamed(settings: &str, data: &[&str]) -> Result<ChatResponse, Error> {
    testing::streamed::<Decoder<Plain>>(&target("m", settings), data)
}
