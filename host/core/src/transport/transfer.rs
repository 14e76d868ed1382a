//! Files from and to servers that are no vendor's: what a person fetches or puts somewhere, by a URL of their own.
//!
//! What is asked for by `GET` and `HEAD` may have moved, a few times: registries keep what they give on other hosts.
//! Whatever proves who asks goes to the first origin alone. Nothing goes over plain `http` to another machine unless
//! that was allowed, and never from `https` down to it. Proxies and certificates are those of any exchange.

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use url::Url;

use super::body::{Piece, RequestBody};
use super::client::{ExchangeLimits, HttpClient, Outgoing};
use super::error::TransportError;
use super::redact::Redactor;
use super::response::{BodyStream, Response};
use crate::config::is_loopback;

const MAX_REDIRECTS: usize = 5;

/// What is done with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// What stands there is fetched.
    Get,
    /// It is asked whether something stands there.
    Head,
    /// Something is begun.
    Post,
    /// Something is put there.
    Put,
}

/// A request for or with a file. Its `Debug` shows no query and nothing of who asks.
#[derive(Clone)]
pub struct Transfer {
    /// What is done.
    pub verb: Verb,
    /// With what: `http` or `https`, no user name or password.
    pub url: Url,
    /// The types that are wanted, as one `Accept` header; empty: any.
    pub accept: String,
    /// The value of the header `Authorization`.
    pub authorization: Option<SecretString>,
    /// The type of the body.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Bytes,
    /// Plain `http` may go to other machines too.
    pub plain_http: bool,
}

impl Transfer {
    /// Fetches what stands at an address, of any type and from anybody who gives it to everybody.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Transfer {
            verb: Verb::Get,
            url,
            accept: String::new(),
            authorization: None,
            content_type: None,
            body: Bytes::new(),
            plain_http: false,
        }
    }
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfer")
            .field("verb", &self.verb)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("path", &self.url.path())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Transferred {
    /// The HTTP status; none of 300 to 399 where it was followed.
    pub status: u16,
    /// Where it came from in the end.
    pub url: Url,
    /// Where the server says that something is, absolute.
    pub location: Option<Url>,
    /// The body, bounded by the limits.
    pub body: BodyStream,
    response: Headers,
}

/// Headers without the body; what was sent as a secret is taken out where they are read.
#[derive(Debug)]
struct Headers(Response);

impl Transferred {
    /// The value of a header, the first if there are several. `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.response.0.any_header(name)
    }
}

impl HttpClient {
    /// Fetches or puts a file, up to the head of the answer. `limits` bound the whole, redirects included.
    ///
    /// # Errors
    ///
    /// As for any exchange, and [`TransportError::Transfer`] if the address is none, may not be used, or leads on too
    /// often or down to plain `http`.
    pub async fn transfer(
        &self,
        transfer: &Transfer,
        limits: &ExchangeLimits,
    ) -> Result<Transferred, TransportError> {
        let started = Instant::now();
        let mut url = transfer.url.clone();
        url.set_fragment(None);
        let redactor = Redactor::new(&transfer.authorization);
        for _ in 0..=MAX_REDIRECTS {
            check(&url, transfer.plain_http)?;
            let total = limits.total.saturating_sub(started.elapsed());
            let limits = ExchangeLimits { total, ..*limits };
            let own = url.origin() == transfer.url.origin();
            let outgoing = Outgoing {
                method: transfer.verb.method(),
                headers: transfer.headers(&url, own)?,
                body: RequestBody::new(vec![Piece::Text(transfer.body.clone())]),
                origin: url.origin().ascii_serialization(),
                url: url.clone(),
                redactor: redactor.clone(),
            };
            let mut response = self.exchange(outgoing, &limits).await?;
            let moves = matches!(response.status, 301 | 302 | 303 | 307 | 308);
            match response.location.take() {
                Some(next) if moves && transfer.verb.is_question() => {
                    if url.scheme() == "https" && next.scheme() == "http" {
                        return refused(&url, "it redirects from https to http");
                    }
                    url = next;
                    url.set_fragment(None);
                }
                location => return Ok(Transferred::new(response, url, location)),
            }
        }
        refused(
            &url,
            &format!("it redirects more than {MAX_REDIRECTS} times"),
        )
    }
}

impl Transferred {
    fn new(mut response: Response, url: Url, location: Option<Url>) -> Self {
        let body = response.take_body();
        Transferred {
            status: response.status,
            url,
            location,
            body,
            response: Headers(response),
        }
    }
}

impl Verb {
    fn method(self) -> http::Method {
        match self {
            Verb::Get => http::Method::GET,
            Verb::Head => http::Method::HEAD,
            Verb::Post => http::Method::POST,
            Verb::Put => http::Method::PUT,
        }
    }

