//! Signatures over components, by minisign: whose they are, and whether whoever made them may vouch for it.
//!
//! A signature says which key made it and not what that key is; so it proves something only by a key that the user
//! trusts. What is not signed, or by a stranger, may be installed: that is said. Where the user trusts a key for
//! exactly this plugin or place, nothing else will do.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{PublicKey, Signature};
use multillm::bounded;
use multillm::config::Publisher;

use crate::oci::MAX_SIGNATURE;

/// What a signature is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// There is none.
    Unsigned,
    /// Nobody whom the user trusts made it.
    Stranger {
        /// The key's number.
        id: String,
    },
    /// By a key that the user trusts.
    Signed {
        /// The key.
        key: String,
        /// Its number.
        id: String,
        /// What its owner signed along with the bytes. A text of others.
        comment: String,
    },
}

impl Standing {
    /// The key that vouches for it.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Standing::Signed { key, .. } => Some(key),
            _ => None,
        }
    }

    /// For people.
    pub(super) fn told(&self) -> String {
        match self {
            Standing::Unsigned => "none: nobody vouches for these bytes".to_owned(),
            Standing::Stranger { id } => format!(
                "by the key {id}, which you do not trust: it proves nothing (\"multillm plugin trust --key\")"
            ),
            Standing::Signed { id, comment, .. } => {
                format!("good, by the key {id} that you trust ({comment})")
            }
        }
    }
}

/// What is signed, and what may vouch for it.
pub(super) struct Claim<'a> {
    pub(super) component: &'a [u8],
    pub(super) signature: Option<&'a str>,
    /// Under which it is to be used.
    pub(super) name: &'a str,
    /// Where it comes from: see [`Publisher::is_bound_to`].
    pub(super) place: &'a str,
    /// The key that vouched for what it takes the place of.
    pub(super) before: Option<&'a str>,
}

impl Claim<'_> {
    /// What the signature is worth.
    ///
    /// # Errors
    ///
    /// It is none, it is not over these bytes, or the wrong one made it.
    pub(super) fn judged(&self, publishers: &[Publisher]) -> Result<Standing, String> {
        let bound: Vec<&Publisher> = publishers
            .iter()
            .filter(|known| known.is_bound_to(self.name, self.place))
            .collect();
        let wanted: Vec<&str> = match self.before {
            Some(key) => vec![key],
            None => bound.iter().map(|known| known.key.as_str()).collect(),
        };
        let ids = |keys: &[&str]| {
            let ids: Vec<String> = keys
                .iter()
                .map(|key| id_of_key(key).unwrap_or_default())
                .collect();
            ids.join(" or ")
        };
        let why = match self.before {
            Some(_) => "what is installed was signed by",
            None => "you trust for it only",
        };
        let Some(text) = self.signature else {
            return match wanted.is_empty() {
                true => Ok(Standing::Unsigned),
                false => Err(format!(
                    "it is not signed, and {why} the key {}",
                    ids(&wanted)
                )),
            };
        };
        let signature = Signature::decode(text.trim())
            .map_err(|_| "its signature is none that minisign makes".to_owned())?;
        let id = id_of_signature(text).ok_or("its signature is none that minisign makes")?;
        let is_by = |key: &&str| id_of_key(key).as_ref() == Some(&id);
        let trusted = publishers
            .iter()
            .filter(|known| known.may_vouch_for(self.name, self.place))
            .map(|known| known.key.as_str());
        let mut keys = match wanted.is_empty() {
            true => trusted.collect::<Vec<_>>(),
            false => wanted.clone(),
        };
        keys.retain(|key| is_by(key));
        if keys.is_empty() && !wanted.is_empty() {
            return Err(format!(
                "it is signed by the key {id}, and {why} the key {}",
                ids(&wanted)
            ));
        }
        if keys.is_empty() {
            return Ok(Standing::Stranger { id });
        }
        // Two keys may bear one number: whoever made the signature has the right one.
        let made = keys.iter().find(|key| {
            PublicKey::from_base64(key)
                .is_ok_and(|key| key.verify(self.component, &signature, false).is_ok())
        });
        match made {
            Some(key) => Ok(Standing::Signed {
                key: (*key).to_owned(),
                id,
                comment: signature.trusted_comment().to_owned(),
            }),
            None => Err(format!(
                "its signature bears the number of the key {id}, and is not over these bytes: they were changed, or the \
                 signature was (minisign's older form, without -H, is not read)"
            )),
        }
    }
}

/// The number of a public key, as minisign writes it.
pub(crate) fn id_of_key(key: &str) -> Option<String> {
    let bytes = STANDARD.decode(key.trim()).ok()?;
    (bytes.len() == 42).then(|| id_of(&bytes)).flatten()
}

/// The number of the key that made a signature.
fn id_of_signature(text: &str) -> Option<String> {
    let line = text.trim().lines().nth(1)?;
    id_of(&STANDARD.decode(line.trim()).ok()?)
}

