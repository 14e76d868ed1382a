//! The OpenAI chat wire, driven by data.
//!
//! Many servers speak it, each with small differences. A difference is a field
//! of [`Dialect`]; nothing here asks which vendor it is talking to. A plugin
//! says how its target's dialect differs ([`Vendor`]) and is a complete
//! [`Provider`] by that.
//!
//! It has two APIs: chat completions (<https://platform.openai.com/docs/api-reference/chat>), which all of these
//! servers know, and Responses, which OpenAI's own service and few others do. Which of them a question goes to
//! is [`choice`](Api)'s part; an answer is read as what it is.

mod choice;
mod decode;
mod dialect;
mod embeddings;
mod encode;
mod error;
mod finish;
#[cfg(test)]
mod fixtures;
mod left;
mod models;
mod relay;
mod responses;
mod settings;
mod stream;
mod usage;
mod wire;

use std::marker::PhantomData;

pub use choice::{APIS, Api};
pub use decode::decode;
pub use dialect::{
    Auth, CallIds, Dialect, DoneMarker, MaxTokensField, Path, Place, ReasoningField,
    ReasoningHistory, segments,
};
pub use embeddings::{BATCH, decode_embed, described, encode_embed, texts, vector};
pub use encode::encode;
pub use error::decode_error;
pub use models::{decode_list, encode_list};
pub use relay::Reader;
pub use settings::Settings;
pub use stream::Stream;

use choice::{by_responses, prefers_responses};

use crate::events::Events;
use crate::{
    Capability, ChatRequest, ChatResponse, CountTokens, Embed, EmbedRequest, Error, Frame, Info,
    ListModels, Mode, Page, Provider, Request, Response, Support, Target, Vectors,
};

/// A vendor whose chat API is a dialect of OpenAI's.
///
/// Whoever implements it is a [`Provider`] and can [list models](ListModels), make [vectors](Embed) and
/// [count](CountTokens), as far as its dialect can.
pub trait Vendor: 'static {
    /// What the plugin says of itself. Always the same.
    fn info() -> Info;

    /// How the target's server speaks.
    ///
    /// # Errors
    ///
    /// `invalid-request` for settings that do not fit.
    fn dialect(target: &Target) -> Result<Dialect, Error>;

    /// The request for an answer; by rule the dialect's.
    ///
    /// # Errors
    ///
    /// As those of [`Provider::encode`].
    fn ask(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        ask(&Self::dialect(target)?, target, request, mode)
    }

    /// Reads an answer that came whole; by rule the dialect's.
    ///
    /// # Errors
    ///
    /// As those of [`Provider::decode`].
    fn answer(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        decode(&Self::dialect(target)?, response)
    }

    /// Reads an event of a stream in a form of the vendor's own; false if it is none.
    fn event(frame: &Frame, events: &mut Events) -> bool {
        let _ = (frame, events);
        false
    }

    /// The most texts of one request for vectors.
    #[must_use]
    fn batch(target: &Target) -> u32 {
        let _ = target;
        BATCH
    }

    /// The request for vectors; by rule the dialect's.
    ///
    /// # Errors
    ///
    /// As those of [`Embed::encode_embed`].
    fn ask_vectors(target: &Target, request: &EmbedRequest) -> Result<Request, Error> {
        encode_embed(&Self::dialect(target)?, target, request)
    }

    /// Reads vectors; by rule the dialect's.
    ///
    /// # Errors
    ///
    /// As those of [`Embed::decode_embed`].
    fn read_vectors(target: &Target, response: &Response) -> Result<Vectors, Error> {
        decode_embed(&Self::dialect(target)?, response)
    }
}

