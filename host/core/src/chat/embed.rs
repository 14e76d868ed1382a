//! Texts as vectors: what is asked and what comes back.

use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::{Billing, Extra, JsonObject, Usage, exact_number};

/// What is to be embedded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmbedRequest {
    /// Texts, any number of them: they are sent in as many requests as the vendor's bound asks for.
    pub inputs: Vec<String>,
    /// How long the vectors should be; absent: the model's own length.
    pub dimensions: Option<u32>,
    /// What they are for: `query`, `document`, `classification`, `clustering`, `similarity`, or the
    /// vendor's own word.
    pub purpose: Option<String>,
    /// Merged into the vendor's body last.
    pub extra: JsonObject,
}

impl EmbedRequest {
    /// A request for these texts and nothing else.
    #[must_use]
    pub fn new(inputs: impl IntoIterator<Item = impl Into<String>>) -> Self {
        EmbedRequest {
            inputs: inputs.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

/// Vectors of texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Embeddings {
    /// The configured model.
    pub model: String,
    /// The provider that was asked.
    pub provider: String,
    /// The plugin through which it was asked.
    pub plugin: String,
    /// The model that answered, as the vendor names it.
    pub vendor_model: Option<String>,
    /// One for each input, in the order of the inputs, all of one length.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens, of all requests together; unknown as soon as it is unknown of one.
    pub usage: Usage,
    /// In US dollars, of all requests together; absent where it is unknown of one.
    #[serde(serialize_with = "exact")]
    pub cost: Option<Decimal>,
    /// What the vendor says of the price beyond the counts, of the last request.
    #[serde(skip)]
    pub billing: Billing,
    /// From the call to the last vector.
    #[serde(rename = "latency_ms", serialize_with = "millis")]
    pub latency: Duration,
    /// How many requests it took, those that failed included.
    pub requests: u32,
    /// What the vendor said beyond the unified form, of the last request.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Embeddings {
    /// Both together, the vectors of these first.
    #[must_use]
    pub fn and(mut self, other: Embeddings) -> Embeddings {
        self.vectors.extend(other.vectors);
        Embeddings {
            vectors: self.vectors,
            usage: self.usage.and(&other.usage),
            cost: self.cost.zip(other.cost).map(|(one, more)| one + more),
            latency: self.latency + other.latency,
            requests: self.requests + other.requests,
            ..other
        }
    }
}

/// How many tokens a request has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TokenCount {
    /// The configured model.
    pub model: String,
    /// The provider.
    pub provider: String,
    /// Tokens of input.
    pub tokens: u64,
    /// Nobody counted: the vendor has no way to, and four bytes are taken for a token.
    pub estimated: bool,
}

#[allow(clippy::ref_option, reason = "serde's form")]
fn exact<S: Serializer>(cost: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    cost.and_then(exact_number).serialize(serializer)
}

fn millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    u64::try_from(time.as_millis())
        .unwrap_or(u64::MAX)
        .serialize(serializer)
}
