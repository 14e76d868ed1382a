//! Components written by hand: a core module in text whose every export traps, but for those that
//! a test writes, wrapped into a component by the contract's own WIT.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, Resolve, WorldId, WorldItem};

use crate::stage::root;

/// Where the bytes of a description lie in the guest's memory.
const DESCRIPTION: u32 = 1024;
/// Where the texts that it points to lie.
const TEXTS: u32 = 4096;

/// A component to be.
pub(crate) struct Guest {
    /// Version of the contract.
    version: &'static str,
    /// More WIT packages, of which `world` imports.
    packages: Vec<&'static str>,
    /// The world, as it stands in WIT.
    world: String,
    /// Core imports: module, name, type.
    imports: Vec<(&'static str, &'static str, &'static str)>,
    bodies: BTreeMap<&'static str, String>,
    data: Vec<(u32, Vec<u8>)>,
    /// Pages of memory at the start.
    pages: u32,
    start: Option<&'static str>,
}

/// What `describe` returns, byte by byte.
pub(crate) struct Description {
    pub(crate) name: Vec<u8>,
    pub(crate) title: Vec<u8>,
    /// Where the name lies; absent: where it should.
    pub(crate) name_at: Option<u32>,
    /// How many secrets it says that it has; all lie at the same place.
    pub(crate) secrets: u32,
    /// The first capability; 0 to 3 are defined.
    pub(crate) capability: u8,
}

impl Default for Description {
    fn default() -> Self {
        Description {
            name: b"handmade".to_vec(),
            title: b"Handmade".to_vec(),
            name_at: None,
            secrets: 0,
            capability: 1,
        }
    }
}

impl Guest {
    /// A provider whose functions all trap.
    pub(crate) fn new() -> Self {
        Guest {
            version: "0.1.0",
            packages: vec![],
            world: "world w { include provider; }".into(),
            imports: vec![],
            bodies: BTreeMap::new(),
            data: vec![],
            pages: 2,
            start: None,
        }
    }

    /// A provider that describes itself so, and traps otherwise.
    pub(crate) fn describing(description: &Description) -> Self {
        let mut texts = vec![];
        let mut text = |bytes: &[u8]| {
            let at = TEXTS + u32::try_from(texts.len()).unwrap();
            texts.extend_from_slice(bytes);
            (at, u32::try_from(bytes.len()).unwrap())
        };
        let (name, length) = text(&description.name);
        let name = (description.name_at.unwrap_or(name), length);
        let title = text(&description.title);
        let version = text(b"1.0.0");
        let documentation = text(b"https://example.org");
        let secret = (32_768, description.secrets);
        let none = (0, 0);
        // In the order of the record: four texts, an option of a text, three lists, 18 enums.
        let pairs = [name, title, version, documentation, none];
        let mut record: Vec<u8> = pairs.into_iter().flat_map(bytes_of).collect();
        record.extend([0; 4]);
        record.extend([none, secret, none].into_iter().flat_map(bytes_of));
        record.extend([description.capability; 18]);
        Self::new()
            .body(
                "multillm:provider/metadata@0.1.0#describe",
                &format!("i32.const {DESCRIPTION}"),
            )
            .data(DESCRIPTION, record)
            .data(TEXTS, texts)
    }

    /// The same for another version of the contract.
    pub(crate) fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// The same with this world.
    pub(crate) fn world(mut self, world: &str) -> Self {
        world.clone_into(&mut self.world);
        self
    }

    /// The same with a further WIT package.
    pub(crate) fn package(mut self, text: &'static str) -> Self {
        self.packages.push(text);
        self
    }

    /// The same with an import of the core module.
    pub(crate) fn import(
        mut self,
        module: &'static str,
        name: &'static str,
        ty: &'static str,
    ) -> Self {
        self.imports.push((module, name, ty));
        self
    }

    /// The same with a body for an export.
    pub(crate) fn body(mut self, export: &'static str, body: &str) -> Self {
        self.bodies.insert(export, body.to_owned());
        self
    }

