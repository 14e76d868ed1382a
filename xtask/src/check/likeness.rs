//! Finds code that stands in two plugins: what two vendors share belongs to the SDK.

use std::collections::HashMap;

use anyhow::Result;

use super::code;
use super::verdict;
use crate::workspace::{Source, Workspace};

/// So many like lines in a row are too many.
const RUN: usize = 6;

/// A line that counts, and where it stands.
struct Line<'src> {
    path: &'src str,
    /// Counted from 1.
    number: usize,
    text: String,
}

impl Line<'_> {
    /// Whether a function or an implementation begins here.
    fn begins_an_item(&self) -> bool {
        let public = self.text.strip_prefix("pub");
        let after = public
            .and_then(|rest| rest.split_once(' '))
            .map(|(_, rest)| rest);
        let declares = after.unwrap_or(&self.text);
        ["fn ", "impl ", "impl<", "struct ", "enum ", "const fn "]
            .iter()
            .any(|word| declares.starts_with(word))
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
    let files: Vec<Vec<Line<'_>>> = sources.iter().filter(is_plugin_code).map(lines).collect();
    verdict(
        &runs(&files),
        &format!("{RUN} like lines in a row stand in two plugins"),
        format!("{} files", files.len()),
    )
}

/// The lines that count: no blank ones, no comments, no imports, no bare brackets.
/// White space does not distinguish lines; the content of strings does.
fn lines(source: &Source) -> Vec<Line<'_>> {
    let code = code::product(&source.text);
    let mut in_import = false;
    let mut found = Vec::new();
    for (number, (blanked, original)) in code.lines().zip(source.text.lines()).enumerate() {
        let start = blanked.trim_start();
        let declares = ["use ", "pub use ", "mod ", "pub mod "];
        let begins =
            declares.iter().any(|word| start.starts_with(word)) && !start.contains(" mod ");
        let skipped = in_import || begins;
        in_import = skipped && !blanked.contains(';');
        let says_something = blanked.chars().any(char::is_alphanumeric);
        if !skipped && says_something {
            let text: String = original.split_whitespace().collect::<Vec<_>>().join(" ");
            found.push(Line {
                path: &source.path,
                number: number + 1,
                text,
            });
        }
    }
    found
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
            // What two plugins have in common must be one thing, not the end of
            // one thing and the beginning of the next.
            if window.iter().skip(1).any(Line::begins_an_item) {
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

    fn found_in(texts: &[(&str, String)]) -> Vec<String> {
        let sources: Vec<Source> = texts
            .iter()
            .map(|(path, text)| Source {
                path: (*path).to_owned(),
                text: text.clone(),
            })
            .collect();
        runs(&sources.iter().map(lines).collect::<Vec<_>>())
    }

    #[test]
    fn a_shared_run_is_found_once() {
        let other = format!("use x::y;\n\n{}", SHARED.replace("    ", "\t"));
        let found = found_in(&[
            ("plugins/a/src/lib.rs", SHARED.to_owned()),
            ("plugins/b/src/lib.rs", other),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("plugins/b/src/lib.rs:3 as in plugins/a/src/lib.rs:1"),
            "{found:?}"
        );
    }

    #[test]
    fn one_other_line_breaks_the_run() {
        let other = SHARED.replace("let c = 3", "let c = 4");
        assert!(
            found_in(&[
                ("plugins/a/src/lib.rs", SHARED.to_owned()),
                ("plugins/b/src/lib.rs", other)
            ])
            .is_empty()
        );
    }

    #[test]
    fn a_run_does_not_reach_into_the_next_item() {
        let two = "let a = 1;\nlet b = 2;\nlet c = 3;\n}\npub(crate) fn next() {\nlet d = 4;\nlet e = 5;\n".to_owned();
        let found = found_in(&[
            ("plugins/a/src/lib.rs", two.clone()),
            ("plugins/b/src/lib.rs", two),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn imports_tests_and_one_plugin_alone_do_not_count() {
        let imports = "use a::{\n    b,\n    c,\n    d,\n    e,\n    f,\n};\n".to_owned();
        assert!(
            found_in(&[
                ("plugins/a/src/lib.rs", imports.clone()),
                ("plugins/b/src/lib.rs", imports)
            ])
            .is_empty()
        );
        let tests = format!("#[cfg(test)]\nmod tests {{\n{SHARED}\n}}");
        assert!(
            found_in(&[
                ("plugins/a/src/lib.rs", tests.clone()),
                ("plugins/b/src/lib.rs", tests)
            ])
            .is_empty()
        );
        let own = SHARED.to_owned();
        assert!(
            found_in(&[
                ("plugins/a/src/lib.rs", own.clone()),
                ("plugins/a/src/other.rs", own)
            ])
            .is_empty()
        );
    }
}
