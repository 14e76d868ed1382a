//! Request headers: what a plugin may set, what is the host's, where a secret goes.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue as Value};
use secrecy::ExposeSecret;

use super::error::{Rule, TransportError};
use super::secrets::Secrets;
use crate::described::{Framing, HeaderValue};

const MAX_COUNT: usize = 64;
const MAX_BYTES: usize = 32 << 10;

/// Headers that a plugin may not set. Hop-by-hop ones (RFC 9110, section 7.6.1), those that frame
/// the message, and those that speak for the client.
const OF_THE_HOST: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

/// Checks the headers and fills in secrets and defaults.
pub(super) fn build(
    wanted: Vec<(String, HeaderValue)>,
    secrets: &Secrets,
    has_body: bool,
    framing: Framing,
) -> Result<HeaderMap, TransportError> {
    if wanted.len() > MAX_COUNT {
        return refused(
            Rule::Header,
            format!("it has more than {MAX_COUNT} headers"),
        );
    }
    let bytes: usize = wanted
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > MAX_BYTES {
        return refused(
            Rule::Header,
            format!("its headers have more than {MAX_BYTES} bytes"),
        );
    }
    // All checks come first, all secrets after them.
    let mut checked = Vec::with_capacity(wanted.len());
    for (name, value) in wanted {
        let name = check_name(&name)?;
        if checked.iter().any(|(other, _)| *other == name) {
            return refused(Rule::Header, format!("the header {name} comes twice"));
        }
        check_value(&name, &value)?;
        checked.push((name, value));
    }
    let mut headers = HeaderMap::with_capacity(checked.len() + 2);
    for (name, value) in checked {
        if let Some(value) = fill(&name, value, secrets)? {
            headers.insert(name, value);
        }
    }
    if has_body {
        headers
            .entry(CONTENT_TYPE)
            .or_insert(Value::from_static("application/json"));
    }
    headers
        .entry(ACCEPT)
        .or_insert(Value::from_static(match framing {
            Framing::Whole => "application/json",
            Framing::Sse => "text/event-stream, application/json",
            Framing::Ndjson => "application/x-ndjson, application/json",
        }));
    Ok(headers)
}

fn check_name(name: &str) -> Result<HeaderName, TransportError> {
    let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
        let shown: String = name.chars().take(40).collect();
        return refused(Rule::Header, format!("{shown:?} is no header name"));
    };
    let lower = parsed.as_str();
    if OF_THE_HOST.contains(&lower) || lower.starts_with("proxy-") {
        return refused(
            Rule::HostHeader,
            format!("the header {lower} is the host's"),
        );
    }
    Ok(parsed)
}

fn check_value(name: &HeaderName, value: &HeaderValue) -> Result<(), TransportError> {
    let text = match value {
        HeaderValue::Plain(_) if name == AUTHORIZATION => {
            let detail = format!("the header {name} takes a reference to a secret, not a value");
            return refused(Rule::Credential, detail);
        }
        HeaderValue::Plain(text) => text,
        HeaderValue::Secret { prefix, .. } => prefix,
    };
    if text
        .bytes()
        .any(|byte| byte != b'\t' && !(b' '..=b'~').contains(&byte))
    {
        let detail = format!("the value of {name} holds something else than visible ASCII");
        return refused(Rule::Header, detail);
    }
    Ok(())
}

/// The value as it is sent; none if it is an optional secret that is not there.
fn fill(
    name: &HeaderName,
    value: HeaderValue,
    secrets: &Secrets,
) -> Result<Option<Value>, TransportError> {
    let (secret, prefix, optional) = match value {
        HeaderValue::Plain(text) => {
            let detail = || format!("the value of {name} cannot stand in a header");
            let value = Value::from_str(text.trim_ascii());
            return value.map(Some).or_else(|_| refused(Rule::Header, detail()));
        }
        HeaderValue::Secret {
            name,
            prefix,
            optional,
        } => (name, prefix, optional),
    };
    let found = secrets.get(&secret);
    let exposed = found
        .map(|value| value.expose_secret().trim())
        .unwrap_or_default();
    if exposed.is_empty() {
        return if optional {
            Ok(None)
        } else {
            Err(TransportError::MissingSecret { name: secret })
        };
    }
    let unusable = |reason: &str| TransportError::UnusableSecret {
        name: secret.clone(),
        reason: reason.to_owned(),
    };
    if exposed.chars().any(char::is_control) {
        return Err(unusable(
            "it holds a line break or another control character: is it one key, and copied whole?",
        ));
    }
    if !exposed.is_ascii() {
        return Err(unusable(
            "it holds a character outside ASCII, such as a typographic quote or an invisible \
             space: copy it again",
        ));
    }
    let mut value = Value::from_str(&format!("{prefix}{exposed}"))
        .map_err(|_| unusable("it cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

impl HeaderValue {
    /// What a plugin wrote, in bytes.
    fn len(&self) -> usize {
        match self {
            HeaderValue::Plain(text) => text.len(),
            HeaderValue::Secret { prefix, .. } => prefix.len(),
        }
    }
}

fn refused<T>(rule: Rule, detail: String) -> Result<T, TransportError> {
    Err(TransportError::Refused { rule, detail })
}
