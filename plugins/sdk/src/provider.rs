//! The traits that a plugin implements, and the macro that exports it.

use std::cell::RefCell;

use crate::bindings::exports::multillm::provider::{chat, metadata};
use crate::bindings::listing::exports::multillm::provider::models;
use crate::events::Events;
use crate::surrogates::{Halves, mend};
use crate::{ChatRequest, ChatResponse, Error, Frame, Info, Mode, Page, Request, Response, Target};

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

impl<P: Provider> metadata::Guest for P {
    fn describe() -> Info {
        P::describe()
    }
}

impl<P: Provider> chat::Guest for P {
    type Decoder = Stream<P::Decoder>;

    fn encode(target: Target, request: ChatRequest, mode: Mode) -> Result<Request, Error> {
        P::encode(&target, &request, mode)
    }

    fn decode(target: Target, mut response: Response) -> Result<ChatResponse, Error> {
        mend(&mut response.body);
        P::decode(&target, &response)
    }

    fn decode_error(target: Target, mut response: Response) -> Error {
        mend(&mut response.body);
        P::decode_error(&target, &response)
    }
}

impl<P: ListModels> models::Guest for P {
    fn encode_list(target: Target, cursor: Option<String>) -> Result<Request, Error> {
        P::encode_list(&target, cursor.as_deref())
    }

    fn decode_list(target: Target, mut response: Response) -> Result<Page, Error> {
        mend(&mut response.body);
        P::decode_list(&target, &response)
    }
}

/// A [`Decoder`] as the contract's resource.
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
    ) -> Vec<chat::ChatEvent> {
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

impl<D: Decoder> chat::GuestDecoder for Stream<D> {
    fn new(target: Target) -> Self {
        Stream(RefCell::new(State {
            decoder: D::new(&target),
            halves: Halves::default(),
            over: false,
        }))
    }

    fn push(&self, frames: Vec<Frame>) -> Vec<chat::ChatEvent> {
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

    fn finish(&self) -> Vec<chat::ChatEvent> {
        self.run(true, |decoder, _, events| decoder.end(events))
    }
}

/// Exports a type that implements [`Provider`] as the component's one provider.
///
/// `export_provider!(Type)` makes the world `provider`; `export_provider!(Type, models)` makes
/// `provider-with-models`, for a type that implements [`ListModels`] too. Outside
/// WebAssembly it does nothing, so that adapters are tested natively.
#[macro_export]
macro_rules! export_provider {
    ($provider:ident) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            $crate::bindings::export_world_provider!(
                $provider with_types_in $crate::bindings
            );
        };
    };
    ($provider:ident, models) => {
        $crate::export_provider!($provider);
        #[cfg(target_family = "wasm")]
        const _: () = {
            $crate::bindings::listing::export_world_models!(
                $provider with_types_in $crate::bindings::listing
            );
        };
    };
}
