//! One HTTP attempt through one fresh plugin instance. The only file that knows both sides.

mod described;
mod streaming;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::cache::Identity;
use super::failure;
use super::hidden::Hidden;
use super::state::State;
use crate::chat::ChatRequest;
use crate::config::{Endpoint, Env, Header, Model, Standing};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::{Plugin, Session, wire};
use crate::transport::{
    BaseUrl, Blob, ExchangeLimits, Framing, HeaderValue, Host, HttpClient, HttpRequest, Response,
    TransportError, assemble, is_telling, kind_of, text_of, web_page,
};
use described::to_http;
pub(super) use streaming::Streaming;

/// Bytes of an error's body that a plugin gets to see.
const ERROR_BODY: usize = 64 << 10;

/// Who is asked and how: the same for all attempts.
pub(super) struct Peer {
    pub(super) plugin: Plugin,
    pub(super) target: wire::Target,
    client: HttpClient,
    base_url: BaseUrl,
    /// By the plugin's names.
    secrets: Vec<(String, SecretString)>,
    /// All that must never be shown.
    hidden: Hidden,
    headers: Vec<(String, HeaderValue)>,
    limits: ExchangeLimits,
    max_request: u64,
    endpoint: Endpoint,
}

/// What an attempt came to.
pub(super) enum Outcome {
    Whole(Box<wire::Answer>),
    Stream(Box<Streaming>),
}

impl Peer {
    /// Everything for exchanges with a model: its plugin, where it is, the keys.
    pub(super) async fn of_model(state: &State, env: &Env, model: &Model) -> Result<Self> {
        let plugin = state.plugin(&model.provider.plugin).await?;
        Self::new(state, env, plugin, &model.endpoint, &model.model_name).await
    }

    /// The same for a provider without a model.
    pub(super) async fn new(
        state: &State,
        env: &Env,
        plugin: Plugin,
        endpoint: &Endpoint,
        model_name: &str,
    ) -> Result<Self> {
        let info = plugin.info();
        let address = info.default_base_url.as_deref();
        let standing = Standing::of(env, &endpoint.plugin, plugin.digest(), address);
        let base_url = endpoint.base_url(env, &standing)?;
        check_settings(endpoint, info)?;
        let (secrets, headers) = secrets(env, endpoint, &standing, info).await?;
        let hidden = Hidden::new(&secrets);
        let limits = &state.config.limits;
        Ok(Peer {
            target: wire::Target {
                model: model_name.to_owned(),
                settings: serde_json::Value::Object(endpoint.settings.clone()).to_string(),
            },
            client: state.client(endpoint),
            base_url: BaseUrl::parse(base_url.as_str())?,
            secrets,
            hidden,
            headers,
            limits: ExchangeLimits {
                first_byte: endpoint.timeouts.first_byte,
                idle: endpoint.timeouts.idle,
                total: endpoint.timeouts.total,
                response_bytes: limits.response,
            },
            max_request: limits.request,
            endpoint: endpoint.clone(),
            plugin,
        })
    }

    /// How long it may take until an answer begins.
    pub(super) fn patience(&self) -> std::time::Duration {
        self.limits.first_byte.min(self.limits.total)
    }

