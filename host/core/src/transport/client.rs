//! The HTTP client.
//!
//! There are two underneath, each made when it is first needed: one for plain `http`, which costs
//! nothing, and one for `https`, which loads the system's root certificates. A question to a
//! model on this machine does not pay for the latter.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::assemble::Prepared;
use super::base_url::BaseUrl;
use super::body::RequestBody;
use super::error::{Phase, TransportError};
use super::failure::Peer;
use super::proxy::{Proxies, ProxyChoice, Via};
use super::redact::Redactor;
use super::response::Response;
use super::tls;

/// Servers close idle connections after a minute or more; we do so before them.
const POOL_IDLE: Duration = Duration::from_secs(50);
/// Idle connections to one server that are kept to be used again. After a storm the others close at once: each holds a
/// descriptor here and there, and about 27 KB.
const POOL_KEPT: usize = 128;
const TCP_KEEPALIVE: Duration = Duration::from_secs(45);

/// What holds for every exchange of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// The most time to connect, name resolution and TLS included.
    pub connect_timeout: Duration,
    /// A PEM file of certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// A PEM file of a certificate to show to servers that ask for one, with those that it is signed by.
    pub client_cert: Option<PathBuf>,
    /// The PEM file of its private key; absent: it stands in the same file.
    pub client_key: Option<PathBuf>,
    /// Which proxy to use.
    pub proxy: ProxyChoice,
}

impl Default for ClientOptions {
    fn default() -> Self {
        let connect_timeout = Duration::from_secs(5);
        ClientOptions {
            connect_timeout,
            ca_file: None,
            client_cert: None,
            client_key: None,
            proxy: ProxyChoice::Environment,
        }
    }
}

/// What bounds one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeLimits {
    /// From the request to the head of the answer. While a large body is being sent the time
    /// begins anew with each piece.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// From the request to the end of the body.
    pub total: Duration,
    /// The most bytes of the body, content coding undone.
    pub response_bytes: u64,
}

impl Default for ExchangeLimits {
    fn default() -> Self {
        ExchangeLimits {
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(600),
            response_bytes: 32 << 20,
        }
    }
}

/// Sends requests; keeps connections open between them. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    options: ClientOptions,
    proxies: Proxies,
    plain: OnceCell<reqwest::Client>,
    tls: OnceCell<reqwest::Client>,
}

/// A request on its way.
pub(super) struct Outgoing {
    pub(super) method: http::Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: RequestBody,
    pub(super) origin: String,
    pub(super) redactor: Redactor,
}

impl HttpClient {
    /// A client. Nothing is loaded or connected yet; the environment's proxies are read.
    #[must_use]
    pub fn new(options: ClientOptions) -> Self {
        let proxies = Proxies::new(&options.proxy);
        let (plain, tls) = (OnceCell::new(), OnceCell::new());
        HttpClient {
            inner: Arc::new(Inner {
                options,
                proxies,
                plain,
                tls,
            }),
        }
    }

    /// Loads what an exchange with this address will need, so that it need not wait for it.
    /// Failures are left for the exchange to report.
    pub async fn prepare(&self, base_url: &BaseUrl) {
        if let Ok(url) = base_url.as_str().parse() {
            let _ = self.client_for(&url).await;
        }
    }

    /// Whether requests to this address can be sent at all: the files that TLS needs are what they
    /// should be, and no variable names a proxy that cannot be used. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`TransportError::Setup`], [`TransportError::ProxyVariable`]
    pub async fn check(&self, base_url: &BaseUrl) -> Result<(), TransportError> {
        let options = &self.inner.options;
        if let Ok(url) = base_url.as_str().parse() {
            self.client_for(&url).await?;
        }
        // An address without TLS needs no such files, and a file that is named should be right.
        match options.ca_file.is_some() || options.client_cert.is_some() {
            true => self.tls().await.map(drop),
            false => Ok(()),
        }
    }

    /// Performs an exchange up to the head of the answer. Dropping the future abandons it and
    /// closes the connection.
    ///
    /// An answer of status 400 and above is a [`Response`] like any other.
    ///
    /// # Errors
    ///
    /// Whatever kept a head from coming, and [`TransportError::Redirect`] for any status 300 to
    /// 399: redirects are never followed, as the secrets would go along.
    pub async fn send(
        &self,
        request: Prepared,
        limits: &ExchangeLimits,
    ) -> Result<Response, TransportError> {
        tracing::debug!(?request, "sending");
        let Prepared {
            method,
            url,
            headers,
            body,
            origin,
            redactor,
            ..
        } = request;
        let outgoing = Outgoing {
            method,
            url,
            headers,
            body,
            origin,
            redactor: redactor.clone(),
        };
        let response = self.exchange(outgoing, limits).await?;
        if (300..400).contains(&response.status) {
            let location = response.location.as_ref().map(shown_location);
            return Err(TransportError::Redirect {
                origin: response.body.origin().to_owned(),
                status: response.status,
                location: location.map(|place| redactor.clean(&place).into_owned()),
            });
        }
        Ok(response)
    }

