//! What a component says of where it comes from: the custom sections that tools for components write and registries
//! show. Nobody vouches for any of it.

use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Payload};

/// Bytes of one section that are read; more is no licence or name.
pub(crate) const LONGEST: usize = 4096;

/// Who made a component, as it says itself. Texts of others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Origin {
    /// Who wrote it.
    pub authors: Option<String>,
    /// The licence, by its SPDX expression.
    pub licenses: Option<String>,
    /// Its own version.
    pub version: Option<String>,
    /// What it is, in a sentence.
    pub description: Option<String>,
    /// Where its source is.
    pub source: Option<String>,
    /// Where more is said of it.
    pub homepage: Option<String>,
    /// What of the source it was built from.
    pub revision: Option<String>,
}

/// Reads them: those of the component itself, not of what is in it. What cannot be read says nothing.
#[must_use]
pub fn origin(component: &[u8]) -> Origin {
    let mut found = Origin::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload {
            Ok(Payload::Version { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::CustomSection(section)) if depth == 1 => {
                let Some(place) = found.member(section.name()) else {
                    continue;
                };
                let text = section.data();
                let text = std::str::from_utf8(text.get(..LONGEST).unwrap_or(text));
                let text = text.ok().map(str::trim).filter(|text| !text.is_empty());
                if place.is_none() {
                    *place = text.map(str::to_owned);
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found
}

impl Origin {
    fn member(&mut self, section: &str) -> Option<&mut Option<String>> {
        match section {
            "authors" | "author" => Some(&mut self.authors),
            "licenses" => Some(&mut self.licenses),
            "version" => Some(&mut self.version),
            "description" => Some(&mut self.description),
            "source" => Some(&mut self.source),
            "homepage" => Some(&mut self.homepage),
            "revision" => Some(&mut self.revision),
            _ => None,
        }
    }

    /// What is said, each under the name of its section.
    pub(crate) fn sections(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("authors", &self.authors),
            ("licenses", &self.licenses),
            ("version", &self.version),
            ("description", &self.description),
            ("source", &self.source),
            ("homepage", &self.homepage),
            ("revision", &self.revision),
        ];
        all.into_iter()
            .filter_map(|(name, text)| Some((name, text.as_deref()?)))
    }

    /// This, and what is not said here as `other` says it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            authors: self.authors.or(other.authors),
            licenses: self.licenses.or(other.licenses),
            version: self.version.or(other.version),
            description: self.description.or(other.description),
            source: self.source.or(other.source),
            homepage: self.homepage.or(other.homepage),
            revision: self.revision.or(other.revision),
        }
    }

    /// What is said, with a word for each, in the order in which it is shown.
    pub fn said(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.sections().map(|(name, text)| match name {
            "authors" => ("author", text),
            "licenses" => ("licence", text),
            name => (name, text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(name: &str, data: &[u8]) -> Vec<u8> {
        let length = u8::try_from(1 + name.len() + data.len()).unwrap();
        let name_length = u8::try_from(name.len()).unwrap();
        [&[0, length, name_length], name.as_bytes(), data].concat()
    }

    #[test]
    fn a_component_speaks_for_itself_and_not_for_what_is_in_it() {
        let head = b"\0asm\x0d\0\x01\0";
        let inner = [b"\0asm\x01\0\0\0".to_vec(), section("authors", b"Mallory")].concat();
        let module = [vec![1, u8::try_from(inner.len()).unwrap()], inner].concat();
        let component = [
            head.to_vec(),
            module,
            section("authors", b"  Ann <ann@acme.example> "),
            section("authors", b"Bob"),
            section("licenses", b"MIT"),
            section("version", b"\xff\xfe"),
            section("revision", b" "),
        ]
        .concat();
        let found = origin(&component);
        let said: Vec<_> = found.said().collect();
        assert_eq!(
            said,
            [("author", "Ann <ann@acme.example>"), ("licence", "MIT")]
        );
        assert_eq!(origin(b"nothing"), Origin::default());
        assert_eq!(origin(&component[..20]), Origin::default());
    }
}
