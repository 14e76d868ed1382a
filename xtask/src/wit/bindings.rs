//! The contract's types in languages: what generators make of it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::WithOption;

use super::{Made, contract};
use crate::workspace::Workspace;

/// A world, the module that has its types (the first one's are those of `bindings` itself), and what its macro ends with.
const RUST: [(&str, &str, &str); 5] = [
    ("provider", "provider", "provider"),
    ("models-only", "listing", "models"),
    ("embeddings-only", "embedding", "embeddings"),
    ("tokens-only", "counting", "tokens"),
    ("relay-only", "relaying", "relay"),
];
const MODULE: &str = "multillm_plugin_sdk::bindings";
/// Where the types are that all worlds share.
const SHARED: &str = "crate::bindings::multillm::provider";

/// The SDK's.
pub(super) fn rust(workspace: &Workspace) -> Result<Vec<Made>> {
    let mut made = RUST
        .iter()
        .map(|one| rust_module(workspace, one))
        .collect::<Result<Vec<_>>>()?;
    made.push(filters(workspace)?);
    Ok(made)
}

/// The world of filters, over the same types.
fn filters(workspace: &Workspace) -> Result<Made> {
    let (mut resolve, _) = contract(workspace)?;
    let (package, _) = resolve
        .push_path(workspace.root.join("wit/filter"))
        .context("the contract of filters cannot be read")?;
    let id = resolve.select_world(&[package], Some("filter"))?;
    let options = wit_bindgen_rust::Opts {
        export_macro_name: Some("export_world_filter".to_owned()),
        default_bindings_module: Some("multillm_plugin_sdk::filter::bindings".to_owned()),
        // It has resources in it, which are not compared.
        additional_derive_ignore: vec!["prepared".to_owned()],
        with: vec![shared("types")],
        ..options()
    };
    made(&mut resolve, id, options, "filter/bindings/filter")
}

fn options() -> wit_bindgen_rust::Opts {
    wit_bindgen_rust::Opts {
        pub_export_macro: true,
        additional_derive_attributes: vec!["PartialEq".to_owned(), "Clone".to_owned()],
        ..wit_bindgen_rust::Opts::default()
    }
}

/// An interface whose types are those of the first world.
fn shared(interface: &str) -> (String, WithOption) {
    let name = format!("multillm:provider/{interface}@0.2.0");
    (name, WithOption::Path(format!("{SHARED}::{interface}")))
}

fn made(
    resolve: &mut Resolve,
    world: WorldId,
    options: wit_bindgen_rust::Opts,
    module: &str,
) -> Result<Made> {
    let mut files = Files::default();
    options.build().generate(resolve, world, &mut files)?;
    let (_, content) = files.iter().next().context("nothing was generated")?;
    Ok(Made {
        place: format!("plugins/sdk/src/{module}.rs"),
        content: formatted(std::str::from_utf8(content)?)?,
    })
}

fn rust_module(workspace: &Workspace, (world, module, name): &(&str, &str, &str)) -> Result<Made> {
    let (mut resolve, package) = contract(workspace)?;
    let id = resolve.select_world(&[package], Some(world))?;
    let is_first = *world == "provider";
    let options = wit_bindgen_rust::Opts {
        export_macro_name: Some(format!("export_world_{name}")),
        default_bindings_module: Some(match is_first {
            true => MODULE.to_owned(),
            false => format!("{MODULE}::{module}"),
        }),
        with: match is_first {
            true => vec![],
            false => vec![shared("types"), shared("http")],
        },
        ..options()
    };
    made(&mut resolve, id, options, &format!("bindings/{module}"))
}

/// What rustfmt makes of it, so that the tree is formatted all over.
fn formatted(source: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("rustfmt cannot be run")?;
    let mut input = child.stdin.take().context("rustfmt reads nothing")?;
    let text = source.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let done = child.wait_with_output()?;
    if !done.status.success() || writer.join().is_err() {
        bail!("rustfmt does not take what was generated");
    }
    Ok(String::from_utf8(done.stdout)?)
}

/// The C example's. The section that describes the world is put in by `multillm plugin pack`.
pub(super) fn c(workspace: &Workspace) -> Result<Vec<Made>> {
    let (mut resolve, package) = contract(workspace)?;
    let id = resolve.select_world(&[package], Some("provider"))?;
    let mut files = Files::default();
    let options = wit_bindgen_c::Opts {
        no_object_file: true,
        ..wit_bindgen_c::Opts::default()
    };
    options.build().generate(&mut resolve, id, &mut files)?;
    files
        .iter()
        .filter(|(name, _)| name.ends_with(".c") || name.ends_with(".h"))
        .map(|(name, content)| {
            Ok(Made {
                place: format!("examples/c/bindings/{name}"),
                content: String::from_utf8(content.to_vec())?,
            })
        })
        .collect()
}
