//! Pictures by URL, for vendors that cannot fetch them.
//!
//! No secret goes along, so a few redirects are followed; never from `https` down to `http`.

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use url::Url;

use super::body::RequestBody;
use super::client::{ExchangeLimits, HttpClient, Outgoing};
use super::error::TransportError;
use super::redact::Redactor;

const MAX_REDIRECTS: usize = 3;

/// What a picture's URL led to. Whether it is a picture, its bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The bytes.
    pub bytes: Bytes,
    /// What the server calls them, such as `image/png`.
    pub content_type: Option<String>,
}

impl HttpClient {
    /// Fetches a picture. `limits` bound the whole, redirects included; `limits.response_bytes`
    /// the picture.
    ///
    /// # Errors
    ///
    /// As for any exchange, and [`TransportError::Picture`] if the URL is none, leads on too often
    /// or somewhere else than to `http` and `https`, or the answer is no success.
    pub async fn fetch_image(
        &self,
        url: &str,
        limits: &ExchangeLimits,
    ) -> Result<Image, TransportError> {
        let started = Instant::now();
        let mut url = match Url::parse(url.trim()) {
            Ok(url) => url,
            Err(error) => return refused("its URL", format!("that is none: {error}")),
        };
        for _ in 0..=MAX_REDIRECTS {
            check(&url)?;
            let total = limits.total.saturating_sub(started.elapsed());
            let limits = ExchangeLimits { total, ..*limits };
            let origin = url.origin().ascii_serialization();
            let mut response = self.exchange(outgoing(url.clone()), &limits).await?;
            match (response.status, response.location.take()) {
                (200, _) => {
                    let content_type = response.header("content-type").map(str::to_owned);
                    let bytes = response.body.read_to_end().await?;
                    return Ok(Image {
                        bytes,
                        content_type,
                    });
                }
                (300..400, Some(next)) if url.scheme() == "https" && next.scheme() == "http" => {
                    return refused(&origin, "it redirects from https to http".to_owned());
                }
                (300..400, Some(next)) => url = next,
                (status, _) => return refused(&origin, format!("it answers with HTTP {status}")),
            }
        }
        let reason = format!("it redirects more than {MAX_REDIRECTS} times");
        refused(&url.origin().ascii_serialization(), reason)
    }
}

fn check(url: &Url) -> Result<(), TransportError> {
    if !matches!(url.scheme(), "http" | "https") {
        let reason = format!("{}: is neither http nor https", url.scheme());
        return refused("its URL", reason);
    }
    if !url.username().is_empty() || url.password().is_some() {
        let reason = "the URL holds a user name or password".to_owned();
        return refused(&url.origin().ascii_serialization(), reason);
    }
    Ok(())
}

fn outgoing(mut url: Url) -> Outgoing {
    url.set_fragment(None);
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("image/*"));
    let origin = url.origin().ascii_serialization();
    Outgoing {
        method: http::Method::GET,
        url,
        headers,
        body: RequestBody::new(Vec::new()),
        origin,
        redactor: Redactor::default(),
    }
}

fn refused<T>(origin: &str, reason: String) -> Result<T, TransportError> {
    Err(TransportError::Picture {
        origin: origin.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::super::client::ClientOptions;
    use super::super::proxy::ProxyChoice;
    use super::super::testing::{answer, fixed};
    use super::*;

    async fn fetch(url: &str) -> Result<Image, TransportError> {
        let options = ClientOptions {
            proxy: ProxyChoice::None,
            ..ClientOptions::default()
        };
        let limits = ExchangeLimits {
            response_bytes: 100,
            ..ExchangeLimits::default()
        };
        HttpClient::new(options).fetch_image(url, &limits).await
    }

    async fn redirect(location: &str) -> String {
        fixed(format!(
            "HTTP/1.1 302 Go\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await
    }

    #[tokio::test]
    async fn a_picture_may_have_moved_a_few_times() {
        let mut url = fixed(answer("content-type: image/png\r\n", b"png")).await;
        for _ in 0..MAX_REDIRECTS {
            url = redirect(&url).await;
            let image = fetch(&format!("{url}/a.png#x")).await.unwrap();
            assert_eq!(
                (image.bytes.as_ref(), image.content_type.as_deref()),
                (&b"png"[..], Some("image/png"))
            );
        }
        let error = fetch(&redirect(&url).await).await.unwrap_err();
        assert!(error.to_string().contains("more than 3 times"), "{error}");
    }

    #[tokio::test]
    async fn other_places_are_refused() {
        let elsewhere = redirect("file:///etc/passwd").await;
        let absent = fixed("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n").await;
        for url in [
            "file:///etc/passwd",
            "data:image/png;base64,AAAA",
            "picture.png",
            "http://u:p@x.com",
            &elsewhere,
            &absent,
        ] {
            let error = fetch(url).await.unwrap_err();
            assert!(
                matches!(error, TransportError::Picture { .. }),
                "{url}: {error}"
            );
        }
        let error = fetch(&fixed(answer("", &[0; 101])).await)
            .await
            .unwrap_err();
        assert!(matches!(error, TransportError::TooLarge { .. }), "{error}");
    }
}
