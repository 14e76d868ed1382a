//! The validated entries of a configuration: plugins, providers, models, routes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::endpoint::Endpoint;
use super::names::VENDORS;
use super::policy::RateLimits;
use super::price::Prices;
pub use super::schema::{Strategy, Wasi};
use crate::chat::{ReasoningEffort, Sampling};

/// A plugin: where its component file stands and what it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// Its name, such as `openai`.
    pub name: String,
    /// The component file. Whether it is there is seen when it is needed, see [`Plugin::file`].
    pub path: PathBuf,
    /// Is it listed in the configuration. False: it is looked for in the plugin directory.
    pub listed: bool,
    /// SHA-256 that the file must have, 64 lower-case hexadecimal digits.
    pub sha256: Option<String>,
    /// What it gets if it imports WASI; absent: it is refused.
    pub wasi: Option<Wasi>,
    /// May it be used.
    pub enabled: bool,
}

/// A plugin's file is not where it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plugin {name:?} is not there: no file {}: {fix}", path.display())]
pub struct MissingPlugin {
    /// The plugin.
    pub name: String,
    /// Where it should be.
    pub path: PathBuf,
    /// What to do.
    pub fix: String,
}

impl Plugin {
    /// The component file, which is there.
    ///
    /// # Errors
    ///
    /// It is not, with what to do.
    pub fn file(&self) -> Result<&Path, MissingPlugin> {
        if self.path.is_file() {
            return Ok(&self.path);
        }
        Err(MissingPlugin {
            name: self.name.clone(),
            path: self.path.clone(),
            fix: self.fix(),
        })
    }

    /// What to do when the file is not there.
    pub(super) fn fix(&self) -> String {
        let name = &self.name;
        if self.listed {
            format!("put it there or correct its path under plugins.{name}")
        } else if VENDORS.contains(&name.as_str()) {
            format!("run \"cargo xtask plugins\", or say where it is under plugins.{name}")
        } else {
            format!("put it there, or say where it is under plugins.{name}")
        }
    }
}

/// A vendor or a server.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name, such as `openai` or `groq`.
    pub name: String,
    /// The plugin that speaks its language.
    pub plugin: Arc<Plugin>,
    /// How it is reached when no model is meant, as for listing its models.
    pub endpoint: Endpoint,
    /// What may be sent to it and spent on it, all its models together.
    pub limits: RateLimits,
    /// Most requests to it at one time; absent: no limit of its own.
    pub max_concurrency: Option<u32>,
    /// May it be used: neither it nor its plugin is switched off.
    pub enabled: bool,
    /// For people.
    pub description: Option<String>,
}

/// A model, with everything that its provider says for it.
#[derive(Debug, Clone)]
pub struct Model {
    /// The name it is asked for by.
    pub name: String,
    /// Whose it is.
    pub provider: Arc<Provider>,
    /// The vendor's name of it.
    pub model_name: String,
    /// How it is reached.
    pub endpoint: Endpoint,
    /// How tokens are drawn unless the caller says otherwise.
    pub sampling: Sampling,
    /// How much to think unless the caller says otherwise.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Instructions for a conversation that has none of its own.
    pub system: Option<String>,
    /// Merged into the vendor's body last.
    pub extra: Map<String, Value>,
    /// Prices of the configuration; absent: a price table may know them.
    pub prices: Option<Prices>,
    /// Most tokens that fit, input and output together.
    pub context_window: Option<u64>,
    /// What it can and cannot do where that differs from its plugin.
    pub capabilities: Capabilities,
    /// What may be sent to it and spent on it.
    pub limits: RateLimits,
    /// Most requests to it at one time; absent: no limit of its own.
    pub max_concurrency: Option<u32>,
    /// May it be used: neither it nor its provider nor its plugin is switched off.
    pub enabled: bool,
    /// For people.
    pub description: Option<String>,
}

/// What a model can and cannot do. Absent: what its plugin says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Answer piece by piece.
    pub streaming: Option<bool>,
    /// Call tools.
    pub tools: Option<bool>,
    /// See pictures.
    pub images: Option<bool>,
    /// Answer with JSON that satisfies a schema.
    pub json_schema: Option<bool>,
    /// Think before it answers.
    pub reasoning: Option<bool>,
}

/// A name that stands for several models.
#[derive(Debug, Clone)]
pub struct Route {
    /// The name it is asked for by.
    pub name: String,
    /// How the model is chosen.
    pub strategy: Strategy,
    /// At least one, in order; those that are switched off stand here too.
    pub models: Vec<RouteModel>,
    /// May it be used.
    pub enabled: bool,
    /// For people.
    pub description: Option<String>,
}

/// A model of a route.
#[derive(Debug, Clone)]
pub struct RouteModel {
    /// The model.
    pub model: Arc<Model>,
    /// How often it is chosen beside the others; 1 unless the route is weighted.
    pub weight: u32,
}