    /// An exchange up to the head, whatever its status.
    pub(super) async fn exchange(
        &self,
        request: Outgoing,
        limits: &ExchangeLimits,
    ) -> Result<Response, TransportError> {
        let started = Instant::now();
        let deadline = started.checked_add(limits.total);
        let Outgoing {
            method,
            url,
            headers,
            body,
            origin,
            redactor,
        } = request;
        self.inner.proxies.check(&url)?;
        let via = self.inner.proxies.of(&url);
        let client = self.client_by(&url, via.as_ref()).await?;
        // Whoever failed, the proxy may be the one: messages name both.
        let origin = match &via {
            Some(via) => format!("{origin} (through the proxy {})", via.origin),
            None => origin,
        };
        let mut request = reqwest::Request::new(method, url.clone());
        *request.headers_mut() = headers;
        let len = body.len();
        let (body, progress) = body.into_reqwest();
        if len > 0 {
            request
                .headers_mut()
                .insert(http::header::CONTENT_LENGTH, len.into());
            *request.body_mut() = Some(body);
        }
        let execution = client.execute(request);
        tokio::pin!(execution);
        let timeout = |phase, after| {
            Err(TransportError::Timeout {
                phase,
                origin: origin.clone(),
                after,
            })
        };
        let result = loop {
            let head_due = progress.last().checked_add(limits.first_byte);
            let due = earliest(head_due, deadline);
            if let Ok(result) = timeout_at(due, &mut execution).await {
                break result;
            }
            if deadline.is_some_and(|deadline| deadline <= due) {
                return timeout(Phase::Total, limits.total);
            }
            if progress.last().checked_add(limits.first_byte) == head_due {
                return timeout(Phase::FirstByte, limits.first_byte);
            }
        };
        let peer = Peer {
            origin: &origin,
            proxy: via.as_ref(),
            shows_certificate: self.inner.options.client_cert.is_some(),
        };
        match result {
            Ok(response) => Response::new(response, &url, &peer, deadline, limits, &redactor),
            Err(error) => Err(peer.send_failure(&error, self.inner.options.connect_timeout)),
        }
    }

    async fn client_for(&self, url: &Url) -> Result<reqwest::Client, TransportError> {
        self.inner.proxies.check(url)?;
        let via = self.inner.proxies.of(url);
        self.client_by(url, via.as_ref()).await
    }

    /// The client for an address, and the way to it.
    async fn client_by(
        &self,
        url: &Url,
        via: Option<&Via>,
    ) -> Result<reqwest::Client, TransportError> {
        let inner = &self.inner;
        let to_proxy = via.is_some_and(|via| via.tls);
        if url.scheme() == "http" && !to_proxy {
            let client = inner
                .plain
                .get_or_try_init(|| async { build_plain(&inner.options) });
            return client.await.cloned();
        }
        self.tls().await
    }

    async fn tls(&self) -> Result<reqwest::Client, TransportError> {
        let options = self.inner.options.clone();
        let client = self.inner.tls.get_or_try_init(|| async {
            // Reads some hundred kilobytes of certificates.
            match tokio::task::spawn_blocking(move || build_tls(&options)).await {
                Ok(result) => result,
                Err(error) => Err(TransportError::Setup {
                    reason: error.to_string(),
                }),
            }
        });
        client.await.cloned()
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new(ClientOptions::default())
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

/// A redirect's target for a message: no query, no user name, not too long.
fn shown_location(location: &Url) -> String {
    let path: String = location.path().chars().take(200).collect();
    match location.host() {
        Some(_) => format!("{}{path}", location.origin().ascii_serialization()),
        None => format!("{}:", location.scheme()),
    }
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Instant {
    let never = || Instant::now() + Duration::from_secs(86_400);
    match (one, other) {
        (Some(one), Some(other)) => one.min(other),
        (one, other) => one.or(other).unwrap_or_else(never),
    }
}

fn build_plain(options: &ClientOptions) -> Result<reqwest::Client, TransportError> {
    // No certificates to load: this client never speaks TLS.
    let builder = builder(options)?.tls_certs_only([]);
    builder
        .build()
        .map_err(|error| tls::unusable(&error, options))
}

fn build_tls(options: &ClientOptions) -> Result<reqwest::Client, TransportError> {
    let builder = tls::apply(builder(options)?, options)?;
    builder
        .build()
        .map_err(|error| tls::unusable(&error, options))
}

fn builder(options: &ClientOptions) -> Result<reqwest::ClientBuilder, TransportError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only if another thread was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let builder = reqwest::Client::builder()
        .user_agent(concat!("multillm/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        // Each attempt is counted and recorded by who asks: the client makes none of its own. What it
        // still does is to hand a request that a closing connection gave back unsent to another.
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        .tcp_nodelay(true)
        .tcp_keepalive(TCP_KEEPALIVE)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(POOL_KEPT);
    options.proxy.apply(builder)
}

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
