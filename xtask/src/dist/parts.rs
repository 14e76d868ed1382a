//! What the program consists of: every package whose code is in it, for one target, as cargo resolves it. The
//! components are parts of the program, so what they are built from is too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::plugins;
use crate::process;
use crate::workspace::{Package, Workspace};

/// A package, by its name and version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Id {
    pub(super) name: String,
    pub(super) version: String,
}

/// What is known of it.
pub(super) struct Part {
    pub(super) id: Id,
    /// Of this workspace, and under its licence.
    pub(super) own: bool,
    /// An SPDX expression.
    pub(super) licence: String,
    pub(super) authors: Vec<String>,
    pub(super) repository: Option<String>,
    /// SHA-256 of the package as the lock file has it.
    pub(super) checksum: Option<String>,
    pub(super) folder: PathBuf,
    pub(super) needs: BTreeSet<Id>,
}

/// The part of a lock file that is needed.
#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// The parts of the program `package`, in order.
///
/// # Errors
///
/// Cargo cannot resolve the dependencies, or the lock file cannot be read.
pub(super) fn of_program(workspace: &Workspace, package: &str, target: &str) -> Result<Vec<Part>> {
    let mut needs = Needs::new();
    resolve(workspace, package, target, &mut needs)?;
    for plugin in plugins::first_party(workspace)? {
        resolve(workspace, &plugin.name, plugins::TARGET, &mut needs)?;
    }
    let checksums = checksums(workspace)?;
    let packages = workspace.all_packages(None)?;
    let by_id: BTreeMap<Id, &Package> = packages
        .iter()
        .map(|package| (id(&package.name, &package.version), package))
        .collect();
    needs
        .into_iter()
        .map(|(id, needs)| {
            let package = by_id
                .get(&id)
                .with_context(|| format!("cargo does not describe {} {}", id.name, id.version))?;
            let licence = package.license.as_deref().unwrap_or("unknown");
            Ok(Part {
                own: package.source.is_none(),
                // As expressions were written before they were expressions.
                licence: licence.replace('/', " OR "),
                authors: package.authors.clone(),
                repository: package.repository.clone(),
                checksum: checksums.get(&id).cloned(),
                folder: package.folder().to_owned(),
                needs,
                id,
            })
        })
        .collect()
}

type Needs = BTreeMap<Id, BTreeSet<Id>>;

/// Adds a package of the workspace and all that is compiled into it: no macros, nothing for building.
fn resolve(workspace: &Workspace, package: &str, target: &str, needs: &mut Needs) -> Result<()> {
    let mut tree = workspace.cargo();
    tree.args(["tree", "--locked", "--package", package, "--target", target])
        .args(["--edges", "normal,no-proc-macro"])
        .args(["--prefix", "depth", "--format", "{p}"]);
    let printed = process::capture(&mut tree)?;
    read_tree(&printed, needs).context("cannot read what `cargo tree` printed")
}

/// Lines such as `2serde v1.0.0 (*)`: depth, name, version.
fn read_tree(printed: &str, needs: &mut Needs) -> Result<()> {
    let mut above: Vec<Id> = Vec::new();
    for line in printed.lines().filter(|line| !line.is_empty()) {
        let start = line
            .find(|c: char| !c.is_ascii_digit())
            .with_context(|| format!("{line:?} names nothing"))?;
        let (depth, rest) = line.split_at(start);
        let depth: usize = depth.parse().with_context(|| format!("{line:?}"))?;
        let mut words = rest.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            anyhow::bail!("{line:?} has no version");
        };
        let found = id(name, version.trim_start_matches('v'));
        above.truncate(depth);
        if let Some(parent) = above.last() {
            needs
                .entry(parent.clone())
                .or_default()
                .insert(found.clone());
        }
        needs.entry(found.clone()).or_default();
        above.push(found);
    }
    Ok(())
}

fn id(name: &str, version: &str) -> Id {
    Id {
        name: name.to_owned(),
        version: version.to_owned(),
    }
}

fn checksums(workspace: &Workspace) -> Result<BTreeMap<Id, String>> {
    let path = workspace.root.join("Cargo.lock");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lock: Lock = toml::from_str(&text).context("Cargo.lock")?;
    let packages = lock.package.into_iter();
    Ok(packages
        .filter_map(|locked| Some((id(&locked.name, &locked.version), locked.checksum?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_with_what_needs_what() {
        let printed =
            "0app v0.1.0 (/w/app)\n1serde v1.0.2\n2serde_core v1.0.2\n1log v0.4.1\n1x v2.0.0 (*)\n";
        let mut needs = Needs::new();
        read_tree(printed, &mut needs).expect("a tree");
        let of = |name: &str, version: &str| needs.get(&id(name, version)).expect("there").clone();
        let expected = [id("log", "0.4.1"), id("serde", "1.0.2"), id("x", "2.0.0")];
        assert_eq!(of("app", "0.1.0"), BTreeSet::from(expected));
        assert_eq!(
            of("serde", "1.0.2"),
            BTreeSet::from([id("serde_core", "1.0.2")])
        );
        assert!(of("log", "0.4.1").is_empty());
        assert!(read_tree("0alone\n", &mut Needs::new()).is_err());
    }
}