    /// What decides an answer besides the request.
    pub(super) fn identity(&self) -> Identity<'_> {
        Identity {
            plugin_digest: self.plugin.digest(),
            base_url: self.base_url.as_str(),
            model: &self.target.model,
            settings: &self.target.settings,
        }
    }

    /// Whether a request could be sent: files and variables are what they should be.
    pub(super) async fn check_way(&self) -> Result<()> {
        Ok(self.client.check(&self.base_url).await?)
    }

    /// One attempt, up to the whole answer or the head of a stream. A server that streams unasked is
    /// read as a stream.
    pub(super) async fn ask(&self, request: &ChatRequest, stream: bool) -> Result<Outcome> {
        let asked = self.attempt(request, stream).await;
        asked.map_err(|error| self.hidden.error(error))
    }

    async fn attempt(&self, request: &ChatRequest, stream: bool) -> Result<Outcome> {
        warn_of_words(&self.endpoint.owner, &self.secrets);
        let mut session = self.plugin.session().await?;
        let (described, blobs) = session.encode(&self.target, request, stream).await??;
        let response = self.send(described, &blobs, &mut session).await?;
        let Sent { response, framing } = response;
        let framing = match framing {
            Framing::Whole => framing_by_type(&response),
            framing => framing,
        };
        if framing != Framing::Whole {
            let decoder = session.into_decoder(&self.target).await?;
            let streaming = Streaming::new(self, decoder, framing, response);
            return Ok(Outcome::Stream(Box::new(streaming)));
        }
        let body = self.read_whole(response).await?;
        if let Some(framing) = kind_of(&body.body) {
            let decoder = session.into_decoder(&self.target).await?;
            let streaming = Streaming::of_text(self, decoder, framing, body);
            return Ok(Outcome::Stream(Box::new(streaming)));
        }
        let answer = session.decode(&self.target, body).await?;
        let mut answer = answer.map_err(|error| failure::vendor(error, None))?;
        self.hidden.answer(&mut answer);
        Ok(Outcome::Whole(Box::new(answer)))
    }

    /// A page of the provider's list of models.
    pub(super) async fn list(&self, cursor: Option<&str>) -> Result<wire::ModelPage> {
        let listed = self.page(cursor).await;
        listed.map_err(|error| self.hidden.error(error))
    }

    async fn page(&self, cursor: Option<&str>) -> Result<wire::ModelPage> {
        warn_of_words(&self.endpoint.owner, &self.secrets);
        let mut session = self.plugin.session().await?;
        let described = session.encode_list(&self.target, cursor).await??;
        let response = self.send(described, &[], &mut session).await?;
        let body = self.read_whole(response.response).await?;
        let page = session.decode_list(&self.target, body).await?;
        let mut page = page.map_err(|error| failure::vendor(error, None))?;
        self.hidden.page(&mut page);
        Ok(page)
    }

    /// Sends what a plugin described; failures of the vendor are classified by the plugin.
    async fn send(
        &self,
        described: wire::Request,
        blobs: &[Bytes],
        session: &mut Session,
    ) -> Result<Sent> {
        let blobs: Vec<_> = (0..)
            .zip(blobs)
            .map(|(id, bytes)| Blob {
                id,
                bytes: bytes.clone(),
            })
            .collect();
        let mut request = to_http(described);
        self.go_without(&mut request);
        let framing = request.framing;
        for (name, value) in &self.headers {
            request.headers.retain(|(known, _)| known != name);
            request.headers.push((name.clone(), value.clone()));
        }
        let prepared = assemble(
            request,
            &Host {
                base_url: &self.base_url,
                secrets: &self.secrets,
                blobs: &blobs,
                max_body: self.max_request,
            },
        )?;
        let mut response = self.client.send(prepared, &self.limits).await?;
        if response.status < 400 {
            return Ok(Sent { response, framing });
        }
        let partial = response.body.read_partial(ERROR_BODY).await;
        let text = text_of(&partial.bytes);
        let proxy = response
            .proxy
            .filter(|_| !text.trim_ascii_start().starts_with(['{', '[']));
        let failed = wire::Response {
            status: response.status,
            headers: response.headers,
            body: self.hidden.raw(text),
        };
        let mut error = session.decode_error(&self.target, failed).await?;
        if let Some(proxy) = proxy {
            error.message += &format!(
                " (by way of the proxy {proxy}, which may have answered itself: HTTP_PROXY names it, \
                 NO_PROXY the hosts to reach without it)"
            );
        }
        if error.kind == ErrorKind::Authentication {
            // A key that rotates is fetched anew next time.
            for (name, _) in &self.secrets {
                self.endpoint.source(name).forget();
            }
        }
        Err(failure::vendor(error, Some(response.retry)))
    }

    /// Secrets that the configuration says there are none of are not asked for.
    fn go_without(&self, request: &mut HttpRequest) {
        for (_, value) in &mut request.headers {
            if let HeaderValue::Secret { name, optional, .. } = value {
                *optional |= self.endpoint.goes_without(name);
            }
        }
    }

    async fn read_whole(&self, mut response: Response) -> Result<wire::Response> {
        let body = text_of(&response.body.read_to_end().await?);
        refuse_page(&body, response.body.origin())?;
        Ok(wire::Response {
            status: response.status,
            headers: response.headers,
            body: self.hidden.raw(body),
        })
    }
}

