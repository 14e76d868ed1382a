//! The secrets of an exchange, and keeping them out of whatever a vendor sends back.

use memchr::memmem::Finder;
use secrecy::{ExposeSecret as _, SecretString};

use crate::transport::redact;

/// Bytes of a secret that make a text worth a closer look.
const TELLTALE: usize = 8;

/// Secrets that were sent, and must not come back.
#[derive(Clone)]
pub(super) struct Hidden {
    secrets: Vec<SecretString>,
    /// The beginning of each: cheap to look for in every piece of a stream.
    telltales: Vec<Finder<'static>>,
}

impl Hidden {
    pub(super) fn new(secrets: Vec<SecretString>) -> Self {
        let telltales = secrets
            .iter()
            .map(|secret| {
                let bytes = secret.expose_secret().as_bytes();
                Finder::new(bytes.get(..TELLTALE).unwrap_or(bytes)).into_owned()
            })
            .collect();
        Hidden { secrets, telltales }
    }

    /// The text of an error without the secrets, also where they are escaped or cut short.
    pub(super) fn clean(&self, text: &str) -> String {
        redact(text, &self.secrets).into_owned()
    }

    /// The same for a piece of an answer, at the cost of one look where there is nothing to hide.
    pub(super) fn clean_piece(&self, text: String) -> String {
        let suspicious = self
            .telltales
            .iter()
            .any(|telltale| telltale.find(text.as_bytes()).is_some());
        match suspicious {
            true => self.clean(&text),
            false => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_repeats_a_key_loses_it() {
        let hidden = Hidden::new(vec![SecretString::from("sk-abcdef-0123456789")]);
        let clean = hidden.clean_piece("you sent sk-abcdef-0123456789, thanks".into());
        assert!(!clean.contains("0123456789"), "{clean}");
        assert_eq!(hidden.clean_piece("nothing here".into()), "nothing here");
    }
}
