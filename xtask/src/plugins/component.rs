//! Turns a core module into a component and looks into it. Touches no file.

use anyhow::{Context, Result, bail};
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{Function, WorldItem};

/// The custom sections in which bindings leave the description of their world.
const WORLD_SECTION: &[u8] = b"component-type";

/// The component of a core module, or `None` where the module describes no
/// world: then nothing is exported yet.
///
/// # Errors
///
/// The module does not fit the world that it describes.
pub(crate) fn encode(core: &[u8]) -> Result<Option<Vec<u8>>> {
    let describes_world = core
        .windows(WORLD_SECTION.len())
        .any(|window| window == WORLD_SECTION);
    if !describes_world {
        return Ok(None);
    }
    let component = ComponentEncoder::default()
        .validate(true)
        .module(core)?
        .encode()?;
    Ok(Some(component))
}

/// Every function that a component imports, as `interface#function`, or only
/// the function's name where it belongs to no interface. Imported types are no
/// functions and are not listed.
///
/// # Errors
///
/// The bytes are no component.
pub(crate) fn function_imports(component: &[u8]) -> Result<Vec<String>> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("this is a WIT package and no component");
    };
    let world = resolve
        .worlds
        .get(world)
        .context("a component has a world")?;
    let mut names = Vec::new();
    for (key, item) in &world.imports {
        match item {
            WorldItem::Function(function) => names.push(function.name.clone()),
            WorldItem::Interface { id, .. } => {
                let interface = resolve.name_world_key(key);
                let functions = resolve
                    .interfaces
                    .get(*id)
                    .map(|found| found.functions.values());
                names.extend(functions.into_iter().flatten().map(qualified(&interface)));
            }
            WorldItem::Type { .. } => {}
        }
    }
    Ok(names)
}

fn qualified(interface: &str) -> impl Fn(&Function) -> String {
    move |function| format!("{interface}#{}", function.name)
}

#[cfg(test)]
mod tests {
    use wit_component::{StringEncoding, embed_component_metadata};
    use wit_parser::Resolve;

    use super::*;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";

    /// A section of a core module; everything in these tests is shorter than 128 bytes.
    fn section(id: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let length = u8::try_from(content.len()).expect("a short section");
        [&[id, length], content.as_slice()].concat()
    }

    fn name(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("a short name");
        [&[length], text.as_bytes()].concat()
    }

    /// The component of a core module whose world is given as WIT.
    fn component(wit: &str, core: &[Vec<u8>]) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("test.wit", wit).expect("valid WIT");
        let world = resolve.select_world(&[package], None).expect("one world");
        let mut module = [HEADER, &core.concat()].concat();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("described");
        encode(&module).expect("encoded").expect("has a world")
    }

    #[test]
    fn imported_types_are_no_functions() {
        let component = component(
            "package a:b@1.0.0;
             interface types { record point { x: u32 } }
             interface api { use types.{point}; at: func() -> point; }
             world w { export api; }",
            &[
                section(1, &[&[1, 0x60, 0, 1, 0x7f]]),
                section(3, &[&[1, 0]]),
                section(7, &[&[1], &name("a:b/api@1.0.0#at"), &[0, 0]]),
                section(10, &[&[1, 4, 0, 0x41, 7, 0x0b]]),
            ],
        );
        let imports = function_imports(&component).expect("inspected");
        assert_eq!(imports, Vec::<String>::new());
    }

    #[test]
    fn imported_functions_are_named() {
        let component = component(
            "package a:b@1.0.0;
             interface clock { now: func() -> u64; }
             world w { import clock; import plain: func() -> u64; }",
            &[
                section(1, &[&[1, 0x60, 0, 1, 0x7e]]),
                section(
                    2,
                    &[
                        &[2],
                        &name("a:b/clock@1.0.0"),
                        &name("now"),
                        &[0, 0],
                        &name("$root"),
                        &name("plain"),
                        &[0, 0],
                    ],
                ),
            ],
        );
        let mut names = function_imports(&component).expect("inspected");
        names.sort();
        assert_eq!(names, ["a:b/clock@1.0.0#now", "plain"]);
    }

    #[test]
    fn a_module_without_a_world_is_no_component_yet() {
        assert!(encode(HEADER).expect("looked at").is_none());
    }
}
