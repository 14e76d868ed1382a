//! Models that need no entry: `provider/model` for every provider, the configured ones and those
//! that come with the program. What is written in the configuration goes before.

use std::borrow::Cow;
use std::sync::Arc;

use super::diagnose::{folded, quoted};
use super::dropped_in::DroppedIn;
use super::model::{Capabilities, Model, Provider};
use super::names::{canonical, is_model_name};
use super::policy::{RateLimits, Timeouts};
use super::resolve::{Parts, endpoint};
use super::vendors::compatible;

/// A provider, and what it says for its models.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) provider: Arc<Provider>,
    pub(super) parts: Parts,
    /// It comes with the program, and no entry says anything of it.
    pub(super) built_in: bool,
}

/// What models can be made of.
#[derive(Debug, Default)]
pub(super) struct Implied {
    /// The configured ones by name, then the others in the order of [`built_in`](super::built_in).
    pub(super) bases: Vec<Base>,
    pub(super) timeouts: Timeouts,
    /// What else may be there, and is looked for when it is asked for.
    pub(super) dropped_in: DroppedIn,
}

impl Implied {
    /// The provider of this name, whatever its case, or of another name for it.
    pub(super) fn base(&self, name: &str) -> Option<Cow<'_, Base>> {
        let named = |wanted: &str| self.bases.iter().find(|base| base.provider.name == wanted);
        let alike = || {
            let wanted = folded(name);
            let mut bases = self.bases.iter();
            bases.find(|base| folded(&base.provider.name) == wanted)
        };
        let known = || named(compatible(name)?.vendor.name);
        let written = named(canonical(name)).or_else(alike).or_else(known);
        written.map(Cow::Borrowed).or_else(|| {
            let found = self.dropped_in.base(name, &self.timeouts)?;
            Some(Cow::Owned(found))
        })
    }

    /// The model of a name such as `openai/gpt-5-mini`.
    pub(super) fn model(&self, name: &str) -> Option<Model> {
        let (provider, model_name) = name.split_once('/')?;
        let base = self.base(provider)?;
        // A question with a slash in it is no model.
        if !is_model_name(model_name) || model_name.contains(char::is_whitespace) {
            return None;
        }
        let Base {
            provider, parts, ..
        } = base.as_ref();
        let owner = format!("model {}", quoted(name));
        let plugin = &provider.plugin.name;
        Some(Model {
            name: name.to_owned(),
            model_name: model_name.to_owned(),
            endpoint: endpoint(&self.timeouts, owner, &provider.name, plugin, parts),
            sampling: parts.sampling.clone(),
            reasoning_effort: parts.reasoning_effort,
            system: parts.system.clone(),
            unsupported: parts.unsupported,
            extra: parts.extra.clone(),
            prices: parts.prices.clone(),
            cost_source: parts.cost_source.unwrap_or_default(),
            context_window: None,
            capabilities: Capabilities::default(),
            limits: RateLimits::default(),
            max_concurrency: None,
            filters: parts.filters.clone(),
            lane: provider.lane,
            enabled: provider.enabled,
            description: None,
            provider: provider.clone(),
        })
    }
}

/// The vendor whose model of this name most likely is, for advice: names of families begin alike.
pub(super) fn vendor_of(model: &str) -> Option<&'static str> {
    const FAMILIES: [(&str, &str); 13] = [
        ("gpt-oss", "ollama"),
        ("gpt-", "openai"),
        ("o1", "openai"),
        ("o3", "openai"),
        ("o4-", "openai"),
        ("claude", "claude"),
        ("gemini", "gemini"),
        ("command", "cohere"),
        ("mistral-", "mistral"),
        ("deepseek-", "deepseek"),
        ("grok", "xai"),
        ("sonar", "perplexity"),
        ("llama", "ollama"),
    ];
    let name = model.to_ascii_lowercase();
    let mut families = FAMILIES.into_iter();
    families
        .find(|(family, _)| name.starts_with(family))
        .map(|(_, vendor)| vendor)
}
