//! Gathers what a new plugin's project is made of: the contract, the SDK's sources, a template for each language. It
//! is four megabytes of text, and a tenth of that as it lies in the program.
#![allow(
    clippy::expect_used,
    reason = "a build that cannot go on says why and ends"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

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
    let (mut table, mut text) = (String::new(), String::new());
    for (name, place, endings) in TABLES {
        let folder = root.join(place);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = vec![];
        gather(&folder, endings, &mut files);
        files.sort();
        writeln!(
            table,
            "pub(crate) const {name}: super::Packed = super::Packed(&["
        )
        .expect("memory");
        for file in files {
            let inner = file.strip_prefix(&folder).expect("it is in it");
            let inner = inner.to_string_lossy().replace('\\', "/");
            let start = text.len();
            text += &fs::read_to_string(&file).expect("the repository is whole");
            writeln!(table, "    ({inner:?}, {start}, {}),", text.len()).expect("memory");
        }
        table += "]);\n";
    }
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo says"));
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(text.as_bytes()).expect("memory");
    fs::write(out.join("sources.bin"), packed.finish().expect("memory"))
        .expect("the folder is cargo's");
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
