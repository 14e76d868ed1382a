//! The server: binding, accepting, ending. What is answered is decided under `wire`.

mod connection;
mod control;
pub(crate) mod http1;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::hub::Hub;
use crate::log::Exchange;
use crate::options::Options;
use crate::vendor::Vendor;

/// A running simulator. Dropping it closes its port and its connections.
pub struct Simulator {
    addr: SocketAddr,
    hub: Arc<Hub>,
    tls: bool,
    /// Every task holds a receiver and ends when this sender is dropped.
    _stop: watch::Sender<()>,
}

impl Simulator {
    /// Starts on the current tokio runtime.
    ///
    /// # Errors
    /// When the port is taken, the log file cannot be written, or no certificate could be made.
    pub async fn start(options: Options) -> io::Result<Self> {
        let acceptor = options.tls.then(tls::acceptor).transpose()?;
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
        let addr = listener.local_addr()?;
        let tls = options.tls;
        let hub = Arc::new(Hub::new(options)?);
        let (stop, stopped) = watch::channel(());
        tokio::spawn(accept(listener, acceptor, Arc::clone(&hub), stopped));
        Ok(Self {
            addr,
            hub,
            tls,
            _stop: stop,
        })
    }

    /// Starts on a thread with a runtime of its own: for tests that are not asynchronous.
    ///
    /// # Errors
    /// As [`Simulator::start`], and when no thread can be had.
    pub fn background(options: Options) -> io::Result<Self> {
        let (send, receive) = mpsc::channel();
        thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || {
                let runtime = match tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(send.send(Err(error))),
                };
                runtime.block_on(async {
                    let started = Self::start(options).await;
                    let mut stopped = started
                        .as_ref()
                        .ok()
                        .map(|simulator| simulator._stop.subscribe());
                    let _ = send.send(started);
                    if let Some(stopped) = stopped.as_mut() {
                        // Ends with an error once the simulator, and with it the sender, is dropped.
                        while stopped.changed().await.is_ok() {}
                    }
                });
                runtime.shutdown_background();
            })?;
        receive.recv().map_err(io::Error::other)?
    }

    /// The address it listens on.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL to configure for a vendor, e.g. `http://127.0.0.1:4000/openai/v1`.
    #[must_use]
    pub fn base_url(&self, vendor: Vendor) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.addr, vendor.base_path())
    }

    /// Every exchange so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Exchange> {
        self.hub.log.entries()
    }

    /// How many requests have come so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.hub.log.count()
    }

    /// Lets the next `times` requests of a vendor meet a fault, e.g. `429-retry-after ms=50`.
    pub fn fail_next(&self, vendor: Vendor, fault: &str, times: u64) {
        self.hub.queue(vendor, fault, times);
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    hub: Arc<Hub>,
    mut stopped: watch::Receiver<()>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: let some connection end first.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        let (hub, acceptor, mut stopped) = (Arc::clone(&hub), acceptor.clone(), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = serve(stream, acceptor, &hub) => {}
                _ = stopped.changed() => {}
            }
        });
    }
}

async fn serve(stream: TcpStream, acceptor: Option<TlsAcceptor>, hub: &Hub) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match acceptor {
        None => connection::serve(stream, hub).await,
        Some(acceptor) => {
            // A client that refuses the certificate ends the handshake: nothing to answer.
            if let Ok(stream) = acceptor.accept(stream).await {
                connection::serve(stream, hub).await;
            }
        }
    }
}
