//! Builds the same commit once more, from a clone in another folder and with nothing built, and compares.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::release::{Commit, SUMS};
use crate::process;
use crate::workspace::Workspace;

/// Does so, and holds the digests against those in `folder`.
///
/// # Errors
///
/// It does not build there, or other bytes come of it; the message names the files.
pub(super) fn compare(
    workspace: &Workspace,
    commit: &Commit,
    target: &str,
    folder: &Path,
) -> Result<()> {
    let place = tempfile::tempdir().context("there is no place for a clone")?;
    let clone = place.path().join("elsewhere");
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--no-hardlinks"]);
    process::run(git.arg(&workspace.root).arg(&clone))?;
    let mut git = Command::new("git");
    git.args(["checkout", "--quiet", "--detach", &commit.id]);
    process::run(git.current_dir(&clone))?;
    let built = place.path().join("built");
    let mut dist = workspace.cargo();
    dist.args(["xtask", "dist", "--target", target])
        .current_dir(&clone)
        .env("CARGO_TARGET_DIR", &built);
    process::run(&mut dist)?;
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let first = read(&folder.join(SUMS))?;
    let second = read(&built.join(super::FOLDER).join(SUMS))?;
    let differing = differing(&first, &second);
    if !differing.is_empty() {
        // Whoever looks for the cause needs both.
        let kept = place.keep();
        bail!(
            "the second build has other bytes: {}; it is kept in {}",
            differing.join(", "),
            kept.display()
        );
    }
    println!("built twice, in two folders: the same bytes\n{first}");
    Ok(())
}

/// The files that only one of two lists has, or has with another digest.
fn differing<'sums>(first: &'sums str, second: &'sums str) -> Vec<&'sums str> {
    let missing = |from: &'sums str, of: &'sums str| {
        of.lines()
            .filter(move |line| !from.lines().any(|known| known == *line))
    };
    let lines = missing(first, second).chain(missing(second, first));
    let mut names: Vec<&str> = lines
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_differs_by_its_digest_or_by_being_in_one_list_alone() {
        let first = "aa  one\nbb  two\ncc  three\n";
        assert!(differing(first, first).is_empty());
        assert_eq!(
            differing(first, "aa  one\nb0  two\ndd  four\n"),
            ["four", "three", "two"]
        );
    }
}
