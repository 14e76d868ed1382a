//! From a core module to a component: encoded, stripped of what only a debugger reads, and refused here where the
//! host would refuse it later.

use thiserror::Error;
use wasmparser::{Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

use crate::origin::{self, Origin};

mod world;

/// A component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Bytes of custom sections that were left out.
    pub stripped: usize,
    /// It was a component already, and was only stripped.
    pub was_component: bool,
}

/// Why a module cannot become a component.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PackError {
    /// It is no WebAssembly.
    #[error("this is no WebAssembly module: {0}")]
    NotWasm(String),
    /// It imports functions that no component of ours can have.
    #[error(
        "the module imports {}: a plugin may import nothing. For C and Rust build for wasm32-unknown-unknown; a \
         toolchain that needs WASI has a way to leave it out (componentize-py: --stub-wasi), else the plugin has to be \
         listed with \"wasi\": \"deny-all\"",
        .0.join(", ")
    )]
    Imports(Vec<String>),
    /// The module holds no description of its world, and its exports tell none.
    #[error(
        "the module does not say which world it implements, and exports nothing of the contract: build it with the \
         SDK's export_provider! or with bindings of wit-bindgen"
    )]
    NoWorld,
    /// The module exports something of the contract, and not what belongs to it.
    #[error("the module is no whole provider: {0}")]
    Exports(String),
    /// The encoder refuses it.
    #[error("no component can be made of it: {0}")]
    Encoder(String),
    /// What it is to say of where it comes from is not what others can read.
    #[error("{0}")]
    Origin(String),
}

/// Makes a component of a core module; a component is only stripped. With `keep_names` the names of functions stay,
/// so that a trap says where it happened.
///
/// # Errors
///
/// A [`PackError`], which says what to change.
pub fn pack(wasm: &[u8], keep_names: bool) -> Result<Packed, PackError> {
    let known = survey(wasm)?;
    let (bytes, was_component) = match known.component {
        true => (wasm.to_vec(), true),
        false => {
            if !known.imports.is_empty() {
                return Err(PackError::Imports(known.imports));
            }
            let described = match known.world {
                true => None,
                // Bindings of some languages leave it out; the exports tell as well.
                false => Some(world::described(wasm, &known.exports)?),
            };
            let mut encoder = ComponentEncoder::default();
            let encoded = encoder
                .validate(true)
                .module(described.as_deref().unwrap_or(wasm))
                .and_then(ComponentEncoder::encode);
            (
                encoded.map_err(|error| PackError::Encoder(format!("{error:#}")))?,
                false,
            )
        }
    };
    let before = bytes.len();
    let bytes = strip(&bytes, keep_names)?;
    Ok(Packed {
        stripped: before.saturating_sub(bytes.len()),
        bytes,
        was_component,
    })
}

struct Survey {
    component: bool,
    /// Modules and names of what a core module imports.
    imports: Vec<String>,
    /// What it exports.
    exports: Vec<String>,
    /// There is a section that describes the world.
    world: bool,
}

