//! What a component imports and exports, found out before it is compiled.

use serde::Serialize;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::TypesRef;
use wasmparser::{Encoding, Parser, Payload, ValidPayload, Validator, WasmFeatures};

use super::survey::Refusal;

/// Package of the contract.
const PACKAGE: &str = "multillm:provider/";
/// Version of the contract that this host speaks.
const VERSION: &str = "0.1.0";
/// Interfaces that a provider must export.
const REQUIRED: [&str; 2] = ["metadata", "chat"];

/// Something that a component imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Import {
    /// The interface, or the item itself.
    pub name: String,
    /// The functions, resources and modules in it; empty if it holds types alone.
    pub items: Vec<String>,
}

/// What a component is, by its type alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// What it imports.
    pub imports: Vec<Import>,
    /// What it exports.
    pub exports: Vec<String>,
}

/// Whether a component fits the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contract {
    /// It does; optional interfaces by name.
    Fits {
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
        let interfaces: Vec<(&str, &str)> = self
            .exports
            .iter()
            .filter_map(|export| export.strip_prefix(PACKAGE)?.split_once('@'))
            .collect();
        let has = |name: &str| {
            interfaces
                .iter()
                .any(|(interface, version)| *interface == name && compatible(version))
        };
        let found = || match self.exports.is_empty() {
            true => "nothing".to_owned(),
            false => self.exports.join(", "),
        };
        if REQUIRED.iter().all(|name| has(name)) {
            Contract::Fits {
                models: has("models"),
            }
        } else if interfaces.iter().any(|(_, version)| !compatible(version)) {
            Contract::Foreign { found: found() }
        } else {
            Contract::Other { found: found() }
        }
    }

    /// What a provider must export, for messages.
    #[must_use]
    pub fn needed() -> String {
        REQUIRED
            .map(|name| format!("{PACKAGE}{name}@{VERSION}"))
            .join(", ")
    }
}

/// 0.1.x is compatible with 0.1.0.
fn compatible(version: &str) -> bool {
    let minor = |version: &str| {
        let mut numbers = version.split('.').map(str::to_owned);
        (numbers.next(), numbers.next())
    };
    minor(version) == minor(VERSION)
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

    #[test]
    fn a_patch_version_fits_and_a_minor_one_does_not() {
        let own = exporting(&[
            "multillm:provider/chat@0.1.7",
            "multillm:provider/metadata@0.1.7",
        ]);
        assert_eq!(own.contract(), Contract::Fits { models: false });
        let foreign = exporting(&[
            "multillm:provider/chat@0.2.0",
            "multillm:provider/metadata@0.2.0",
        ]);
        assert!(matches!(foreign.contract(), Contract::Foreign { .. }));
        assert!(matches!(
            exporting(&["wasi:cli/run@0.2.0"]).contract(),
            Contract::Other { .. }
        ));
        assert!(matches!(exporting(&[]).contract(), Contract::Other { .. }));
    }
}
