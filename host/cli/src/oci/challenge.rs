//! What a registry wants to know of who asks: the header `WWW-Authenticate`.

use std::collections::BTreeMap;

/// How one proves who one is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// By name and password.
    Basic,
    /// By a token, which somebody gives.
    Bearer {
        /// Who.
        realm: String,
        /// For whom.
        service: Option<String>,
        /// For what.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The one that is answered, of those in a header: a token before a password.
    pub(super) fn of(header: &str) -> Option<Self> {
        let schemes = schemes(header);
        let named = |name: &str| {
            let mut schemes = schemes.iter();
            schemes.find(|(scheme, _)| scheme.eq_ignore_ascii_case(name))
        };
        let bearer = named("bearer").and_then(|(_, values)| {
            let value = |name: &str| values.get(name).cloned();
            Some(Challenge::Bearer {
                realm: value("realm")?,
                service: value("service"),
                scope: value("scope"),
            })
        });
        bearer.or_else(|| named("basic").map(|_| Challenge::Basic))
    }
}

/// The schemes of a header, each with its values, names in lower case.
fn schemes(header: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut found: Vec<(String, BTreeMap<String, String>)> = vec![];
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if word.is_empty() {
            return found;
        }
        let Some(value) = behind.trim_start().strip_prefix('=') else {
            found.push((word.to_owned(), BTreeMap::new()));
            rest = behind;
            continue;
        };
        let (value, behind) = value_of(value.trim_start());
        if let Some((_, values)) = found.last_mut() {
            values.insert(word.to_ascii_lowercase(), value);
        }
        rest = behind;
    }
}

/// A value, quoted or not, and what stands behind it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (value, behind) = text.split_at(end);
        return (value.to_owned(), behind);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_for_where_one_is_wanted() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        };
        for (header, expected) in [
            (
                r#"Bearer realm="https://a.example/token",service="r.example",scope="repository:a:pull,push""#,
                Some(bearer(
                    "https://a.example/token",
                    Some("r.example"),
                    Some("repository:a:pull,push"),
                )),
            ),
            (
                r#"bearer realm=https://a.example/t , service = x"#,
                Some(bearer("https://a.example/t", Some("x"), None)),
            ),
            (
                r#"Basic realm="a, \"b\"", Bearer realm="https://t.example/""#,
                Some(bearer("https://t.example/", None, None)),
            ),
            (r#"Basic realm="Registry""#, Some(Challenge::Basic)),
            ("Basic", Some(Challenge::Basic)),
            ("Bearer", None),
            ("Negotiate abc", None),
            ("", None),
            (
                r#"Bearer realm="unfinished"#,
                Some(bearer("unfinished", None, None)),
            ),
        ] {
            assert_eq!(Challenge::of(header), expected, "{header}");
        }
    }
}
