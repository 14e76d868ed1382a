//! The adapters as functions, whichever it is.

use multillm_plugin_azure::Azure;
use multillm_plugin_claude::Claude;
use multillm_plugin_cohere::Cohere;
use multillm_plugin_gemini::Gemini;
use multillm_plugin_huggingface::HuggingFace;
use multillm_plugin_ollama::Ollama;
use multillm_plugin_openai::OpenAi;
use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::surrogates::mend;
use multillm_plugin_sdk::{
    ChatEvent, ChatRequest, ChatResponse, Decoder, Error, Frame, Info, Mode, Operation, Relay,
    Request, Response, Route, Target,
};

/// What a reader or decoder made of a stream: its events, and how it ended.
pub(crate) type Streamed = (Vec<ChatEvent>, Result<(), Error>);

/// An adapter that relays.
pub(crate) struct Adapter {
    pub(crate) info: Info,
    pub(crate) route: fn(&Target, Operation, Mode) -> Result<Route, Error>,
    /// The relay's view of a whole answer,
    pub(crate) read: fn(&Target, &Response) -> Result<ChatResponse, Error>,
    /// and the chat's.
    pub(crate) decode: fn(&Target, &Response) -> Result<ChatResponse, Error>,
    /// What the chat asks.
    pub(crate) encode: fn(&Target, &ChatRequest, Mode) -> Result<Request, Error>,
    pub(crate) failure: fn(&Target, &Response) -> Error,
    /// The relay's view of a stream,
    pub(crate) reader: fn(&Target, &[Frame]) -> Streamed,
    /// and the chat's.
    pub(crate) decoder: fn(&Target, &[Frame]) -> Streamed,
}

/// The adapter of a vendor, as recordings name it.
pub(crate) fn adapter(vendor: &str) -> Option<Adapter> {
    Some(match vendor {
        "openai" => of::<OpenAi>(),
        "azure" => of::<Azure>(),
        "huggingface" => of::<HuggingFace>(),
        "anthropic" => of::<Claude>(),
        "gemini" => of::<Gemini>(),
        "cohere" => of::<Cohere>(),
        "ollama" => of::<Ollama>(),
        _ => return None,
    })
}

fn of<P: Relay>() -> Adapter {
    Adapter {
        info: P::describe(),
        route: P::route,
        read: |target, response| P::read(target, &mended(response)),
        decode: |target, response| P::decode(target, &mended(response)),
        encode: P::encode,
        failure: |target, response| P::decode_error(target, &mended(response)),
        reader: streamed::<P::Reader>,
        decoder: streamed::<P::Decoder>,
    }
}

/// As the SDK hands a body to an adapter.
fn mended(response: &Response) -> Response {
    let mut response = response.clone();
    mend(&mut response.body);
    response
}

fn streamed<D: Decoder>(target: &Target, frames: &[Frame]) -> Streamed {
    let mut decoder = D::new(target);
    let mut events = Events::new();
    for frame in frames {
        let read = decoder.frame(frame, &mut events);
        if read.is_err() || events.is_over() {
            return (events.into_inner(), read);
        }
    }
    let end = decoder.end(&mut events);
    (events.into_inner(), end)
}
