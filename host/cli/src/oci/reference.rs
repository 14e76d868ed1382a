//! Names of things in registries: `oci://registry/name:tag@sha256:…`.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// How such a name begins.
pub(crate) const SCHEME: &str = "oci://";

/// A name in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Host and port.
    pub(crate) registry: String,
    /// The path of the repository.
    pub(crate) repository: String,
    /// What is meant today.
    pub(crate) tag: Option<String>,
    /// What is meant for ever: `sha256:` and 64 hexadecimal digits.
    pub(crate) digest: Option<String>,
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |reason: &str| {
            format!(
                "{text:?} {reason}: write oci://registry/name:tag, or oci://registry/name@sha256:…"
            )
        };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| wrong("names nothing in a registry"))?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let (registry, path) = rest
            .split_once('/')
            .ok_or_else(|| wrong("names a registry and nothing in it"))?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if !is_host(registry) {
            return Err(wrong("begins with no host"));
        }
        if !is_repository(repository) {
            return Err(wrong(
                "has no name of a repository, which is in small letters",
            ));
        }
        if !tag.is_none_or(is_tag) {
            return Err(wrong("has no such tag"));
        }
        if !digest.is_none_or(is_digest) {
            return Err(wrong("has a digest that is none"));
        }
        let tag = tag.or(digest.is_none().then_some("latest"));
        Ok(Reference {
            registry: registry.to_ascii_lowercase(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.place())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl Reference {
    /// Registry and repository.
    pub(crate) fn place(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// What it is called where it names nothing by itself.
    pub(crate) fn name(&self) -> &str {
        let name = self.repository.rsplit('/').next();
        name.unwrap_or(&self.repository)
    }

    /// The same without what pins it, so that it may mean something else later.
    pub(crate) fn moving(&self) -> Self {
        let digest = match self.tag {
            Some(_) => None,
            None => self.digest.clone(),
        };
        Reference {
            digest,
            ..self.clone()
        }
    }

    /// What its manifest is asked for by.
    pub(crate) fn pointer(&self) -> &str {
        let pointer = self.digest.as_ref().or(self.tag.as_ref());
        pointer.map_or("latest", String::as_str)
    }

    /// The registry's address. Plain `http` on this machine, and where it was allowed.
    pub(crate) fn address(&self, plain_http: bool) -> Result<Url, String> {
        let host = match self.registry.as_str() {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            host => host,
        };
        let scheme = match plain_http || is_own_machine(host) {
            true => "http",
            false => "https",
        };
        Url::parse(&format!("{scheme}://{host}/")).map_err(|error| format!("{self}: {error}"))
    }

    /// The repository's path there.
    pub(crate) fn path(&self) -> String {
        let is_short = self.registry.ends_with("docker.io") && !self.repository.contains('/');
        match is_short {
            true => format!("library/{}", self.repository),
            false => self.repository.clone(),
        }
    }
}

/// Host and port lead to this machine.
fn is_own_machine(host: &str) -> bool {
    let url = Url::parse(&format!("http://{host}/")).ok();
    match url.as_ref().and_then(Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    text.chars().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && Url::parse(&format!("https://{text}/")).is_ok_and(|url| url.path() == "/")
}

fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(ends)
            && part.ends_with(ends)
            && part.chars().all(|c| ends(c) || "._-".contains(c))
            && !part.contains("..")
    };
    text.len() <= 255 && text.split('/').all(part)
}

fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// `sha256:` and 64 small hexadecimal digits.
pub(crate) fn is_digest(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.bytes().all(hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Reference, String> {
        text.parse()
    }

    #[test]
    fn a_name_has_a_registry_a_repository_and_what_is_meant() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, written, pointer) in [
            (
                "oci://r.example/acme",
                "oci://r.example/acme:latest",
                "latest",
            ),
            (
                "oci://R.example:5000/a/b_c-d:1.2",
                "oci://r.example:5000/a/b_c-d:1.2",
                "1.2",
            ),
            ("oci://[::1]:5000/a:x", "oci://[::1]:5000/a:x", "x"),
        ] {
            let reference = read(text).unwrap();
            assert_eq!(
                (reference.to_string(), reference.pointer()),
                (written.to_owned(), pointer)
            );
        }
        let pinned = read(&format!("oci://r.example/acme:1@{digest}")).unwrap();
        assert_eq!(pinned.pointer(), digest);
        assert_eq!(pinned.moving().to_string(), "oci://r.example/acme:1");
        let fixed = read(&format!("oci://r.example/acme@{digest}")).unwrap();
        assert_eq!((fixed.moving(), fixed.tag.clone()), (fixed, None));
        for text in [
            "r.example/acme",
            "oci://acme",
            "oci://r.example/",
            "oci:///acme",
            "oci://u:p@r.example/a",
            "oci://r.example/../a",
            "oci://r.example/a//b",
            "oci://r.example/A",
            "oci://r.example/a:",
            "oci://r.example/a:b/c",
            "oci://r.example/a@sha256:abc",
            "oci://r.example/a?b",
            "oci://r.example/a@md5:1",
            "oci://r.example/-a",
            "oci://r.exa mple/a",
            "oci://r.example\\x/a",
        ] {
            read(text).unwrap_err();
        }
    }

    #[test]
    fn plain_http_goes_to_this_machine_alone() {
        for (text, plain, address) in [
            ("oci://localhost:5000/a", false, "http://localhost:5000/"),
            ("oci://127.0.0.1:5000/a", false, "http://127.0.0.1:5000/"),
            ("oci://[::1]:5000/a", false, "http://[::1]:5000/"),
            ("oci://10.0.0.1:5000/a", false, "https://10.0.0.1:5000/"),
            (
                "oci://localhost.example/a",
                false,
                "https://localhost.example/",
            ),
            ("oci://r.example/a", true, "http://r.example/"),
            ("oci://docker.io/a", false, "https://registry-1.docker.io/"),
        ] {
            assert_eq!(
                read(text).unwrap().address(plain).unwrap().as_str(),
                address
            );
        }
        assert_eq!(read("oci://docker.io/a").unwrap().path(), "library/a");
        assert_eq!(read("oci://docker.io/me/a").unwrap().path(), "me/a");
    }
}
