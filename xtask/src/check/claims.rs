//! `docs/verification.md` says what proves each public claim: every promise has a row there, and
//! every proof that a row names still exists.
//!
//! Ours, because no tool knows which test a sentence of the README rests on. Whether a test proves its
//! claim is for a reader to judge; here nobody renames it away, and no promise is added without one.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use clap::CommandFactory as _;

use super::verdict;
use crate::workspace::{Source, Workspace};

const FILE: &str = "docs/verification.md";

/// What has to have a row: where list items that begin in bold are promises, from a heading to the
/// next of its rank; without one, everywhere.
const PROMISES: [(&str, Option<&str>); 4] = [
    ("ARCHITECTURE.md", Some("## Invariants")),
    ("README.md", None),
    ("SECURITY.md", None),
    (
        "docs/plugins.md",
        Some("## What the host guarantees, and demands"),
    ),
];

/// Checks the page against the promises, and its proofs against the tree.
///
/// # Errors
///
/// Lists the promises without a row, the rows without a proof, and the proofs that are not there.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let sources = workspace.sources()?;
    let text = |path: &str| {
        let found = sources.iter().find(|source| source.path == path);
        found.map_or("", |source| source.text.as_str())
    };
    let rows = rows(text(FILE));
    if rows.is_empty() {
        bail!("{FILE} holds no claim");
    }
    let mut found = Vec::new();
    for (path, section) in PROMISES {
        let promises = promises(text(path), section);
        if promises.is_empty() {
            found.push(format!("{path}: no promise is found in it"));
        }
        let untold = promises.iter().filter(|promise| {
            let tells = |row: &Row<'_>| row.document == path && row.claim.starts_with(**promise);
            !rows.iter().any(tells)
        });
        found.extend(untold.map(|promise| format!("{path}: {promise:?} has no row in {FILE}")));
    }
    let known = Known::of(&sources);
    let mut proofs = 0;
    for row in &rows {
        let mut named = quoted(row.proof).peekable();
        if named.peek().is_none() {
            found.push(format!("{FILE}:{}: no proof is named", row.line));
        }
        for proof in named {
            proofs += 1;
            if let Some(fault) = known.fault(proof) {
                found.push(format!("{FILE}:{}: {proof}: {fault}", row.line));
            }
        }
    }
    let remark = format!("{} claims, {proofs} proofs", rows.len());
    verdict(&found, "each promise has a proof that exists", remark)
}

struct Row<'text> {
    line: usize,
    /// The file that the heading above names.
    document: &'text str,
    claim: &'text str,
    proof: &'text str,
}

/// The rows of all tables, without their heads: `| claim | proof |` below `## [file](…)`.
fn rows(text: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let (mut document, mut in_head) = ("", true);
    for (at, line) in text.lines().enumerate() {
        if let Some(heading) = line.strip_prefix("## [") {
            document = heading.split(']').next().unwrap_or_default();
        }
        let Some(cells) = line.strip_prefix("| ") else {
            in_head = !line.starts_with("|---");
            continue;
        };
        if let (false, Some((claim, proof))) = (in_head, cells.split_once(" | ")) {
            rows.push(Row {
                line: at + 1,
                document,
                claim,
                proof,
            });
        }
    }
    rows
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The bold beginnings of list items, without a full stop at the end.
fn promises<'text>(text: &'text str, section: Option<&str>) -> Vec<&'text str> {
    let begin = section.map_or(Some(0), |section| text.find(section));
    let text = begin.and_then(|at| text.get(at..)).unwrap_or_default();
    let lines = text.lines().enumerate();
    let lines =
        lines.take_while(|(at, line)| section.is_none() || *at == 0 || !line.starts_with("## "));
    let promise = |(_, line): (usize, &'text str)| {
        let (mark, rest) = line.split_once(" **")?;
        let numbered = mark
            .strip_suffix('.')
            .is_some_and(|number| number.parse::<u32>().is_ok());
        let (promise, _) = rest.split_once("**")?;
        (mark == "-" || numbered).then(|| promise.trim_end_matches('.'))
    };
    lines.filter_map(promise).collect()
}

/// What a proof may name.
struct Known<'src> {
    /// Files with the tests in them.
    files: BTreeMap<&'src str, Vec<&'src str>>,
    /// Where lints are switched on.
    lints: String,
}

