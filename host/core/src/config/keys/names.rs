//! What a key is called: by a provider's name, or by the name of a variable. Nothing here reads one.

use serde::Serialize;

use crate::config::built_in::{BuiltIn, built_in, built_in_of};
use crate::config::diagnose::{advice, quoted};
use crate::config::endpoint::API_KEY;
use crate::config::env::{is_variable_name, leads_the_program};
use crate::config::names::canonical;
use crate::config::provenance::Provenance;
use crate::config::resolve::looks_like_a_key;
use crate::config::secret::SecretSource;
use crate::config::{Config, vendors};

/// A provider, and where its key is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyName {
    /// The provider; none for a variable that no provider is known to use.
    pub provider: Option<String>,
    /// The variables that may hold its key, the best first.
    pub variables: Vec<String>,
    /// The configuration names them: then they may stand in any file of variables.
    pub configured: bool,
    /// What the configuration names instead: a file, a program, or that there is no key. Then no
    /// variable counts.
    pub instead: Option<String>,
}

/// Providers whose list of models is given to everybody, so that it says nothing of a key.
const OPEN_LISTS: [&str; 3] = ["huggingface", "ollama", "openrouter"];

impl KeyName {
    /// Does the vendor list its models for everybody, with any key or none.
    #[must_use]
    pub fn list_is_open(&self) -> bool {
        let provider = self.provider.as_deref();
        provider.is_some_and(|provider| OPEN_LISTS.contains(&provider))
    }

    fn of_built_in(known: &BuiltIn) -> Self {
        KeyName {
            provider: Some(known.name.to_owned()),
            variables: known.keys.iter().map(ToString::to_string).collect(),
            configured: false,
            instead: None,
        }
    }

    fn of_provider(config: &Config, name: &str) -> Option<Self> {
        let endpoint = &config.providers.get(name)?.endpoint;
        let (variables, instead) = match endpoint.source(API_KEY) {
            SecretSource::Customary => {
                let vendor = vendors::vendor(&endpoint.plugin).filter(|_| endpoint.customary);
                let keys = vendor.map_or(&[][..], |vendor| vendor.keys);
                (keys.iter().map(ToString::to_string).collect(), None)
            }
            SecretSource::Env(name) => (vec![name.clone()], None),
            SecretSource::None => (vec![], Some("no key".to_owned())),
            SecretSource::File(path) => (vec![], Some(format!("the file {}", path.display()))),
            SecretSource::Command(_) => (vec![], Some("a program".to_owned())),
        };
        Some(KeyName {
            provider: Some(name.to_owned()),
            variables,
            configured: matches!(endpoint.source(API_KEY), SecretSource::Env(_)),
            instead,
        })
    }
}

/// Every provider of the configuration and every vendor that the program knows, with where the key of
/// each is looked for.
#[must_use]
pub fn key_names(config: Option<&Config>) -> Vec<KeyName> {
    let providers = config.into_iter().flat_map(|config| {
        let names = config.providers.keys();
        names.filter_map(|name| KeyName::of_provider(config, name))
    });
    let mut names: Vec<KeyName> = providers.collect();
    for known in built_in() {
        let is_listed = |name: &KeyName| name.provider.as_deref() == Some(known.name);
        if !names.iter().any(is_listed) {
            names.push(KeyName::of_built_in(&known));
        }
    }
    names
}

/// The key that people call `name`: a provider's name, or a variable's. A configuration that was merely
/// found in the directory has no say in what the name of a vendor means.
///
/// # Errors
///
/// There is no such key: what could be meant. A name that may be a key itself is not repeated.
pub fn key_named(name: &str, config: Option<&Config>) -> Result<KeyName, String> {
    let name = name.trim();
    let all = key_names(config);
    let of_vendor = built_in_of(name).map(|known| KeyName::of_built_in(&known));
    let is_found = config.is_some_and(|config| config.provenance == Provenance::Found);
    if is_found && let Some(vendor) = of_vendor {
        return Ok(vendor);
    }
    let own_name = built_in_of(name).map_or(canonical(name), |known| known.name);
    let wanted = [name, own_name];
    let is_wanted = |known: &&KeyName| {
        let provider = known.provider.as_deref();
        provider.is_some_and(|provider| wanted.contains(&provider))
    };
    if let Some(known) = all.iter().find(is_wanted) {
        return Ok(known.clone());
    }
    let is_its = |known: &&KeyName| known.variables.iter().any(|variable| variable == name);
    let owner = all.iter().find(is_its);
    if vendors::is_address(name) || leads_the_program(name) {
        return Err(format!("{name} is no key: set it in the environment"));
    }
    if owner.is_some() || is_key_variable(name) && !looks_like_a_key(name) {
        return Ok(KeyName {
            provider: owner.and_then(|owner| owner.provider.clone()),
            variables: vec![name.to_owned()],
            configured: owner.is_some_and(|owner| owner.configured),
            instead: None,
        });
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let may_be_a_key = name.len() > 32 || name.starts_with("sk-") || looks_like_a_key(name);
    if name.is_empty() || may_be_a_key || !name.chars().all(plain) {
        return Err(
            "this is no provider's name: write \"multillm keys set PROVIDER\", and type the key \
             when you are asked for it"
                .to_owned(),
        );
    }
    let providers = all.iter().filter_map(|known| known.provider.as_deref());
    let advice = advice(name, providers, "");
    Err(format!(
        "no provider {}: {advice}; or write the name of its variable, such as ACME_API_KEY",
        quoted(name)
    ))
}

/// A name as variables have that hold keys: capitals, digits and `_`.
pub(super) fn is_key_variable(name: &str) -> bool {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    is_variable_name(name) && name.chars().all(capital) && name.contains('_')
}
