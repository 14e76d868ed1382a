//! Proxies: those of the environment, and which of them an address goes through.
//!
//! The client applies them by itself; what is here says afterwards whom to blame.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::error::TransportError;

/// Which proxy a client uses. Its `Debug` shows no password.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ProxyChoice {
    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or their lower-case forms)
    /// say, and where there are none the system's settings.
    #[default]
    Environment,
    /// None.
    None,
    /// This one for everything: an `http`, `https` or `socks5` URL.
    Fixed(String),
}

impl ProxyChoice {
    pub(super) fn apply(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, TransportError> {
        match self {
            ProxyChoice::Environment => Ok(builder),
            ProxyChoice::None => Ok(builder.no_proxy()),
            ProxyChoice::Fixed(url) => match reqwest::Proxy::all(url) {
                Ok(proxy) => Ok(builder.no_proxy().proxy(proxy)),
                Err(_) => Err(TransportError::Setup {
                    reason: "the proxy is no URL".to_owned(),
                }),
            },
        }
    }
}

impl fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyChoice::Environment => f.write_str("Environment"),
            ProxyChoice::None => f.write_str("None"),
            ProxyChoice::Fixed(url) => {
                let url: Option<Url> = url.parse().ok();
                let host = url.as_ref().and_then(Url::host_str);
                f.debug_tuple("Fixed").field(&host).finish()
            }
        }
    }
}

/// Knows the way to each address.
#[derive(Debug)]
pub(super) struct Proxies(Option<Matcher>);

/// A proxy on the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Via {
    /// Scheme, host and port.
    pub(super) origin: String,
    /// The proxy itself speaks TLS.
    pub(super) tls: bool,
}

impl Proxies {
    pub(super) fn new(choice: &ProxyChoice) -> Self {
        Proxies(match choice {
            ProxyChoice::Environment => Some(Matcher::from_system()),
            ProxyChoice::None => None,
            ProxyChoice::Fixed(url) => Some(Matcher::builder().all(url.as_str()).build()),
        })
    }

    /// The proxy that requests to `url` go through.
    pub(super) fn of(&self, url: &Url) -> Option<Via> {
        let uri: http::Uri = url.as_str().parse().ok()?;
        let intercept = self.0.as_ref()?.intercept(&uri)?;
        let proxy = intercept.uri();
        let scheme = proxy.scheme_str().unwrap_or("http");
        let host = proxy.host().unwrap_or_default();
        let port = proxy
            .port_u16()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        Some(Via {
            origin: format!("{scheme}://{host}{port}"),
            tls: scheme == "https",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_named_without_its_password() {
        let choice = ProxyChoice::Fixed("http://user:hunter2@proxy.example:3128".to_owned());
        let via = Proxies::new(&choice)
            .of(&"https://x.com/v1".parse().unwrap())
            .unwrap();
        assert_eq!(
            via,
            Via {
                origin: "http://proxy.example:3128".to_owned(),
                tls: false
            }
        );
        let shown = format!("{:?} {choice:?}", Proxies::new(&choice));
        assert!(
            shown.contains("proxy.example") && !shown.contains("hunter2"),
            "{shown}"
        );
        assert_eq!(
            Proxies::new(&ProxyChoice::None).of(&"https://x.com".parse().unwrap()),
            None
        );
    }
}
