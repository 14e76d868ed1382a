//! The world of a module that does not say which it implements, told from what it exports.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::PackError;
use crate::scaffold::WIT;

/// The contract's package, as exports name it.
const PACKAGE: &str = "multillm:provider/";
/// What every provider exports.
const REQUIRED: [&str; 2] = ["metadata", "chat"];

/// The module with the section that describes its world.
pub(super) fn described(wasm: &[u8], exports: &[String]) -> Result<Vec<u8>, PackError> {
    let (interfaces, version) = interfaces(exports)?;
    if let Some(missing) = REQUIRED.iter().find(|name| !interfaces.contains(**name)) {
        let missing = format!("it exports nothing of {PACKAGE}{missing}");
        return Err(PackError::Exports(missing));
    }
    let mut contract = String::new();
    for text in providers() {
        let lines = text.lines().filter(|line| !line.starts_with("package "));
        for line in lines {
            contract += line;
            contract.push('\n');
        }
    }
    let own = package(&contract_head(), &contract, &interfaces);
    let mut resolve = Resolve::default();
    let id = resolve.push_str("contract.wit", &own).map_err(failed)?;
    let known = resolve.packages.get(id);
    let known = known.and_then(|package| package.name.version.as_ref());
    if known.is_none_or(|known| known.to_string() != version) {
        return Err(PackError::Exports(format!(
            "it is built for contract {version}, this program packs for {}",
            known.map(ToString::to_string).unwrap_or_default()
        )));
    }
    let world = resolve
        .select_world(&[id], Some("packed"))
        .map_err(failed)?;
    let mut module = wasm.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(failed)?;
    Ok(module)
}

fn failed(error: impl std::fmt::Display) -> PackError {
    PackError::Encoder(format!("{error:#}"))
}

/// The files of the providers' package: that of filters stands in a folder of its own.
fn providers() -> impl Iterator<Item = &'static str> {
    let own = WIT.files().filter(|(place, _)| !place.contains('/'));
    own.map(|(_, text)| text)
}

/// The line that names the package.
fn contract_head() -> String {
    let mut lines = providers().flat_map(str::lines);
    let head = lines.find(|line| line.starts_with("package "));
    head.unwrap_or_default().to_owned()
}

/// The contract, and a world that exports these interfaces of it.
fn package(head: &str, contract: &str, interfaces: &BTreeSet<&str>) -> String {
    let mut text = format!("{head}\n{contract}\nworld packed {{\n");
    for interface in interfaces {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "export {interface};");
    }
    text + "}\n"
}

/// The interfaces of which something is exported, and their version: one.
fn interfaces(exports: &[String]) -> Result<(BTreeSet<&str>, &str), PackError> {
    let mut found = BTreeSet::new();
    let mut versions = BTreeSet::new();
    for export in exports {
        let of_ours = export.strip_prefix(PACKAGE).and_then(|rest| {
            let (interface, rest) = rest.split_once('@')?;
            Some((interface, rest.split_once('#')?.0))
        });
        if let Some((interface, version)) = of_ours {
            found.insert(interface);
            versions.insert(version);
        }
    }
    match (versions.len(), versions.pop_first()) {
        (1, Some(version)) => Ok((found, version)),
        (0, _) => Err(PackError::NoWorld),
        _ => Err(PackError::Exports(
            "it exports functions of several versions of the contract".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exports(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn the_world_is_told_from_the_exports() {
        let whole = exports(&[
            "memory",
            "multillm:provider/metadata@0.2.0#describe",
            "multillm:provider/chat@0.2.0#encode",
            "cabi_post_multillm:provider/chat@0.2.0#encode",
        ]);
        let module = described(EMPTY, &whole).unwrap();
        let text = String::from_utf8_lossy(&module);
        assert!(text.contains("component-type") && text.contains("multillm:provider/chat@0.2.0"));
        assert!(!text.contains("multillm:provider/models@0.2.0"));
    }

    #[test]
    fn what_is_no_provider_is_refused_with_what_is_missing() {
        let half = exports(&["multillm:provider/chat@0.2.0#encode"]);
        let error = described(EMPTY, &half).unwrap_err().to_string();
        assert!(error.contains("multillm:provider/metadata"), "{error}");
        let both = exports(&[
            "multillm:provider/chat@0.2.0#encode",
            "multillm:provider/metadata@0.1.0#describe",
        ]);
        let error = described(EMPTY, &both).unwrap_err().to_string();
        assert!(error.contains("several versions"), "{error}");
        let old = exports(&[
            "multillm:provider/chat@0.1.0#encode",
            "multillm:provider/metadata@0.1.0#describe",
        ]);
        let error = described(EMPTY, &old).unwrap_err().to_string();
        assert!(
            error.contains("0.1.0") && error.contains("0.2.0"),
            "{error}"
        );
        assert!(matches!(
            described(EMPTY, &exports(&["memory"])),
            Err(PackError::NoWorld)
        ));
    }
}