/// How the body of a success that was asked for whole is to be cut, as its type says.
fn framing_by_type(response: &Response) -> Framing {
    let kind = response.header("content-type").unwrap_or_default();
    match kind.to_ascii_lowercase().contains("text/event-stream") {
        true => Framing::Sse,
        false => Framing::Whole,
    }
}

/// A page for a browser is no answer, whatever a plugin could make of it.
fn refuse_page(body: &str, origin: &str) -> Result<()> {
    match web_page(body) {
        None => Ok(()),
        Some(page) => Err(TransportError::WebPage {
            origin: origin.to_owned(),
            title: page.title,
        }
        .into()),
    }
}

/// Tells once of each secret that nobody could keep out of answers without harming them.
fn warn_of_words(owner: &str, secrets: &[(String, SecretString)]) {
    static TOLD: Mutex<BTreeSet<Vec<u8>>> = Mutex::new(BTreeSet::new());
    for (name, secret) in secrets {
        if is_telling(secret.expose_secret().trim()) {
            continue;
        }
        let digest = Sha256::digest(secret.expose_secret()).to_vec();
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(digest) {
            tracing::warn!(
                "{owner}: the secret {name:?} is too short or too common to be told from words: where \
                 the server repeats it, it is not taken out"
            );
        }
    }
}

struct Sent {
    response: Response,
    framing: Framing,
}

/// Settings that the plugin does not know are a mistake, not a wish.
fn check_settings(endpoint: &Endpoint, info: &wire::Info) -> Result<()> {
    let known: Vec<_> = info
        .settings
        .iter()
        .map(|known| known.name.as_str())
        .collect();
    for name in endpoint.settings.keys() {
        if !known.contains(&name.as_str()) {
            let advice = crate::config::advice(name, known.iter().copied(), "");
            return Err(Error::configuration(format!(
                "{}: the plugin {:?} knows no setting {name:?}: {advice}",
                endpoint.owner, endpoint.plugin
            )));
        }
    }
    Ok(())
}

type Secrets = (Vec<(String, SecretString)>, Vec<(String, HeaderValue)>);

/// The plugin's secrets by its names, and the configured headers.
async fn secrets(
    env: &Env,
    endpoint: &Endpoint,
    standing: &Standing,
    info: &wire::Info,
) -> Result<Secrets> {
    let blocks = info
        .secrets
        .iter()
        .any(|secret| endpoint.source(&secret.name).blocks())
        || endpoint.headers.values().any(|header| match header {
            Header::Secret { source, .. } => source.blocks(),
            Header::Plain(_) => false,
        });
    if !blocks {
        return fetch_secrets(env, endpoint, standing, info);
    }
    let (env, endpoint) = (env.clone(), endpoint.clone());
    let (standing, info) = (standing.clone(), info.clone());
    tokio::task::spawn_blocking(move || fetch_secrets(&env, &endpoint, &standing, &info))
        .await
        .map_err(|error| Error::configuration(format!("fetching a key failed: {error}")))?
}

fn fetch_secrets(
    env: &Env,
    endpoint: &Endpoint,
    standing: &Standing,
    info: &wire::Info,
) -> Result<Secrets> {
    let mut secrets = vec![];
    for wanted in &info.secrets {
        let found = endpoint.secret(env, standing, &wanted.name, wanted.required)?;
        if found.is_none() && matches!(standing, Standing::Stranger { .. }) {
            let plugin = &endpoint.plugin;
            tracing::info!(
                "the plugin {plugin:?} goes without its {}: \"multillm plugin trust {plugin}\" shows \
                 what it asks for",
                wanted.name
            );
        }
        secrets.extend(found.map(|secret| (wanted.name.clone(), secret)));
    }
    let mut headers = vec![];
    for (name, header) in &endpoint.headers {
        let value = match header {
            Header::Plain(value) => HeaderValue::Plain(value.clone()),
            Header::Secret { prefix, source } => {
                let Some(secret) = endpoint.header_secret(env, standing, source)? else {
                    continue;
                };
                // A name that no plugin can know, as it is no name.
                let reference = format!("header {name}");
                secrets.push((reference.clone(), secret));
                HeaderValue::Secret {
                    name: reference,
                    prefix: prefix.clone(),
                    optional: false,
                }
            }
        };
        headers.push((name.clone(), value));
    }
    secrets.retain(|(_, secret)| !secret.expose_secret().is_empty());
    Ok((secrets, headers))
}
