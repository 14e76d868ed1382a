//! What every file of the tree keeps: its size, its name, its header, and no
//! path of the machine it was written on.

use std::env;

use anyhow::Result;

use super::verdict;
use crate::workspace::{Source, Workspace};

/// No Rust file has more lines,
const LONGEST: usize = 450;
/// unless it holds tests alone.
const LONGEST_TESTS: usize = 600;
/// Nor the program's entry.
const LONGEST_MAIN: usize = 40;

/// Names that say nothing about what a file is for.
const VAGUE: [&str; 7] = [
    "common", "helper", "helpers", "manager", "misc", "util", "utils",
];

/// People that exist in examples only.
const NOBODY: [&str; 5] = ["alice", "me", "u", "user", "you"];

/// Where people's home folders are; written in two parts so that this file passes.
const HOMES: [&str; 3] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Use", "rs/"),
];

/// Checks every text file.
///
/// # Errors
///
/// Lists every breach.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let sources = workspace.sources()?;
    let mut places: Vec<String> = HOMES.iter().map(|&place| place.to_owned()).collect();
    places.push(workspace.root.to_string_lossy().into_owned());
    let home = env::var("HOME").unwrap_or_default();
    if home.len() > 1 {
        places.push(format!("{home}/"));
    }
    let mut found = Vec::new();
    for source in &sources {
        found.extend(machine_paths(source, &places));
        if source.path.ends_with(".rs") {
            found.extend(rust_file(source));
        }
    }
    verdict(&found, "the tree", format!("{} files", sources.len()))
}

fn machine_paths(source: &Source, places: &[String]) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    lines
        .filter_map(|(number, line)| {
            let place = places.iter().find(|place| names_place(line, place))?;
            let number = number + 1;
            Some(format!(
                "{}:{number}: a path of one machine ({place})",
                source.path
            ))
        })
        .collect()
}

/// Whether a line contains an absolute path below a place, of somebody who may exist.
fn names_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + place.len()..).unwrap_or_default();
        let who = after.split(|c: char| !c.is_ascii_alphanumeric()).next();
        let is_relative = before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.');
        !is_relative && !who.is_some_and(|who| NOBODY.contains(&who))
    })
}

fn rust_file(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut found = Vec::new();
    let is_test = path.ends_with("tests.rs") || path.contains("tests/");
    let lines = source.text.lines().count();
    let limit = match path.as_str() {
        "host/src/main.rs" => LONGEST_MAIN,
        _ if is_test => LONGEST_TESTS,
        _ => LONGEST,
    };
    if lines > limit {
        found.push(format!("{path}: {lines} lines, at most {limit}"));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "mod.rs" {
        found.push(format!("{path}: a module `foo` is foo.rs beside foo/"));
    }
    let is_vague = |part: &str| VAGUE.contains(&part.strip_suffix(".rs").unwrap_or(part));
    if path.split('/').any(is_vague) {
        found.push(format!("{path}: the name does not say what it is for"));
    }
    let is_inner_test = is_test && path.contains("/src/");
    if !is_inner_test && !source.text.starts_with("//!") {
        found.push(format!("{path}: no `//!` header that says what it is for"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn assert_one(found: &[String], part: &str) {
        assert!(found.len() == 1 && found[0].contains(part), "{found:?}");
    }

    #[test]
    fn a_good_file_passes() {
        assert!(rust_file(&source("host/src/chat.rs", "//! Chat.\n")).is_empty());
    }

    #[test]
    fn size_name_and_header_are_kept() {
        let long = format!("//! x\n{}", "\n".repeat(LONGEST));
        assert_one(&rust_file(&source("host/src/chat.rs", &long)), "451 lines");
        let main = format!("//! x\n{}", "\n".repeat(LONGEST_MAIN));
        assert_one(&rust_file(&source("host/src/main.rs", &main)), "at most 40");
        assert_one(
            &rust_file(&source("host/src/chat/mod.rs", "//! x")),
            "beside foo/",
        );
        assert_one(
            &rust_file(&source("host/src/utils/a.rs", "//! x")),
            "does not say",
        );
        assert_one(
            &rust_file(&source("host/src/chat.rs", "use a;")),
            "no `//!` header",
        );
        assert!(rust_file(&source("host/src/chat/tests.rs", "use a;")).is_empty());
    }

    #[test]
    fn a_machine_path_is_found_with_its_line() {
        let text = format!("fine {0}me/x .{0}\nsee {0}bob/x", HOMES[0]);
        let found = machine_paths(&source("README.md", &text), &[HOMES[0].to_owned()]);
        assert_one(&found, "README.md:2: a path of one machine");
    }
}