/// The request for an answer, by the API that is the choice for it.
///
/// # Errors
///
/// As those of [`Provider::encode`].
pub fn ask(
    dialect: &Dialect,
    target: &Target,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Request, Error> {
    match &dialect.responses {
        Some(place) if by_responses(dialect, target, request)? => {
            responses::encode(dialect, place, target, request, mode)
        }
        _ => encode(dialect, target, request, mode),
    }
}

impl<V: Vendor> Provider for V {
    type Decoder = Decoder<V>;

    fn describe() -> Info {
        V::info()
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        V::ask(target, request, mode)
    }

    fn decode(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        V::answer(target, response)
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

impl<V: Vendor> Embed for V {
    fn batch_limit(target: &Target) -> u32 {
        V::batch(target)
    }

    fn encode_embed(target: &Target, request: &EmbedRequest) -> Result<Request, Error> {
        V::ask_vectors(target, request)
    }

    fn decode_embed(target: &Target, response: &Response) -> Result<Vectors, Error> {
        V::read_vectors(target, response)
    }
}

impl<V: Vendor> CountTokens for V {
    fn encode_count(target: &Target, request: &ChatRequest) -> Result<Request, Error> {
        let dialect = V::dialect(target)?;
        match &dialect.responses {
            Some(place) if dialect.api != Api::Chat => {
                responses::encode_count(&dialect, place, target, request)
            }
            _ => Err(Error::unsupported(format!(
                "{} counts tokens by way of the Responses API alone",
                dialect.name
            ))),
        }
    }

    fn decode_count(target: &Target, response: &Response) -> Result<u64, Error> {
        responses::decode_count(&V::dialect(target)?, response)
    }
}

/// The decoder of a [`Vendor`], for both APIs: the first event tells which of them answers.
pub struct Decoder<V> {
    dialect: Dialect,
    /// What is read where the first event does not tell.
    responses: bool,
    reads: Option<Reads>,
    vendor: PhantomData<V>,
}

enum Reads {
    Chat(Box<Stream>),
    Responses(Box<responses::Stream>),
}

impl<V> Decoder<V> {
    /// The reader of this API.
    fn by(&mut self, responses: bool) -> &mut Reads {
        let dialect = &self.dialect;
        self.reads.get_or_insert_with(|| match responses {
            true => Reads::Responses(Box::new(responses::Stream::new(dialect))),
            false => Reads::Chat(Box::new(Stream::new(dialect))),
        })
    }
}

impl<V: Vendor> crate::Decoder for Decoder<V> {
    fn new(target: &Target) -> Self {
        let dialect = V::dialect(target).unwrap_or_default();
        Decoder {
            responses: prefers_responses(&dialect, target),
            dialect,
            reads: None,
            vendor: PhantomData,
        }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        if V::event(frame, events) {
            return Ok(());
        }
        if self.reads.is_none() {
            let responses = match self.dialect.responses {
                Some(_) => responses::is_event(frame).unwrap_or(self.responses),
                None => false,
            };
            self.by(responses);
        }
        match self.by(false) {
            Reads::Chat(stream) => stream.frame(frame, events),
            Reads::Responses(stream) => stream.frame(frame, events),
        }
    }

    fn end(&mut self, events: &mut Events) -> Result<(), Error> {
        match &mut self.reads {
            Some(Reads::Chat(stream)) => stream.end(events),
            Some(Reads::Responses(_)) | None => Err(Error::truncated()),
        }
    }
}

/// What OpenAI's own models can, and so few others that servers of this wire are not said to by rule.
pub const OWN: (Support, &[&str]) = (
    Support::SomeModels,
    &[
        "document-file",
        "document-url",
        "audio-file",
        "image-output",
        "audio-output",
        "web-search",
        "code-execution",
        "file-search",
        "image-generation",
        "mcp",
        "count-tokens",
        "prompt-cache",
    ],
);

/// What servers of this wire can do by rule, but for what `own` says of a vendor.
#[must_use]
pub fn capabilities(own: &[(Support, &[&str])]) -> Vec<Capability> {
    let mut list = Capability::list(&[
        (
            Support::Yes,
            &["streaming", "system", "seed", "list-models"],
        ),
        (
            Support::SomeModels,
            &[
                "tools",
                "parallel-tools",
                "tool-choice-required",
                "tool-choice-named",
                "image-file",
                "image-url",
                "json",
                "json-schema",
                // OpenAI withholds its thoughts; others send theirs.
                "reasoning",
                "reasoning-effort",
                "stop",
                "penalties",
                "cached-tokens",
                "citations",
                "embeddings",
            ],
        ),
        (Support::No, &["top-k"]),
    ]);
    for own in Capability::list(own) {
        match list.iter_mut().find(|known| known.name == own.name) {
            Some(known) => *known = own,
            None => list.push(own),
        }
    }
    list
}
