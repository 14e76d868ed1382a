//! The OpenAI chat wire, driven by data.
//!
//! Many servers speak it, each with small differences. A difference is a field
//! of [`Dialect`]; nothing here asks which vendor it is talking to. A plugin
//! says how its target's dialect differs ([`Vendor`]) and is a complete
//! [`Provider`] by that.
//!
//! This is the chat completions API
//! (<https://platform.openai.com/docs/api-reference/chat>), not the Responses API.

mod decode;
mod dialect;
mod encode;
mod error;
mod finish;
#[cfg(test)]
mod fixtures;
mod models;
mod settings;
mod stream;
mod usage;
mod wire;

use std::marker::PhantomData;

pub use decode::decode;
pub use dialect::{
    Auth, CallIds, Dialect, DoneMarker, MaxTokensField, ReasoningField, ReasoningHistory, segments,
};
pub use encode::encode;
pub use error::decode_error;
pub use models::{decode_list, encode_list};
pub use settings::Settings;
pub use stream::Stream;

use crate::events::Events;
use crate::{
    Capabilities, ChatRequest, ChatResponse, Error, Frame, Info, ListModels, Mode, Page, Provider,
    Request, Response, Support, Target,
};

/// A vendor whose chat API is a dialect of OpenAI's.
///
/// Whoever implements it is a [`Provider`] and can [list models](ListModels).
pub trait Vendor: 'static {
    /// What the plugin says of itself. Always the same.
    fn info() -> Info;

    /// How the target's server speaks.
    ///
    /// # Errors
    ///
    /// `invalid-request` for settings that do not fit.
    fn dialect(target: &Target) -> Result<Dialect, Error>;
}

impl<V: Vendor> Provider for V {
    type Decoder = Decoder<V>;

    fn describe() -> Info {
        V::info()
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        encode(&V::dialect(target)?, target, request, mode)
    }

    fn decode(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        decode(&V::dialect(target)?, response)
    }

    fn decode_error(target: &Target, response: &Response) -> Error {
        decode_error(&V::dialect(target).unwrap_or_default(), response)
    }
}

impl<V: Vendor> ListModels for V {
    fn encode_list(target: &Target, _cursor: Option<&str>) -> Result<Request, Error> {
        encode_list(&V::dialect(target)?)
    }

    fn decode_list(target: &Target, response: &Response) -> Result<Page, Error> {
        decode_list(&V::dialect(target)?, response)
    }
}

/// [`Stream`] as the decoder of a [`Vendor`].
pub struct Decoder<V> {
    stream: Stream,
    vendor: PhantomData<V>,
}

impl<V: Vendor> crate::Decoder for Decoder<V> {
    fn new(target: &Target) -> Self {
        Decoder {
            stream: Stream::new(V::dialect(target).unwrap_or_default()),
            vendor: PhantomData,
        }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        self.stream.frame(frame, events)
    }

    fn end(&mut self, events: &mut Events) -> Result<(), Error> {
        self.stream.end(events)
    }
}

/// What servers of this wire can do by rule; a vendor starts from it.
#[must_use]
pub fn capabilities() -> Capabilities {
    Capabilities {
        streaming: Support::Yes,
        system: Support::Yes,
        tools: Support::SomeModels,
        parallel_tools: Support::SomeModels,
        tool_choice_required: Support::SomeModels,
        tool_choice_named: Support::SomeModels,
        image_blob: Support::SomeModels,
        image_url: Support::SomeModels,
        json: Support::SomeModels,
        json_schema: Support::SomeModels,
        // OpenAI withholds its thoughts; others send theirs.
        reasoning: Support::SomeModels,
        reasoning_effort: Support::SomeModels,
        seed: Support::Yes,
        stop: Support::SomeModels,
        top_k: Support::No,
        penalties: Support::SomeModels,
        list_models: Support::Yes,
        cached_tokens: Support::SomeModels,
    }
}