impl<'src> Known<'src> {
    fn of(sources: &'src [Source]) -> Self {
        let tests = |source: &'src Source| {
            let names = test_functions(&source.text).collect();
            (source.path.as_str(), names)
        };
        let of_lints = |path: &str| path == "Cargo.toml" || path.ends_with("clippy.toml");
        let lints = sources.iter().filter(|source| of_lints(&source.path));
        Known {
            files: sources.iter().map(tests).collect(),
            lints: lints.map(|source| source.text.as_str()).collect(),
        }
    }

    /// Why a proof proves nothing.
    fn fault(&self, proof: &str) -> Option<String> {
        if let Some(command) = proof.strip_prefix("cargo xtask ") {
            return command_fault(command);
        }
        if let Some(lint) = proof.strip_prefix("clippy::") {
            let name = lint.replace('_', "-");
            let on = [format!("\n{lint} = "), format!("\n{name} = ")];
            let is_on = on.iter().any(|on| self.lints.contains(on));
            return (!is_on).then(|| "no such lint is on".to_owned());
        }
        let Some((file, test)) = proof.rsplit_once("::") else {
            return (!self.files.contains_key(proof)).then(|| "there is no such file".to_owned());
        };
        let fits = |(path, tests): &(&&str, &Vec<&str>)| {
            let before = path.strip_suffix(file);
            let ends = before.is_some_and(|before| before.is_empty() || before.ends_with('/'));
            ends && tests.contains(&test)
        };
        match self.files.iter().filter(fits).count() {
            0 => Some("there is no such test".to_owned()),
            1 => None,
            places => Some(format!("{places} files fit: name more of the path")),
        }
    }
}

/// A command of this crate, or a step of its checks.
fn command_fault(command: &str) -> Option<String> {
    let mut words = command.split(' ');
    let name = words.next().unwrap_or_default();
    let cli = crate::Cli::command();
    if !cli.get_subcommands().any(|known| known.get_name() == name) {
        return Some("there is no such command".to_owned());
    }
    let step = words.skip_while(|word| *word != "--only").nth(1)?;
    let is_step = super::STEPS.iter().any(|known| known.name == step);
    (!is_step).then(|| "there is no such step".to_owned())
}

/// The functions that are marked as tests.
fn test_functions(text: &str) -> impl Iterator<Item = &str> {
    let mut marked = false;
    text.lines().filter_map(move |line| {
        let line = line.trim_start();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        }
        let (before, rest) = line.split_once("fn ")?;
        let is_function = matches!(before, "" | "async ") && std::mem::take(&mut marked);
        let name = rest.split(['(', '<']).next()?;
        is_function.then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_what_begins_in_bold() {
        let text = "# A\n- **One thing.** More.\n## Invariants\n1. **Two**: more\n   **not**\n- **`x`** y\n## B\n- **Three**\n";
        assert_eq!(promises(text, Some("## Invariants")), ["Two", "`x`"]);
        assert_eq!(promises(text, None), ["One thing", "Two", "`x`", "Three"]);
        assert_eq!(promises(text, Some("## C")), Vec::<&str>::new());
    }

    #[test]
    fn a_row_belongs_to_the_document_above_it() {
        let text = "| head | x |\n|---|---|\n\n## [A.md](../A.md)\n\n| claim | proof |\n|---|---|\n| a `b` | `c`, `d` |\n";
        let rows = rows(text);
        assert_eq!(rows.len(), 1);
        let row = rows.first().expect("one row");
        assert_eq!((row.line, row.document, row.claim), (8, "A.md", "a `b`"));
        assert_eq!(quoted(row.proof).collect::<Vec<_>>(), ["c", "d"]);
    }

    #[test]
    fn proofs_are_tests_files_lints_commands_and_steps() {
        let source = |path: &str, text: &str| Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let test =
            "#[tokio::test(flavor = \"x\")]\n#[cfg(unix)]\nasync fn bombs() {}\nfn helps() {}\n";
        let sources = [
            source("tests/it/hostile.rs", test),
            source("a/tests.rs", test),
            source("b/tests.rs", test),
            source("Cargo.toml", "[workspace.lints.clippy]\nexit = \"warn\"\n"),
            source("host/clippy.toml", "\ndisallowed-methods = [\n"),
        ];
        let known = Known::of(&sources);
        let good = [
            "it/hostile.rs::bombs",
            "b/tests.rs::bombs",
            "b/tests.rs",
            "clippy::exit",
            "clippy::disallowed_methods",
            "cargo xtask replay DIR",
            "cargo xtask test --only frozen",
        ];
        for proof in good {
            assert_eq!(known.fault(proof), None, "{proof}");
        }
        let bad = [
            ("it/hostile.rs::helps", "no such test"),
            ("t/hostile.rs::bombs", "no such test"),
            ("tests.rs::bombs", "2 files fit"),
            ("b/other.rs", "no such file"),
            ("clippy::exits", "no such lint"),
            ("cargo xtask dance", "no such command"),
            ("cargo xtask test --only nothing", "no such step"),
        ];
        for (proof, word) in bad {
            let fault = known.fault(proof).unwrap_or_default();
            assert!(fault.contains(word), "{proof}: {fault:?}");
        }
    }
}