fn survey(wasm: &[u8]) -> Result<Survey, PackError> {
    let not_wasm = |error: wasmparser::BinaryReaderError| PackError::NotWasm(error.to_string());
    let mut found = Survey {
        component: false,
        imports: vec![],
        exports: vec![],
        world: false,
    };
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(not_wasm)? {
            Payload::Version {
                encoding: Encoding::Component,
                ..
            } => {
                found.component = true;
                return Ok(found);
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(not_wasm)?;
                    // Numbers for what the component itself exports: its decoders. The encoder sees to them.
                    if import.module.starts_with("[export]") {
                        continue;
                    }
                    found
                        .imports
                        .push(format!("{}#{}", import.module, import.name));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    found
                        .exports
                        .push(export.map_err(not_wasm)?.name.to_owned());
                }
            }
            Payload::CustomSection(section) => {
                found.world |= section.name().starts_with("component-type");
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The same without custom sections at the top and in modules, but for names where they are wanted. What a component
/// says of its types stays.
fn strip(wasm: &[u8], keep_names: bool) -> Result<Vec<u8>, PackError> {
    without(wasm, 0, &|_, name| {
        name == "producers"
            || name.starts_with(".debug_")
            || name.starts_with("component-type")
            || name == "target_features"
            || (name == "name" || name == "component-name") && !keep_names
    })
}

/// A component that says who made it: what is given replaces what it said, the rest stays.
///
/// # Errors
///
/// It is no WebAssembly, or a text cannot be said.
pub fn stamp(component: &[u8], origin: &Origin) -> Result<Vec<u8>, PackError> {
    let sections: Vec<_> = origin.sections().collect();
    for (name, text) in &sections {
        let wrong = |reason: String| PackError::Origin(format!("{name} {text:?}: {reason}"));
        if text.trim().is_empty() || text.len() > origin::LONGEST || text.contains(char::is_control)
        {
            return Err(wrong(format!(
                "a line of text is needed, of at most {} bytes",
                origin::LONGEST
            )));
        }
        if *name == "licenses" {
            spdx::Expression::parse(text).map_err(|error| {
                wrong(format!("{}: an SPDX expression is needed", error.reason))
            })?;
        }
    }
    let said_anew = |name: &str| {
        let same = |(section, _): &(&str, &str)| {
            *section == name || *section == "authors" && name == "author"
        };
        sections.iter().any(same)
    };
    let mut stamped = without(component, 0, &|depth, name| depth == 0 && said_anew(name))?;
    for (name, text) in &sections {
        let mut content = vec![];
        leb128(&mut content, name.len());
        content.extend_from_slice(name.as_bytes());
        content.extend_from_slice(text.as_bytes());
        stamped.push(0);
        leb128(&mut stamped, content.len());
        stamped.extend_from_slice(&content);
    }
    Ok(stamped)
}

/// The same without custom sections that are to go, by how deep they stand and what they are called.
fn without(
    wasm: &[u8],
    depth: usize,
    drops: &dyn Fn(usize, &str) -> bool,
) -> Result<Vec<u8>, PackError> {
    let not_wasm = |error: wasmparser::BinaryReaderError| PackError::NotWasm(error.to_string());
    let mut kept = Vec::with_capacity(wasm.len());
    // Only the outermost level is copied; modules inside are stripped as a whole each.
    let mut parser = Parser::new(0);
    let mut rest = wasm;
    let mut header_done = false;
    loop {
        let chunk = parser.parse(rest, true).map_err(not_wasm)?;
        let wasmparser::Chunk::Parsed { consumed, payload } = chunk else {
            return Err(PackError::NotWasm("it ends too early".to_owned()));
        };
        let raw = rest.get(..consumed).unwrap_or_default();
        match payload {
            Payload::Version { .. } if !header_done => {
                kept.extend_from_slice(raw);
                header_done = true;
            }
            Payload::CustomSection(section) if drops(depth, section.name()) => {}
            Payload::ModuleSection {
                unchecked_range, ..
            }
            | Payload::ComponentSection {
                unchecked_range, ..
            } => {
                let id = raw.first().copied().unwrap_or_default();
                let inner = wasm.get(unchecked_range.clone());
                let inner = inner.ok_or_else(|| {
                    PackError::NotWasm("a module inside is longer than the file".to_owned())
                })?;
                let inner = without(inner, depth + 1, drops)?;
                kept.push(id);
                leb128(&mut kept, inner.len());
                kept.extend_from_slice(&inner);
                // The parser has gone over it already.
                rest = wasm.get(unchecked_range.end..).unwrap_or_default();
                continue;
            }
            Payload::End(_) => return Ok(kept),
            _ => {
                kept.extend_from_slice(raw);
            }
        }
        rest = rest.get(consumed..).unwrap_or_default();
    }
}

/// A length as WebAssembly writes it.
fn leb128(into: &mut Vec<u8>, mut value: usize) {
    loop {
        #[allow(clippy::cast_possible_truncation, reason = "seven bits are left")]
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            into.push(byte);
            return;
        }
        into.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plugin_is_refused_with_the_reason() {
        assert!(matches!(
            pack(b"#!/bin/sh", false),
            Err(PackError::NotWasm(_))
        ));
        let empty = b"\0asm\x01\0\0\0";
        assert!(matches!(pack(empty, false), Err(PackError::NoWorld)));
        // (module (import "env" "now" (func)))
        let imports = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0b\x01\x03env\x03now\0\0";
        match pack(imports, false) {
            Err(PackError::Imports(names)) => assert_eq!(names, ["env#now"]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_component_is_stripped_at_every_depth_and_stays_one() {
        let museum = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/museum/0.1.0/openai.wasm");
        let mut component = std::fs::read(museum).unwrap();
        let bare = pack(&component, false).unwrap();
        assert!(bare.was_component);
        // A custom section behind everything, as debuggers read them.
        component.extend_from_slice(b"\0\x0c\x0b.debug_line");
        let again = pack(&component, false).unwrap();
        assert_eq!(
            (again.bytes == bare.bytes, again.stripped),
            (true, bare.stripped + 14)
        );
        let validated = wasmparser::Validator::new().validate_all(&again.bytes);
        assert!(validated.is_ok(), "{:?}", validated.err());
    }

    #[test]
    fn a_component_says_who_made_it_and_says_it_once() {
        let museum = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/museum/0.1.0/openai.wasm");
        let component = std::fs::read(museum).unwrap();
        let first = Origin {
            authors: Some("Ann <ann@acme.example>".to_owned()),
            licenses: Some("MIT".to_owned()),
            ..Origin::default()
        };
        let stamped = stamp(&component, &first).unwrap();
        let validated = wasmparser::Validator::new().validate_all(&stamped);
        assert!(validated.is_ok(), "{:?}", validated.err());
        let said = origin::origin(&stamped);
        assert_eq!(
            (&said.authors, &said.licenses),
            (&first.authors, &first.licenses)
        );
        let second = Origin {
            licenses: Some("MIT OR Apache-2.0".to_owned()),
            version: Some("0.3.1".to_owned()),
            ..Origin::default()
        };
        let again = stamp(&stamped, &second).unwrap();
        let said = origin::origin(&again);
        assert_eq!(said.authors, first.authors);
        assert_eq!(
            (&said.licenses, &said.version),
            (&second.licenses, &second.version)
        );
        // The same said twice are the same bytes.
        assert_eq!(stamp(&again, &second).unwrap(), again);
        // Packing once more loses nothing of it.
        assert_eq!(origin::origin(&pack(&again, false).unwrap().bytes), said);
    }

    #[test]
    fn what_others_could_not_read_is_not_said() {
        let component = b"\0asm\x0d\0\x01\0";
        let say = |licenses: &str| {
            let origin = Origin {
                licenses: Some(licenses.to_owned()),
                ..Origin::default()
            };
            stamp(component, &origin).map_err(|error| error.to_string())
        };
        assert!(say("MIT AND (Apache-2.0 WITH LLVM-exception)").is_ok());
        for wrong in ["free for all", "", " ", "MIT\nMIT", "MIT OR"] {
            let error = say(wrong).unwrap_err();
            assert!(error.starts_with("licenses "), "{error}");
        }
    }

    #[test]
    fn lengths_are_written_in_sevens() {
        let mut bytes = vec![];
        for value in [0, 127, 128, 300, 1 << 20] {
            leb128(&mut bytes, value);
        }
        assert_eq!(bytes, [0, 0x7f, 0x80, 1, 0xac, 2, 0x80, 0x80, 0x40]);
    }
}
