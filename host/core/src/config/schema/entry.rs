//! Providers and models as they are written. Nearly every key may stand in both: a provider's is
//! the default of its models. One struct holds them all; the two schemas leave out what only
//! the other has.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{FilterUse, Lane, RateLimits, Timeouts};
use crate::chat::{JsonObject, ReasoningEffort, Unsupported};
use crate::config::model::Capabilities;
use crate::config::price::Amount;

/// Every key of a provider or a model.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Entry {
    /// The plugin that speaks this provider's language. Default: the plugin of the provider's name.
    pub(in crate::config) plugin: Option<String>,
    /// The proxy through which it is reached, such as `http://proxy:3128`; `false` for none. Default: as the environment says (`HTTPS_PROXY`).
    pub(in crate::config) proxy: Option<TextOrOff>,
    /// A PEM file of certificates to trust beside the system's.
    pub(in crate::config) ca_file: Option<String>,
    /// A PEM file of the certificate to show to a server that asks for one, with those that it is signed by.
    pub(in crate::config) client_cert: Option<String>,
    /// The PEM file of its private key. Default: it stands in the file of `client_cert`.
    pub(in crate::config) client_key: Option<String>,

    /// Whose model it is: a provider listed under `providers`, or the name of a plugin. Required.
    pub(in crate::config) provider: Option<String>,
    /// The vendor's name of the model. Default: the name it has here.
    pub(in crate::config) model_name: Option<String>,
    /// Most tokens that fit, input and output together.
    pub(in crate::config) context_window: Option<NonZeroU64>,
    /// What the model can and cannot do, where that differs from what its plugin says.
    pub(in crate::config) capabilities: Option<Capabilities>,

    /// `false` takes it out of use. Default: true.
    pub(in crate::config) enabled: Option<bool>,
    /// For people.
    pub(in crate::config) description: Option<String>,
    /// What stands before the vendor's own path, such as `https://api.openai.com/v1`. Default: the plugin's.
    pub(in crate::config) base_url: Option<String>,
    /// The environment variable that holds the key. `.env` is read too.
    pub(in crate::config) api_key_env: Option<String>,
    /// A file that holds the key and nothing else.
    pub(in crate::config) api_key_file: Option<String>,
    /// A program that prints the key: its arguments, or one line that is split like a shell's but run without one.
    pub(in crate::config) api_key_command: Option<OneOrMany>,
    /// `$NAME` is the same as `api_key_env`; `false` says that no key is sent. A key itself is refused.
    pub(in crate::config) api_key: Option<TextOrOff>,
    /// Whether callers of the gateway may bring the vendor's key of their own, which is then sent in place of the configured one. Default: false.
    pub(in crate::config) caller_key: Option<bool>,
    /// Environment variables of other secrets that the plugin places, by the plugin's names for them.
    pub(in crate::config) secret_env: Option<BTreeMap<String, String>>,
    /// Headers to send beside the plugin's. `${NAME}` at the end of a value is an environment variable.
    pub(in crate::config) headers: Option<BTreeMap<String, String>>,
    /// Settings of the plugin: `multillm plugin inspect` lists them.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub(in crate::config) settings: Option<JsonObject>,
    /// Merged into the vendor's request body last, for what has no key of its own.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub(in crate::config) extra: Option<JsonObject>,

    /// Most tokens to produce.
    pub(in crate::config) max_tokens: Option<NonZeroU32>,
    /// 0 is greedy; some vendors stop at 1.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub(in crate::config) temperature: Option<f64>,
    /// Nucleus sampling.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(in crate::config) top_p: Option<f64>,
    /// Draw from the k most likely tokens.
    pub(in crate::config) top_k: Option<u32>,
    /// Against repetition in proportion to it.
    #[schemars(range(min = -2.0, max = 2.0))]
    pub(in crate::config) frequency_penalty: Option<f64>,
    /// Against any repetition.
    #[schemars(range(min = -2.0, max = 2.0))]
    pub(in crate::config) presence_penalty: Option<f64>,
    /// Texts that end the answer.
    pub(in crate::config) stop: Option<OneOrMany>,
    /// Same seed, same answer, as far as the vendor can.
    pub(in crate::config) seed: Option<i64>,
    /// Instructions that stand before every conversation that has none of its own.
    pub(in crate::config) system: Option<String>,
    /// How much to think before the answer.
    #[schemars(schema_with = "reasoning_effort")]
    pub(in crate::config) reasoning_effort: Option<ReasoningEffort>,

    /// What becomes of what the vendor or the model cannot do: `error` names it before anything is sent; `drop` leaves it out and names it among the answer's warnings. Default: error.
    #[schemars(schema_with = "unsupported")]
    pub(in crate::config) unsupported: Option<Unsupported>,

    /// One price for a thousand tokens of input or output, in US dollars. `cost` is more exact and wins.
    pub(in crate::config) cost_per_1k_tokens: Option<Amount>,
    /// Prices in US dollars.
    pub(in crate::config) cost: Option<Cost>,
    /// What counts where the vendor says what an answer cost: `vendor`, or `prices`. The other stands beside it. Default: vendor.
    pub(in crate::config) cost_source: Option<CostSource>,
    /// What may be sent and spent: refused before anything is sent.
    pub(in crate::config) limits: Option<RateLimits>,
    /// Most requests at one time; more wait.
    pub(in crate::config) max_concurrency: Option<NonZeroU32>,
    /// How long to wait.
    pub(in crate::config) timeouts: Option<Timeouts>,
    /// Filters between the caller and the model, in order: each sees what is asked after the one before it, and what is answered before that one. Those of a provider stand before those of its models.
    pub(in crate::config) filters: Option<Vec<FilterUse>>,
    /// Which way requests of the gateway's callers go. Default: `relay` where nothing configured changes the body, else `translate`.
    pub(in crate::config) lane: Option<Lane>,
}

