//! The configured address of a vendor.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::error::{Rule, TransportError};

const MAX_SEGMENTS: usize = 32;
const MAX_SEGMENT: usize = 2048;
const MAX_QUERY_PAIRS: usize = 64;
const MAX_URL: usize = 16 << 10;

/// What stands before a vendor's own path: `http` or `https`, a host, perhaps a port and a path.
/// No user name, no password, no query, no fragment, no slash at the end.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    origin: String,
}

impl BaseUrl {
    /// Reads a base URL. Slashes at the end do not count.
    ///
    /// # Errors
    ///
    /// [`TransportError::BaseUrl`], which says what is wrong and repeats nothing that may be
    /// secret.
    pub fn parse(text: &str) -> Result<Self, TransportError> {
        let refuse = |reason: &str| {
            Err(TransportError::BaseUrl {
                shown: harmless(text),
                reason: reason.to_owned(),
            })
        };
        if text.chars().any(char::is_control) {
            return refuse("holds a control character or line break: remove it");
        }
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return refuse("must begin with http:// or https://");
        }
        let mut url = match Url::parse(text) {
            Ok(url) => url,
            Err(error) => return refuse(&format!("is no URL: {error}")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must hold no user name or password: use api_key_env for credentials");
        }
        if url.query().is_some() {
            return refuse("must have no query: remove everything from the ? on");
        }
        if url.fragment().is_some() {
            return refuse("must have no fragment: remove everything from the # on");
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let origin = url.origin().ascii_serialization();
        Ok(BaseUrl { url, origin })
    }

    /// Scheme, host and, unless customary, port: `http://localhost:11434`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The URL as text, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The URL with these segments and query pairs after it, each encoded.
    ///
    /// # Errors
    ///
    /// [`TransportError::Refused`] for whatever would lead out of the base URL or is too long.
    pub(super) fn join(
        &self,
        segments: &[String],
        query: &[(String, String)],
    ) -> Result<Url, TransportError> {
        check_segments(segments)?;
        check_query(query)?;
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        if url.as_str().len() > MAX_URL {
            return refused(
                Rule::Query,
                format!("the URL has more than {MAX_URL} bytes"),
            );
        }
        if url.as_str().parse::<http::Uri>().is_err() {
            return refused(Rule::Path, "its path cannot stand in a request".to_owned());
        }
        if !self.holds(&url, segments.len()) {
            return refused(
                Rule::Escape,
                "its path leads out of the base URL".to_owned(),
            );
        }
        Ok(url)
    }

    /// Whether `url` is this one with so many segments more. The checks before make it so; this
    /// one does not rely on them.
    fn holds(&self, url: &Url, segments: usize) -> bool {
        let prefix = self.url.path().trim_end_matches('/');
        let Some(added) = url.path().strip_prefix(prefix) else {
            return false;
        };
        let count = added
            .split('/')
            .skip(1)
            .filter(|segment| !segment.is_empty())
            .count();
        // As their origins: the scheme is `http` or `https`.
        url.scheme() == self.url.scheme()
            && url.host() == self.url.host()
            && url.port_or_known_default() == self.url.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && (added.is_empty() || added.starts_with('/'))
            && count == segments
    }
}

fn check_segments(segments: &[String]) -> Result<(), TransportError> {
    if segments.len() > MAX_SEGMENTS {
        return refused(
            Rule::Path,
            format!("its path has more than {MAX_SEGMENTS} segments"),
        );
    }
    for segment in segments {
        let problem = match segment.as_str() {
            "" => "is empty",
            "." | ".." => "would walk the path",
            _ if segment.chars().any(char::is_control) => "holds a control character",
            _ if segment.len() > MAX_SEGMENT => "is too long",
            _ => continue,
        };
        let shown: String = segment.chars().take(40).collect();
        return refused(Rule::Path, format!("the path segment {shown:?} {problem}"));
    }
    Ok(())
}

fn check_query(query: &[(String, String)]) -> Result<(), TransportError> {
    if query.len() > MAX_QUERY_PAIRS {
        return refused(
            Rule::Query,
            format!("its query has more than {MAX_QUERY_PAIRS} pairs"),
        );
    }
    if query.iter().any(|(name, _)| name.is_empty()) {
        return refused(Rule::Query, "a query pair has no name".to_owned());
    }
    Ok(())
}

fn refused<T>(rule: Rule, detail: String) -> Result<T, TransportError> {
    Err(TransportError::Refused { rule, detail })
}

/// The text for a message: quoted, without what may hold a secret.
fn harmless(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let text = text.get(..end).unwrap_or_default();
    if text.contains('@') {
        return "(not shown: it holds an @)".to_owned();
    }
    format!("{:?}", text.chars().take(200).collect::<String>())
}

impl FromStr for BaseUrl {
    type Err = TransportError;

