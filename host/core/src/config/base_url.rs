//! Base URLs: what is accepted in the configuration, and what people write into variables.

use std::net::IpAddr;

use url::{Host, Url};

use super::diagnose::quoted;

/// Reads a base URL of the configuration: `http` or `https`, a host, perhaps a path.
///
/// # Errors
///
/// What is wrong and how to write it.
pub(super) fn parse(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty: write a URL, or null for the plugin's own".to_owned());
    }
    if !text.contains("://") {
        let local = normalise(text, None).filter(is_loopback).is_some();
        let scheme = if local { "http" } else { "https" };
        let fixed = format!("{scheme}://{}", text.trim_start_matches('/'));
        return Err(format!("needs a scheme: write {}", quoted(&fixed)));
    }
    let mut url = Url::parse(text).map_err(|error| {
        format!("is no URL ({error}): write one such as \"https://api.example.com/v1\"")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "cannot be reached by {}: write http or https",
            quoted(url.scheme())
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "holds a user name or password: remove it and use api_key_env or headers".to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(
            "has a query or fragment: remove what follows the path, the plugin adds its own"
                .to_owned(),
        );
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Reads what stands in a variable such as `OLLAMA_HOST`: a URL, or only `host`, `host:port`,
/// `:port`, or the address that a server listens on (`0.0.0.0:11434`).
///
/// What is missing is taken from `default`: its scheme, unless the host is this machine, and its
/// port. An address that means "every interface" becomes the loopback address, for it is no
/// address to connect to.
///
/// `None` if it cannot be read as any of these.
#[must_use]
pub fn normalise_base_url(text: &str, default: Option<&Url>) -> Option<Url> {
    normalise(text.trim(), default)
}

fn normalise(text: &str, default: Option<&Url>) -> Option<Url> {
    let text = text.trim_matches(['"', '\'']).trim_start_matches("//");
    if text.is_empty() {
        return None;
    }
    let mut url = if text.contains("://") {
        Url::parse(text).ok()?
    } else {
        without_scheme(text, default)?
    };
    let every_interface = match url.host()? {
        Host::Ipv4(address) if address.is_unspecified() => Some("127.0.0.1"),
        Host::Ipv6(address) if address.is_unspecified() => Some("[::1]"),
        _ => None,
    };
    if let Some(loopback) = every_interface {
        url.set_host(Some(loopback)).ok()?;
    }
    parse(url.as_str()).ok()
}

fn without_scheme(text: &str, default: Option<&Url>) -> Option<Url> {
    let (authority, path) = match text.find('/') {
        Some(slash) => text.split_at_checked(slash)?,
        None => (text, ""),
    };
    let authority = if authority.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{authority}]")
    } else if authority.starts_with(':') {
        format!("127.0.0.1{authority}")
    } else {
        authority.to_owned()
    };
    let mut url = Url::parse(&format!("http://{authority}{path}")).ok()?;
    // `set_scheme` and `set_port` only refuse what has no host; this has one.
    if let Some(default) = default {
        let local = is_loopback(&url)
            || matches!(url.host(), Some(Host::Ipv4(address)) if address.is_unspecified());
        let named_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
        if !local {
            url.set_scheme(default.scheme()).ok()?;
        }
        if !named_port {
            url.set_port(default.port()).ok()?;
        }
    }
    Some(url)
}

/// Does it lead to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

/// The end of a URL that names what the plugin appends itself, if there is one.
pub(super) fn superfluous_path(url: &Url) -> Option<&'static str> {
    ["/chat/completions", "/v1/messages", "/api/chat", "/v2/chat"]
        .into_iter()
        .find(|end| url.path().ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        parse(text).map_or_else(|message| message, |url| url.to_string())
    }

    #[test]
    fn base_urls_are_checked_and_trimmed() {
        let cases = [
            ("https://api.openai.com/v1", "https://api.openai.com/v1"),
            ("https://api.openai.com/v1//", "https://api.openai.com/v1"),
            (" http://localhost:11434 ", "http://localhost:11434/"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("", "is empty: write a URL, or null for the plugin's own"),
            (
                "localhost:11434",
                "needs a scheme: write \"http://localhost:11434\"",
            ),
            (
                "api.groq.com/openai/v1",
                "needs a scheme: write \"https://api.groq.com/openai/v1\"",
            ),
            (
                "ftp://x.org",
                "cannot be reached by \"ftp\": write http or https",
            ),
            (
                "https://u:p@x.org",
                "holds a user name or password: remove it and use api_key_env or headers",
            ),
            (
                "https://x.org/v1?key=1",
                "has a query or fragment: remove what follows the path, the plugin adds its own",
            ),
            (
                "http://",
                "is no URL (empty host): write one such as \"https://api.example.com/v1\"",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn variables_may_leave_things_out() {
        let ollama = Url::parse("http://localhost:11434").unwrap();
        let openai = Url::parse("https://api.openai.com/v1").unwrap();
        let cases = [
            ("0.0.0.0:11434", &ollama, "http://127.0.0.1:11434/"),
            ("0.0.0.0", &ollama, "http://127.0.0.1:11434/"),
            ("gpu-box", &ollama, "http://gpu-box:11434/"),
            ("gpu-box:80", &ollama, "http://gpu-box/"),
            (":8080", &ollama, "http://127.0.0.1:8080/"),
            ("::1", &ollama, "http://[::1]:11434/"),
            ("[::]:9", &ollama, "http://[::1]:9/"),
            ("http://0.0.0.0:5", &ollama, "http://127.0.0.1:5/"),
            (
                "https://ollama.example.org/",
                &ollama,
                "https://ollama.example.org/",
            ),
            ("gpu-box/ollama", &ollama, "http://gpu-box:11434/ollama"),
            (
                "gateway.example.org/v1",
                &openai,
                "https://gateway.example.org/v1",
            ),
            ("localhost:1234/v1", &openai, "http://localhost:1234/v1"),
            ("\"http://quoted:1\"", &ollama, "http://quoted:1/"),
        ];
        for (text, default, expected) in cases {
            let url = normalise_base_url(text, Some(default)).map(|url| url.to_string());
            assert_eq!(url.as_deref(), Some(expected), "{text}");
        }
        for bad in [
            "",
            "http://",
            "a b",
            "ftp://x",
            "host:99999",
            "http://u:p@x",
        ] {
            assert_eq!(normalise_base_url(bad, Some(&ollama)), None, "{bad}");
        }
    }

    #[test]
    fn paths_of_the_plugin_are_seen() {
        let url = Url::parse("https://x.org/v1/chat/completions").unwrap();
        assert_eq!(superfluous_path(&url), Some("/chat/completions"));
        assert_eq!(
            superfluous_path(&Url::parse("https://x.org/v1").unwrap()),
            None
        );
    }
}
