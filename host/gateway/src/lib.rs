//! The gateway: vendors' wires spoken *towards callers*, over the library.
//!
//! Every other program gets the models, keys, routes, budgets and history of one configuration:
//! a [`face`] reads what a client of a vendor sends and writes what it expects, and the
//! request goes to whichever model the configuration says, by one of two lanes. Where the model's plugin speaks the
//! caller's wire the bytes are passed on as they are (*relay*); everywhere else they become the unified request and the
//! answer takes the caller's form (*translation*).
//!
//! ```no_run
//! use multillm::MultiLlmService;
//! use multillm_gateway::{Options, router};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let service = MultiLlmService::from_default_file().await?;
//! let app = router(service, Options::default())?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:4000").await?;
//! axum::serve(listener, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`serve`] does the same with limits on connections and time, TLS, and a graceful stop.
//!
//! # Layout
//!
//! - [`face`]: the wires; no HTTP in it
//! - `routes`, `handle`, `asking`: which path asks for what, and the way of one request
//! - [`door`]: keys, hosts, origins
//! - `relaying` with `summary`, `translating`: the two lanes; `outgoing`: bodies of answers on their way
//! - `listing`: what can be asked
//! - `metrics`, `access`, `traces`: what is told of requests
//! - `server`: connections
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod access;
mod asking;
mod body;
pub mod door;
pub mod face;
mod handle;
mod listing;
mod metrics;
mod outgoing;
mod relaying;
mod respond;
mod rest;
mod routes;
mod server;
mod state;
mod summary;
#[cfg(feature = "traces")]
mod traces;
#[cfg(not(feature = "traces"))]
#[path = "untraced.rs"]
mod traces;
mod translating;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use multillm::{MultiLlmService, Result};

pub use door::key::{KeyEntry, NewKey};
pub use door::store::{KeyError, KeyStore, Keys};
pub use server::{Serving, serve};
use state::State;

/// How the gateway is run. What it does is in the service's configuration, under `gateway`.
#[derive(Clone, Default)]
pub struct Options {
    keys: Option<KeyStore>,
    lines: Option<access::Lines>,
    relieved: Option<rest::Relieved>,
}

impl Options {
    /// With these keys. Without any key everybody on this machine may ask, and nobody else.
    #[must_use]
    pub fn with_keys(keys: KeyStore) -> Self {
        Options {
            keys: Some(keys),
            ..Options::default()
        }
    }

    /// Lines about requests that the configuration wants on standard error are printed by this.
    #[must_use]
    pub fn lines(mut self, print: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.lines = Some(Arc::new(print));
        self
    }

    /// What a program does, on a thread for it, once a crowd of requests has gone: give memory back to the system, say.
    /// At most once a second, and only where [`serve`] listens.
    #[must_use]
    pub fn relieved(mut self, then: impl Fn() + Send + Sync + 'static) -> Self {
        self.relieved = Some(Arc::new(then));
        self
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// The gateway as a part of another server. Whoever serves it sees to connections, and, where there are no keys, that only this
/// machine reaches it: addresses are known where the server gives axum's `ConnectInfo`.
///
/// # Errors
///
/// `configuration`: the keys cannot be read, or the access log cannot be opened.
pub fn router(service: MultiLlmService, options: Options) -> Result<Router> {
    let state = Arc::new(State::new(service, options)?);
    Ok(of(state))
}

fn of(state: Arc<State>) -> Router {
    Router::new().fallback(move |request: Request| {
        let state = state.clone();
        async move { handle::answer(state, request).await }
    })
}
