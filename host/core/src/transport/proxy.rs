//! Proxies: those of the environment, and which of them an address goes through.
//!
//! The client applies them by itself, and passes over a variable that it cannot use; what is here
//! refuses such a variable beforehand, and says afterwards whom to blame.

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

/// By which a proxy is reached.
const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// Knows the way to each address.
#[derive(Debug)]
pub(super) struct Proxies {
    matcher: Option<Matcher>,
    /// Variables that name no usable proxy, for `http` and for `https`.
    unusable: [Option<Unusable>; 2],
    /// Says to which addresses a proxy is used at all.
    all: Option<Matcher>,
}

/// A variable that is no proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unusable {
    variable: &'static str,
    /// Without user name and password.
    shown: String,
}

/// A proxy on the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Via {
    /// Scheme, host and port.
    pub(super) origin: String,
    /// The proxy itself speaks TLS.
    pub(super) tls: bool,
    /// The proxy reads requests to plain `http` and may answer them itself.
    pub(super) answers: bool,
}

impl Proxies {
    pub(super) fn new(choice: &ProxyChoice) -> Self {
        let matcher = match choice {
            ProxyChoice::Environment => Some(Matcher::from_system()),
            ProxyChoice::None => None,
            ProxyChoice::Fixed(url) => Some(Matcher::builder().all(url.as_str()).build()),
        };
        let mut proxies = Proxies {
            matcher,
            unusable: [None, None],
            all: None,
        };
        if *choice == ProxyChoice::Environment {
            proxies.read(|name| std::env::var(name).ok());
        }
        proxies
    }

    /// Looks for variables that the client would pass over.
    fn read(&mut self, variable: impl Fn(&'static str) -> Option<String>) {
        // As the client reads them: the first that is set counts, an empty one is none.
        let first = |names: [&'static str; 2]| {
            let set = names
                .into_iter()
                .find_map(|name| Some((name, variable(name)?)));
            set.filter(|(_, value)| !value.trim().is_empty())
        };
        let all = first(["ALL_PROXY", "all_proxy"]);
        // In a CGI script the variable is a header of who asks.
        let http = match variable("REQUEST_METHOD") {
            None => first(["HTTP_PROXY", "http_proxy"]),
            Some(_) => None,
        };
        let https = first(["HTTPS_PROXY", "https_proxy"]);
        let unusable = |own: Option<(&'static str, String)>| {
            let (variable, value) = own.or(all.clone())?;
            (!is_proxy(&value)).then(|| Unusable {
                variable,
                shown: shown(&value),
            })
        };
        self.unusable = [unusable(http), unusable(https)];
        let none = first(["NO_PROXY", "no_proxy"]).map_or(String::new(), |(_, names)| names);
        self.all = Some(Matcher::builder().all("http://any").no(none).build());
    }

    /// Whether the way to `url` is known.
    ///
    /// # Errors
    ///
    /// [`TransportError::ProxyVariable`]: a variable means a proxy for it and names none. Without
    /// it, the request would go directly, past the proxy that somebody wanted.
    pub(super) fn check(&self, url: &Url) -> Result<(), TransportError> {
        let [http, https] = &self.unusable;
        let unusable = match url.scheme() {
            "http" => http,
            _ => https,
        };
        let concerned = || {
            let uri: http::Uri = url.as_str().parse().ok()?;
            self.all.as_ref()?.intercept(&uri)
        };
        match unusable {
            Some(unusable) if concerned().is_some() => Err(TransportError::ProxyVariable {
                variable: unusable.variable.to_owned(),
                shown: unusable.shown.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// The proxy that requests to `url` go through.
    pub(super) fn of(&self, url: &Url) -> Option<Via> {
        let uri: http::Uri = url.as_str().parse().ok()?;
        let intercept = self.matcher.as_ref()?.intercept(&uri)?;
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
            answers: url.scheme() == "http" && !scheme.starts_with("socks"),
        })
    }
}

/// Whether the client can use this as a proxy.
fn is_proxy(value: &str) -> bool {
    let Ok(uri) = value.parse::<http::Uri>() else {
        return false;
    };
    let scheme = uri.scheme_str().unwrap_or("http");
    let Some(authority) = uri.authority() else {
        return false;
    };
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    let port = host.rsplit_once(':').map(|(_, port)| port);
    let has_port = port.is_none_or(|port| port.ends_with(']') || authority.port_u16().is_some());
    SCHEMES.contains(&scheme) && !authority.host().is_empty() && has_port
}

/// A value for a message: no user name, no password, not too long.
fn shown(value: &str) -> String {
    let (scheme, rest) = match value.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), value),
    };
    let place = rest.rsplit('@').next().unwrap_or_default();
    let place: String = place.chars().take(100).collect();
    scheme + &place
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
                tls: false,
                answers: false,
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
        let http = Proxies::new(&choice).of(&"http://x.com/v1".parse().unwrap());
        assert!(http.unwrap().answers);
    }

    fn check(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let mut proxies = Proxies::new(&ProxyChoice::None);
        proxies.read(|name| {
            let value = variables.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| (*value).to_owned())
        });
        let checked = proxies.check(&url.parse().unwrap());
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn a_variable_that_is_no_proxy_is_refused() {
        for value in [
            "socks://proxy.corp:1080",
            "proxy.corp 3128",
            "ftp://proxy.corp",
            "not a url",
            "http://",
            "http//proxy:3128",
            "proxy:abc",
            "http://proxy:99999",
            "://x",
        ] {
            for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let said = check(&[(variable, value)], "https://x.com/").unwrap();
                assert!(said.contains(variable), "{value}: {said}");
                let http = check(&[(variable, value)], "http://x.com/");
                assert_eq!(
                    http.is_some(),
                    variable.to_lowercase() == "all_proxy",
                    "{value}"
                );
                let spared = [(variable, value), ("NO_PROXY", "y.org, x.com")];
                assert_eq!(check(&spared, "https://x.com/"), None);
            }
            assert!(check(&[("http_proxy", value)], "http://x.com/").is_some());
        }
        let said = check(&[("HTTPS_PROXY", "socks://u:hunter2@p:1")], "https://x.com").unwrap();
        assert!(
            said.contains("socks://p:1") && !said.contains("hunter2"),
            "{said}"
        );
    }

    #[test]
    fn usable_proxies_and_empty_variables_are_not() {
        for value in [
            "",
            " ",
            "http://proxy:3128",
            "https://u:p@proxy",
            "socks5h://[::1]:1080",
            "http://[::1]",
            "proxy.corp",
            "u:p@proxy.corp:3128",
            "socks4a://proxy",
        ] {
            assert_eq!(
                check(&[("HTTPS_PROXY", value)], "https://x.com/"),
                None,
                "{value}"
            );
        }
        // One that is usable for this scheme is enough.
        let both = [("HTTPS_PROXY", "http://p"), ("ALL_PROXY", "socks://p")];
        assert_eq!(check(&both, "https://x.com/"), None);
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "socks://p")];
        assert_eq!(check(&cgi, "http://x.com/"), None);
    }
}
