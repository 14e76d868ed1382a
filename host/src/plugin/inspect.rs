//! What a component imports and exports, found out before it is linked.

use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

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
    /// Reads the component's type.
    pub(super) fn of(component: &Component, engine: &Engine) -> Self {
        let ty = component.component_type();
        let imports = ty
            .imports(engine)
            .map(|(name, item)| Import {
                name: name.to_owned(),
                items: substance(name, &item.ty, engine),
            })
            .collect();
        let exports = ty
            .exports(engine)
            .map(|(name, _)| name.to_owned())
            .collect();
        Inspection { imports, exports }
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

/// What an imported item holds besides types.
fn substance(name: &str, item: &ComponentItem, engine: &Engine) -> Vec<String> {
    match item {
        ComponentItem::Type(_) => vec![],
        ComponentItem::ComponentInstance(instance) => instance
            .exports(engine)
            .flat_map(|(inner, item)| substance(inner, &item.ty, engine))
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
