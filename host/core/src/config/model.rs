//! The validated entries of a configuration: plugins, providers, models, routes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::embedded::EmbeddedPlugin;
use super::endpoint::Endpoint;
use super::installed::OwnPlugin;
use super::mark::Mark;
use super::names::VENDORS;
use super::policy::RateLimits;
use super::price::Prices;
pub use super::schema::{CostSource, Lane, Strategy, Wasi};
use crate::chat::{JsonObject, ReasoningEffort, Sampling, Unsupported};

/// A plugin: where its component file stands and what it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// Its name, such as `openai`.
    pub name: String,
    /// The component file. Whether it is there is seen when it is needed, see [`Plugin::source`].
    pub path: PathBuf,
    /// Is it listed in the configuration. False: it is looked for in the plugin directory.
    pub listed: bool,
    /// SHA-256 that the file must have, 64 lower-case hexadecimal digits.
    pub sha256: Option<String>,
    /// What it gets if it imports WASI; absent: it is refused.
    pub wasi: Option<Wasi>,
    /// May it be used.
    pub enabled: bool,
    /// The component that the program brings along under this name, where the configuration names no
    /// other file.
    pub embedded: Option<EmbeddedPlugin>,
    /// What its file was when it was looked for, if it is looked for each time that it is asked for.
    pub mark: Option<Mark>,
}

/// Where a plugin's component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginSource<'a> {
    /// In a file, which is there.
    File(&'a Path),
    /// In the program itself.
    Embedded(EmbeddedPlugin),
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
    /// One in a file, of which nothing is said.
    pub(super) fn unlisted(name: &str, path: PathBuf) -> Self {
        Plugin {
            name: name.to_owned(),
            path,
            listed: false,
            sha256: None,
            wasi: None,
            enabled: true,
            embedded: None,
            mark: None,
        }
    }

    /// The same, of what stands in the user's own directory.
    pub(super) fn installed(self, own: OwnPlugin) -> Self {
        let known = own.installed.as_ref();
        Plugin {
            sha256: known.map(|known| known.sha256.clone()),
            wasi: known.and_then(|known| known.wasi),
            path: own.path,
            ..self
        }
    }

    /// The component: its file, where there is one, or else the program's own.
    ///
    /// # Errors
    ///
    /// There is neither, with what to do.
    pub fn source(&self) -> Result<PluginSource<'_>, MissingPlugin> {
        if self.path.is_file() {
            return Ok(PluginSource::File(&self.path));
        }
        if let Some(embedded) = self.embedded {
            return Ok(PluginSource::Embedded(embedded));
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
            format!(
                "this program was built without its plugins: run \"cargo xtask plugins\" and build \
                 it again, or say where it is under plugins.{name}"
            )
        } else {
            format!("put it there, or say where it is under plugins.{name}")
        }
    }
}

/// The most filters that stand between a caller and one model.
pub const MOST_FILTERS: usize = 8;

/// A filter between a caller and a model.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterUse {
    /// The plugin that is the filter.
    pub plugin: Arc<Plugin>,
    /// What it is told.
    pub settings: JsonObject,
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
    /// Filters before all its models, in order.
    pub filters: Vec<FilterUse>,
    /// Which way requests of the gateway's callers go, where its models do not say.
    pub lane: Option<Lane>,
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
    /// What becomes of what the vendor or the model cannot do, unless the caller says otherwise; absent: an error.
    pub unsupported: Option<Unsupported>,
    /// Merged into the vendor's body last.
    pub extra: JsonObject,
    /// Prices of the configuration; absent: a price table may know them.
    pub prices: Option<Prices>,
    /// What counts where the vendor says what an answer cost.
    pub cost_source: CostSource,
    /// Most tokens that fit, input and output together.
    pub context_window: Option<u64>,
    /// What it can and cannot do where that differs from its plugin.
    pub capabilities: Capabilities,
    /// What may be sent to it and spent on it.
    pub limits: RateLimits,
    /// Most requests to it at one time; absent: no limit of its own.
    pub max_concurrency: Option<u32>,
    /// Filters between a caller and it, in order: the provider's, then its own.
    pub filters: Vec<FilterUse>,
    /// Which way requests of the gateway's callers go; absent: as the request and the configuration allow.
    pub lane: Option<Lane>,
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
