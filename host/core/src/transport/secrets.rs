//! The secrets that a plugin may place, prepared once for all exchanges.

use secrecy::{ExposeSecret as _, SecretString};

use super::redact::Redactor;

/// Secrets by name, and what finds them in texts of a server. Cloning is cheap; its `Debug` shows none.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    named: Vec<(String, SecretString)>,
    redactor: Redactor,
}

impl Secrets {
    /// These, without those that are empty.
    #[must_use]
    pub fn new(named: impl IntoIterator<Item = (String, SecretString)>) -> Self {
        let named: Vec<_> = named
            .into_iter()
            .filter(|(_, secret)| !secret.expose_secret().is_empty())
            .collect();
        let redactor = Redactor::new(named.iter().map(|(_, secret)| secret));
        Secrets { named, redactor }
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        let named = self.named.iter();
        named.map(|(name, secret)| (name.as_str(), secret))
    }

    /// The secret of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        let mut all = self.iter();
        all.find_map(|(known, secret)| (known == name).then_some(secret))
    }

    /// What finds them.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}
