//! The traits that a plugin implements, and the macro that exports it.

use std::cell::RefCell;

use crate::bindings::counting::exports::multillm::provider::tokens;
use crate::bindings::embedding::exports::multillm::provider::embeddings;
use crate::bindings::exports::multillm::provider::{chat, metadata};
use crate::bindings::listing::exports::multillm::provider::models;
use crate::bindings::relaying::exports::multillm::provider::relay;
use crate::events::Events;
use crate::surrogates::{Halves, mend};
use crate::{
    ChatEvent, ChatRequest, ChatResponse, EmbedRequest, Error, Frame, Info, Mode, Operation, Page,
    Request, Response, Route, Target, Vectors,
};

/// A vendor. Every function is pure: its result depends on its arguments alone.
pub trait Provider: 'static {
    /// Reads this vendor's streams.
    type Decoder: Decoder;

    /// What the plugin says of itself. Always the same.
    fn describe() -> Info;

    /// The HTTP request that asks the vendor this.
    ///
    /// # Errors
    ///
    /// `unsupported` for what the vendor cannot do, `invalid-request` for what cannot be expressed.
    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error>;

    /// Reads a success that came whole.
    ///
    /// # Errors
    ///
    /// `malformed-response` if it cannot be read; the vendor's own error if the body holds one.
    fn decode(target: &Target, response: &Response) -> Result<ChatResponse, Error>;

    /// Classifies a failure. The body may be anything, HTML included.
    fn decode_error(target: &Target, response: &Response) -> Error;
}

/// Reads one stream.
///
/// The SDK calls nothing more after [`Events::done`] was recorded or an error was returned.
pub trait Decoder: 'static {
    /// A decoder for an exchange with this target.
    fn new(target: &Target) -> Self;

    /// Reads one frame and records what it means.
    ///
    /// # Errors
    ///
    /// The stream has failed. What was recorded before still reaches the caller.
    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error>;

    /// The body ended and the stream was not done yet.
    ///
    /// # Errors
    ///
    /// [`Error::truncated`] unless this vendor's streams may end so.
    fn end(&mut self, events: &mut Events) -> Result<(), Error>;
}

/// A vendor that can say which models it has.
pub trait ListModels: Provider {
    /// The request for a page of the list; `cursor` is absent for the first.
    ///
    /// # Errors
    ///
    /// `unsupported` where this configuration has no list.
    fn encode_list(target: &Target, cursor: Option<&str>) -> Result<Request, Error>;

    /// Reads a page.
    ///
    /// # Errors
    ///
    /// `malformed-response` if it cannot be read.
    fn decode_list(target: &Target, response: &Response) -> Result<Page, Error>;
}

/// A vendor whose models make vectors of texts.
pub trait Embed: Provider {
    /// The most inputs that one request may hold.
    fn batch_limit(target: &Target) -> u32;

    /// The request for the vectors.
    ///
    /// # Errors
    ///
    /// `unsupported` for what the vendor cannot do, `invalid-request` for what cannot be expressed.
    fn encode_embed(target: &Target, request: &EmbedRequest) -> Result<Request, Error>;

    /// Reads a success.
    ///
    /// # Errors
    ///
    /// `malformed-response` if it cannot be read.
    fn decode_embed(target: &Target, response: &Response) -> Result<Vectors, Error>;
}

/// A vendor that counts tokens without asking the model.
pub trait CountTokens: Provider {
    /// The request that counts what this one would hold.
    ///
    /// # Errors
    ///
    /// As those of [`Provider::encode`].
    fn encode_count(target: &Target, request: &ChatRequest) -> Result<Request, Error>;

    /// Reads a success: tokens of input.
    ///
    /// # Errors
    ///
    /// `malformed-response` if it cannot be read.
    fn decode_count(target: &Target, response: &Response) -> Result<u64, Error>;
}

/// A vendor that takes bodies which the caller wrote in one of its wires. What is common to them is in `relay`.
pub trait Relay: Provider {
    /// Reads a stream of any of the wires, as far as the host must know it.
    type Reader: Decoder;

    /// The way of a body; the wire is that of the target, an empty one the plugin's first.
    ///
    /// # Errors
    ///
    /// `unsupported` for a wire or operation that is not relayed, `invalid-request` for settings
    /// that do not fit.
    fn route(target: &Target, operation: Operation, mode: Mode) -> Result<Route, Error>;

    /// Reads who answered, usage, end and failure of an answer that came whole.
    ///
    /// # Errors
    ///
    /// As those of [`Provider::decode`].
    fn read(target: &Target, response: &Response) -> Result<ChatResponse, Error>;
}

/// Comes first in whatever the host calls.
fn begin() {
    #[cfg(target_family = "wasm")]
    crate::last_words::keep();
}

impl<P: Provider> metadata::Guest for P {
    fn describe() -> Info {
        begin();
        P::describe()
    }
}

impl<P: Provider> chat::Guest for P {
    type Decoder = Stream<P::Decoder>;

    fn encode(target: Target, request: ChatRequest, mode: Mode) -> Result<Request, Error> {
        begin();
        P::encode(&target, &request, mode)
    }

    fn decode(target: Target, mut response: Response) -> Result<ChatResponse, Error> {
        begin();
        mend(&mut response.body);
        P::decode(&target, &response)
    }

    fn decode_error(target: Target, mut response: Response) -> Error {
        begin();
        mend(&mut response.body);
        P::decode_error(&target, &response)
    }
}

