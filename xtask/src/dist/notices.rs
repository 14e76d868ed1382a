//! The notice about third parties: every package that is in the program with its licence, and the texts of the
//! licences as the packages carry them, each text once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::parts::Part;
use crate::workspace;

/// How the names of such files begin.
const BEGINNINGS: [&str; 6] = [
    "licence",
    "license",
    "copying",
    "copyright",
    "notice",
    "unlicense",
];
/// Packages of this kind carry the sources of a C library, whose licence lies with them.
const C_LIBRARY: &str = "-sys";

/// What is in the program beyond packages: name, licence, text.
pub(super) struct Addition {
    pub(super) name: &'static str,
    pub(super) licence: &'static str,
    pub(super) text: String,
}

/// The whole notice.
///
/// # Errors
///
/// A package's folder or a licence in it cannot be read.
pub(super) fn of(program: &str, parts: &[Part], additions: &[Addition]) -> Result<String> {
    let mut list = String::new();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in parts.iter().filter(|part| !part.own) {
        let name = format!("{} {}", part.id.name, part.id.version);
        let files = licence_files(part)?;
        let origin = part.repository.as_deref().unwrap_or("no address given");
        list.push_str(&format!("{name}: {}\n  {origin}\n", part.licence));
        if files.is_empty() {
            list.push_str(&format!("  its package holds no text{}\n", authors(part)));
        }
        for file in files {
            let text =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
            let names = texts.entry(text.trim().to_owned()).or_default();
            if names.last() != Some(&name) {
                names.push(name.clone());
            }
        }
    }
    for addition in additions {
        list.push_str(&format!("{}: {}\n", addition.name, addition.licence));
        let names = texts.entry(addition.text.trim().to_owned()).or_default();
        names.push(addition.name.to_owned());
    }
    let mut notice = format!(
        "{program} contains the work of others, under their licences. First what it is, then the texts.\n\n{list}"
    );
    // In the order of the names, so that a package's texts are found by looking for it.
    let mut texts: Vec<(Vec<String>, String)> = texts
        .into_iter()
        .map(|(text, names)| (names, text))
        .collect();
    texts.sort();
    for (names, text) in texts {
        notice.push_str(&format!(
            "\n{}\n{}\n\n{text}\n",
            "-".repeat(78),
            names.join(", ")
        ));
    }
    Ok(notice)
}

fn authors(part: &Part) -> String {
    match part.authors.as_slice() {
        [] => String::new(),
        authors => format!("; by {}", authors.join(", ")),
    }
}

/// The files of a package that tell its licence, and those of the C library in it.
fn licence_files(part: &Part) -> Result<Vec<PathBuf>> {
    let mut found = in_folder(&part.folder)?;
    if part.id.name.ends_with(C_LIBRARY) {
        for folder in workspace::entries(&part.folder)? {
            if folder.is_dir() {
                found.extend(in_folder(&folder)?);
            }
        }
    }
    Ok(found)
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_one = |path: &PathBuf| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let is_text = !name.ends_with(".rs") && !name.ends_with(".toml");
        let begins = BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning));
        begins && is_text && path.is_file()
    };
    let mut files = workspace::entries(folder)?;
    files.retain(is_one);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::dist::parts::Id;

    fn part(folder: &Path, name: &str, own: bool) -> Part {
        Part {
            id: Id {
                name: name.to_owned(),
                version: "1.0.0".to_owned(),
            },
            own,
            licence: "MIT".to_owned(),
            authors: vec!["A. Author".to_owned()],
            repository: None,
            checksum: None,
            folder: folder.join(name),
            needs: BTreeSet::new(),
        }
    }

    #[test]
    fn each_text_stands_once_with_all_whose_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        put("a/LICENSE-MIT", "the text\r\nof A and C\n");
        put("a/license.rs", "code");
        put("b/README.md", "nothing");
        put("c-sys/COPYING", "the text\nof A and C");
        put("c-sys/upstream/LICENSE", "the C library's");
        put("ours/LICENSE", "our own");
        let parts = [("a", false), ("b", false), ("c-sys", false), ("ours", true)]
            .map(|(name, own)| part(folder.path(), name, own));
        let addition = Addition {
            name: "libz",
            licence: "Zlib",
            text: "as it is".to_owned(),
        };
        let notice = of("tool", &parts, &[addition]).expect("a notice");
        assert_eq!(notice.matches("of A and C").count(), 1, "{notice}");
        assert!(
            notice.contains("\na 1.0.0, c-sys 1.0.0\n\nthe text\nof A and C\n"),
            "{notice}"
        );
        assert!(
            notice.contains("\nc-sys 1.0.0\n\nthe C library's\n"),
            "{notice}"
        );
        assert!(notice.contains(
            "b 1.0.0: MIT\n  no address given\n  its package holds no text; by A. Author\n"
        ));
        assert!(notice.contains("libz: Zlib\n") && notice.contains("as it is"));
        assert!(!notice.contains("code") && !notice.contains("our own"));
    }
}
