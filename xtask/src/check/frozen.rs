//! What was released stays as it was, byte for byte: contracts in `wit/frozen`, components in
//! `tests/museum`.
//!
//! Ours, because no tool knows which files are a promise: plugins that strangers built against these
//! contracts load for ever. A release adds lines to [`RELEASED`]; no line is ever changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use super::verdict;
use crate::workspace::{Workspace, entries};

/// The folders that hold a folder a version.
const HOMES: [&str; 2] = ["wit/frozen", "tests/museum"];
/// Says what stands in the museum.
const GUIDE: &str = "tests/museum/README.md";

/// Each released file and its SHA-256.
const RELEASED: [(&str, &str); 6] = [
    (
        "tests/museum/0.1.0/claude.wasm",
        "de0496e8313b31fc69bfb5b8f75ec221b7b60ee75c0a73fc381aaccc7aba865e",
    ),
    (
        "tests/museum/0.1.0/openai.wasm",
        "be983cc4b28adda324939d70ed40a224aa2349258d9e880ed3c7738048c18d6c",
    ),
    (
        "wit/frozen/0.1.0/http.wit",
        "003c43a9011775916a291b3149a67781c633825d081b27a9f2a83fd9dacb7bc0",
    ),
    (
        "wit/frozen/0.1.0/provider.wit",
        "c1b354ae44407f33c2ecd7a3bf185206b71159d38d8631c1098506e5adbca46c",
    ),
    (
        "wit/frozen/0.1.0/types.wit",
        "34b2e4d53fa2faba54885c90fe17b181487d9ac2b4e6418bab476160a544343b",
    ),
    (
        "wit/frozen/0.1.0/world.wit",
        "cc0eb49c08acb3ba418daa7049ea20d7ca422e404509640148b7d269425fa246",
    ),
];

/// Compares the folders with the list, and the list with what the museum says of itself.
///
/// # Errors
///
/// Names the files that differ, are missing or are new.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let mut there = BTreeMap::new();
    for home in HOMES {
        digest_all(&workspace.root, &workspace.root.join(home), &mut there)?;
    }
    // It says what the others are, and may say it better.
    there.remove(GUIDE);
    let mut found = breaches(&there);
    let guide = workspace.root.join(GUIDE);
    let guide =
        fs::read_to_string(&guide).with_context(|| format!("cannot read {}", guide.display()))?;
    found.extend(untold(&guide));
    let remark = format!("{} files", there.len());
    verdict(&found, "what was released stays as it was", remark)
}

/// The digest of every file below a folder, hidden ones too, by its path from the root.
fn digest_all(root: &Path, folder: &Path, there: &mut BTreeMap<String, String>) -> Result<()> {
    for path in entries(folder)? {
        if path.is_dir() {
            digest_all(root, &path, there)?;
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
        there.insert(shown.replace('\\', "/"), hex::encode(Sha256::digest(bytes)));
    }
    Ok(())
}

fn breaches(there: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (path, digest) in RELEASED {
        match there.get(path) {
            None => found.push(format!("{path} is missing")),
            Some(present) if present != digest => found.push(format!(
                "{path} was edited: undo it, a change makes a new version"
            )),
            Some(_) => {}
        }
    }
    let is_new = |path: &&String| RELEASED.iter().all(|(known, _)| known != path);
    let new = there.keys().filter(is_new);
    found.extend(new.map(|path| {
        format!("{path} is not on the list: add it with its digest when it is released")
    }));
    found
}

/// Components whose digest the museum's guide does not give.
fn untold(guide: &str) -> Vec<String> {
    let untold = RELEASED
        .iter()
        .filter(|(path, digest)| path.starts_with("tests/museum/") && !guide.contains(digest));
    untold
        .map(|(path, digest)| format!("{GUIDE} does not say {digest} of {path}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn released() -> BTreeMap<String, String> {
        let files = RELEASED.iter();
        files
            .map(|(path, digest)| ((*path).to_owned(), (*digest).to_owned()))
            .collect()
    }

    #[test]
    fn what_was_not_touched_passes() {
        assert_eq!(breaches(&released()), Vec::<String>::new());
    }

    #[test]
    fn an_edit_a_loss_and_an_addition_are_told() {
        let mut there = released();
        there.remove("wit/frozen/0.1.0/http.wit");
        there.insert("wit/frozen/0.1.0/types.wit".to_owned(), "0".repeat(64));
        there.insert("wit/frozen/0.2.0/types.wit".to_owned(), "0".repeat(64));
        let found = breaches(&there);
        let words = [
            "0.1.0/http.wit is missing",
            "0.1.0/types.wit was edited",
            "0.2.0/types.wit is not on the list",
        ];
        assert_eq!(found.len(), words.len(), "{found:?}");
        for (breach, word) in found.iter().zip(words) {
            assert!(breach.contains(word), "{breach}");
        }
    }

    #[test]
    fn files_are_found_at_any_depth_with_their_digests() {
        let root = tempfile::tempdir().expect("a folder");
        let deep = root.path().join("a/.b");
        fs::create_dir_all(&deep).expect("made");
        fs::write(deep.join(".c"), b"").expect("written");
        let mut there = BTreeMap::new();
        digest_all(root.path(), root.path(), &mut there).expect("read");
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            there.into_iter().collect::<Vec<_>>(),
            [("a/.b/.c".to_owned(), of_nothing.to_owned())]
        );
    }

    #[test]
    fn the_guide_gives_each_digest() {
        assert_eq!(untold("nothing").len(), 2);
    }
}
