//! Gathers what a new plugin's project is made of: the contract, the SDK's sources, a template for each language.
#![allow(
    clippy::expect_used,
    reason = "a build that cannot go on says why and ends"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A table's name, the folder it is made of, and the endings of what goes into it.
const TABLES: [(&str, &str, &[&str]); 7] = [
    ("WIT", "wit", &["wit"]),
    ("SDK", "plugins/sdk/src", &["rs"]),
    ("TEMPLATE", "plugins/template/src", &["rs"]),
    ("PYTHON", "examples/python", &["py", "json", "md"]),
    (
        "JAVASCRIPT",
        "examples/javascript",
        &["js", "mjs", "json", "md"],
    ),
    ("C", "examples/c", &["c", "h", "json", "md"]),
    ("RECORDINGS", "examples/recordings", &["json"]),
];
/// Folders whose content is no part of a project: what was frozen, and what tools leave behind in the examples.
const PASSED_OVER: [&str; 5] = [
    "frozen",
    "node_modules",
    "target",
    "__pycache__",
    "wit_world",
];
/// Files that tools leave behind.
const LEFT_BEHIND: [&str; 1] = ["package-lock.json"];

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo says")).join("../..");
    let mut table = String::new();
    for (name, place, endings) in TABLES {
        let folder = root.join(place);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = vec![];
        gather(&folder, endings, &mut files);
        files.sort();
        writeln!(
            table,
            "/// Places and contents.\npub(crate) const {name}: &[(&str, &str)] = &["
        )
        .expect("memory");
        for file in files {
            let inner = file.strip_prefix(&folder).expect("it is in it");
            let inner = inner.to_string_lossy().replace('\\', "/");
            // Found from where the crate stands when it is compiled: a checkout may have moved since.
            writeln!(
                table,
                "    ({inner:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../../{place}/{inner}\"))),"
            )
            .expect("memory");
        }
        table += "];\n";
    }
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo says"));
    fs::write(out.join("sources.rs"), table).expect("the folder is cargo's");
}

/// The files of some endings below a folder.
fn gather(folder: &Path, endings: &[&str], files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder)
        .expect("the repository is whole")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            if !PASSED_OVER.iter().any(|name| path.ends_with(name)) {
                gather(&path, endings, files);
            }
        } else if path
            .extension()
            .is_some_and(|kind| endings.iter().any(|ending| kind == *ending))
            && !LEFT_BEHIND.iter().any(|name| path.ends_with(name))
        {
            files.push(path);
        }
    }
}
