//! Ids and signatures that can be recognised later without remembering them: each carries a check over
//! what it stands for, so that an altered or invented one is refused. Not cryptography: it guards tests
//! against mistakes, not against attackers.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Domain separation from any other use of the same hash.
const SALT: &str = "multillm-simulator seal 1";

/// A hash that is the same in every run of the same build.
pub(crate) fn digest(parts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    SALT.hash(&mut hasher);
    parts.hash(&mut hasher);
    hasher.finish()
}

/// The `n`th id made for a request with this seed, e.g. `call_0011…`.
pub(crate) fn id(prefix: &str, seed: u64, n: usize) -> String {
    let nonce = format!(
        "{:016x}",
        digest(&["nonce", &seed.to_string(), &n.to_string()])
    );
    let check = id_check(prefix, &nonce);
    format!("{prefix}{nonce}{check}")
}

/// Whether this id was made by [`id`] with that prefix.
pub(crate) fn issued(prefix: &str, id: &str) -> bool {
    let Some((nonce, check)) = id
        .strip_prefix(prefix)
        .and_then(|rest| rest.split_at_checked(16))
    else {
        return false;
    };
    check == id_check(prefix, nonce)
}

fn id_check(prefix: &str, nonce: &str) -> String {
    format!("{:08x}", digest(&["id", prefix, nonce]) >> 32)
}

/// A signature over `text`, base64, as opaque as the vendors' own.
pub(crate) fn sign(purpose: &str, text: &str) -> String {
    let mut bytes = b"\x12\xa4\x01sim".to_vec();
    for round in ["1", "2", "3", "4"] {
        bytes.extend(digest(&[purpose, text, round]).to_be_bytes());
    }
    STANDARD.encode(bytes)
}

/// Whether `signature` was made by [`sign`] over exactly this text.
pub(crate) fn verify(purpose: &str, text: &str, signature: &str) -> bool {
    sign(purpose, text) == signature
}

/// A UUID-shaped id, the same for the same seed.
pub(crate) fn uuid(seed: u64) -> String {
    let high = digest(&["uuid-high", &seed.to_string()]);
    let low = digest(&["uuid-low", &seed.to_string()]);
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_recognised_and_an_invented_one_is_not() {
        let made = id("toolu_", 7, 0);
        assert!(issued("toolu_", &made));
        assert!(!issued("call_", &made));
        assert!(!issued("toolu_", "toolu_01"));
        assert_ne!(made, id("toolu_", 7, 1));
    }

    #[test]
    fn a_signature_holds_for_its_text_only() {
        let signature = sign("thinking", "abc");
        assert!(verify("thinking", "abc", &signature));
        assert!(!verify("thinking", "abd", &signature));
        assert!(!verify("call", "abc", &signature));
    }
}
