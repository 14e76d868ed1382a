//! Finds code that stands in two plugins: what two vendors share belongs to the SDK.
//!
//! Ours, because no lint of rustc or clippy looks across crates, and the tools that find copies know
//! neither which crates must not share code nor that their tests and imports may.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::code;
use super::verdict;
use crate::workspace::{Source, Workspace};

/// So many like lines in a row are too many.
const RUN: usize = 6;
/// What two plugins have in common must be one thing, not the end of one and the beginning of the next.
const ITEMS: [&str; 4] = ["enum", "fn", "impl", "struct"];

/// A line that counts, and where it stands.
struct Line<'src> {
    path: &'src str,
    /// Counted from 1.
    number: usize,
    /// Its tokens with a space between them: white space and comments do not distinguish lines.
    text: String,
}

impl Line<'_> {
    /// Whether one of these begins here, public or not.
    fn begins(&self, words: &[&str]) -> bool {
        let public = self.text.strip_prefix("pub ").map(|rest| {
            let narrowed = rest
                .strip_prefix("( ")
                .and_then(|rest| rest.split_once(") "));
            narrowed.map_or(rest, |(_, rest)| rest)
        });
        let declared = public.unwrap_or(&self.text);
        let declared = declared.strip_prefix("const ").unwrap_or(declared);
        let word = declared.split(' ').next().unwrap_or_default();
        words.contains(&word)
    }
}

/// Compares the product code of all plugins.
///
/// # Errors
///
/// Lists every run that stands in two plugins, by its first lines.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let sources = workspace.sources()?;
    let is_plugin_code = |source: &&Source| {
        let path = &source.path;
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        path.starts_with("plugins/") && path.ends_with(".rs") && !is_test
    };
    let files = sources.iter().filter(is_plugin_code).map(lines);
    let files: Vec<Vec<Line<'_>>> = files.collect::<Result<_>>()?;
    verdict(
        &runs(&files),
        &format!("{RUN} like lines in a row stand in two plugins"),
        format!("{} files", files.len()),
    )
}

/// The lines that count: no imports, no bare brackets.
fn lines(source: &Source) -> Result<Vec<Line<'_>>> {
    let path = source.path.as_str();
    let code = code::product(&source.text).with_context(|| path.to_owned())?;
    let mut in_import = false;
    let mut found = Vec::new();
    for tokens in code.chunk_by(|left, right| left.line == right.line) {
        let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        let line = Line {
            path,
            number: tokens.first().map_or(0, |token| token.line),
            text: words.join(" "),
        };
        let skipped = in_import || line.begins(&["use", "mod"]);
        in_import = skipped && !words.contains(&";");
        if !skipped && line.text.contains(char::is_alphanumeric) {
            found.push(line);
        }
    }
    Ok(found)
}

/// Places where a run of one plugin stands in another; of overlapping runs only the first.
fn runs(files: &[Vec<Line<'_>>]) -> Vec<String> {
    let mut seen: HashMap<Vec<&str>, &Line<'_>> = HashMap::new();
    let mut found = Vec::new();
    for file in files {
        let mut reported_until = 0;
        for window in file.windows(RUN) {
            let (Some(first), Some(last)) = (window.first(), window.last()) else {
                continue;
            };
            if window.iter().skip(1).any(|line| line.begins(&ITEMS)) {
                continue;
            }
            let key = window.iter().map(|line| line.text.as_str()).collect();
            let earlier = *seen.entry(key).or_insert(first);
            let elsewhere = plugin(earlier.path) != plugin(first.path);
            if elsewhere && first.number > reported_until {
                reported_until = last.number;
                found.push(format!(
                    "{}:{} as in {}:{}: {}",
                    first.path, first.number, earlier.path, earlier.number, first.text
                ));
            }
        }
    }
    found
}

/// The folder of the plugin.
fn plugin(path: &str) -> Option<&str> {
    path.split('/').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &str = "fn shared() {\n    let a = 1;\n    let b = 2;\n\n    let c = 3; // three\n    let d = a + b;\n    d + c\n}\n";

    /// What is found in a file of one plugin and a file of another.
    fn found(one: &str, other: &str) -> Vec<String> {
        found_in([
            ("plugins/a/src/lib.rs", one),
            ("plugins/b/src/lib.rs", other),
        ])
    }

    fn found_in(files: [(&str, &str); 2]) -> Vec<String> {
        let sources = files.map(|(path, text)| Source {
            path: path.to_owned(),
            text: text.to_owned(),
        });
        let files = sources
            .iter()
            .map(|source| lines(source).expect("it is Rust"));
        runs(&files.collect::<Vec<_>>())
    }

    #[test]
    fn a_shared_run_is_found_once() {
        let other = format!("use x::y;\n\n{}", SHARED.replace("    ", "\t"));
        let found = found(SHARED, &other);
        assert_eq!(found.len(), 1, "{found:?}");
        let place = "plugins/b/src/lib.rs:3 as in plugins/a/src/lib.rs:1";
        assert!(found[0].starts_with(place), "{found:?}");
    }

    #[test]
    fn one_other_line_breaks_the_run() {
        assert!(found(SHARED, &SHARED.replace("let c = 3", "let c = 4")).is_empty());
    }

    #[test]
    fn a_run_does_not_reach_into_the_next_item() {
        let two = "fn one() {\nlet a = 1;\nlet b = 2;\nlet c = 3;\n}\npub(crate) fn next() {\nlet d = 4;\nlet e = 5;\n}\n";
        let found = found(two, two);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn imports_tests_and_one_plugin_alone_do_not_count() {
        let imports = "use a::{\n    b,\n    c,\n    d,\n    e,\n    f,\n};\n";
        assert!(found(imports, imports).is_empty());
        let tests = format!("#[cfg(test)]\nmod tests {{\n{SHARED}\n}}");
        assert!(found(&tests, &tests).is_empty());
        let own = ["plugins/a/src/lib.rs", "plugins/a/src/other.rs"];
        assert!(found_in(own.map(|path| (path, SHARED))).is_empty());
    }
}
