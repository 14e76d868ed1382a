//! Names and pages by which a gateway without keys is asked: a page of somebody else, open in a browser on this machine,
//! must not ask it, neither by its own origin nor by a name that was made to lead here (DNS rebinding).

use std::net::IpAddr;

use super::Closed;

/// Whether a request by this `Host` and `Origin` may come in. `hosts` and `origins` are those of the configuration;
/// `open`: there are no keys.
pub(crate) fn check(
    host: Option<&str>,
    origin: Option<&str>,
    (hosts, origins): (&[String], &[String]),
    open: bool,
) -> Result<(), Closed> {
    let host = host.map(name_of);
    if open {
        let host = host.as_deref().ok_or(Closed::Host)?;
        if !is_here(host) && !hosts.iter().any(|known| known == host) {
            return Err(Closed::Host);
        }
    }
    match origin {
        None => Ok(()),
        Some(origin) if is_listed(origin, origins) => Ok(()),
        // A page that this gateway's own host serves.
        Some(origin) if open => {
            let (scheme, rest) = origin.split_once("://").unwrap_or_default();
            let own = matches!(scheme, "http" | "https")
                && host.is_some_and(|host| name_of(rest) == host);
            match own {
                true => Ok(()),
                false => Err(Closed::Origin),
            }
        }
        // Whoever has a key says so himself: no browser adds one. What may be read is said by `allow`.
        Some(_) => Ok(()),
    }
}

/// Whether a page of this origin may read answers.
pub(crate) fn is_listed(origin: &str, origins: &[String]) -> bool {
    let origin = origin.to_ascii_lowercase();
    origins.contains(&origin)
}

/// The name without its port, in lower case.
fn name_of(host: &str) -> String {
    let host = host.trim();
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(host),
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_here(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(host: Option<&str>, origin: Option<&str>) -> Result<(), Closed> {
        let hosts = ["box.example".to_owned()];
        let origins = ["https://chat.example".to_owned()];
        check(host, origin, (&hosts, &origins), true)
    }

    #[test]
    fn names_that_lead_elsewhere_stay_outside() {
        for host in [
            "localhost",
            "LOCALHOST:4000",
            "127.0.0.1:4000",
            "127.9.9.9",
            "[::1]:4000",
            "app.localhost",
            "box.example:1",
            "localhost.",
        ] {
            assert_eq!(open(Some(host), None), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "",
            "0.0.0.0",
            "[::]",
        ] {
            assert_eq!(open(Some(host), None), Err(Closed::Host), "{host}");
        }
        assert_eq!(open(None, None), Err(Closed::Host));
    }

    #[test]
    fn pages_of_strangers_stay_outside() {
        for origin in [
            "http://localhost:4000",
            "http://localhost:5173",
            "https://chat.example",
            "HTTPS://chat.example",
        ] {
            assert_eq!(
                open(Some("localhost:4000"), Some(origin)),
                Ok(()),
                "{origin}"
            );
        }
        for origin in [
            "http://evil.example",
            "null",
            "https://chat.example.evil",
            "file://localhost",
            "http://127.0.0.1:4000",
            "chrome-extension://x",
        ] {
            assert_eq!(
                open(Some("localhost:4000"), Some(origin)),
                Err(Closed::Origin),
                "{origin}"
            );
        }
    }

    #[test]
    fn with_keys_any_name_and_page_may_ask() {
        let asked = check(
            Some("api.example.org"),
            Some("https://x.example"),
            (&[], &[]),
            false,
        );
        assert_eq!(asked, Ok(()));
    }
}