    /// The same with bytes in its memory.
    pub(crate) fn data(mut self, at: u32, bytes: Vec<u8>) -> Self {
        self.data.push((at, bytes));
        self
    }

    /// The same with this much memory, in pages of 64 KiB.
    pub(crate) fn pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    /// The same with something that runs when it is instantiated.
    pub(crate) fn start(mut self, body: &'static str) -> Self {
        self.start = Some(body);
        self
    }

    /// The component's bytes.
    pub(crate) fn build(&self) -> Vec<u8> {
        let (resolve, world) = self.resolve();
        let mut module = wat::parse_str(self.module(&resolve, world)).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default()
            .validate(true)
            .module(&module)
            .unwrap()
            .encode()
            .unwrap()
    }

    fn resolve(&self) -> (Resolve, WorldId) {
        let mut resolve = Resolve::default();
        for package in &self.packages {
            resolve.push_str("other.wit", package).unwrap();
        }
        let mut text = format!("package multillm:provider@{};\n", self.version);
        for name in ["types", "http", "provider", "world"] {
            let file = root().join("wit/frozen/0.1.0").join(format!("{name}.wit"));
            let wit = fs::read_to_string(&file).unwrap();
            let lines = wit.lines().filter(|line| !line.starts_with("package "));
            lines.for_each(|line| writeln!(text, "{line}").unwrap());
        }
        text.push_str(&self.world);
        let package = resolve
            .push_str("contract.wit", &text)
            .unwrap_or_else(|error| panic!("{error:#}"));
        let world = resolve.select_world(&[package], Some("w")).unwrap();
        (resolve, world)
    }

    fn module(&self, resolve: &Resolve, world: WorldId) -> String {
        let mut text = String::from("(module\n");
        for (at, (module, name, ty)) in self.imports.iter().enumerate() {
            writeln!(text, "(import {module:?} {name:?} (func $import{at} {ty}))").unwrap();
        }
        writeln!(text, "(memory (export \"memory\") {})", self.pages).unwrap();
        // Never gives anything back: one call is all that any of these lives for.
        text.push_str(
            "(global $top (mut i32) (i32.const 65536))
             (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
               (global.get $top)
               (global.set $top (i32.add (global.get $top)
                 (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -16)))))\n",
        );
        for (at, bytes) in &self.data {
            let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            writeln!(text, "(data (i32.const {at}) \"{escaped}\")").unwrap();
        }
        for (name, function) in exports(resolve, world) {
            let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
            let list =
                |types: &[WasmType]| types.iter().map(core_type).collect::<Vec<_>>().join(" ");
            let body = self
                .bodies
                .get(name.as_str())
                .map_or("unreachable", |body| body);
            writeln!(
                text,
                "(func (export {name:?}) (param {}) (result {}) {body})",
                list(&signature.params),
                list(&signature.results),
            )
            .unwrap();
        }
        if let Some(body) = self.start {
            writeln!(text, "(func $start {body})\n(start $start)").unwrap();
        }
        text.push(')');
        text
    }
}

/// Every function that the world exports, by its core name.
fn exports(resolve: &Resolve, world: WorldId) -> Vec<(String, &Function)> {
    let mut found = vec![];
    for (key, item) in &resolve.worlds[world].exports {
        match item {
            WorldItem::Interface { id, .. } => {
                let interface = resolve.name_world_key(key);
                let functions = resolve.interfaces[*id].functions.values();
                found.extend(
                    functions.map(|function| (format!("{interface}#{}", function.name), function)),
                );
            }
            WorldItem::Function(function) => found.push((function.name.clone(), function)),
            WorldItem::Type { .. } => {}
        }
    }
    found
}

fn core_type(ty: &WasmType) -> &'static str {
    match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
    }
}

fn bytes_of((at, length): (u32, u32)) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&at.to_le_bytes());
    bytes[4..].copy_from_slice(&length.to_le_bytes());
    bytes
}