impl<P: ListModels> models::Guest for P {
    fn encode_list(target: Target, cursor: Option<String>) -> Result<Request, Error> {
        begin();
        P::encode_list(&target, cursor.as_deref())
    }

    fn decode_list(target: Target, mut response: Response) -> Result<Page, Error> {
        begin();
        mend(&mut response.body);
        P::decode_list(&target, &response)
    }
}

impl<P: Embed> embeddings::Guest for P {
    fn batch_limit(target: Target) -> u32 {
        begin();
        P::batch_limit(&target)
    }

    fn encode_embed(target: Target, request: EmbedRequest) -> Result<Request, Error> {
        begin();
        P::encode_embed(&target, &request)
    }

    fn decode_embed(target: Target, mut response: Response) -> Result<Vectors, Error> {
        begin();
        mend(&mut response.body);
        P::decode_embed(&target, &response)
    }
}

impl<P: CountTokens> tokens::Guest for P {
    fn encode_count(target: Target, request: ChatRequest) -> Result<Request, Error> {
        begin();
        P::encode_count(&target, &request)
    }

    fn decode_count(target: Target, mut response: Response) -> Result<u64, Error> {
        begin();
        mend(&mut response.body);
        P::decode_count(&target, &response)
    }
}

impl<P: Relay> relay::Guest for P {
    type Reader = Stream<P::Reader>;

    fn route(target: Target, operation: Operation, mode: Mode) -> Result<Route, Error> {
        begin();
        P::route(&target, operation, mode)
    }

    fn read(target: Target, mut response: Response) -> Result<ChatResponse, Error> {
        begin();
        mend(&mut response.body);
        P::read(&target, &response)
    }
}

/// A [`Decoder`] as the contract's resources.
#[doc(hidden)]
pub struct Stream<D>(RefCell<State<D>>);

struct State<D> {
    decoder: D,
    halves: Halves,
    over: bool,
}

impl<D: Decoder> Stream<D> {
    fn run(
        &self,
        ends: bool,
        read: impl FnOnce(&mut D, &mut Halves, &mut Events) -> Result<(), Error>,
    ) -> Vec<ChatEvent> {
        begin();
        let mut events = Events::new();
        let State {
            decoder,
            halves,
            over,
        } = &mut *self.0.borrow_mut();
        if !*over {
            if let Err(error) = read(decoder, halves, &mut events) {
                events.failed(error);
            }
            *over = events.is_over();
        }
        halves.join(events.into_inner(), ends)
    }
}

impl<D: Decoder> Stream<D> {
    fn begin(target: &Target) -> Self {
        begin();
        Stream(RefCell::new(State {
            decoder: D::new(target),
            halves: Halves::default(),
            over: false,
        }))
    }

    fn read(&self, frames: Vec<Frame>) -> Vec<ChatEvent> {
        self.run(false, |decoder, halves, events| {
            for mut frame in frames {
                halves.mark(&mut frame.data);
                decoder.frame(&frame, events)?;
                if events.is_over() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn end(&self) -> Vec<ChatEvent> {
        self.run(true, |decoder, _, events| decoder.end(events))
    }
}

impl<D: Decoder> chat::GuestDecoder for Stream<D> {
    fn new(target: Target) -> Self {
        Stream::begin(&target)
    }

    fn push(&self, frames: Vec<Frame>) -> Vec<ChatEvent> {
        self.read(frames)
    }

    fn finish(&self) -> Vec<ChatEvent> {
        self.end()
    }
}

impl<D: Decoder> relay::GuestReader for Stream<D> {
    fn new(target: Target) -> Self {
        Stream::begin(&target)
    }

    fn push(&self, frames: Vec<Frame>) -> Vec<ChatEvent> {
        self.read(frames)
    }

    fn finish(&self) -> Vec<ChatEvent> {
        self.end()
    }
}

/// Exports a type that implements [`Provider`] as the component's one provider.
///
/// `export_provider!(Type)` makes the world `provider`. Optional interfaces follow, each for a type
/// that implements its trait too: `models` ([`ListModels`]), `embeddings` ([`Embed`]), `tokens`
/// ([`CountTokens`]) and `relay` ([`Relay`]), as in `export_provider!(Type, models, relay)`. Outside
/// WebAssembly it does nothing, so that adapters are tested natively.
#[macro_export]
macro_rules! export_provider {
    ($provider:ident $(, $interface:ident)* $(,)?) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            $crate::bindings::export_world_provider!(
                $provider with_types_in $crate::bindings
            );
        };
        $( $crate::export_interface!($provider, $interface); )*
    };
}

/// One optional interface of [`export_provider!`].
#[doc(hidden)]
#[macro_export]
macro_rules! export_interface {
    ($provider:ident, models) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            $crate::bindings::listing::export_world_models!(
                $provider with_types_in $crate::bindings::listing
            );
        };
    };
    ($provider:ident, embeddings) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            $crate::bindings::embedding::export_world_embeddings!(
                $provider with_types_in $crate::bindings::embedding
            );
        };
    };
    ($provider:ident, tokens) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            $crate::bindings::counting::export_world_tokens!(
                $provider with_types_in $crate::bindings::counting
            );
        };
    };
    ($provider:ident, relay) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            $crate::bindings::relaying::export_world_relay!(
                $provider with_types_in $crate::bindings::relaying
            );
        };
    };
}