fn id_of(bytes: &[u8]) -> Option<String> {
    let mut number = bytes.get(2..10)?.to_vec();
    number.reverse();
    Some(hex::encode_upper(number))
}

/// The public key that is meant: the key itself, or a file such as `minisign.pub`.
///
/// # Errors
///
/// It is neither.
pub(super) fn public_key(text: &str) -> Result<String, String> {
    if id_of_key(text).is_some() && PublicKey::from_base64(text.trim()).is_ok() {
        return Ok(text.trim().to_owned());
    }
    let content = bounded::text(Path::new(text), MAX_SIGNATURE).map_err(|error| {
        format!("{text:?} is no public key of minisign, and no file that holds one: {error}")
    })?;
    let lines = content.lines().map(str::trim);
    let mut keys = lines.filter(|line| id_of_key(line).is_some());
    keys.find(|line| PublicKey::from_base64(line).is_ok())
        .map(str::to_owned)
        .ok_or_else(|| format!("{text} holds no public key of minisign"))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use minisign::KeyPair;

    use super::*;

    fn signed(pair: &KeyPair, bytes: &[u8]) -> String {
        let comment = Some("version 1");
        let signature = minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(bytes), comment, None);
        signature.unwrap().into_string()
    }

    fn publisher(pair: &KeyPair, scopes: &[&str]) -> Publisher {
        Publisher {
            key: pair.pk.to_base64(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }

    #[test]
    fn only_a_key_that_is_trusted_for_it_vouches() {
        let pair = || KeyPair::generate_unencrypted_keypair().unwrap();
        let (own, other) = (pair(), pair());
        let bytes = b"component";
        let (good, foreign, over) = (
            signed(&own, bytes),
            signed(&other, bytes),
            signed(&own, b"others"),
        );
        let id = id_of_key(&own.pk.to_base64()).unwrap();
        let (key, bound) = (own.pk.to_base64(), ["r.example/acme"]);
        let claim = |signature: Option<&str>, before: Option<&str>, known: &[Publisher]| {
            let claim = Claim {
                component: bytes,
                signature,
                name: "acme",
                place: "r.example/acme/plugin",
                before,
            };
            claim.judged(known)
        };
        let any = [publisher(&own, &[])];
        let here = [
            publisher(&own, &bound),
            publisher(&other, &["elsewhere.example"]),
        ];
        for known in [&any[..], &here] {
            match claim(Some(&good), None, known).unwrap() {
                Standing::Signed {
                    key: by,
                    comment,
                    id: number,
                } => {
                    assert_eq!(
                        (by, comment.as_str(), &number),
                        (key.clone(), "version 1", &id)
                    );
                }
                standing => panic!("{standing:?}"),
            }
            let error = claim(Some(&over), None, known).unwrap_err();
            assert!(error.contains("not over these bytes"), "{error}");
        }
        assert_eq!(claim(None, None, &any), Ok(Standing::Unsigned));
        assert!(matches!(
            claim(Some(&foreign), None, &any),
            Ok(Standing::Stranger { .. })
        ));
        assert!(matches!(
            claim(Some(&good), None, &[]),
            Ok(Standing::Stranger { .. })
        ));
        // A key that is trusted for another place is nobody here.
        let elsewhere = [publisher(
            &own,
            &["r.example/acm", "r.example.evil", "acme2"],
        )];
        assert!(matches!(
            claim(Some(&good), None, &elsewhere),
            Ok(Standing::Stranger { .. })
        ));
        for (signature, before, known, reason) in [
            (None, None, &here[..], "is not signed, and you trust"),
            (Some(&foreign), None, &here, "signed by the key"),
            (None, Some(&key), &[], "what is installed was signed by"),
            (
                Some(&foreign),
                Some(&key),
                &any,
                "what is installed was signed by",
            ),
            (
                Some(&"nonsense".to_owned()),
                None,
                &any,
                "none that minisign makes",
            ),
        ] {
            let error = claim(
                signature.map(String::as_str),
                before.map(String::as_str),
                known,
            )
            .unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        // Whoever signed before needs no longer be on the list.
        assert!(matches!(
            claim(Some(&good), Some(&key), &[]),
            Ok(Standing::Signed { .. })
        ));
    }

    #[test]
    fn a_key_is_written_or_stands_in_a_file() {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let key = pair.pk.to_base64();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("minisign.pub");
        std::fs::write(&file, pair.pk.to_box().unwrap().to_string()).unwrap();
        assert_eq!(public_key(&key).unwrap(), key);
        assert_eq!(public_key(&file.display().to_string()).unwrap(), key);
        std::fs::write(&file, "untrusted comment: x\nnonsense").unwrap();
        for wrong in [&file.display().to_string(), "RWQnonsense", ""] {
            public_key(wrong).unwrap_err();
        }
    }
}
