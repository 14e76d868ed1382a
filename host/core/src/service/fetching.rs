//! A text from an address that a person named: a price list. No key goes with it, and no redirect is followed.

use crate::described::{Framing, Method, Request};
use crate::error::{Error, ErrorKind, Result};
use crate::transport::{
    BaseUrl, ClientOptions, ExchangeLimits, Host, HttpClient, Secrets, assemble, text_of,
};

/// The text at an `https` address, or at one of this machine, of at most so many bytes.
///
/// # Errors
///
/// `configuration`: it is no such address. Else as any exchange.
pub async fn fetch_text(address: &str, most: u64) -> Result<String> {
    let base_url = BaseUrl::parse(address)?;
    let url = url::Url::parse(address)
        .map_err(|error| Error::configuration(format!("{address:?}: {error}")))?;
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !is_local {
        return Err(Error::configuration(format!(
            "{address:?} can be changed on its way: name an https address, or a file"
        )));
    }
    let request = Request {
        method: Method::Get,
        path: vec![],
        query: vec![],
        headers: vec![],
        body: vec![],
        framing: Framing::Whole,
    };
    let host = Host {
        base_url: &base_url,
        secrets: &Secrets::new(Vec::new()),
        blobs: &[],
        max_body: 0,
    };
    let limits = ExchangeLimits {
        response_bytes: most,
        ..ExchangeLimits::default()
    };
    let client = HttpClient::new(ClientOptions::default());
    let mut response = client.send(assemble(request, &host)?, &limits).await?;
    let body = response.body.read_to_end().await?;
    match response.status {
        200 => Ok(text_of(&body)),
        status => {
            let mut error = Error::new(
                ErrorKind::NotFound,
                format!("{address} answers with status {status}"),
            );
            error.status = Some(status);
            Err(error)
        }
    }
}
