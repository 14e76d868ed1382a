//! `cargo xtask wit`: what is made of the contract in `wit/` and stands in the tree, so that nobody needs a generator:
//! the SDK's types (an author's first build is not spent on a macro), the C example's bindings, and the reference for
//! people, `docs/wit.md`.
//!
//! `cargo xtask test --only wit` refuses a tree in which they are not what this would write.

mod bindings;
mod reference;

use std::fs;

use anyhow::{Context, Result};
use wit_bindgen_core::wit_parser::{PackageId, Resolve};

use crate::check::verdict;
use crate::workspace::Workspace;

/// Write what is made of the contract: the SDK's types, the bindings of the C example, docs/wit.md.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing, and fail where something is not current.
    #[arg(long)]
    check: bool,
}

/// A file that is made, by its place below the root.
struct Made {
    place: String,
    content: String,
}

/// Writes or checks everything.
///
/// # Errors
///
/// The contract cannot be read, or something is not current.
pub(crate) fn exec(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.check {
        println!("{}", check(workspace)?);
        return Ok(());
    }
    for made in all(workspace)? {
        let path = workspace.root.join(&made.place);
        let folder = path.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder)?;
        fs::write(&path, &made.content)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", made.place);
    }
    Ok(())
}

/// Whether the tree holds what would be written.
///
/// # Errors
///
/// Lists what does not.
pub(crate) fn check(workspace: &Workspace) -> Result<String> {
    let made = all(workspace)?;
    let is_current = |made: &&Made| {
        let there = fs::read_to_string(workspace.root.join(&made.place));
        there.is_ok_and(|there| there == made.content)
    };
    let old: Vec<String> = made
        .iter()
        .filter(|made| !is_current(made))
        .map(|made| made.place.clone())
        .collect();
    let rule = "what is made of wit/ is current (`cargo xtask wit` writes it)";
    verdict(&old, rule, format!("{} files", made.len()))
}

fn all(workspace: &Workspace) -> Result<Vec<Made>> {
    let mut made = bindings::rust(workspace)?;
    made.extend(bindings::c(workspace)?);
    made.push(reference::page(workspace)?);
    Ok(made)
}

/// The contract as it stands.
fn contract(workspace: &Workspace) -> Result<(Resolve, PackageId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(workspace.root.join("wit"))
        .context("the contract cannot be read")?;
    Ok((resolve, package))
}
