//! Whose signatures the user trusts, and for what.

use serde::{Deserialize, Serialize};

use super::{TrustError, TrustStore};

/// A public key of minisign that the user trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publisher {
    /// The key, as `minisign.pub` has it in its second line.
    pub key: String,
    /// What it vouches for: names of plugins, and beginnings of where they come from, such as
    /// `registry.example/acme`. Empty: whatever it signed.
    #[serde(default)]
    pub scopes: Vec<String>,
}

impl Publisher {
    /// Whether it was trusted for exactly this: a plugin of this name, or one from this place, which is a registry and
    /// a path, or a URL without its scheme.
    #[must_use]
    pub fn is_bound_to(&self, name: &str, place: &str) -> bool {
        let leads = |scope: &String| {
            let rest = place.strip_prefix(scope.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '@']))
        };
        self.scopes
            .iter()
            .any(|scope| scope == name || leads(scope))
    }

    /// Whether it may vouch for this at all.
    #[must_use]
    pub fn may_vouch_for(&self, name: &str, place: &str) -> bool {
        self.scopes.is_empty() || self.is_bound_to(name, place)
    }
}

impl TrustStore {
    /// The keys whose signatures count.
    ///
    /// # Errors
    ///
    /// They cannot be read: then nothing is known of who may sign what.
    pub fn publishers(&self) -> Result<Vec<Publisher>, TrustError> {
        match &self.file {
            Some(file) => Ok(file.read()?.publishers),
            None => Ok(vec![]),
        }
    }

    /// Trusts a key for something more; `None`: for whatever it signed.
    ///
    /// # Errors
    ///
    /// It cannot be kept.
    pub fn trust_publisher(&self, key: &str, scope: Option<&str>) -> Result<(), TrustError> {
        let kept = self.file()?.change(|content| {
            let known = content.publishers.iter_mut().find(|known| known.key == key);
            match (known, scope) {
                (None, scope) => content.publishers.push(Publisher {
                    key: key.to_owned(),
                    scopes: scope.map(str::to_owned).into_iter().collect(),
                }),
                (Some(known), None) => known.scopes.clear(),
                // One that is trusted for everything is not narrowed by naming a part of it.
                (Some(known), Some(_)) if known.scopes.is_empty() => return false,
                (Some(known), Some(scope)) if known.scopes.iter().any(|it| it == scope) => {
                    return false;
                }
                (Some(known), Some(scope)) => known.scopes.push(scope.to_owned()),
            }
            true
        });
        kept.map(drop)
    }
}
