//! The system's keyring, where the program was built with it: the Secret Service on Linux and the
//! BSDs, the Keychain on macOS, the Credential Manager on Windows.

use secrecy::SecretString;

/// What all entries of this program are filed under.
#[cfg(feature = "keyring")]
const SERVICE: &str = "multillm";

#[cfg(feature = "keyring")]
mod system {
    use keyring::v1::{Entry, Error};
    use secrecy::{ExposeSecret as _, SecretString};

    use super::SERVICE;

    /// Works with an entry, on a thread of its own: what speaks with the keyring may bring a loop of
    /// its own along, which is not to run within another.
    fn with<T: Send>(
        name: &str,
        work: impl FnOnce(&Entry) -> Result<T, Error> + Send,
    ) -> Result<Option<T>, String> {
        let asking = || {
            if let Err(error) = Entry::store_status() {
                return Err(format!("there is no keyring to be reached: {error}"));
            }
            match Entry::new(SERVICE, name).and_then(|entry| work(&entry)) {
                Ok(value) => Ok(Some(value)),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(said(&error)),
            }
        };
        std::thread::scope(|scope| {
            let asked = scope.spawn(asking).join();
            asked.unwrap_or_else(|_| Err("the keyring cannot be used".to_owned()))
        })
    }

    /// What the keyring says; never what stood in it.
    fn said(error: &Error) -> String {
        match error {
            Error::BadEncoding(_) => "what the keyring holds is no text".to_owned(),
            Error::Ambiguous(_) => "the keyring holds several keys of this name".to_owned(),
            other => format!("the keyring: {other}"),
        }
    }

    pub(in crate::config::keys) fn get(name: &str) -> Result<Option<SecretString>, String> {
        Ok(with(name, Entry::get_password)?.map(SecretString::from))
    }

    pub(in crate::config::keys) fn set(name: &str, key: &SecretString) -> Result<(), String> {
        with(name, |entry| entry.set_password(key.expose_secret())).map(drop)
    }

    pub(in crate::config::keys) fn remove(name: &str) -> Result<(), String> {
        with(name, Entry::delete_credential).map(drop)
    }
}

#[cfg(feature = "keyring")]
pub(super) use system::{get, remove, set};

#[cfg(not(feature = "keyring"))]
const WITHOUT: &str = "this program was built without the system's keyring: build it with \
                       --features keyring, or keep the key in your file";

#[cfg(not(feature = "keyring"))]
pub(super) fn get(_: &str) -> Result<Option<SecretString>, String> {
    Err(WITHOUT.to_owned())
}

#[cfg(not(feature = "keyring"))]
pub(super) fn set(_: &str, _: &SecretString) -> Result<(), String> {
    Err(WITHOUT.to_owned())
}

#[cfg(not(feature = "keyring"))]
pub(super) fn remove(_: &str) -> Result<(), String> {
    Err(WITHOUT.to_owned())
}