    fn from_str(text: &str) -> Result<Self, TransportError> {
        Self::parse(text)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BaseUrl").field(&self.as_str()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn join(base: &str, segments: &[&str], query: &[(&str, &str)]) -> Result<String, Rule> {
        let segments: Vec<String> = segments.iter().map(|&s| s.to_owned()).collect();
        let query: Vec<_> = query
            .iter()
            .map(|&(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        match BaseUrl::parse(base).unwrap().join(&segments, &query) {
            Ok(url) => Ok(url.into()),
            Err(TransportError::Refused { rule, .. }) => Err(rule),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn base_urls_are_read_leniently_where_it_is_safe() {
        let shown = |text| BaseUrl::parse(text).unwrap().as_str().to_owned();
        assert_eq!(
            shown("https://api.openai.com/v1"),
            "https://api.openai.com/v1"
        );
        assert_eq!(
            shown(" https://api.openai.com/v1// "),
            "https://api.openai.com/v1"
        );
        assert_eq!(shown("HTTP://LocalHost:11434/"), "http://localhost:11434");
        assert_eq!(shown("https://x.com:443"), "https://x.com");
        assert_eq!(
            BaseUrl::parse("http://[::1]:9/a").unwrap().origin(),
            "http://[::1]:9"
        );
    }

    #[test]
    fn what_is_no_base_url_is_refused_without_its_secrets() {
        for (text, part) in [
            ("localhost:11434", "http:// or https://"),
            ("api.openai.com/v1", "http:// or https://"),
            ("ftp://x", "http:// or https://"),
            ("", "http:// or https://"),
            ("https://", "is no URL"),
            ("https://a b.com", "is no URL"),
            ("https://x.com:99999", "is no URL"),
            ("https://user:hunter2@x.com", "no user name or password"),
            ("https://x.com/v1?key=hunter2", "no query"),
            ("https://x.com/v1?", "no query"),
            ("https://x.com/#hunter2", "no fragment"),
            ("https://x.com/\nv1", "control character"),
        ] {
            let message = BaseUrl::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text:?}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn segments_go_after_the_base_path() {
        let segments = ["chat", "completions"];
        assert_eq!(
            join("https://x.com/v1/", &segments, &[]).unwrap(),
            "https://x.com/v1/chat/completions"
        );
        assert_eq!(
            join("https://x.com", &segments, &[]).unwrap(),
            "https://x.com/chat/completions"
        );
        assert_eq!(
            join("https://x.com/v1", &[], &[]).unwrap(),
            "https://x.com/v1"
        );
        assert_eq!(
            join("https://x.com", &[], &[("a", "1")]).unwrap(),
            "https://x.com/?a=1"
        );
        assert_eq!(
            join(
                "https://x.com",
                &["models", "gemini-2:generateContent"],
                &[("alt", "sse")]
            )
            .unwrap(),
            "https://x.com/models/gemini-2:generateContent?alt=sse"
        );
    }

    #[test]
    fn nothing_in_a_segment_leads_elsewhere() {
        let one = |segment: &str| join("https://x.com/v1", &[segment], &[]);
        assert_eq!(one("a/b").unwrap(), "https://x.com/v1/a%2Fb");
        assert_eq!(
            one("//evil.com").unwrap(),
            "https://x.com/v1/%2F%2Fevil.com"
        );
        assert_eq!(one("\\\\evil").unwrap(), "https://x.com/v1/%5C%5Cevil");
        assert_eq!(one("@evil.com").unwrap(), "https://x.com/v1/@evil.com");
        assert_eq!(
            one("https://evil.com").unwrap(),
            "https://x.com/v1/https:%2F%2Fevil.com"
        );
        assert_eq!(one("%2e%2e").unwrap(), "https://x.com/v1/%252e%252e");
        assert_eq!(one("..%2f").unwrap(), "https://x.com/v1/..%252f");
        assert_eq!(one("a?b#c").unwrap(), "https://x.com/v1/a%3Fb%23c");
        assert_eq!(one("\u{e9} x").unwrap(), "https://x.com/v1/%C3%A9%20x");
        for refused in [
            "",
            ".",
            "..",
            ".\n.",
            ".\t.",
            "a\r\nb",
            "\0",
            "\u{85}",
            &"x".repeat(3000),
        ] {
            assert_eq!(one(refused), Err(Rule::Path), "{refused:?}");
        }
        assert_eq!(join("https://x.com", &["a"; 33], &[]), Err(Rule::Path));
    }

    #[test]
    fn queries_are_encoded_and_bounded() {
        let one = |name: &str, value: &str| join("https://x.com", &["a"], &[(name, value)]);
        assert_eq!(
            one("k", "a&b=c#d\r\n \u{e9}").unwrap(),
            "https://x.com/a?k=a%26b%3Dc%23d%0D%0A+%C3%A9"
        );
        assert_eq!(one("", "x"), Err(Rule::Query));
        assert_eq!(one("k", &"x".repeat(20_000)), Err(Rule::Query));
        assert_eq!(
            join("https://x.com", &[], &[("a", "b"); 65]),
            Err(Rule::Query)
        );
    }

    proptest! {
        #[test]
        fn whatever_the_segments_the_server_stays_the_same(
            segments in proptest::collection::vec("[./%\\\\@:?#a-f0-9 \\t\\n\u{e9}]{0,6}", 0..5),
            query in proptest::collection::vec(("\\PC{0,5}", ".{0,5}"), 0..3),
        ) {
            let base = BaseUrl::parse("https://x.com:8443/a/b").unwrap();
            if let Ok(url) = base.join(&segments, &query) {
                prop_assert_eq!(url.host_str(), Some("x.com"));
                prop_assert_eq!(url.port(), Some(8443));
                let path: Vec<_> = url.path().split('/').collect();
                prop_assert_eq!(&path[..3], &["", "a", "b"]);
                prop_assert_eq!(path.len(), 3 + segments.len());
                let again = Url::parse(url.as_str()).unwrap();
                prop_assert_eq!(again, url);
            }
        }
    }
}
