//! Requests as they would be sent, with references in the place of secrets.

use bytes::Bytes;
use secrecy::SecretString;

use super::{Peer, blobs_of};
use crate::chat::{ChatRequest, EmbedRequest};
use crate::config::{Endpoint, Env, Header, Model, SecretSource, Standing};
use crate::error::Result;
use crate::plugin::wire;
use crate::service::dry_run::Told;
use crate::service::state::State;
use crate::transport::HeaderValue;

use super::prepared::{Fetched, Keys};

impl Peer {
    /// Everything for exchanges with a model but its keys, in whose place stands where they would come from.
    pub(in crate::service) async fn unkeyed(
        state: &State,
        env: &Env,
        model: &Model,
    ) -> Result<Self> {
        let plugin = state.plugin(&model.provider.plugin).await?;
        let whom = (&model.endpoint, model.model_name.as_str());
        Self::with_keys(state, env, plugin, whom, Keys::Named).await
    }

    pub(in crate::service) async fn dry_chat(
        &self,
        request: &ChatRequest,
        stream: bool,
    ) -> Result<Told> {
        let mut session = self.plugin.session().await?;
        let encoded = session.encode(&self.target, request, stream).await??;
        let told = self.told(encoded.request, &encoded.blobs)?;
        Ok(Told {
            warnings: encoded.warnings,
            ..told
        })
    }

    pub(in crate::service) async fn dry_embed(&self, request: &EmbedRequest) -> Result<Told> {
        let most = self.batch_limit().await?;
        let first = EmbedRequest {
            inputs: request.inputs.iter().take(most).cloned().collect(),
            ..request.clone()
        };
        let mut session = self.plugin.session().await?;
        let described = session.encode_embed(&self.target, &first).await??;
        self.told(described, &[])
    }

    pub(in crate::service) async fn dry_count(&self, request: &ChatRequest) -> Result<Told> {
        let mut session = self.plugin.session().await?;
        let (described, blobs) = session.encode_count(&self.target, request).await??;
        self.told(described, &blobs)
    }

    fn told(&self, described: wire::Request, blobs: &[Bytes]) -> Result<Told> {
        let prepared = self.prepare(described, &blobs_of(blobs))?;
        let (method, url, headers, body) = prepared.into_parts();
        let shown = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
        Ok(Told {
            method: method.to_string(),
            url: url.to_string(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), shown(value)))
                .collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
            warnings: vec![],
        })
    }
}

/// Where the secrets would come from, as their values; none is fetched.
pub(super) fn named(
    env: &Env,
    endpoint: &Endpoint,
    standing: &Standing,
    info: &wire::Info,
) -> Fetched {
    let mut named = Fetched::default();
    for wanted in &info.secrets {
        let variables = match endpoint.customary {
            true => standing.secret_variables(&wanted.name),
            false => vec![],
        };
        let known = match endpoint.source(&wanted.name) {
            SecretSource::Customary => {
                let is_set = |name: &&String| env.has_key(std::slice::from_ref(*name), false);
                let set = variables.iter().find(is_set);
                // Without one an optional secret is not sent, and a required one is the reader's to see.
                let usual = variables.first().or(Some(&wanted.name));
                let found = set.or(usual.filter(|_| wanted.required));
                found.map(|name| reference(name))
            }
            source => place(source),
        };
        named
            .secrets
            .extend(known.map(|known| (wanted.name.clone(), known)));
    }
    for (name, header) in &endpoint.headers {
        let value = match header {
            Header::Plain(value) => HeaderValue::Plain(value.clone()),
            Header::Secret { prefix, source } => {
                let Some(known) = place(source) else {
                    continue;
                };
                let reference = format!("header {name}");
                named.secrets.push((reference.clone(), known));
                HeaderValue::Secret {
                    name: reference,
                    prefix: prefix.clone(),
                    optional: false,
                }
            }
        };
        named.headers.push((name.clone(), value));
    }
    named
}

/// Where a secret comes from that the configuration names.
fn place(source: &SecretSource) -> Option<SecretString> {
    match source {
        SecretSource::None => None,
        SecretSource::Customary => Some(reference("api_key")),
        SecretSource::Env(name) => Some(reference(name)),
        SecretSource::File(path) => Some(reference(&format!("file {}", path.display()))),
        SecretSource::Command(_) => Some(reference("what a program prints")),
    }
}

/// A name as a reference, in what a header may hold.
fn reference(name: &str) -> SecretString {
    let visible = |c: char| {
        if c == ' ' || c.is_ascii_graphic() {
            c
        } else {
            '?'
        }
    };
    let name: String = name.chars().map(visible).collect();
    format!("${{{name}}}").into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_reference_can_stand_in_a_header_whatever_it_names() {
        for (name, shown) in [
            ("OPENAI_API_KEY", "${OPENAI_API_KEY}"),
            ("file /srv/schlüssel", "${file /srv/schl?ssel}"),
            ("a\r\nb", "${a??b}"),
        ] {
            assert_eq!(reference(name).expose_secret(), shown);
            assert!(http::HeaderValue::from_str(shown).is_ok());
        }
    }
}
