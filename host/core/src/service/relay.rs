//! A body that the caller wrote in a vendor's own wire: it goes to the vendor as it is but for the model's name,
//! and the vendor's bytes go back as they come.
//!
//! Models, attempts, limits, budgets, kept answers and the history are those of every other request: see `call`.
//! What an answer took and how it ended is read on the side, from a copy of the bytes: see [`stream`].

mod lane;
mod splice;
pub(super) mod stream;
mod weight;

use bytes::Bytes;

use super::MultiLlmService;
use super::call::{Call, Opened, another};
use super::request::Most;
use crate::chat::ChatResponse;
use crate::config::Model;
use crate::error::{Error, Result};
pub use crate::plugin::wire::Operation;
pub use lane::Lane;
pub(super) use splice::splice;
pub use stream::RelayStream;

/// A body that is to be passed on.
#[derive(Debug, Clone)]
pub struct RelayRequest {
    /// The wire that it is written in, such as `openai-chat`.
    pub wire: String,
    /// What it asks for.
    pub operation: Operation,
    /// Whether it asks for a stream.
    pub stream: bool,
    /// As the caller wrote it.
    pub body: Bytes,
    /// The caller's headers, names in lower case. Those that the plugin lets through travel on; a key never does.
    pub headers: Vec<(String, String)>,
    /// What was asked last, for the history.
    pub question: Option<String>,
    /// The most tokens that the body allows an answer.
    pub max_tokens: Option<u64>,
    /// How many answers it wants.
    pub choices: u64,
}

/// What came back.
#[derive(Debug)]
#[non_exhaustive]
pub struct Relayed {
    /// The vendor's status, also where it is a failure.
    pub status: u16,
    /// The vendor's headers that matter to a caller; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The vendor's bytes.
    pub body: RelayedBody,
    /// The configured model that answered.
    pub model: String,
    /// Its provider.
    pub provider: String,
    /// How often a vendor was asked.
    pub attempts: u32,
    /// The answer was kept from an identical request.
    pub cached: bool,
    /// What a whole answer took and cost; absent for streams, of which it is not known yet.
    pub answer: Option<Box<ChatResponse>>,
    /// What a status of 400 and above means.
    pub error: Option<Error>,
}

/// The vendor's bytes.
#[derive(Debug)]
pub enum RelayedBody {
    /// All of them.
    Whole(Bytes),
    /// As they come.
    Stream(Box<RelayStream>),
}

/// A vendor's answer that is handed on whole.
#[derive(Debug, Clone)]
pub(super) struct Verbatim {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Relayed {
    /// A whole answer of which everything is known.
    pub(super) fn whole(verbatim: Verbatim, answer: ChatResponse) -> Self {
        Relayed {
            status: verbatim.status,
            headers: verbatim.headers,
            body: RelayedBody::Whole(verbatim.body),
            model: answer.model.clone(),
            provider: answer.provider.clone(),
            attempts: answer.attempts,
            cached: answer.cached,
            answer: Some(Box::new(answer)),
            error: None,
        }
    }

    /// What a vendor said that refused.
    pub(super) fn refused(verbatim: Verbatim, error: Error, model: &Model) -> Self {
        Relayed {
            status: verbatim.status,
            headers: verbatim.headers,
            body: RelayedBody::Whole(verbatim.body),
            model: model.name.clone(),
            provider: model.provider.name.clone(),
            attempts: error.attempts.unwrap_or(1),
            cached: false,
            answer: None,
            error: Some(error),
        }
    }
}

/// A body, and how much text it holds: limits and budgets ask for that several times, and a conversation may have
/// megabytes.
pub(super) struct Weighed {
    pub(super) request: RelayRequest,
    weight: u64,
}

impl Weighed {
    pub(super) fn new(request: RelayRequest) -> Self {
        Weighed {
            weight: weight::of(&request.body),
            request,
        }
    }

    /// The most tokens that it is expected to take.
    pub(super) fn most(&self) -> Most {
        let answers = match self.request.operation {
            Operation::Chat => Some(self.request.choices.max(1)),
            Operation::CountTokens | Operation::Embeddings => None,
        };
        Most::of_bytes(self.weight, self.request.max_tokens, answers)
    }

    /// About how many tokens it has.
    pub(super) fn tokens(&self) -> u64 {
        self.weight.div_ceil(4)
    }
}

impl MultiLlmService {
    /// Passes a body on to a model or route, and returns when the head of the answer is there. What the vendor
    /// refuses is an answer too, once no other attempt or model is left.
    ///
    /// Dropping the body of the answer cancels the exchange at once.
    ///
    /// # Errors
    ///
    /// An [`Error`] of any kind where no vendor has answered.
    pub async fn relay(&self, request: RelayRequest, model: &str) -> Result<Relayed> {
        let call = Call::relay(self, request, model)?;
        match call.run().await? {
            Opened::Relayed(relayed) => Ok(*relayed),
            Opened::Whole(_) | Opened::Stream(_) => Err(another()),
        }
    }
}
