//! Holds the licence of every dependency, of every platform, against `deny.toml`.
//!
//! cargo-deny reads the same file and more of it; where it is installed, `cargo deny check` is the better
//! tool. This stays because `cargo xtask test` asks for nothing but the toolchain, and a licence that
//! came in with an update must not wait for a machine that has the tool. What an expression allows is
//! decided by `spdx`, the library that cargo-deny itself uses.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use super::verdict;
use crate::workspace::Workspace;

/// The part of `deny.toml` that is needed.
#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

/// Checks the whole lock file.
///
/// # Errors
///
/// Lists every package whose licence is missing, unreadable or not on the list.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let path = workspace.root.join("deny.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let allowed = allow_list(&text)?;
    let packages = workspace.all_packages(None)?;
    let foreign = packages.iter().filter(|package| package.source.is_some());
    let found: Vec<String> = foreign
        .clone()
        .filter_map(|package| {
            let fault = fault(package.license.as_deref(), &allowed)?;
            Some(format!("{} {}: {fault}", package.name, package.version))
        })
        .collect();
    verdict(
        &found,
        "licences that deny.toml does not allow",
        format!("{} packages", foreign.count()),
    )
}

fn allow_list(deny: &str) -> Result<Vec<Licensee>> {
    let deny: Deny = toml::from_str(deny).context("deny.toml")?;
    let parse = |name: &String| {
        Licensee::parse(name).with_context(|| format!("deny.toml: licenses.allow: {name:?}"))
    };
    deny.licenses.allow.iter().map(parse).collect()
}

/// What is wrong with a licence, if anything.
fn fault(license: Option<&str>, allowed: &[Licensee]) -> Option<String> {
    let Some(license) = license else {
        return Some("says nothing about its licence".to_owned());
    };
    let Ok(expression) = Expression::parse_mode(license, ParseMode::LAX) else {
        return Some(format!("{license:?} is no SPDX expression"));
    };
    let is_allowed =
        expression.evaluate(|wanted| allowed.iter().any(|licensee| licensee.satisfies(wanted)));
    (!is_allowed).then(|| license.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(license: Option<&str>) -> Option<String> {
        let list =
            "[licenses]\nallow = [\"MIT\", \"Apache-2.0\", \"Apache-2.0 WITH LLVM-exception\"]";
        fault(license, &allow_list(list).expect("a list"))
    }

    #[test]
    fn one_allowed_alternative_is_enough() {
        for fine in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Unlicense",
            "Apache-2.0 WITH LLVM-exception",
            "(MIT OR X11) AND Apache-2.0",
        ] {
            assert_eq!(fault_of(Some(fine)), None, "{fine}");
        }
    }

    #[test]
    fn everything_else_is_named() {
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "Apache-2.0 WITH Classpath-exception-2.0",
        ] {
            assert_eq!(fault_of(Some(bad)).as_deref(), Some(bad));
        }
        assert!(fault_of(Some("my own")).is_some_and(|fault| fault.contains("no SPDX")));
        assert!(fault_of(None).is_some());
    }

    #[test]
    fn a_misspelt_list_is_refused() {
        let error = allow_list("[licenses]\nallow = [\"MIIT\"]").expect_err("no such licence");
        assert!(error.to_string().contains("MIIT"), "{error}");
    }
}
