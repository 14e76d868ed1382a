//! What a component imports and exports, found out before it is compiled.

use serde::{Deserialize, Serialize};
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::TypesRef;
use wasmparser::{Encoding, Parser, Payload, ValidPayload, Validator, WasmFeatures};

use super::survey::Refusal;

/// Package of the contract.
const PACKAGE: &str = "multillm:provider/";
/// Interfaces that a provider must export.
const REQUIRED: [&str; 2] = ["metadata", "chat"];

/// Package of the contract of filters, and the interfaces that one must export.
const FILTER: &str = "multillm:filter/";
const REQUIRED_OF_FILTERS: [&str; 2] = ["metadata", "exchange"];
/// The version of that contract that this host reads, as it was released. Those that differ in the last number are one.
const FILTER_VERSION: &str = "0.1.0";

/// A version of the contract that this host reads. Those that differ in the last number are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V0_1,
    V0_2,
}

impl Version {
    /// All, the oldest first.
    const ALL: [Version; 2] = [Version::V0_1, Version::V0_2];

    /// As it was released.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Version::V0_1 => "0.1.0",
            Version::V0_2 => "0.2.0",
        }
    }

    /// Whether an export bears it: `0.1.0`, a later `0.1.7`, or `0.1`, as components are going to
    /// shorten it.
    fn is(self, written: &str) -> bool {
        is_version(self.as_str(), written)
    }
}

fn is_version(released: &str, written: &str) -> bool {
    let (major_minor, _) = released.rsplit_once('.').unwrap_or_default();
    match written.strip_prefix(major_minor) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix('.')
            .is_some_and(|patch| patch.parse::<u32>().is_ok()),
        None => false,
    }
}

/// Something that a component imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The interface, or the item itself.
    pub name: String,
    /// The functions, resources and modules in it; empty if it holds types alone.
    pub items: Vec<String>,
}

/// What a component is, by its type alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// What it imports.
    pub imports: Vec<Import>,
    /// What it exports.
    pub exports: Vec<String>,
}

/// Whether a component fits the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contract {
    /// It does.
    Fits {
        /// The version of the contract, as it was released.
        version: &'static str,
        /// The interface `models` is there.
        models: bool,
    },
    /// It is a provider for another version.
    Foreign {
        /// The interfaces it exports.
        found: String,
    },
    /// It is something else.
    Other {
        /// The interfaces it exports.
        found: String,
    },
}

