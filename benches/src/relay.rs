//! A relay of hyper's parts, for comparison: what the network's share costs in Rust without anything of
//! ours in it.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::serve::ListenerExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;

type Relay = (Client<HttpConnector, Body>, String);

/// Relays everything to one address, on one thread.
///
/// # Errors
///
/// It cannot listen.
pub fn run(upstream: &str) -> Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let relay: Relay = (
        Client::builder(TokioExecutor::new()).build(connector),
        upstream.to_owned(),
    );
    listen(Router::new().fallback(pass).with_state(relay))
}

/// Serves on a port of the system's choice, on one thread.
///
/// # Errors
///
/// It cannot listen.
pub fn listen(router: Router) -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = TcpListener::bind(LOOPBACK).await?;
            println!("{}", listener.local_addr()?);
            // As every relay that is in use: a piece of a stream does not wait for the other side's word on the one before.
            let listener = listener.tap_io(|connection| {
                let _ = connection.set_nodelay(true);
            });
            axum::serve(listener, router).await?;
            Ok(())
        })
}

async fn pass(State((client, upstream)): State<Relay>, mut request: Request) -> Response {
    let path = request.uri().path().to_owned();
    match format!("http://{upstream}{path}").parse::<Uri>() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    match client.request(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// Where the parts listen.
pub const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
