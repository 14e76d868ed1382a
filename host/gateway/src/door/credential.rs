//! Where clients put their keys, and what they say of their sessions.

use axum::http::HeaderMap;

use super::key::PREFIX;

/// Headers in which a bare key may stand.
const BARE: [&str; 3] = ["x-api-key", "api-key", "x-goog-api-key"];

/// The most characters of a session's or agent's id that are kept.
const LONGEST: usize = 128;

/// All that may be keys, in the headers and the query.
pub(crate) fn keys<'r>(headers: &'r HeaderMap, query: Option<&'r str>) -> Vec<&'r str> {
    let mut found = vec![];
    for value in headers.get_all("authorization") {
        let Ok(value) = value.to_str() else { continue };
        let (scheme, key) = value.trim().split_once(' ').unwrap_or_default();
        if scheme.eq_ignore_ascii_case("bearer") {
            found.push(key.trim());
        }
    }
    for name in BARE {
        let values = headers.get_all(name).iter();
        found.extend(
            values
                .filter_map(|value| value.to_str().ok())
                .map(str::trim),
        );
    }
    let pairs = query.unwrap_or_default().split('&');
    found.extend(pairs.filter_map(|pair| pair.strip_prefix("key=")));
    found.retain(|key| !key.is_empty());
    found
}

/// The caller's own key for a vendor: the first that is none of a gateway. Who takes it is the configuration's to say.
pub(crate) fn own<'r>(headers: &'r HeaderMap, query: Option<&'r str>) -> Option<&'r str> {
    let mut keys = keys(headers, query).into_iter();
    keys.find(|key| !key.starts_with(PREFIX))
}

/// An id that a client's program gives itself, if it is one that can be shown.
pub(crate) fn id(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._:-".contains(letter);
    (!text.is_empty() && text.len() <= LONGEST && text.chars().all(is_plain))
        .then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_wherever_clients_put_them() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "bearer  a"),
            ("authorization", "Basic eDp5"),
            ("x-api-key", " b "),
            ("api-key", "c"),
            ("x-goog-api-key", "d"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        assert_eq!(
            keys(&headers, Some("alt=sse&key=e&keys=f")),
            ["a", "b", "c", "d", "e"]
        );
        assert!(keys(&HeaderMap::new(), Some("key=")).is_empty());
    }

    #[test]
    fn a_key_of_a_gateway_is_never_a_vendor_s() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer mlk-old".parse().unwrap());
        assert_eq!(own(&headers, Some("key=mlk-other")), None);
        headers.insert("x-api-key", "sk-mine".parse().unwrap());
        assert_eq!(own(&headers, Some("key=mlk-other")), Some("sk-mine"));
        assert_eq!(
            own(&HeaderMap::new(), Some("key=AIza-mine")),
            Some("AIza-mine")
        );
    }

    #[test]
    fn ids_are_plain_and_short() {
        let mut headers = HeaderMap::new();
        headers.insert("x-id", "a1-b2".parse().unwrap());
        assert_eq!(id(&headers, "x-id").as_deref(), Some("a1-b2"));
        assert_eq!(id(&headers, "x-other"), None);
        for odd in ["a b", "", &"x".repeat(LONGEST + 1)] {
            headers.insert("x-id", odd.parse().unwrap());
            assert_eq!(id(&headers, "x-id"), None, "{odd:?}");
        }
    }
}
