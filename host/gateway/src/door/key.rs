//! A key of the gateway: how it is made, what is kept of it, what it allows.
//!
//! A key is 32 random bytes behind a prefix that secret scanners can look for. It is shown once; what is kept is its
//! SHA-256, which is as good as the key is long: nobody finds 256 random bits by trying.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What every key begins with.
pub const PREFIX: &str = "mlk-";
/// The longest text that is looked at as a key.
const LONGEST: usize = 256;

/// A key that was just made. Its `Debug` does not show it.
pub struct NewKey(String);

impl NewKey {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// The system has no randomness.
    pub fn make() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(NewKey(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The key itself, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(digest(&self.0))
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewKey")
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// What is kept of a key, and what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyEntry {
    /// Whose it is: what the history calls the caller, and what budgets go by. Stays when the key is rotated.
    pub name: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Unix time in milliseconds when it was made.
    pub created_ms: i64,
    /// Until when it is valid; absent: as long as it is not revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_ms: Option<i64>,
    /// Models and routes that it may ask; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Requests in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Tokens in a minute, input and output together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// US dollars in a day (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_per_day: Option<Decimal>,
    /// US dollars in a month (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_per_month: Option<Decimal>,
    /// Requests at one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
}

impl KeyEntry {
    /// Whether this is the key. Takes as long whether or not it is.
    pub(crate) fn is(&self, offered: &[u8; 32]) -> bool {
        let mut own = [0; 32];
        let known = hex::decode_to_slice(&self.sha256, &mut own).is_ok();
        bool::from(own.ct_eq(offered)) && known
    }

    /// Whether it may ask this model or route.
    #[must_use]
    pub fn may_ask(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|known| known == model)
    }
}

/// What is compared of a key that somebody offers; nothing if it can be none.
pub(crate) fn offered(text: &str) -> Option<[u8; 32]> {
    (text.starts_with(PREFIX) && text.len() <= LONGEST).then(|| digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_digest_alone() {
        let (one, other) = (NewKey::make().unwrap(), NewKey::make().unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(one.reveal().len(), PREFIX.len() + 43);
        let entry = KeyEntry {
            sha256: one.digest(),
            ..KeyEntry::default()
        };
        assert!(entry.is(&offered(one.reveal()).unwrap()));
        assert!(!entry.is(&offered(other.reveal()).unwrap()));
        assert!(!format!("{one:?}{entry:?}").contains(one.reveal()));
        assert!(offered("sk-somebody-elses").is_none());
        assert!(offered(&format!("{PREFIX}{}", "a".repeat(LONGEST))).is_none());
        // What is damaged is nobody's key, not even that of a digest of zeros.
        for damaged in ["", "00", "zz"] {
            let entry = KeyEntry {
                sha256: damaged.to_owned(),
                ..KeyEntry::default()
            };
            assert!(!entry.is(&[0; 32]));
        }
    }

    #[test]
    fn a_key_without_models_may_ask_all() {
        let mut entry = KeyEntry::default();
        assert!(entry.may_ask("m"));
        entry.models = vec!["m".to_owned()];
        assert!(entry.may_ask("m") && !entry.may_ask("n"));
    }
}
