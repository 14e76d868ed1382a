//! The configuration as it is written: every key, as serde and JSON Schema see it.
//!
//! Raw by intent: everything is optional, names are not resolved, nothing is checked against
//! anything else. The doc comments are the descriptions that editors show.

mod entry;
mod gateway;
mod policy;

pub use entry::CostSource;
pub(super) use entry::{Entry, Model, OneOrMany, Provider, TextOrOff};
pub use gateway::Unsupported;
pub(super) use gateway::{Gateway, GatewayTls};
pub(super) use policy::{
    Breaker, Cache, Health, History, Limits, RateLimits, Retry, Terminal, Timeouts,
};

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chat::JsonObject;

/// The JSON Schema of [`File`].
pub(super) fn json_schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> =
        LazyLock::new(|| schemars::schema_for!(File).as_value().clone());
    &SCHEMA
}

/// Configuration of multillm. Comments are allowed, `null` is the same as leaving a key out, and
/// relative paths are relative to this file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "multillm configuration")]
pub(super) struct File {
    /// The JSON Schema of this file, for editors. Not read.
    #[serde(rename = "$schema")]
    pub(super) _schema: Option<String>,
    /// The model or route that is asked when none is named.
    pub(super) default_model: Option<String>,
    /// Component files by plugin name. What is not listed is `<plugin_dir>/<name>.wasm`.
    pub(super) plugins: Option<BTreeMap<String, Plugin>>,
    /// Where plugins stand that are not listed. Default: `plugins`.
    pub(super) plugin_dir: Option<String>,
    /// Vendors and servers by name. One that only needs its defaults need not be listed.
    pub(super) providers: Option<BTreeMap<String, Provider>>,
    /// Models by the name they are asked for.
    pub(super) models: Option<BTreeMap<String, Model>>,
    /// Names that stand for several models.
    pub(super) routes: Option<BTreeMap<String, Route>>,
    /// When and how often a failed request is sent again.
    pub(super) retry: Option<Retry>,
    /// How long to wait, for every model that does not say otherwise.
    pub(super) timeouts: Option<Timeouts>,
    /// Answers kept for identical requests.
    pub(super) cache: Option<Cache>,
    /// What one exchange and one plugin may take.
    pub(super) limits: Option<Limits>,
    /// The record of exchanges.
    pub(super) history: Option<History>,
    /// What `multillm serve` does.
    pub(super) gateway: Option<Gateway>,
    /// When a failing model is left alone for a while.
    pub(super) breaker: Option<Breaker>,
    /// Health checks.
    pub(super) health: Option<Health>,
    /// How answers are shown on a terminal.
    pub(super) terminal: Option<Terminal>,
    /// Where prompt templates stand. Default: `templates`.
    pub(super) templates_dir: Option<String>,
    /// A table of prices for models that have none here.
    pub(super) prices: Option<String>,
}

/// A component file: its path alone, or more about it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Plugin {
    /// The path of the component file.
    Path(String),
    Entry(PluginEntry),
}

/// A component file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PluginEntry {
    /// The path of the component file. Default: `<plugin_dir>/<name>.wasm`.
    pub(super) path: Option<String>,
    /// The file is only loaded if this is its SHA-256, in hexadecimal.
    pub(super) sha256: Option<String>,
    /// What a component that imports WASI gets. Absent: it is refused.
    pub(super) wasi: Option<Wasi>,
    /// `false` takes it and its models out of use. Default: true.
    pub(super) enabled: Option<bool>,
}

/// What a component that imports WASI gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Wasi {
    /// An empty system: no environment, no arguments, no files, no network.
    DenyAll,
}

/// A name that stands for several models.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    /// How the model is chosen. Default: fallback.
    pub(super) strategy: Option<Strategy>,
    /// The models. For `fallback` the order counts, for `weighted` the weights.
    pub(super) models: Option<Vec<RouteModel>>,
    /// For people.
    pub(super) description: Option<String>,
    /// `false` takes it out of use. Default: true.
    pub(super) enabled: Option<bool>,
}

/// How a route chooses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// The first that works.
    #[default]
    Fallback,
    /// At random, as often as the weights say; then the others.
    Weighted,
    /// The one that has answered faster of late, of two at random; then the others.
    Latency,
}

/// Which way a caller's request goes to a model through the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// As the caller wrote it, where the model's plugin speaks the caller's wire, whatever is configured for the body.
    Relay,
    /// Through the unified request, always.
    Translate,
}

/// A filter: its plugin's name alone, or with settings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum FilterUse {
    /// The name of the plugin.
    Name(String),
    Entry(FilterEntry),
}

/// A filter with settings.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FilterEntry {
    /// The name of the plugin: listed under `plugins`, or `<plugin_dir>/<name>.wasm`.
    pub(super) plugin: Option<String>,
    /// Settings of the filter: `multillm plugin inspect` lists them.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub(super) settings: Option<JsonObject>,
}

/// A model of a route: its name alone, or with a weight.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RouteModel {
    /// The model's name.
    Name(String),
    Weighted(WeightedModel),
}

/// A model of a weighted route.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WeightedModel {
    /// The model's name.
    pub(super) model: Option<String>,
    /// How often it is chosen beside the others. Default: 1.
    pub(super) weight: Option<NonZeroU32>,
}
