//! Configured headers: which names are free, and that no secret stands in a value.

use std::collections::BTreeMap;

use super::super::diagnose::quoted;
use super::super::document::Place;
use super::super::endpoint::Header;
use super::Resolver;
use super::key::reference;

/// The host's own: what describes the connection or the body.
const OWNED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whose values are secrets.
const SECRET: [&str; 6] = [
    "api-key",
    "authorization",
    "cookie",
    "x-api-key",
    "x-auth-token",
    "x-goog-api-key",
];

impl Resolver<'_> {
    pub(super) fn headers(
        &mut self,
        place: &Place,
        raw: Option<&BTreeMap<String, String>>,
    ) -> BTreeMap<String, Header> {
        let mut headers = BTreeMap::new();
        for (key, value) in raw.into_iter().flatten() {
            let at = place.key(key);
            let name = key.to_ascii_lowercase();
            if !is_header_name(&name) {
                self.fault_of_key(&at, "is no name of a header: use letters, digits and '-'");
            } else if OWNED.contains(&name.as_str()) {
                self.fault_of_key(&at, "is set by the program itself: remove it");
            } else if let Some(header) = self.header(&at, &name, value) {
                let doubled = format!("is the same as {}: remove one", quoted(&name));
                if headers.insert(name, header).is_some() {
                    self.fault_of_key(&at, doubled);
                }
            }
        }
        headers
    }

    fn header(&mut self, place: &Place, name: &str, value: &str) -> Option<Header> {
        let value = value.trim();
        if !value
            .bytes()
            .all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
        {
            self.fault(
                place,
                "holds characters that no header can carry: remove them",
            );
            return None;
        }
        if let Some(start) = value.find('$') {
            let (prefix, variable) = value.split_at_checked(start)?;
            if let Some(variable) = reference(variable) {
                return Some(Header::Secret {
                    prefix: prefix.to_owned(),
                    source: self.variable(place, Some(variable))?,
                });
            }
            if value.contains("${") {
                let message =
                    "a variable stands at the end, as in \"Bearer ${NAME}\": move it there";
                self.fault(place, message);
                return None;
            }
        }
        if SECRET.contains(&name) {
            let message = "a secret does not belong into this file: put it into the environment \
                           or .env and write \"${NAME}\" here";
            self.fault(place, message);
            return None;
        }
        Some(Header::Plain(value.to_owned()))
    }
}

/// A token of RFC 9110, section 5.6.2.
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
