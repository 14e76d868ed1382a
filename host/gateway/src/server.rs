//! Connections: how many, how long they may take for what, TLS, and a graceful end.
//!
//! HTTP/1.1 alone: every client of these wires speaks it, and what its later versions add (many streams in one
//! connection) is what attacks on them are made of.

mod tls;
mod unhurried;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use multillm::config::Gateway as Policy;
use multillm::{Error, MultiLlmService, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::state::State;
use crate::{Options, handle, rest};
use unhurried::Unhurried;

/// The most bytes of the head of a request, and of what is written before the caller takes it.
const HEAD: usize = 64 << 10;
/// The most headers of a request.
const HEADERS: usize = 100;
/// How often the keys' file, and the number of requests, are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A gateway that listens.
pub struct Serving {
    state: Arc<State>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    policy: Policy,
}

/// Listens where the configuration says.
///
/// # Errors
///
/// `configuration`: the address cannot be had, it is open to strangers without a key, or keys, certificate or log
/// cannot be read.
pub async fn serve(service: MultiLlmService, options: Options) -> Result<Serving> {
    let policy = service.config().gateway.clone();
    let state = Arc::new(State::new(service, options)?);
    let address = policy.listen;
    if state.is_open() && !address.ip().is_loopback() {
        return Err(Error::configuration(format!(
            "the gateway has no key, so it listens on this machine alone, and not at {address}: make a key with \"multillm key \
             create NAME\", or set gateway.listen to 127.0.0.1:{}",
            address.port()
        )));
    }
    let tls = match &policy.tls {
        Some((cert, key)) => Some(tls::acceptor(cert, key)?),
        None => None,
    };
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Error::configuration(format!("cannot listen at {address}: {error}")))?;
    Ok(Serving {
        state,
        listener,
        tls,
        policy,
    })
}

impl Serving {
    /// Where it listens.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Whether it has no key, so that everybody on this machine may ask.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves until `stop` is there. Then nobody new comes in, and answers under way may go on for as long as the configuration
    /// says. Gives the number of connections that were cut at the end of that time.
    pub async fn until(self, stop: impl Future<Output = ()>) -> usize {
        let connections = Arc::new(Semaphore::new(self.policy.max_connections as usize));
        let graceful = GracefulShutdown::new();
        let cut = CancellationToken::new();
        let open = tokio_util::task::TaskTracker::new();
        let keys = tokio::spawn(look_around(self.state.clone()));
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = self.listener.accept() => accepted,
            };
            let (socket, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, as a rule: those that are open close sooner or later.
                    tracing::warn!("no connection can be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Ok(place) = connections.clone().try_acquire_owned() else {
                self.state.metrics.refused("connections");
                continue;
            };
            let _ = socket.set_nodelay(true);
            let watcher = graceful.watcher();
            let connection = Connection {
                state: self.state.clone(),
                policy: self.policy.clone(),
                peer,
                _place: place,
            };
            let (tls, cut) = (self.tls.clone(), cut.clone());
            open.spawn(async move {
                let served = async {
                    match tls {
                        None => connection.serve(socket, watcher).await,
                        Some(tls) => Box::pin(connection.serve_tls(socket, tls, watcher)).await,
                    }
                };
                tokio::select! {
                    () = served => {}
                    () = cut.cancelled() => {}
                }
            });
        }
        self.state.stop();
        drop(self.listener);
        let drained = tokio::time::timeout(self.policy.drain, graceful.shutdown());
        let left = match drained.await {
            Ok(()) => 0,
            Err(_) => open.len(),
        };
        cut.cancel();
        open.close();
        // What was cut is given up at once; whatever is recorded of it is waited for by who closes the service.
        let _ = tokio::time::timeout(Duration::from_secs(2), open.wait()).await;
        keys.abort();
        if let Some(traces) = self.state.traces.clone() {
            let _ = tokio::task::spawn_blocking(move || traces.shut_down()).await;
        }
        left
    }
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

/// Takes over what changes in the keys' file, and says when a crowd has gone.
async fn look_around(state: Arc<State>) {
    let mut watch = rest::Watch::default();
    loop {
        tokio::time::sleep(LOOK).await;
        state.read_keys();
        if state.metrics.is_relieved(&mut watch)
            && let Some(relieved) = state.relieved.clone()
        {
            tokio::task::spawn_blocking(move || relieved());
        }
    }
}

struct Connection {
    state: Arc<State>,
    policy: Policy,
    peer: SocketAddr,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve_tls(
        self,
        socket: TcpStream,
        tls: TlsAcceptor,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let accepted = tokio::time::timeout(self.policy.header, tls.accept(socket));
        match accepted.await {
            Ok(Ok(socket)) => self.serve(socket, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
            Err(_) => tracing::debug!("no TLS in time"),
        }
    }

    async fn serve(
        self,
        socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let socket = Unhurried::new(socket, self.policy.write);
        let (state, peer) = (self.state.clone(), self.peer);
        let service =
            hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let state = state.clone();
                async move {
                    let mut request: Request = request.map(axum::body::Body::new);
                    request.extensions_mut().insert(ConnectInfo(peer));
                    // The connection has room for what it waits for as long as it lives: a box that goes with the
                    // head of the answer leaves a stream its place.
                    Ok::<_, Infallible>(Box::pin(handle::answer(state, request)).await)
                }
            });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.policy.header)
            .max_buf_size(HEAD)
            .max_headers(HEADERS)
            // Whoever closes his side has gone away, and so does the vendor's.
            .half_close(false)
            .serve_connection(TokioIo::new(socket), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection ended");
        }
    }
}