impl Inspection {
    /// Reads the component's type. Functions are not looked into: whoever compiles them does.
    ///
    /// # Errors
    ///
    /// The component is malformed.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut validator = Validator::new_with_features(features());
        let (mut imports, mut exports) = (vec![], vec![]);
        // How many components and modules the one that is being read is in.
        let mut depth = 0usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match &payload {
                Payload::Version { encoding, .. } => {
                    depth += 1;
                    if depth == 1 && *encoding != Encoding::Component {
                        return Ok(Inspection {
                            imports: vec![],
                            exports: vec![],
                        });
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section.clone() {
                        imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section.clone() {
                        exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
            if let ValidPayload::End(types) = validator.payload(&payload)?
                && depth == 0
            {
                let types = types.as_ref();
                return Ok(Inspection {
                    imports: imports
                        .into_iter()
                        .map(|name| Import {
                            items: match types.component_item_for_import(&name) {
                                Some(item) => substance(&name, item.ty, types),
                                None => vec![name.clone()],
                            },
                            name,
                        })
                        .collect(),
                    exports,
                });
            }
        }
        Err(Refusal::Malformed("it ends too early".to_owned()))
    }

    /// All that it imports besides types, as `interface#item`.
    #[must_use]
    pub fn forbidden(&self) -> Vec<String> {
        self.imports
            .iter()
            .flat_map(|import| {
                import.items.iter().map(|item| {
                    if *item == import.name {
                        item.clone()
                    } else {
                        format!("{}#{item}", import.name)
                    }
                })
            })
            .collect()
    }

    /// Whether it fits the contract of this host.
    #[must_use]
    pub fn contract(&self) -> Contract {
        let found = || self.listed();
        match self.version() {
            Some(version) => Contract::Fits {
                version: version.as_str(),
                models: self.export(version, "models").is_some(),
            },
            None if self.has_other_version() => Contract::Foreign { found: found() },
            None => Contract::Other { found: found() },
        }
    }

    /// The newest version that it fits.
    pub(super) fn version(&self) -> Option<Version> {
        let fits = |version: &Version| {
            let mut required = REQUIRED.iter();
            required.all(|interface| self.export(*version, interface).is_some())
        };
        Version::ALL.into_iter().rev().find(fits)
    }

    /// The name under which it exports an interface of a version.
    pub(super) fn export(&self, version: Version, interface: &str) -> Option<&str> {
        let mut exports = self.exports.iter().map(String::as_str);
        exports.find(|export| {
            parts(export).is_some_and(|(name, written)| name == interface && version.is(written))
        })
    }

    fn has_other_version(&self) -> bool {
        let known = |written: &str| Version::ALL.iter().any(|version| version.is(written));
        self.exports
            .iter()
            .filter_map(|export| parts(export))
            .any(|(_, written)| !known(written))
    }

    /// What it exports, for messages.
    pub(super) fn listed(&self) -> String {
        match self.exports.is_empty() {
            true => "nothing".to_owned(),
            false => self.exports.join(", "),
        }
    }

    /// It is a filter, of the contract of filters that this host reads.
    #[must_use]
    pub fn is_filter(&self) -> bool {
        let mut required = REQUIRED_OF_FILTERS.iter();
        required.all(|interface| self.filter_export(interface).is_some())
    }

    /// The version of the contract of filters, as it was released.
    #[must_use]
    pub fn filter_version() -> &'static str {
        FILTER_VERSION
    }

    /// The name under which it exports an interface of filters.
    pub(super) fn filter_export(&self, interface: &str) -> Option<&str> {
        let mut exports = self.exports.iter().map(String::as_str);
        exports.find(|export| {
            let parts = export.strip_prefix(FILTER);
            parts
                .and_then(|parts| parts.split_once('@'))
                .is_some_and(|(name, written)| {
                    name == interface && is_version(FILTER_VERSION, written)
                })
        })
    }

    /// What a filter must export, for messages.
    pub(super) fn needed_of_filters() -> String {
        format!(
            "{FILTER}{} of contract {FILTER_VERSION}",
            REQUIRED_OF_FILTERS.join(" and ")
        )
    }

    /// What a provider must export, for messages.
    #[must_use]
    pub fn needed() -> String {
        let versions = Version::ALL.map(Version::as_str).join(" or ");
        format!("{PACKAGE}{} of contract {versions}", REQUIRED.join(" and "))
    }
}

/// Interface and version of an export of the contract's package.
fn parts(export: &str) -> Option<(&str, &str)> {
    export.strip_prefix(PACKAGE)?.split_once('@')
}

/// What may stand in a component at all: what the engine takes, or more; it has the last word.
fn features() -> WasmFeatures {
    WasmFeatures::default().difference(WasmFeatures::MEMORY64)
}

/// What an imported item holds besides types.
fn substance(name: &str, item: ComponentEntityType, types: TypesRef<'_>) -> Vec<String> {
    match item {
        ComponentEntityType::Type { .. } => vec![],
        ComponentEntityType::Instance(instance) => types
            .get(instance)
            .into_iter()
            .flat_map(|instance| &instance.exports)
            .flat_map(|(inner, item)| substance(inner, item.ty, types))
            .collect(),
        _ => vec![name.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exporting(exports: &[&str]) -> Inspection {
        Inspection {
            imports: vec![],
            exports: exports.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn of(version: &str) -> Inspection {
        exporting(&[
            &format!("multillm:provider/chat@{version}"),
            &format!("multillm:provider/metadata@{version}"),
        ])
    }

    fn fits(version: &'static str) -> Contract {
        let models = false;
        Contract::Fits { version, models }
    }

    #[test]
    fn each_version_is_told_by_the_exports_in_either_form() {
        for written in ["0.1.0", "0.1.7", "0.1"] {
            assert_eq!(of(written).contract(), fits("0.1.0"), "{written}");
        }
        for written in ["0.2.0", "0.2.31", "0.2"] {
            assert_eq!(of(written).contract(), fits("0.2.0"), "{written}");
        }
        for written in [
            "0.3.0",
            "0.3",
            "0.10.0",
            "0.20",
            "1.2.0",
            "0.1.x",
            "0.1.0-rc.1",
            "0",
            "",
        ] {
            let contract = of(written).contract();
            assert!(
                matches!(contract, Contract::Foreign { .. }),
                "{written}: {contract:?}"
            );
        }
    }

    #[test]
    fn a_component_of_two_versions_is_of_the_newer_and_halves_make_no_whole() {
        let both = exporting(&[
            "multillm:provider/chat@0.1.0",
            "multillm:provider/metadata@0.1.0",
            "multillm:provider/chat@0.2.0",
            "multillm:provider/metadata@0.2.0",
            "multillm:provider/models@0.1.0",
        ]);
        assert_eq!(both.contract(), fits("0.2.0"));
        assert_eq!(
            both.export(Version::V0_1, "chat"),
            Some("multillm:provider/chat@0.1.0")
        );
        let halves = exporting(&[
            "multillm:provider/chat@0.1.0",
            "multillm:provider/metadata@0.2.0",
        ]);
        assert!(matches!(halves.contract(), Contract::Other { .. }));
    }

    #[test]
    fn something_else_is_no_provider() {
        for exports in [&["wasi:cli/run@0.2.0"][..], &[]] {
            let contract = exporting(exports).contract();
            assert!(matches!(contract, Contract::Other { .. }), "{contract:?}");
        }
    }
}