/// A vendor or a server. What it says holds for each of its models that does not say otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::config) struct Provider(Entry);

/// A model.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::config) struct Model(Entry);

impl Deref for Provider {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.0
    }
}

impl Deref for Model {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.0
    }
}

impl JsonSchema for Provider {
    fn schema_name() -> Cow<'static, str> {
        "Provider".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let description = "A vendor or a server. What it says holds for each of its models that \
                           does not say otherwise.";
        let foreign = ["provider", "model_name", "context_window", "capabilities"];
        part_of_entry(generator, description, &foreign, &[])
    }
}

impl JsonSchema for Model {
    fn schema_name() -> Cow<'static, str> {
        "Model".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let foreign = ["plugin", "proxy", "ca_file", "caller_key"];
        part_of_entry(generator, "A model.", &foreign, &["provider"])
    }
}

fn part_of_entry(
    generator: &mut SchemaGenerator,
    description: &str,
    foreign: &[&str],
    required: &[&str],
) -> Schema {
    let mut schema = Entry::json_schema(generator);
    schema.insert("description".to_owned(), description.into());
    // Whose schema is written here counts as required otherwise.
    match required.is_empty() {
        true => drop(schema.remove("required")),
        false => drop(schema.insert("required".to_owned(), required.into())),
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for key in foreign {
            properties.shift_remove(*key);
        }
    }
    schema
}

fn reasoning_effort(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "null"],
        "enum": ["none", "minimal", "low", "medium", "high", "max", null],
    })
}

fn unsupported(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "enum": ["error", "drop", null] })
}

/// One text, or a list of texts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A text, or `false` for none at all.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum TextOrOff {
    Text(String),
    Off(bool),
}

/// Prices in US dollars. Absent means unknown, and 0 means free.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Cost {
    /// A million tokens of input.
    pub(in crate::config) input_per_1m: Option<Amount>,
    /// A million tokens of output.
    pub(in crate::config) output_per_1m: Option<Amount>,
    /// A million tokens of input that the vendor read from its cache. Default: as other input.
    pub(in crate::config) cached_input_per_1m: Option<Amount>,
    /// A million tokens of input that the vendor wrote to its cache. Default: as other input.
    pub(in crate::config) cache_write_per_1m: Option<Amount>,
    /// A million tokens of thoughts. Default: as other output.
    pub(in crate::config) reasoning_per_1m: Option<Amount>,
    /// Each request, on top of the tokens.
    pub(in crate::config) per_request: Option<Amount>,
    /// A million tokens of input that the vendor keeps in its cache for an hour. Default: unknown.
    pub(in crate::config) cache_write_1h_per_1m: Option<Amount>,
    /// A million tokens of sound in the input. Default: unknown.
    pub(in crate::config) audio_input_per_1m: Option<Amount>,
    /// A million tokens of sound in the output. Default: unknown.
    pub(in crate::config) audio_output_per_1m: Option<Amount>,
    /// A million tokens of pictures in the output. Default: unknown.
    pub(in crate::config) image_output_per_1m: Option<Amount>,
    /// Each search of the web by the vendor. Default: unknown.
    pub(in crate::config) per_web_search: Option<Amount>,
    /// Each request in which the vendor searched, however often. Default: searches are paid one by one.
    pub(in crate::config) per_searched_request: Option<Amount>,
    /// Each page that the vendor fetched. Default: unknown.
    pub(in crate::config) per_web_fetch: Option<Amount>,
    /// Each search in files that the vendor keeps. Default: unknown.
    pub(in crate::config) per_file_search: Option<Amount>,
}

/// What a cost is reckoned by where the vendor says one too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CostSource {
    /// What the vendor says counts; where it says nothing, the prices.
    #[default]
    Vendor,
    /// The prices count; what the vendor says stands beside it.
    Prices,
}