    fn is_question(self) -> bool {
        matches!(self, Verb::Get | Verb::Head)
    }
}

impl Transfer {
    fn headers(&self, url: &Url, own: bool) -> Result<HeaderMap, TransportError> {
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: &str, secret: bool| {
            let Ok(mut value) = HeaderValue::from_str(value) else {
                return refused(url, &format!("the header {name} cannot be sent"));
            };
            value.set_sensitive(secret);
            headers.insert(name, value);
            Ok(())
        };
        // Digests are of the bytes as they stand there.
        put(ACCEPT_ENCODING, "identity", false)?;
        if !self.accept.is_empty() {
            put(http::header::ACCEPT, &self.accept, false)?;
        }
        if let Some(kind) = self.content_type {
            put(CONTENT_TYPE, kind, false)?;
        }
        if let Some(secret) = self.authorization.as_ref().filter(|_| own) {
            put(AUTHORIZATION, secret.expose_secret(), true)?;
        }
        if self.body.is_empty() && !self.verb.is_question() {
            put(http::header::CONTENT_LENGTH, "0", false)?;
        }
        Ok(headers)
    }
}

fn check(url: &Url, plain_http: bool) -> Result<(), TransportError> {
    let rule = match url.scheme() {
        "https" => None,
        "http" if plain_http || is_loopback(url) => None,
        "http" => Some("plain http may be read and changed by others: write https"),
        _ => Some("the address is neither http nor https"),
    };
    let named = !url.username().is_empty() || url.password().is_some();
    match rule.or(named.then_some("the address holds a user name or password")) {
        Some(reason) => refused(url, reason),
        None => Ok(()),
    }
}

fn refused<T>(url: &Url, reason: &str) -> Result<T, TransportError> {
    Err(TransportError::Transfer {
        origin: url.origin().ascii_serialization(),
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::AsyncWriteExt as _;

    use super::super::client::ClientOptions;
    use super::super::proxy::ProxyChoice;
    use super::super::testing::{answer, fixed, server};
    use super::*;

    async fn fetch(transfer: &Transfer) -> Result<(u16, Bytes), TransportError> {
        let client = HttpClient::new(ClientOptions {
            proxy: ProxyChoice::None,
            ..ClientOptions::default()
        });
        let limits = ExchangeLimits {
            response_bytes: 100,
            ..ExchangeLimits::default()
        };
        let mut done = client.transfer(transfer, &limits).await?;
        Ok((done.status, done.body.read_to_end().await?))
    }

    fn get(url: &str) -> Transfer {
        Transfer::get(url.parse().unwrap())
    }

    async fn redirect(location: &str) -> String {
        let head = format!("HTTP/1.1 307 Go\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        fixed(head).await
    }

    #[tokio::test]
    async fn a_file_may_have_moved_and_who_asks_is_not_told_elsewhere() {
        let heard = Arc::new(Mutex::new(vec![]));
        let listen = heard.clone();
        let elsewhere = server(move |mut stream, request| {
            let text = String::from_utf8_lossy(&request).to_lowercase();
            listen.lock().unwrap().push(text);
            async move {
                let _ = stream.write_all(&answer("", b"bytes")).await;
            }
        })
        .await;
        let moved = redirect(&format!("{elsewhere}/blob#x")).await;
        let mut asked = get(&format!("{moved}/v2/"));
        asked.authorization = Some(SecretString::from("Bearer abcdefghijklmnop"));
        assert_eq!(fetch(&asked).await.unwrap(), (200, Bytes::from("bytes")));
        asked.url = format!("{elsewhere}/v2/").parse().unwrap();
        fetch(&asked).await.unwrap();
        let heard = heard.lock().unwrap();
        assert!(!heard[0].contains("authorization"), "{heard:?}");
        assert!(heard[1].contains("authorization: bearer abc"), "{heard:?}");
        assert!(heard[0].contains("accept-encoding: identity"), "{heard:?}");
    }

    #[tokio::test]
    async fn where_a_file_may_come_from_is_bounded() {
        let to_http = redirect("http://registry.example/blob").await;
        let circle = redirect("/again").await;
        for (url, reason) in [
            ("http://registry.example/x", "plain http"),
            (&*to_http, "plain http"),
            (&*circle, "more than 5 times"),
            ("ftp://registry.example/x", "neither http nor https"),
            ("https://user:rosebud@registry.example/", "a user name"),
        ] {
            let error = fetch(&get(url)).await.unwrap_err().to_string();
            assert!(error.contains(reason), "{url}: {error}");
            assert!(!error.contains("rosebud"), "{error}");
        }
        let large = fixed(answer("", &[0; 101])).await;
        let error = fetch(&get(&large)).await.unwrap_err();
        assert!(matches!(error, TransportError::TooLarge { .. }), "{error}");
    }
}
