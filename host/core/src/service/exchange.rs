//! One HTTP attempt through one fresh plugin instance. The only file that knows both sides.

mod dry;
mod other;
mod prepared;
mod relaying;
mod shown;
mod streaming;

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use secrecy::SecretString;

use super::cache::Identity;
use super::failure;
use super::filtering::Chain;
use super::hidden::Hidden;
use crate::chat::ChatRequest;
use crate::config::{Endpoint, SecretSource, Standing};
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::{Plugin, Session, wire};
use crate::transport::{
    BaseUrl, Blob, ExchangeLimits, Framing, HeaderValue, Host, HttpClient, Prepared, Response,
    Secrets, TransportError, assemble, kind_of, text_of, web_page,
};
pub(super) use relaying::{Fed, Passed, PassedBody, Passing};
pub(super) use streaming::{Streaming, deltas_of};

/// Bytes of an error's body that a plugin gets to see.
const ERROR_BODY: usize = 64 << 10;

/// Who is asked and how: the same for all exchanges with a model, as long as its keys are. See [`prepared`].
pub(super) struct Peer {
    pub(super) plugin: Plugin,
    pub(super) target: wire::Target,
    client: HttpClient,
    base_url: BaseUrl,
    /// By the plugin's names.
    secrets: Secrets,
    /// Where those come from that may change while the configuration stays, and what was fetched there.
    passing: Vec<(SecretSource, SecretString)>,
    /// The vendor took none of it: they are to be fetched anew.
    refused: AtomicBool,
    /// It asks with a caller's own key.
    callers: bool,
    /// It was told which secrets cannot be kept out of answers.
    warned: AtomicBool,
    standing: Standing,
    /// All that must never be shown.
    hidden: Hidden,
    headers: Vec<(String, HeaderValue)>,
    limits: ExchangeLimits,
    max_request: u64,
    endpoint: Endpoint,
    /// Where bodies go that callers wrote.
    ways: relaying::Ways,
    /// What stands between its callers and it; none where no model is meant.
    pub(super) filters: Chain,
}

/// What an attempt came to.
pub(super) enum Outcome {
    Whole(Box<wire::Answer>),
    Stream(Box<Streaming>),
}

impl Peer {
    /// How long it may take until an answer begins.
    pub(super) fn patience(&self) -> std::time::Duration {
        self.limits.first_byte.min(self.limits.total)
    }

    /// Whether it asks with a caller's own key: what comes of that says little about anybody else's.
    pub(super) fn is_callers(&self) -> bool {
        self.callers
    }

    /// Bytes that a request may have.
    pub(super) fn limit(&self) -> u64 {
        self.max_request
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
    /// read as a stream. `left_out` takes what the plugin left out of the request, a line each.
    pub(super) async fn ask(
        &self,
        request: &ChatRequest,
        stream: bool,
        left_out: &mut Vec<String>,
    ) -> Result<Outcome> {
        let asked = self.attempt(request, stream, left_out).await;
        asked.map_err(|error| self.hidden.error(error))
    }

    async fn attempt(
        &self,
        request: &ChatRequest,
        stream: bool,
        left_out: &mut Vec<String>,
    ) -> Result<Outcome> {
        self.warn_of_words();
        let mut session = self.plugin.session().await?;
        let encoded = session.encode(&self.target, request, stream).await??;
        *left_out = encoded.warnings;
        let (described, blobs) = (encoded.request, encoded.blobs);
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
        self.warn_of_words();
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
        let blobs = blobs_of(blobs);
        shown::request(&self.hidden, &described, &blobs);
        let framing = described.framing;
        let prepared = self.prepare(described, &blobs)?;
        let mut response = self.client.send(prepared, &self.limits).await?;
        shown::head(&response);
        if response.status < 400 {
            return Ok(Sent { response, framing });
        }
        let partial = response.body.read_partial(ERROR_BODY).await;
        let classified = self.classify(&self.target, response, &partial.bytes, session);
        Err(classified.await?)
    }

    /// A described request with what the configuration adds, checked and completed.
    fn prepare(&self, mut request: wire::Request, blobs: &[Blob]) -> Result<Prepared> {
        self.go_without(&mut request);
        for (name, value) in &self.headers {
            request.headers.retain(|(known, _)| known != name);
            request.headers.push((name.clone(), value.clone()));
        }
        let host = Host {
            base_url: &self.base_url,
            secrets: &self.secrets,
            blobs,
            max_body: self.max_request,
        };
        Ok(assemble(request, &host)?)
    }

    /// What a vendor's refusal means, as its plugin says.
    async fn classify(
        &self,
        target: &wire::Target,
        response: Response,
        body: &Bytes,
        session: &mut Session,
    ) -> Result<Error> {
        let text = text_of(body.get(..ERROR_BODY).unwrap_or(body));
        let proxy = response
            .proxy
            .filter(|_| !text.trim_ascii_start().starts_with(['{', '[']));
        let failed = wire::Response {
            status: response.status,
            headers: response.headers,
            body: self.hidden.raw(text),
        };
        shown::body(&self.hidden, &failed.body);
        let mut error = session.decode_error(target, failed).await?;
        if let Some(proxy) = proxy {
            error.message += &format!(
                " (by way of the proxy {proxy}, which may have answered itself: HTTP_PROXY names it, \
                 NO_PROXY the hosts to reach without it)"
            );
        }
        if error.kind == ErrorKind::Authentication && !self.callers {
            // A key that rotates is fetched anew next time.
            for (name, _) in self.secrets.iter() {
                self.endpoint.source(name).forget();
            }
            self.refused.store(true, Ordering::Relaxed);
        }
        Ok(failure::vendor(error, Some(response.retry)))
    }

    /// Secrets that the configuration says there are none of are not asked for.
    fn go_without(&self, request: &mut wire::Request) {
        for (_, value) in &mut request.headers {
            if let HeaderValue::Secret { name, optional, .. } = value {
                *optional |= self.endpoint.goes_without(name);
            }
        }
    }

    async fn read_whole(&self, mut response: Response) -> Result<wire::Response> {
        let body = text_of(&response.body.read_to_end().await?);
        let clean = self.hidden.raw(body);
        shown::body(&self.hidden, &clean);
        refuse_page(&clean, response.body.origin())?;
        Ok(wire::Response {
            status: response.status,
            headers: response.headers,
            body: clean,
        })
    }
}

/// What the host holds for a plugin, by the numbers that the plugin knows it by.
fn blobs_of(bytes: &[Bytes]) -> Vec<Blob> {
    let numbered = (0..).zip(bytes);
    let blob = |(id, bytes): (u32, &Bytes)| Blob {
        id,
        bytes: bytes.clone(),
    };
    numbered.map(blob).collect()
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

struct Sent {
    response: Response,
    framing: Framing,
}
